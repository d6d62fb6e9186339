// SPDX-License-Identifier: GPL-3.0-or-later
//! The hive bin header.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What a hive bin begins with; its cells follow.
///
/// Spec: regf, *Hive bin*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct HiveBinHeader {
    /// `hbin`.
    pub signature: [u8; 4],
    /// Where it stands, from the start of the hive bins data.
    pub offset: U32,
    /// Bytes of the bin, this header included.
    pub size: U32,
    /// What no version defines.
    pub reserved: U64,
    /// FILETIME of the last write; in the first bin of a hive only.
    pub last_written: U64,
    /// Used in memory.
    pub spare: U32,
}

const _: () = assert!(size_of::<HiveBinHeader>() == 32);

impl HiveBinHeader {
    /// What it begins with.
    pub const SIGNATURE: [u8; 4] = *b"hbin";

    /// The header of a new bin of `size` bytes at `offset`.
    pub fn new(offset: u32, size: u32) -> Self {
        Self {
            signature: Self::SIGNATURE,
            offset: offset.into(),
            size: size.into(),
            reserved: U64::ZERO,
            last_written: U64::ZERO,
            spare: U32::ZERO,
        }
    }
}
