// SPDX-License-Identifier: GPL-3.0-or-later
//! `Registry.pol`: the entries of the machine's local policy.

use super::collector::Collector;
use super::operation::Deed;
use super::place::Place;
use crate::policy::{PolicyAction, RegistryPol};

pub(super) fn read(bytes: &[u8], found: &mut Collector<'_>) {
    let policy = match RegistryPol::parse(bytes) {
        Ok(policy) => policy,
        Err(error) => {
            let hint = "Windows carries out what stands in front of it, and stops here";
            return found.refuse(Place::Byte(error.at), error.fault.to_string(), hint);
        }
    };
    found.note(
        Place::Byte(0),
        "taken as the machine's policy: the user's has keys of the same names, in another hive",
    );
    for entry in policy.entries() {
        let at = Place::Byte(entry.at);
        let key = format!("HKLM\\{}", entry.key);
        action(found, &key, &entry.action, at);
    }
}

fn action(found: &mut Collector<'_>, key: &str, action: &PolicyAction, at: Place) {
    match action {
        PolicyAction::CreateKey => found.add(key, Deed::CreateKey, at),
        PolicyAction::Set { name, kind, data } => found.add_stored(key, name, *kind, data, at),
        PolicyAction::Delete { name } => {
            let name = name.clone();
            found.add(key, Deed::DeleteValue { name }, at);
        }
        PolicyAction::DeleteValues(list) => {
            for name in list.names() {
                let name = name.to_owned();
                found.add(key, Deed::DeleteValue { name }, at);
            }
        }
        PolicyAction::DeleteAllValues => found.add(key, Deed::DeleteAllValues, at),
        PolicyAction::DeleteKeys(list) => {
            for name in list.names() {
                found.add(&format!("{key}\\{name}"), Deed::DeleteKey, at);
            }
        }
        PolicyAction::SetIfAbsent { name, .. } => {
            let message = format!("{key}: `**soft.{name}` sets a value only where there is none");
            found.refuse(at, message, "no profile says that: take the entry out");
        }
        PolicyAction::SecureKey { .. } => {
            let message = format!("{key}: `**SecureKey` changes who may use the key");
            found.refuse(at, message, "no profile says that: take the entry out");
        }
        PolicyAction::Ignored { code } => {
            found.skipped = found.skipped.saturating_add(1);
            let code = crate::text::escape(code);
            found.note(at, &format!("`{code}` is a code without effect"));
        }
    }
}
