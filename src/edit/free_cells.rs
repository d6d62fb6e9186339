// SPDX-License-Identifier: GPL-3.0-or-later
//! The free cells of a hive.

use std::collections::{BTreeMap, BTreeSet};

use super::error::EditError;
use super::image::Image;
use crate::regf::{CellOffset, HIVE_BIN_HEADER_SIZE, HiveBin};

/// The smallest cell, in bytes with its size field.
pub(super) const SMALLEST_CELL: u32 = 8;

/// The free cells of a hive, by size and by place.
#[derive(Default)]
pub(super) struct FreeCells {
    pub(super) by_size: BTreeSet<(u32, u32)>,
    pub(super) by_offset: BTreeMap<u32, u32>,
}

impl FreeCells {
    /// Finds all free cells of a sound image.
    pub(super) fn read(image: &Image) -> Result<Self, EditError> {
        let mut free = Self::default();
        let bins_size = image.bins_size();
        let start = usize::try_from(crate::regf::BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
        let bins = image.bytes().get(start..).unwrap_or(&[]);
        let mut bin_start = 0;
        while bin_start < bins_size {
            let at = usize::try_from(bin_start).unwrap_or(usize::MAX);
            let header = bins.get(at..).unwrap_or(&[]);
            let bin = HiveBin::parse(header, CellOffset(bin_start), bins_size)?;
            let mut cell = bin_start.saturating_add(HIVE_BIN_HEADER_SIZE);
            while cell < bin.end() {
                let size = image.cell_size(CellOffset(cell))?;
                // What something damaged may reach counts as in use.
                if size > 0 && image.is_writable(cell, size.unsigned_abs()) {
                    free.insert(cell, size.unsigned_abs());
                }
                cell = cell.saturating_add(size.unsigned_abs().max(SMALLEST_CELL));
            }
            bin_start = bin.end();
        }
        Ok(free)
    }

    pub(super) fn insert(&mut self, offset: u32, size: u32) {
        self.by_size.insert((size, offset));
        self.by_offset.insert(offset, size);
    }

    pub(super) fn remove(&mut self, offset: u32) -> Option<u32> {
        let size = self.by_offset.remove(&offset)?;
        self.by_size.remove(&(size, offset));
        Some(size)
    }

    /// Takes out the smallest cell that has `size` bytes, the first in the hive among equals.
    pub(super) fn take(&mut self, size: u32) -> Option<(u32, u32)> {
        let &(found, offset) = self.by_size.range((size, 0)..).next()?;
        self.remove(offset);
        Some((offset, found))
    }

    /// Takes out the free cell that ends where `offset` begins.
    ///
    /// Cells of two bins never touch, because a bin's header stands between them.
    pub(super) fn take_before(&mut self, offset: u32) -> Option<(u32, u32)> {
        let (&start, &size) = self.by_offset.range(..offset).next_back()?;
        if start.checked_add(size)? != offset {
            return None;
        }
        self.remove(start);
        Some((start, size))
    }
}
