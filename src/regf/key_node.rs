// SPDX-License-Identifier: GPL-3.0-or-later
//! The key node: a registry key.

use std::borrow::Cow;
use std::fmt;

use super::bytes::{u16_at, u32_at, u64_at};
use super::{CellOffset, Fault, Record, RegfError, StoredName};

/// Bytes of a key node in front of its name.
pub const KEY_NODE_HEADER_SIZE: usize = 76;

/// Where the fields of a key node stand, in bytes from its signature.
#[allow(missing_docs, reason = "the specification's field names")]
pub mod key_node_field {
    pub const FLAGS: usize = 2;
    pub const LAST_WRITTEN: usize = 4;
    pub const ACCESS_BITS: usize = 12;
    pub const LAYERED_BITS: usize = 13;
    pub const PARENT: usize = 16;
    pub const SUBKEY_COUNT: usize = 20;
    pub const VOLATILE_SUBKEY_COUNT: usize = 24;
    pub const SUBKEYS_LIST: usize = 28;
    pub const VOLATILE_SUBKEYS_LIST: usize = 32;
    pub const VALUE_COUNT: usize = 36;
    pub const VALUES_LIST: usize = 40;
    pub const SECURITY: usize = 44;
    pub const CLASS_NAME: usize = 48;
    pub const LARGEST_SUBKEY_NAME: usize = 52;
    pub const VIRTUALIZATION_AND_USER_FLAGS: usize = 54;
    pub const LARGEST_SUBKEY_CLASS: usize = 56;
    pub const LARGEST_VALUE_NAME: usize = 60;
    pub const LARGEST_VALUE_DATA: usize = 64;
    pub const NAME_LENGTH: usize = 72;
    pub const CLASS_NAME_LENGTH: usize = 74;
    pub const NAME: usize = 76;
}

/// The minor version from which on keys and values may be part of layers.
pub(super) const LAYERED_VERSION: u32 = 6;

/// The bits of a key node's flags field.
#[allow(missing_docs, reason = "the specification's flag names")]
pub mod key_flags {
    pub const VOLATILE: u16 = 0x0001;
    pub const HIVE_EXIT: u16 = 0x0002;
    pub const HIVE_ENTRY: u16 = 0x0004;
    pub const NO_DELETE: u16 = 0x0008;
    pub const SYM_LINK: u16 = 0x0010;
    pub const COMP_NAME: u16 = 0x0020;
    pub const PREDEF_HANDLE: u16 = 0x0040;
}

/// What a key is that stands for something else than its own values and subkeys.
///
/// Nothing is ever edited in such a key or below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialKey {
    /// It leads to another key.
    SymbolicLink,
    /// It holds a handle instead of values.
    PredefinedHandle,
    /// Another hive is mounted there.
    HiveExit,
    /// It is part of a layered key.
    LayeredKey,
}

impl fmt::Display for SpecialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SymbolicLink => "is a symbolic link to another key: name that key instead",
            Self::PredefinedHandle => "holds a predefined handle instead of values",
            Self::HiveExit => "is where another hive is mounted",
            Self::LayeredKey => "is part of a layered key of a container",
        })
    }
}

/// A registry key.
///
/// Spec: regf, *Key node*.
#[derive(Clone, Debug)]
pub struct KeyNode<'a> {
    at: CellOffset,
    minor: u32,
    bytes: Cow<'a, [u8]>,
}

impl<'a> KeyNode<'a> {
    /// Reads the key node in the cell at `at`, whose payload is `bytes`, of a hive of version
    /// 1.`minor`.
    ///
    /// # Errors
    ///
    /// [`Fault::BadSignature`], or [`Fault::Truncated`] where the header or the name leaves the
    /// cell.
    pub fn parse(at: CellOffset, minor: u32, bytes: Cow<'a, [u8]>) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::KeyNode, fault);
        check_signature(&bytes, b"nk", "nk").map_err(error)?;
        let node = Self { at, minor, bytes };
        let need = KEY_NODE_HEADER_SIZE.saturating_add(usize::from(node.name_length()));
        check_length(&node.bytes, need).map_err(error)?;
        Ok(node)
    }

    /// The cell it stands in.
    pub fn at(&self) -> CellOffset {
        self.at
    }

    /// The flags field, see [`key_flags`].
    pub fn flags(&self) -> u16 {
        self.u16(key_node_field::FLAGS)
    }

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u16) -> bool {
        self.flags() & flags == flags
    }

    /// FILETIME of the last change.
    pub fn last_written(&self) -> u64 {
        u64_at(&self.bytes, key_node_field::LAST_WRITTEN).unwrap_or(0)
    }

    /// What a layered key is in its stack: 0 ordinary, 1 tombstone, 2 and 3 superseding.
    ///
    /// Keys have layers in version 1.6 only. Before, the byte was spare, and Windows left in it
    /// what had been in the cell: that says nothing.
    pub fn layer_semantics(&self) -> u8 {
        if self.minor < LAYERED_VERSION {
            return 0;
        }
        let bits = self.bytes.get(key_node_field::LAYERED_BITS);
        bits.map_or(0, |bits| bits & 0x03)
    }

    /// What it is if it is no ordinary key.
    pub fn special(&self) -> Option<SpecialKey> {
        if self.has(key_flags::SYM_LINK) {
            Some(SpecialKey::SymbolicLink)
        } else if self.has(key_flags::PREDEF_HANDLE) {
            Some(SpecialKey::PredefinedHandle)
        } else if self.has(key_flags::HIVE_EXIT) {
            Some(SpecialKey::HiveExit)
        } else if self.layer_semantics() != 0 {
            Some(SpecialKey::LayeredKey)
        } else {
            None
        }
    }

    /// The parent's key node; meaningless for the root.
    pub fn parent(&self) -> CellOffset {
        self.offset(key_node_field::PARENT)
    }

    /// How many subkeys it has on disk.
    pub fn subkey_count(&self) -> u32 {
        self.u32(key_node_field::SUBKEY_COUNT)
    }

    /// Its subkeys list, or nothing.
    pub fn subkeys_list(&self) -> CellOffset {
        self.offset(key_node_field::SUBKEYS_LIST)
    }

    /// How many values it has; 0 where the field holds a predefined handle instead.
    pub fn value_count(&self) -> u32 {
        match self.has(key_flags::PREDEF_HANDLE) {
            true => 0,
            false => self.u32(key_node_field::VALUE_COUNT),
        }
    }

    /// The field with the number of values, whatever it holds.
    pub(super) fn stored_value_count(&self) -> u32 {
        self.u32(key_node_field::VALUE_COUNT)
    }

    /// Its key values list, or nothing.
    pub fn values_list(&self) -> CellOffset {
        self.offset(key_node_field::VALUES_LIST)
    }

    /// Its key security cell.
    pub fn security(&self) -> CellOffset {
        self.offset(key_node_field::SECURITY)
    }

    /// Its class name's cell, or nothing.
    pub fn class_name(&self) -> CellOffset {
        self.offset(key_node_field::CLASS_NAME)
    }

    /// Bytes of its class name.
    pub fn class_name_length(&self) -> u16 {
        self.u16(key_node_field::CLASS_NAME_LENGTH)
    }

    /// Bytes of the longest subkey name as UTF-16, without the flags in the field's upper half.
    pub fn largest_subkey_name(&self) -> u16 {
        self.u16(key_node_field::LARGEST_SUBKEY_NAME)
    }

    /// Bytes of the longest class name among the subkeys.
    pub fn largest_subkey_class(&self) -> u32 {
        self.u32(key_node_field::LARGEST_SUBKEY_CLASS)
    }

    /// Bytes of the longest value name as UTF-16.
    pub fn largest_value_name(&self) -> u32 {
        self.u32(key_node_field::LARGEST_VALUE_NAME)
    }

    /// Bytes of the largest value data.
    pub fn largest_value_data(&self) -> u32 {
        self.u32(key_node_field::LARGEST_VALUE_DATA)
    }

    /// The flags beside the longest subkey name: virtualization (low half) and user flags.
    pub fn virtualization_and_user_flags(&self) -> u8 {
        let field = key_node_field::VIRTUALIZATION_AND_USER_FLAGS;
        self.bytes.get(field).copied().unwrap_or(0)
    }

    /// The flags that a new subkey inherits, where this key says that it does.
    pub fn inherited_virtualization_flags(&self) -> u8 {
        const RECURSE: u8 = 0x8;
        let flags = self.virtualization_and_user_flags() & 0x0F;
        if flags & RECURSE == 0 { 0 } else { flags }
    }

    /// Its name.
    pub fn name(&self) -> StoredName<'_> {
        let end = key_node_field::NAME.saturating_add(usize::from(self.name_length()));
        StoredName {
            bytes: self.bytes.get(key_node_field::NAME..end).unwrap_or(&[]),
            narrow: self.has(key_flags::COMP_NAME),
        }
    }

    fn name_length(&self) -> u16 {
        self.u16(key_node_field::NAME_LENGTH)
    }

    fn u16(&self, at: usize) -> u16 {
        u16_at(&self.bytes, at).unwrap_or(0)
    }

    fn u32(&self, at: usize) -> u32 {
        u32_at(&self.bytes, at).unwrap_or(0)
    }

    fn offset(&self, at: usize) -> CellOffset {
        CellOffset(self.u32(at))
    }
}

/// Fails where `bytes` do not begin with the two bytes of a record's signature.
pub(super) fn check_signature(
    bytes: &[u8],
    signature: &[u8; 2],
    expected: &'static str,
) -> Result<(), Fault> {
    match bytes {
        [first, second, ..] if [*first, *second] == *signature => Ok(()),
        [first, second, ..] => {
            let found = [*first, *second, b' ', b' '];
            Err(Fault::BadSignature { found, expected })
        }
        _ => Err(Fault::Truncated { need: 2, have: 0 }),
    }
}

/// Fails where `bytes` are fewer than `need`.
pub(super) fn check_length(bytes: &[u8], need: usize) -> Result<(), Fault> {
    if bytes.len() >= need {
        return Ok(());
    }
    let need = u64::try_from(need).unwrap_or(u64::MAX);
    let have = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Err(Fault::Truncated { need, have })
}
