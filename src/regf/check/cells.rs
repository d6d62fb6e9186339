// SPDX-License-Identifier: GPL-3.0-or-later
//! Bins and cells: where each cell begins, and whether something refers to it.

use super::{
    CELL_FREE, CELL_NOT_A_CELL, CELL_OUT_OF_RANGE, CELL_SHARED, CELL_SIZE, Code, HIVE_BIN, Report,
    add,
};
use crate::regf::bytes::u32_at;
use crate::regf::{CellOffset, HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT, HiveBin};

const NO_CELL: u8 = 0;
const FREE: u8 = 1;
const UNCLAIMED: u8 = 2;
const CLAIMED: u8 = 3;

/// One byte for every eight bytes of the bins: what begins there.
pub(super) struct CellMap {
    starts: Vec<u8>,
}

/// Why a cell could not be claimed.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    OutOfRange,
    NotACell,
    Free,
    Shared,
}

impl Refusal {
    pub(super) fn code(self) -> Code {
        match self {
            Self::OutOfRange => CELL_OUT_OF_RANGE,
            Self::NotACell => CELL_NOT_A_CELL,
            Self::Free => CELL_FREE,
            Self::Shared => CELL_SHARED,
        }
    }

    pub(super) fn found(self) -> &'static str {
        match self {
            Self::OutOfRange => "which is outside the hive bins",
            Self::NotACell => "where no cell begins",
            Self::Free => "which is a free cell",
            Self::Shared => "which something else refers to already",
        }
    }
}

impl CellMap {
    /// Reads every bin's cells; findings are added to `report`.
    pub(super) fn read(bins: &[u8], report: &mut Report) -> Self {
        let mut map = Self {
            starts: vec![NO_CELL; bins.len().div_ceil(8)],
        };
        let bins_size = u32::try_from(bins.len()).unwrap_or(u32::MAX);
        let mut at = 0_u32;
        while at < bins_size {
            let start = CellOffset(at);
            let rest = usize::try_from(at).ok().and_then(|at| bins.get(at..));
            let end = match HiveBin::parse(rest.unwrap_or(&[]), start, bins_size) {
                Ok(bin) => {
                    map.read_bin(bins, bin, report);
                    bin.end()
                }
                Err(error) => {
                    let expected = "a hive bin's header";
                    add(report, HIVE_BIN, error.at, None, error, expected);
                    at.saturating_add(HIVE_BIN_UNIT)
                }
            };
            at = end;
        }
        map
    }

    fn read_bin(&mut self, bins: &[u8], bin: HiveBin, report: &mut Report) {
        let mut at = bin.start.0.saturating_add(HIVE_BIN_HEADER_SIZE);
        while at < bin.end() {
            let field = usize::try_from(at).ok().and_then(|at| u32_at(bins, at));
            let size = field.unwrap_or(0).cast_signed();
            let total = size.unsigned_abs();
            let room = bin.end().saturating_sub(at);
            if total < 8 || !total.is_multiple_of(8) || total > room {
                let found = format!("cell size {size}");
                let expected = format!("a multiple of 8 up to {room}");
                let at = CellOffset(at).in_file();
                add(report, CELL_SIZE, at, None, found, &expected);
                return;
            }
            let state = if size < 0 { UNCLAIMED } else { FREE };
            self.set(CellOffset(at), state);
            at = at.saturating_add(total);
        }
    }

    fn slot(at: CellOffset) -> Option<usize> {
        usize::try_from(at.0.checked_div(8)?).ok()
    }

    fn state(&self, at: CellOffset) -> u8 {
        let slot = Self::slot(at).filter(|_| at.0.is_multiple_of(8));
        let state = slot.and_then(|slot| self.starts.get(slot));
        state.copied().unwrap_or(NO_CELL)
    }

    fn set(&mut self, at: CellOffset, state: u8) {
        let slot = Self::slot(at).and_then(|slot| self.starts.get_mut(slot));
        if let Some(slot) = slot {
            *slot = state;
        }
    }

    /// Whether an allocated cell begins at `at`, claimed or not.
    pub(super) fn is_allocated(&self, at: CellOffset) -> bool {
        self.state(at) >= UNCLAIMED
    }

    /// The payload of the allocated cell that begins at `at`.
    pub(super) fn payload<'a>(&self, bins: &'a [u8], at: CellOffset) -> Option<&'a [u8]> {
        if !self.is_allocated(at) {
            return None;
        }
        let start = usize::try_from(at.0).ok()?;
        let size = u32_at(bins, start)?.cast_signed().unsigned_abs();
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        bins.get(start.checked_add(4)?..end)
    }

    /// Claims the allocated cell at `at` and gives its payload.
    pub(super) fn claim<'a>(
        &mut self,
        bins: &'a [u8],
        at: CellOffset,
    ) -> Result<&'a [u8], Refusal> {
        let slot = Self::slot(at).unwrap_or(usize::MAX);
        if slot >= self.starts.len() {
            return Err(Refusal::OutOfRange);
        }
        match self.state(at) {
            UNCLAIMED => {}
            FREE => return Err(Refusal::Free),
            CLAIMED => return Err(Refusal::Shared),
            _ => return Err(Refusal::NotACell),
        }
        let payload = self.payload(bins, at).ok_or(Refusal::NotACell)?;
        self.set(at, CLAIMED);
        Ok(payload)
    }

    /// The allocated cells that nothing has claimed.
    pub(super) fn unclaimed(&self) -> Vec<CellOffset> {
        let starts = self.starts.iter().enumerate();
        let unclaimed = starts.filter(|&(_, &state)| state == UNCLAIMED);
        unclaimed
            .filter_map(|(slot, _)| u32::try_from(slot.checked_mul(8)?).ok())
            .map(CellOffset)
            .collect()
    }
}
