// SPDX-License-Identifier: GPL-3.0-or-later
//! Making a plan: each rule of each profile against each control set.

use std::collections::HashSet;

use super::state::{find_key, find_value, summarize};
use super::{
    Action, Change, ControlSetInfo, HiveInput, KeySummary, Plan, PlanError, PlannedHive,
    PlannedProfile, Selection, Skipped, State, Value, control_sets, folded, path_text,
};
use crate::profile::{ControlSet, HiveName, KeyPath, KeyRule, Profile, ValueRule, Want};
use crate::regf::{KeyNode, Name};

/// What a plan is made of besides profiles and hives.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target as it was named.
    pub target: String,
    /// Which control sets `CurrentControlSet` means.
    pub selection: Selection,
}

/// Compares `profiles` with `hives`.
///
/// The profiles must not disagree among themselves ([`crate::profile::conflicts`]).
///
/// # Errors
///
/// Where a structure on the way to a value is damaged, a key must not be edited, or a control set
/// that was asked for does not exist.
pub fn build(
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    options: &Options,
) -> Result<Plan, PlanError> {
    let mut planned_hives = Vec::new();
    let mut chosen = Vec::new();
    for input in hives {
        let sets = match input.name {
            HiveName::System => control_sets(&input.hive)?,
            HiveName::Software => Vec::new(),
        };
        if input.name == HiveName::System {
            chosen = options.selection.choose(&sets)?;
        }
        planned_hives.push(PlannedHive {
            name: input.name,
            path: input.path.clone(),
            condition: input.condition.clone(),
            control_sets: sets,
        });
    }
    let planned_profiles = profiles.iter().map(|profile| PlannedProfile {
        id: profile.id.clone(),
        title: profile.title.clone(),
    });
    let plan = Plan {
        target: options.target.clone(),
        hives: planned_hives,
        profiles: planned_profiles.collect(),
        changes: Vec::new(),
        matches: 0,
        skipped: Vec::new(),
        warnings: Vec::new(),
        metadata: None,
    };
    let mut builder = Builder {
        hives,
        chosen,
        plan,
        seen: HashSet::new(),
        created: HashSet::new(),
    };
    builder.expect_something_to_compare(profiles)?;
    for profile in profiles {
        for rule in &profile.keys {
            builder.add_rule(profile, rule)?;
        }
    }
    Ok(builder.plan)
}

/// What a profile wants of one real key.
struct Aim<'p> {
    profile: &'p Profile,
    hive: HiveName,
    control_set: Option<String>,
    key: Vec<Name>,
}

struct Builder<'b, 'h> {
    hives: &'b [HiveInput<'h>],
    chosen: Vec<ControlSetInfo>,
    plan: Plan,
    /// Values and keys that a rule has spoken about: two profiles may want the same.
    seen: HashSet<(HiveName, Vec<u16>, Option<Vec<u16>>)>,
    /// Keys that the plan creates.
    created: HashSet<(HiveName, Vec<u16>)>,
}

impl<'h> Builder<'_, 'h> {
    fn expect_something_to_compare(&self, profiles: &[Profile]) -> Result<(), PlanError> {
        let rules = profiles.iter().flat_map(|profile| &profile.keys);
        let wanted: Vec<HiveName> = rules.map(|rule| rule.path.hive).collect();
        let is_there = |name: &HiveName| self.hives.iter().any(|input| input.name == *name);
        if wanted.is_empty() || wanted.iter().any(is_there) {
            return Ok(());
        }
        let mut names: Vec<String> = wanted.iter().map(HiveName::to_string).collect();
        names.dedup();
        Err(PlanError::NothingToCompare(names.join(" and ")))
    }

    fn add_rule(&mut self, profile: &Profile, rule: &KeyRule) -> Result<(), PlanError> {
        let hive = rule.path.hive;
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            let reason = format!("there is no {hive} hive here");
            self.skip_rule(profile, rule, &rule.path.to_string(), &reason);
            return Ok(());
        };
        let input = input.clone();
        for (control_set, key) in self.places(&rule.path) {
            let aim = Aim {
                profile,
                hive,
                control_set,
                key,
            };
            self.add_key_rule(&input, &aim, rule)?;
        }
        if let Some(reason) = self.unmet_control_set(&rule.path) {
            self.skip_rule(profile, rule, &rule.path.to_string(), &reason);
        }
        Ok(())
    }

    /// The real keys that a profile's path means, each with its control set.
    fn places(&self, path: &KeyPath) -> Vec<(Option<String>, Vec<Name>)> {
        let segments = || {
            path.segments
                .iter()
                .map(|segment| Name::from(segment.as_str()))
        };
        let meant = |set: &&ControlSetInfo| match path.control_set {
            Some(ControlSet::Every) => true,
            Some(ControlSet::Number(number)) => set.number == number,
            None => false,
        };
        if path.control_set.is_none() {
            return vec![(None, segments().collect())];
        }
        let sets = self.chosen.iter().filter(meant);
        let below = |set: &ControlSetInfo| {
            let root = Name::from(set.name.as_str());
            (
                Some(set.name.clone()),
                std::iter::once(root).chain(segments()).collect(),
            )
        };
        sets.map(below).collect()
    }

    /// Why a rule about one control set finds none. A control set is never created.
    fn unmet_control_set(&self, path: &KeyPath) -> Option<String> {
        let Some(ControlSet::Number(number)) = path.control_set else {
            return None;
        };
        if self.chosen.iter().any(|set| set.number == number) {
            return None;
        }
        let mut all = self.plan.hives.iter().flat_map(|hive| &hive.control_sets);
        Some(if all.any(|set| set.number == number) {
            format!("ControlSet{number:03} is not among the control sets chosen")
        } else {
            format!("ControlSet{number:03} does not exist, and a control set is never created")
        })
    }

    fn add_key_rule(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'_>,
        rule: &KeyRule,
    ) -> Result<(), PlanError> {
        let key = find_key(input, &aim.key)?;
        if rule.absent {
            return self.want_key_absent(input, aim, rule, key.as_ref());
        }
        if key.is_none() && rule.if_exists {
            let path = path_text(&aim.key);
            self.skip_rule(aim.profile, rule, &path, "the key does not exist");
            return Ok(());
        }
        for value in &rule.values {
            self.add_value_rule(input, aim, value, key.as_ref())?;
        }
        match key {
            Some(key) => self.warn_of_debris(input, aim, rule, &key),
            None => Ok(()),
        }
    }

    fn want_key_absent(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'_>,
        rule: &KeyRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        if self.is_seen(aim, None) {
            return Ok(());
        }
        let Some(key) = key else {
            self.plan.matches = self.plan.matches.saturating_add(1);
            return Ok(());
        };
        let summary = summarize(&input.hive, key).map_err(PlanError::in_hive(input.name))?;
        self.plan.changes.push(Change {
            profile: aim.profile.id.clone(),
            hive: aim.hive,
            control_set: aim.control_set.clone(),
            key: aim.key.clone(),
            value: None,
            action: Action::DeleteKey,
            before: Some(State::Key(summary)),
            after: None,
            lowers_security: rule.lowers_security,
            note: rule.why.clone().unwrap_or_default(),
        });
        Ok(())
    }

    fn add_value_rule(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'_>,
        rule: &ValueRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let name = Name::from(rule.name.as_str());
        if self.is_seen(aim, Some(&name)) {
            return Ok(());
        }
        let found = match key {
            Some(key) => find_value(input, key, &name)?,
            None => None,
        };
        let state = found
            .as_ref()
            .map(|(_, value)| (value.kind, value.data.as_slice()));
        if rule.want.is_met_by(state) {
            self.plan.matches = self.plan.matches.saturating_add(1);
            return Ok(());
        }
        if found.is_none() && rule.if_exists {
            let value = Some(rule.name.clone());
            self.skip(aim, value, "the value does not exist");
            return Ok(());
        }
        if key.is_none() {
            self.create_keys(input, aim)?;
        }
        self.plan.changes.push(value_change(aim, rule, name, found));
        Ok(())
    }

    /// Plans every key that is missing on the way to a value, the uppermost first.
    fn create_keys(&mut self, input: &HiveInput<'h>, aim: &Aim<'_>) -> Result<(), PlanError> {
        for depth in 1..=aim.key.len() {
            let path = aim.key.get(..depth).unwrap_or(&[]);
            if find_key(input, path)?.is_some() || !self.created.insert((aim.hive, folded(path))) {
                continue;
            }
            self.plan.changes.push(Change {
                profile: aim.profile.id.clone(),
                hive: aim.hive,
                control_set: aim.control_set.clone(),
                key: path.to_vec(),
                value: None,
                action: Action::CreateKey,
                before: None,
                after: Some(State::Key(KeySummary::empty())),
                lowers_security: false,
                note: "the key is missing and a value below needs it".to_owned(),
            });
        }
        Ok(())
    }

    /// The published procedure quotes names in a way that cmd.exe takes literally, and misspells
    /// one with a leading blank: values under such names do nothing.
    fn warn_of_debris(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'_>,
        rule: &KeyRule,
        key: &KeyNode<'_>,
    ) -> Result<(), PlanError> {
        let regf = PlanError::in_hive(input.name);
        for value in input.hive.values(key).map_err(&regf)? {
            let name = input.hive.value(value).map_err(&regf)?;
            let name = name.name().to_name().to_string();
            let meant = name.trim_matches(|c| matches!(c, '\'' | ' ' | '"'));
            if meant == name
                || !rule
                    .values
                    .iter()
                    .any(|rule| rule.name.eq_ignore_ascii_case(meant))
            {
                continue;
            }
            let key = path_text(&aim.key);
            let warning = format!(
                "{} {key} has a value called {name:?}, which does nothing: {meant} was meant. \
                 The published procedure makes such values when its quotes are typed as printed.",
                aim.hive
            );
            if !self.plan.warnings.contains(&warning) {
                self.plan.warnings.push(warning);
            }
        }
        Ok(())
    }

    /// Whether a rule has spoken about this value or key already; from now on one has.
    fn is_seen(&mut self, aim: &Aim<'_>, value: Option<&Name>) -> bool {
        let value = value.map(|name| folded(std::slice::from_ref(name)));
        !self.seen.insert((aim.hive, folded(&aim.key), value))
    }

    fn skip_rule(&mut self, profile: &Profile, rule: &KeyRule, key: &str, reason: &str) {
        let mut skip = |value| {
            self.plan.skipped.push(Skipped {
                profile: profile.id.clone(),
                hive: rule.path.hive,
                key: key.to_owned(),
                value,
                reason: reason.to_owned(),
            });
        };
        if rule.values.is_empty() {
            skip(None);
        }
        rule.values
            .iter()
            .for_each(|value| skip(Some(value.name.clone())));
    }

    fn skip(&mut self, aim: &Aim<'_>, value: Option<String>, reason: &str) {
        self.plan.skipped.push(Skipped {
            profile: aim.profile.id.clone(),
            hive: aim.hive,
            key: path_text(&aim.key),
            value,
            reason: reason.to_owned(),
        });
    }
}

fn value_change(
    aim: &Aim<'_>,
    rule: &ValueRule,
    name: Name,
    found: Option<(Name, Value)>,
) -> Change {
    let after = rule.want.to_write().map(|data| {
        let (kind, data) = (data.kind(), data.bytes());
        State::Value(Value { kind, data })
    });
    let action = match rule.want {
        Want::Absent => Action::DeleteValue,
        Want::Data(_) | Want::OneOf(_) => Action::Set,
    };
    let (name, before) = match found {
        Some((spelling, value)) => (spelling, Some(State::Value(value))),
        None => (name, None),
    };
    Change {
        profile: aim.profile.id.clone(),
        hive: aim.hive,
        control_set: aim.control_set.clone(),
        key: aim.key.clone(),
        value: Some(name),
        action,
        before,
        after,
        lowers_security: rule.lowers_security,
        note: rule.why.clone(),
    }
}
