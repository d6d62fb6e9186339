// SPDX-License-Identifier: GPL-3.0-or-later
//! Which keys Windows finds by their names: it searches subkeys lists by halves, so that a key in a
//! list whose order is damaged may be there and yet not be found.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::regf::{CellOffset, Hive, KeyNode, ListKind, Name, Record, SubkeysList};

/// A leaf, as far as it can be read.
type Leaf = Vec<CellOffset>;

/// The keys that a search for their own names finds in the lists they are in.
///
/// What cannot be read is not found. Each key is visited once.
pub(super) fn found(hive: &Hive<'_>) -> BTreeSet<CellOffset> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::from([hive.base().root]);
    let mut waiting = vec![hive.base().root];
    while let Some(key) = waiting.pop() {
        let Ok(key) = hive.key(key) else { continue };
        let leaves = leaves(hive, &key);
        for &subkey in leaves.iter().flatten() {
            if !seen.insert(subkey) {
                continue;
            }
            waiting.push(subkey);
            let Ok(node) = hive.key(subkey) else { continue };
            let name = node.name().to_name();
            let leaf = match leaves.as_slice() {
                [leaf] => Some(leaf),
                leaves => leaf_of(hive, leaves, &name),
            };
            if leaf.and_then(|leaf| key_in(hive, leaf, &name)) == Some(subkey) {
                found.insert(subkey);
            }
        }
    }
    found
}

fn leaves(hive: &Hive<'_>, key: &KeyNode<'_>) -> Vec<Leaf> {
    let at = hive.leaves(key).unwrap_or_default();
    at.into_iter().map(|at| leaf(hive, at)).collect()
}

fn leaf(hive: &Hive<'_>, at: CellOffset) -> Leaf {
    let Ok(bytes) = hive.cell(at, Record::SubkeysList) else {
        return Leaf::new();
    };
    match SubkeysList::parse(at, &bytes) {
        Ok(list) if list.kind != ListKind::IndexRoot => list.cells().collect(),
        _ => Leaf::new(),
    }
}

/// Where `name` stands to the key at `at`; nothing where that cannot be read, which ends a search.
fn order(hive: &Hive<'_>, name: &Name, at: Option<&CellOffset>) -> Option<Ordering> {
    let key = hive.key(*at?).ok()?;
    Some(key.name().order_name(name).reverse())
}

/// The leaf of an index root that a search for `name` goes on in: the one whose first and last key
/// enclose it.
fn leaf_of<'l>(hive: &Hive<'_>, leaves: &'l [Leaf], name: &Name) -> Option<&'l Leaf> {
    let (mut low, mut high) = (0, leaves.len());
    while low < high {
        let middle = low.midpoint(high);
        let leaf = leaves.get(middle)?;
        if order(hive, name, leaf.last())? == Ordering::Greater {
            low = middle.saturating_add(1);
        } else if order(hive, name, leaf.first())? == Ordering::Less {
            high = middle;
        } else {
            return Some(leaf);
        }
    }
    None
}

fn key_in(hive: &Hive<'_>, leaf: &[CellOffset], name: &Name) -> Option<CellOffset> {
    let (mut low, mut high) = (0, leaf.len());
    while low < high {
        let middle = low.midpoint(high);
        match order(hive, name, leaf.get(middle))? {
            Ordering::Equal => return leaf.get(middle).copied(),
            Ordering::Greater => low = middle.saturating_add(1),
            Ordering::Less => high = middle,
        }
    }
    None
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
