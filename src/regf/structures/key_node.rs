// SPDX-License-Identifier: GPL-3.0-or-later
//! The key node.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Offset;

/// A key node in front of the key's name.
///
/// Spec: regf, *Key node*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct KeyNodeHeader {
    /// `nk`.
    pub signature: [u8; 2],
    /// See [`crate::regf::key_flags`].
    pub flags: U16,
    /// FILETIME of the last change.
    pub last_written: U64,
    /// Since Windows 8: how the key was opened since the boot.
    pub access_bits: u8,
    /// Since Windows 10: what the key is among layers, in the lowest two bits.
    pub layered_bits: u8,
    /// What no version defines.
    pub spare: [u8; 2],
    /// The parent's key node; meaningless for the root.
    pub parent: Offset,
    /// How many subkeys the key has on disk.
    pub subkey_count: U32,
    /// How many it has in memory.
    pub volatile_subkey_count: U32,
    /// The subkeys list, or nothing.
    pub subkeys_list: Offset,
    /// Means nothing on disk.
    pub volatile_subkeys_list: Offset,
    /// How many values the key has, or a predefined handle.
    pub value_count: U32,
    /// The key values list, or nothing.
    pub values_list: Offset,
    /// The key security record.
    pub security: Offset,
    /// The class name's cell, or nothing.
    pub class_name: Offset,
    /// Bytes of the longest subkey name as UTF-16.
    pub largest_subkey_name: U16,
    /// Since Windows Vista: virtualization flags (low half) and user flags.
    pub virtualization_and_user_flags: u8,
    /// Since Windows Vista: for debugging.
    pub debug: u8,
    /// Bytes of the longest class name among the subkeys.
    pub largest_subkey_class: U32,
    /// Bytes of the longest value name as UTF-16.
    pub largest_value_name: U32,
    /// Bytes of the largest value data.
    pub largest_value_data: U32,
    /// Used in memory.
    pub work_var: U32,
    /// Bytes of the name, which follows.
    pub name_length: U16,
    /// Bytes of the class name.
    pub class_name_length: U16,
}

const _: () = assert!(size_of::<KeyNodeHeader>() == 76);

impl KeyNodeHeader {
    /// What it begins with.
    pub const SIGNATURE: [u8; 2] = *b"nk";

    /// A node in which nothing is said, not even what it is.
    pub const EMPTY: Self = zerocopy::transmute!([0_u8; size_of::<Self>()]);
}
