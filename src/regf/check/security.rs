// SPDX-License-Identifier: GPL-3.0-or-later
//! The ring of key security records, and how many keys use each.

use std::collections::BTreeMap;

use super::{
    Checker, KEY_SECURITY, SECURITY_COUNT_HIGH, SECURITY_COUNT_LOW, SECURITY_DESCRIPTOR,
    SECURITY_NOT_IN_RING, SECURITY_RING, descriptor,
};
use crate::regf::{CellOffset, KeyNode, KeySecurity};

/// The records of the ring by their cells.
#[derive(Default)]
pub(super) struct Ring {
    uses: BTreeMap<CellOffset, Use>,
}

struct Use {
    stored: u32,
    counted: u32,
}

impl Checker<'_> {
    /// Walks the ring from the root key's record on.
    pub(super) fn check_security_ring(&mut self) {
        let root = self.base.root;
        let Some(payload) = self.cells.payload(self.bins, root) else {
            return;
        };
        let Ok(node) = KeyNode::parse(root, payload.into()) else {
            return;
        };
        self.walk_ring(node.security(), root);
    }

    /// Walks a ring from `first`, which `owner` refers to.
    fn walk_ring(&mut self, first: CellOffset, owner: CellOffset) {
        let mut at = first;
        let mut from: Option<CellOffset> = None;
        loop {
            let owner = from.unwrap_or(owner);
            let Some(payload) = self.claim(at, "a key security record", owner) else {
                return;
            };
            let record = match KeySecurity::parse(at, payload.into()) {
                Ok(record) => record,
                Err(error) => return self.find(KEY_SECURITY, at, error, "a key security record"),
            };
            if let Some(flaw) = descriptor::flaw(record.descriptor()) {
                let expected = "a sound self-relative descriptor";
                self.find(SECURITY_DESCRIPTOR, at, flaw, expected);
            }
            let stored = record.reference_count();
            let counted = 0;
            self.security.uses.insert(at, Use { stored, counted });
            if let Some(previous) = from {
                self.expect_blink(at, record.blink(), previous);
            }
            if record.flink() == first {
                return self.close_ring(first, at);
            }
            from = Some(at);
            at = record.flink();
        }
    }

    fn close_ring(&mut self, first: CellOffset, last: CellOffset) {
        let payload = self.cells.payload(self.bins, first).unwrap_or(&[]);
        if let Ok(record) = KeySecurity::parse(first, payload.into()) {
            self.expect_blink(first, record.blink(), last);
        }
    }

    fn expect_blink(&mut self, at: CellOffset, found: CellOffset, previous: CellOffset) {
        if found != previous {
            let found = format!("blink {:#010x}", found.0);
            let expected = format!("{:#010x}, whose flink leads here", previous.0);
            self.find(SECURITY_RING, at, found, &expected);
        }
    }

    /// Counts one more key that uses the record at `at`.
    pub(super) fn count_security(&mut self, key: CellOffset, at: CellOffset) {
        if !self.security.uses.contains_key(&at) {
            let found = format!("security at {:#010x}, which is not in the ring", at.0);
            self.find(SECURITY_NOT_IN_RING, key, found, "a record of the ring");
            if self.cells.is_allocated(at) {
                self.walk_ring(at, key);
            }
        }
        if let Some(uses) = self.security.uses.get_mut(&at) {
            uses.counted = uses.counted.saturating_add(1);
        }
    }

    /// Compares each record's reference count with the keys that were seen to use it.
    pub(super) fn check_security_counts(&mut self) {
        let uses = std::mem::take(&mut self.security.uses);
        for (at, Use { stored, counted }) in uses {
            let code = match stored.cmp(&counted) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Less => SECURITY_COUNT_LOW,
                std::cmp::Ordering::Greater => SECURITY_COUNT_HIGH,
            };
            let found = format!("reference count {stored}");
            self.find(code, at, found, &format!("{counted}, the keys that use it"));
        }
    }
}
