// SPDX-License-Identifier: GPL-3.0-or-later
//! Hive bins: the blocks that cells fill.

use super::structures::{self, HiveBinHeader};
use super::{CellOffset, Fault, Record, RegfError};

/// Bytes in a hive bin's header.
pub(crate) const HIVE_BIN_HEADER_SIZE: u32 = 32;
const _: () = assert!(size_of::<HiveBinHeader>() == 32);

/// The unit that bins are multiples of, in bytes.
pub(crate) const HIVE_BIN_UNIT: u32 = 4096;

/// One hive bin.
///
/// Spec: regf, *Format of primary files > Hive bin*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiveBin {
    /// Where its header begins.
    pub start: CellOffset,
    /// Bytes, header included.
    pub size: u32,
}

impl HiveBin {
    /// Reads the header at the beginning of `bytes`, which stands at `start`.
    ///
    /// # Errors
    ///
    /// Where the signature, the offset field or the size is not that of a bin here.
    pub fn parse(bytes: &[u8], start: CellOffset, bins_size: u32) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(start.in_file(), Record::HiveBin, fault);
        let field = |field, found| {
            let found = u64::from(found);
            error(Fault::BadField { field, found })
        };
        let Some(header) = structures::read::<HiveBinHeader>(bytes) else {
            let have = u64::try_from(bytes.len()).unwrap_or(0);
            return Err(error(Fault::Truncated { need: 32, have }));
        };
        if header.signature != HiveBinHeader::SIGNATURE {
            let (found, expected) = (header.signature, "hbin");
            return Err(error(Fault::BadSignature { found, expected }));
        }
        let (offset, size) = (header.offset.get(), header.size.get());
        if offset != start.0 {
            return Err(field("offset", offset));
        }
        let room = bins_size.saturating_sub(start.0);
        if size == 0 || !size.is_multiple_of(HIVE_BIN_UNIT) || size > room {
            return Err(field("size", size));
        }
        Ok(Self { start, size })
    }

    /// The first byte behind the bin.
    pub fn end(self) -> u32 {
        self.start.0.saturating_add(self.size)
    }
}
