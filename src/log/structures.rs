// SPDX-License-Identifier: GPL-3.0-or-later
//! The structures of transaction logs, byte for byte as they are on disk, each declared once.
//!
//! A log begins with a base block, see [`BaseBlockHead`](crate::regf::structures::BaseBlockHead).
//!
//! Spec: regf, *Format of transaction log files*.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What the dirty vector of an old log begins with; a bitmap of its dirty pages follows.
pub(super) const DIRTY_VECTOR: [u8; 4] = *b"DIRT";

/// A log entry in front of its page references; the pages follow on those.
///
/// Spec: regf, *Log entries*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct LogEntryHeader {
    /// `HvLE`.
    pub(super) signature: [u8; 4],
    /// Bytes of the entry, a multiple of 512.
    pub(super) size: U32,
    /// The flags of the base block as they were; only bit 0 has a meaning.
    pub(super) flags: U32,
    /// The number of the entry.
    pub(super) sequence: U32,
    /// Bytes of all hive bins once the entry is applied.
    pub(super) bins_size: U32,
    /// How many page references follow.
    pub(super) page_count: U32,
    /// The hash of all that follows on this header.
    pub(super) hash_1: U64,
    /// The hash of all of this header that stands in front of it.
    pub(super) hash_2: U64,
}

const _: () = assert!(size_of::<LogEntryHeader>() == 40);

impl LogEntryHeader {
    /// What it begins with.
    pub(super) const SIGNATURE: [u8; 4] = *b"HvLE";
}

/// Where a page of a log entry goes, and how long it is.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct PageReference {
    /// From the start of the hive bins data.
    pub(super) offset: U32,
    /// Bytes of the page.
    pub(super) size: U32,
}

const _: () = assert!(size_of::<PageReference>() == 8);
