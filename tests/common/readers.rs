// SPDX-License-Identifier: GPL-3.0-or-later
//! What readers see in a hive that may be damaged, and whether an edit made them see less or other.
//!
//! Three of them, which share no code: ours, as far as it gets; nt-hive, whose panics are contained;
//! and one that believes every length and reads on behind the end of a cell, as tools in Python do.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use hivemend::regf::{Hive, KeyNode, Name, upcase};

/// Windows allows 512 levels of keys.
const MAX_DEPTH: usize = 520;

/// Type and data of a value.
pub(crate) type Seen = (u32, Vec<u8>);

/// A key, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySeen {
    pub(crate) class: Option<Vec<u8>>,
    pub(crate) security: Option<Vec<u8>>,
    /// By their names; a name that is there again has a number behind it. Only those with data.
    pub(crate) values: BTreeMap<String, Seen>,
}

/// The keys by their paths below the root, which is "".
pub(crate) type Tree = BTreeMap<String, KeySeen>;

/// More keys than any hive of a test has: a reader that gets there goes in circles.
const ENDLESS: usize = 20_000;

/// A reader, by its name.
type Reader = (&'static str, fn(&Vec<u8>) -> Tree);

/// The readers by name. One that goes in circles sees nothing.
pub(crate) const READERS: [Reader; 3] = [
    ("ours", by_ours),
    ("nt-hive", by_nt_hive),
    ("reading on", by_reading_on),
];

/// What an edit was to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planned {
    /// Keys that may be new.
    pub(crate) created: BTreeSet<String>,
    pub(crate) deleted: BTreeSet<String>,
    /// Values by key and name; nothing where they were to go.
    pub(crate) values: BTreeMap<(String, String), Option<Seen>>,
}

impl Planned {
    /// Whether the key is one of those that were to go, or below one.
    pub(crate) fn deletes(&self, key: &str) -> bool {
        let is_below = |above: &String| {
            let rest = key.strip_prefix(above.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
        };
        self.deleted.iter().any(is_below)
    }
}

/// Where a reader sees less or other than before and than was planned. `is_blind` says which new
/// values it does not see in any hive.
pub(crate) fn differences(
    before: &Tree,
    after: &Tree,
    planned: &Planned,
    is_blind: impl Fn(&Seen) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut say =
        |what: &str, key: &str, value: &str| found.push(format!("{what}: {key} : {value}"));
    for (path, was) in before {
        if planned.deletes(path) {
            if after.contains_key(path) {
                say("not deleted", path, "");
            }
            continue;
        }
        let Some(is) = after.get(path) else {
            say("lost key", path, "");
            continue;
        };
        if was.class.is_some() && was.class != is.class {
            say("other class", path, "");
        }
        if was.security.is_some() && was.security != is.security {
            say("other security", path, "");
        }
        for (name, seen) in &was.values {
            let is_planned = planned.values.contains_key(&(path.clone(), name.clone()));
            if !is_planned && is.values.get(name) != Some(seen) {
                say("lost or other value", path, name);
            }
        }
    }
    for (path, is) in after {
        let was = before.get(path);
        if was.is_none() && !planned.created.contains(path) {
            say("a key that was not planned", path, "");
        }
        for name in is.values.keys() {
            let is_known = was.is_some_and(|was| was.values.contains_key(name));
            if !is_known && !planned.values.contains_key(&(path.clone(), name.clone())) {
                say("a value that was not planned", path, name);
            }
        }
    }
    for ((path, name), wanted) in &planned.values {
        let is = after.get(path);
        let value = is.and_then(|key| key.values.get(name));
        let was = before.get(path);
        // What a reader cannot reach it cannot be asked for.
        let parent = path.rsplit_once('\\').map_or("", |(parent, _)| parent);
        let is_reached = was.is_some() || before.contains_key(parent);
        let wanted = wanted.as_ref().filter(|wanted| !is_blind(wanted));
        if is_reached && value != wanted {
            say("not as planned", path, name);
        }
    }
    for path in &planned.created {
        let parent = path.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if before.contains_key(parent) && !after.contains_key(path) {
            say("not created", path, "");
        }
    }
    found
}

/// The keys, by their paths, that a search by halves finds in the lists that they are in: as Windows
/// does it in `CmpFindSubKeyInRoot` and `CmpFindSubKeyInLeaf`.
pub(crate) fn found_by_halves(image: &Vec<u8>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Ok(hive) = Hive::open(image) else {
        return found;
    };
    let reader = On::new(image);
    let mut waiting = vec![(reader.root, String::new(), 0)];
    let mut left = image.len() / 76;
    while let Some((at, path, depth)) = waiting.pop() {
        let Ok(key) = hive.key(hivemend::regf::CellOffset(at)) else {
            continue;
        };
        let leaves: Vec<Vec<u32>> = match key.subkey_count() {
            0 => Vec::new(),
            _ => reader.leaves(key.subkeys_list().0),
        };
        for &subkey in leaves.iter().flatten() {
            let Some(name) = reader.units(subkey) else {
                continue;
            };
            if depth >= MAX_DEPTH || left == 0 {
                continue;
            }
            left -= 1;
            let below = format!("{path}\\{}", text(&name));
            if halves(&reader, &leaves, &name) == Some(subkey) {
                found.insert(below.clone());
            }
            waiting.push((subkey, below, depth + 1));
        }
    }
    found
}

fn halves(reader: &On<'_>, leaves: &[Vec<u32>], name: &[u16]) -> Option<u32> {
    let compare = |at: Option<&u32>| Some(folded(name).cmp(&folded(&reader.units(*at?)?)));
    let encloses = |leaf: &[u32]| {
        let last = compare(leaf.last())?;
        Some(last.is_eq() || (last.is_lt() && compare(leaf.first())?.is_ge()))
    };
    let leaf = match leaves {
        [] => return None,
        [leaf] => leaf,
        leaves => {
            let (mut low, mut high) = (0, leaves.len() - 1);
            let mut at = high / 2;
            loop {
                let leaf = &leaves[at];
                if encloses(leaf)? {
                    break leaf;
                }
                match compare(leaf.last())?.is_lt() {
                    true => high = at,
                    false => low = at,
                }
                if high - low <= 1 {
                    let ends = [&leaves[low], &leaves[high]];
                    break ends.into_iter().find(|leaf| encloses(leaf) == Some(true))?;
                }
                at = (high - low) / 2 + low;
            }
        }
    };
    let (mut low, mut high) = (0, leaf.len().checked_sub(1)?);
    let mut at = high / 2;
    loop {
        match compare(leaf.get(at))? {
            std::cmp::Ordering::Equal => return leaf.get(at).copied(),
            std::cmp::Ordering::Less => high = at,
            std::cmp::Ordering::Greater => low = at,
        }
        if high - low <= 1 {
            let ends = [leaf[low], leaf[high]];
            return ends
                .into_iter()
                .find(|at| compare(Some(at)).is_some_and(|o| o.is_eq()));
        }
        at = (high - low) / 2 + low;
    }
}

fn folded(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

/// A name as text that no other name has.
fn text(units: &[u16]) -> String {
    let units = char::decode_utf16(units.iter().copied());
    units
        .map(|unit| match unit {
            Ok(character) => character.to_string(),
            Err(half) => format!("\\u{{{:x}}}", half.unpaired_surrogate()),
        })
        .collect()
}

fn text_of(name: &Name) -> String {
    text(name.units())
}

/// The name, with a number where it is there already.
fn another(is_there: impl Fn(&str) -> bool, name: String) -> String {
    let mut again = name.clone();
    let mut number = 1;
    while is_there(&again) {
        number += 1;
        again = format!("{name}#{number}");
    }
    again
}

fn by_ours(image: &Vec<u8>) -> Tree {
    let mut tree = Tree::new();
    let Ok(hive) = Hive::open(image) else {
        return tree;
    };
    let Ok(root) = hive.root() else { return tree };
    let mut waiting = vec![(root.at(), String::new(), 0)];
    while let Some((at, path, depth)) = waiting.pop() {
        let Ok(key) = hive.key(at) else { continue };
        let seen = KeySeen {
            class: hive.class_name(&key).ok().map(|class| class.into_owned()),
            security: hive
                .security(key.security())
                .ok()
                .map(|security| security.descriptor().to_vec()),
            values: our_values(&hive, &key),
        };
        if depth < MAX_DEPTH && tree.len() < ENDLESS {
            for subkey in hive.subkeys(&key).unwrap_or_default().into_iter().rev() {
                let Ok(node) = hive.key(subkey) else { continue };
                let below = format!("{path}\\{}", text_of(&node.name().to_name()));
                waiting.push((subkey, below, depth + 1));
            }
        }
        let path = another(|path| tree.contains_key(path), path);
        tree.insert(path, seen);
    }
    tree
}

fn our_values(hive: &Hive<'_>, key: &KeyNode<'_>) -> BTreeMap<String, Seen> {
    let mut values = BTreeMap::new();
    for at in hive.values(key).unwrap_or_default() {
        let Ok(value) = hive.value(at) else { continue };
        let Ok(data) = hive.data(&value) else {
            continue;
        };
        let name = text_of(&value.name().to_name());
        let name = another(|name| values.contains_key(name), name);
        values.insert(name, (value.kind(), data.into_owned()));
    }
    values
}

type NtKey<'h> = nt_hive::KeyNode<'h, &'h [u8]>;

/// What `read` gives, or nothing where it panics or fails.
fn contained<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

fn by_nt_hive(image: &Vec<u8>) -> Tree {
    let mut tree = Tree::new();
    let hive = contained(|| nt_hive::Hive::new(image.as_slice()).ok());
    let Some(hive) = hive else { return tree };
    let root = contained(|| hive.root_key_node().ok());
    if let Some(root) = root {
        nt_key(&root, String::new(), 0, &mut tree);
    }
    match tree.len() {
        0..ENDLESS => tree,
        _ => Tree::new(),
    }
}

fn nt_key(key: &NtKey<'_>, path: String, depth: usize, tree: &mut Tree) {
    if depth > MAX_DEPTH || tree.len() >= ENDLESS {
        return;
    }
    let class = contained(|| key.class_name()?.ok().map(|name| nt_bytes(&name)));
    let mut values = BTreeMap::new();
    contained(|| {
        for value in key.values()?.ok()? {
            let read = contained(|| {
                let value = value.ok()?;
                let data = value.data().ok()?.into_vec().ok()?;
                Some((nt_text(&value.name().ok()?), (nt_kind(&value)?, data)))
            });
            if let Some((name, seen)) = read {
                let name = another(|name| values.contains_key(name), name);
                values.insert(name, seen);
            }
        }
        Some(())
    });
    let seen = KeySeen {
        class,
        security: None,
        values,
    };
    let known = another(|path| tree.contains_key(path), path.clone());
    tree.insert(known, seen);
    contained(|| {
        for subkey in key.subkeys()?.ok()? {
            let Ok(subkey) = subkey else { continue };
            let Some(name) = contained(|| Some(nt_text(&subkey.name().ok()?))) else {
                continue;
            };
            nt_key(&subkey, format!("{path}\\{name}"), depth + 1, tree);
        }
        Some(())
    });
}

fn nt_bytes(name: &nt_hive::NtHiveNameString<'_>) -> Vec<u8> {
    match name {
        nt_hive::NtHiveNameString::Latin1(bytes) | nt_hive::NtHiveNameString::Utf16LE(bytes) => {
            bytes.to_vec()
        }
    }
}

fn nt_text(name: &nt_hive::NtHiveNameString<'_>) -> String {
    match name {
        nt_hive::NtHiveNameString::Latin1(bytes) => text(&narrow(bytes)),
        nt_hive::NtHiveNameString::Utf16LE(bytes) => text(&wide(bytes)),
    }
}

fn nt_kind(value: &nt_hive::KeyValue<'_, &[u8]>) -> Option<u32> {
    match value.data_type() {
        Ok(kind) => Some(kind as u32),
        Err(nt_hive::NtHiveError::UnsupportedKeyValueDataType { actual, .. }) => Some(actual),
        Err(_) => None,
    }
}

fn narrow(bytes: &[u8]) -> Vec<u16> {
    bytes.iter().map(|&byte| u16::from(byte)).collect()
}

fn wide(bytes: &[u8]) -> Vec<u16> {
    let units = bytes.chunks_exact(2);
    units
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect()
}

/// The reader that reads on: the sizes of cells and whether they are in use it does not look at;
/// what leaves the file is cut off there.
struct On<'h> {
    file: &'h [u8],
    root: u32,
    minor: u32,
}

#[allow(clippy::ptr_arg, reason = "one of several that are called alike")]
fn by_reading_on(image: &Vec<u8>) -> Tree {
    let reader = On::new(image);
    let mut tree = Tree::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(reader.root, String::new(), 0)];
    while let Some((at, path, depth)) = waiting.pop() {
        if reader.take(at, 0, 2) != b"nk" || depth > MAX_DEPTH || !seen.insert(at) {
            continue;
        }
        let class = u32::from(reader.short(at, 74));
        let security = reader.long(at, 44);
        let seen = KeySeen {
            class: (class > 0).then(|| reader.take(reader.long(at, 48), 0, class).to_vec()),
            security: (reader.take(security, 0, 2) == b"sk").then(|| {
                let size = reader.long(security, 16);
                reader.take(security, 20, size).to_vec()
            }),
            values: reader.values(at),
        };
        if reader.long(at, 20) > 0 {
            for leaf in reader.leaves(reader.long(at, 28)).into_iter().rev() {
                for subkey in leaf.into_iter().rev() {
                    if let Some(name) = reader.units(subkey) {
                        waiting.push((subkey, format!("{path}\\{}", text(&name)), depth + 1));
                    }
                }
            }
        }
        let path = another(|path| tree.contains_key(path), path);
        tree.insert(path, seen);
    }
    tree
}

impl<'h> On<'h> {
    fn new(image: &'h [u8]) -> Self {
        let field = |at: usize| {
            let field = image.get(at..at + 4).unwrap_or(&[0; 4]);
            u32::from_le_bytes(field.try_into().unwrap())
        };
        Self {
            file: image,
            root: field(36),
            minor: field(24),
        }
    }

    /// At most `size` bytes at `field` of what stands in the cell at `at`.
    fn take(&self, at: u32, field: usize, size: u32) -> &'h [u8] {
        let start = usize::try_from(at).unwrap() + 4096 + 4 + field;
        let end = start + usize::try_from(size).unwrap();
        let start = start.min(self.file.len());
        &self.file[start..end.min(self.file.len())]
    }

    fn short(&self, at: u32, field: usize) -> u16 {
        let bytes = self.take(at, field, 2);
        u16::from_le_bytes(bytes.try_into().unwrap_or_default())
    }

    fn long(&self, at: u32, field: usize) -> u32 {
        let bytes = self.take(at, field, 4);
        u32::from_le_bytes(bytes.try_into().unwrap_or_default())
    }

    /// The name of the key at `at`, if one is there.
    fn units(&self, at: u32) -> Option<Vec<u16>> {
        if self.take(at, 0, 2) != b"nk" {
            return None;
        }
        let bytes = self.take(at, 76, u32::from(self.short(at, 72)));
        Some(match self.short(at, 2) & 0x20 {
            0 => wide(bytes),
            _ => narrow(bytes),
        })
    }

    fn leaves(&self, at: u32) -> Vec<Vec<u32>> {
        let elements = |at: u32, size: u32| -> Vec<u32> {
            let count = u32::from(self.short(at, 2));
            let bytes = self
                .take(at, 4, count * size)
                .chunks_exact(usize::try_from(size).unwrap());
            let cells = bytes.map(|element| u32::from_le_bytes(element[..4].try_into().unwrap()));
            cells.collect()
        };
        let leaf = |at: u32| match self.take(at, 0, 2) {
            b"lf" | b"lh" => elements(at, 8),
            b"li" => elements(at, 4),
            _ => Vec::new(),
        };
        match self.take(at, 0, 2) {
            b"ri" => elements(at, 4).into_iter().map(leaf).collect(),
            _ => vec![leaf(at)],
        }
    }

    fn values(&self, key: u32) -> BTreeMap<String, Seen> {
        let mut values = BTreeMap::new();
        if self.short(key, 2) & 0x40 != 0 {
            return values; // a predefined handle
        }
        let size = self.long(key, 36).saturating_mul(4);
        for element in self.take(self.long(key, 40), 0, size).chunks_exact(4) {
            let at = u32::from_le_bytes(element.try_into().unwrap());
            if self.take(at, 0, 2) != b"vk" {
                continue;
            }
            let name = self.take(at, 20, u32::from(self.short(at, 2)));
            let name = match self.short(at, 16) & 1 {
                0 => wide(name),
                _ => narrow(name),
            };
            let name = another(|name| values.contains_key(name), text(&name));
            values.insert(name, (self.long(at, 12), self.data(at)));
        }
        values
    }

    fn data(&self, value: u32) -> Vec<u8> {
        let size = self.long(value, 4);
        if size & 0x8000_0000 != 0 {
            return self.take(value, 8, (size & 0x7FFF_FFFF).min(4)).to_vec();
        }
        if size == 0 {
            return Vec::new();
        }
        let at = self.long(value, 8);
        if self.minor < 4 || size <= 16344 || self.take(at, 0, 2) != b"db" {
            return self.take(at, 0, size).to_vec();
        }
        let list = self.take(self.long(at, 4), 0, u32::from(self.short(at, 2)) * 4);
        let mut data = Vec::new();
        let mut left = size;
        for segment in list.chunks_exact(4) {
            let at = u32::from_le_bytes(segment.try_into().unwrap());
            data.extend_from_slice(self.take(at, 0, left.min(16344)));
            left -= left.min(16344);
        }
        data
    }
}
