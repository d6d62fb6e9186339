// SPDX-License-Identifier: GPL-3.0-or-later
//! Subkeys lists: leaves, index roots, and what they say of the keys they lead to.

use std::cmp::Ordering;

use super::cells::Refusal;
use super::checker::Checker;
use super::codes::*;
use super::names::shown;
use super::tree::Waiting;
use crate::regf::{CellOffset, KEY_DEPTH_LIMIT, KeyNode, ListKind, StoredName, SubkeysList};

/// What is gathered over all leaves of one key's subkeys list.
struct Listing<'a> {
    key: CellOffset,
    depth: u16,
    count: u32,
    largest_name: usize,
    largest_class: u16,
    previous: Option<KeyNode<'a>>,
}

impl<'a> Checker<'a> {
    /// Checks the subkeys list of `node`; the subkeys are left in `waiting`.
    pub(super) fn check_subkeys(
        &mut self,
        node: &KeyNode<'_>,
        depth: u16,
        waiting: &mut Vec<Waiting>,
    ) {
        let at = node.at();
        let mut listing = Listing {
            key: at,
            depth,
            count: 0,
            largest_name: 0,
            largest_class: 0,
            previous: None,
        };
        match (node.subkey_count(), node.subkeys_list().some()) {
            (0, None) => return,
            (0, Some(list)) => {
                let found = format!("a subkeys list at {:#010x} for no subkeys", list.0);
                return self.find(SUBKEYS_LIST_UNUSED, at, found, "no list");
            }
            (count, None) => {
                let found = format!("subkey count {count} without a subkeys list");
                return self.find(SUBKEYS_LIST_MISSING, at, found, "a subkeys list");
            }
            (_, Some(list)) => self.check_list(list, &mut listing, waiting),
        }
        if listing.count != node.subkey_count() {
            let found = format!("subkey count {}", node.subkey_count());
            let expected = format!("{}, the keys in the list", listing.count);
            self.find(SUBKEY_COUNT, at, found, &expected);
        }
        self.check_subkey_maxima(node, &listing);
    }

    fn check_subkey_maxima(&mut self, node: &KeyNode<'_>, listing: &Listing<'_>) {
        if usize::from(node.largest_subkey_name()) < listing.largest_name {
            let found = node.largest_subkey_name();
            let expected = format!("at least {} bytes", listing.largest_name);
            self.find(LARGEST_SUBKEY_NAME, node.at(), found, &expected);
        }
        if node.largest_subkey_class() < u32::from(listing.largest_class) {
            let found = node.largest_subkey_class();
            let expected = format!("at least {} bytes", listing.largest_class);
            self.find(LARGEST_SUBKEY_CLASS, node.at(), found, &expected);
        }
    }

    fn check_list(
        &mut self,
        at: CellOffset,
        listing: &mut Listing<'a>,
        waiting: &mut Vec<Waiting>,
    ) {
        let Some(list) = self.claim_list(at, listing.key) else {
            return;
        };
        if list.kind != ListKind::IndexRoot {
            return self.check_leaf(at, list, listing, waiting);
        }
        if list.is_empty() {
            self.find_in(
                INDEX_ROOT_EMPTY,
                listing.key,
                at,
                "none",
                "at least one leaf",
            );
        }
        for leaf_at in list.cells() {
            let Some(leaf) = self.claim_list(leaf_at, listing.key) else {
                continue;
            };
            if leaf.kind == ListKind::IndexRoot {
                let found = "an index root below an index root";
                self.find_in(INDEX_ROOT_NESTED, listing.key, leaf_at, found, "a leaf");
                continue;
            }
            self.check_leaf(leaf_at, leaf, listing, waiting);
        }
    }

    fn claim_list(&mut self, at: CellOffset, key: CellOffset) -> Option<SubkeysList<'a>> {
        let payload = self.claim(at, "a subkeys list", key)?;
        match SubkeysList::parse(at, payload) {
            Ok(list) => Some(list),
            Err(error) => {
                self.find_in(SUBKEYS_LIST, key, at, error.fault, "a subkeys list");
                None
            }
        }
    }

    fn check_leaf(
        &mut self,
        at: CellOffset,
        list: SubkeysList<'a>,
        listing: &mut Listing<'a>,
        waiting: &mut Vec<Waiting>,
    ) {
        if list.is_empty() {
            let expected = "at least one element";
            self.find_in(SUBKEYS_LIST_EMPTY, listing.key, at, "none", expected);
        }
        if list.kind == ListKind::HashLeaf && self.base.minor < 5 {
            let found = format!("lh in version 1.{}", self.base.minor);
            self.find_in(SUBKEYS_LIST_KIND, listing.key, at, found, "lf or li");
        }
        for (cell, extra) in list.elements() {
            listing.count = listing.count.saturating_add(1);
            let Some(payload) = self.claim_subkey(cell, listing.key) else {
                continue;
            };
            let subkey = match KeyNode::parse(cell, self.base.minor, payload.into()) {
                Ok(subkey) => subkey,
                Err(error) => {
                    self.find_in(KEY_NODE, listing.key, cell, error.fault, "a key node");
                    continue;
                }
            };
            self.check_extra(list.kind, extra, &subkey, (listing.key, at));
            self.check_order(&subkey, listing);
            listing.largest_name = listing.largest_name.max(subkey.name().utf16_size());
            listing.largest_class = listing.largest_class.max(subkey.class_name_length());
            self.check_subkey(&subkey, listing.key);
            if subkey.subkey_count() > 0 || !subkey.subkeys_list().is_none() {
                let depth = listing.depth.saturating_add(1);
                waiting.push(Waiting { at: cell, depth });
            }
            listing.previous = Some(subkey);
        }
    }

    fn claim_subkey(&mut self, cell: CellOffset, key: CellOffset) -> Option<&'a [u8]> {
        match self.cells.claim(self.bins, cell) {
            Ok(payload) => Some(payload),
            Err(refusal) => {
                let is_cycle = refusal == Refusal::Shared && self.is_above(cell, key);
                let code = if is_cycle { KEY_CYCLE } else { refusal.code() };
                self.find_refusal(refusal, code, cell, "a subkey", key);
                None
            }
        }
    }

    /// Whether the key `above` is `key` or one of those that contain it.
    fn is_above(&self, above: CellOffset, key: CellOffset) -> bool {
        let mut at = key;
        for _ in 0..=KEY_DEPTH_LIMIT {
            if at == above {
                return true;
            }
            match self.node(at) {
                Some(node) if at != self.base.root => at = node.parent(),
                _ => return false,
            }
        }
        false
    }

    /// `place` is the key whose list it is, and the leaf.
    fn check_extra(
        &mut self,
        kind: ListKind,
        extra: [u8; 4],
        key: &KeyNode<'_>,
        place: (CellOffset, CellOffset),
    ) {
        let name = key.name();
        let (code, expected) = match kind {
            ListKind::HashLeaf => (SUBKEYS_LIST_HASH, name.hash().to_le_bytes()),
            ListKind::FastLeaf => (SUBKEYS_LIST_HINT, name.hint()),
            ListKind::IndexLeaf | ListKind::IndexRoot => return,
        };
        if extra == expected || (kind == ListKind::FastLeaf && hint_is_old(extra, name)) {
            return;
        }
        let text = |bytes| format!("{:#010x}", u32::from_le_bytes(bytes));
        let (list, at) = place;
        self.find_in_list(code, list, key.at(), at, text(extra), &text(expected));
    }

    fn check_order(&mut self, key: &KeyNode<'_>, listing: &Listing<'_>) {
        let Some(previous) = &listing.previous else {
            return;
        };
        let code = match previous.name().order(key.name()) {
            Ordering::Less => return,
            Ordering::Equal => SUBKEY_DUPLICATE,
            Ordering::Greater => SUBKEYS_LIST_ORDER,
        };
        let found = format!("{} behind {}", shown(key.name()), shown(previous.name()));
        let expected = "names in ascending order, each once";
        self.find_in_list(code, listing.key, key.at(), key.at(), found, expected);
    }
}

/// Windows leaves the hint empty where a name begins with a character that has no byte.
fn hint_is_old(hint: [u8; 4], name: StoredName<'_>) -> bool {
    hint == [0; 4] && name.units().take(4).any(|unit| unit > 0xFF)
}
