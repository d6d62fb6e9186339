// SPDX-License-Identifier: GPL-3.0-or-later
//! The values of a key: the list, each value, and its data.

use super::{
    BIG_DATA, Checker, KEY_VALUE, LARGEST_VALUE_DATA, LARGEST_VALUE_NAME, VALUE_DATA,
    VALUE_DUPLICATE, VALUE_NAME, VALUES_LIST,
};
use crate::regf::hive::offsets;
use crate::regf::{
    BigData, CellOffset, DATA_SEGMENT_SIZE, INLINE_DATA_LIMIT, KeyNode, KeyValue, needs_big_data,
};

impl<'a> Checker<'a> {
    /// Checks the values of `key`.
    pub(super) fn check_values(&mut self, key: &KeyNode<'_>) {
        let count = usize::try_from(key.value_count()).unwrap_or(usize::MAX);
        if count == 0 {
            return;
        }
        let at = key.at();
        let Some(list) = self.claim(key.values_list(), "a key values list", at) else {
            return;
        };
        let cells = match offsets(list, count) {
            Ok(cells) => cells,
            Err(fault) => return self.find(VALUES_LIST, at, fault, "room for every value"),
        };
        let mut values = Vec::with_capacity(cells.len());
        for cell in cells {
            values.extend(self.check_value(cell, at));
        }
        self.check_duplicates(at, &values);
        self.check_value_maxima(key, &values);
    }

    fn check_value(&mut self, at: CellOffset, key: CellOffset) -> Option<KeyValue<'a>> {
        let payload = self.claim(at, "a key value", key)?;
        let value = match KeyValue::parse(at, payload.into()) {
            Ok(value) => value,
            Err(error) => {
                self.find_in(KEY_VALUE, key, at, error, "a key value");
                return None;
            }
        };
        self.report.values = self.report.values.saturating_add(1);
        let name = value.name();
        if !name.narrow && !name.bytes.len().is_multiple_of(2) {
            let found = format!("{} bytes of UTF-16", name.bytes.len());
            self.find_in(VALUE_NAME, key, at, found, "an even number of bytes");
        }
        self.check_data(&value, key);
        Some(value)
    }

    fn check_data(&mut self, value: &KeyValue<'_>, key: CellOffset) {
        let size = value.data_size();
        if value.is_inline() {
            if size > INLINE_DATA_LIMIT {
                let found = format!("{size} bytes of inline data");
                self.find_in(VALUE_DATA, key, value.at(), found, "at most 4");
            }
            return;
        }
        if size == 0 {
            return;
        }
        let at = value.data_offset();
        let Some(payload) = self.claim(at, "value data", key) else {
            return;
        };
        if needs_big_data(self.base.minor, size) {
            return self.check_big_data(at, payload, size, key);
        }
        self.expect_room(at, payload, size, key);
    }

    fn check_big_data(&mut self, at: CellOffset, payload: &[u8], size: u32, key: CellOffset) {
        let record = match BigData::parse(at, payload) {
            Ok(record) => record,
            Err(error) => return self.find_in(BIG_DATA, key, at, error, "a big data record"),
        };
        let wanted = size.div_ceil(DATA_SEGMENT_SIZE);
        if u32::from(record.segment_count) != wanted {
            let found = format!("{} segments for {size} bytes", record.segment_count);
            return self.find_in(BIG_DATA, key, at, found, &wanted.to_string());
        }
        let Some(list) = self.claim(record.segments_list, "a segments list", key) else {
            return;
        };
        let cells = match offsets(list, usize::from(record.segment_count)) {
            Ok(cells) => cells,
            Err(fault) => return self.find_in(BIG_DATA, key, at, fault, "room for every segment"),
        };
        for cell in cells {
            if let Some(payload) = self.claim(cell, "a data segment", key) {
                // The last one too, however little of it is data: Windows refuses a shorter cell.
                self.expect_room(cell, payload, DATA_SEGMENT_SIZE, key);
            }
        }
    }

    fn expect_room(&mut self, at: CellOffset, payload: &[u8], size: u32, key: CellOffset) {
        if u32::try_from(payload.len()).is_ok_and(|room| room < size) {
            let found = format!("a cell with {} bytes", payload.len());
            self.find_in(VALUE_DATA, key, at, found, &format!("{size} bytes of data"));
        }
    }

    fn check_duplicates(&mut self, key: CellOffset, values: &[KeyValue<'_>]) {
        let mut hashes = std::mem::take(&mut self.name_hashes);
        hashes.clear();
        hashes.extend(values.iter().map(|value| value.name().hash()));
        hashes.sort_unstable();
        let mut repeated: Vec<u32> = Vec::new();
        for (hash, next) in hashes.iter().zip(hashes.iter().skip(1)) {
            if hash == next && repeated.last() != Some(hash) {
                repeated.push(*hash);
            }
        }
        self.name_hashes = hashes;
        if repeated.is_empty() {
            return;
        }
        let is_suspect =
            |value: &&KeyValue<'_>| repeated.binary_search(&value.name().hash()).is_ok();
        let mut suspects: Vec<&KeyValue<'_>> = values.iter().filter(is_suspect).collect();
        suspects.sort_by(|a, b| a.name().order(b.name()));
        for (value, next) in suspects.iter().zip(suspects.iter().skip(1)) {
            if value.name().order(next.name()).is_eq() {
                let found = format!("another value {:?}", value.name().to_name());
                self.find_in(VALUE_DUPLICATE, key, next.at(), found, "each name once");
            }
        }
    }

    fn check_value_maxima(&mut self, key: &KeyNode<'_>, values: &[KeyValue<'_>]) {
        let names = values.iter().map(|value| value.name().utf16_size());
        let name = names.max().and_then(|size| u32::try_from(size).ok());
        if let Some(name) = name.filter(|&name| name > key.largest_value_name()) {
            let found = key.largest_value_name();
            let expected = format!("at least {name} bytes");
            self.find(LARGEST_VALUE_NAME, key.at(), found, &expected);
        }
        let data = values.iter().map(KeyValue::data_size).max();
        if let Some(data) = data.filter(|&data| data > key.largest_value_data()) {
            let found = key.largest_value_data();
            let expected = format!("at least {data} bytes");
            self.find(LARGEST_VALUE_DATA, key.at(), found, &expected);
        }
    }
}
