// SPDX-License-Identifier: GPL-3.0-or-later
//! The base block: what is there of it, what a log has of it, and what the bins tell.

use super::bins::{Bins, usize_of};
use crate::regf::structures::{BaseBlockHead, HiveBinHeader, Offset, read};
use crate::regf::{BASE_BLOCK_SIZE, BaseBlock, BigData, CellOffset, checksum, field};
use zerocopy::IntoBytes;

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
            let heads = logs.filter_map(|head| read::<BaseBlockHead>(head));
            let newest = heads.max_by_key(|head| head.primary_sequence.get());
            if let Some(mut head) = newest {
                head.file_type.set(0);
                put(&mut bytes, &head);
            } else if !is_likely(&bytes) {
                bytes.fill(0);
            }
        }
        let minor = field!(BaseBlockHead.minor).read(&bytes);
        let root = field!(BaseBlockHead.root).read(&bytes);
        Self {
            root: root.unwrap_or(Offset::NONE).get().0,
            minor: minor
                .map(|minor| minor.get())
                .filter(|minor| (3..=6).contains(minor)),
            is_sound,
            bytes,
        }
    }

    /// Bytes of the bins, as it says.
    pub(super) fn bins_size(&self) -> usize {
        let size = field!(BaseBlockHead.bins_size).read(&self.bytes);
        usize_of(size.map_or(0, |size| size.get()))
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
        let Some(mut head) = read::<BaseBlockHead>(&bytes) else {
            return bytes;
        };
        let (primary, secondary) = (head.primary_sequence.get(), head.secondary_sequence.get());
        let known = match self.is_sound {
            true => primary.max(secondary),
            false => primary.min(secondary),
        };
        let sequence = known.max(beyond).saturating_add(1);
        head.signature = BaseBlockHead::SIGNATURE;
        head.primary_sequence.set(sequence);
        head.secondary_sequence.set(sequence);
        head.major.set(1);
        head.minor.set(minor);
        head.file_type.set(0);
        head.file_format.set(1);
        head.root = CellOffset(root).into();
        head.bins_size.set(bins_size);
        if !matches!(head.clustering_factor.get(), 1 | 2 | 4 | 8) {
            head.clustering_factor.set(1);
        }
        head.checksum.set(checksum(head.as_bytes()).unwrap_or(0));
        put(&mut bytes, &head);
        bytes
    }

    /// Takes the time of the last write from the first bin where there is none.
    pub(super) fn take_time(&mut self, bins: &Bins) {
        let is_empty = self.bytes.iter().all(|byte| *byte == 0);
        let first = read::<HiveBinHeader>(&bins.bytes).filter(|_| is_empty);
        if let Some(bin) = first.filter(|bin| bin.signature == HiveBinHeader::SIGNATURE) {
            field!(BaseBlockHead.last_written).write(&mut self.bytes, bin.last_written);
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
    let signs = read::<BaseBlockHead>(bytes).map(|head| {
        [
            head.signature == BaseBlockHead::SIGNATURE,
            head.major.get() == 1,
            (3..=6).contains(&head.minor.get()),
            head.file_format.get() == 1,
            head.clustering_factor.get() == 1,
        ]
    });
    signs.is_some_and(|signs| signs.into_iter().filter(|sign| *sign).count() >= 3)
}

/// Writes the fields of a base block, whose bytes these are.
fn put(bytes: &mut [u8], head: &BaseBlockHead) {
    // A base block is always longer.
    let _ = head.write_to_prefix(bytes);
}
