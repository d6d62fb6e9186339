// SPDX-License-Identifier: GPL-3.0-or-later
//! What counts besides the hives that a command is about: the other hive, and the local group
//! policy's file. Only looked at; what is wrong with it is said, and stops nothing.

use super::failure::Failure;
use super::target::{Found, OpenHive, input};
use crate::disk::shown;
use crate::effect::{Effect, Policies, concerns, effect};
use crate::machine::{HiveInput, is_domain_member};
use crate::plan::{Change, Plan};
use crate::policy::RegistryPol;
use crate::profile::{HiveName, Profile};

/// The local group policy's file, where there is one that can be read.
#[derive(Default)]
pub(super) struct Policy {
    local: Option<RegistryPol>,
}

impl Policy {
    /// Reads it, and says what is wrong with it.
    pub(super) fn read(found: &Found) -> (Self, Vec<String>) {
        let file = match found.target.registry_pol() {
            Ok(Some(file)) => file,
            Ok(None) => return (Self::default(), Vec::new()),
            Err(error) => {
                let note = format!("the local group policy's file: {error}");
                return (Self::default(), vec![note]);
            }
        };
        match RegistryPol::parse(&file.bytes) {
            Ok(policy) => (
                Self {
                    local: Some(policy),
                },
                Vec::new(),
            ),
            Err(error) => {
                let path = shown(&file.path);
                let note =
                    format!("{path}: {error}: what it writes at the next start cannot be told");
                (Self::default(), vec![note])
            }
        }
    }

    /// What is known of policies besides the `hives`.
    pub(super) fn policies(&self, hives: &[HiveInput<'_>]) -> Policies<'_> {
        Policies {
            local: self.local.as_ref(),
            domain_member: is_domain_member(hives),
        }
    }
}

/// What was found beside the hives that a command is about.
struct Besides {
    hives: Vec<OpenHive>,
    policy: Policy,
    notes: Vec<String>,
}

impl Besides {
    /// Opens what is there besides `known`.
    fn open(found: &Found, known: &[HiveName]) -> Self {
        let (policy, mut notes) = Policy::read(found);
        let mut hives = Vec::new();
        let all = HiveName::ALL.into_iter();
        for name in all.filter(|name| !known.contains(name)) {
            match found.open_one(name) {
                Ok(hive) => hives.extend(hive),
                Err(failure) => notes.push(unread(name, &failure)),
            }
        }
        Self {
            hives,
            policy,
            notes,
        }
    }

    /// What wins over what in `hives` and these, before and after `changes`.
    fn effect(&self, hives: &[HiveInput<'_>], changes: &[Change]) -> Effect {
        let mut notes = self.notes.clone();
        let mut views = Vec::new();
        for hive in &self.hives {
            match hive.source.view(false) {
                Ok(view) => views.push((hive, view)),
                Err(failure) => notes.push(unread(hive.name, &failure)),
            }
        }
        let mut all = hives.to_vec();
        for (hive, view) in &views {
            let path = &hive.source.path;
            match input(hive.name, path, view.bytes(), &view.condition) {
                Ok(input) => all.push(input),
                Err(failure) => notes.push(unread(hive.name, &failure)),
            }
        }
        let mut effect = effect(&all, changes, self.policy.policies(&all));
        effect.notes.splice(0..0, notes);
        effect
    }
}

fn unread(name: HiveName, failure: &Failure) -> String {
    let why = failure.sentence();
    format!("{name} was to be looked at for what wins over what, and cannot be read: {why}")
}

/// What wins over what once a plan is carried out; nothing where it is not about such settings.
pub(super) fn effect_of(
    plan: &Plan,
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    found: &Found,
) -> Effect {
    if !concerns(profiles, &plan.changes) {
        return Effect::default();
    }
    let known: Vec<HiveName> = hives.iter().map(|input| input.name).collect();
    Besides::open(found, &known).effect(hives, &plan.changes)
}
