// SPDX-License-Identifier: GPL-3.0-or-later
//! The base block.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Offset;

/// The first 512 bytes of a base block: its fields, and their checksum. A log has a copy of them.
///
/// Spec: regf, *Base block*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BaseBlockHead {
    /// `regf`.
    pub signature: [u8; 4],
    /// Incremented when a write to the primary file begins.
    pub primary_sequence: U32,
    /// Set to the primary sequence number when the write is complete.
    pub secondary_sequence: U32,
    /// FILETIME; not kept up to date since Windows 8.1.
    pub last_written: U64,
    /// 1 in every hive.
    pub major: U32,
    /// 3 to 6.
    pub minor: U32,
    /// 0 for a primary file, 1, 2 or 6 for a transaction log.
    pub file_type: U32,
    /// 1: direct memory load.
    pub file_format: U32,
    /// The root key node.
    pub root: Offset,
    /// Bytes of all hive bins.
    pub bins_size: U32,
    /// Logical sector size divided by 512.
    pub clustering_factor: U32,
    /// The end of the path that the hive had, in UTF-16LE, filled up with zeros.
    pub file_name: [U16; 32],
    /// Since Windows 10: the resource manager.
    pub rm_id: [u8; 16],
    /// Since Windows 10: its log.
    pub log_id: [u8; 16],
    /// Bit 0: transactions of the kernel transaction manager are pending or expected.
    pub flags: U32,
    /// Since Windows 10: the transaction manager.
    pub tm_id: [u8; 16],
    /// `rmtm` where the identifiers are there.
    pub guid_signature: [u8; 4],
    /// FILETIME.
    pub last_reorganized: U64,
    /// What no version defines.
    pub reserved: [u8; 332],
    /// The XOR-32 checksum of all that is in front of it.
    pub checksum: U32,
}

const _: () = assert!(size_of::<BaseBlockHead>() == 512);

impl BaseBlockHead {
    /// What it begins with.
    pub const SIGNATURE: [u8; 4] = *b"regf";
}
