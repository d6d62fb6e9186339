// SPDX-License-Identifier: GPL-3.0-or-later
//! What a machine has, written as a profile.

use std::fmt::Write;

use crate::plan::{CapturedKey, CapturedValue};
use crate::profile::{Data, is_known_to_lower};
use crate::text::escape;

/// What stands above the keys.
#[derive(Clone, Debug)]
pub struct ProfileHead {
    /// The new profile's id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Where the values come from.
    pub source: String,
    /// The profile that is the way back, should a captured value lower security.
    pub undo: String,
}

/// The profile; what no profile can say is a comment in it. `None` where nothing was captured.
pub fn profile_yaml(head: &ProfileHead, keys: &[CapturedKey]) -> Option<String> {
    let mut body = String::new();
    let mut lowers = false;
    for key in keys {
        let gone = |other: &CapturedKey| {
            other.should_be_absent && !other.exists && is_at_or_below(key, other)
        };
        // An absent key says all about what is in it.
        let is_told = keys
            .iter()
            .any(|other| gone(other) && !std::ptr::eq(other, key));
        if !is_told {
            lowers |= write_key(&mut body, key);
        }
    }
    if !body
        .lines()
        .any(|line| line.trim_start().starts_with("- key:"))
    {
        return None;
    }
    let mut text = String::from("# SPDX-License-Identifier: GPL-3.0-or-later\n");
    let _ = writeln!(text, "schema: hivemend.profile/1\nid: {}", head.id);
    let _ = writeln!(text, "title: {}", yaml_text(&head.title));
    let _ = writeln!(text, "source: {}", yaml_text(&head.source));
    if lowers {
        let _ = writeln!(text, "undo: {}", head.undo);
    }
    let _ = write!(text, "keys:\n{body}");
    Some(text)
}

fn is_at_or_below(key: &CapturedKey, above: &CapturedKey) -> bool {
    let (long, short) = (&key.path.segments, &above.path.segments);
    let mut pairs = short.iter().zip(long);
    let same = |one: &str, two: &str| crate::profile::upcase(one) == crate::profile::upcase(two);
    key.path.hive == above.path.hive
        && key.path.control_set == above.path.control_set
        && long.len() >= short.len()
        && pairs.all(|(one, two)| same(one, two))
}

/// Writes a key; says whether a value in it lowers security.
fn write_key(text: &mut String, key: &CapturedKey) -> bool {
    let path = yaml_text(&key.path.to_string());
    if key.should_be_absent {
        if key.exists {
            let _ = writeln!(
                text,
                "  # {path} is there: a key as a whole is not captured"
            );
        } else {
            let _ = writeln!(text, "  - key: {path}\n    absent: true");
            let _ = writeln!(text, "    why: The machine has no such key");
        }
    }
    let values: Vec<&CapturedValue> = key.values.iter().collect();
    let (said, unsaid): (Vec<_>, Vec<_>) = values
        .into_iter()
        .partition(|value| why_unsaid(value).is_none());
    if key.should_be_absent && !key.exists {
        return false;
    }
    for value in unsaid {
        let (name, why) = (escape(&value.name), why_unsaid(value).unwrap_or_default());
        let _ = writeln!(text, "  # {path}, value {name}: {why}, and is not captured");
    }
    if said.is_empty() {
        return false;
    }
    let _ = writeln!(text, "  - key: {path}");
    if key.is_one_of_many {
        let _ = writeln!(text, "    if-exists: true");
    }
    let _ = writeln!(text, "    values:");
    let mut lowers = false;
    for value in said {
        lowers |= write_value(text, value);
    }
    lowers
}

/// The longest data that is captured, in bytes.
const LONGEST: usize = 16 << 10;

/// Why a profile does not say what a value holds; `None` where it does.
fn why_unsaid(value: &CapturedValue) -> Option<String> {
    let found = value.found.as_ref()?;
    if found.data.len() > LONGEST {
        let length = found.data.len();
        return Some(format!(
            "its data has {length} bytes, more than the {LONGEST} that are captured"
        ));
    }
    match Data::from_stored(found.kind, &found.data) {
        Some(_) => None,
        None => Some("its data is malformed".to_owned()),
    }
}

fn write_value(text: &mut String, value: &CapturedValue) -> bool {
    let _ = writeln!(text, "      - name: {}", yaml_text(&value.name));
    if value.name == "*" {
        let _ = writeln!(text, "        literal: true");
    }
    let found = value.found.as_ref();
    let data = found.and_then(|found| Data::from_stored(found.kind, &found.data));
    match &data {
        None => {
            let _ = writeln!(text, "        absent: true");
        }
        Some(data) => {
            let _ = writeln!(text, "        {}", data_yaml(data));
        }
    }
    let _ = writeln!(text, "        why: {}", yaml_text(&value.why));
    let known = data.is_some_and(|data| is_known_to_lower(&value.name, &data));
    let lowers = value.lowers_security || known;
    if lowers {
        let _ = writeln!(text, "        lowers-security: true");
    }
    lowers
}

/// The field of the type with the data in it.
pub(super) fn data_yaml(data: &Data) -> String {
    let field = data.field();
    match data {
        Data::Dword(number) | Data::DwordBigEndian(number) => format!("{field}: {number}"),
        Data::Qword(number) => format!("{field}: {number}"),
        Data::Sz(text) | Data::ExpandSz(text) | Data::Link(text) => {
            format!("{field}: {}", yaml_text(text))
        }
        Data::MultiSz(members) => {
            let members: Vec<String> = members.iter().map(|member| yaml_text(member)).collect();
            format!("{field}: [{}]", members.join(", "))
        }
        Data::Other { kind, bytes } => {
            format!("type: {kind:#x}\n        data: \"{}\"", hex::encode(bytes))
        }
        _ => format!("{field}: \"{}\"", hex::encode(data.bytes())),
    }
}

/// Text in quotes: single ones, or double ones with escapes where something is not seen.
pub fn yaml_text(text: &str) -> String {
    let is_plain =
        |c: char| (c == ' ' || !c.is_whitespace()) && escape(&c.to_string()) == c.to_string();
    if text.chars().all(is_plain) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                let _ = write!(quoted, "\\{c}");
            }
            c if is_plain(c) => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}
