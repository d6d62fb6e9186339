// SPDX-License-Identifier: GPL-3.0-or-later
//! The key security record.

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Offset;

/// A key security record in front of its descriptor.
///
/// Spec: regf, *Key security*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct KeySecurityHeader {
    /// `sk`.
    pub signature: [u8; 2],
    /// What no version defines.
    pub reserved: [u8; 2],
    /// The next record of the ring.
    pub flink: Offset,
    /// The previous record of the ring.
    pub blink: Offset,
    /// How many keys use it.
    pub reference_count: U32,
    /// Bytes of the descriptor, which follows.
    pub descriptor_size: U32,
}

const _: () = assert!(size_of::<KeySecurityHeader>() == 20);

impl KeySecurityHeader {
    /// What it begins with.
    pub const SIGNATURE: [u8; 2] = *b"sk";
}
