// SPDX-License-Identifier: GPL-3.0-or-later
//! The key value: a name, a type, and where the data is.

use std::borrow::Cow;

use super::key_node::{LAYERED_VERSION, check_length, check_signature, whole};
use super::structures::KeyValueHeader;
use super::{CellOffset, Record, RegfError, StoredName};

/// The bit of the data size field that says: the data stands in the data offset field.
pub(crate) const INLINE_DATA: u32 = 0x8000_0000;

/// The most bytes a value's data may have to stand in the data offset field.
pub(crate) const INLINE_DATA_LIMIT: u32 = 4;

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
    header: KeyValueHeader,
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
        check_signature(&bytes, &KeyValueHeader::SIGNATURE, "vk").map_err(error)?;
        let header: KeyValueHeader = whole(&bytes).map_err(error)?;
        let name = usize::from(header.name_length.get());
        let need = size_of::<KeyValueHeader>().saturating_add(name);
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

    /// Its name; empty for a key's default value.
    pub fn name(&self) -> StoredName<'_> {
        let start = size_of::<KeyValueHeader>();
        let end = start.saturating_add(usize::from(self.header.name_length.get()));
        StoredName {
            bytes: self.bytes.get(start..end).unwrap_or(&[]),
            narrow: self.flags() & value_flags::COMP_NAME != 0,
        }
    }

    /// The REG_ type number.
    pub fn kind(&self) -> u32 {
        self.header.data_type.get()
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
        CellOffset(u32::from_le_bytes(self.header.data_offset))
    }

    /// The bytes of the data offset field: inline data, followed by what else stands there.
    pub fn data_field(&self) -> [u8; 4] {
        self.header.data_offset
    }

    /// The flags field, see [`value_flags`].
    pub fn flags(&self) -> u16 {
        self.header.flags.get()
    }

    fn stored_data_size(&self) -> u32 {
        self.header.data_size.get()
    }
}
