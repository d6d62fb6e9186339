// SPDX-License-Identifier: GPL-3.0-or-later
//! Pages that lie over the primary file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::regf::{FileOffset, HiveBytes, RegfError};

/// What both log formats count in, whatever the disk's sectors are.
pub(super) const SECTOR: u32 = 512;
const SECTOR_LENGTH: usize = 512;

/// The sectors that the logs replace. Holds a copy of each, once, however often it is written.
#[derive(Default)]
pub(super) struct Pages {
    /// Where in `bytes` a sector of the primary file stands.
    slots: BTreeMap<u64, usize>,
    bytes: Vec<u8>,
}

impl Pages {
    /// Lays whole sectors over the file from `at` on; a last part of a sector is left out.
    pub(super) fn put(&mut self, at: u64, bytes: &[u8]) {
        let first = sector_of(at);
        for (sector, bytes) in (first..).zip(bytes.chunks_exact(SECTOR_LENGTH)) {
            let free = self.bytes.len();
            let slot = *self.slots.entry(sector).or_insert(free);
            if slot == free {
                self.bytes.extend_from_slice(bytes);
            } else if let Some(place) = self.sector_mut(slot) {
                place.copy_from_slice(bytes);
            }
        }
    }

    fn sector_mut(&mut self, slot: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(slot..slot.checked_add(SECTOR_LENGTH)?)
    }

    /// Whether the sector at `at` is replaced.
    pub(super) fn covers(&self, at: u64) -> bool {
        self.slots.contains_key(&sector_of(at))
    }

    /// The file offsets of the replaced sectors, ascending.
    pub(super) fn sectors(&self) -> impl Iterator<Item = u64> {
        let sectors = self.slots.keys();
        sectors.map(|sector| sector.saturating_mul(u64::from(SECTOR)))
    }

    /// The first sector in `from..to`, both multiples of 512, that is not replaced.
    pub(super) fn first_gap(&self, from: u64, to: u64) -> Option<u64> {
        // `BTreeMap::range` panics where the end comes before the start.
        let wanted = sector_of(from)..sector_of(to.max(from));
        let there = self.slots.range(wanted.clone()).map(|(sector, _)| *sector);
        let mut there = there.peekable();
        let gap = wanted.into_iter().find(|at| there.next() != Some(*at))?;
        Some(gap.saturating_mul(u64::from(SECTOR)))
    }

    /// Exactly `length` bytes from `at` on: replaced sectors from here, all else from `primary`.
    pub(super) fn read<'s>(
        &'s self,
        primary: &'s dyn HiveBytes,
        at: FileOffset,
        length: usize,
    ) -> Result<Cow<'s, [u8]>, RegfError> {
        let end =
            at.0.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        let last = sector_of(end.saturating_sub(1));
        let replaced = self.slots.range(sector_of(at.0)..=last);
        if replaced.clone().next().is_none() {
            return primary.read(at, length);
        }
        if let Some(whole) = self.in_one_piece(at.0, length) {
            return Ok(Cow::Borrowed(whole));
        }
        let mut bytes = Vec::with_capacity(length);
        let mut next = at.0;
        for (&sector, &slot) in replaced {
            let start = sector.saturating_mul(u64::from(SECTOR));
            if start > next {
                bytes.extend_from_slice(&primary.read(FileOffset(next), to_length(start, next))?);
                next = start;
            }
            let stop = end.min(start.saturating_add(u64::from(SECTOR)));
            bytes.extend_from_slice(self.part(slot, to_length(next, start), to_length(stop, next)));
            next = stop;
        }
        if end > next {
            bytes.extend_from_slice(&primary.read(FileOffset(next), to_length(end, next))?);
        }
        Ok(Cow::Owned(bytes))
    }

    /// The bytes where all their sectors are replaced and stand together here, as pages do.
    fn in_one_piece(&self, at: u64, length: usize) -> Option<&[u8]> {
        let first = sector_of(at);
        let last = sector_of(
            at.checked_add(u64::try_from(length).ok()?)?
                .checked_sub(1)?,
        );
        let start = *self.slots.get(&first)?;
        let mut expected = start;
        for sector in first..=last {
            if *self.slots.get(&sector)? != expected {
                return None;
            }
            expected = expected.checked_add(SECTOR_LENGTH)?;
        }
        let skip = to_length(at, first.saturating_mul(u64::from(SECTOR)));
        let start = start.checked_add(skip)?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn part(&self, slot: usize, skip: usize, length: usize) -> &[u8] {
        let start = slot.saturating_add(skip);
        let end = start.saturating_add(length);
        self.bytes.get(start..end).unwrap_or(&[])
    }
}

fn sector_of(at: u64) -> u64 {
    at.checked_div(u64::from(SECTOR)).unwrap_or(0)
}

fn to_length(end: u64, start: u64) -> usize {
    usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
mod tests {
    use super::*;

    #[test]
    fn reads_take_replaced_sectors_and_leave_the_rest() {
        let primary: Vec<u8> = vec![1; 2048];
        let mut pages = Pages::default();
        pages.put(1024, &[3; 512]);
        pages.put(512, &[2; 512]);
        pages.put(2048, &[4; 512]);
        let mut expected = primary.clone();
        expected[512..1024].fill(2);
        expected[1024..1536].fill(3);
        expected.extend_from_slice(&[4; 512]);
        for at in (0..2560).step_by(37) {
            for length in [0, 1, 4, 300, 512, 700, 1500, 2560] {
                let Some(part) = expected.get(at..at + length) else {
                    continue;
                };
                let offset = FileOffset(at as u64);
                let read = pages.read(&primary, offset, length).unwrap();
                assert_eq!(read, part, "{length} bytes at {at}");
            }
        }
        assert!(pages.read(&primary, FileOffset(2500), 100).is_err());
    }

    #[test]
    fn a_sector_written_again_takes_no_more_room() {
        let mut pages = Pages::default();
        pages.put(512, &[1; 1024]);
        pages.put(1024, &[2; 512]);
        assert_eq!(pages.bytes.len(), 1024);
        assert_eq!(pages.bytes[512], 2);
        assert_eq!(pages.first_gap(512, 1536), None);
        assert_eq!(pages.first_gap(512, 2048), Some(1536));
        assert_eq!(pages.first_gap(0, 1536), Some(0));
        assert_eq!(pages.first_gap(4096, 512), None);
    }
}
