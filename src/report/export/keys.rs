// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys as they are, and profiles, as `.reg`.

use std::fmt::Write;

use super::error::ExportError;
use super::reg::{quoted, value};
use crate::profile::{ControlSet, Data, KeyPath, Profile, Want};
use crate::regf::Name;
use crate::report::key_text::KeyListing;
use crate::text::escape;

const HEADER: &str = "Windows Registry Editor Version 5.00\n\n";

/// Keys with their values, for a hive that is loaded as BROKENSYSTEM or BROKENSOFTWARE. `target` is
/// where they were found.
///
/// # Errors
///
/// A name that cannot stand in a line.
pub fn keys_reg(keys: &[KeyListing], target: &str) -> Result<String, ExportError> {
    let mut text = String::from(HEADER);
    let _ = writeln!(text, "; Read by hivemend from {}.", escape(target));
    for listing in keys {
        let mut key = format!("HKEY_LOCAL_MACHINE\\BROKEN{}", listing.hive);
        for name in listing.key.names() {
            key.push('\\');
            key.push_str(&in_line(name, &key)?);
        }
        let _ = writeln!(text, "\n[{key}]");
        for (name, stored) in &listing.values {
            let name = match in_line(name, &key)?.as_str() {
                "" => "@".to_owned(),
                name => quoted(name),
            };
            let _ = writeln!(text, "{name}={}", value(stored.kind, &stored.data));
        }
    }
    Ok(text)
}

/// What a profile writes, for the running machine or one that is loaded under the names of its hives.
///
/// # Errors
///
/// What it wants and `.reg` cannot say.
pub fn profile_reg(profile: &Profile) -> Result<String, ExportError> {
    let mut text = String::from(HEADER);
    let _ = writeln!(text, "; {}", escape(&profile.title));
    for rule in &profile.keys {
        let key = full_key(&rule.path);
        let is_plain = rule.when.is_empty() && rule.boot.is_none() && !rule.if_exists;
        if !is_plain || rule.path.wildcards() > 0 {
            return Err(unsayable(&key, "it hangs on what is there"));
        }
        let sign = if rule.absent { "-" } else { "" };
        let _ = writeln!(text, "\n[{sign}{key}]");
        for one in &rule.values {
            let is_plain = !one.every
                && !one.if_exists
                && one.if_one_of.is_empty()
                && one.if_tokens.is_empty();
            let data = match &one.want {
                Want::Absent => None,
                want => Some(want.to_write().filter(|_| matches!(want, Want::Data(_)))),
            };
            let wanted = match data {
                _ if !is_plain || one.name.contains(char::is_control) => None,
                None => Some("-".to_owned()),
                Some(data) => data.map(|data: &Data| value(data.kind(), &data.bytes())),
            };
            let Some(wanted) = wanted else {
                let at = format!("{key}, value {}", escape(&one.name));
                return Err(unsayable(
                    &at,
                    "what is wanted of it hangs on what is there",
                ));
            };
            let name = match one.name.as_str() {
                "" => "@".to_owned(),
                name => quoted(name),
            };
            let lowers = if one.lowers_security {
                "LOWERS SECURITY: "
            } else {
                ""
            };
            let _ = writeln!(text, "; {lowers}{}\n{name}={wanted}", escape(&one.why));
        }
    }
    Ok(text)
}

fn full_key(path: &KeyPath) -> String {
    let mut key = format!("HKEY_LOCAL_MACHINE\\{}", path.hive);
    match path.control_set {
        None => {}
        Some(ControlSet::Every) => key.push_str("\\CurrentControlSet"),
        Some(ControlSet::Number(number)) => {
            let _ = write!(key, "\\ControlSet{number:03}");
        }
    }
    for segment in &path.segments {
        key.push('\\');
        key.push_str(segment);
    }
    key
}

fn unsayable(what: &str, why: &str) -> ExportError {
    ExportError {
        what: what.to_owned(),
        why: format!("{why}, which a .reg file cannot say"),
    }
}

fn in_line(name: &Name, key: &str) -> Result<String, ExportError> {
    let text = String::from_utf16(name.units()).ok();
    let text = text.filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| ExportError {
        what: format!("{key}, {}", name.to_text()),
        why: "the name is no text that fits in a line".to_owned(),
    })
}
