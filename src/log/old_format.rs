// SPDX-License-Identifier: GPL-3.0-or-later
//! Logs up to Windows 8: a bitmap of dirty pages of 512 bytes, then the pages.
//!
//! Spec: regf, *Format of transaction log files > Old format*.

use super::head::LogHead;
use super::log_file::LogFile;
use super::pages::{Pages, SECTOR};
use super::report::Finding;
use super::structures::DIRTY_VECTOR;
use crate::regf::{
    BASE_BLOCK_SIZE, Fault, FileOffset, HIVE_BIN_UNIT, HiveBytes, Record, RegfError,
};

/// The dirty pages of a whole log, and how many they are.
pub(super) fn pages(log: &LogFile<'_>, head: &LogHead) -> Result<(Pages, u64), Finding> {
    let sector = u64::from(SECTOR).saturating_mul(u64::from(head.base.clustering_factor));
    let vector = dirty_vector(log.bytes, sector, head.base.bins_size).map_err(Finding::Invalid)?;
    let bitmap = vector.get(DIRTY_VECTOR.len()..).unwrap_or(&[]);
    let count: u64 = bitmap.iter().map(|bits| u64::from(bits.count_ones())).sum();
    if count == 0 {
        let (field, found) = ("number of dirty pages", 0);
        let fault = Fault::BadField { field, found };
        return Err(Finding::Invalid(vector_error(sector, fault)));
    }
    let vector_length = u64::try_from(vector.len()).unwrap_or(u64::MAX);
    let first = sector
        .saturating_add(vector_length)
        .next_multiple_of(sector);
    let need = first.saturating_add(count.saturating_mul(u64::from(SECTOR)));
    let have = log.bytes.size();
    if need > have {
        return Err(Finding::Incomplete { need, have });
    }
    let mut pages = Pages::default();
    let mut at = first;
    for (page, pages_in_run) in runs(bitmap) {
        let length = pages_in_run.saturating_mul(u64::from(SECTOR));
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = log.bytes.read(FileOffset(at), bytes);
        let place = page.saturating_mul(u64::from(SECTOR));
        pages.put(
            BASE_BLOCK_SIZE.saturating_add(place),
            &bytes.map_err(Finding::Invalid)?,
        );
        at = at.saturating_add(length);
    }
    Ok((pages, count))
}

/// The signature and the bitmap, one bit for each 512 bytes of hive bins data.
fn dirty_vector(
    log: &dyn HiveBytes,
    at: u64,
    bins_size: u32,
) -> Result<std::borrow::Cow<'_, [u8]>, RegfError> {
    // Eight pages to a byte: a byte for each 4096 bytes.
    let bitmap = usize::try_from(bins_size.div_ceil(HIVE_BIN_UNIT)).unwrap_or(usize::MAX);
    let length = DIRTY_VECTOR.len().saturating_add(bitmap);
    let relabel = |error: RegfError| RegfError {
        record: Record::DirtyVector,
        ..error
    };
    let vector = log.read(FileOffset(at), length).map_err(relabel)?;
    match vector.first_chunk() {
        Some(found) if *found != DIRTY_VECTOR => {
            let (found, expected) = (*found, "DIRT");
            Err(vector_error(at, Fault::BadSignature { found, expected }))
        }
        _ => Ok(vector),
    }
}

/// The dirty pages in `bitmap` as (first page, number of pages) of each run without a clean one.
fn runs(bitmap: &[u8]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let bits = bitmap.iter().flat_map(|byte| {
        let byte = *byte;
        (0_u32..8).map(move |bit| byte.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
    });
    for (page, _) in (0_u64..).zip(bits).filter(|(_, dirty)| *dirty) {
        match runs.last_mut() {
            Some((first, count)) if first.saturating_add(*count) == page => {
                *count = count.saturating_add(1);
            }
            _ => runs.push((page, 1)),
        }
    }
    runs
}

fn vector_error(at: u64, fault: Fault) -> RegfError {
    RegfError::new(FileOffset(at), Record::DirtyVector, fault)
}
