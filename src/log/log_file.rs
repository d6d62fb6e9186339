// SPDX-License-Identifier: GPL-3.0-or-later
//! A transaction log, and the formats there are.

use crate::regf::HiveBytes;

/// A transaction log beside a primary file.
pub struct LogFile<'a> {
    /// Its name, as `SYSTEM.LOG1`: for messages, and to tell `.LOG` from the pair.
    pub name: String,
    /// Its bytes.
    pub bytes: &'a dyn HiveBytes,
}

/// The two formats of transaction logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Up to Windows 8: one set of dirty pages of 512 bytes.
    Old,
    /// Since Windows 8.1: a chain of log entries.
    New,
}

impl LogFormat {
    /// What a log of this format is counted in.
    pub(super) fn unit(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Old, 1) => "page",
            (Self::Old, _) => "pages",
            (Self::New, 1) => "entry",
            (Self::New, _) => "entries",
        }
    }
}
