// SPDX-License-Identifier: GPL-3.0-or-later
//! Where something stands in a file.

use std::fmt;

/// A place in an imported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In a text. Both count from 1; the column counts characters, in HTML those that are seen.
    Line {
        /// The line.
        line: u32,
        /// The character in it.
        column: u32,
    },
    /// In a binary file: bytes from its start.
    Byte(u64),
}

impl Place {
    /// A character of a line.
    pub(super) fn new(line: usize, column: usize) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self::Line {
            line: number(line),
            column: number(column),
        }
    }

    /// In words: `line 12`.
    pub fn words(self) -> String {
        match self {
            Self::Line { line, .. } => format!("line {line}"),
            Self::Byte(at) => format!("byte {at:#x}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column } => write!(f, "{line}:{column}"),
            Self::Byte(at) => write!(f, "{at:#x}"),
        }
    }
}
