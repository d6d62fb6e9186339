// SPDX-License-Identifier: GPL-3.0-or-later
//! Values as one line of text, in the manner of a .reg file but readable.

use sha2::{Digest, Sha256};

use crate::machine::Value;
use crate::profile::kind_name;
use crate::regf::Name;
use crate::text::escape;

/// How many bytes or characters of data a line shows.
const SHOWN: usize = 64;
/// The same where whole lines are read for what is in them.
const LONG: usize = 256;

/// A value's data as text: `dword:0000003d`, `"text"`, `multi-sz:["a", "b"]`, `hex:01,02`.
///
/// Data that its type does not explain is shown as bytes.
pub(super) fn value_text(value: &Value) -> String {
    text_within(value, SHOWN)
}

/// The same, however long it is.
pub(super) fn whole_text(value: &Value) -> String {
    text_within(value, usize::MAX / 8)
}

/// The same, with no more than about so many characters of data.
fn text_within(value: &Value, shown: usize) -> String {
    let bytes = value.data.as_slice();
    readable(value.kind, bytes, shown).unwrap_or_else(|| match value.kind {
        3 => format!("hex:{}", bytes_text(bytes, shown)),
        kind => format!("{}:hex:{}", kind_text(kind), bytes_text(bytes, shown)),
    })
}

/// The line of a value with all of its data: `"Name"=...`, `@=...` for the default value.
pub(super) fn whole_line(name: &Name, value: &Value) -> String {
    named(name, &whole_text(value))
}

fn named(name: &Name, data: &str) -> String {
    let name = match name.is_empty() {
        true => "@".to_owned(),
        false => quoted(&name.to_text()),
    };
    format!("{name}={data}")
}

/// The same with as much data as a line of a list bears.
pub(super) fn long_line(name: &Name, value: &Value) -> String {
    named(name, &text_within(value, LONG))
}

/// The type's name, or its number where it has none.
pub fn kind_text(kind: u32) -> String {
    kind_name(kind).map_or_else(|| format!("{kind:#010x}"), str::to_owned)
}

fn readable(kind: u32, bytes: &[u8], shown: usize) -> Option<String> {
    Some(match kind {
        1 => cut_text(&text_of(bytes)?, shown),
        2 => format!("expand-sz:{}", cut_text(&text_of(bytes)?, shown)),
        4 => format!("dword:{:08x}", u32::from_le_bytes(bytes.try_into().ok()?)),
        5 => format!(
            "dword-big-endian:{:08x}",
            u32::from_be_bytes(bytes.try_into().ok()?)
        ),
        7 => {
            let items: Vec<String> = strings_of(bytes)?
                .iter()
                .map(|item| cut_text(item, shown))
                .collect();
            let line = items.join(", ");
            if line.chars().count() > shown.saturating_mul(4) {
                return None;
            }
            format!("multi-sz:[{line}]")
        }
        11 => format!("qword:{:016x}", u64::from_le_bytes(bytes.try_into().ok()?)),
        _ => return None,
    })
}

fn cut_text(text: &str, shown: usize) -> String {
    let length = text.chars().count();
    if length <= shown.saturating_mul(2) {
        return quoted(text);
    }
    let head: String = text.chars().take(shown).collect();
    format!(
        "{}... ({length} characters, {})",
        quoted(&head),
        digest(text.as_bytes())
    )
}

fn bytes_text(bytes: &[u8], shown: usize) -> String {
    let head: Vec<String> = bytes
        .iter()
        .take(shown / 4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let head = head.join(",");
    if bytes.len() <= shown / 4 {
        return head;
    }
    format!("{head},... ({} bytes, {})", bytes.len(), digest(bytes))
}

/// Enough of a hash to tell two long values apart.
fn digest(bytes: &[u8]) -> String {
    let sum = hex::encode(Sha256::digest(bytes));
    format!("sha256 {}", sum.get(..12).unwrap_or(&sum))
}

pub(super) fn quoted(text: &str) -> String {
    if !text.contains(['\\', '"']) {
        return format!("\"{}\"", escape(text));
    }
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escape(&text))
}

/// The string that `bytes` are, if they are exactly one with its terminator.
pub(super) fn text_of(bytes: &[u8]) -> Option<String> {
    let units = units_of(bytes)?;
    let (0, text) = units.split_last()? else {
        return None;
    };
    if text.contains(&0) {
        return None;
    }
    String::from_utf16(text).ok()
}

/// The strings that `bytes` are, if they are exactly a list with its terminators.
pub(super) fn strings_of(bytes: &[u8]) -> Option<Vec<String>> {
    let units = units_of(bytes)?;
    let (0, list) = units.split_last()? else {
        return None;
    };
    if list.is_empty() {
        return Some(Vec::new());
    }
    let (0, list) = list.split_last()? else {
        return None;
    };
    let items = list.split(|&unit| unit == 0);
    items
        .map(|item| {
            if item.is_empty() {
                None
            } else {
                String::from_utf16(item).ok()
            }
        })
        .collect()
}

/// The string behind a link or unterminated text, if `bytes` are whole units.
pub(super) fn units_of(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: u32, data: &[u8]) -> String {
        value_text(&Value {
            kind,
            data: data.to_vec(),
        })
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn each_type_reads_like_a_reg_file() {
        assert_eq!(value(4, &[0x3d, 0x0d, 0, 0]), "dword:00000d3d");
        assert_eq!(value(1, &utf16("a \"b\" \\\0")), r#""a \"b\" \\""#);
        assert_eq!(value(2, &utf16("%x%\0")), r#"expand-sz:"%x%""#);
        assert_eq!(value(7, &utf16("a\0b\0\0")), r#"multi-sz:["a", "b"]"#);
        assert_eq!(value(7, &utf16("\0")), "multi-sz:[]");
        assert_eq!(value(3, &[1, 0xab]), "hex:01,ab");
        assert_eq!(value(0x1234, &[]), "0x00001234:hex:");
    }

    #[test]
    fn data_that_its_type_does_not_explain_is_shown_as_bytes() {
        assert_eq!(value(4, &[1, 2]), "REG_DWORD:hex:01,02");
        assert_eq!(value(1, &utf16("0")), "REG_SZ:hex:30,00", "no terminator");
        assert_eq!(
            value(1, &utf16("a\0b\0")),
            "REG_SZ:hex:61,00,00,00,62,00,00,00"
        );
    }

    #[test]
    fn what_could_move_a_cursor_is_escaped() {
        assert_eq!(value(1, &utf16("\u{1b}[2J\0")), r#""\u{1b}[2J""#);
    }
}
