// SPDX-License-Identifier: GPL-3.0-or-later
//! Values that touch bytes that are known to be destroyed, or that nothing bears out.

use std::ops::Range;

use super::bins::{Bins, HEADER, Part, UNIT, cell_size, joined};
use super::model::{Bytes, Data, Tree};
use crate::regf::{BASE_BLOCK_SIZE, Name, StoredName, value_flags};

/// What disks lose at once, at the least.
const SECTOR: usize = 512;

/// The values, by their key. They are kept as they are found.
pub(super) fn suspects(
    bins: &Bins,
    tree: &Tree,
    destroyed: &[Range<u64>],
    strange: &[Range<usize>],
) -> Vec<(usize, Name)> {
    let mut lost = zeroed(bins);
    lost.extend(in_bins(destroyed));
    lost.extend_from_slice(strange);
    let lost = joined(lost);
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
            // The name stands in the record.
            if is_suspect || touches(&value.name) {
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

/// Pages of bins that are not sound in which more cells are nobody's than somebody's, or none tells whose
/// they are: what another page left there. And the cell in front of each break, whose end may be gone.
pub(super) fn strange(bins: &Bins) -> Vec<Range<usize>> {
    let mut found = bins.strange().to_vec();
    for part in bins.parts.iter().filter(|part| !part.is_sound()) {
        for page in (part.start / UNIT * UNIT..part.end).step_by(UNIT) {
            let page = page..page.saturating_add(UNIT).min(part.end);
            if !is_ours(bins, part, &page) {
                found.push(page);
            }
        }
        found.extend(last_before_break(bins, part));
    }
    found
}

/// Whether most of the cells in a page that say what they are were found to be somebody's.
fn is_ours(bins: &Bins, part: &Part, page: &Range<usize>) -> bool {
    const SIGNATURES: [&[u8]; 7] = [b"nk", b"vk", b"sk", b"lf", b"lh", b"ri", b"db"];
    let (mut ours, mut others) = (0_u32, 0_u32);
    for at in page.clone().step_by(8) {
        let signature = bins.slice(at.saturating_add(4), 2);
        let is_cell = matches!(cell_size(&bins.bytes, at, part.end), Some((_, false)));
        if !is_cell || !SIGNATURES.contains(&signature) {
            continue;
        }
        match u32::try_from(at).is_ok_and(|at| bins.is_claimed(at)) {
            true => ours = ours.saturating_add(1),
            false => others = others.saturating_add(1),
        }
    }
    ours > others
}

fn last_before_break(bins: &Bins, part: &Part) -> Option<Range<usize>> {
    let broken_at = part.broken_at?;
    let mut at = part.start.saturating_add(HEADER);
    let mut last = None;
    while at < broken_at {
        let (size, _) = cell_size(&bins.bytes, at, part.end)?;
        last = Some(at..at.saturating_add(size));
        at = at.saturating_add(size);
    }
    last
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
