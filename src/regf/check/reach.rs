// SPDX-License-Identifier: GPL-3.0-or-later
//! What damaged references may reach: the bytes that a reader sees who believes every length and
//! offset, and reads on behind the end of a cell.
//!
//! Where a length is wrong, the check knows that it is; whether the cell was cut or the length was
//! overwritten it cannot know. So what lies behind the cell may be somebody's data.

use std::collections::HashSet;

use super::checker::Checker;
use crate::regf::structures::{
    BigDataRecord, Field, KeyNodeHeader, KeySecurityHeader, KeyValueHeader, ListHeader, Offset,
    listed, read,
};
use crate::regf::{
    CellOffset, DATA_SEGMENT_SIZE, FileOffset, INLINE_DATA, field, key_flags, needs_big_data,
};
use zerocopy::little_endian::{U16, U32};

/// Bytes that a damaged reference leads to, outside of the cell that it should lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overreach {
    /// The structure whose length or offset it is.
    pub(crate) from: FileOffset,
    /// The first byte that is reached.
    pub(crate) start: CellOffset,
    /// The first byte that is not; it may lie behind the last bin.
    pub(crate) end: CellOffset,
}

/// What a reference takes its cell for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Key,
    Subkeys,
    Value,
    BigData,
    Security,
}

impl Kind {
    fn of(signature: &[u8]) -> Option<Self> {
        Some(match signature {
            [b'n', b'k', ..] => Self::Key,
            [b'v', b'k', ..] => Self::Value,
            [b's', b'k', ..] => Self::Security,
            [b'd', b'b', ..] => Self::BigData,
            [b'l', b'f' | b'h' | b'i', ..] | [b'r', b'i', ..] => Self::Subkeys,
            _ => return None,
        })
    }
}

/// A structure that a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Step {
    kind: Kind,
    at: CellOffset,
    /// Whether the reference itself was read behind the end of a cell: it makes somebody else's
    /// structures seem to belong here too, so that none of their bytes may change.
    is_stray: bool,
}

/// A walk that believes what it reads, over everything that the check walked and over what it
/// found that nothing leads to.
struct Walk<'c, 'a> {
    checker: &'c Checker<'a>,
    waiting: Vec<Step>,
    seen: HashSet<Step>,
    /// Whether the step that is being taken is a stray one.
    is_stray: bool,
    /// Elements of lists that may still be followed.
    left: usize,
    found: Vec<Overreach>,
}

impl Checker<'_> {
    /// Everything that is reached outside of its cell; nothing where it is too much to be followed.
    pub(super) fn overreaches(&self) -> Option<Vec<Overreach>> {
        let mut walk = Walk {
            checker: self,
            waiting: Vec::new(),
            seen: HashSet::new(),
            is_stray: false,
            // Each byte of a sound hive is in one list at most.
            left: self.bins.len(),
            found: Vec::new(),
        };
        walk.follow(Kind::Key, self.base.root, false);
        let mut from = CellOffset(0);
        while let Some(at) = self.cells.next_unclaimed(from) {
            let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
            if let Some(kind) = Kind::of(payload) {
                walk.follow(kind, at, false);
            }
            from = CellOffset(at.0.saturating_add(8));
        }
        while let Some(step) = walk.waiting.pop() {
            if walk.seen.insert(step) {
                walk.is_stray = step.is_stray;
                walk.visit(step.kind, step.at)?;
            }
        }
        Some(walk.found)
    }
}

impl<'a> Walk<'_, 'a> {
    fn visit(&mut self, kind: Kind, at: CellOffset) -> Option<()> {
        let bytes = self.bytes(at);
        if Kind::of(bytes) != Some(kind) {
            // It cannot be read as what it should be; but a bin that is added could come there.
            if usize::try_from(at.0).is_ok_and(|at| at >= self.checker.bins.len()) {
                self.reach(at, at, 2);
            }
            return Some(());
        }
        match kind {
            Kind::Key => self.key(at, bytes),
            Kind::Subkeys => self.subkeys(at, bytes),
            Kind::Value => self.value(at, bytes),
            Kind::BigData => self.segments(at, bytes, u32::MAX),
            Kind::Security => {
                let size = long(bytes, field!(KeySecurityHeader.descriptor_size));
                self.reach(at, at, header::<KeySecurityHeader>().saturating_add(size));
                for field in [
                    field!(KeySecurityHeader.flink),
                    field!(KeySecurityHeader.blink),
                ] {
                    // The ring is one, whoever has led to it.
                    self.follow(Kind::Security, offset(bytes, field), false);
                }
                Some(())
            }
        }
    }

    fn key(&mut self, at: CellOffset, bytes: &[u8]) -> Option<()> {
        let name = short(bytes, field!(KeyNodeHeader.name_length));
        self.reach(at, at, header::<KeyNodeHeader>().saturating_add(name));
        let class = short(bytes, field!(KeyNodeHeader.class_name_length));
        if class > 0 {
            let cell = offset(bytes, field!(KeyNodeHeader.class_name));
            self.reach(at, cell, class);
        }
        let security = offset(bytes, field!(KeyNodeHeader.security));
        self.follow(Kind::Security, security, false);
        // Some readers go by the list, whatever the count says.
        let list = offset(bytes, field!(KeyNodeHeader.subkeys_list));
        self.follow(Kind::Subkeys, list, self.is_stray);
        let flags = short(bytes, field!(KeyNodeHeader.flags));
        let count = long(bytes, field!(KeyNodeHeader.value_count));
        if count == 0 || flags & u32::from(key_flags::PREDEF_HANDLE) != 0 {
            return Some(());
        }
        let list = offset(bytes, field!(KeyNodeHeader.values_list));
        for (cell, is_stray) in self.list(at, list, count)? {
            self.follow(Kind::Value, cell, is_stray);
        }
        Some(())
    }

    fn subkeys(&mut self, at: CellOffset, bytes: &[u8]) -> Option<()> {
        let count = short(bytes, field!(ListHeader.count));
        let (kind, step) = match bytes {
            [b'r', ..] => (Kind::Subkeys, 4),
            [_, b'i', ..] => (Kind::Key, 4),
            _ => (Kind::Key, 8),
        };
        let size = count.saturating_mul(step);
        self.reach(at, at, header::<ListHeader>().saturating_add(size));
        let elements = bytes.get(size_of::<ListHeader>()..).unwrap_or(&[]);
        let (step, count) = (usize::try_from(step).ok()?, usize::try_from(count).ok()?);
        let inside = self.room(at).saturating_sub(size_of::<ListHeader>());
        let inside = inside.checked_div(step).unwrap_or(0);
        for (index, element) in elements.chunks_exact(step).take(count).enumerate() {
            self.left = self.left.checked_sub(1)?;
            let is_stray = self.is_stray || index >= inside;
            let cell = read(element).unwrap_or(Offset::NONE).get();
            self.follow(kind, cell, is_stray);
        }
        Some(())
    }

    fn value(&mut self, at: CellOffset, bytes: &[u8]) -> Option<()> {
        let name = short(bytes, field!(KeyValueHeader.name_length));
        self.reach(at, at, header::<KeyValueHeader>().saturating_add(name));
        let size = long(bytes, field!(KeyValueHeader.data_size));
        if size == 0 || size & INLINE_DATA != 0 {
            return Some(());
        }
        let cell = field!(KeyValueHeader.data_offset).read(bytes);
        let cell = cell.map_or(CellOffset::NONE, |at| CellOffset(u32::from_le_bytes(at)));
        let record = self.bytes(cell);
        match needs_big_data(self.checker.base.minor, size) && record.starts_with(b"db") {
            true => self.segments(cell, record, size),
            false => {
                self.reach(at, cell, size);
                Some(())
            }
        }
    }

    /// The segments of `size` bytes of data, or as many as the record in the cell at `at` counts.
    fn segments(&mut self, at: CellOffset, bytes: &[u8], size: u32) -> Option<()> {
        self.reach(at, at, header::<BigDataRecord>());
        let count = short(bytes, field!(BigDataRecord.segment_count));
        let list = offset(bytes, field!(BigDataRecord.segments_list));
        let mut left = size;
        for (cell, is_stray) in self.list(at, list, count)? {
            self.is_stray |= is_stray;
            // Of a record that nothing leads to, only the number of segments is known.
            let part = if size == u32::MAX { 0 } else { left };
            self.reach(at, cell, part.min(DATA_SEGMENT_SIZE));
            left = left.saturating_sub(DATA_SEGMENT_SIZE);
        }
        Some(())
    }

    /// The elements of a list of `count` offsets in the cell at `at`, as far as there are bytes, and
    /// of each whether it is a stray one.
    fn list(
        &mut self,
        from: CellOffset,
        at: CellOffset,
        count: u32,
    ) -> Option<Vec<(CellOffset, bool)>> {
        self.reach(from, at, count.saturating_mul(4));
        let elements = listed::<Offset>(self.bytes(at)).iter();
        let elements = elements.take(usize::try_from(count).unwrap_or(usize::MAX));
        self.left = self.left.checked_sub(elements.len())?;
        let inside = self.room(at) / 4;
        let elements = elements.enumerate().map(|(index, element)| {
            let is_stray = self.is_stray || index >= inside;
            (element.get(), is_stray)
        });
        Some(elements.collect())
    }

    fn follow(&mut self, kind: Kind, at: CellOffset, is_stray: bool) {
        if !at.is_none() {
            self.waiting.push(Step { kind, at, is_stray });
        }
    }

    /// Bytes that the cell at `at` has room for, 0 where no cell in use begins there.
    fn room(&self, at: CellOffset) -> usize {
        let payload = self.checker.cells.payload(self.checker.bins, at);
        payload.map_or(0, <[u8]>::len)
    }

    /// All bytes behind the size field of the cell at `at`, wherever that cell ends.
    fn bytes(&self, at: CellOffset) -> &'a [u8] {
        let start = usize::try_from(at.0).ok();
        let start = start.and_then(|start| start.checked_add(4));
        let bins: &'a [u8] = self.checker.bins;
        start.and_then(|start| bins.get(start..)).unwrap_or(&[])
    }

    /// Notes what lies outside of the cell at `at`, of the `need` bytes that are read of it.
    fn reach(&mut self, from: CellOffset, at: CellOffset, need: u32) {
        if at.is_none() {
            return;
        }
        let end = at.0.saturating_add(4).saturating_add(need);
        let room = wide(self.room(at));
        let start = match room {
            _ if self.is_stray => at.0,
            0 => at.0,
            room if room >= need => return,
            room => at.0.saturating_add(4).saturating_add(room),
        };
        self.found.push(Overreach {
            from: from.in_file(),
            start: CellOffset(start),
            end: CellOffset(end),
        });
    }
}

fn short<S>(bytes: &[u8], field: Field<S, U16>) -> u32 {
    field.read(bytes).map_or(0, |value| u32::from(value.get()))
}

fn long<S>(bytes: &[u8], field: Field<S, U32>) -> u32 {
    field.read(bytes).map_or(0, |value| value.get())
}

fn offset<S>(bytes: &[u8], field: Field<S, Offset>) -> CellOffset {
    field.read(bytes).unwrap_or(Offset::NONE).get()
}

/// Bytes of a structure.
fn header<S>() -> u32 {
    wide(size_of::<S>())
}

fn wide(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
