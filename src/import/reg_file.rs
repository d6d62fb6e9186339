// SPDX-License-Identifier: GPL-3.0-or-later
//! `.reg` files, as regedit writes and reads them.

use super::collector::Collector;
use super::operation::Deed;
use super::place::Place;
use super::reg_value::{Fault, RegValue, nothing_behind, quoted, value};
use crate::profile::Data;

/// Where in a file one is.
struct Section {
    /// The key that values belong to.
    key: Option<String>,
    /// The line of its header.
    at: Place,
    /// The comment above it.
    remark: Option<String>,
    /// Whether anything was said of it.
    is_used: bool,
}

/// The types whose data is text: in the old format in a code page.
const TEXTS: [u32; 3] = [1, 2, 7];

pub(super) fn read(text: &str, found: &mut Collector<'_>) {
    let lines: Vec<&str> = text.lines().flat_map(|line| line.split('\r')).collect();
    let mut lines = lines.into_iter().enumerate();
    let is_blank = |line: &str| line.trim().is_empty();
    let header = lines.by_ref().find(|(_, line)| !is_blank(line));
    let is_old = header.is_some_and(|(_, line)| line.trim().eq_ignore_ascii_case("REGEDIT4"));
    let mut section: Option<Section> = None;
    while let Some((index, line)) = lines.next() {
        let number = index.saturating_add(1);
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let at = Place::new(number, indent.saturating_add(1));
        let line = line.trim_start();
        if let Some(comment) = line.strip_prefix(';') {
            found.comment(comment);
            continue;
        }
        if line.is_empty() {
            found.remark = None;
            continue;
        }
        if line.starts_with('[') {
            close(section.take(), found);
            section = Some(header_of(line, at, found));
            found.remark = None;
            continue;
        }
        let mut joined = line.to_owned();
        if begins_hex(line) {
            while joined.trim_end().ends_with('\\') {
                let kept = joined.trim_end().trim_end_matches('\\').len();
                joined.truncate(kept);
                let Some((_, next)) = lines.next() else { break };
                joined.push_str(next.trim());
            }
        } else {
            // A text may hold the ends of lines.
            while has_open_text(&joined) {
                let Some((_, next)) = lines.next() else { break };
                joined.push_str("\r\n");
                joined.push_str(next);
            }
        }
        if let Err((message, hint)) = assignment(&joined, at, is_old, section.as_mut(), found) {
            found.refuse(at, message, hint);
        }
        found.remark = None;
    }
    close(section, found);
}

/// A key by itself is one that is to be made.
fn close(section: Option<Section>, found: &mut Collector<'_>) {
    let Some(section) = section.filter(|section| !section.is_used) else {
        return;
    };
    if let Some(key) = &section.key {
        let remark = std::mem::replace(&mut found.remark, section.remark);
        found.add(key, Deed::CreateKey, section.at);
        found.remark = remark;
    }
}

fn header_of(line: &str, at: Place, found: &mut Collector<'_>) -> Section {
    let mut section = Section {
        key: None,
        at,
        remark: found.remark.clone(),
        is_used: false,
    };
    let inside = line.strip_prefix('[').unwrap_or(line);
    let inside = inside.trim_end();
    // A `]` may be in the name of a key; what stands behind the last one is a comment.
    let end = match inside.ends_with(']') {
        true => inside.rfind(']'),
        false => inside.find("];").or_else(|| inside.find("] ")),
    };
    let Some((key, rest)) = end.and_then(|end| inside.split_at_checked(end)) else {
        found.refuse(
            at,
            "this key has no closing bracket",
            "write [HKEY_LOCAL_MACHINE\\...]",
        );
        return section;
    };
    if let Err((message, hint)) = nothing_behind(rest.strip_prefix(']').unwrap_or(rest)) {
        found.refuse(at, message, hint);
        return section;
    }
    match key.strip_prefix('-') {
        Some(key) => found.add(key, Deed::DeleteKey, at),
        None => section.key = Some(key.to_owned()),
    }
    section
}

/// Whether the data of a line is hexadecimal, which may be continued behind a backslash.
fn begins_hex(line: &str) -> bool {
    let behind = match line.strip_prefix('@') {
        Some(rest) => Some(rest),
        None => match quoted(line) {
            Ok(Some((_, rest))) => Some(rest),
            _ => None,
        },
    };
    let value = behind.and_then(|rest| rest.trim_start().strip_prefix('='));
    value.is_some_and(|value| {
        let start = value.trim_start().get(..3);
        start.is_some_and(|start| start.eq_ignore_ascii_case("hex"))
    })
}

/// Whether a quote opens the text of a value, and none closes it.
fn has_open_text(line: &str) -> bool {
    let behind = match line.strip_prefix('@') {
        Some(rest) => rest,
        None => match quoted(line) {
            Ok(Some((_, rest))) => rest,
            _ => return false,
        },
    };
    let value = behind.trim_start().strip_prefix('=').map(str::trim_start);
    value.is_some_and(|value| value.starts_with('"') && matches!(quoted(value), Ok(None)))
}

fn assignment(
    line: &str,
    at: Place,
    is_old: bool,
    section: Option<&mut Section>,
    found: &mut Collector<'_>,
) -> Result<(), Fault> {
    let (name, rest) = match line.strip_prefix('@') {
        Some(rest) => (String::new(), rest),
        None if line.starts_with('"') => match quoted(line)? {
            Some(read) => read,
            None => return Err(("this name has no end".to_owned(), "close it with a quote")),
        },
        None => {
            let hint = "write [key], \"name\"=..., @=... or ; and a comment";
            return Err(("this is no line of a .reg file".to_owned(), hint));
        }
    };
    let Some(data) = rest.trim_start().strip_prefix('=') else {
        return Err((
            "there is no = behind the name".to_owned(),
            "write \"name\"=...",
        ));
    };
    let value = value(data)?;
    let key = section.and_then(|section| {
        section.is_used = true;
        section.key.clone()
    });
    let Some(key) = key else {
        let hint =
            "put [HKEY_LOCAL_MACHINE\\...] in front of it; a key that is deleted has no values";
        return Err(("this value is in no key".to_owned(), hint));
    };
    match value {
        RegValue::Delete => found.add(&key, Deed::DeleteValue { name }, at),
        RegValue::Text(text) if text.contains('\0') => {
            return Err(("this text has a NUL in it".to_owned(), "take it out"));
        }
        RegValue::Text(text) => {
            let data = Data::Sz(text);
            found.add(&key, Deed::SetValue { name, data }, at);
        }
        RegValue::Dword(number) => {
            let data = Data::Dword(number);
            found.add(&key, Deed::SetValue { name, data }, at);
        }
        RegValue::Hex(kind, bytes) if is_old && TEXTS.contains(&kind) => {
            let Some(text) = found.page.text(&bytes) else {
                let hint = "name the code page of the file: --code-page 1251";
                return Err(("these bytes are no text in the code page".to_owned(), hint));
            };
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            found.add_stored(&key, &name, kind, &bytes, at);
        }
        RegValue::Hex(kind, bytes) => found.add_stored(&key, &name, kind, &bytes, at),
    }
    Ok(())
}
