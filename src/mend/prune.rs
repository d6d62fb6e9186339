// SPDX-License-Identifier: GPL-3.0-or-later
//! What no hive may hold, though it was read: names that nobody can find, names twice.

use std::collections::HashSet;

use super::donor::name_of;
use super::model::ROOT;
use super::notes::{Fix, LostKind};
use super::tree::Builder;
use crate::regf::{Name, VALUE_NAME_LIMIT, value_flags};

impl Builder<'_> {
    /// Takes out of the tree what cannot be in a sound hive, and notes it.
    pub(super) fn prune(&mut self) {
        let backslash = u16::from(b'\\');
        for index in 1..self.tree.keys.len() {
            let Some(key) = self.tree.keys.get(index) else {
                continue;
            };
            if key.name.contains(&b'\\') && key.stored_name().units().any(|unit| unit == backslash)
            {
                let (parent, name) = (key.parent, key.stored_name().to_name());
                if let Some(parent) = self.tree.keys.get_mut(parent) {
                    parent.children.retain(|child| *child != index);
                }
                self.notes.lost_keys(parent, Some(name), Some(1));
            }
        }
        let mut names: HashSet<Vec<u16>> = HashSet::new();
        for index in ROOT..self.tree.keys.len() {
            self.prune_values(index, &mut names);
        }
    }

    fn prune_values(&mut self, index: usize, names: &mut HashSet<Vec<u16>>) {
        let Some(key) = self.tree.keys.get_mut(index) else {
            return;
        };
        if key.values.is_empty() {
            return;
        }
        names.clear();
        let mut lost: Vec<Option<Name>> = Vec::new();
        let mut fixed = 0_usize;
        let bins = &*self.bins;
        key.values.retain_mut(|value| {
            let is_odd = |value: &super::model::Value| {
                let length = value.name.len();
                value.flags & value_flags::COMP_NAME == 0 && !length.is_multiple_of(2)
            };
            if is_odd(value) {
                // A name of single bytes that lost the flag which says so.
                let is_text = value
                    .name
                    .of(bins)
                    .iter()
                    .all(|byte| (0x20..0x7F).contains(byte));
                if !is_text {
                    lost.push(None);
                    return false;
                }
                value.flags |= value_flags::COMP_NAME;
                fixed = fixed.saturating_add(1);
            }
            let name = name_of(value, bins);
            let is_kept = name.units().len() <= VALUE_NAME_LIMIT && names.insert(name.folded());
            if !is_kept {
                lost.push(Some(name));
            }
            is_kept
        });
        if fixed > 0 {
            self.notes.fix(index, Fix::Value);
        }
        for name in lost {
            self.notes.lost(index, LostKind::Value, name, Some(1));
        }
    }
}
