// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive while it is checked: which cells are claimed, and what was found.

use std::collections::BTreeMap;
use std::fmt;

use super::cells::{CellMap, Refusal};
use super::codes::{CELL_LEAKED, FindingCode};
use super::report::{Report, add};
use super::ring::Ring;
use crate::regf::{BaseBlock, CellOffset, KEY_DEPTH_LIMIT, KeyNode};

/// How many places of keys that nothing leads to a report names.
const UNREACHED_PLACES: usize = 5;
/// How many of these keys are followed upwards.
const UNREACHED_FOLLOWED: u64 = 100_000;
/// The most bytes of a key's path that a finding carries.
const PATH_LIMIT: usize = 1024;

/// A hive while it is checked.
pub(super) struct Checker<'a> {
    pub(super) base: BaseBlock,
    pub(super) bins: &'a [u8],
    pub(super) cells: CellMap,
    pub(super) security: Ring,
    pub(super) name_marks: Vec<u64>,
    /// Keys that count no values, and the lists that they have all the same.
    pub(super) uncounted: Vec<(CellOffset, CellOffset)>,
    pub(super) report: Report,
}

impl<'a> Checker<'a> {
    /// Marks the cell at `at` as used by `owner` and gives its payload, or says what is wrong.
    pub(super) fn claim(
        &mut self,
        at: CellOffset,
        what: &str,
        owner: CellOffset,
    ) -> Option<&'a [u8]> {
        match self.cells.claim(self.bins, at) {
            Ok(payload) => Some(payload),
            Err(refusal) => {
                self.find_refusal(refusal, refusal.code(), at, what, owner);
                None
            }
        }
    }

    pub(super) fn find_refusal(
        &mut self,
        refusal: Refusal,
        code: FindingCode,
        at: CellOffset,
        what: &str,
        owner: CellOffset,
    ) {
        let found = format!("{what} at {:#010x}, {}", at.0, refusal.found());
        self.find(code, owner, found, "an allocated cell of its own");
    }

    /// The key node in the cell at `at`, whether claimed or not.
    pub(super) fn node(&self, at: CellOffset) -> Option<KeyNode<'a>> {
        let payload = self.cells.payload(self.bins, at)?;
        KeyNode::parse(at, self.base.minor, payload.into()).ok()
    }

    /// Adds a finding about the structure in the cell `at`, in or of the key that stands there.
    pub(super) fn find(
        &mut self,
        code: FindingCode,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        self.find_in(code, at, at, found, expected);
    }

    /// Adds a finding about a structure of the key whose node is at `key`.
    pub(super) fn find_in(
        &mut self,
        code: FindingCode,
        key: CellOffset,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        let key = match self.report.is_full(code) {
            true => None,
            false => self.path_of(key),
        };
        add(&mut self.report, code, at.in_file(), key, found, expected);
    }

    /// Adds a finding about the element for the key at `key` in the subkeys list of the key `list`.
    pub(super) fn find_in_list(
        &mut self,
        code: FindingCode,
        list: CellOffset,
        key: CellOffset,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        let count = self.report.findings.len();
        self.find_in(code, key, at, found, expected);
        if let Some(finding) = self.report.findings.get_mut(count) {
            finding.list = Some(list);
        }
    }

    /// The path of the key node at `at`, as far up as parents can be followed.
    pub(super) fn path_of(&self, at: CellOffset) -> Option<String> {
        let mut node = self.node(at)?;
        let mut names: Vec<String> = Vec::new();
        let mut length = 0_usize;
        for _ in 0..KEY_DEPTH_LIMIT {
            if node.at() == self.base.root {
                break;
            }
            let name = node.name().to_name().to_text();
            length = length.saturating_add(name.len());
            if length > PATH_LIMIT {
                names.push("...".to_owned());
                break;
            }
            names.push(name);
            match self.node(node.parent()) {
                Some(parent) => node = parent,
                None => break,
            }
        }
        names.reverse();
        Some(format!("\\{}", names.join("\\")))
    }

    pub(super) fn find_leaked_cells(&mut self) {
        if self.report.keys == 0 {
            return; // no tree was walked, so that everything would count as leaked
        }
        let mut from = CellOffset(0);
        let mut places: BTreeMap<String, u64> = BTreeMap::new();
        while let Some(at) = self.cells.next_unclaimed(from) {
            self.count_unreached(at, &mut places);
            let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
            let kind = kind_of(payload);
            let found = format!("{} bytes{kind} that nothing refers to", payload.len());
            let expected = "a reference to the cell, or a free cell";
            add(
                &mut self.report,
                CELL_LEAKED,
                at.in_file(),
                None,
                found,
                expected,
            );
            from = CellOffset(at.0.saturating_add(8));
        }
        let mut places: Vec<(String, u64)> = places.into_iter().collect();
        places.sort_by(|(a, one), (b, other)| other.cmp(one).then_with(|| a.cmp(b)));
        places.truncate(UNREACHED_PLACES);
        let places = places.into_iter();
        self.report.unreached = places.map(|(path, count)| (path.into(), count)).collect();
    }

    pub(super) fn count_unreached(&mut self, at: CellOffset, places: &mut BTreeMap<String, u64>) {
        let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
        match payload {
            [b'v', b'k', ..] => {
                let count = &mut self.report.unreached_values;
                *count = count.saturating_add(1);
            }
            [b'n', b'k', ..] => {
                let count = &mut self.report.unreached_keys;
                *count = count.saturating_add(1);
                if *count > UNREACHED_FOLLOWED {
                    return;
                }
                let path = self.path_of(at).unwrap_or_default();
                let place: Vec<&str> = path.split('\\').take(3).collect();
                let count = places.entry(place.join("\\")).or_default();
                *count = count.saturating_add(1);
            }
            _ => {}
        }
    }
}

/// What the cell with this payload seems to be.
fn kind_of(payload: &[u8]) -> &'static str {
    match payload {
        [b'n', b'k', ..] => " (a key node)",
        [b'v', b'k', ..] => " (a key value)",
        [b's', b'k', ..] => " (a key security record)",
        [b'l', b'f' | b'h' | b'i', ..] | [b'r', b'i', ..] => " (a subkeys list)",
        [b'd', b'b', ..] => " (a big data record)",
        _ => "",
    }
}
