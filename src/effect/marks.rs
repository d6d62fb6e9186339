// SPDX-License-Identifier: GPL-3.0-or-later
//! What stands against single changes.

use std::collections::HashMap;

use super::in_force::known_of;
use super::reader::{Reader, When};
use super::{Against, InForce, Mark, Setting, Source};
use crate::machine::{State, Value, dword, text};
use crate::plan::{Action, Change};
use crate::policy::PolicyEffect;
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Name, NodePath};
use crate::settings::{KNOWN, TS_POLICY};

const STOPS_POLICY: Option<&str> = Some("group-policy-park");

pub(super) struct Context<'c, 'r, 'h> {
    pub(super) reader: &'c Reader<'r, 'h>,
    pub(super) settings: HashMap<(FoldedPath, Vec<u16>), &'c Setting>,
    pub(super) domain_member: bool,
}

impl Context<'_, '_, '_> {
    pub(super) fn marks(&self, at: usize, change: &Change) -> Vec<Mark> {
        let against = match change.hive {
            HiveName::System => self.against_setting(change),
            HiveName::Software => self.against_policy(change),
        };
        let marks = against.into_iter().map(|(why, profile)| Mark {
            change: at,
            why,
            profile,
        });
        marks.collect()
    }

    /// What stands against a change of a setting: who wins over it then, or after a start.
    fn against_setting(&self, change: &Change) -> Vec<(Against, Option<&'static str>)> {
        let Some(name) = &change.value else {
            return Vec::new();
        };
        let place = (change.key.folded(), name.folded());
        let Some(setting) = self.settings.get(&place) else {
            return Vec::new();
        };
        if is_as_wanted(setting, change) {
            return Vec::new();
        }
        let lift = lift_of(setting);
        match (setting.planned.source, setting.at_start.source) {
            (Source::Policy { key, name }, later) => {
                let value = setting.planned.value.clone();
                let value = value.unwrap_or(Value {
                    kind: 0,
                    data: Vec::new(),
                });
                // Clearing the policy does not help where the file brings it back.
                let policy = self.reader.known_key(HiveName::Software, None, key);
                let comes_back = self.reader.becomes(&policy, name);
                let mut against = vec![(Against::Policy { key, name, value }, lift)];
                if comes_back.is_some() && matches!(later, Source::Policy { .. }) {
                    against.push((self.local(setting), STOPS_POLICY));
                }
                against
            }
            (_, Source::Policy { .. }) => vec![(self.local(setting), STOPS_POLICY)],
            (Source::UserAccount { flag }, _) if !self.is_set_here(setting, flag) => {
                vec![(Against::UserAccount { flag }, None)]
            }
            (Source::UserAccount { .. } | Source::Own | Source::Default, _) => Vec::new(),
        }
    }

    /// Whether these very changes leave the decision to the user's account: then that is what is wanted.
    fn is_set_here(&self, setting: &Setting, flag: &str) -> bool {
        let key = self.reader.key(HiveName::System, &setting.key);
        let is_on = |when| {
            let value = self.reader.value(&key, flag, when);
            value.as_ref().and_then(dword).is_some_and(|on| on != 0)
        };
        is_on(When::Planned) && !is_on(When::Now)
    }

    fn local(&self, setting: &Setting) -> Against {
        let name = match setting.at_start.source {
            Source::Policy { name, .. } => name,
            _ => setting.name,
        };
        Against::LocalPolicy {
            name: name.to_owned(),
            value: setting.at_start.value.clone(),
        }
    }

    /// What undoes a change of a policy: the local group policy's file, or a domain's policy.
    fn against_policy(&self, change: &Change) -> Vec<(Against, Option<&'static str>)> {
        let first = change.key.first();
        let is_policy = first.is_some_and(|name| name.same_as(&Name::from("Policies")));
        if !is_policy || change.action == Action::CreateKey {
            return Vec::new();
        }
        let mut against = Vec::new();
        if let Some(undone) = self.undone_by_file(change) {
            against.push((undone, STOPS_POLICY));
        }
        if self.domain_member {
            against.push((Against::DomainPolicy, STOPS_POLICY));
        }
        against
    }

    fn undone_by_file(&self, change: &Change) -> Option<Against> {
        let Some(name) = &change.value else {
            return self.key_comes_back(change);
        };
        let name = name.to_text();
        let key = self.reader.key(HiveName::Software, &change.key);
        let effect = self.reader.becomes(&key, &name)?;
        let planned = match &change.after {
            Some(State::Value(value)) => Some(value.clone()),
            _ => None,
        };
        let value = match effect {
            PolicyEffect::Set { kind, data } => Some(Value { kind, data }),
            PolicyEffect::SetIfAbsent { kind, data } => {
                planned.clone().or(Some(Value { kind, data }))
            }
            _ => None,
        };
        (value != planned).then_some(Against::LocalPolicy { name, value })
    }

    /// Whether the file sets a value in a key that is deleted.
    fn key_comes_back(&self, change: &Change) -> Option<Against> {
        if !change.key.same_as(&NodePath::from(TS_POLICY)) {
            return None;
        }
        let key = self.reader.key(HiveName::Software, &change.key);
        let mut names = KNOWN.iter().map(|known| known.policy_name);
        names.find_map(|name| {
            let effect = self.reader.becomes(&key, name)?;
            match effect {
                PolicyEffect::Set { kind, data } | PolicyEffect::SetIfAbsent { kind, data } => {
                    let (name, value) = (name.to_owned(), Some(Value { kind, data }));
                    Some(Against::LocalPolicy { name, value })
                }
                _ => None,
            }
        })
    }
}

/// Whether what is in force once Windows has started is what the change writes.
fn is_as_wanted(setting: &Setting, change: &Change) -> bool {
    let InForce { source, value } = &setting.at_start;
    match (&change.after, value) {
        (Some(State::Value(wanted)), Some(counts)) => {
            let same_number = dword(wanted).is_some() && dword(wanted) == dword(counts);
            let same_text = text(wanted).is_some() && text(wanted) == text(counts);
            same_number || same_text || wanted == counts
        }
        _ => matches!(source, Source::Own | Source::Default),
    }
}

/// The profile that removes the policy over a setting.
fn lift_of(setting: &Setting) -> Option<&'static str> {
    let below = setting.key.without_first()?;
    known_of(&below, setting.name).and_then(|known| known.lift)
}
