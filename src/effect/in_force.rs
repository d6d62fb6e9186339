// SPDX-License-Identifier: GPL-3.0-or-later
//! What counts for a setting: policy, then the user's account, then the value itself.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use super::reader::{AskedKey, Reader, When};
use super::{InForce, Source};
use crate::machine::{Value, dword, text};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, NodePath};
use crate::settings::{KNOWN, Known, UNLIMITED_BY_POLICY, may_be_text};

/// What counts for a setting: policy, then the user's account, then the value itself.
pub(crate) fn in_force(reader: &Reader<'_, '_>, set: &str, known: &Known, when: When) -> InForce {
    Places::of(reader, set, known).in_force(reader, known, when)
}

/// The policy over a setting, if it is set and of a type that Windows reads.
pub(crate) fn by_policy(reader: &Reader<'_, '_>, known: &Known, when: When) -> Option<InForce> {
    deciding_policy(reader, &policies(reader, known), known, when)
}

/// A policy's key, by its path and to be asked.
type Policy = (&'static str, Rc<AskedKey>);

/// The keys that decide a setting.
pub(super) struct Places {
    pub(super) policies: Vec<Policy>,
    pub(super) own: Rc<AskedKey>,
}

impl Places {
    pub(super) fn of(reader: &Reader<'_, '_>, set: &str, known: &Known) -> Self {
        Self {
            policies: policies(reader, known),
            own: reader.known_key(HiveName::System, Some(set), known.key),
        }
    }

    pub(super) fn in_force(&self, reader: &Reader<'_, '_>, known: &Known, when: When) -> InForce {
        if let Some(found) = deciding_policy(reader, &self.policies, known, when) {
            return found;
        }
        let own = |name| reader.value(&self.own, name, when);
        let value = own(known.name);
        if let Some(flag) = known.inherit {
            let inherits = own(flag)
                .as_ref()
                .and_then(dword)
                .is_some_and(|flag| flag != 0);
            if inherits {
                let source = Source::UserAccount { flag };
                return InForce {
                    source,
                    value: None,
                };
            }
        }
        // A number stored as text is none to Windows.
        let value = value.filter(|value| !known.is_number || dword(value).is_some());
        let source = if value.is_some() {
            Source::Own
        } else {
            Source::Default
        };
        InForce { source, value }
    }
}

fn policies(reader: &Reader<'_, '_>, known: &Known) -> Vec<Policy> {
    let keys = known.policy_keys.iter();
    keys.map(|&key| (key, reader.known_key(HiveName::Software, None, key)))
        .collect()
}

fn deciding_policy(
    reader: &Reader<'_, '_>,
    policies: &[Policy],
    known: &Known,
    when: When,
) -> Option<InForce> {
    let name = known.policy_name;
    policies.iter().find_map(|(key, policy)| {
        let found = reader.value(policy, name, when)?;
        let value = as_listener_says(known, found)?;
        Some(InForce {
            source: Source::Policy { key, name },
            value: Some(value),
        })
    })
}

/// A policy's value in the listener's terms; `None` where Windows would not read it.
fn as_listener_says(known: &Known, found: Value) -> Option<Value> {
    if !known.is_number {
        return text(&found).map(|_| found);
    }
    let as_text = || {
        let may = may_be_text(known.policy_name);
        text(&found).filter(|_| may)?.trim().parse().ok()
    };
    let mut number: u32 = dword(&found).or_else(as_text)?;
    if known.name == "MaxInstanceCount" && number == UNLIMITED_BY_POLICY {
        number = u32::MAX;
    }
    let data = number.to_le_bytes().to_vec();
    Some(Value { kind: 4, data })
}

/// The known settings by their keys below the control set.
static BY_KEY: LazyLock<HashMap<FoldedPath, Vec<&'static Known>>> = LazyLock::new(|| {
    let mut by_key: HashMap<FoldedPath, Vec<&'static Known>> = HashMap::new();
    for known in KNOWN {
        let key = NodePath::from(known.key).folded();
        by_key.entry(key).or_default().push(known);
    }
    by_key
});

/// The known setting in the key at `below` a control set.
pub(crate) fn known_of(below: &NodePath, name: &str) -> Option<&'static Known> {
    let mut known = BY_KEY.get(&below.folded())?.iter().copied();
    known.find(|known| known.name.eq_ignore_ascii_case(name))
}
