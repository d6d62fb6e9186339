// SPDX-License-Identifier: GPL-3.0-or-later
//! The values list of a key whose values are edited one by one.

use super::editor::Editor;
use super::error::EditError;
use super::open_values::OpenValues;
use crate::regf::{CellOffset, Hive, ListedValue, Name};

/// Up to this many values a list is read and written at each edit.
const FEW: u32 = 64;

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
