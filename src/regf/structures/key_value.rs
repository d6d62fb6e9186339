// SPDX-License-Identifier: GPL-3.0-or-later
//! The key value.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A key value in front of its name.
///
/// Spec: regf, *Key value*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct KeyValueHeader {
    /// `vk`.
    pub signature: [u8; 2],
    /// Bytes of the name, which follows.
    pub name_length: U16,
    /// Bytes of the data; the highest bit says that they stand in the next field.
    pub data_size: U32,
    /// The cell of the data, or up to four bytes of data.
    pub data_offset: [u8; 4],
    /// The REG_ type number.
    pub data_type: U32,
    /// See [`crate::regf::value_flags`].
    pub flags: U16,
    /// What no version defines.
    pub spare: U16,
}

const _: () = assert!(size_of::<KeyValueHeader>() == 20);

impl KeyValueHeader {
    /// What it begins with.
    pub const SIGNATURE: [u8; 2] = *b"vk";
}
