// SPDX-License-Identifier: GPL-3.0-or-later
//! Values and their changes as people read them: numbers in decimal with what they mean, of long data
//! the part that changes.

use super::values::{kind_text, quoted, strings_of, text_of, value_text};
use crate::machine::{State, Value};
use crate::plan::Outdated;
use crate::regf::Name;
use crate::settings::meaning;

/// From here on a number is known by its hexadecimal digits.
const HEXADECIMAL: u64 = 0x0fff_ffff;

/// The longest text that is shown whole beside what it becomes, in characters.
const SHORT: usize = 48;

/// How much of what stays is shown around a change in a text, in characters.
const CONTEXT: usize = 12;

/// A value of this name: `2 (TLS)`, `"text"`, `["a", "b"]`, `hex:01,02`.
pub(super) fn value_read(name: &Name, value: &Value) -> String {
    if let Some(number) = number_of(value) {
        let digits = digits(number);
        let meant = u32::try_from(number)
            .ok()
            .and_then(|n| meaning(&name.to_text(), n));
        return match meant {
            Some(meant) => format!("{digits} ({meant})"),
            None => digits,
        };
    }
    let text = value_text(value);
    match text.strip_prefix("multi-sz:") {
        Some(list) => list.to_owned(),
        None => text,
    }
}

/// The same with its type, where that is not the usual one of such data.
fn typed(name: &Name, value: &Value) -> String {
    format!("{} ({})", value_read(name, value), kind_text(value.kind))
}

fn number_of(value: &Value) -> Option<u64> {
    match (value.kind, value.data.as_slice()) {
        (4, bytes) => Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?))),
        (11, bytes) => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

fn digits(number: u64) -> String {
    match number > HEXADECIMAL {
        true => format!("0x{number:X}"),
        false => number.to_string(),
    }
}

/// What a change makes of a value: `1 -> 0`, `Active: FALSE -> TRUE`.
pub(super) fn change_read(name: &Name, before: Option<&State>, after: Option<&State>) -> String {
    match (before, after) {
        (Some(State::Value(before)), Some(State::Value(after))) => between(name, before, after),
        (None, Some(State::Value(after))) => match after.kind {
            1 | 4 | 7 => value_read(name, after),
            _ if after.kind == 2 => value_read(name, after),
            _ => typed(name, after),
        },
        (Some(State::Value(before)), _) => format!("was {}", value_read(name, before)),
        _ => String::new(),
    }
}

/// What was planned from and what is there instead, as a plan shows values.
pub fn outdated_text(outdated: &Outdated) -> String {
    let Outdated { planned, found, .. } = outdated;
    let name = outdated.value.clone().unwrap_or_default();
    let kinds = [planned, found].map(|state| match state {
        Some(State::Value(value)) => Some(value.kind),
        _ => None,
    });
    let differ = matches!(kinds, [Some(one), Some(other)] if one != other);
    let shown = |state: &Option<State>| match state {
        None => "absent".to_owned(),
        Some(State::Value(value)) if differ => typed(&name, value),
        Some(State::Value(value)) => value_read(&name, value),
        Some(State::Key(key)) => format!(
            "a key with {} subkeys and {} values",
            key.subkeys, key.values
        ),
    };
    let (was, is) = (shown(planned), shown(found));
    match was == is {
        // Of a key only what lies below it is another.
        true => format!("{outdated}: what is in it is not what it was"),
        false => format!("{outdated}: it was {was}, it is {is}"),
    }
}

fn between(name: &Name, before: &Value, after: &Value) -> String {
    if before.kind != after.kind {
        return format!("{} -> {}", typed(name, before), typed(name, after));
    }
    let texts = || Some((text_of(&before.data)?, text_of(&after.data)?));
    let lists = || Some((strings_of(&before.data)?, strings_of(&after.data)?));
    let part = match before.kind {
        1 | 2 => texts().and_then(|(old, new)| text_part(&old, &new)),
        7 => lists().and_then(|(old, new)| list_part(&old, &new)),
        4 | 11 => None,
        _ => bytes_part(&before.data, &after.data),
    };
    part.unwrap_or_else(|| {
        format!(
            "{} -> {}",
            value_read(name, before),
            value_read(name, after)
        )
    })
}

/// The part of a text that changes; `None` where it is short enough to be shown whole.
fn text_part(old: &str, new: &str) -> Option<String> {
    if old.contains('|') && new.contains('|') {
        return tokens_part(old, new);
    }
    if old.chars().count().max(new.chars().count()) <= SHORT {
        return None;
    }
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let same = old.iter().zip(&new).take_while(|(one, other)| one == other);
    let head = same.count();
    let (old_rest, new_rest) = (old.get(head..)?, new.get(head..)?);
    let same = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = same.take_while(|(one, other)| one == other).count();
    let shown = |text: &[char]| {
        let start = head.saturating_sub(CONTEXT);
        let end = text.len().saturating_sub(tail).saturating_add(CONTEXT);
        let part: String = text.get(start..end.min(text.len()))?.iter().collect();
        let left = if start > 0 { "..." } else { "" };
        let right = if end < text.len() { "..." } else { "" };
        Some(format!("{left}{}{right}", quoted(&part)))
    };
    Some(format!("{} -> {}", shown(&old)?, shown(&new)?))
}

/// The `Name=Text` tokens of a firewall rule that change.
fn tokens_part(old: &str, new: &str) -> Option<String> {
    let tokens = |text: &str| -> Vec<(String, String)> {
        let parts = text.split('|').filter(|part| !part.is_empty());
        let parts = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        parts
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect()
    };
    let (old, new) = (tokens(old), tokens(new));
    let mut said = Vec::new();
    let all = |list: &[(String, String)], name: &str| -> Vec<String> {
        let ours = list.iter().filter(|(other, _)| other == name);
        ours.map(|(_, text)| text.clone()).collect()
    };
    let mut asked: Vec<&str> = Vec::new();
    for (name, _) in old.iter().chain(&new) {
        if asked.contains(&name.as_str()) {
            continue;
        }
        asked.push(name);
        let (was, is) = (all(&old, name).join(","), all(&new, name).join(","));
        if was != is {
            let or_none = |text: String| {
                if text.is_empty() {
                    "none".to_owned()
                } else {
                    text
                }
            };
            said.push(format!("{name}: {} -> {}", or_none(was), or_none(is)));
        }
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// The elements of a list that come and go.
fn list_part(old: &[String], new: &[String]) -> Option<String> {
    let gone = old.iter().filter(|item| !new.contains(item));
    let come = new.iter().filter(|item| !old.contains(item));
    let gone = gone.map(|item| format!("without {}", quoted(item)));
    let come = come.map(|item| format!("with {}", quoted(item)));
    let said: Vec<String> = gone.chain(come).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The first bytes that change; `None` where all are few enough to be shown.
fn bytes_part(old: &[u8], new: &[u8]) -> Option<String> {
    const FEW: usize = 16;
    if old.len().max(new.len()) <= FEW {
        return None;
    }
    let head = old.iter().zip(new).take_while(|(one, other)| one == other);
    let head = head.count();
    let shown = |bytes: &[u8]| {
        let part = bytes.get(head..).unwrap_or_default();
        let digits: Vec<String> = part
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match part.len() {
            0 => "the end".to_owned(),
            1..=4 => digits.join(","),
            _ => format!("{},...", digits.join(",")),
        }
    };
    let (was, is) = (shown(old), shown(new));
    let sizes = match old.len() == new.len() {
        true => String::new(),
        false => format!(" ({} -> {} bytes)", old.len(), new.len()),
    };
    Some(format!("from byte {head}: {was} -> {is}{sizes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, kind: u32, before: &[u8], after: &[u8]) -> String {
        let value = |data: &[u8]| {
            State::Value(Value {
                kind,
                data: data.to_vec(),
            })
        };
        change_read(&Name::from(name), Some(&value(before)), Some(&value(after)))
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn numbers_are_said_as_people_know_them() {
        assert_eq!(
            read("PortNumber", 4, &[0x3d, 0xd, 0, 0], &[0x3e, 0xd, 0, 0]),
            "3389 -> 3390"
        );
        assert_eq!(
            read("SecurityLayer", 4, &[0; 4], &[2, 0, 0, 0]),
            "0 (RDP) -> 2 (TLS)"
        );
        assert_eq!(
            read("MaxInstanceCount", 4, &[2, 0, 0, 0], &[255; 4]),
            "2 -> 0xFFFFFFFF (no limit)"
        );
        assert_eq!(
            read("MaxIdleTime", 4, &[0x60, 0xea, 0, 0], &[0; 4]),
            "60000 (1 min) -> 0 (no limit)"
        );
    }

    #[test]
    fn of_long_data_the_part_that_changes_is_shown() {
        let rule = |active: &str| {
            utf16(&format!(
                "v2.30|Action=Allow|Active={active}|Dir=In|Protocol=6|LPort=3389|\0"
            ))
        };
        assert_eq!(
            read("R", 1, &rule("FALSE"), &rule("TRUE")),
            "Active: FALSE -> TRUE"
        );
        let long = |word: &str| utf16(&format!("{}{word}{}\0", "a".repeat(60), "z".repeat(60)));
        assert_eq!(
            read("R", 1, &long("one"), &long("two")),
            "...\"aaaaaaaaaaaaonezzzzzzzzzzzz\"... -> ...\"aaaaaaaaaaaatwozzzzzzzzzzzz\"..."
        );
        let list = |text: &str| utf16(&format!("{text}\0\0"));
        assert_eq!(
            read("L", 7, &list("a\0b"), &list("a\0c")),
            "without \"b\", with \"c\""
        );
        let mut other = vec![0; 100];
        other[50] = 7;
        assert_eq!(
            read("B", 3, &[0; 100], &other),
            "from byte 50: 00,00,00,00,... -> 07,00,00,00,..."
        );
    }

    #[test]
    fn another_type_is_said() {
        let before = State::Value(Value {
            kind: 1,
            data: utf16("1\0"),
        });
        let after = State::Value(Value {
            kind: 4,
            data: vec![1, 0, 0, 0],
        });
        let read = change_read(&Name::from("fX"), Some(&before), Some(&after));
        assert_eq!(read, "\"1\" (REG_SZ) -> 1 (REG_DWORD)");
    }
}
