// SPDX-License-Identifier: GPL-3.0-or-later
//! Values whose data touches bytes that are known to be destroyed.

use std::ops::Range;

use super::bins::Bins;
use super::model::{Bytes, Data, Tree};
use crate::regf::{BASE_BLOCK_SIZE, Name, StoredName, value_flags};

/// What disks lose at once, at the least.
const SECTOR: usize = 512;

/// The values, by their key. Their data is kept as it is found.
pub(super) fn suspects(bins: &Bins, tree: &Tree, destroyed: &[Range<u64>]) -> Vec<(usize, Name)> {
    let mut lost = zeroed(bins);
    lost.extend(in_bins(destroyed));
    lost.sort_by_key(|range| range.start);
    let touches = |bytes: &Bytes| match bytes {
        Bytes::Own(_) => false,
        Bytes::In { start, length } => {
            let end = start.saturating_add(*length);
            let next = lost.partition_point(|range| range.end <= *start);
            lost.get(next)
                .is_some_and(|range| range.start < end && *length > 0)
        }
    };
    let mut found = Vec::new();
    if lost.is_empty() {
        return found;
    }
    for (index, key) in tree.keys.iter().enumerate() {
        for value in &key.values {
            let is_suspect = match &value.data {
                Data::Cell(bytes) => touches(bytes),
                Data::Segments(parts) => parts.iter().any(touches),
                Data::Inline(..) | Data::Empty(..) => false,
            };
            if is_suspect {
                let stored = StoredName {
                    bytes: value.name.of(bins),
                    narrow: value.flags & value_flags::COMP_NAME != 0,
                };
                found.push((index, stored.to_name()));
            }
        }
    }
    found
}

/// Ranges of the file as ranges of the bins.
pub(super) fn in_bins(destroyed: &[Range<u64>]) -> Vec<Range<usize>> {
    let place = |at: u64| {
        let at = at.saturating_sub(BASE_BLOCK_SIZE);
        usize::try_from(at).unwrap_or(usize::MAX)
    };
    let ranges = destroyed.iter();
    ranges
        .map(|range| place(range.start)..place(range.end))
        .collect()
}

/// Whole sectors of zeros around the places where chains of cells break.
pub(super) fn zeroed(bins: &Bins) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for part in &bins.parts {
        let Some(at) = part.broken_at else {
            continue;
        };
        let is_zero = |sector: usize| {
            let bytes = bins.slice(sector, SECTOR);
            bytes.len() == SECTOR && bytes.iter().all(|byte| *byte == 0)
        };
        let first = at / SECTOR * SECTOR;
        if !is_zero(first) && !is_zero(first.saturating_add(SECTOR)) {
            continue;
        }
        let (mut start, mut end) = (first, first.saturating_add(SECTOR));
        while end < part.end && is_zero(end) {
            end = end.saturating_add(SECTOR);
        }
        if !is_zero(first) {
            start = first.saturating_add(SECTOR);
        }
        while start >= SECTOR && is_zero(start.saturating_sub(SECTOR)) && start > part.start {
            start = start.saturating_sub(SECTOR);
        }
        found.push(start..end);
    }
    found
}
