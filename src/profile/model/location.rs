// SPDX-License-Identifier: GPL-3.0-or-later
//! Where something stands in the file that it was read from.

/// A place in a profile. Both count from 1; a column is a character, not a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}
