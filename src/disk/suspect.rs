// SPDX-License-Identifier: GPL-3.0-or-later
//! A file that is no hive by its header, though a hive's bins follow.

use std::io::Read;
use std::path::Path;

use super::{DiskError, platform};

/// Where the first bin begins, and what its header begins with: the signature and offset 0.
const FIRST_BIN: std::ops::Range<usize> = 4096..4104;
const FIRST_BIN_START: &[u8] = b"hbin\0\0\0\0";
/// Where a transaction log has `DIRT` or an entry, and a primary file has nothing.
const LOG_SIGNATURE: std::ops::Range<usize> = 512..516;
/// The most bytes a primary file can have; behind them nothing is read.
pub(crate) const LARGEST_HIVE: u64 = (4 << 30) + 4096;

/// Reads a file whose header is damaged beyond recognition; `None` where it is no hive at all.
///
/// # Errors
///
/// [`DiskError::Io`] where it cannot be read.
pub fn read_suspect(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let failed = |error| DiskError::io("read", path, error);
    let file = platform::open_plain(path).map_err(|e| DiskError::io("open", path, e))?;
    let mut content = Vec::new();
    let head = u64::try_from(FIRST_BIN.end).unwrap_or(u64::MAX);
    let mut file = file.take(head);
    file.read_to_end(&mut content).map_err(failed)?;
    let is_log = matches!(content.get(LOG_SIGNATURE), Some(b"DIRT" | b"HvLE"));
    if is_log || content.get(FIRST_BIN) != Some(FIRST_BIN_START) {
        return Ok(None);
    }
    file.set_limit(LARGEST_HIVE.saturating_sub(head));
    file.read_to_end(&mut content).map_err(failed)?;
    Ok(Some(content))
}
