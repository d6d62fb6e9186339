// SPDX-License-Identifier: GPL-3.0-or-later
//! What counts besides the hives that a command is about: the other hive, and the local group
//! policy's file. Only looked at; what is wrong with it is said, and stops nothing.

use super::target::{Found, OpenHive, input};
use crate::disk::shown;
use crate::plan::{Change, Effect, HiveInput, Plan, Policies, concerns, effect};
use crate::policy::RegistryPol;
use crate::profile::{HiveName, Profile};

/// What was found beside the hives that a command is about.
pub(super) struct Besides {
    hives: Vec<OpenHive>,
    local_policy: Option<RegistryPol>,
    notes: Vec<String>,
}

impl Besides {
    /// Opens what is there besides `known`.
    pub(super) fn open(found: &Found, known: &[HiveName]) -> Self {
        let mut besides = Self {
            hives: Vec::new(),
            local_policy: None,
            notes: Vec::new(),
        };
        besides.read_local_policy(found);
        let all = [HiveName::System, HiveName::Software].into_iter();
        for name in all.filter(|name| !known.contains(name)) {
            match found.open_one(name) {
                Ok(hive) => besides.hives.extend(hive),
                Err(failure) => besides.note(name, &failure.sentence()),
            }
        }
        besides
    }

    /// What wins over what in `hives` and these, before and after `changes`.
    pub(super) fn effect(&self, hives: &[HiveInput<'_>], changes: &[Change]) -> Effect {
        let mut notes = self.notes.clone();
        let mut views = Vec::new();
        for hive in &self.hives {
            match hive.source.view(false) {
                Ok(view) => views.push((hive, view)),
                Err(failure) => notes.push(unread(hive.name, &failure.sentence())),
            }
        }
        let mut all = hives.to_vec();
        for (hive, view) in &views {
            let path = &hive.source.path;
            match input(hive.name, path, view.bytes(), &view.condition) {
                Ok(input) => all.push(input),
                Err(failure) => notes.push(unread(hive.name, &failure.sentence())),
            }
        }
        let policies = Policies {
            local: self.local_policy.as_ref(),
            domain_member: false,
        };
        let mut effect = effect(&all, changes, policies);
        effect.notes.splice(0..0, notes);
        effect
    }

    fn read_local_policy(&mut self, found: &Found) {
        let file = match found.target.registry_pol() {
            Ok(Some(file)) => file,
            Ok(None) => return,
            Err(error) => {
                self.notes
                    .push(format!("the local group policy's file: {error}"));
                return;
            }
        };
        match RegistryPol::parse(&file.bytes) {
            Ok(policy) => self.local_policy = Some(policy),
            Err(error) => {
                let path = shown(&file.path);
                self.notes.push(format!(
                    "{path}: {error}: what it writes at the next start cannot be told"
                ));
            }
        }
    }

    fn note(&mut self, name: HiveName, why: &str) {
        self.notes.push(unread(name, why));
    }
}

fn unread(name: HiveName, why: &str) -> String {
    format!("{name} was to be looked at for what wins over what, and cannot be read: {why}")
}

/// Adds to a plan what wins over what, where it is about such settings.
pub(super) fn add_effect(
    plan: &mut Plan,
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    found: &Found,
) {
    if concerns(profiles, &plan.changes) {
        let known: Vec<HiveName> = hives.iter().map(|input| input.name).collect();
        let besides = Besides::open(found, &known);
        plan.effect = besides.effect(hives, &plan.changes);
    }
}
