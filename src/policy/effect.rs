// SPDX-License-Identifier: GPL-3.0-or-later
//! What all entries together do to one value.

use std::collections::HashMap;

use super::{PolicyAction, PolicyEntry};

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyEffect {
    /// It is set.
    Set {
        /// The type, as in the registry.
        kind: u32,
        /// The data, as stored.
        data: Vec<u8>,
    },
    /// It is set if it is not there then.
    SetIfAbsent {
        /// The type.
        kind: u32,
        /// The data.
        data: Vec<u8>,
    },
    /// It is deleted.
    Delete,
    /// It is deleted with all other values of its key.
    DeleteAllValues,
    /// Its key is deleted, by itself or with one above it.
    DeleteKey,
}

/// The entries by what they are about: a file of megabytes is asked about hundreds of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    keys: HashMap<String, KeyEntries>,
    /// The entries that delete a key as a whole.
    deleted: HashMap<String, Vec<usize>>,
}

/// The places of the entries about one key, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KeyEntries {
    values: HashMap<String, Vec<usize>>,
    /// Those that delete all its values.
    all: Vec<usize>,
}

impl Index {
    pub(super) fn of(entries: &[PolicyEntry]) -> Self {
        let mut index = Self::default();
        for (at, entry) in entries.iter().enumerate() {
            index.add(at, entry);
        }
        index
    }

    fn add(&mut self, at: usize, entry: &PolicyEntry) {
        let key = folded_path(&entry.key);
        match &entry.action {
            PolicyAction::Set { name, .. }
            | PolicyAction::SetIfAbsent { name, .. }
            | PolicyAction::Delete { name } => self.add_value(at, key, name),
            PolicyAction::DeleteValues(list) => {
                let add = |name| self.add_value(at, key.clone(), name);
                list.names().for_each(add);
            }
            PolicyAction::DeleteAllValues => self.keys.entry(key).or_default().all.push(at),
            PolicyAction::DeleteKeys(list) => {
                for name in list.names() {
                    let path = folded_path(&format!("{key}\\{name}"));
                    self.deleted.entry(path).or_default().push(at);
                }
            }
            PolicyAction::CreateKey
            | PolicyAction::SecureKey { .. }
            | PolicyAction::Ignored { .. } => {}
        }
    }

    fn add_value(&mut self, at: usize, key: String, name: &str) {
        let values = &mut self.keys.entry(key).or_default().values;
        values.entry(folded(name)).or_default().push(at);
    }

    /// The places of all entries that say something about a value, in their order.
    fn about(&self, key: &str, value: &str) -> Vec<usize> {
        let key = folded_path(key);
        let mut places = Vec::new();
        if let Some(entries) = self.keys.get(&key) {
            let named = entries.values.get(&folded(value));
            places.extend(named.into_iter().flatten().chain(&entries.all));
        }
        let ends = key.match_indices('\\').map(|(end, _)| end);
        for end in ends.chain([key.len()]) {
            let above = key.get(..end).unwrap_or(&key);
            places.extend(self.deleted.get(above).into_iter().flatten());
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Carries out the entries in their order: the last one about the value decides.
pub(super) fn of(
    entries: &[PolicyEntry],
    index: &Index,
    key: &str,
    value: &str,
) -> Option<PolicyEffect> {
    let places = index.about(key, value);
    let about = places.into_iter().filter_map(|at| entries.get(at));
    about.fold(None, |before, entry| {
        let effect = effect_of(entry);
        match (&before, effect) {
            (_, None)
            | (Some(PolicyEffect::Set { .. }), Some(PolicyEffect::SetIfAbsent { .. })) => before,
            // What was deleted a moment ago is absent.
            (
                Some(
                    PolicyEffect::Delete | PolicyEffect::DeleteAllValues | PolicyEffect::DeleteKey,
                ),
                Some(PolicyEffect::SetIfAbsent { kind, data }),
            ) => Some(PolicyEffect::Set { kind, data }),
            // The first of two decides: after it the value is there.
            (Some(PolicyEffect::SetIfAbsent { .. }), Some(PolicyEffect::SetIfAbsent { .. })) => {
                before
            }
            (_, effect) => effect,
        }
    })
}

/// What an entry does to a value that it is about.
fn effect_of(entry: &PolicyEntry) -> Option<PolicyEffect> {
    Some(match &entry.action {
        PolicyAction::Set { kind, data, .. } => PolicyEffect::Set {
            kind: *kind,
            data: data.clone(),
        },
        PolicyAction::SetIfAbsent { kind, data, .. } => PolicyEffect::SetIfAbsent {
            kind: *kind,
            data: data.clone(),
        },
        PolicyAction::Delete { .. } | PolicyAction::DeleteValues(_) => PolicyEffect::Delete,
        PolicyAction::DeleteAllValues => PolicyEffect::DeleteAllValues,
        PolicyAction::DeleteKeys(_) => PolicyEffect::DeleteKey,
        PolicyAction::CreateKey | PolicyAction::SecureKey { .. } | PolicyAction::Ignored { .. } => {
            return None;
        }
    })
}

/// A path without empty parts, so that equal ones are equal.
fn folded_path(path: &str) -> String {
    let parts = path.split('\\').filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(folded).collect();
    parts.join("\\")
}

fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).collect()
}
