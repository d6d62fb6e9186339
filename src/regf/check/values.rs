// SPDX-License-Identifier: GPL-3.0-or-later
//! The values of a key: the list, each value, and its data.

use std::cmp::Ordering;

use super::checker::Checker;
use super::codes::*;
use super::names;
use crate::regf::structures::{KeyValueHeader, Offset, listed};
use crate::regf::{
    BigData, CellOffset, DATA_SEGMENT_SIZE, INLINE_DATA_LIMIT, KeyNode, KeyValue, Name, key_flags,
    needs_big_data,
};

/// The REG_LINK type.
const REG_LINK: u32 = 6;
/// The value that tells where a symbolic link leads.
const LINK_VALUE: &str = "SymbolicLinkValue";

/// What is gathered over all values of one key.
#[derive(Default)]
struct Largest {
    name: usize,
    data: u32,
}

impl<'a> Checker<'a> {
    /// Checks the values of `key`.
    pub(super) fn check_values(&mut self, key: &KeyNode<'_>) {
        let count = key.value_count();
        let cells = match count {
            0 => self.expect_no_values_list(key),
            _ => self.claim_values_list(key, count),
        };
        let mut marks = std::mem::take(&mut self.name_marks);
        marks.clear();
        let mut largest = Largest::default();
        for cell in offsets(cells) {
            if let Some(value) = self.check_value(cell, key.at()) {
                largest.name = largest.name.max(value.name().utf16_size());
                largest.data = largest.data.max(value.data_size());
                marks.push(names::likeness(value.name()));
            }
        }
        self.find_duplicates(key.at(), cells, &mut marks);
        self.name_marks = marks;
        self.check_value_maxima(key, &largest);
        if key.has(key_flags::SYM_LINK) {
            self.check_link(key.at(), cells);
        }
    }

    /// A list without values is no harm: readers go by the count.
    fn expect_no_values_list(&mut self, key: &KeyNode<'_>) -> &'a [u8] {
        if let Some(list) = key.values_list().some()
            && !key.has(key_flags::PREDEF_HANDLE)
        {
            let found = format!("a values list at {:#010x} for no values", list.0);
            self.find(VALUES_LIST_UNUSED, key.at(), found, "no list");
            self.uncounted.push((key.at(), list));
        }
        &[]
    }

    /// Lists of keys that count no values, which nothing else uses and which lead to values that nothing
    /// else leads to: the values have vanished. Asked once all other keys have claimed what is theirs.
    pub(super) fn find_uncounted_values(&mut self) {
        for (key, list) in std::mem::take(&mut self.uncounted) {
            let payload = |at: CellOffset| {
                let payload = self.cells.payload(self.bins, at);
                payload.filter(|_| self.cells.is_unclaimed(at))
            };
            let first = payload(list).and_then(|cells| offsets(cells).next());
            let value = first.and_then(payload).unwrap_or(&[]);
            if value.starts_with(&KeyValueHeader::SIGNATURE) {
                let found = format!("a list of values at {:#010x}, and none counted", list.0);
                self.find(VALUES_LIST_UNCOUNTED, key, found, "as many as there are");
            }
        }
    }

    /// The bytes of the list that hold the offsets of `key`'s values.
    fn claim_values_list(&mut self, key: &KeyNode<'_>, count: u32) -> &'a [u8] {
        let Some(at) = key.values_list().some() else {
            let found = format!("value count {count} without a values list");
            self.find(VALUES_LIST_MISSING, key.at(), found, "a values list");
            return &[];
        };
        let Some(list) = self.claim(at, "a values list", key.at()) else {
            return &[];
        };
        match elements(list, count) {
            Some(cells) => cells,
            None => {
                let found = format!("a cell with {} bytes", list.len());
                let expected = format!("room for {count} values");
                self.find_in(VALUES_LIST, key.at(), at, found, &expected);
                list // as many as are there
            }
        }
    }

    fn check_value(&mut self, at: CellOffset, key: CellOffset) -> Option<KeyValue<'a>> {
        let payload = self.claim(at, "a key value", key)?;
        let value = match KeyValue::parse(at, self.base.minor, payload.into()) {
            Ok(value) => value,
            Err(error) => {
                self.find_in(KEY_VALUE, key, at, error.fault, "a key value");
                return None;
            }
        };
        self.report.values = self.report.values.saturating_add(1);
        for (code, found, expected) in names::value_flaws(value.name()) {
            self.find_in(code, key, at, found, expected);
        }
        if value.is_tombstone() {
            let expected = "a value that stands alone";
            self.find_in(VALUE_TOMBSTONE, key, at, "the tombstone flag", expected);
        }
        self.check_data(&value, key);
        Some(value)
    }

    fn check_data(&mut self, value: &KeyValue<'_>, key: CellOffset) {
        let size = value.data_size();
        if value.is_inline() {
            if size > INLINE_DATA_LIMIT {
                let found = format!("{size} bytes of inline data");
                self.find_in(VALUE_DATA_INLINE, key, value.at(), found, "at most 4");
            }
            return;
        }
        if size == 0 {
            return;
        }
        let Some(at) = value.data_offset().some() else {
            let found = format!("{size} bytes of data without a cell");
            let expected = "a cell that holds them";
            return self.find_in(VALUE_DATA_MISSING, key, value.at(), found, expected);
        };
        let Some(payload) = self.claim(at, "value data", key) else {
            return;
        };
        if needs_big_data(self.base.minor, size) {
            return self.check_big_data(at, payload, size, key);
        }
        self.expect_room(VALUE_DATA, at, payload, size, key);
    }

    fn check_big_data(&mut self, at: CellOffset, payload: &[u8], size: u32, key: CellOffset) {
        let record = match BigData::parse(at, payload) {
            Ok(record) => record,
            Err(error) => {
                let expected = format!("a big data record, for {size} bytes");
                return self.find_in(BIG_DATA, key, at, error.fault, &expected);
            }
        };
        let wanted = size.div_ceil(DATA_SEGMENT_SIZE);
        let stored = u32::from(record.segment_count);
        if stored != wanted {
            let found = format!("{stored} segments for {size} bytes");
            self.find_in(BIG_DATA_COUNT, key, at, found, &wanted.to_string());
        }
        let Some(list) = self.claim(record.segments_list, "a segments list", key) else {
            return;
        };
        let cells = elements(list, stored).unwrap_or_else(|| {
            let found = format!("a cell with {} bytes", list.len());
            let expected = format!("room for {stored} segments");
            self.find_in(BIG_DATA_LIST, key, record.segments_list, found, &expected);
            list
        });
        for cell in offsets(cells) {
            if let Some(payload) = self.claim(cell, "a data segment", key) {
                // The last one too, however little of it is data: Windows refuses a shorter cell.
                self.expect_room(BIG_DATA_SEGMENT, cell, payload, DATA_SEGMENT_SIZE, key);
            }
        }
    }

    fn expect_room(
        &mut self,
        code: FindingCode,
        at: CellOffset,
        payload: &[u8],
        size: u32,
        key: CellOffset,
    ) {
        if u32::try_from(payload.len()).is_ok_and(|room| room < size) {
            let found = format!("a cell with {} bytes", payload.len());
            self.find_in(code, key, at, found, &format!("{size} bytes of data"));
        }
    }

    /// Whether the list at `at` leads to `count` values.
    pub(super) fn are_values(&self, at: CellOffset, count: u32) -> bool {
        let list = self.cells.payload(self.bins, at);
        let cells = list.and_then(|list| elements(list, count));
        count > 0 && cells.is_some_and(|cells| offsets(cells).all(|at| self.value(at).is_some()))
    }

    /// The value in the cell at `at`, checked before.
    fn value(&self, at: CellOffset) -> Option<KeyValue<'a>> {
        let payload = self.cells.payload(self.bins, at)?;
        KeyValue::parse(at, self.base.minor, payload.into()).ok()
    }

    /// Finds values of one name, by the marks of all names first.
    fn find_duplicates(&mut self, key: CellOffset, cells: &[u8], marks: &mut [u64]) {
        marks.sort_unstable();
        let pairs = marks.iter().zip(marks.iter().skip(1));
        let mut repeated: Vec<u64> = pairs
            .filter(|(mark, next)| mark == next)
            .map(|(mark, _)| *mark)
            .collect();
        if repeated.is_empty() {
            return;
        }
        repeated.dedup();
        let values = offsets(cells).filter_map(|at| self.value(at));
        let is_suspect = |value: &KeyValue<'_>| {
            repeated
                .binary_search(&names::likeness(value.name()))
                .is_ok()
        };
        let mut suspects: Vec<KeyValue<'_>> = values.filter(is_suspect).collect();
        suspects.sort_by(|a, b| a.name().order(b.name()));
        for (value, next) in suspects.iter().zip(suspects.iter().skip(1)) {
            // One cell that is listed twice is found as shared.
            if value.at() != next.at() && value.name().order(next.name()) == Ordering::Equal {
                let found = format!("another value {}", names::shown(value.name()));
                self.find_in(VALUE_DUPLICATE, key, next.at(), found, "each name once");
            }
        }
    }

    fn check_value_maxima(&mut self, key: &KeyNode<'_>, largest: &Largest) {
        let name = u32::try_from(largest.name).unwrap_or(u32::MAX);
        if name > key.largest_value_name() {
            let found = key.largest_value_name();
            let expected = format!("at least {name} bytes");
            self.find(LARGEST_VALUE_NAME, key.at(), found, &expected);
        }
        if largest.data > key.largest_value_data() {
            let found = key.largest_value_data();
            let expected = format!("at least {} bytes", largest.data);
            self.find(LARGEST_VALUE_DATA, key.at(), found, &expected);
        }
    }

    /// A symbolic link has one value, which says where it leads.
    fn check_link(&mut self, key: CellOffset, cells: &[u8]) {
        let mut values = offsets(cells).map(|at| self.value(at));
        let first = values.next().flatten();
        let (code, found) = match (first, values.next()) {
            (None, _) => (SYMBOLIC_LINK_MISSING, "no value"),
            (Some(_), Some(_)) => (SYMBOLIC_LINK_VALUE, "more than one value"),
            (Some(value), None) if is_link(&value) => return,
            (Some(_), None) => (SYMBOLIC_LINK_VALUE, "another value"),
        };
        let expected = "one value SymbolicLinkValue of type REG_LINK with a path";
        self.find(code, key, found, expected);
    }
}

fn is_link(value: &KeyValue<'_>) -> bool {
    let size = value.data_size();
    value.kind() == REG_LINK
        && value.name().order_name(&Name::from(LINK_VALUE)) == Ordering::Equal
        && !value.is_inline()
        && size > 0
        && size.is_multiple_of(2)
}

/// The first `count` elements of a list of offsets, if it has that many.
fn elements(list: &[u8], count: u32) -> Option<&[u8]> {
    let length = usize::try_from(count)
        .ok()?
        .checked_mul(size_of::<Offset>())?;
    list.get(..length)
}

fn offsets(elements: &[u8]) -> impl Iterator<Item = CellOffset> + '_ {
    listed::<Offset>(elements).iter().map(|cell| cell.get())
}
