// SPDX-License-Identifier: GPL-3.0-or-later
//! Where the parts of a hive's files are, as far as is needed to tell them from others.

use std::ops::Range;

/// Where the first bin begins, and what its header begins with: the signature and offset 0.
pub(super) const FIRST_BIN: Range<usize> = 4096..4104;
pub(super) const FIRST_BIN_START: &[u8] = b"hbin\0\0\0\0";
/// Where a transaction log has `DIRT` or an entry, and a primary file has nothing.
pub(super) const LOG_SIGNATURE: Range<usize> = 512..516;
/// The most bytes a primary file can have; behind them nothing is read.
pub(crate) const LARGEST_HIVE: u64 = (4 << 30) + 4096;
