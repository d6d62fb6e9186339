// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether the bins that came out of a log are bins.

use super::pages::{Pages, SECTOR};
use crate::regf::structures::HiveBinHeader;
use crate::regf::{
    BASE_BLOCK_SIZE, CellOffset, Fault, FileOffset, HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT, HiveBin,
    HiveBytes, Record, RegfError,
};
use zerocopy::IntoBytes;

/// How far in front of a page its bin's header is looked for before all bins are walked.
const LOOK_BACK: u32 = 256 * HIVE_BIN_UNIT;

/// The hive bins data while it is being recovered.
pub(super) struct Bins<'r> {
    pub(super) primary: &'r dyn HiveBytes,
    pub(super) pages: &'r Pages,
    /// Bytes of all bins.
    pub(super) size: u32,
}

impl Bins<'_> {
    /// The dirty bins whose header is not that of a bin where they stand.
    ///
    /// What in the primary file itself is damaged is not judged here: that is the structural
    /// check's work.
    ///
    /// Spec: regf, *Dirty pages*; *Log entries*, note 10.
    pub(super) fn invalid(&self) -> Vec<(CellOffset, RegfError)> {
        if self.all_explained() {
            return Vec::new();
        }
        self.walk()
    }

    /// Whether each dirty page is a bin's beginning or lies behind one that reaches over it. This
    /// looks at few pages only; where it is not content, all bins must be walked.
    fn all_explained(&self) -> bool {
        let mut explained = 0;
        for sector in self.pages.sectors() {
            let Some(in_bins) = sector.checked_sub(BASE_BLOCK_SIZE) else {
                continue;
            };
            let Ok(at) = u32::try_from(in_bins) else {
                return false;
            };
            if at < explained || at >= self.size {
                continue;
            }
            match self.end_of_bin_around(at) {
                Some(end) => explained = end,
                None => return false,
            }
        }
        true
    }

    fn end_of_bin_around(&self, at: u32) -> Option<u32> {
        let page = at.saturating_sub(at.checked_rem(HIVE_BIN_UNIT)?);
        let mut start = page;
        loop {
            if let Ok(bin) = self.bin(start) {
                return Some(bin.end()).filter(|end| *end > at);
            }
            start = start.checked_sub(HIVE_BIN_UNIT)?;
            if page.saturating_sub(start) > LOOK_BACK {
                return None;
            }
        }
    }

    fn walk(&self) -> Vec<(CellOffset, RegfError)> {
        let mut invalid = Vec::new();
        let mut at = 0;
        while at < self.size {
            match self.bin(at) {
                Ok(bin) => at = bin.end(),
                Err(error) if self.pages.covers(CellOffset(at).in_file().0) => {
                    invalid.push((CellOffset(at), error));
                    at = at.saturating_add(HIVE_BIN_UNIT);
                }
                Err(_) => break,
            }
        }
        invalid
    }

    fn bin(&self, at: u32) -> Result<HiveBin, RegfError> {
        let start = CellOffset(at);
        let length = usize::try_from(HIVE_BIN_HEADER_SIZE).unwrap_or(0);
        let header = self.pages.read(self.primary, start.in_file(), length)?;
        HiveBin::parse(&header, start, self.size)
    }

    /// The first place within the bins that neither the primary file nor the logs hold: Windows
    /// logs each page of a new bin, so a hive that has such a place was not recovered.
    pub(super) fn hole(&self) -> Option<(CellOffset, RegfError)> {
        let end = CellOffset(self.size).in_file().0;
        let unit = u64::from(SECTOR);
        let there = self.primary.size().max(BASE_BLOCK_SIZE);
        let there = there.saturating_sub(there.checked_rem(unit).unwrap_or(0));
        let hole = self.pages.first_gap(there, end)?;
        let in_bins = u32::try_from(hole.saturating_sub(BASE_BLOCK_SIZE)).unwrap_or(u32::MAX);
        let (need, have) = (end, hole);
        let fault = Fault::Truncated { need, have };
        let error = RegfError::new(FileOffset(hole), Record::HiveBin, fault);
        Some((CellOffset(in_bins), error))
    }
}

/// A bin of 4096 bytes that is one free cell.
pub(super) fn dummy(at: CellOffset) -> Vec<u8> {
    let free = HIVE_BIN_UNIT.saturating_sub(HIVE_BIN_HEADER_SIZE);
    let mut bin = HiveBinHeader::new(at.0, HIVE_BIN_UNIT).as_bytes().to_vec();
    bin.extend_from_slice(&free.to_le_bytes());
    bin.resize(usize::try_from(HIVE_BIN_UNIT).unwrap_or(0), 0);
    bin
}
