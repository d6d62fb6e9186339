// SPDX-License-Identifier: GPL-3.0-or-later
//! Names in a profile: what copying leaves in them, what only looks like a known name, what is nearly one, and
//! keys that are on no disk.

use super::linter::{Level, Linter};
use crate::profile::model::{ControlSet, HiveName, KeyRule, Location, ValueRule, Want};
use crate::settings::{How, Near, Place, near_key, near_value, sentence, volatile, why};
use crate::text::is_deceptive;

/// A name and what becomes of it.
struct Named<'a> {
    /// `the key` or `the value's name`.
    what: &'static str,
    name: &'a str,
    /// Whether the entry makes what has the name, where it is not there.
    is_made: bool,
    at: Location,
}

/// Looks at the names on the way to a key; nothing is said of one that should not be there.
pub(super) fn check_key_names(linter: &mut Linter<'_>, key: &KeyRule) {
    let names = &key.path.segments;
    let place = place(key);
    if let Some(known) = volatile(names).filter(|_| place == Place::ControlSet) {
        let message = format!("this key is on no disk: {}", sentence(known));
        let hint = "leave the entry out, or write where it says";
        linter.warn("key-volatile", key.at, message, hint);
    }
    if key.absent {
        return;
    }
    let near = near_key(place, names);
    for (at, name) in names.iter().enumerate() {
        let named = Named {
            what: "the key",
            name,
            is_made: !key.if_exists && key.path.wildcard(name).is_none(),
            at: key.at,
        };
        let near = near.filter(|(place, _)| *place == at);
        check_name(linter, &named, near.map(|(_, near)| near));
    }
}

/// Looks at the name of a value that is to be something.
pub(super) fn check_value_name(linter: &mut Linter<'_>, key: &KeyRule, value: &ValueRule) {
    let is_made = !value.if_exists && !value.want.is_partial() && value.want != Want::Absent;
    let named = Named {
        what: "the value's name",
        name: &value.name,
        is_made,
        at: value.at,
    };
    let near = match value.every {
        true => None,
        false => near_value(place(key), &key.path.segments, &value.name),
    };
    check_name(linter, &named, near);
}

fn place(key: &KeyRule) -> Place {
    match (key.path.hive, key.path.control_set) {
        (HiveName::Software, _) => Place::Software,
        (HiveName::System, None) => Place::System,
        (HiveName::System, Some(ControlSet::Every | ControlSet::Number(_))) => Place::ControlSet,
    }
}

fn check_name(linter: &mut Linter<'_>, named: &Named<'_>, near: Option<Near>) {
    let Named { what, name, at, .. } = *named;
    let level = match named.is_made {
        true => Level::Error,
        false => Level::Warning,
    };
    // A name of its own may hold anything: such values are on disks, and are captured from them.
    let invisible = if near.is_some() {
        level
    } else {
        Level::Warning
    };
    let mut is_told = false;
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        let message = format!("`{name}`: {what} begins or ends with a blank");
        let hint = "Windows takes it for another name: remove the blank";
        linter.warn("name-blank", at, message, hint);
        is_told = true;
    }
    let quotes = [
        '\'', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}',
    ];
    if name.starts_with(quotes) || name.ends_with(quotes) {
        let message = format!("`{name}`: {what} begins or ends with a quote");
        let hint =
            "cmd.exe does not take 'single quotes' away, so articles make such names: remove it";
        linter.warn("name-quote", at, message, hint);
        is_told = true;
    }
    match near {
        Some(Near {
            name: known,
            how: How::Disguise(c),
        }) if !is_deceptive(c) => {
            let message = format!("`{name}`: {what} is not `{known}`: it has {}", why(c));
            linter.add(
                level,
                "name-look-alike",
                at,
                message,
                "write the name anew by hand",
            );
        }
        Some(Near { name: known, .. }) if !is_told && !name.contains(is_deceptive) => {
            let message = format!("`{name}`: {what} is nearly `{known}`; did you mean that?");
            let hint = "Windows takes it for another name";
            linter.warn("name-near", at, message, hint);
        }
        _ => {}
    }
    if name.contains(is_deceptive) {
        let message = format!("`{name}`: {what} has a character in it that is not seen");
        linter.add(
            invisible,
            "name-invisible",
            at,
            message,
            "write the name anew by hand",
        );
    }
}
