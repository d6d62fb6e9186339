// SPDX-License-Identifier: GPL-3.0-or-later
//! Exit codes: one table, which `docs/exit-codes.md` repeats and a test compares.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done,
    /// What was asked about is so.
    Found,
    /// It was called wrongly.
    Usage,
    /// A guard refused.
    Refused,
    /// It failed, and the target is as it was.
    Failed,
    /// It failed, and the target needs another run.
    NeedsRestore,
}

impl Exit {
    /// Every exit code with its meaning. Once released, permanent.
    pub const TABLE: [(Self, u8, &'static str); 6] = [
        (
            Self::Done,
            0,
            "done; a plan that found drift is done: it has shown it",
        ),
        (
            Self::Found,
            1,
            "what was asked about is so: drift, or a cause that blocks, under --exit-code; something that still blocks after fix; errors found by check; no profile found by profile list; a word that find did not find",
        ),
        (
            Self::Usage,
            2,
            "usage: the command line, a profile or a plan file is wrong",
        ),
        (Self::Refused, 3, "refused by a guard; nothing was written"),
        (Self::Failed, 4, "failed; the target is untouched"),
        (
            Self::NeedsRestore,
            5,
            "failed; the target needs restore, or apply again",
        ),
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        let row = Self::TABLE.iter().find(|(exit, ..)| *exit == self);
        row.map_or(4, |(_, code, _)| *code)
    }
}
