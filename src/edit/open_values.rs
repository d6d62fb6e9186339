// SPDX-License-Identifier: GPL-3.0-or-later
//! The values of a key that has many and is edited value by value.
//!
//! Its list is read once. A value that is taken out of a long list would move all behind it, each
//! time: so the list is written once all is done, with the bytes that step by step would have left.

use super::{EditError, Editor};
use crate::regf::structures::Offset;
use crate::regf::{CellOffset, Hive, KeyNode, ListedValue, Name, StoredName, ValuesByName};
use zerocopy::IntoBytes;

/// Up to this many values a list is read and written at each edit.
const FEW: u32 = 64;

/// A key's values while they are edited.
pub(super) struct OpenValues {
    values: ValuesByName,
    /// What stands in the list's cell behind the values that count, the last first.
    behind: Vec<CellOffset>,
    /// Whether the list's cell does not hold this yet.
    is_stale: bool,
}

impl OpenValues {
    fn of(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<Self, EditError> {
        Ok(Self {
            values: ValuesByName::of(hive, key)?,
            behind: Vec::new(),
            is_stale: false,
        })
    }

    /// The list as its cell is to hold it.
    fn bytes(&self) -> Vec<u8> {
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

impl Editor {
    /// The value `name` of the key at `key`, whose values are open from here on.
    pub(super) fn find_open_value(
        &mut self,
        key: CellOffset,
        name: &Name,
    ) -> Result<Option<ListedValue<'_>>, EditError> {
        // Not `self.hive()`: that would borrow the open values too.
        let hive = Hive::open(self.image.bytes())?;
        let open = match self.open_values.get_mut(&key) {
            Some(open) => open,
            None => {
                let open = OpenValues::of(&hive, &hive.key(key)?)?;
                self.open_values.entry(key).or_insert(open)
            }
        };
        Ok(open.values.find(&hive, name)?)
    }

    /// The open values of a key, where [`Editor::find_open_value`] has opened them.
    pub(super) fn open_values(&mut self, key: CellOffset) -> Option<&mut OpenValues> {
        self.open_values.get_mut(&key)
    }

    /// Writes the list of the key at `key`, if it is not written yet.
    pub(super) fn write_values_list(&mut self, key: CellOffset) -> Result<(), EditError> {
        let Some(open) = self.open_values.get_mut(&key).filter(|open| open.is_stale) else {
            return Ok(());
        };
        open.is_stale = false;
        let bytes = open.bytes();
        let list = self.hive()?.key(key)?.values_list();
        self.image.put(list, 0, &bytes)
    }

    /// Writes every list that is not written yet.
    pub(super) fn write_open_values(&mut self) -> Result<(), EditError> {
        let keys: Vec<CellOffset> = self.open_values.keys().copied().collect();
        keys.into_iter()
            .try_for_each(|key| self.write_values_list(key))
    }

    /// Writes the list of the key at `key` and forgets its values.
    pub(super) fn close_values(&mut self, key: CellOffset) -> Result<(), EditError> {
        self.write_values_list(key)?;
        self.open_values.remove(&key);
        Ok(())
    }

    /// The same where the key has few values: to read them again costs little, to keep those of
    /// thousands of keys would cost more.
    pub(super) fn close_few_values(&mut self, key: CellOffset) -> Result<(), EditError> {
        match self.hive()?.key(key)?.value_count() <= FEW {
            true => self.close_values(key),
            false => Ok(()),
        }
    }
}
