// SPDX-License-Identifier: GPL-3.0-or-later
//! The key value: a name, a type, and where the data is.

use std::borrow::Cow;

use super::bytes::{u16_at, u32_at};
use super::key_node::{LAYERED_VERSION, check_length, check_signature};
use super::{CellOffset, Record, RegfError, StoredName};

/// Bytes of a key value in front of its name.
pub const KEY_VALUE_HEADER_SIZE: usize = 20;

/// The bit of the data size field that says: the data stands in the data offset field.
pub const INLINE_DATA: u32 = 0x8000_0000;

/// The most bytes a value's data may have to stand in the data offset field.
pub const INLINE_DATA_LIMIT: u32 = 4;

/// Where the fields of a key value stand, in bytes from its signature.
#[allow(missing_docs, reason = "the specification's field names")]
pub mod key_value_field {
    pub const NAME_LENGTH: usize = 2;
    pub const DATA_SIZE: usize = 4;
    pub const DATA_OFFSET: usize = 8;
    pub const DATA_TYPE: usize = 12;
    pub const FLAGS: usize = 16;
    pub const NAME: usize = 20;
}

/// The bits of a key value's flags field.
#[allow(missing_docs, reason = "the specification's flag names")]
pub mod value_flags {
    pub const COMP_NAME: u16 = 0x0001;
    pub const TOMBSTONE: u16 = 0x0002;
}

/// A registry value without its data.
///
/// Spec: regf, *Key value*.
#[derive(Clone, Debug)]
pub struct KeyValue<'a> {
    at: CellOffset,
    minor: u32,
    bytes: Cow<'a, [u8]>,
}

impl<'a> KeyValue<'a> {
    /// Reads the key value in the cell at `at`, whose payload is `bytes`, of a hive of version
    /// 1.`minor`.
    ///
    /// # Errors
    ///
    /// [`super::Fault::BadSignature`], or [`super::Fault::Truncated`] where the header or the name
    /// leaves the cell.
    pub fn parse(at: CellOffset, minor: u32, bytes: Cow<'a, [u8]>) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::KeyValue, fault);
        check_signature(&bytes, b"vk", "vk").map_err(error)?;
        let value = Self { at, minor, bytes };
        let need = KEY_VALUE_HEADER_SIZE.saturating_add(usize::from(value.name_length()));
        check_length(&value.bytes, need).map_err(error)?;
        Ok(value)
    }

    /// The cell it stands in.
    pub fn at(&self) -> CellOffset {
        self.at
    }

    /// Its name; empty for a key's default value.
    pub fn name(&self) -> StoredName<'_> {
        let end = key_value_field::NAME.saturating_add(usize::from(self.name_length()));
        StoredName {
            bytes: self.bytes.get(key_value_field::NAME..end).unwrap_or(&[]),
            narrow: self.flags() & value_flags::COMP_NAME != 0,
        }
    }

    /// The REG_ type number.
    pub fn kind(&self) -> u32 {
        self.u32(key_value_field::DATA_TYPE)
    }

    /// Whether it hides a value of a lower layer instead of holding data; in version 1.6 only, see
    /// [`super::KeyNode::layer_semantics`].
    pub fn is_tombstone(&self) -> bool {
        self.minor >= LAYERED_VERSION && self.flags() & value_flags::TOMBSTONE != 0
    }

    /// Bytes of its data.
    pub fn data_size(&self) -> u32 {
        self.stored_data_size() & !INLINE_DATA
    }

    /// Whether the data stands in the data offset field.
    pub fn is_inline(&self) -> bool {
        self.stored_data_size() & INLINE_DATA != 0
    }

    /// Where the data is, unless it is inline.
    pub fn data_offset(&self) -> CellOffset {
        CellOffset(self.u32(key_value_field::DATA_OFFSET))
    }

    /// The bytes of the data offset field: inline data, followed by what else stands there.
    pub fn data_field(&self) -> [u8; 4] {
        self.u32(key_value_field::DATA_OFFSET).to_le_bytes()
    }

    /// The flags field, see [`value_flags`].
    pub fn flags(&self) -> u16 {
        u16_at(&self.bytes, key_value_field::FLAGS).unwrap_or(0)
    }

    fn stored_data_size(&self) -> u32 {
        self.u32(key_value_field::DATA_SIZE)
    }

    fn name_length(&self) -> u16 {
        u16_at(&self.bytes, key_value_field::NAME_LENGTH).unwrap_or(0)
    }

    fn u32(&self, at: usize) -> u32 {
        u32_at(&self.bytes, at).unwrap_or(0)
    }
}
