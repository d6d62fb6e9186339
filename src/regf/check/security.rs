// SPDX-License-Identifier: GPL-3.0-or-later
//! The ring of key security records, and how many keys use each.

use std::cmp::Ordering;

use super::checker::Checker;
use super::codes::*;
use super::descriptor;
use super::ring::Use;
use crate::regf::{CellOffset, KeySecurity};

impl<'a> Checker<'a> {
    /// Walks the ring from the record of the key `root` on.
    pub(super) fn check_security_ring(&mut self, root: CellOffset) {
        let Some(node) = self.node(root) else {
            return;
        };
        let first = node.security();
        if !self.security.uses.contains_key(&first) {
            self.walk_ring(first, root);
        }
    }

    /// Walks a ring from `first`, which `owner` refers to.
    fn walk_ring(&mut self, first: CellOffset, owner: CellOffset) {
        let mut at = first;
        let mut from: Option<CellOffset> = None;
        loop {
            let Some(record) = self.claim_security(at, from.unwrap_or(owner)) else {
                return;
            };
            let stored = record.reference_count();
            let counted = 0;
            self.security.uses.insert(at, Use { stored, counted });
            if let Some(previous) = from {
                self.expect_blink(at, record.blink(), previous);
            }
            let next = record.flink();
            if next == first {
                return self.close_ring(first, at);
            }
            if self.security.uses.contains_key(&next) {
                let found = format!("flink {:#010x}, back into the ring", next.0);
                let expected = format!("{:#010x}, where the ring began", first.0);
                return self.find(SECURITY_RING, at, found, &expected);
            }
            from = Some(at);
            at = next;
        }
    }

    fn claim_security(&mut self, at: CellOffset, owner: CellOffset) -> Option<KeySecurity<'a>> {
        let payload = self.claim(at, "a key security record", owner)?;
        let record = match KeySecurity::parse(at, payload.into()) {
            Ok(record) => record,
            Err(error) => {
                let expected = "a key security record";
                self.find_in(KEY_SECURITY, owner, at, error.fault, expected);
                return None;
            }
        };
        for (code, found) in descriptor::flaws(record.descriptor()) {
            self.find(code, at, found, "a sound self-relative descriptor");
        }
        Some(record)
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
        if let Some(uses) = self.security.uses.get_mut(&at) {
            uses.counted = uses.counted.saturating_add(1);
            return;
        }
        let found = format!("security at {:#010x}, which is not in the ring", at.0);
        self.find(SECURITY_NOT_IN_RING, key, found, "a record of the ring");
        if self.cells.refusal(at).is_none() {
            self.walk_ring(at, key);
        }
        if let Some(uses) = self.security.uses.get_mut(&at) {
            uses.counted = uses.counted.saturating_add(1);
        }
    }

    /// Compares each record's reference count with the keys that were seen to use it.
    pub(super) fn check_security_counts(&mut self) {
        if self.report.keys == 0 {
            return;
        }
        let uses = std::mem::take(&mut self.security.uses);
        for (at, Use { stored, counted }) in uses {
            let code = match stored.cmp(&counted) {
                _ if counted == 0 => SECURITY_UNUSED,
                Ordering::Equal => continue,
                Ordering::Less => SECURITY_COUNT_LOW,
                Ordering::Greater => SECURITY_COUNT_HIGH,
            };
            let found = format!("reference count {stored}");
            self.find(code, at, found, &format!("{counted}, the keys that use it"));
        }
    }
}
