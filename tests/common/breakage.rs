// SPDX-License-Identifier: GPL-3.0-or-later
//! Breaks hives the same way for the same name, and knows what cannot be had any more.
//!
//! A [`Break`] is what disks, memory and interrupted writes do. The [`Oracle`] knows of every key and
//! value of the sound hive which bytes it is made of, and so what is gone when they are.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter::once;
use std::ops::Range;

use hivemend::regf::{BigData, CellOffset, Hive, KeyNode, Record, checksum, needs_big_data};

use crate::mutator::Dice;

const PAGE: usize = 4096;

/// A broken hive.
pub(crate) struct Break {
    /// What kind of damage, and which of its kind.
    pub(crate) kind: &'static str,
    pub(crate) image: Vec<u8>,
    /// Which bytes of the sound hive are gone from it: pages that only stand elsewhere are not.
    pub(crate) gone: Vec<Range<usize>>,
}

/// The kinds, and how many of each make a round.
pub(crate) const KINDS: &[(&str, u64)] = &[
    ("512 B of zeros", 20),
    ("4 KiB of zeros", 20),
    ("64 KiB of zeros", 20),
    ("4 KiB of foreign bytes", 20),
    ("32 sectors of zeros", 10),
    ("16 clusters of zeros", 10),
    ("two pages exchanged", 20),
    ("a page doubled over another", 10),
    ("one flipped bit", 200),
    ("one flipped bit of structure", 40),
    ("16 flipped bits", 20),
    ("file cut", 3),
    ("tail zeroed", 5),
    ("base block", 6),
    ("first bin", 4),
    ("root key node", 5),
    ("a large subkeys list", 9),
    ("a key node high in the tree", 4),
    ("values lists, values, data", 6),
];

/// Breaks `sound`; the same bytes for the same kind and number.
pub(crate) fn breaks(sound: &[u8], kind: &'static str, number: u64) -> Break {
    let mut hasher = Dice::new(number.wrapping_mul(1009) + kind.len() as u64 * 7919);
    let dice = &mut hasher;
    let mut image = sound.to_vec();
    let size = sound.len();
    let bins = PAGE..size;
    let sectors = (size - PAGE) / 512;
    let pages = (size - PAGE) / PAGE;
    let sector = |dice: &mut Dice| PAGE + dice.below(sectors) * 512;
    let page = |dice: &mut Dice| PAGE + dice.below(pages) * PAGE;
    let zero = |image: &mut Vec<u8>, at: usize, length: usize| {
        let end = (at + length).min(image.len());
        image[at..end].fill(0);
    };
    // Exchanged pages are all still there; but within two cells nobody can see that they are.
    let mut is_moved = false;
    let mut copied: Option<Range<usize>> = None;
    match kind {
        "512 B of zeros" => zero(&mut image, sector(dice), 512),
        "4 KiB of zeros" => zero(&mut image, page(dice), PAGE),
        "64 KiB of zeros" => zero(&mut image, page(dice), 16 * PAGE),
        "4 KiB of foreign bytes" => {
            let at = page(dice);
            let end = (at + PAGE).min(size);
            if number.is_multiple_of(2) {
                image[at..end].fill_with(|| dice.next().to_le_bytes()[0]);
            } else {
                let other = crate::workbench::bundled(crate::workbench::SOFTWARE);
                // A page whose header named its new place would be a sound bin there.
                let pages = other.len() / PAGE - 1;
                let from = PAGE * (1 + dice.below(pages));
                let from = if from == at {
                    PAGE * (1 + from / PAGE % pages)
                } else {
                    from
                };
                image[at..end].copy_from_slice(&other[from..from + (end - at)]);
            }
        }
        "32 sectors of zeros" => (0..32).for_each(|_| zero(&mut image, sector(dice), 512)),
        "16 clusters of zeros" => (0..16).for_each(|_| zero(&mut image, page(dice), PAGE)),
        "two pages exchanged" => {
            let (one, other) = (page(dice), page(dice));
            image[one..one + PAGE].copy_from_slice(&sound[other..other + PAGE]);
            image[other..other + PAGE].copy_from_slice(&sound[one..one + PAGE]);
            is_moved = !(is_within_cell(sound, one) && is_within_cell(sound, other));
        }
        "a page doubled over another" => {
            let (one, other) = (page(dice), page(dice));
            image[one..one + PAGE].copy_from_slice(&sound[other..other + PAGE]);
            // Where both had the same bytes nobody can know that they had.
            copied = (image != sound).then_some(one..one + PAGE);
        }
        "one flipped bit" => flip(&mut image, bins, dice),
        "one flipped bit of structure" => {
            let cells = structure(sound);
            let cell = cells[dice.below(cells.len())].clone();
            flip(&mut image, cell, dice);
        }
        "16 flipped bits" => (0..16).for_each(|_| flip(&mut image, bins.clone(), dice)),
        "file cut" => {
            let share = [25, 50, 90][usize::try_from(number % 3).unwrap()];
            image.truncate(size / 100 * share / 512 * 512);
        }
        "tail zeroed" => {
            let share = [10, 25, 50, 75, 95][usize::try_from(number % 5).unwrap()];
            let from = size / 100 * share / 512 * 512;
            zero(&mut image, from.max(PAGE), size);
        }
        "base block" => match number % 6 {
            0 => zero(&mut image, 0, 512),
            1 => zero(&mut image, 0, PAGE),
            2 => image[0] ^= 0x10,
            3 => image[508] ^= 0x10,
            4 => {
                let half = u32::try_from((size - PAGE) / PAGE / 2 * PAGE).unwrap();
                image[40..44].copy_from_slice(&half.to_le_bytes());
                seal(&mut image);
            }
            _ => {
                image[36..40].copy_from_slice(&0x40_0000_u32.to_le_bytes());
                seal(&mut image);
            }
        },
        "first bin" => match number % 4 {
            0 => zero(&mut image, PAGE, 32),
            1 => image[PAGE] ^= 1,
            2 => image[PAGE + 8..PAGE + 12].copy_from_slice(&0x10_0000_u32.to_le_bytes()),
            _ => image[PAGE + 4..PAGE + 8].copy_from_slice(&0x1000_u32.to_le_bytes()),
        },
        "root key node" => {
            let source = sound.to_vec();
            let hive = Hive::open(&source).unwrap();
            let root = at(hive.root().unwrap().at());
            match number % 5 {
                0 => image[root + 4] ^= 4,
                1 => zero(&mut image, root + 4, 76),
                2 => zero(&mut image, root, 8),
                3 => image[root + 32..root + 36].fill(0xFF),
                _ => image[root + 6] ^= 4,
            }
        }
        "a large subkeys list" => {
            let lists = large_lists(sound);
            let list = &lists[usize::try_from(number / 3).unwrap() % lists.len()];
            match number % 3 {
                0 => zero(&mut image, list.start, list.len()),
                1 => zero(&mut image, list.start + 4, 8),
                _ => zero(&mut image, list.start + list.len() / 2, list.len() / 2),
            }
        }
        "a key node high in the tree" => {
            let high = high_nodes(sound);
            let node = &high[usize::try_from(number).unwrap() % high.len()];
            zero(&mut image, node.start, node.len());
        }
        "values lists, values, data" => {
            let parts = value_parts(sound, number);
            for part in parts {
                zero(&mut image, part.start, part.len());
            }
        }
        other => panic!("no such kind: {other}"),
    }
    let gone = match copied {
        Some(page) => vec![page],
        None if is_moved => Vec::new(),
        None => changed(sound, &image),
    };
    Break { kind, image, gone }
}

/// The pages of `newer` that `older` has otherwise, in one of `number`'s choices: a write that was torn.
pub(crate) fn torn(newer: &[u8], older: &[u8], number: u64) -> Break {
    let mut dice = Dice::new(77_000 + number);
    let mut image = newer.to_vec();
    let end = newer.len().min(older.len());
    let differ: Vec<usize> = (PAGE..end)
        .step_by(PAGE)
        .filter(|page| newer[*page..*page + PAGE] != older[*page..*page + PAGE])
        .collect();
    for _ in 0..1 + dice.below(8) {
        if let Some(page) = differ.get(dice.below(differ.len().max(1))) {
            image[*page..*page + PAGE].copy_from_slice(&older[*page..*page + PAGE]);
        }
    }
    let gone = changed(newer, &image);
    Break {
        kind: "torn",
        image,
        gone,
    }
}

fn flip(image: &mut [u8], within: Range<usize>, dice: &mut Dice) {
    let at = within.start + dice.below(within.len());
    image[at] ^= 1 << dice.below(8);
}

fn seal(image: &mut [u8]) {
    let sum = checksum(image).unwrap();
    image[508..512].copy_from_slice(&sum.to_le_bytes());
}

fn changed(sound: &[u8], image: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for start in (0..sound.len()).step_by(64) {
        let end = (start + 64).min(sound.len());
        if image.get(start..end) == Some(&sound[start..end]) {
            continue;
        }
        for (at, byte) in sound.iter().enumerate().take(end).skip(start) {
            if image.get(at) != Some(byte) {
                match ranges.last_mut() {
                    Some(last) if last.end == at => last.end += 1,
                    _ => ranges.push(at..at + 1),
                }
            }
        }
    }
    ranges
}

fn at(cell: CellOffset) -> usize {
    PAGE + usize::try_from(cell.0).unwrap()
}

/// Where the cell stands in the file, with its size field.
fn cell_range(sound: &[u8], cell: CellOffset) -> Range<usize> {
    let start = at(cell);
    let size = i32::from_le_bytes(sound[start..start + 4].try_into().unwrap());
    start..start + usize::try_from(size.unsigned_abs()).unwrap()
}

fn walk(hive: &Hive<'_>, mut each: impl FnMut(&KeyNode<'_>, usize)) {
    let mut waiting = vec![(hive.root().unwrap(), 0)];
    while let Some((key, depth)) = waiting.pop() {
        each(&key, depth);
        for at in hive.subkeys(&key).unwrap() {
            waiting.push((hive.key(at).unwrap(), depth + 1));
        }
    }
}

/// Whether the page lies wholly within one cell.
fn is_within_cell(sound: &[u8], page: usize) -> bool {
    let word = |at: usize| u32::from_le_bytes(sound[at..at + 4].try_into().unwrap());
    let mut bin = PAGE;
    while bin < sound.len() {
        let end = bin + usize::try_from(word(bin + 8)).unwrap();
        let mut cell = bin + 32;
        while cell < end {
            let size = word(cell).cast_signed().unsigned_abs();
            let next = cell + usize::try_from(size).unwrap();
            if (page..page + PAGE).contains(&cell) {
                return false;
            }
            if (cell + 1..next).contains(&page) && page + PAGE <= next {
                return true;
            }
            cell = next;
        }
        bin = end;
    }
    false
}

/// The cells that hold structure: nodes, lists, values, records.
fn structure(sound: &[u8]) -> Vec<Range<usize>> {
    let source = sound.to_vec();
    let hive = Hive::open(&source).unwrap();
    let mut cells = Vec::new();
    walk(&hive, |key, _| {
        let start = at(key.at());
        cells.push(start..start + 4 + 76 + key.name().bytes.len());
        if let Some(list) = key.subkeys_list().some().filter(|_| key.subkey_count() > 0) {
            cells.push(cell_range(sound, list));
        }
        let values = hive.values(key).unwrap();
        if !values.is_empty() {
            let start = at(key.values_list());
            cells.push(start..start + 4 + 4 * values.len());
        }
        for value in values {
            let start = at(value);
            // What turned in a value's name, type or inline data nobody can see.
            cells.push(start..start + 4 + 12);
        }
    });
    cells
}

fn large_lists(sound: &[u8]) -> Vec<Range<usize>> {
    let source = sound.to_vec();
    let hive = Hive::open(&source).unwrap();
    let mut lists = Vec::new();
    walk(&hive, |key, _| {
        if let Some(list) = key.subkeys_list().some().filter(|_| key.subkey_count() > 0) {
            lists.push((key.subkey_count(), cell_range(sound, list)));
        }
    });
    lists.sort_by_key(|(count, range)| (std::cmp::Reverse(*count), range.start));
    lists.truncate(3);
    lists.into_iter().map(|(_, range)| range).collect()
}

/// The nodes of keys right below the root's subkeys, those with the largest trees first.
fn high_nodes(sound: &[u8]) -> Vec<Range<usize>> {
    let source = sound.to_vec();
    let hive = Hive::open(&source).unwrap();
    let mut nodes = Vec::new();
    walk(&hive, |key, depth| {
        if matches!(depth, 1 | 2) {
            nodes.push((key.subkey_count(), cell_range(sound, key.at())));
        }
    });
    nodes.sort_by_key(|(count, range)| (std::cmp::Reverse(*count), range.start));
    nodes.truncate(4);
    nodes.into_iter().map(|(_, range)| range).collect()
}

fn value_parts(sound: &[u8], number: u64) -> Vec<Range<usize>> {
    let source = sound.to_vec();
    let hive = Hive::open(&source).unwrap();
    let mut dice = Dice::new(5000 + number);
    let mut parts = Vec::new();
    walk(&hive, |key, _| {
        for value in hive.values(key).unwrap() {
            let list = cell_range(sound, key.values_list());
            let own = cell_range(sound, value);
            let value = hive.value(value).unwrap();
            let has_data = !value.is_inline() && value.data_size() > 0;
            parts.push((
                list,
                own,
                has_data.then(|| cell_range(sound, value.data_offset())),
            ));
        }
    });
    let mut chosen = Vec::new();
    for _ in 0..8 {
        let (list, own, data) = &parts[dice.below(parts.len())];
        match number % 3 {
            0 => chosen.push(list.clone()),
            1 => chosen.push(own.clone()),
            _ => chosen.extend(data.clone()),
        }
    }
    chosen
}

/// What a hive holds, by paths. Data and descriptors are told by their hashes.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) keys: HashMap<Vec<u16>, KeyContents>,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyContents {
    pub(crate) time: u64,
    pub(crate) flags: u16,
    pub(crate) class: u64,
    pub(crate) security: u64,
    pub(crate) values: HashMap<Vec<u16>, (u32, u64)>,
    pub(crate) order: u64,
}

fn hash(bytes: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Reads all of a sound hive.
pub(crate) fn contents(image: &[u8]) -> Contents {
    let source = image.to_vec();
    let hive = Hive::open(&source).unwrap();
    let mut contents = Contents::default();
    let mut descriptors: HashMap<CellOffset, u64> = HashMap::new();
    let mut waiting = vec![(hive.root().unwrap(), Vec::new())];
    while let Some((key, path)) = waiting.pop() {
        let mut values = HashMap::new();
        let mut order = Vec::new();
        for at in hive.values(&key).unwrap() {
            let value = hive.value(at).unwrap();
            let data = hive.data(&value).map_or(0, hash);
            let name = value.name().to_name().folded();
            order.push(name.clone());
            values.insert(name, (value.kind(), data));
        }
        let security = *descriptors.entry(key.security()).or_insert_with(|| {
            hive.security(key.security())
                .map_or(0, |record| hash(record.descriptor()))
        });
        for at in hive.subkeys(&key).unwrap() {
            let below = hive.key(at).unwrap();
            let mut path = path.clone();
            path.push(u16::from(b'\\'));
            path.extend(below.name().to_name().folded());
            waiting.push((below, path));
        }
        contents.keys.insert(
            path,
            KeyContents {
                time: key.last_written(),
                flags: key.flags(),
                class: hash(hive.class_name(&key).unwrap_or_default()),
                security,
                values,
                order: hash(order),
            },
        );
    }
    contents
}

/// What the sound hive's keys and values are made of.
pub(crate) struct Oracle {
    keys: Vec<KeyParts>,
}

struct KeyParts {
    path: Vec<u16>,
    parent: Option<usize>,
    /// Its node and class name.
    node: Vec<Range<usize>>,
    values_list: Option<Range<usize>>,
    /// Each value's name and cells.
    values: Vec<(Vec<u16>, Vec<Range<usize>>)>,
    security: Range<usize>,
    class: Option<Range<usize>>,
}

/// What cannot be had any more.
#[derive(Default)]
pub(crate) struct Gone {
    pub(crate) keys: HashMap<Vec<u16>, ()>,
    pub(crate) values: HashMap<(Vec<u16>, Vec<u16>), ()>,
    /// Keys whose own node is changed: time, flags, order may be too.
    pub(crate) nodes: HashMap<Vec<u16>, ()>,
    pub(crate) security: HashMap<Vec<u16>, ()>,
    pub(crate) classes: HashMap<Vec<u16>, ()>,
}

impl Oracle {
    pub(crate) fn new(sound: &[u8]) -> Self {
        let source = sound.to_vec();
        let hive = Hive::open(&source).unwrap();
        let minor = hive.base().minor;
        let mut keys: Vec<KeyParts> = Vec::new();
        let mut waiting = vec![(hive.root().unwrap(), Vec::new(), None)];
        while let Some((key, path, parent)) = waiting.pop() {
            let index = keys.len();
            let start = at(key.at());
            let node = once(start..start + 80 + key.name().bytes.len()).collect();
            let listed = hive.values(&key).unwrap();
            let values_list = (!listed.is_empty()).then(|| {
                let start = at(key.values_list());
                start..start + 4 + 4 * listed.len()
            });
            let values = listed.into_iter().map(|cell| {
                let value = hive.value(cell).unwrap();
                let start = at(cell);
                let mut cells: Vec<Range<usize>> =
                    once(start..start + 24 + value.name().bytes.len()).collect();
                if !value.is_inline() && value.data_size() > 0 {
                    let data = value.data_offset();
                    if needs_big_data(minor, value.data_size()) {
                        let record = hive.cell(data, Record::BigData).unwrap();
                        let record = BigData::parse(data, &record).unwrap();
                        cells.push(cell_range(sound, data));
                        cells.push(cell_range(sound, record.segments_list));
                        let list = hive
                            .cell(record.segments_list, Record::SegmentsList)
                            .unwrap();
                        for part in list.chunks_exact(4).take(usize::from(record.segment_count)) {
                            let part = u32::from_le_bytes(part.try_into().unwrap());
                            cells.push(cell_range(sound, CellOffset(part)));
                        }
                    } else {
                        let start = at(data);
                        let size = usize::try_from(value.data_size()).unwrap();
                        cells.push(start..start + 4 + size);
                    }
                }
                (value.name().to_name().folded(), cells)
            });
            let values = values.collect();
            let has_class = key.class_name_length() > 0 && !key.class_name().is_none();
            let class = has_class.then(|| cell_range(sound, key.class_name()));
            for cell in hive.subkeys(&key).unwrap() {
                let below = hive.key(cell).unwrap();
                let mut path = path.clone();
                path.push(u16::from(b'\\'));
                path.extend(below.name().to_name().folded());
                waiting.push((below, path, Some(index)));
            }
            keys.push(KeyParts {
                path,
                parent,
                node,
                values_list,
                values,
                security: cell_range(sound, key.security()),
                class,
            });
        }
        Self { keys }
    }

    /// What `gone` takes with it.
    pub(crate) fn gone(&self, gone: &[Range<usize>]) -> Gone {
        let is_gone = |range: &Range<usize>| {
            let next = gone.partition_point(|g| g.end <= range.start);
            gone.get(next).is_some_and(|g| g.start < range.end)
        };
        let mut result = Gone::default();
        let mut lost = vec![false; self.keys.len()];
        for (index, key) in self.keys.iter().enumerate() {
            let own = key.node.iter().any(is_gone);
            // The root has no name that anything needs.
            let above = key.parent.is_some_and(|parent| lost[parent]);
            lost[index] = above || (own && key.parent.is_some());
            if lost[index] {
                result.keys.insert(key.path.clone(), ());
            }
            if own {
                result.nodes.insert(key.path.clone(), ());
            }
            if own || is_gone(&key.security) {
                result.security.insert(key.path.clone(), ());
            }
            if own || key.class.as_ref().is_some_and(is_gone) {
                result.classes.insert(key.path.clone(), ());
            }
            let list = key.values_list.as_ref().is_some_and(is_gone);
            for (name, cells) in &key.values {
                if lost[index] || own || list || cells.iter().any(is_gone) {
                    result.values.insert((key.path.clone(), name.clone()), ());
                }
            }
        }
        result
    }
}

/// How a mended hive compares with the sound one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lost_keys: usize,
    pub(crate) lost_values: usize,
    /// Of these, what the oracle says is still there.
    pub(crate) needlessly_lost_keys: Vec<String>,
    pub(crate) needlessly_lost_values: Vec<String>,
    pub(crate) invented_keys: Vec<String>,
    pub(crate) invented_values: Vec<String>,
    /// Values that are other than they were though their bytes are whole.
    pub(crate) changed_values: Vec<String>,
    /// Values whose bytes are gone in part, and that are kept as they were found: key and name, folded.
    pub(crate) marred_values: Vec<(String, String)>,
    pub(crate) changed_security: Vec<String>,
    pub(crate) lost_security: usize,
    pub(crate) changed_nodes: Vec<String>,
    /// The least that is gone.
    pub(crate) gone_keys: usize,
    pub(crate) gone_values: usize,
}

/// Compares.
pub(crate) fn compare(sound: &Contents, mended: &Contents, gone: &Gone) -> Verdict {
    let text = |path: &[u16]| String::from_utf16_lossy(path);
    let mut verdict = Verdict {
        gone_keys: gone.keys.len(),
        gone_values: gone.values.len(),
        ..Verdict::default()
    };
    for (path, key) in &sound.keys {
        let Some(found) = mended.keys.get(path) else {
            verdict.lost_keys += 1;
            verdict.lost_values += key.values.len();
            if !gone.keys.contains_key(path) {
                verdict.needlessly_lost_keys.push(text(path));
            }
            continue;
        };
        if found.security != key.security {
            match gone.security.contains_key(path) {
                true => verdict.lost_security += 1,
                false => verdict.changed_security.push(text(path)),
            }
        }
        let is_same = found.time == key.time && found.order == key.order;
        let flags = (found.flags, key.flags);
        let is_order_of_loss = found.values.len() != key.values.len() && found.time == key.time;
        if (!is_same && !is_order_of_loss || flags.0 != flags.1 || found.class != key.class)
            && !gone.nodes.contains_key(path)
            && !gone.classes.contains_key(path)
        {
            verdict
                .changed_nodes
                .push(format!("{} {flags:x?}", text(path)));
        }
        for (name, value) in &key.values {
            let place = (path.clone(), name.clone());
            let is_gone = gone.values.contains_key(&place);
            let shown = || format!("{} {}", text(path), text(name));
            match found.values.get(name) {
                None => {
                    verdict.lost_values += 1;
                    if !is_gone {
                        verdict.needlessly_lost_values.push(shown());
                    }
                }
                Some(other) if other == value => {}
                Some(_) if is_gone => verdict.marred_values.push((text(path), text(name))),
                Some(_) => verdict.changed_values.push(shown()),
            }
        }
    }
    for (path, key) in &mended.keys {
        let Some(known) = sound.keys.get(path) else {
            verdict.invented_keys.push(text(path));
            continue;
        };
        for name in key.values.keys() {
            if !known.values.contains_key(name) {
                let shown = format!("{} {}", text(path), text(name));
                verdict.invented_values.push(shown);
            }
        }
    }
    verdict
}
