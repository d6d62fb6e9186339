// SPDX-License-Identifier: GPL-3.0-or-later
//! Names of keys whose nodes are lost though keys below them live.
//!
//! The list of the key above keeps offset and hash, the keys below name the same offset, and the order
//! of the list bounds the name. What fits all that is the name only if nothing else does.

use std::collections::{HashMap, HashSet};

use super::bins::Bins;
use super::model::Origin;
use super::names::{is_between, is_text};
use super::nodes::Node;
use super::notes::{Fix, LostKind};
use super::tree::{Builder, Candidate, Missing};
use crate::regf::{KEY_NAME_LIMIT, Name, StoredName, upcase};

/// Names that every Windows has.
const DICTIONARY: &str = include_str!("names.txt");
/// How often what was found may lead to more.
const ROUNDS: usize = 12;

impl Builder<'_> {
    /// Names the lost keys that can be named, and places what is below them. `others` are names from
    /// elsewhere, such as a donor's.
    pub(super) fn name_lost_keys(&mut self, others: &[Name]) {
        for _ in 0..ROUNDS {
            if !self.name_once(others) {
                break;
            }
            self.grow();
        }
        self.note_missing(others);
    }

    fn name_once(&mut self, others: &[Name]) -> bool {
        let tops = self.tops();
        let living: HashMap<u32, Vec<u32>> = tops.into_iter().collect();
        self.adopt_strays(&living);
        let is_wanted = |missing: &Missing| {
            !missing.is_settled && (missing.node.is_some() || living.contains_key(&missing.at))
        };
        let wanted: Vec<(usize, Missing)> = self
            .missing
            .iter()
            .enumerate()
            .filter(|(_, missing)| is_wanted(missing))
            .map(|(place, missing)| (place, missing.clone()))
            .collect();
        if wanted.is_empty() {
            return false;
        }
        self.look_for_names(others);
        let names = std::mem::take(&mut self.candidates);
        let mut is_changed = false;
        for (place, missing) in wanted {
            let Some(name) = proven(&missing, &names) else {
                continue;
            };
            if self.has_subkey(missing.parent, &name) {
                continue;
            }
            if let Some(missing) = self.missing.get_mut(place) {
                missing.is_settled = true;
            }
            if let Some(node) = missing.node {
                if !self.placed.contains_key(&node.at) {
                    is_changed |= self.place_once(node, missing.parent, Some(name));
                }
                continue;
            }
            if self.placed.contains_key(&missing.at) {
                continue;
            }
            let key = self.make(missing.at, name, Some(missing.parent), Origin::Named);
            self.notes.fix(key, Fix::Named);
            self.notes.lost(key, LostKind::Node, None, None);
            is_changed = true;
        }
        self.candidates = names;
        is_changed
    }

    /// Looks for the names of all that is missing, as far as it was not looked for yet.
    fn look_for_names(&mut self, others: &[Name]) {
        let hashes = self.missing.iter().filter(|missing| !missing.is_settled);
        let hashes = hashes.filter_map(|missing| missing.listed.hash());
        let new: HashSet<u32> = hashes.filter(|hash| !self.sought.contains(hash)).collect();
        if new.is_empty() {
            return;
        }
        self.sought.extend(&new);
        let found = candidates(self.bins, &self.nodes, new, others);
        self.candidates.extend(found);
    }

    /// Takes in what lists say of lost keys that the key above, whose own list was lost, did not.
    fn adopt_strays(&mut self, living: &HashMap<u32, Vec<u32>>) {
        let known: HashSet<u32> = self.missing.iter().map(|missing| missing.at).collect();
        let unknown: HashSet<u32> = living
            .keys()
            .filter(|at| !known.contains(at))
            .copied()
            .collect();
        if unknown.is_empty() {
            return;
        }
        for (at, owner, listed) in self.strays_to(&unknown) {
            let parent = self.placed.get(&owner).copied();
            // A list that is whole decides: another one is old, or another hive's.
            let Some(parent) = parent.filter(|parent| self.open.contains(parent)) else {
                continue;
            };
            self.missing.push(Missing {
                at,
                listed,
                parent,
                between: (None, None),
                node: None,
                is_settled: false,
            });
        }
    }

    /// Notes the keys that stay lost, by their names where those can be proven.
    fn note_missing(&mut self, others: &[Name]) {
        let missing: Vec<Missing> = self
            .missing
            .iter()
            .filter(|missing| !missing.is_settled && !self.placed.contains_key(&missing.at))
            .cloned()
            .collect();
        if missing.is_empty() {
            return;
        }
        self.look_for_names(others);
        for missing in missing {
            let name = proven(&missing, &self.candidates);
            self.notes.lost_keys(missing.parent, name, Some(1));
        }
    }
}

/// The one name that fits: of known ones, or else of all.
fn proven(missing: &Missing, names: &HashMap<u32, Vec<Candidate>>) -> Option<Name> {
    let named = names.get(&missing.listed.hash()?)?;
    let fits = |(name, _): &&Candidate| is_between(name, &missing.between);
    for is_known in [true, false] {
        let fitting = named
            .iter()
            .filter(fits)
            .filter(|(_, known)| *known || !is_known);
        let fitting: Vec<&Name> = fitting.map(|(name, _)| name).collect();
        match fitting.as_slice() {
            [] => {}
            [only] => return Some((*only).clone()),
            _ => return None,
        }
    }
    None
}

/// Names with one of these hashes: from elsewhere, of keys here, those that every Windows has, and what
/// is text in the data here. Of two spellings the first is kept.
fn candidates(
    bins: &Bins,
    nodes: &HashMap<u32, Node>,
    wanted: HashSet<u32>,
    others: &[Name],
) -> HashMap<u32, Vec<Candidate>> {
    let mut found: HashMap<u32, Vec<Candidate>> = HashMap::new();
    if wanted.is_empty() {
        return found;
    }
    let mut add = |name: Name, is_known: bool| {
        let hash = name.hash();
        if wanted.contains(&hash) {
            let known = found.entry(hash).or_default();
            if !known.iter().any(|(known, _)| known.same_as(&name)) {
                known.push((name, is_known));
            }
        }
    };
    let mut take = |name: Name| add(name, true);
    for name in others {
        take(name.clone());
    }
    let mut of_keys: Vec<Name> = nodes
        .values()
        .map(|node| node.name(bins))
        .filter(|name| wanted.contains(&name.hash()) && is_text(*name))
        .map(StoredName::to_name)
        .collect();
    of_keys.sort_by(|one, other| one.units().cmp(other.units()));
    of_keys.into_iter().for_each(&mut take);
    for name in DICTIONARY.lines().filter(|line| !line.is_empty()) {
        take(Name::from(name));
    }
    for number in 0..10_000_u32 {
        take(Name::from(format!("{number:04}").as_str()));
        take(Name::from(format!("{number:x}").as_str()));
        take(Name::from(format!("{number}").as_str()));
    }
    for number in 0..256_u32 {
        take(Name::from(format!("{number:02X}").as_str()));
        take(Name::from(format!("{number:03}").as_str()));
        take(Name::from(format!("{number:08X}").as_str()));
    }
    scan(&bins.bytes, &Wanted::new(wanted.clone()), &mut |name| {
        add(name, false)
    });
    found
}

/// The shortest name that is looked for in data: shorter ones have hashes that too much else has.
const SHORTEST: usize = 5;

/// The hashes that are looked for.
struct Wanted {
    hashes: HashSet<u32>,
    /// A bit for each of the lower halves: most pieces of text are turned away here.
    halves: Vec<u64>,
}

impl Wanted {
    fn new(hashes: HashSet<u32>) -> Self {
        let mut halves = vec![0_u64; 1024];
        for hash in &hashes {
            let (word, bit) = Self::place(*hash);
            if let Some(word) = halves.get_mut(word) {
                *word |= bit;
            }
        }
        Self { hashes, halves }
    }

    fn place(hash: u32) -> (usize, u64) {
        let half = usize::from(u16::try_from(hash & 0xFFFF).unwrap_or(0));
        (half / 64, 1 << (half % 64))
    }

    fn has(&self, hash: u32) -> bool {
        let (word, bit) = Self::place(hash);
        let is_likely = self.halves.get(word).is_some_and(|word| word & bit != 0);
        is_likely && self.hashes.contains(&hash)
    }
}

/// Calls `take` for each piece of text in `bytes` that has a wanted hash, one byte a character or two.
fn scan(bytes: &[u8], wanted: &Wanted, take: &mut impl FnMut(Name)) {
    let mut narrow: Vec<u16> = Vec::new();
    for byte in bytes.iter().chain([&0]) {
        match *byte {
            0x20..=0x5B | 0x5D..=0x7E if narrow.len() <= KEY_NAME_LIMIT => {
                narrow.push(u16::from(*byte))
            }
            _ => {
                pieces(&narrow, wanted, take);
                narrow.clear();
            }
        }
    }
    // Text of two bytes a character begins at even places in cells.
    let mut wide: Vec<u16> = Vec::new();
    for pair in bytes.as_chunks::<2>().0.iter().chain([&[0, 0]]) {
        match u16::from_le_bytes(*pair) {
            unit @ (0x20..=0x5B | 0x5D..=0x7E | 0xA1..=0x24F) if wide.len() <= KEY_NAME_LIMIT => {
                wide.push(unit);
            }
            _ => {
                pieces(&wide, wanted, take);
                wide.clear();
            }
        }
    }
}

/// How many characters at either end of a name in a node may be bytes that look like text.
const AROUND: usize = 4;

/// A piece of text is a name as it is, between marks that stand in lists and paths, or without what is
/// behind its last full stop.
fn pieces(text: &[u16], wanted: &Wanted, take: &mut impl FnMut(Name)) {
    if text.len() < SHORTEST {
        return;
    }
    let next = |hash: u32, unit: u16| hash.wrapping_mul(37).wrapping_add(u32::from(upcase(unit)));
    for skip in 0..AROUND {
        let inner = text.get(skip..).unwrap_or(&[]);
        let mut hash = 0;
        for (place, unit) in inner.iter().enumerate() {
            hash = next(hash, *unit);
            let length = place.saturating_add(1);
            let is_end = inner.len().saturating_sub(length) < AROUND;
            if is_end && length >= SHORTEST && wanted.has(hash) {
                take(Name::from_units(
                    inner.get(..length).unwrap_or(&[]).to_vec(),
                ));
            }
        }
    }
    let mut one = |units: &[u16]| {
        let is_long = units.len() >= SHORTEST && units.len() < text.len();
        if is_long && wanted.has(units.iter().fold(0, |hash, unit| next(hash, *unit))) {
            take(Name::from_units(units.to_vec()));
        }
    };
    for marks in [&b"/,;\"' =:|()<>@"[..], &b" "[..], &b"#"[..]] {
        let is_mark = |unit: &u16| u8::try_from(*unit).is_ok_and(|byte| marks.contains(&byte));
        for piece in text.split(is_mark) {
            one(piece);
            if let Some(dot) = piece.iter().rposition(|unit| *unit == u16::from(b'.')) {
                one(piece.get(..dot).unwrap_or(&[]));
            }
        }
    }
}
