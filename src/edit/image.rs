// SPDX-License-Identifier: GPL-3.0-or-later
//! The bytes of a primary file, and checked writes into cells.

use super::error::EditError;
use crate::regf::structures::{BaseBlockHead, Field, HiveBinHeader};
use crate::regf::{
    BASE_BLOCK_SIZE, CellOffset, Fault, FileOffset, HIVE_BIN_UNIT, Overreach, Record, RegfError,
    field, u32_at,
};
use zerocopy::{Immutable, IntoBytes};

/// A whole primary file in memory.
pub(super) struct Image {
    bytes: Vec<u8>,
    /// What must stay as it is: the bytes that something damaged may reach, by their beginning.
    frozen: Vec<Frozen>,
}

/// Bytes of the bins that are never written.
struct Frozen {
    start: u32,
    end: u32,
    from: FileOffset,
}

impl Image {
    /// `reach` is what stays as it is, whatever is asked for.
    pub(super) fn new(bytes: Vec<u8>, mut reach: Vec<Overreach>) -> Self {
        reach.sort_by_key(|reach| reach.start);
        let mut frozen: Vec<Frozen> = Vec::new();
        for Overreach { from, start, end } in reach {
            match frozen.last_mut() {
                Some(last) if start.0 <= last.end => last.end = last.end.max(end.0),
                _ => frozen.push(Frozen {
                    start: start.0,
                    end: end.0,
                    from,
                }),
            }
        }
        Self { bytes, frozen }
    }

    pub(super) fn bytes(&self) -> &Vec<u8> {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether none of the `size` bytes of the bins from `start` on must stay as they are.
    pub(super) fn is_writable(&self, start: u32, size: u32) -> bool {
        self.frozen_in(start, start.saturating_add(size)).is_none()
    }

    /// What must stay as it is between `start` and `end`. Of a sound hive there is nothing.
    fn frozen_in(&self, start: u32, end: u32) -> Option<&Frozen> {
        let behind = self.frozen.partition_point(|frozen| frozen.start < end);
        let last = self.frozen.get(..behind)?.last()?;
        (last.end > start).then_some(last)
    }

    fn expect_writable(&self, start: u32, end: u32) -> Result<(), EditError> {
        match self.frozen_in(start, end) {
            None => Ok(()),
            Some(&Frozen { from, .. }) => Err(EditError::InReach {
                at: CellOffset(start).in_file(),
                from,
            }),
        }
    }

    /// Bytes of all hive bins.
    pub(super) fn bins_size(&self) -> u32 {
        let size = field!(BaseBlockHead.bins_size).read(&self.bytes);
        size.map_or(0, |size| size.get())
    }

    /// Writes a field of the base block.
    pub(super) fn set_head<T: IntoBytes + Immutable>(
        &mut self,
        field: Field<BaseBlockHead, T>,
        value: impl Into<T>,
    ) -> Result<(), EditError> {
        let value: T = value.into();
        self.write(field.offset(), value.as_bytes())
    }

    /// The size field of the cell at `at`: negative while in use.
    pub(super) fn cell_size(&self, at: CellOffset) -> Result<i32, EditError> {
        let size = u32_at(&self.bytes, start_of(at)?);
        let size = size.ok_or_else(|| outside(at.in_file()))?;
        Ok(size.cast_signed())
    }

    /// Bytes that the allocated cell at `at` has room for.
    pub(super) fn capacity(&self, at: CellOffset) -> Result<usize, EditError> {
        let size = self.cell_size(at)?.unsigned_abs().saturating_sub(4);
        usize::try_from(size).map_err(|_| EditError::HiveFull)
    }

    /// Writes the size field of the cell at `at`.
    pub(super) fn put_cell_size(&mut self, at: CellOffset, size: i32) -> Result<(), EditError> {
        self.write(start_of(at)?, &size.to_le_bytes())
    }

    /// Writes a field of the structure in the cell at `at`.
    pub(super) fn set<S, T: IntoBytes + Immutable>(
        &mut self,
        at: CellOffset,
        field: Field<S, T>,
        value: impl Into<T>,
    ) -> Result<(), EditError> {
        let value: T = value.into();
        self.put(at, field.offset(), value.as_bytes())
    }

    /// Writes `bytes` into the payload of the cell at `at`, from its byte `from` on.
    pub(super) fn put(
        &mut self,
        at: CellOffset,
        from: usize,
        bytes: &[u8],
    ) -> Result<(), EditError> {
        let end = from.saturating_add(bytes.len());
        if end > self.capacity(at)? {
            return Err(outside(at.in_file()));
        }
        let start = start_of(at)?.saturating_add(4).saturating_add(from);
        self.write(start, bytes)
    }

    /// Writes `bytes` as the payload of the cell at `at`, and zeros behind them.
    pub(super) fn fill(&mut self, at: CellOffset, bytes: &[u8]) -> Result<(), EditError> {
        let rest = self.capacity(at)?.saturating_sub(bytes.len());
        self.put(at, 0, bytes)?;
        self.put(at, bytes.len(), &vec![0; rest])
    }

    /// The payload of the cell at `at`.
    pub(super) fn payload(&self, at: CellOffset) -> Result<&[u8], EditError> {
        let start = start_of(at)?.saturating_add(4);
        let end = start.saturating_add(self.capacity(at)?);
        let payload = self.bytes.get(start..end);
        payload.ok_or_else(|| outside(at.in_file()))
    }

    /// Appends an empty hive bin of `size` bytes behind the last one and gives its offset.
    ///
    /// What lies behind the last bin in the file is overwritten.
    ///
    /// Spec: regf, *Hive bin*.
    pub(super) fn append_bin(&mut self, size: u32) -> Result<CellOffset, EditError> {
        const LARGEST: u32 = 0x7FFF_F000;
        let start = self.bins_size();
        let end = start.checked_add(size).filter(|&end| end <= LARGEST);
        let end = end.ok_or(EditError::HiveFull)?;
        if let Some(&Frozen { from, .. }) = self.frozen_in(start, end) {
            return Err(EditError::NoGrowth { from });
        }
        debug_assert!(size.is_multiple_of(HIVE_BIN_UNIT));
        let at = CellOffset(start);
        let from = start_of(at)?;
        let to = start_of(CellOffset(end))?;
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        if let Some(bin) = self.bytes.get_mut(from..to) {
            bin.fill(0);
        }
        self.write(from, HiveBinHeader::new(start, size).as_bytes())?;
        self.set_head(field!(BaseBlockHead.bins_size), end)?;
        Ok(at)
    }

    /// As [`Image::expect_writable`], for `size` bytes from `start` of the file on.
    fn expect_bins_writable(&self, start: usize, size: usize) -> Result<(), EditError> {
        let in_bins = |at: usize| {
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            let at = at.saturating_sub(BASE_BLOCK_SIZE);
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        self.expect_writable(in_bins(start), in_bins(start.saturating_add(size)))
    }

    fn write(&mut self, start: usize, bytes: &[u8]) -> Result<(), EditError> {
        if !self.frozen.is_empty() {
            self.expect_bins_writable(start, bytes.len())?;
        }
        let place = start.checked_add(bytes.len());
        let place = place.and_then(|end| self.bytes.get_mut(start..end));
        match place {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(outside(FileOffset(
                u64::try_from(start).unwrap_or(u64::MAX),
            ))),
        }
    }
}

/// Where the cell's size field begins in the file.
fn start_of(at: CellOffset) -> Result<usize, EditError> {
    let start = u64::from(at.0).saturating_add(BASE_BLOCK_SIZE);
    usize::try_from(start).map_err(|_| EditError::HiveFull)
}

fn outside(at: FileOffset) -> EditError {
    let fault = Fault::Truncated { need: 1, have: 0 };
    EditError::Regf(RegfError::new(at, Record::Cell, fault))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
