// SPDX-License-Identifier: GPL-3.0-or-later
//! The big data record.

use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Offset;

/// The record that leads to a list of data segments.
///
/// Spec: regf, *Big data*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BigDataRecord {
    /// `db`.
    pub signature: [u8; 2],
    /// How many segments there are.
    pub segment_count: U16,
    /// The cell with the list of their offsets.
    pub segments_list: Offset,
}

const _: () = assert!(size_of::<BigDataRecord>() == 8);

impl BigDataRecord {
    /// What it begins with.
    pub const SIGNATURE: [u8; 2] = *b"db";
}
