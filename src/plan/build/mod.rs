// SPDX-License-Identifier: GPL-3.0-or-later
//! Making a plan: each rule of each profile against each control set.
//!
//! The control sets are chosen, the keys of a rule enumerated ([`keys`]), its conditions asked, each value
//! compared ([`values`]) with what other rules have said of it ([`merge`]); in the end what would be done in
//! keys that go is left out ([`whole_keys`]).

mod builder;
mod keys;
mod merge;
mod said;
mod values;
mod whole_keys;

use self::builder::{Aim, Builder};
use super::conditions::{Standpoint, first_unmet};
use super::{Plan, PlanError, PlannedHive, PlannedProfile, Scene};
use crate::machine::{ControlSetInfo, HiveInput, Selection};
use crate::profile::{Boot, KeyRule, Profile, ValueRule};
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

impl<'h, 'p> Builder<'_, 'h, 'p> {
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
}
