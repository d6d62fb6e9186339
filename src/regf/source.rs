// SPDX-License-Identifier: GPL-3.0-or-later
//! Where a hive's bytes come from.

use std::borrow::Cow;

use super::{Fault, FileOffset, Record, RegfError};

/// The bytes of a primary file: a whole image in memory, or pages read on demand.
pub trait HiveBytes {
    /// Bytes in the file, the base block and whatever follows the last bin included.
    fn size(&self) -> u64;

    /// Exactly `length` bytes from `at` on.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`] past the end of the file, [`Fault::Unreadable`] where the disk fails.
    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError>;
}

impl HiveBytes for Vec<u8> {
    fn size(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        let slice = usize::try_from(at.0)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(length)?));
        slice.map(Cow::Borrowed).ok_or_else(|| {
            let need = u64::try_from(length).unwrap_or(u64::MAX);
            let have = self.size().saturating_sub(at.0);
            RegfError::new(at, Record::Cell, Fault::Truncated { need, have })
        })
    }
}
