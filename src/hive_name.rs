// SPDX-License-Identifier: GPL-3.0-or-later
//! The hives that hivemend works on.

use std::fmt;

/// A hive that hivemend works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HiveName {
    /// `HKLM\SYSTEM`, with the control sets.
    System,
    /// `HKLM\SOFTWARE`, with the policies.
    Software,
}

impl HiveName {
    /// All of them, in the order in which they are worked on and shown.
    pub const ALL: [Self; 2] = [Self::System, Self::Software];

    /// The name in capitals, as registry paths spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Software => "SOFTWARE",
        }
    }
}

impl fmt::Display for HiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
