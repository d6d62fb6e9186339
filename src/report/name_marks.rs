// SPDX-License-Identifier: GPL-3.0-or-later
//! What is said behind a name in which something cannot be seen.

use crate::profile::HiveName;
use crate::regf::{Name, NodePath};
use crate::settings::{How, Near, Place, disguised, near_key, near_value, why};
use crate::text::is_deceptive;

/// What is said of the value `name` in a key; nothing of a name that is what it looks like.
pub(super) fn of_value(hive: HiveName, key: &NodePath, name: &Name) -> String {
    let text = name.to_text();
    // Nearly every name is plain, and this is asked of each.
    if disguised(&text).is_none() {
        return String::new();
    }
    let names = names(key);
    let (place, names) = Place::of(hive == HiveName::Software, &names);
    mark(&text, near_value(place, names, &text))
}

/// The same of the key `name` below `key`.
pub(super) fn of_key(hive: HiveName, key: &NodePath, name: &Name) -> String {
    let text = name.to_text();
    if disguised(&text).is_none() {
        return String::new();
    }
    let mut names = names(key);
    names.push(text.clone());
    let (place, names) = Place::of(hive == HiveName::Software, &names);
    let near = near_key(place, names).filter(|(at, _)| at.saturating_add(1) == names.len());
    mark(&text, near.map(|(_, near)| near))
}

fn names(key: &NodePath) -> Vec<String> {
    key.names().into_iter().map(Name::to_text).collect()
}

fn mark(name: &str, near: Option<Near>) -> String {
    let unseen = name.chars().find(|c| is_deceptive(*c));
    match (near, unseen) {
        (
            Some(Near {
                name,
                how: How::Disguise(c),
            }),
            _,
        ) => format!("  (not {name}: it has {})", why(c)),
        (_, Some(c)) => format!("  (it has {})", why(c)),
        (_, None) => String::new(),
    }
}
