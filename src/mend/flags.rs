// SPDX-License-Identifier: GPL-3.0-or-later
//! Flags of keys that their values show to be turned.

use super::donor::name_of;
use super::model::Data;
use super::notes::{Fix, LostKind};
use super::tree::Builder;
use crate::regf::{Name, key_flags};

/// The REG_LINK type.
const REG_LINK: u32 = 6;

impl Builder<'_> {
    /// Sets right what says of a key that it is something else than its values show.
    pub(super) fn settle_flags(&mut self, minor: u32) {
        let link = Name::from("SymbolicLinkValue");
        for index in 0..self.tree.keys.len() {
            let Some(key) = self.tree.keys.get(index) else {
                continue;
            };
            let flags = key.head.flags.get();
            if flags & key_flags::PREDEF_HANDLE != 0 {
                self.settle_handle(index, flags, minor);
                continue;
            }
            let only = match key.values.as_slice() {
                [only] if only.kind == REG_LINK => Some(only),
                _ => None,
            };
            let is_link = only.is_some_and(|only| name_of(only, self.bins).same_as(&link));
            let is_path = only.is_some_and(|only| match &only.data {
                Data::Inline(..) | Data::Empty(..) => false,
                data => data.len() > 0 && data.len().is_multiple_of(2),
            });
            let is_flagged = flags & key_flags::SYM_LINK != 0;
            if is_link && !is_path {
                // Where it leads is lost, and nothing else can be in such a key.
                if let Some(key) = self.tree.keys.get_mut(index) {
                    key.values.clear();
                }
                self.notes
                    .lost(index, LostKind::Value, Some(link.clone()), Some(1));
            } else if is_flagged != is_link && !key.values.is_empty() {
                self.set_flags(index, flags ^ key_flags::SYM_LINK);
            }
        }
    }

    /// A handle takes the place of the number of values: where that many are there, it is none.
    fn settle_handle(&mut self, index: usize, flags: u16, minor: u32) {
        let Some(key) = self.tree.keys.get(index) else {
            return;
        };
        let count = super::bins::usize_of(key.head.value_count.get());
        let list = key.head.values_list.get().0;
        let values = match count {
            0 => None,
            _ => self.sound_values(count, list, minor),
        };
        let is_plain = count == 0 && list == u32::MAX;
        if let Some(key) = self.tree.keys.get_mut(index)
            && (values.is_some() || is_plain)
        {
            key.values = values.unwrap_or_default();
            self.set_flags(index, flags & !key_flags::PREDEF_HANDLE);
        }
    }

    fn set_flags(&mut self, index: usize, flags: u16) {
        if let Some(key) = self.tree.keys.get_mut(index) {
            key.head.flags.set(flags);
            self.notes.fix(index, Fix::Value);
        }
    }
}
