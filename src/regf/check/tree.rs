// SPDX-License-Identifier: GPL-3.0-or-later
//! The tree of keys: nodes, their subkeys lists, their class names.

use std::cmp::Ordering;

use super::{
    CLASS_NAME, Checker, KEY_DEPTH, KEY_NAME, KEY_NODE, KEY_PARENT, LARGEST_SUBKEY_CLASS,
    LARGEST_SUBKEY_NAME, ROOT_FLAGS, SUBKEY_COUNT, SUBKEY_DUPLICATE, SUBKEYS_LIST,
    SUBKEYS_LIST_EMPTY, SUBKEYS_LIST_HASH, SUBKEYS_LIST_HINT, SUBKEYS_LIST_KIND,
    SUBKEYS_LIST_ORDER,
};
use crate::regf::{
    CellOffset, KEY_DEPTH_LIMIT, KeyNode, ListKind, StoredName, SubkeysList, key_flags,
};

/// A key that was claimed and waits to be checked.
struct Waiting {
    at: CellOffset,
    parent: Option<CellOffset>,
    depth: usize,
}

/// What is gathered over all leaves of one key's subkeys list.
struct Listing<'a> {
    key: CellOffset,
    depth: usize,
    count: u32,
    largest_name: usize,
    largest_class: u16,
    previous: Option<KeyNode<'a>>,
}

impl<'a> Checker<'a> {
    /// Walks all keys from the root on.
    pub(super) fn check_tree(&mut self) {
        let root = self.base.root;
        if self.claim(root, "the root key", root).is_none() {
            return;
        }
        let (parent, depth) = (None, 0);
        let at = root;
        let mut waiting = vec![Waiting { at, parent, depth }];
        while let Some(key) = waiting.pop() {
            self.check_key(&key, &mut waiting);
        }
    }

    fn check_key(&mut self, key: &Waiting, waiting: &mut Vec<Waiting>) {
        let at = key.at;
        let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
        let node = match KeyNode::parse(at, payload.into()) {
            Ok(node) => node,
            Err(error) => return self.find(KEY_NODE, at, error, "a key node"),
        };
        self.report.keys = self.report.keys.saturating_add(1);
        match key.parent {
            None => self.check_root(&node),
            Some(parent) => self.check_place(&node, parent),
        }
        self.check_class_name(&node);
        self.count_security(at, node.security());
        self.check_values(&node);
        if key.depth >= KEY_DEPTH_LIMIT && node.subkey_count() > 0 {
            let expected = format!("at most {KEY_DEPTH_LIMIT} levels");
            return self.find(KEY_DEPTH, at, "subkeys of a key at the limit", &expected);
        }
        self.check_subkeys(&node, key.depth, waiting);
    }

    fn check_root(&mut self, node: &KeyNode<'_>) {
        if !node.has(key_flags::HIVE_ENTRY) {
            let found = format!("flags {:#06x}", node.flags());
            self.find(ROOT_FLAGS, node.at(), found, "the hive entry flag (0x0004)");
        }
    }

    fn check_place(&mut self, node: &KeyNode<'_>, parent: CellOffset) {
        if node.parent() != parent {
            let found = format!("parent {:#010x}", node.parent().0);
            let expected = format!("{:#010x}, whose subkeys list leads here", parent.0);
            self.find(KEY_PARENT, node.at(), found, &expected);
        }
        let name = node.name();
        if name.bytes.is_empty() {
            self.find(KEY_NAME, node.at(), "no name", "a name");
        } else if !name.narrow && !name.bytes.len().is_multiple_of(2) {
            let found = format!("{} bytes of UTF-16", name.bytes.len());
            self.find(KEY_NAME, node.at(), found, "an even number of bytes");
        }
    }

    fn check_class_name(&mut self, node: &KeyNode<'_>) {
        let length = usize::from(node.class_name_length());
        if length == 0 || node.class_name().is_none() {
            return;
        }
        let payload = self.claim(node.class_name(), "a class name", node.at());
        if let Some(payload) = payload.filter(|payload| payload.len() < length) {
            let found = format!("a cell with {} bytes", payload.len());
            let expected = format!("{length} bytes of class name");
            self.find(CLASS_NAME, node.at(), found, &expected);
        }
    }

    fn check_subkeys(&mut self, node: &KeyNode<'_>, depth: usize, waiting: &mut Vec<Waiting>) {
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
            (0, _) => {}
            (count, None) => {
                let found = format!("subkey count {count} without a subkeys list");
                self.find(SUBKEYS_LIST, at, found, "a subkeys list");
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
        for leaf_at in list.cells() {
            let Some(leaf) = self.claim_list(leaf_at, listing.key) else {
                continue;
            };
            if leaf.kind == ListKind::IndexRoot {
                let expected = "a leaf below an index root";
                self.find_in(SUBKEYS_LIST_KIND, listing.key, leaf_at, "ri", expected);
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
                self.find_in(SUBKEYS_LIST, key, at, error, "a subkeys list");
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
            let Some(payload) = self.claim(cell, "a subkey", listing.key) else {
                continue;
            };
            let parent = Some(listing.key);
            let depth = listing.depth.saturating_add(1);
            let at_list = at;
            waiting.push(Waiting {
                at: cell,
                parent,
                depth,
            });
            let Ok(subkey) = KeyNode::parse(cell, payload.into()) else {
                continue; // reported when its turn comes
            };
            self.check_extra(list.kind, extra, &subkey, at_list);
            self.check_order(&subkey, listing);
            listing.largest_name = listing.largest_name.max(subkey.name().utf16_size());
            listing.largest_class = listing.largest_class.max(subkey.class_name_length());
            listing.previous = Some(subkey);
        }
    }

    fn check_extra(&mut self, kind: ListKind, extra: [u8; 4], key: &KeyNode<'_>, at: CellOffset) {
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
        self.find_in(code, key.at(), at, text(extra), &text(expected));
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
        let found = format!("behind {:?}", previous.name().to_name());
        self.find(code, key.at(), found, "names in ascending order, each once");
    }
}

/// Windows leaves the hint empty where a name begins with a character that has no byte.
fn hint_is_old(hint: [u8; 4], name: StoredName<'_>) -> bool {
    hint == [0; 4] && name.units().take(4).any(|unit| unit > 0xFF)
}
