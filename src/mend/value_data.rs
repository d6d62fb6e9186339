// SPDX-License-Identifier: GPL-3.0-or-later
//! A value's record and its data, as they should be or with a turned bit.

use super::bins::{Bins, usize_of};
use super::model::{Bytes, Data, Value};
use super::nodes::one_bit_off;
use crate::regf::structures::{BigDataRecord, KeyValueHeader, Offset, listed, read};
use crate::regf::{
    DATA_SEGMENT_SIZE, INLINE_DATA, INLINE_DATA_LIMIT, Name, StoredName, field, needs_big_data,
    u32_at, value_flags,
};

/// A value and the cells that it is made of.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) cells: Vec<u32>,
}

pub(super) fn offsets(bytes: &[u8]) -> Vec<u32> {
    let elements = listed::<Offset>(bytes).iter();
    elements.map(|element| element.get().0).collect()
}

/// The value in the cell at `at`, where all of it is as it should be.
pub(super) fn sound_value(bins: &Bins, at: u32, minor: u32) -> Option<Found> {
    let payload = bins.payload(at)?;
    let bytes = bins.of(payload);
    let header: KeyValueHeader = read(bytes)?;
    if header.signature != KeyValueHeader::SIGNATURE {
        return None;
    }
    let length = usize::from(header.name_length.get());
    let need = size_of::<KeyValueHeader>().saturating_add(length);
    if need > bytes.len() || bins.is_lost(payload.start, need) {
        return None;
    }
    let offset = u32::from_le_bytes(header.data_offset);
    let (data, mut cells) = sound_data(bins, header.data_size.get(), offset, minor)?;
    cells.push(at);
    let value = Value {
        kind: header.data_type.get(),
        flags: header.flags.get(),
        spare: header.spare.get(),
        name: Bytes::In {
            start: payload.start.saturating_add(size_of::<KeyValueHeader>()),
            length,
        },
        data,
    };
    Some(Found { value, cells })
}

fn sound_data(bins: &Bins, size: u32, offset: u32, minor: u32) -> Option<(Data, Vec<u32>)> {
    if size & INLINE_DATA != 0 {
        let size = size & !INLINE_DATA;
        let is_possible = size <= INLINE_DATA_LIMIT;
        return is_possible.then(|| match size {
            0 => (Data::Empty(INLINE_DATA, offset), Vec::new()),
            _ => (Data::Inline(offset.to_le_bytes(), size), Vec::new()),
        });
    }
    if size == 0 {
        return Some((Data::Empty(0, offset), Vec::new()));
    }
    let payload = bins.payload(offset)?;
    let length = usize_of(size);
    if needs_big_data(minor, size) && bins.of(payload).starts_with(b"db") {
        return segments(bins, offset, size);
    }
    (payload.length >= length).then(|| {
        let start = payload.start;
        (Data::Cell(Bytes::In { start, length }), vec![offset])
    })
}

fn segments(bins: &Bins, at: u32, size: u32) -> Option<(Data, Vec<u32>)> {
    let bytes = bins.cell(at)?;
    let count = usize_of(size.div_ceil(DATA_SEGMENT_SIZE));
    let list_at = field!(BigDataRecord.segments_list).read(bytes)?.get().0;
    let list = bins.cell(list_at)?.get(..count.checked_mul(4)?)?;
    let mut cells = vec![at, list_at];
    let mut parts = Vec::new();
    let mut left = usize_of(size);
    for cell in offsets(list) {
        let payload = bins.payload(cell)?;
        let length = left.min(usize_of(DATA_SEGMENT_SIZE));
        if payload.length < length {
            return None;
        }
        let start = payload.start;
        parts.push(Bytes::In { start, length });
        cells.push(cell);
        left = left.saturating_sub(length);
    }
    Some((Data::Segments(parts), cells))
}

/// The value at `at`, some field of which is wrong by a turned bit; else its name, if that is whole.
pub(super) fn mended_value(
    bins: &Bins,
    at: u32,
    minor: u32,
    is_free: &dyn Fn(u32) -> bool,
) -> Result<Found, Option<Name>> {
    let payload = bins.payload(at).or_else(|| bins.reach(at)).ok_or(None)?;
    let bytes = bins.of(payload);
    let header: KeyValueHeader = read(bytes).ok_or(None)?;
    let room = bytes.len().saturating_sub(size_of::<KeyValueHeader>());
    let stored = header.name_length.get();
    let length = match usize::from(stored) <= room {
        true => usize::from(stored),
        false => {
            // The one length by a turned bit that fills the cell.
            let turned = (0..16).map(|bit| usize::from(stored ^ (1_u16 << bit)));
            let tight = turned.filter(|length| *length <= room && room.saturating_sub(*length) < 8);
            let mut tight = tight.collect::<Vec<usize>>().into_iter();
            match (tight.next(), tight.next()) {
                (Some(length), None) => length,
                _ => return Err(None),
            }
        }
    };
    if bins.is_lost(
        payload.start,
        size_of::<KeyValueHeader>().saturating_add(length),
    ) {
        return Err(None);
    }
    let name = Bytes::In {
        start: payload.start.saturating_add(size_of::<KeyValueHeader>()),
        length,
    };
    let flags = header.flags.get();
    let own = StoredName {
        bytes: name.of(bins),
        narrow: flags & value_flags::COMP_NAME != 0,
    };
    let lost = || Some(own.to_name());
    let (kind, size) = (header.data_type.get(), header.data_size.get());
    let offset = u32::from_le_bytes(header.data_offset);
    let whole = sound_data(bins, size, offset, minor);
    let whole = whole.filter(|(_, cells)| cells.iter().all(|cell| is_free(*cell)));
    let (data, mut cells) = match whole {
        Some(found) => found,
        None => mended_data(bins, (size, offset, kind), minor, is_free).ok_or_else(lost)?,
    };
    cells.push(at);
    let value = Value {
        kind,
        flags,
        spare: header.spare.get(),
        name,
        data,
    };
    Ok(Found { value, cells })
}

fn mended_data(
    bins: &Bins,
    (size, offset, kind): (u32, u32, u32),
    minor: u32,
    is_free: &dyn Fn(u32) -> bool,
) -> Option<(Data, Vec<u32>)> {
    if size & INLINE_DATA != 0 {
        // More than four bytes in the value itself: a bit of the size is turned.
        let mut sizes = (0..31).map(|bit| size ^ (1_u32 << bit));
        let plain = size & !INLINE_DATA;
        if let Some(found) = sound_data(bins, plain, offset, minor)
            && found
                .1
                .iter()
                .all(|cell| is_free(*cell) && bins.is_linked(*cell))
            && is_tight(bins, offset, usize_of(plain))
        {
            return Some(found);
        }
        let wanted = |size: &u32| size & !INLINE_DATA <= INLINE_DATA_LIMIT;
        let found: Vec<u32> = sizes.by_ref().filter(wanted).collect();
        let wanted = |size: &&u32| is_size_of(kind, **size & !INLINE_DATA);
        let mut fitting = found.iter().filter(wanted);
        let size = *fitting.next()?;
        return fitting.next().is_none().then(|| {
            let size = size & !INLINE_DATA;
            (Data::Inline(offset.to_le_bytes(), size), Vec::new())
        });
    }
    let length = usize_of(size);
    if size <= INLINE_DATA_LIMIT && bins.payload(offset).is_none() {
        // Windows always keeps so few bytes in the value itself.
        return Some((Data::Inline(offset.to_le_bytes(), size), Vec::new()));
    }
    if let Some(room) = bins.payload(offset)
        && is_free(offset)
        && bins.is_linked(offset)
    {
        // The cell is there, and too small: a bit of the size is turned, or one of the cell's own.
        let sizes = (0..31).map(|bit| size ^ (1_u32 << bit));
        let mut sizes: Vec<u32> = sizes
            .filter(|size| *size > 0 && usize_of(*size) <= room.length)
            .filter(|size| is_size_of(kind, *size))
            .collect();
        if sizes.len() > 1 {
            sizes.retain(|size| room.length.saturating_sub(usize_of(*size)) < 8);
        }
        if let [size] = sizes.as_slice() {
            return sound_data(bins, *size, offset, minor);
        }
    }
    if needs_big_data(minor, size) {
        return None;
    }
    if let Some((cell, bytes)) = turned_data(bins, offset, length, is_free) {
        return Some((Data::Cell(bytes), vec![cell]));
    }
    // The size of the cell is wrong by a turned bit.
    let at = usize_of(offset);
    let reach = bins.reach(offset)?;
    let found = u32_at(&bins.bytes, at)?;
    let wanted = u32::try_from(length.saturating_add(4).next_multiple_of(8)).ok()?;
    let is_turned = (found ^ wanted.wrapping_neg()).is_power_of_two();
    (is_turned && is_free(offset) && reach.length >= length).then(|| {
        let start = reach.start;
        (Data::Cell(Bytes::In { start, length }), vec![offset])
    })
}

/// The one unused cell that one turned bit of `offset` leads to and that the data fills.
pub(super) fn turned_data(
    bins: &Bins,
    offset: u32,
    length: usize,
    is_free: &dyn Fn(u32) -> bool,
) -> Option<(u32, Bytes)> {
    if bins.is_lost_place(offset) {
        return None;
    }
    let fits = |at: &u32| bins.is_linked(*at) && is_free(*at) && is_tight(bins, *at, length);
    let mut found = one_bit_off(offset).filter(fits);
    let cell = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let start = bins.payload(cell)?.start;
    Some((cell, Bytes::In { start, length }))
}

/// Whether data of that length fills the cell.
fn is_tight(bins: &Bins, at: u32, length: usize) -> bool {
    let room = bins.payload(at).map(|payload| payload.length);
    room.is_some_and(|room| room >= length && room.saturating_sub(length) < 8)
}

/// Whether data of that type can have so many bytes.
fn is_size_of(kind: u32, size: u32) -> bool {
    match kind {
        4 | 5 => size == 4,
        11 => size == 8,
        1 | 2 | 6 | 7 => size.is_multiple_of(2),
        _ => true,
    }
}
