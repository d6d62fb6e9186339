// SPDX-License-Identifier: GPL-3.0-or-later
//! The values of a key that has many and is edited value by value.
//!
//! Its list is read once. A value that is taken out of a long list would move all behind it, each
//! time: so the list is written once all is done, with the bytes that step by step would have left.

use super::error::EditError;
use crate::regf::structures::Offset;
use crate::regf::{CellOffset, Hive, KeyNode, Name, StoredName, ValuesByName};
use zerocopy::IntoBytes;

/// A key's values while they are edited.
pub(super) struct OpenValues {
    pub(super) values: ValuesByName,
    /// What stands in the list's cell behind the values that count, the last first.
    pub(super) behind: Vec<CellOffset>,
    /// Whether the list's cell does not hold this yet.
    pub(super) is_stale: bool,
}

impl OpenValues {
    pub(super) fn of(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<Self, EditError> {
        Ok(Self {
            values: ValuesByName::of(hive, key)?,
            behind: Vec::new(),
            is_stale: false,
        })
    }

    /// The list as its cell is to hold it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let cells = self.values.cells().chain(self.behind.iter().rev().copied());
        cells
            .map(Offset::from)
            .collect::<Vec<_>>()
            .as_bytes()
            .to_vec()
    }

    /// Notes that `value` is not in the list any more, whose last element stays where it was.
    pub(super) fn take_out(&mut self, name: StoredName<'_>, place: usize) {
        self.behind.extend(self.values.last());
        self.values.remove(name, place);
        self.is_stale = true;
    }

    /// Notes that a value was written behind the last one.
    pub(super) fn push(&mut self, name: &Name, at: CellOffset) {
        self.behind.pop();
        self.values.push(name, at);
    }

    /// Notes that the list has moved, without what stood behind it.
    pub(super) fn note_moved(&mut self) {
        self.behind.clear();
    }
}
