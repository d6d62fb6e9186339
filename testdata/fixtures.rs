// SPDX-License-Identifier: GPL-3.0-or-later
//! The sample hives, made from the text files beside this one. See README.md for the text's form.

use hivemend::edit::Editor;
use hivemend::regf::Name;

use crate::empty_hive::EmptyHive;

/// FILETIME of everything in the fixtures: 2024-01-01 00:00:00 UTC.
pub(crate) const TIME: u64 = 0x01DA_3C45_7689_C000;

/// A hive that is committed beside this file.
pub(crate) struct Fixture {
    /// Its path below the folder `testdata`.
    pub(crate) path: &'static str,
    text: &'static [&'static str],
    minor: u32,
    root: &'static str,
    file_name: &'static str,
}

const SYSTEM: &str = include_str!("osdisk.system.reg");
const SOFTWARE: &str = include_str!("osdisk.software.reg");
const VERSIONS: &str = include_str!("versions.reg");
const LARGE: &str = include_str!("large.reg");

/// Every committed hive.
pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture {
        path: "osdisk/Windows/System32/config/SYSTEM",
        text: &[SYSTEM],
        minor: 5,
        root: "ROOT",
        file_name: "ystemRoot\\System32\\Config\\SYSTEM",
    },
    Fixture {
        path: "osdisk/Windows/System32/config/SOFTWARE",
        text: &[SOFTWARE],
        minor: 5,
        root: "ROOT",
        file_name: "emRoot\\System32\\Config\\SOFTWARE",
    },
    version("hives/v1.3", 3, &[VERSIONS]),
    version("hives/v1.4", 4, &[VERSIONS, LARGE]),
    version("hives/v1.5", 5, &[VERSIONS]),
    version("hives/v1.6", 6, &[VERSIONS]),
];

const fn version(path: &'static str, minor: u32, text: &'static [&'static str]) -> Fixture {
    Fixture {
        path,
        text,
        minor,
        root: "VERSIONS",
        file_name: "versions",
    }
}

/// A key, or a value to set in it.
#[derive(Clone)]
struct Entry {
    key: Vec<String>,
    value: Option<(String, u32, Vec<u8>)>,
}

impl Fixture {
    /// The hive's bytes.
    ///
    /// # Errors
    ///
    /// The line that cannot be read, or the edit that cannot be made.
    pub(crate) fn build(&self) -> Result<Vec<u8>, String> {
        let empty = EmptyHive {
            minor: self.minor,
            root: self.root,
            file_name: self.file_name,
            time: TIME,
        };
        let mut editor = Editor::open(empty.build(), TIME).map_err(|error| error.to_string())?;
        for entry in
            parse(&self.text.concat()).map_err(|error| format!("{}: {error}", self.path))?
        {
            let key: Vec<Name> = entry.key.iter().map(|name| name.as_str().into()).collect();
            let mut result = editor.create_key(&key).map(|_| ());
            if let Some((name, kind, data)) = &entry.value {
                let set = |()| editor.set_value(&key, &name.as_str().into(), *kind, data);
                result = result.and_then(set).map(|_| ());
            }
            result.map_err(|error| format!("{}: {:?}: {error}", self.path, entry.key))?;
        }
        let sealed = editor.seal(0).map_err(|error| error.to_string())?;
        Ok(sealed.image)
    }
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut key = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let at = |error| format!("line {}: {error}: {line}", number + 1);
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if let Some(path) = line.strip_prefix('[') {
            let path = path.strip_suffix(']').ok_or_else(|| at("no ]"))?;
            key = path.split('\\').map(str::to_owned).collect();
            let value = None;
            let key = key.clone();
            entries.push(Entry { key, value });
        } else if let Some(names) = line.strip_prefix("copy ") {
            let (from, to) = names.split_once(' ').ok_or_else(|| at("not two keys"))?;
            entries.extend(copies(&entries, from, to));
        } else {
            let value = Some(parse_value(line).ok_or_else(|| at("no value"))?);
            let key = key.clone();
            entries.push(Entry { key, value });
        }
    }
    Ok(entries)
}

/// All entries so far below the key `from` once more, below `to`.
fn copies(entries: &[Entry], from: &str, to: &str) -> Vec<Entry> {
    let mut copies: Vec<Entry> = entries.to_vec();
    copies.retain(|entry| entry.key.first().is_some_and(|name| name == from));
    for name in copies.iter_mut().filter_map(|entry| entry.key.first_mut()) {
        to.clone_into(name);
    }
    copies
}

fn parse_value(line: &str) -> Option<(String, u32, Vec<u8>)> {
    let (name, rest) = match line.strip_prefix('@') {
        Some(rest) => (String::new(), rest),
        None => quoted(line)?,
    };
    let (kind, data) = parse_data(rest.strip_prefix('=')?)?;
    Some((name, kind, data))
}

fn parse_data(text: &str) -> Option<(u32, Vec<u8>)> {
    if text.starts_with('"') {
        return Some((1, utf16(&strings(text)?)));
    }
    let (form, rest) = text.split_once(':')?;
    Some(match form {
        "expand" => (2, utf16(&strings(rest)?)),
        "multi" => {
            let mut all = strings(rest)?;
            all.push(String::new());
            (7, utf16(&all))
        }
        "dword" => {
            let number = u32::from_str_radix(rest, 16).ok()?;
            (4, number.to_le_bytes().to_vec())
        }
        "qword" => {
            let number = u64::from_str_radix(rest, 16).ok()?;
            (11, number.to_le_bytes().to_vec())
        }
        "hex" => (3, hex(rest)?),
        "pattern" => (3, pattern(rest.parse().ok()?)),
        _ => {
            let kind = form.strip_prefix("hex(")?.strip_suffix(')')?;
            (u32::from_str_radix(kind, 16).ok()?, hex(rest)?)
        }
    })
}

/// Bytes that tell their place, so that a reader who joins them wrongly is caught.
pub(crate) fn pattern(size: u32) -> Vec<u8> {
    let bytes = (0..size).map(|at| (at ^ (at >> 8)).to_le_bytes());
    bytes.map(|[low, ..]| low).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.split_whitespace();
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect()
}

/// UTF-16LE with a NUL behind each string.
fn utf16(strings: &[String]) -> Vec<u8> {
    let units = strings
        .iter()
        .flat_map(|text| text.encode_utf16().chain([0]));
    units.flat_map(u16::to_le_bytes).collect()
}

fn strings(text: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (one, behind) = quoted(rest)?;
        all.push(one);
        rest = behind.trim_start();
    }
    Some(all)
}

/// The text in the quotation marks that `text` begins with, and what follows them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut found = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => found.push(characters.next()?.1),
            '"' => return Some((found, inside.get(at + 1..)?)),
            other => found.push(other),
        }
    }
    None
}
