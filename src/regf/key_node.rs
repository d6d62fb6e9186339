// SPDX-License-Identifier: GPL-3.0-or-later
//! The key node: a registry key.

use std::borrow::Cow;
use std::fmt;

use super::structures::{self, KeyNodeHeader};
use super::{CellOffset, Fault, Record, RegfError, StoredName};

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
#[non_exhaustive]
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
    header: KeyNodeHeader,
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
        check_signature(&bytes, &KeyNodeHeader::SIGNATURE, "nk").map_err(error)?;
        let header: KeyNodeHeader = whole(&bytes).map_err(error)?;
        let name = usize::from(header.name_length.get());
        let need = size_of::<KeyNodeHeader>().saturating_add(name);
        check_length(&bytes, need).map_err(error)?;
        Ok(Self {
            at,
            minor,
            header,
            bytes,
        })
    }

    /// The cell it stands in.
    pub fn at(&self) -> CellOffset {
        self.at
    }

    /// The flags field, see [`key_flags`].
    pub fn flags(&self) -> u16 {
        self.header.flags.get()
    }

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u16) -> bool {
        self.flags() & flags == flags
    }

    /// FILETIME of the last change.
    pub fn last_written(&self) -> u64 {
        self.header.last_written.get()
    }

    /// What a layered key is in its stack: 0 ordinary, 1 tombstone, 2 and 3 superseding.
    ///
    /// Keys have layers in version 1.6 only. Before, the byte was spare, and Windows left in it
    /// what had been in the cell: that says nothing.
    pub fn layer_semantics(&self) -> u8 {
        if self.minor < LAYERED_VERSION {
            return 0;
        }
        self.header.layered_bits & 0x03
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
        self.header.parent.get()
    }

    /// How many subkeys it has on disk.
    pub fn subkey_count(&self) -> u32 {
        self.header.subkey_count.get()
    }

    /// Its subkeys list, or nothing.
    pub fn subkeys_list(&self) -> CellOffset {
        self.header.subkeys_list.get()
    }

    /// How many values it has; 0 where the field holds a predefined handle instead.
    pub fn value_count(&self) -> u32 {
        match self.has(key_flags::PREDEF_HANDLE) {
            true => 0,
            false => self.header.value_count.get(),
        }
    }

    /// The field with the number of values, whatever it holds.
    pub(super) fn stored_value_count(&self) -> u32 {
        self.header.value_count.get()
    }

    /// Its key values list, or nothing.
    pub fn values_list(&self) -> CellOffset {
        self.header.values_list.get()
    }

    /// Its key security cell.
    pub fn security(&self) -> CellOffset {
        self.header.security.get()
    }

    /// Its class name's cell, or nothing.
    pub fn class_name(&self) -> CellOffset {
        self.header.class_name.get()
    }

    /// Bytes of its class name.
    pub fn class_name_length(&self) -> u16 {
        self.header.class_name_length.get()
    }

    /// Bytes of the longest subkey name as UTF-16, without the flags in the field's upper half.
    pub fn largest_subkey_name(&self) -> u16 {
        self.header.largest_subkey_name.get()
    }

    /// Bytes of the longest class name among the subkeys.
    pub fn largest_subkey_class(&self) -> u32 {
        self.header.largest_subkey_class.get()
    }

    /// Bytes of the longest value name as UTF-16.
    pub fn largest_value_name(&self) -> u32 {
        self.header.largest_value_name.get()
    }

    /// Bytes of the largest value data.
    pub fn largest_value_data(&self) -> u32 {
        self.header.largest_value_data.get()
    }

    /// The flags beside the longest subkey name: virtualization (low half) and user flags.
    pub fn virtualization_and_user_flags(&self) -> u8 {
        self.header.virtualization_and_user_flags
    }

    /// The flags that a new subkey inherits, where this key says that it does.
    pub fn inherited_virtualization_flags(&self) -> u8 {
        const RECURSE: u8 = 0x8;
        let flags = self.virtualization_and_user_flags() & 0x0F;
        if flags & RECURSE == 0 { 0 } else { flags }
    }

    /// Its name.
    pub fn name(&self) -> StoredName<'_> {
        let start = size_of::<KeyNodeHeader>();
        let end = start.saturating_add(usize::from(self.header.name_length.get()));
        StoredName {
            bytes: self.bytes.get(start..end).unwrap_or(&[]),
            narrow: self.has(key_flags::COMP_NAME),
        }
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

/// The structure that `bytes` begin with; fails where they are fewer than it has.
pub(super) fn whole<S: zerocopy::FromBytes>(bytes: &[u8]) -> Result<S, Fault> {
    structures::read(bytes).ok_or_else(|| Fault::Truncated {
        need: u64::try_from(size_of::<S>()).unwrap_or(u64::MAX),
        have: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    })
}
