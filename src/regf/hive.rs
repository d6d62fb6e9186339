// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive as a tree of keys and values, read where its bytes are.

use std::borrow::Cow;

use super::bytes::u32_at;
use super::structures::{BaseBlockHead, KeyNodeHeader, KeyValueHeader, Offset, listed};
use super::subkeys_list::expect_leaf;
use super::{
    BaseBlock, BigData, CellOffset, DATA_SEGMENT_SIZE, Fault, FileOffset, HIVE_BIN_HEADER_SIZE,
    HiveBytes, KeyNode, KeySecurity, KeyValue, ListKind, Name, Record, RegfError, SubkeysList,
    needs_big_data,
};

/// The most bytes that a name's 16-bit length field can count.
const LONGEST_STORED_NAME: usize = 0xFFFF;

/// A hive over any source of bytes. Reads what it is asked for and nothing else.
#[derive(Clone, Copy)]
pub struct Hive<'a> {
    source: &'a dyn HiveBytes,
    base: BaseBlock,
}

impl<'a> Hive<'a> {
    /// Opens the primary file in `source`; whether it is clean is for the caller to ask.
    ///
    /// # Errors
    ///
    /// Where the base block is not that of a primary file in a supported version.
    pub fn open(source: &'a dyn HiveBytes) -> Result<Self, RegfError> {
        let head = source.read(FileOffset(0), size_of::<BaseBlockHead>());
        let head = head.map_err(|error| RegfError {
            record: Record::BaseBlock,
            ..error
        })?;
        let base = BaseBlock::parse(&head)?;
        base.validate(source.size())?;
        Ok(Self { source, base })
    }

    /// The base block.
    pub fn base(&self) -> &BaseBlock {
        &self.base
    }

    /// The payload of the allocated cell at `at`: its bytes without the 4-byte size field.
    ///
    /// The size is stored negated while a cell is in use, counts the size field itself, and is a
    /// multiple of 8 bytes.
    ///
    /// Spec: regf, *Cell*.
    ///
    /// # Errors
    ///
    /// [`Fault::BadOffset`] outside the bins, [`Fault::FreeCell`] where the cell is not in use,
    /// [`Fault::BadCellSize`] where it cannot have the size it claims.
    pub fn cell(&self, at: CellOffset, record: Record) -> Result<Cow<'a, [u8]>, RegfError> {
        self.cell_head(at, record, usize::MAX)
    }

    /// The first bytes of the payload of the allocated cell at `at`, at most `most`.
    ///
    /// A cell may be as large as the hive: who needs a few bytes of it must not read them all.
    fn cell_head(
        &self,
        at: CellOffset,
        record: Record,
        most: usize,
    ) -> Result<Cow<'a, [u8]>, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), record, fault);
        let room = self.base.bins_size.saturating_sub(at.0);
        if at.0 < HIVE_BIN_HEADER_SIZE || !at.0.is_multiple_of(8) || room < 8 {
            return Err(error(Fault::BadOffset(at.0)));
        }
        let relabel = |error: RegfError| RegfError { record, ..error };
        let field = self.source.read(at.in_file(), 4).map_err(relabel)?;
        let size = u32_at(&field, 0).unwrap_or(0).cast_signed();
        if size > 0 {
            return Err(error(Fault::FreeCell));
        }
        let total = size.unsigned_abs();
        if total < 8 || !total.is_multiple_of(8) || total > room {
            return Err(error(Fault::BadCellSize(size)));
        }
        let payload = FileOffset(at.in_file().0.saturating_add(4));
        let length = usize::try_from(total.saturating_sub(4)).unwrap_or(usize::MAX);
        self.source.read(payload, length.min(most)).map_err(relabel)
    }

    /// The root key.
    ///
    /// # Errors
    ///
    /// Where the root cell is no key node.
    pub fn root(&self) -> Result<KeyNode<'a>, RegfError> {
        self.key(self.base.root)
    }

    /// The key node at `at`.
    ///
    /// # Errors
    ///
    /// Where the cell is no key node.
    pub fn key(&self, at: CellOffset) -> Result<KeyNode<'a>, RegfError> {
        let most = size_of::<KeyNodeHeader>().saturating_add(LONGEST_STORED_NAME);
        let bytes = self.cell_head(at, Record::KeyNode, most)?;
        KeyNode::parse(at, self.base.minor, bytes)
    }

    /// The key at `path`, segment by segment below the root; `None` where it does not exist.
    ///
    /// # Errors
    ///
    /// Where a structure on the way is damaged.
    pub fn find(&self, path: &[Name]) -> Result<Option<KeyNode<'a>>, RegfError> {
        let mut key = self.root()?;
        for name in path {
            match self.find_subkey(&key, name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The subkey of `key` called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// Where a subkeys list or a key node that may be meant is damaged.
    pub fn find_subkey(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyNode<'a>>, RegfError> {
        let hash = name.hash();
        let mut seen: usize = 0;
        for leaf in self.leaves(key)? {
            let bytes = self.cell(leaf, Record::SubkeysList)?;
            let list = SubkeysList::parse(leaf, &bytes)?;
            expect_leaf(leaf, list)?;
            seen = seen.saturating_add(list.len());
            self.expect_room_for_keys(seen, leaf)?;
            for cell in list.candidates(name, hash) {
                let subkey = self.key(cell)?;
                if subkey.name().order_name(name).is_eq() {
                    return Ok(Some(subkey));
                }
            }
        }
        Ok(None)
    }

    /// The subkeys of `key`, in the order of the list.
    ///
    /// # Errors
    ///
    /// Where a subkeys list is damaged, or holds more keys than the hive has room for.
    pub fn subkeys(&self, key: &KeyNode<'_>) -> Result<Vec<CellOffset>, RegfError> {
        let mut cells = Vec::new();
        for leaf in self.leaves(key)? {
            let bytes = self.cell(leaf, Record::SubkeysList)?;
            let list = SubkeysList::parse(leaf, &bytes)?;
            expect_leaf(leaf, list)?;
            self.expect_room_for_keys(cells.len().saturating_add(list.len()), leaf)?;
            cells.extend(list.cells());
        }
        Ok(cells)
    }

    /// Fails where one key's lists, the one at `leaf` the last of them, hold more keys than fit into
    /// the hive: leaves that are listed again and again would keep a reader busy for hours.
    pub(super) fn expect_room_for_keys(
        &self,
        count: usize,
        leaf: CellOffset,
    ) -> Result<(), RegfError> {
        let room = usize::try_from(self.base.bins_size).unwrap_or(usize::MAX);
        if count <= room.checked_div(size_of::<KeyNodeHeader>()).unwrap_or(0) {
            return Ok(());
        }
        let fault = Fault::BadField {
            field: "number of elements",
            found: u64::try_from(count).unwrap_or(u64::MAX),
        };
        Err(RegfError::new(leaf.in_file(), Record::SubkeysList, fault))
    }

    /// The leaves of `key`'s subkeys list: the list itself, or those under its index root.
    ///
    /// # Errors
    ///
    /// Where the list is damaged.
    pub fn leaves(&self, key: &KeyNode<'_>) -> Result<Vec<CellOffset>, RegfError> {
        if key.subkey_count() == 0 {
            return Ok(Vec::new());
        }
        let Some(at) = key.subkeys_list().some() else {
            return Ok(Vec::new());
        };
        let bytes = self.cell(at, Record::SubkeysList)?;
        let list = SubkeysList::parse(at, &bytes)?;
        match list.kind {
            ListKind::IndexRoot => Ok(list.cells().collect()),
            _ => Ok(vec![at]),
        }
    }

    /// The values of `key`, in the order they were made.
    ///
    /// # Errors
    ///
    /// Where the list leaves its cell.
    pub fn values(&self, key: &KeyNode<'_>) -> Result<Vec<CellOffset>, RegfError> {
        let count = usize::try_from(key.value_count()).unwrap_or(usize::MAX);
        if count == 0 {
            return Ok(Vec::new());
        }
        let at = key.values_list();
        let bytes = self.cell(at, Record::KeyValuesList)?;
        offsets(&bytes, count).map_err(|f| RegfError::new(at.in_file(), Record::KeyValuesList, f))
    }

    /// The key value at `at`.
    ///
    /// # Errors
    ///
    /// Where the cell is no key value.
    pub fn value(&self, at: CellOffset) -> Result<KeyValue<'a>, RegfError> {
        let most = size_of::<KeyValueHeader>().saturating_add(LONGEST_STORED_NAME);
        let bytes = self.cell_head(at, Record::KeyValue, most)?;
        KeyValue::parse(at, self.base.minor, bytes)
    }

    /// The value of `key` called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// Where the list or a value in front of the one meant is damaged.
    pub fn find_value(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyValue<'a>>, RegfError> {
        for at in self.values(key)? {
            let value = self.value(at)?;
            if value.name().order_name(name).is_eq() {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The data of `value`, wherever it is stored.
    ///
    /// Spec: regf, *Key value > Data size*, *Big data*.
    ///
    /// # Errors
    ///
    /// Where a cell of the data is damaged or too short.
    pub fn data(&self, value: &KeyValue<'_>) -> Result<Cow<'a, [u8]>, RegfError> {
        let size = value.data_size();
        if value.is_inline() {
            return inline_data(value, size);
        }
        if size == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        if size > self.base.bins_size {
            let field = "data size";
            let found = u64::from(size);
            let fault = Fault::BadField { field, found };
            let at = value.at().in_file();
            return Err(RegfError::new(at, Record::KeyValue, fault));
        }
        if needs_big_data(self.base.minor, size) {
            return self.segments(value.data_offset(), size).map(Cow::Owned);
        }
        let at = value.data_offset();
        let payload = self.cell_head(at, Record::ValueData, usize_of(size))?;
        first(payload, size).map_err(|f| RegfError::new(at.in_file(), Record::ValueData, f))
    }

    fn segments(&self, at: CellOffset, size: u32) -> Result<Vec<u8>, RegfError> {
        let record = BigData::parse(at, &self.cell(at, Record::BigData)?)?;
        let wanted = size.div_ceil(DATA_SEGMENT_SIZE);
        if u32::from(record.segment_count) != wanted {
            let fault = Fault::CountMismatch {
                field: "number of segments",
                stored: u64::from(record.segment_count),
                counted: u64::from(wanted),
            };
            return Err(RegfError::new(at.in_file(), Record::BigData, fault));
        }
        let list = self.cell(record.segments_list, Record::SegmentsList)?;
        let cells = offsets(&list, usize::from(record.segment_count)).map_err(|fault| {
            RegfError::new(record.segments_list.in_file(), Record::SegmentsList, fault)
        })?;
        let mut data = Vec::new();
        let mut left = size;
        for cell in cells {
            let part = left.min(DATA_SEGMENT_SIZE);
            let payload = self.cell_head(cell, Record::ValueData, usize_of(part))?;
            let payload = first(payload, part)
                .map_err(|f| RegfError::new(cell.in_file(), Record::ValueData, f))?;
            data.extend_from_slice(&payload);
            left = left.saturating_sub(part);
        }
        Ok(data)
    }

    /// The key security record at `at`.
    ///
    /// # Errors
    ///
    /// Where the cell is no key security record.
    pub fn security(&self, at: CellOffset) -> Result<KeySecurity<'a>, RegfError> {
        KeySecurity::parse(at, self.cell(at, Record::KeySecurity)?)
    }

    /// The bytes of `key`'s class name, empty where it has none.
    ///
    /// # Errors
    ///
    /// Where the name leaves its cell.
    pub fn class_name(&self, key: &KeyNode<'_>) -> Result<Cow<'a, [u8]>, RegfError> {
        let size = u32::from(key.class_name_length());
        let at = key.class_name();
        if size == 0 || at.is_none() {
            return Ok(Cow::Borrowed(&[]));
        }
        let payload = self.cell_head(at, Record::ClassName, usize_of(size))?;
        first(payload, size).map_err(|f| RegfError::new(at.in_file(), Record::ClassName, f))
    }
}

fn inline_data<'a>(value: &KeyValue<'_>, size: u32) -> Result<Cow<'a, [u8]>, RegfError> {
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    let field = value.data_field();
    match field.get(..length) {
        Some(data) => Ok(Cow::Owned(data.to_vec())),
        None => {
            let fault = Fault::BadField {
                field: "inline data size",
                found: u64::from(size),
            };
            Err(RegfError::new(
                value.at().in_file(),
                Record::KeyValue,
                fault,
            ))
        }
    }
}

/// The first `count` offsets of a list.
pub(super) fn offsets(bytes: &[u8], count: usize) -> Result<Vec<CellOffset>, Fault> {
    let need = count.saturating_mul(size_of::<Offset>());
    super::key_node::check_length(bytes, need)?;
    let elements = listed::<Offset>(bytes).iter().take(count);
    Ok(elements.map(|element| element.get()).collect())
}

fn usize_of(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn first(payload: Cow<'_, [u8]>, size: u32) -> Result<Cow<'_, [u8]>, Fault> {
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    super::key_node::check_length(&payload, length)?;
    Ok(match payload {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(..length).unwrap_or(&[])),
        Cow::Owned(mut bytes) => {
            bytes.truncate(length);
            Cow::Owned(bytes)
        }
    })
}
