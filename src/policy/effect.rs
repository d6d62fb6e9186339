// SPDX-License-Identifier: GPL-3.0-or-later
//! What all entries together do to one value.

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

/// Carries out the entries in their order: the last one about the value decides.
pub(super) fn of(entries: &[PolicyEntry], key: &str, value: &str) -> Option<PolicyEffect> {
    let key: Vec<&str> = parts(key).collect();
    entries.iter().fold(None, |before, entry| {
        let effect = effect_of(entry, &key, value);
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

fn effect_of(entry: &PolicyEntry, key: &[&str], value: &str) -> Option<PolicyEffect> {
    let is_key = starts_with(key, &entry.key) == Some(0);
    match &entry.action {
        PolicyAction::Set { name, kind, data } if is_key && same(name, value) => {
            let (kind, data) = (*kind, data.clone());
            Some(PolicyEffect::Set { kind, data })
        }
        PolicyAction::SetIfAbsent { name, kind, data } if is_key && same(name, value) => {
            let (kind, data) = (*kind, data.clone());
            Some(PolicyEffect::SetIfAbsent { kind, data })
        }
        PolicyAction::Delete { name } => {
            (is_key && same(name, value)).then_some(PolicyEffect::Delete)
        }
        PolicyAction::DeleteValues(list) => {
            let listed = is_key && list.names().any(|name| same(name, value));
            listed.then_some(PolicyEffect::Delete)
        }
        PolicyAction::DeleteAllValues => is_key.then_some(PolicyEffect::DeleteAllValues),
        PolicyAction::DeleteKeys(list) => {
            let deleted = |name: &str| {
                let path = format!("{}\\{name}", entry.key);
                starts_with(key, &path).is_some()
            };
            let deleted = list.names().any(deleted);
            deleted.then_some(PolicyEffect::DeleteKey)
        }
        _ => None,
    }
}

/// How many keys `key` is below `above`; `None` where it is not below it.
fn starts_with(key: &[&str], above: &str) -> Option<usize> {
    let mut left = key.iter();
    for part in parts(above) {
        left.next().filter(|found| same(found, part))?;
    }
    Some(left.len())
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('\\').filter(|part| !part.is_empty())
}

fn same(one: &str, other: &str) -> bool {
    let upper = |text: &str| {
        text.chars()
            .flat_map(char::to_uppercase)
            .collect::<Vec<_>>()
    };
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && upper(one) == upper(other)
}
