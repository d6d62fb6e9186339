// SPDX-License-Identifier: GPL-3.0-or-later
//! The tree of keys: where it begins, and each key node.

use super::checker::Checker;
use super::codes::*;
use super::names;
use crate::regf::{CellOffset, FileOffset, KEY_DEPTH_LIMIT, KeyNode, key_flags};

/// A key that was checked and whose subkeys wait to be.
pub(super) struct Waiting {
    pub(super) at: CellOffset,
    pub(super) depth: u16,
}

impl Checker<'_> {
    /// The key that the base block calls the root; where that is none, every key that may be one.
    pub(super) fn find_roots(&mut self) -> Vec<CellOffset> {
        let root = self.base.root;
        let problem = match self.cells.refusal(root) {
            Some(refusal) => refusal.found().to_owned(),
            None => match self.node(root) {
                None => "which is no key node".to_owned(),
                Some(node) if node.has(key_flags::HIVE_ENTRY) => return vec![root],
                Some(_) => "which lies below the root".to_owned(),
            },
        };
        let entries = self.keys_that(|_, node| node.has(key_flags::HIVE_ENTRY));
        if entries.is_empty() && self.node(root).is_some() {
            return vec![root];
        }
        let found = format!("root key at {:#010x}, {problem}", root.0);
        let expected = "the root's key node";
        super::report::add(
            &mut self.report,
            BASE_BLOCK_ROOT,
            FileOffset(0),
            None,
            found,
            expected,
        );
        if !entries.is_empty() {
            return entries;
        }
        self.keys_that(|checker, node| checker.node(node.parent()).is_none())
    }

    /// The allocated key nodes, by whatever they are reached, for which `wanted` holds.
    fn keys_that(&self, wanted: impl Fn(&Self, &KeyNode<'_>) -> bool) -> Vec<CellOffset> {
        let mut found = Vec::new();
        let mut from = CellOffset(0);
        while let Some(at) = self.cells.next_unclaimed(from) {
            if self.node(at).is_some_and(|node| wanted(self, &node)) {
                found.push(at);
            }
            from = CellOffset(at.0.saturating_add(8));
        }
        found
    }

    /// Walks all keys from `root` on.
    pub(super) fn check_tree(&mut self, root: CellOffset) {
        if self.claim(root, "the root key", root).is_none() {
            return;
        }
        let Some(node) = self.node(root) else {
            return;
        };
        self.check_root(&node);
        self.check_key(&node);
        let (at, depth) = (root, 0);
        let mut waiting = vec![Waiting { at, depth }];
        while let Some(key) = waiting.pop() {
            self.check_below(&key, &mut waiting);
        }
    }

    fn check_below(&mut self, key: &Waiting, waiting: &mut Vec<Waiting>) {
        let Some(node) = self.node(key.at) else {
            return;
        };
        if usize::from(key.depth) >= KEY_DEPTH_LIMIT && node.subkey_count() > 0 {
            let expected = format!("at most {KEY_DEPTH_LIMIT} levels below the root");
            return self.find(
                KEY_DEPTH,
                key.at,
                "subkeys of a key at the limit",
                &expected,
            );
        }
        self.check_subkeys(&node, key.depth, waiting);
    }

    /// Checks a subkey of `parent` by itself, right when its parent's list leads to it: its bytes
    /// are at hand then.
    pub(super) fn check_subkey(&mut self, node: &KeyNode<'_>, parent: CellOffset) {
        self.check_place(node, parent);
        self.check_key(node);
    }

    fn check_key(&mut self, node: &KeyNode<'_>) {
        let at = node.at();
        self.report.keys = self.report.keys.saturating_add(1);
        for (code, found, expected) in names::key_flaws(node.name()) {
            self.find(code, at, found, expected);
        }
        self.check_kind(node);
        self.check_class_name(node);
        self.count_security(at, node.security());
        self.check_values(node);
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
            self.find_in(KEY_PARENT, parent, node.at(), found, &expected);
        }
        if node.flags() & (key_flags::HIVE_ENTRY | key_flags::HIVE_EXIT) != 0 {
            let found = format!("flags {:#06x}", node.flags());
            let expected = "no flag of a hive's root or of a mounted hive (0x0004, 0x0002)";
            self.find(KEY_MOUNT_FLAGS, node.at(), found, expected);
        }
        if node.has(key_flags::NO_DELETE) {
            let found = format!("flags {:#06x}", node.flags());
            let expected = "no flag that only the root has (0x0008)";
            self.find(KEY_NO_DELETE, node.at(), found, expected);
        }
    }

    /// Notes keys that are more, or less, than their values and subkeys.
    fn check_kind(&mut self, node: &KeyNode<'_>) {
        let at = node.at();
        if node.has(key_flags::VOLATILE) {
            let expected = "no key that lives in memory only";
            self.find(KEY_VOLATILE, at, "the volatile flag", expected);
        }
        if node.has(key_flags::PREDEF_HANDLE) {
            let found = "a predefined handle instead of values";
            self.find(KEY_PREDEFINED_HANDLE, at, found, "values, or none");
            let count = node.stored_value_count();
            if self.are_values(node.values_list(), count) {
                let found = format!("{count} values that the flag of a handle (0x0040) hides");
                self.find(KEY_HANDLE_VALUES, at, found, "no flag, or no values");
            }
        }
        if node.layer_semantics() != 0 {
            let found = format!("layer semantics {}", node.layer_semantics());
            self.find(KEY_LAYERED, at, found, "0, a key that stands alone");
        }
    }

    fn check_class_name(&mut self, node: &KeyNode<'_>) {
        let length = usize::from(node.class_name_length());
        if length == 0 {
            if let Some(at) = node.class_name().some() {
                let found = format!("a class name at {:#010x} of no bytes", at.0);
                self.find(CLASS_NAME_UNUSED, node.at(), found, "no class name");
            }
            return;
        }
        let found = format!("{length} bytes of class name");
        if !length.is_multiple_of(2) {
            self.find(CLASS_NAME_ODD, node.at(), &found, "an even number of bytes");
        }
        let Some(at) = node.class_name().some() else {
            return self.find(
                CLASS_NAME_MISSING,
                node.at(),
                &found,
                "a cell that holds them",
            );
        };
        let payload = self.claim(at, "a class name", node.at());
        if let Some(payload) = payload.filter(|payload| payload.len() < length) {
            let found = format!("a cell with {} bytes", payload.len());
            let expected = format!("{length} bytes of class name");
            self.find_in(CLASS_NAME, node.at(), at, found, &expected);
        }
    }
}
