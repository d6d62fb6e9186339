// SPDX-License-Identifier: GPL-3.0-or-later
//! Setting and deleting values.

use super::editor::Editor;
use super::error::EditError;
use crate::regf::structures::{
    BigDataRecord, Field, KeyNodeHeader, KeyValueHeader, Offset, listed,
};
use crate::regf::{
    BigData, CellOffset, DATA_SEGMENT_SIZE, Hive, INLINE_DATA, KeyNode, KeyValue, ListedValue,
    Name, NodePath, VALUE_NAME_LIMIT, field, needs_big_data, value_flags,
};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

/// Where a value's data stands.
enum Storage {
    /// In the value itself, or nowhere.
    Inline,
    /// In one cell.
    Cell(CellOffset),
    /// In segments.
    Segments {
        record: CellOffset,
        list: CellOffset,
        cells: Vec<CellOffset>,
    },
}

impl Editor {
    /// Sets the value `name` of the key at `path`; says whether anything had to change.
    ///
    /// An existing value keeps the spelling of its name.
    ///
    /// # Errors
    ///
    /// [`EditError::KeyMissing`] where the key does not exist: it is not made by this.
    pub fn set_value(
        &mut self,
        path: impl Into<NodePath>,
        name: &Name,
        kind: u32,
        data: &[u8],
    ) -> Result<bool, EditError> {
        let path = path.into();
        if name.units().len() > VALUE_NAME_LIMIT {
            let (name, why) = (name.clone(), "a value's name has at most 16,383 characters");
            return Err(EditError::BadName { name, why });
        }
        // Big data counts its segments in 16 bits.
        let segment = usize::try_from(DATA_SEGMENT_SIZE).unwrap_or(usize::MAX);
        if data.len().div_ceil(segment) > usize::from(u16::MAX) {
            return Err(EditError::DataTooLarge(data.len()));
        }
        self.spare(&path)?;
        let key = self.expect_key(&path)?;
        self.edit(|editor| editor.set_value_of(key, name, kind, data))
    }

    /// Deletes the value `name` of the key at `path`; says whether it was there.
    ///
    /// # Errors
    ///
    /// Where the key must not be edited. A missing key is not an error: the value is not there.
    pub fn delete_value(
        &mut self,
        path: impl Into<NodePath>,
        name: &Name,
    ) -> Result<bool, EditError> {
        let path = path.into();
        self.spare(&path)?;
        let Some(key) = self.find_ordinary(&path)? else {
            return Ok(false);
        };
        self.edit(|editor| editor.delete_value_of(key, name))
    }

    fn expect_key(&mut self, path: &NodePath) -> Result<CellOffset, EditError> {
        let missing = || EditError::KeyMissing(path.name().cloned().unwrap_or_default());
        self.find_ordinary(path)?.ok_or_else(missing)
    }

    pub(super) fn set_value_of(
        &mut self,
        key: CellOffset,
        name: &Name,
        kind: u32,
        data: &[u8],
    ) -> Result<bool, EditError> {
        match self.find_open_value(key, name)? {
            Some(ListedValue { value, .. }) => {
                let at = value.at();
                let hive = self.hive()?;
                let value = hive.value(at)?;
                if value.kind() == kind && !value.is_tombstone() && *hive.data(&value)? == *data {
                    self.close_few_values(key)?;
                    return Ok(false);
                }
                let flags = value.flags() & !value_flags::TOMBSTONE;
                let old = storage(&hive, &value)?;
                self.write_data(at, old, data)?;
                self.image.set(at, field!(KeyValueHeader.data_type), kind)?;
                self.image.set(at, field!(KeyValueHeader.flags), flags)?;
            }
            None => {
                let at = self.add_value(name, kind)?;
                self.write_data(at, Storage::Inline, data)?;
                self.append_to_values_list(key, name, at)?;
            }
        }
        self.close_few_values(key)?;
        self.raise_value_maxima(key, name, data.len())?;
        self.touch(key)?;
        Ok(true)
    }

    fn add_value(&mut self, name: &Name, kind: u32) -> Result<CellOffset, EditError> {
        let (stored, narrow) = name.to_stored();
        let length = u16::try_from(stored.len()).map_err(|_| EditError::BadName {
            name: name.clone(),
            why: "too long",
        })?;
        // The unnamed value has no flag in any hive that Windows wrote: nothing was compressed.
        let is_compressed = narrow && !stored.is_empty();
        let flags = if is_compressed {
            value_flags::COMP_NAME
        } else {
            0
        };
        let header = KeyValueHeader {
            signature: KeyValueHeader::SIGNATURE,
            name_length: length.into(),
            data_size: INLINE_DATA.into(),
            data_offset: [0; 4],
            data_type: kind.into(),
            flags: flags.into(),
            spare: U16::ZERO,
        };
        self.allocate_with(&[header.as_bytes(), &stored].concat())
    }

    /// Puts `data` where its size says it belongs, and that place into the value at `value`.
    ///
    /// Cells that are large enough are used again. Spec: regf, *Data size*, *Big data*.
    fn write_data(
        &mut self,
        value: CellOffset,
        old: Storage,
        data: &[u8],
    ) -> Result<(), EditError> {
        let size = u32::try_from(data.len()).map_err(|_| EditError::DataTooLarge(data.len()))?;
        let (size_field, data_field) = if data.len() <= 4 {
            self.free_storage(old)?;
            let mut field = [0; 4];
            for (slot, &byte) in field.iter_mut().zip(data) {
                *slot = byte;
            }
            (size | INLINE_DATA, field)
        } else if needs_big_data(self.hive()?.base().minor, size) {
            (size, self.write_segments(old, data)?.0.to_le_bytes())
        } else {
            (size, self.write_cell(old, data)?.0.to_le_bytes())
        };
        let image = &mut self.image;
        image.set(value, field!(KeyValueHeader.data_size), size_field)?;
        image.set(value, field!(KeyValueHeader.data_offset), data_field)
    }

    fn write_cell(&mut self, old: Storage, data: &[u8]) -> Result<CellOffset, EditError> {
        if let Storage::Cell(at) = old
            && self.image.capacity(at)? >= data.len()
        {
            self.image.put(at, 0, data)?;
            return Ok(at);
        }
        self.free_storage(old)?;
        self.allocate_with(data)
    }

    fn write_segments(&mut self, old: Storage, data: &[u8]) -> Result<CellOffset, EditError> {
        let segment = usize::try_from(DATA_SEGMENT_SIZE).unwrap_or(usize::MAX);
        let parts = data.chunks(segment);
        let count = parts.len();
        if let Storage::Segments {
            record,
            list,
            cells,
        } = &old
            && cells.len() == count
        {
            for (index, (cell, part)) in cells.iter().zip(parts).enumerate() {
                let at = self.write_segment(Some(*cell), part)?;
                self.put_element(*list, index, at)?;
            }
            return Ok(*record);
        }
        self.free_storage(old)?;
        let mut list: Vec<Offset> = Vec::new();
        for part in parts {
            list.push(self.write_segment(None, part)?.into());
        }
        let list = self.allocate_with(list.as_bytes())?;
        let count = u16::try_from(count).map_err(|_| EditError::DataTooLarge(data.len()))?;
        let record = BigDataRecord {
            signature: BigDataRecord::SIGNATURE,
            segment_count: count.into(),
            segments_list: list.into(),
        };
        self.allocate_with(record.as_bytes())
    }

    /// Writes one segment, into `old` where that has the room.
    ///
    /// The last segment has the cell of a full one too: Windows takes a shorter one for damage.
    fn write_segment(
        &mut self,
        old: Option<CellOffset>,
        part: &[u8],
    ) -> Result<CellOffset, EditError> {
        let segment = usize::try_from(DATA_SEGMENT_SIZE).unwrap_or(usize::MAX);
        if let Some(at) = old {
            if self.image.capacity(at)? >= segment {
                self.image.put(at, 0, part)?;
                return Ok(at);
            }
            self.free_cell(at)?;
        }
        let at = self.allocate(segment)?;
        self.image.fill(at, part)?;
        Ok(at)
    }

    fn free_storage(&mut self, storage: Storage) -> Result<(), EditError> {
        match storage {
            Storage::Inline => Ok(()),
            Storage::Cell(at) => self.free_cell(at),
            Storage::Segments {
                record,
                list,
                cells,
            } => {
                for cell in cells {
                    self.free_cell(cell)?;
                }
                self.free_cell(list)?;
                self.free_cell(record)
            }
        }
    }

    /// Puts the value `name` at `value` behind the last one of the key's open values.
    fn append_to_values_list(
        &mut self,
        key: CellOffset,
        name: &Name,
        value: CellOffset,
    ) -> Result<(), EditError> {
        let node = self.key_fields(key)?;
        let count = node.value_count.checked_add(1);
        let count = count.ok_or(EditError::CountOverflow("the number of values"))?;
        let place = usize::try_from(node.value_count).unwrap_or(usize::MAX);
        let used = place.saturating_mul(size_of::<Offset>());
        let list = match node.values_list.some() {
            Some(list) if node.value_count > 0 => self.make_room_in_values(key, list, used)?,
            _ => self.allocate(size_of::<Offset>())?,
        };
        self.put_element(list, place, value)?;
        let image = &mut self.image;
        image.set(key, field!(KeyNodeHeader.values_list), list)?;
        image.set(key, field!(KeyNodeHeader.value_count), count)?;
        if let Some(open) = self.open_values(key) {
            open.push(name, value);
        }
        Ok(())
    }

    /// Writes the element at `place` of the list of offsets at `list`.
    fn put_element(
        &mut self,
        list: CellOffset,
        place: usize,
        cell: CellOffset,
    ) -> Result<(), EditError> {
        let from = place.saturating_mul(size_of::<Offset>());
        self.image.put(list, from, Offset::from(cell).as_bytes())
    }

    /// Gives the values list at `list` of the key at `key` room for one more.
    fn make_room_in_values(
        &mut self,
        key: CellOffset,
        list: CellOffset,
        used: usize,
    ) -> Result<CellOffset, EditError> {
        let need = used.saturating_add(size_of::<Offset>());
        if self.has_room(list, need)? {
            return Ok(list);
        }
        // What moves must be as it should be: it stays behind in the free cell too.
        self.write_values_list(key)?;
        let list = self.move_list(list, used, need)?;
        if let Some(open) = self.open_values(key) {
            open.note_moved();
        }
        Ok(list)
    }

    /// Gives the list in the cell at `at`, of which `used` bytes count, room for `more` bytes.
    ///
    /// The cell grows where it stands or moves; the list's place is returned.
    pub(super) fn make_room(
        &mut self,
        at: CellOffset,
        used: usize,
        more: usize,
    ) -> Result<CellOffset, EditError> {
        let need = used.saturating_add(more);
        match self.has_room(at, need)? {
            true => Ok(at),
            false => self.move_list(at, used, need),
        }
    }

    /// Whether the cell at `at` has room for `need` bytes, if need be taken from the free cell behind.
    fn has_room(&mut self, at: CellOffset, need: usize) -> Result<bool, EditError> {
        Ok(self.image.capacity(at)? >= need || self.resize_in_place(at, need)?)
    }

    /// Moves the list in the cell at `at`, of which `used` bytes count, to where `need` bytes fit.
    fn move_list(
        &mut self,
        at: CellOffset,
        used: usize,
        need: usize,
    ) -> Result<CellOffset, EditError> {
        let kept = self.image.payload(at)?.get(..used).unwrap_or(&[]).to_vec();
        // A list that moves will grow again: an eighth of slack keeps the moves few.
        let slack = (used / 8).next_multiple_of(8);
        let new = self.allocate(need.saturating_add(slack))?;
        self.image.fill(new, &kept)?;
        self.free_cell(at)?;
        Ok(new)
    }

    fn delete_value_of(&mut self, key: CellOffset, name: &Name) -> Result<bool, EditError> {
        let Some(ListedValue { value, place }) = self.find_open_value(key, name)? else {
            self.close_few_values(key)?;
            return Ok(false);
        };
        let at = value.at();
        let hive = self.hive()?;
        let old = storage(&hive, &hive.value(at)?)?;
        let node = self.key_fields(key)?;
        let left = node.value_count.saturating_sub(1);
        if left == 0 {
            self.close_values(key)?;
        }
        self.note_taken_out(key, at, place)?;
        self.free_storage(old)?;
        self.free_cell(at)?;
        self.image
            .set(key, field!(KeyNodeHeader.value_count), left)?;
        if left == 0 {
            self.free_cell(node.values_list)?;
            let none = CellOffset::NONE;
            self.image
                .set(key, field!(KeyNodeHeader.values_list), none)?;
        }
        self.close_few_values(key)?;
        self.touch(key)?;
        Ok(true)
    }

    /// Takes the value at `at` out of the key's open values.
    fn note_taken_out(
        &mut self,
        key: CellOffset,
        at: CellOffset,
        place: usize,
    ) -> Result<(), EditError> {
        // Not `self.hive()`: that would borrow the open values too.
        let hive = Hive::open(self.image.bytes())?;
        let value = hive.value(at)?;
        if let Some(open) = self.open_values.get_mut(&key) {
            open.take_out(value.name(), place);
        }
        Ok(())
    }

    fn raise_value_maxima(
        &mut self,
        key: CellOffset,
        name: &Name,
        data: usize,
    ) -> Result<(), EditError> {
        let name = u32::try_from(name.utf16_size()).unwrap_or(u32::MAX);
        let data = u32::try_from(data).unwrap_or(u32::MAX);
        self.raise(key, field!(KeyNodeHeader.largest_value_name), name)?;
        self.raise(key, field!(KeyNodeHeader.largest_value_data), data)
    }

    /// Raises a 32-bit field of the cell at `at` to `least`. It is never lowered, as in Windows.
    pub(super) fn raise<S>(
        &mut self,
        at: CellOffset,
        field: Field<S, U32>,
        least: u32,
    ) -> Result<(), EditError> {
        match field.read(self.image.payload(at)?) {
            Some(found) if found.get() >= least => Ok(()),
            _ => self.image.set(at, field, least),
        }
    }

    /// Frees the values of the key at `key`, their data and their list.
    pub(super) fn free_values(&mut self, key: CellOffset) -> Result<(), EditError> {
        self.close_values(key)?;
        let hive = self.hive()?;
        let node = hive.key(key)?;
        let values = hive.values(&node)?;
        if values.is_empty() {
            return Ok(());
        }
        let list = node.values_list();
        for at in values {
            let hive = self.hive()?;
            let old = storage(&hive, &hive.value(at)?)?;
            self.free_storage(old)?;
            self.free_cell(at)?;
        }
        self.free_cell(list)
    }

    fn key_fields(&self, key: CellOffset) -> Result<KeyFields, EditError> {
        let hive = self.hive()?;
        let node: KeyNode<'_> = hive.key(key)?;
        Ok(KeyFields {
            value_count: node.value_count(),
            values_list: node.values_list(),
        })
    }
}

struct KeyFields {
    value_count: u32,
    values_list: CellOffset,
}

/// Where the data of `value` stands now.
fn storage(hive: &Hive<'_>, value: &KeyValue<'_>) -> Result<Storage, EditError> {
    if value.is_inline() || value.data_size() == 0 {
        return Ok(Storage::Inline);
    }
    let at = value.data_offset();
    if !needs_big_data(hive.base().minor, value.data_size()) {
        return Ok(Storage::Cell(at));
    }
    let record = BigData::parse(at, &hive.cell(at, crate::regf::Record::BigData)?)?;
    let list = record.segments_list;
    let bytes = hive.cell(list, crate::regf::Record::SegmentsList)?;
    let cells = listed::<Offset>(&bytes).iter();
    let cells = cells.take(usize::from(record.segment_count));
    Ok(Storage::Segments {
        record: at,
        list,
        cells: cells.map(|cell| cell.get()).collect(),
    })
}
