// SPDX-License-Identifier: GPL-3.0-or-later
//! Positions in a hive, each in a type that says what it counts from.

use std::fmt;

/// Bytes in a base block.
pub(crate) const BASE_BLOCK_SIZE: u64 = 4096;

/// A position in the primary file, in bytes from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

/// A cell's position, in bytes from the start of the hive bins data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellOffset(pub u32);

impl CellOffset {
    /// The offset that points nowhere.
    pub const NONE: Self = Self(0xFFFF_FFFF);

    /// Whether this offset points nowhere.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// This offset, or `None` where it points nowhere.
    pub fn some(self) -> Option<Self> {
        if self.is_none() { None } else { Some(self) }
    }

    /// Where the cell stands in the primary file.
    pub fn in_file(self) -> FileOffset {
        FileOffset(u64::from(self.0).saturating_add(BASE_BLOCK_SIZE))
    }
}

impl fmt::Display for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}
