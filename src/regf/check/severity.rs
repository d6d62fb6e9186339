// SPDX-License-Identifier: GPL-3.0-or-later
//! How much a finding matters.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing, harmless.
    Note,
    /// Not as Windows leaves it, but nothing is lost by it.
    Warning,
    /// Windows would refuse the hive or lose something.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
