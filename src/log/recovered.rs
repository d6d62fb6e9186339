// SPDX-License-Identifier: GPL-3.0-or-later
//! The recovered hive: the primary file with the pages of the logs over it.

use std::borrow::Cow;
use std::fmt;

use super::Report;
use super::pages::Pages;
use crate::regf::{Fault, FileOffset, HiveBytes, Record, RegfError};

/// How much is copied at once.
const CHUNK: u64 = 1024 * 1024;

/// A hive as Windows would have it in memory once its logs were applied, marked as clean.
///
/// It holds the pages that the logs replace; all else is read from the primary file on demand. Of
/// a hive that was clean it is the primary file itself.
pub struct Recovered<'a> {
    pub(super) primary: &'a dyn HiveBytes,
    pub(super) pages: Pages,
    pub(super) size: u64,
    pub(super) report: Report,
}

impl Recovered<'_> {
    /// What was found in the logs and what was done with it.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the hive was clean, so that this is the primary file as it is.
    pub fn was_clean(&self) -> bool {
        self.report.applied.is_none()
    }

    /// The whole recovered primary file, its remnant tail included.
    ///
    /// # Errors
    ///
    /// Where a part of the primary file cannot be read.
    pub fn to_vec(&self) -> Result<Vec<u8>, RegfError> {
        let mut image = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        let mut at = 0;
        while at < self.size {
            let length = CHUNK.min(self.size.saturating_sub(at));
            let bytes = usize::try_from(length).unwrap_or(usize::MAX);
            image.extend_from_slice(&self.read(FileOffset(at), bytes)?);
            at = at.saturating_add(length);
        }
        Ok(image)
    }
}

impl HiveBytes for Recovered<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        let need = u64::try_from(length).unwrap_or(u64::MAX);
        let have = self.size.saturating_sub(at.0);
        if need > have {
            let fault = Fault::Truncated { need, have };
            return Err(RegfError::new(at, Record::Cell, fault));
        }
        self.pages.read(self.primary, at, length)
    }
}

impl fmt::Debug for Recovered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Recovered");
        shown.field("size", &self.size);
        shown.field("report", &self.report).finish_non_exhaustive()
    }
}
