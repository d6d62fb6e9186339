// SPDX-License-Identifier: GPL-3.0-or-later
//! Making a plan: each rule of each profile against each control set.

use std::collections::HashMap;
use std::sync::Arc;

use super::allowed::{Made, expect_possible};
use super::conditions::{Standpoint, first_unmet};
use super::last_known_good::{LastKnownGood, last_known_good};
use super::places::{Enumerated, MAX_PLACES, Place, enumerate};
use super::scene::Scene;
use super::{Action, Change, Plan, PlanError, PlannedHive, PlannedProfile, Skipped};
use crate::machine::{
    ControlSetInfo, HiveInput, KeySummary, MachineError, Selection, State, Value, all_values,
    find_value, summarize,
};
use crate::profile::{
    Boot, ControlSet, Data, HiveName, KeyPath, KeyRule, Profile, ValueRule, Verdict, Want,
};
use crate::regf::{FoldedPath, KeyNode, Name, NodePath};
use crate::text::Foreign;

/// What a plan is made of besides profiles and hives.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target as it was named.
    pub target: Foreign,
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
    for input in hives {
        planned_hives.push(PlannedHive {
            name: input.name,
            path: input.path.clone(),
            condition: input.condition.clone(),
            control_sets: input.control_sets()?,
        });
    }
    let scene = Scene::of(hives)?;
    let chosen = match scene.has_system() {
        true => options.selection.choose(&scene.control_sets)?,
        false => Vec::new(),
    };
    let planned_profiles = profiles.iter().map(|profile| PlannedProfile {
        id: profile.id.clone(),
        title: profile.title.clone(),
        included_by: profile.included_by.clone(),
        advice: profile.advice.clone(),
    });
    let mut builder = Builder::new(&scene, &chosen);
    builder.plan.target = options.target.clone();
    builder.plan.hives = planned_hives;
    builder.plan.profiles = planned_profiles.collect();
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    scene.expect_something_to_compare(rules.map(|rule| rule.path.hive))?;
    for profile in profiles {
        for rule in &profile.keys {
            builder.add_rule(profile, rule, &rule.values)?;
        }
    }
    builder.leave_deleted_keys();
    Ok(builder.plan)
}

/// What one entry alone would change in one control set: the `values` of a rule, or the rule itself
/// where there are none.
pub(crate) fn build_entry(
    scene: &Scene<'_, '_>,
    set: &ControlSetInfo,
    profile: &Profile,
    rule: &KeyRule,
    values: &[ValueRule],
) -> Result<Plan, PlanError> {
    scene.expect_something_to_compare(std::iter::once(rule.path.hive))?;
    let mut builder = Builder::new(scene, std::slice::from_ref(set));
    builder.add_rule(profile, rule, values)?;
    builder.leave_deleted_keys();
    Ok(builder.plan)
}

/// The most bytes that a plan may come to, counted as it is written: paths and reasons are said again
/// with each change. A hostile profile could ask for more than anybody could read.
const MAX_PLANNED: usize = 128 << 20;
/// What an entry of a plan takes besides its data, in bytes.
const ENTRY: usize = 256;

const MISSING: &str = "the key is missing and a value below needs it";

/// What a profile wants of one real key.
struct Aim<'p> {
    profile: &'p Profile,
    hive: HiveName,
    control_set: Option<String>,
    key: NodePath,
}

/// A value, or a key as a whole, as the registry compares them.
type Subject = (HiveName, FoldedPath, Option<Vec<u16>>);

/// What a rule has said about a value or a key.
struct Said<'p> {
    profile: &'p str,
    /// None where a key should be absent, or the value is worked out; several where each is about
    /// another part of the value.
    wants: Vec<&'p Want>,
    /// The change that came of it.
    change: Option<usize>,
}

/// What has been said about a value before.
enum Recalled<'p> {
    Nothing,
    TheSame,
    /// Something that does not go together with it, by this profile.
    Another(&'p str),
    /// Something about other parts of it, which made this change; what is to be done beyond that.
    Part(usize, Verdict),
}

/// A value that a rule is about, as it is found.
struct Found<'k, 'h> {
    name: Name,
    key: Option<&'k KeyNode<'h>>,
    value: Option<(Name, Value)>,
}

impl Found<'_, '_> {
    fn state(&self) -> Option<(u32, &[u8])> {
        let value = self.value.as_ref();
        value.map(|(_, value)| (value.kind, value.data.as_slice()))
    }
}

struct Builder<'s, 'h, 'p> {
    scene: &'s Scene<'s, 'h>,
    chosen: &'s [ControlSetInfo],
    plan: Plan,
    /// Values and keys that a rule has spoken about: two profiles may want the same.
    seen: HashMap<Subject, Said<'p>>,
    /// Keys that the plan creates.
    made: Made,
    /// How many bytes more the plan may come to.
    room: usize,
    /// Why keys are made.
    missing: Arc<str>,
}

impl<'s, 'h, 'p> Builder<'s, 'h, 'p> {
    fn new(scene: &'s Scene<'s, 'h>, chosen: &'s [ControlSetInfo]) -> Self {
        Self {
            scene,
            chosen,
            plan: Plan {
                target: Foreign::default(),
                hives: Vec::new(),
                profiles: Vec::new(),
                changes: Vec::new(),
                matches: 0,
                skipped: Vec::new(),
                blocked: Vec::new(),
                warnings: Vec::new(),
                metadata: None,
            },
            seen: HashMap::new(),
            made: Made::default(),
            room: MAX_PLANNED,
            missing: Arc::from(MISSING),
        }
    }

    /// Follows `values` of a rule, or the rule itself where it has none.
    fn add_rule(
        &mut self,
        profile: &'p Profile,
        rule: &'p KeyRule,
        values: &'p [ValueRule],
    ) -> Result<(), PlanError> {
        let scene = self.scene;
        let hive = rule.path.hive;
        let Some(input) = scene.hives.iter().find(|input| input.name == hive) else {
            let reason = format!("there is no {hive} hive here");
            let key = Foreign::from(rule.path.to_string());
            return self.skip_rule(profile, rule, values, &key, &reason, None);
        };
        for place in self.places(rule, values, profile, input)? {
            let standpoint = Standpoint {
                control_set: place.control_set.as_deref().or(scene.main_control_set()),
                bound: &place.bound,
            };
            let conditions = profile.when.iter().chain(&rule.when);
            let unmet = first_unmet(conditions, scene.hives, || scene.machine(), &standpoint)?;
            if let Some(unmet) = unmet {
                let (path, condition) = (place.key.text(), Some(unmet.condition));
                self.skip_rule(profile, rule, values, &path, &unmet.reason, condition)?;
                continue;
            }
            let aim = Aim {
                profile,
                hive,
                control_set: place.control_set,
                key: place.key,
            };
            self.add_key_rule(input, &aim, rule, values)?;
        }
        match self.unmet_control_set(&rule.path) {
            Some(reason) => {
                let key = Foreign::from(rule.path.to_string());
                self.skip_rule(profile, rule, values, &key, &reason, None)
            }
            None => Ok(()),
        }
    }

    /// The real keys that a rule's key means.
    fn places(
        &mut self,
        rule: &KeyRule,
        values: &[ValueRule],
        profile: &Profile,
        input: &HiveInput<'h>,
    ) -> Result<Vec<Place>, PlanError> {
        let path = &rule.path;
        let mut places = Vec::new();
        for control_set in self.roots(path) {
            let root = control_set.as_deref().map(Name::from);
            let Enumerated {
                found,
                left,
                too_many,
            } = enumerate(input, root.into_iter().collect(), &path.segments)?;
            for (key, reason) in left {
                self.skip_rule(profile, rule, values, &key, &reason, None)?;
            }
            let key = || match &control_set {
                Some(set) => Foreign::from(format!("{set}\\{}", path.segments.join("\\"))),
                None => Foreign::from(path.segments.join("\\")),
            };
            if too_many {
                let reason = format!("more than {MAX_PLACES} keys match: that is not meant");
                let blocked = skipped(profile, path.hive, key(), None, reason);
                self.plan.blocked.push(blocked);
            } else if found.is_empty() {
                self.skip_rule(profile, rule, values, &key(), "no key matches", None)?;
            }
            places.extend(found.into_iter().map(|(key, bound)| Place {
                control_set: control_set.clone(),
                key,
                bound,
            }));
        }
        Ok(places)
    }

    /// The control sets' keys that a path means; `None` once for a path outside of them.
    fn roots(&self, path: &KeyPath) -> Vec<Option<String>> {
        let meant = |set: &&ControlSetInfo| match path.control_set {
            Some(ControlSet::Every) => true,
            Some(ControlSet::Number(number)) => set.number == number,
            None => false,
        };
        if path.control_set.is_none() {
            return vec![None];
        }
        let sets = self.chosen.iter().filter(meant);
        sets.map(|set| Some(set.name.clone())).collect()
    }

    /// Why a rule about one control set finds none. A control set is never created.
    fn unmet_control_set(&self, path: &KeyPath) -> Option<String> {
        let Some(ControlSet::Number(number)) = path.control_set else {
            return None;
        };
        if self.chosen.iter().any(|set| set.number == number) {
            return None;
        }
        let mut all = self.scene.control_sets.iter();
        Some(if all.any(|set| set.number == number) {
            format!("ControlSet{number:03} is not among the control sets chosen")
        } else {
            format!("ControlSet{number:03} does not exist, and a control set is never created")
        })
    }

    fn add_key_rule(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &'p KeyRule,
        values: &'p [ValueRule],
    ) -> Result<(), PlanError> {
        let key = input.find_key(&aim.key)?;
        if rule.absent {
            return self.want_key_absent(input, aim, rule, key.as_ref());
        }
        if let Some(Boot::LastKnownGood) = rule.boot {
            return self.want_last_known_good(input, aim, rule, key.as_ref());
        }
        // A key that is one of many is never made.
        if key.is_none() && (rule.if_exists || rule.path.wildcards() > 0) {
            let path = aim.key.text();
            let reason = "the key does not exist";
            return self.skip_rule(aim.profile, rule, values, &path, reason, None);
        }
        for value in values {
            if value.every {
                self.add_every_value(input, aim, value, key.as_ref())?;
            } else {
                self.add_value_rule(input, aim, value, key.as_ref(), Some(&value.want))?;
            }
        }
        Ok(())
    }

    /// Follows a rule about every value of a key. Those that it is not meant for are not spoken of: there
    /// may be thousands.
    fn add_every_value(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &'p ValueRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let Some(key) = key else {
            return self.skip(aim, Some(rule.name.clone()), "the key does not exist");
        };
        for (name, value) in all_values(input, key)? {
            let found = Found {
                name: name.clone(),
                key: Some(key),
                value: Some((name, value)),
            };
            if why_not_meant(rule, &found).is_none() {
                self.add_found(input, aim, rule, found, Some(&rule.want))?;
            }
        }
        Ok(())
    }

    fn want_key_absent(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &KeyRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let place = (aim.hive, aim.key.folded(), None);
        if let Some(said) = self.seen.get(&place) {
            let change = said
                .change
                .and_then(|index| self.plan.changes.get_mut(index));
            if let Some(change) = change {
                change.lowers_security |= rule.lowers_security;
            }
            return Ok(());
        }
        let change = key.map(|_| self.plan.changes.len());
        let profile = aim.profile.id.as_str();
        let said = Said {
            profile,
            wants: Vec::new(),
            change,
        };
        self.seen.insert(place, said);
        let Some(key) = key else {
            self.plan.matches = self.plan.matches.saturating_add(1);
            return Ok(());
        };
        let summary = summarize(&input.hive, key).map_err(MachineError::in_hive(input.name))?;
        self.push(Change {
            profile: aim.profile.id.clone(),
            hive: aim.hive,
            control_set: aim.control_set.clone(),
            key: aim.key.clone(),
            value: None,
            action: Action::DeleteKey,
            before: Some(State::Key(summary)),
            after: None,
            lowers_security: rule.lowers_security,
            cause: aim.profile.cause.clone(),
            note: rule.why.clone().unwrap_or_else(|| "".into()),
        })
    }

    /// Plans the change of `Select`, worked out from the control sets that are there.
    fn want_last_known_good(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &KeyRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let sets = input.control_sets()?;
        let numbers = match last_known_good(input, &sets)? {
            LastKnownGood::Use(numbers) => numbers,
            LastKnownGood::Done(reason) => {
                return self.skip(aim, None, &reason);
            }
            LastKnownGood::Impossible(reason) => {
                return self.block(aim, None, reason);
            }
        };
        for (name, number) in *numbers {
            let why = rule.why.clone();
            let value = ValueRule {
                name: name.to_owned(),
                every: false,
                if_tokens: Vec::new(),
                want: Want::Data(Data::Dword(number)),
                parameter: None,
                if_exists: false,
                if_one_of: Vec::new(),
                why: why.unwrap_or_else(|| "Last Known Good, as Windows writes it".into()),
                lowers_security: false,
                cause: None,
                at: rule.at,
            };
            self.add_value_rule(input, aim, &value, key, None)?;
        }
        Ok(())
    }

    fn add_value_rule(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        key: Option<&KeyNode<'_>>,
        want: Option<&'p Want>,
    ) -> Result<(), PlanError> {
        let name = Name::from(rule.name.as_str());
        let value = match key {
            Some(key) => find_value(input, key, &name)?,
            None => None,
        };
        let found = Found { name, key, value };
        if let Some(reason) = why_not_meant(rule, &found) {
            return self.skip(aim, Some(rule.name.clone()), reason);
        }
        self.add_found(input, aim, rule, found, want)
    }

    fn add_found(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        found: Found<'_, '_>,
        want: Option<&'p Want>,
    ) -> Result<(), PlanError> {
        let value = Some(found.name.to_text());
        let subject = (aim.hive, aim.key.folded(), Some(found.name.folded()));
        let verdict = match self.recall(&subject, rule, want) {
            Recalled::Nothing => rule.want.judge(found.state()),
            Recalled::TheSame => {
                self.mark(&subject, rule);
                return Ok(());
            }
            Recalled::Another(by) => {
                let reason = match by == aim.profile.id {
                    true => "two entries of the profile disagree on it".to_owned(),
                    false => format!("{by} wants something else of it"),
                };
                return self.block(aim, value, reason);
            }
            Recalled::Part(change, verdict) => {
                self.change_further(change, rule, verdict);
                self.mark(&subject, rule);
                self.say(subject, aim, want, Some(change));
                return Ok(());
            }
        };
        let changes = matches!(verdict, Verdict::Write { .. } | Verdict::Delete);
        self.say(
            subject,
            aim,
            want,
            changes.then_some(self.plan.changes.len()),
        );
        self.carry_out(input, aim, rule, found, verdict)
    }

    /// What rules have said about a value so far.
    fn recall(&self, subject: &Subject, rule: &ValueRule, want: Option<&'p Want>) -> Recalled<'p> {
        let Some(said) = self.seen.get(subject) else {
            return Recalled::Nothing;
        };
        let Some(want) = want else {
            // Worked out twice from the same numbers.
            return match said.wants.is_empty() {
                true => Recalled::TheSame,
                false => Recalled::Another(said.profile),
            };
        };
        if said.wants.contains(&want) {
            return Recalled::TheSame;
        }
        let agrees = |other: &&Want| want.agrees_with(other);
        if said.wants.is_empty() || !said.wants.iter().all(agrees) {
            return Recalled::Another(said.profile);
        }
        let planned = said.change.and_then(|index| {
            let change = self.plan.changes.get(index)?;
            Some((index, change.after.as_ref()))
        });
        match planned {
            // The other parts are as wanted.
            None => Recalled::Nothing,
            Some((index, Some(State::Value(value)))) => {
                let now = Some((value.kind, value.data.as_slice()));
                Recalled::Part(index, rule.want.judge(now))
            }
            Some((index, _)) => Recalled::Part(index, rule.want.judge(None)),
        }
    }

    /// Notes that a rule has spoken about a value.
    fn say(
        &mut self,
        subject: Subject,
        aim: &Aim<'p>,
        want: Option<&'p Want>,
        change: Option<usize>,
    ) {
        let said = self.seen.entry(subject).or_insert_with(|| Said {
            profile: &aim.profile.id,
            wants: Vec::new(),
            change: None,
        });
        said.wants.extend(want);
        said.change = said.change.or(change);
    }

    /// Adds to a change of a part of a value what another rule wants of another part.
    fn change_further(&mut self, index: usize, rule: &ValueRule, verdict: Verdict) {
        let Some(change) = self.plan.changes.get_mut(index) else {
            return;
        };
        match verdict {
            Verdict::Write { kind, data } => {
                change.after = Some(State::Value(Value { kind, data }));
            }
            Verdict::Delete => {
                change.after = None;
                change.action = Action::DeleteValue;
            }
            Verdict::Met | Verdict::Missing | Verdict::Blocked(_) => return,
        }
        change.lowers_security |= rule.lowers_security;
        change.note = format!("{}; {}", change.note, rule.why).into();
    }

    /// Marks the change of a value that others made, where this rule wants the same of it or a part of
    /// it and says that this lowers security: which of them came first makes no difference.
    fn mark(&mut self, subject: &Subject, rule: &ValueRule) {
        let said = self.seen.get(subject).and_then(|said| said.change);
        let Some(change) = said.and_then(|index| self.plan.changes.get_mut(index)) else {
            return;
        };
        let is_so = |state: &Option<State>| {
            rule.want.is_met_by(match state {
                Some(State::Value(value)) => Some((value.kind, value.data.as_slice())),
                _ => None,
            })
        };
        let does = !is_so(&change.before) && is_so(&change.after);
        if rule.lowers_security && !change.lowers_security && does {
            change.lowers_security = true;
            if !change.note.contains(&*rule.why) {
                change.note = format!("{}; {}", change.note, rule.why).into();
            }
        }
    }

    fn carry_out(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        found: Found<'_, '_>,
        verdict: Verdict,
    ) -> Result<(), PlanError> {
        let after = match verdict {
            Verdict::Met => {
                self.plan.matches = self.plan.matches.saturating_add(1);
                return Ok(());
            }
            Verdict::Blocked(reason) => return self.block(aim, Some(found.name.to_text()), reason),
            Verdict::Missing => return Ok(()),
            Verdict::Write { kind, data } => Some(Value { kind, data }),
            Verdict::Delete => None,
        };
        if found.key.is_none() {
            let first = self.plan.changes.len();
            self.create_keys(input, aim)?;
            self.shift(aim, &found.name, first);
        }
        self.push(value_change(aim, rule, found, after))
    }

    /// The keys that are created come before the change, which has moved.
    fn shift(&mut self, aim: &Aim<'_>, name: &Name, first: usize) {
        let place = (aim.hive, aim.key.folded(), Some(name.folded()));
        let now = self.plan.changes.len();
        let said = self.seen.get_mut(&place);
        if let Some(said) = said.filter(|said| said.change == Some(first)) {
            said.change = Some(now);
        }
    }

    /// Adds a change, as long as the plan stays of a size that is meant. One that is never made
    /// blocks the plan: what a profile wants may be worked out from what is there.
    fn push(&mut self, change: Change) -> Result<(), PlanError> {
        self.spend(size_of(&change))?;
        match expect_possible(&change, self.scene.hives, &self.made) {
            Ok(()) => self.made.note(&change),
            Err(PlanError::Forbidden { why, .. }) => {
                self.plan.blocked.push(blocked(change, why));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.plan.changes.push(change);
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), PlanError> {
        let limit = MAX_PLANNED >> 20;
        let room = self.room.checked_sub(bytes);
        self.room = room.ok_or(PlanError::TooMuch { limit })?;
        Ok(())
    }

    /// What a rule wants in a key that another one deletes is not done: it is gone with the key, or
    /// cannot be.
    fn leave_deleted_keys(&mut self) {
        let is_deletion = |change: &&Change| change.action == Action::DeleteKey;
        let deleted = self.plan.changes.iter().filter(is_deletion);
        let deleted: HashMap<(HiveName, FoldedPath), String> = deleted
            .map(|change| ((change.hive, change.key.folded()), change.profile.clone()))
            .collect();
        if deleted.is_empty() {
            return;
        }
        // Who deletes a key or one above it; the uppermost decides. Keys share what is above them.
        let mut asked: HashMap<(HiveName, FoldedPath), Option<&String>> = HashMap::new();
        let mut by_whom = |hive: HiveName, key: &NodePath| {
            let mut unknown = Vec::new();
            let mut by = None;
            for path in key.upwards() {
                if let Some(known) = asked.get(&(hive, path.folded())) {
                    by = *known;
                    break;
                }
                unknown.push(path);
            }
            for path in unknown.into_iter().rev() {
                let place = (hive, path.folded());
                by = by.or_else(|| deleted.get(&place));
                asked.insert(place, by);
            }
            by
        };
        let changes = std::mem::take(&mut self.plan.changes);
        for change in changes {
            let within = match change.action {
                Action::DeleteKey => change.key.above(),
                _ => Some(&change.key),
            };
            let by = within.and_then(|key| by_whom(change.hive, key));
            match (by, change.action) {
                (None, _) => self.plan.changes.push(change),
                (Some(_), Action::DeleteValue | Action::DeleteKey) => {}
                (Some(by), Action::Set | Action::CreateKey) => {
                    let reason = format!("{by} deletes the key");
                    self.plan.blocked.push(blocked(change, reason));
                }
            }
        }
    }

    /// Plans every key that is missing on the way to a value, the uppermost first.
    fn create_keys(&mut self, input: &HiveInput<'h>, aim: &Aim<'_>) -> Result<(), PlanError> {
        let mut missing = Vec::new();
        for path in aim.key.upwards() {
            if self.made.has(aim.hive, path) || input.find_key(path)?.is_some() {
                break;
            }
            missing.push(path);
        }
        for path in missing.into_iter().rev() {
            self.push(Change {
                profile: aim.profile.id.clone(),
                hive: aim.hive,
                control_set: aim.control_set.clone(),
                key: path.clone(),
                value: None,
                action: Action::CreateKey,
                before: None,
                after: Some(State::Key(KeySummary::empty())),
                lowers_security: false,
                cause: None,
                note: Arc::clone(&self.missing),
            })?;
        }
        Ok(())
    }

    fn skip_rule(
        &mut self,
        profile: &Profile,
        rule: &KeyRule,
        values: &[ValueRule],
        key: &Foreign,
        reason: &str,
        condition: Option<String>,
    ) -> Result<(), PlanError> {
        let names = values.iter().map(|value| Some(value.name.clone()));
        let mut names: Vec<Option<String>> = names.collect();
        if names.is_empty() {
            names.push(None);
        }
        let texts = [key.raw(), reason, condition.as_deref().unwrap_or_default()];
        let size = texts.iter().map(|text| text.len());
        let size = size.fold(ENTRY, usize::saturating_add);
        for value in names {
            self.spend(size)?;
            let (hive, key) = (rule.path.hive, key.clone());
            let left = skipped(profile, hive, key, value, reason.to_owned());
            self.plan.skipped.push(Skipped {
                condition: condition.clone(),
                ..left
            });
        }
        Ok(())
    }

    fn skip(
        &mut self,
        aim: &Aim<'_>,
        value: Option<String>,
        reason: &str,
    ) -> Result<(), PlanError> {
        let (key, reason) = (aim.key.text(), reason.to_owned());
        self.spend(ENTRY.saturating_add(key.raw().len()))?;
        let left = skipped(aim.profile, aim.hive, key, value, reason);
        self.plan.skipped.push(left);
        Ok(())
    }

    fn block(
        &mut self,
        aim: &Aim<'_>,
        value: Option<String>,
        reason: String,
    ) -> Result<(), PlanError> {
        let key = aim.key.text();
        self.spend(ENTRY.saturating_add(key.raw().len()))?;
        let left = skipped(aim.profile, aim.hive, key, value, reason);
        self.plan.blocked.push(left);
        Ok(())
    }
}

/// What a change comes to in a plan: what it says, and what it writes. What it finds is in the hive.
fn size_of(change: &Change) -> usize {
    let names = change.key.upwards().filter_map(NodePath::name);
    let units = names.map(|name| name.units().len().saturating_add(1));
    let cause = change.cause.as_ref();
    let texts = [
        change.note.len(),
        change.profile.len(),
        cause.map_or(0, |cause| cause.text.len()),
        match &change.after {
            Some(State::Value(value)) => value.data.len(),
            _ => 0,
        },
    ];
    units.chain(texts).fold(ENTRY, usize::saturating_add)
}

fn skipped(
    profile: &Profile,
    hive: HiveName,
    key: Foreign,
    value: Option<String>,
    reason: String,
) -> Skipped {
    Skipped {
        profile: profile.id.clone(),
        hive,
        key,
        value: value.map(Foreign::from),
        reason,
        condition: None,
    }
}

/// The entry for a change that is wanted and not made.
fn blocked(change: Change, reason: String) -> Skipped {
    Skipped {
        profile: change.profile,
        hive: change.hive,
        key: change.key.text(),
        value: change.value.map(|name| Foreign::from(name.to_text())),
        reason,
        condition: None,
    }
}

/// Why a rule is not about the value as it is found.
fn why_not_meant(rule: &ValueRule, found: &Found<'_, '_>) -> Option<&'static str> {
    let state = found.state();
    let verdict = rule.want.judge(state);
    if verdict == Verdict::Met {
        return None;
    }
    let is_limited = !rule.if_one_of.is_empty() || !rule.if_tokens.is_empty();
    if state.is_none() && (rule.if_exists || is_limited || verdict == Verdict::Missing) {
        return Some("the value does not exist");
    }
    let is_left = !rule.is_meant(state);
    is_left.then_some("the value is none of those that are changed")
}

fn value_change(
    aim: &Aim<'_>,
    rule: &ValueRule,
    found: Found<'_, '_>,
    after: Option<Value>,
) -> Change {
    let action = match after {
        Some(_) => Action::Set,
        None => Action::DeleteValue,
    };
    let (name, before) = match found.value {
        Some((spelling, value)) => (spelling, Some(State::Value(value))),
        None => (found.name, None),
    };
    let cause = rule.cause.as_ref().or(aim.profile.cause.as_ref());
    Change {
        profile: aim.profile.id.clone(),
        hive: aim.hive,
        control_set: aim.control_set.clone(),
        key: aim.key.clone(),
        value: Some(name),
        action,
        before,
        after: after.map(State::Value),
        lowers_security: rule.lowers_security,
        cause: cause.cloned(),
        note: rule.why.clone(),
    }
}
