// SPDX-License-Identifier: GPL-3.0-or-later
//! The base block: what is there of it, what a log has of it, and what the bins tell.

use super::bins::{Bins, usize_of};
use crate::regf::{
    BASE_BLOCK_SIZE, BaseBlock, BigData, CellOffset, base_block_field, checksum, u32_at,
};

/// Where the fields stand that a primary file has the same in, whoever wrote it.
const MAJOR: usize = 20;
const MINOR: usize = 24;
const FILE_FORMAT: usize = 32;
const ROOT: usize = 36;
const CLUSTERING_FACTOR: usize = 44;
const LAST_WRITTEN: usize = 12;
/// Bytes that its fields and the checksum have.
const GUARDED: usize = 512;

/// The base block to begin from.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) bytes: Vec<u8>,
    /// Where the root key is said to be.
    pub(super) root: u32,
    /// The version that is said, if it can be.
    pub(super) minor: Option<u32>,
    /// Whether its checksum is right.
    pub(super) is_sound: bool,
}

impl Base {
    /// The base block of `file`, or the newest of `heads`, which are those of its logs.
    pub(super) fn read(file: &[u8], heads: &[Vec<u8>]) -> Self {
        let size = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
        let mut bytes = file.get(..size.min(file.len())).unwrap_or(&[]).to_vec();
        bytes.resize(size, 0);
        let is_sound = is_guarded(&bytes);
        if !is_sound {
            let logs = heads.iter().filter(|head| is_guarded(head));
            let newest = logs.max_by_key(|head| u32_at(head, base_block_field::PRIMARY_SEQUENCE));
            if let Some(head) = newest
                && let Some(place) = bytes.get_mut(..GUARDED)
                && let Some(head) = head.get(..GUARDED)
            {
                place.copy_from_slice(head);
                put(&mut bytes, base_block_field::FILE_TYPE, 0);
            } else if !is_likely(&bytes) {
                bytes.fill(0);
            }
        }
        let minor = u32_at(&bytes, MINOR).filter(|minor| (3..=6).contains(minor));
        Self {
            root: u32_at(&bytes, ROOT).unwrap_or(u32::MAX),
            minor,
            is_sound,
            bytes,
        }
    }

    /// Bytes of the bins, as it says.
    pub(super) fn bins_size(&self) -> usize {
        usize_of(u32_at(&self.bytes, base_block_field::BINS_SIZE).unwrap_or(0))
    }

    /// The version: as it says, unless the bins show that it cannot be.
    pub(super) fn version(&self, bins: &Bins) -> u32 {
        let has = |signature| !bins.cells_with(signature).is_empty();
        match self.minor {
            Some(minor) if self.is_sound || minor >= 5 => minor,
            _ if has(*b"lh") => 5,
            Some(minor) => minor,
            None if has_big_data(bins) => 4,
            None => 3,
        }
    }

    /// The finished base block.
    pub(super) fn sealed(&self, root: u32, bins_size: u32, minor: u32, beyond: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(signature) = bytes.get_mut(..4) {
            signature.copy_from_slice(b"regf");
        }
        let field = |at| u32_at(&self.bytes, at).unwrap_or(0);
        let known = match self.is_sound {
            true => field(base_block_field::PRIMARY_SEQUENCE)
                .max(field(base_block_field::SECONDARY_SEQUENCE)),
            false => field(base_block_field::PRIMARY_SEQUENCE)
                .min(field(base_block_field::SECONDARY_SEQUENCE)),
        };
        let sequence = known.max(beyond).saturating_add(1);
        put(&mut bytes, base_block_field::PRIMARY_SEQUENCE, sequence);
        put(&mut bytes, base_block_field::SECONDARY_SEQUENCE, sequence);
        put(&mut bytes, MAJOR, 1);
        put(&mut bytes, MINOR, minor);
        put(&mut bytes, base_block_field::FILE_TYPE, 0);
        put(&mut bytes, FILE_FORMAT, 1);
        put(&mut bytes, ROOT, root);
        put(&mut bytes, base_block_field::BINS_SIZE, bins_size);
        if !matches!(field(CLUSTERING_FACTOR), 1 | 2 | 4 | 8) {
            put(&mut bytes, CLUSTERING_FACTOR, 1);
        }
        let sum = checksum(&bytes).unwrap_or(0);
        put(&mut bytes, base_block_field::CHECKSUM, sum);
        bytes
    }

    /// Takes the time of the last write from the first bin where there is none.
    pub(super) fn take_time(&mut self, bins: &Bins) {
        let is_empty = self.bytes.iter().all(|byte| *byte == 0);
        let time = bins
            .bytes
            .get(20..28)
            .filter(|_| bins.bytes.starts_with(b"hbin"));
        let end = LAST_WRITTEN.saturating_add(8);
        if let Some(time) = time.filter(|_| is_empty)
            && let Some(place) = self.bytes.get_mut(LAST_WRITTEN..end)
        {
            place.copy_from_slice(time);
        }
    }
}

/// Whether data stands in segments, which version 1.3 does not know.
fn has_big_data(bins: &Bins) -> bool {
    bins.cells_with(*b"db").into_iter().any(|at| {
        let bytes = bins.cell(at).unwrap_or(&[]);
        let record = BigData::parse(CellOffset(at), bytes).ok();
        record.is_some_and(|record| {
            let count = usize::from(record.segment_count);
            let list = bins.cell(record.segments_list.0);
            count >= 2 && list.is_some_and(|list| list.len() >= count.saturating_mul(4))
        })
    })
}

/// Whether the checksum of a base block is right.
fn is_guarded(bytes: &[u8]) -> bool {
    BaseBlock::parse(bytes).is_ok_and(|base| base.stored_checksum == base.checksum)
}

/// Whether most of what every base block has alike is there.
fn is_likely(bytes: &[u8]) -> bool {
    let field = |at| u32_at(bytes, at).unwrap_or(0);
    let signs = [
        bytes.starts_with(b"regf"),
        field(MAJOR) == 1,
        (3..=6).contains(&field(MINOR)),
        field(FILE_FORMAT) == 1,
        field(CLUSTERING_FACTOR) == 1,
    ];
    signs.into_iter().filter(|sign| *sign).count() >= 3
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(field) = bytes.get_mut(at..at.saturating_add(4)) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}
