// SPDX-License-Identifier: GPL-3.0-or-later
//! Bins and cells: where each cell begins, and whether something refers to it.

use super::codes::*;
use super::report::{Report, add};
use crate::regf::bytes::u32_at;
use crate::regf::structures::HiveBinHeader;
use crate::regf::{CellOffset, HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT, field};

const NO_CELL: u64 = 0;
const FREE: u64 = 1;
const UNCLAIMED: u64 = 2;
const CLAIMED: u64 = 3;

/// Bytes of the bins that one word of the map tells of.
const WORD_SPAN: usize = 256;
/// The lower bit of each pair in a word.
const LOWER_BITS: u64 = 0x5555_5555_5555_5555;

/// Two bits for every eight bytes of the bins: what begins there. So few that the map of a large
/// hive stays in the processor's cache, for every cell is looked up in it.
pub(super) struct CellMap {
    starts: Vec<u64>,
    bins_size: u32,
}

/// Why a cell could not be claimed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    OutOfRange,
    Unaligned,
    NotACell,
    Free,
    Shared,
}

impl Refusal {
    pub(super) fn code(self) -> FindingCode {
        match self {
            Self::OutOfRange => CELL_OUT_OF_RANGE,
            Self::Unaligned => CELL_UNALIGNED,
            Self::NotACell => CELL_NOT_A_CELL,
            Self::Free => CELL_FREE,
            Self::Shared => CELL_SHARED,
        }
    }

    pub(super) fn found(self) -> &'static str {
        match self {
            Self::OutOfRange => "which is outside the hive bins",
            Self::Unaligned => "which is not a multiple of 8",
            Self::NotACell => "where no cell begins",
            Self::Free => "which is a free cell",
            Self::Shared => "which something else refers to already",
        }
    }
}

/// What tells of a bin's header whether it is one.
struct BinHeader {
    signature: [u8; 4],
    offset: u32,
    size: u32,
}

impl BinHeader {
    fn read(bins: &[u8], at: u32) -> Option<Self> {
        let header = bins.get(usize::try_from(at).ok()?..)?;
        // Bins may be cut off in the middle of a header.
        Some(Self {
            signature: field!(HiveBinHeader.signature).read(header)?,
            offset: field!(HiveBinHeader.offset).read(header)?.get(),
            size: field!(HiveBinHeader.size).read(header)?.get(),
        })
    }

    fn has_signature(&self) -> bool {
        self.signature == HiveBinHeader::SIGNATURE
    }

    /// The first byte behind the bin that begins at `start`, if its size is possible.
    fn end(&self, start: u32, bins_size: u32) -> Option<u32> {
        let is_possible = self.size != 0 && self.size.is_multiple_of(HIVE_BIN_UNIT);
        let end = start.checked_add(self.size).filter(|_| is_possible)?;
        (end <= bins_size).then_some(end)
    }
}

/// Whether a bin begins at `at`, as far as signature and offset tell.
fn begins_bin(bins: &[u8], at: u32) -> bool {
    let header = BinHeader::read(bins, at);
    header.is_some_and(|header| header.has_signature() && header.offset == at)
}

/// The first page behind `at` and before `end` where a bin begins, or `end`.
fn next_bin(bins: &[u8], at: u32, end: u32) -> u32 {
    let mut page = at.saturating_add(1).next_multiple_of(HIVE_BIN_UNIT);
    while page < end {
        if begins_bin(bins, page) {
            return page;
        }
        page = page.saturating_add(HIVE_BIN_UNIT);
    }
    end
}

/// Bytes of the sound bins that `bytes` begin with.
pub(super) fn size_of_bins(bytes: &[u8]) -> usize {
    let room = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut at = 0;
    while let Some(end) = BinHeader::read(bytes, at)
        .filter(|header| header.has_signature() && header.offset == at)
        .and_then(|header| header.end(at, room))
    {
        at = end;
    }
    usize::try_from(at).unwrap_or(0)
}

impl CellMap {
    /// Reads every bin's cells; findings are added to `report`.
    pub(super) fn read(bins: &[u8], report: &mut Report) -> Self {
        let mut map = Self {
            starts: vec![0; bins.len().div_ceil(WORD_SPAN)],
            bins_size: u32::try_from(bins.len()).unwrap_or(u32::MAX),
        };
        let bins_size = map.bins_size;
        let mut at = 0_u32;
        while at < bins_size {
            at = map.read_bin(bins, at, bins_size, report);
        }
        map
    }

    /// Reads the bin at `start` and gives the place where the next one is to be read.
    fn read_bin(&mut self, bins: &[u8], start: u32, bins_size: u32, report: &mut Report) -> u32 {
        let at = CellOffset(start).in_file();
        let next = || next_bin(bins, start, bins_size);
        let Some(header) = BinHeader::read(bins, start) else {
            add(
                report,
                BIN_SIZE,
                at,
                None,
                "less than a header",
                "a hive bin",
            );
            return bins_size;
        };
        if !header.has_signature() {
            let found = format!("\"{}\"", header.signature.escape_ascii());
            add(report, BIN_SIGNATURE, at, None, found, "\"hbin\"");
        }
        if header.offset != start {
            if !header.has_signature() {
                return next(); // not a bin at all
            }
            let found = format!("offset {:#010x}", header.offset);
            add(
                report,
                BIN_OFFSET,
                at,
                None,
                found,
                &format!("{start:#010x}"),
            );
        }
        let end = header.end(start, bins_size).unwrap_or_else(|| {
            let found = format!("size {}", header.size);
            let room = bins_size.saturating_sub(start);
            let expected = format!("a multiple of 4096 up to {room}");
            add(report, BIN_SIZE, at, None, found, &expected);
            next()
        });
        self.read_cells(bins, start, end, report)
    }

    /// Reads the cells of a bin; behind one that is damaged the next bin is looked for.
    fn read_cells(&mut self, bins: &[u8], start: u32, end: u32, report: &mut Report) -> u32 {
        let mut at = start.saturating_add(HIVE_BIN_HEADER_SIZE);
        while at < end {
            let field = usize::try_from(at).ok().and_then(|at| u32_at(bins, at));
            let size = field.unwrap_or(0).cast_signed();
            let total = size.unsigned_abs();
            let room = end.saturating_sub(at);
            if total < 8 || !total.is_multiple_of(8) || total > room {
                let found = format!("cell size {size}");
                let expected = format!("a multiple of 8 up to {room}");
                let place = CellOffset(at).in_file();
                add(report, CELL_SIZE, place, None, found, &expected);
                return next_bin(bins, at, end);
            }
            let state = if size < 0 { UNCLAIMED } else { FREE };
            self.set(CellOffset(at), state);
            at = at.saturating_add(total);
        }
        end
    }

    /// The word of the map that tells of `at`, and how far its bits are shifted in it.
    fn slot(at: CellOffset) -> (usize, u32) {
        let word = usize::try_from(at.0 >> 8).unwrap_or(usize::MAX);
        (word, (at.0 >> 2) & 62)
    }

    fn state(&self, at: CellOffset) -> u64 {
        let (word, shift) = Self::slot(at);
        let states = self.starts.get(word).filter(|_| at.0.is_multiple_of(8));
        states.map_or(NO_CELL, |states| (states >> shift) & 3)
    }

    fn set(&mut self, at: CellOffset, state: u64) {
        let (word, shift) = Self::slot(at);
        if let Some(states) = self.starts.get_mut(word) {
            *states = (*states & !(3 << shift)) | (state << shift);
        }
    }

    /// Whether an allocated cell begins at `at`, claimed or not.
    pub(super) fn is_allocated(&self, at: CellOffset) -> bool {
        self.state(at) >= UNCLAIMED
    }

    /// Whether an allocated cell begins at `at` that nothing has claimed.
    pub(super) fn is_unclaimed(&self, at: CellOffset) -> bool {
        self.state(at) == UNCLAIMED
    }

    /// The payload of the allocated cell that begins at `at`.
    pub(super) fn payload<'a>(&self, bins: &'a [u8], at: CellOffset) -> Option<&'a [u8]> {
        match self.is_allocated(at) {
            true => payload_at(bins, at),
            false => None,
        }
    }

    /// Why the cell at `at` cannot be claimed, if it cannot.
    pub(super) fn refusal(&self, at: CellOffset) -> Option<Refusal> {
        if at.0 >= self.bins_size {
            return Some(Refusal::OutOfRange);
        }
        if !at.0.is_multiple_of(8) {
            return Some(Refusal::Unaligned);
        }
        match self.state(at) {
            UNCLAIMED => None,
            FREE => Some(Refusal::Free),
            CLAIMED => Some(Refusal::Shared),
            _ => Some(Refusal::NotACell),
        }
    }

    /// Claims the allocated cell at `at` and gives its payload.
    pub(super) fn claim<'a>(
        &mut self,
        bins: &'a [u8],
        at: CellOffset,
    ) -> Result<&'a [u8], Refusal> {
        let (word, shift) = Self::slot(at);
        let states = self.starts.get_mut(word);
        let states = states.filter(|_| at.0.is_multiple_of(8));
        match states.filter(|states| (**states >> shift) & 3 == UNCLAIMED) {
            Some(states) => {
                let payload = payload_at(bins, at).ok_or(Refusal::NotACell)?;
                *states |= CLAIMED << shift;
                Ok(payload)
            }
            None => Err(self.refusal(at).unwrap_or(Refusal::NotACell)),
        }
    }

    /// The first allocated cell from `from` on that nothing has claimed.
    pub(super) fn next_unclaimed(&self, from: CellOffset) -> Option<CellOffset> {
        let (first, shift) = Self::slot(from);
        let mut skip = u64::MAX.checked_shl(shift).unwrap_or(0);
        for (word, states) in self.starts.iter().enumerate().skip(first) {
            // Of an unclaimed cell's pair the upper bit is set and the lower one is not.
            let unclaimed = (states >> 1) & !states & LOWER_BITS & skip;
            skip = u64::MAX;
            if unclaimed != 0 {
                let word = u32::try_from(word).ok()?.checked_mul(256)?;
                let pair = unclaimed.trailing_zeros() >> 1;
                return Some(CellOffset(word.checked_add(pair << 3)?));
            }
        }
        None
    }
}

/// The payload of the cell that begins at `at`, whatever the map says.
fn payload_at(bins: &[u8], at: CellOffset) -> Option<&[u8]> {
    let cell = bins.get(usize::try_from(at.0).ok()?..)?;
    let size = u32_at(cell, 0)?.cast_signed().unsigned_abs();
    cell.get(4..usize::try_from(size).ok()?)
}
