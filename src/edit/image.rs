// SPDX-License-Identifier: GPL-3.0-or-later
//! The bytes of a primary file, and checked writes into cells.

use super::EditError;
use crate::regf::u32_at;
use crate::regf::{
    BASE_BLOCK_SIZE, CellOffset, Fault, FileOffset, HIVE_BIN_UNIT, Record, RegfError,
    base_block_field,
};

/// A whole primary file in memory.
pub(super) struct Image(Vec<u8>);

impl Image {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &Vec<u8> {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Bytes of all hive bins.
    pub(super) fn bins_size(&self) -> u32 {
        u32_at(&self.0, base_block_field::BINS_SIZE).unwrap_or(0)
    }

    /// Writes a field of the base block.
    pub(super) fn put_header(&mut self, field: usize, value: u32) -> Result<(), EditError> {
        self.write(field, &value.to_le_bytes())
    }

    /// The size field of the cell at `at`: negative while in use.
    pub(super) fn cell_size(&self, at: CellOffset) -> Result<i32, EditError> {
        let size = u32_at(&self.0, start_of(at)?);
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

    /// Writes two bytes into the payload of the cell at `at`.
    pub(super) fn put_u16(
        &mut self,
        at: CellOffset,
        field: usize,
        value: u16,
    ) -> Result<(), EditError> {
        self.put(at, field, &value.to_le_bytes())
    }

    /// Writes four bytes into the payload of the cell at `at`.
    pub(super) fn put_u32(
        &mut self,
        at: CellOffset,
        field: usize,
        value: u32,
    ) -> Result<(), EditError> {
        self.put(at, field, &value.to_le_bytes())
    }

    /// Writes eight bytes into the payload of the cell at `at`.
    pub(super) fn put_u64(
        &mut self,
        at: CellOffset,
        field: usize,
        value: u64,
    ) -> Result<(), EditError> {
        self.put(at, field, &value.to_le_bytes())
    }

    /// Writes `bytes` into the payload of the cell at `at`, from `field` on.
    pub(super) fn put(
        &mut self,
        at: CellOffset,
        field: usize,
        bytes: &[u8],
    ) -> Result<(), EditError> {
        let end = field.saturating_add(bytes.len());
        if end > self.capacity(at)? {
            return Err(outside(at.in_file()));
        }
        let start = start_of(at)?.saturating_add(4).saturating_add(field);
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
        let payload = self.0.get(start..end);
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
        debug_assert!(size.is_multiple_of(HIVE_BIN_UNIT));
        let at = CellOffset(start);
        let from = start_of(at)?;
        let to = start_of(CellOffset(end))?;
        if self.0.len() < to {
            self.0.resize(to, 0);
        }
        if let Some(bin) = self.0.get_mut(from..to) {
            bin.fill(0);
        }
        self.write(from, b"hbin")?;
        self.write(from.saturating_add(4), &start.to_le_bytes())?;
        self.write(from.saturating_add(8), &size.to_le_bytes())?;
        self.put_header(base_block_field::BINS_SIZE, end)?;
        Ok(at)
    }

    fn write(&mut self, start: usize, bytes: &[u8]) -> Result<(), EditError> {
        let place = start.checked_add(bytes.len());
        let place = place.and_then(|end| self.0.get_mut(start..end));
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
