// SPDX-License-Identifier: GPL-3.0-or-later
//! Cells come and go: reuse, split, coalesce, growth.

use super::editor::{Editor, State};
use super::error::EditError;
use super::free_cells::SMALLEST_CELL;
use crate::regf::{CellOffset, HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT};

impl Editor {
    /// Allocates a cell with room for `payload` bytes.
    ///
    /// The best fitting free cell is used; the hive grows only where none is large enough.
    ///
    /// Spec: regf, *Cell*, *Unallocated cell*.
    pub(super) fn allocate(&mut self, payload: usize) -> Result<CellOffset, EditError> {
        self.state = State::Changed;
        let total = cell_total(payload)?;
        let (offset, size) = match self.free.take(total) {
            Some(found) => found,
            None => self.grow(total)?,
        };
        self.occupy(offset, size, total)?;
        Ok(CellOffset(offset))
    }

    /// Allocates a cell whose payload is `bytes`, and zeros behind them.
    pub(super) fn allocate_with(&mut self, bytes: &[u8]) -> Result<CellOffset, EditError> {
        let at = self.allocate(bytes.len())?;
        self.image.fill(at, bytes)?;
        Ok(at)
    }

    /// Makes the cell at `at` free and joins it with its free neighbours.
    pub(super) fn free_cell(&mut self, at: CellOffset) -> Result<(), EditError> {
        self.state = State::Changed;
        let size = self.image.cell_size(at)?;
        if size >= 0 {
            // Freeing twice would put one cell under two owners.
            let fault = crate::regf::Fault::FreeCell;
            let record = crate::regf::Record::Cell;
            return Err(crate::regf::RegfError::new(at.in_file(), record, fault).into());
        }
        self.release(at.0, size.unsigned_abs())
    }

    /// Gives the cell at `at` room for `payload` bytes where it stands, if its neighbour allows it.
    ///
    /// What is too much becomes free. Says whether the cell now has the room.
    pub(super) fn resize_in_place(
        &mut self,
        at: CellOffset,
        payload: usize,
    ) -> Result<bool, EditError> {
        self.state = State::Changed;
        let total = cell_total(payload)?;
        let mut size = self.image.cell_size(at)?.unsigned_abs();
        if size < total {
            let next = at.0.saturating_add(size);
            let following = self.free.by_offset.get(&next).copied().unwrap_or(0);
            if size.saturating_add(following) < total {
                return Ok(false);
            }
            self.free.remove(next);
            size = size.saturating_add(following);
        }
        self.occupy(at.0, size, total)?;
        Ok(true)
    }

    /// Marks `total` of the `size` bytes at `offset` as in use and frees the rest.
    fn occupy(&mut self, offset: u32, size: u32, total: u32) -> Result<(), EditError> {
        let rest = size.saturating_sub(total);
        let used = if rest < SMALLEST_CELL { size } else { total };
        let field = i32::try_from(used).map_err(|_| EditError::HiveFull)?;
        let field = field.checked_neg().ok_or(EditError::HiveFull)?;
        self.image.put_cell_size(CellOffset(offset), field)?;
        if used == size {
            return Ok(());
        }
        self.release(offset.saturating_add(used), rest)
    }

    fn release(&mut self, offset: u32, size: u32) -> Result<(), EditError> {
        let (mut offset, mut size) = (offset, size);
        let next = offset.saturating_add(size);
        if let Some(following) = self.free.remove(next) {
            size = size.saturating_add(following);
        }
        if let Some((start, previous)) = self.free.take_before(offset) {
            offset = start;
            size = size.saturating_add(previous);
        }
        let field = i32::try_from(size).map_err(|_| EditError::HiveFull)?;
        self.image.put_cell_size(CellOffset(offset), field)?;
        self.free.insert(offset, size);
        Ok(())
    }

    /// Appends a bin with room for a cell of `total` bytes and gives its one free cell.
    fn grow(&mut self, total: u32) -> Result<(u32, u32), EditError> {
        let need = total.checked_add(HIVE_BIN_HEADER_SIZE);
        let size = need.and_then(|need| need.checked_next_multiple_of(HIVE_BIN_UNIT));
        let size = size.ok_or(EditError::HiveFull)?;
        let bin = self.image.append_bin(size)?;
        let offset = bin.0.saturating_add(HIVE_BIN_HEADER_SIZE);
        Ok((offset, size.saturating_sub(HIVE_BIN_HEADER_SIZE)))
    }
}

/// Bytes of a cell with room for `payload` bytes: its size field counted, rounded up to 8.
fn cell_total(payload: usize) -> Result<u32, EditError> {
    let payload = u32::try_from(payload).map_err(|_| EditError::HiveFull)?;
    let total = payload.checked_add(4);
    let total = total.and_then(|total| total.checked_next_multiple_of(8));
    total.ok_or(EditError::HiveFull)
}
