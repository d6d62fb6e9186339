// SPDX-License-Identifier: GPL-3.0-or-later
//! What was found in the logs and what was done with it.

use std::fmt;

use super::log_file::LogFormat;
use crate::regf::{CellOffset, RegfError};
use crate::text::escape;

/// The outcome of a recovery, or of the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The primary file as it is on the disk.
    pub state: HiveState,
    /// What was taken from the logs; `None` for a clean hive and for one that stays dirty.
    pub applied: Option<Applied>,
    /// One for each log that was given, in that order.
    pub logs: Vec<LogReport>,
    /// The log that the base block was taken from, where the primary file's own was bad.
    pub base_block_from: Option<String>,
    /// Bins that arrived damaged from the logs and were replaced by empty ones, as Windows does.
    pub dummy_bins: Vec<CellOffset>,
    /// Why the hive cannot be recovered although a log applies.
    pub obstacle: Option<RegfError>,
}

/// Whether a primary file needs its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HiveState {
    /// Completely written; its logs do not matter.
    Clean,
    /// A write was begun and not completed.
    Dirty {
        /// The sequence number of the write that was begun.
        primary: u32,
        /// The sequence number of the last write that was completed.
        secondary: u32,
    },
    /// The base block cannot be trusted.
    BadBaseBlock(RegfError),
}

/// What was taken from the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The format of the logs.
    pub format: LogFormat,
    /// The names of the logs, in the order in which they were applied.
    pub logs: Vec<String>,
    /// Log entries (new format) or dirty pages of 512 bytes (old format).
    pub count: u64,
    /// The sequence number of the first entry, or of the old log.
    pub first: u32,
    /// The sequence number of the last entry, or of the old log.
    pub last: u32,
}

/// What was found in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogReport {
    /// The log's name, as given.
    pub name: String,
    /// Its format, where its base block is that of a log of this hive.
    pub format: Option<LogFormat>,
    /// What was found, and whether it was applied.
    pub finding: Finding,
    /// The greatest sequence number of its base block and of any entry in it, applied or not.
    pub newest: Option<u32>,
}

/// What was found in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No bytes, or a first sector of zeros.
    Empty,
    /// No usable log: its base block, its dirty vector or its bins are bad, or it cannot be read.
    Invalid(RegfError),
    /// The log was being written when the machine stopped.
    HalfWritten {
        /// The sequence number of the write that was begun.
        primary: u32,
        /// The sequence number of the last write that was completed.
        secondary: u32,
    },
    /// The log belongs to another hive: the base blocks do not agree.
    OtherHive {
        /// The field that differs.
        field: &'static str,
    },
    /// It begins before what the primary file already holds.
    Older {
        /// The log's sequence number.
        log: u32,
        /// The primary file's secondary sequence number.
        hive: u32,
    },
    /// It was made for another write than the one that was interrupted.
    OtherWrite {
        /// When the log was written (FILETIME).
        log: u64,
        /// When the primary file was (FILETIME).
        hive: u64,
    },
    /// It begins behind entries that are missing.
    Gap {
        /// The sequence number that had to follow.
        expected: u32,
        /// The sequence number that the log begins with.
        found: u32,
    },
    /// Longer than any log of this hive: it is not applied.
    TooLong {
        /// Bytes that it has.
        size: u64,
        /// The most bytes that a log of this hive has.
        longest: u64,
    },
    /// An old log that ends before its last page.
    Incomplete {
        /// Bytes that it must have.
        need: u64,
        /// Bytes that it has.
        have: u64,
    },
    /// Sound as far as it was looked at, but not used.
    NotUsed(NotUsed),
    /// Its entries were read up to `stop`.
    Entries {
        /// How many were applied.
        count: u64,
        /// The first and the last sequence number applied.
        range: Option<(u32, u32)>,
        /// Why no more were.
        stop: Stop,
    },
    /// Its dirty pages were applied.
    Pages {
        /// How many, of 512 bytes each.
        count: u64,
    },
}

/// Why a sound log was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotUsed {
    /// The hive is clean.
    HiveIsClean,
    /// Logs in the new format are there, or LOG1 and LOG2 beside LOG.
    OtherLogs,
    /// Another log sufficed, or none could be used behind the one that failed.
    OtherLog,
}

/// Why no more entries were taken from a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// No entry follows.
    End,
    /// An older entry follows: the log was begun again from its start.
    Stale {
        /// Its sequence number.
        found: u32,
    },
    /// An entry follows whose sequence number is not the next.
    Gap {
        /// The sequence number that had to follow.
        expected: u32,
        /// The one found.
        found: u32,
    },
    /// The log ends within the entry.
    Torn {
        /// The entry's sequence number.
        sequence: u32,
        /// Bytes the entry must have.
        need: u64,
        /// Bytes that are left in the log.
        have: u64,
    },
    /// The entry's header does not match its hash.
    BadHash2 {
        /// The sequence number that had to follow.
        expected: u32,
    },
    /// The entry's pages do not match their hash: it was not wholly written.
    BadHash1 {
        /// The entry's sequence number.
        sequence: u32,
    },
    /// The entry has the right hashes and yet makes no sense, or cannot be read.
    Invalid(RegfError),
}

impl Report {
    pub(super) fn new(state: HiveState) -> Self {
        Self {
            state,
            applied: None,
            logs: Vec::new(),
            base_block_from: None,
            dummy_bins: Vec::new(),
            obstacle: None,
        }
    }

    /// The greatest sequence number of any log's base block or entry, applied or not; 0 without
    /// logs. Who publishes the hive must go beyond it, so that no log ever applies to it again.
    pub fn last_sequence(&self) -> u32 {
        let newest = self.logs.iter().filter_map(|log| log.newest);
        newest.max().unwrap_or(0)
    }

    /// Whether a log was not read because no log of this hive is that long.
    pub fn has_too_long_log(&self) -> bool {
        let mut findings = self.logs.iter().map(|log| &log.finding);
        findings.any(|finding| matches!(finding, Finding::TooLong { .. }))
    }

    fn write_obstacles(&self, f: &mut fmt::Formatter<'_>, state: &HiveState) -> fmt::Result {
        write!(f, "the hive is dirty ({state})")?;
        match &self.obstacle {
            Some(obstacle) => write!(f, " and its logs do not suffice: {obstacle}")?,
            None if self.logs.is_empty() => f.write_str(" and has no logs")?,
            None if self.has_too_long_log() => {
                f.write_str(" and one of its logs is too long to be believed")?;
            }
            None => f.write_str(" and no log applies")?,
        }
        for (at, log) in self.logs.iter().enumerate() {
            let mark = if at == 0 { ": " } else { "; " };
            write!(f, "{mark}{log}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(applied) = &self.applied else {
            return match &self.state {
                HiveState::Clean => f.write_str("clean: nothing to recover"),
                state => self.write_obstacles(f, state),
            };
        };
        let (count, unit) = (applied.count, applied.format.unit(applied.count));
        write!(f, "recovered: {count} {unit} from ")?;
        for (at, name) in applied.logs.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{}", escape(name))?;
        }
        match (applied.first, applied.last) {
            (first, last) if first == last => write!(f, " ({last})"),
            (first, last) => write!(f, " ({first}..{last})"),
        }
    }
}

impl fmt::Display for HiveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("clean"),
            Self::Dirty { primary, secondary } => write!(
                f,
                "write {primary} was begun, but only {secondary} was completed"
            ),
            Self::BadBaseBlock(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escape(&self.name), self.finding)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Invalid(error) => error.fmt(f),
            Self::HalfWritten { primary, secondary } => write!(
                f,
                "half written (sequence numbers {primary} and {secondary})"
            ),
            Self::OtherHive { field } => {
                write!(f, "belongs to another hive (its {field} differs)")
            }
            Self::Older { log, hive } => {
                write!(
                    f,
                    "older than the hive (begins with {log}, hive has {hive})"
                )
            }
            Self::OtherWrite { log, hive } => write!(
                f,
                "made for another write (timestamp {log:#018x}, hive has {hive:#018x})"
            ),
            Self::Gap { expected, found } => write!(f, "begins with {found}, not {expected}"),
            Self::TooLong { size, longest } => write!(
                f,
                "too long for a log of this hive ({size} bytes, at most {longest}), and not used"
            ),
            Self::Incomplete { need, have } => {
                write!(f, "cut off (needs {need} bytes, only {have} are there)")
            }
            Self::NotUsed(NotUsed::HiveIsClean) => f.write_str("not needed, the hive is clean"),
            Self::NotUsed(NotUsed::OtherLogs) => {
                f.write_str("not used beside logs of the current kind")
            }
            Self::NotUsed(NotUsed::OtherLog) => f.write_str("not used"),
            Self::Entries { range, stop, .. } => {
                match range {
                    None => f.write_str("no entry applied")?,
                    Some((first, last)) => write!(f, "entries {first} to {last} applied")?,
                }
                match stop {
                    Stop::End => Ok(()),
                    stop => write!(f, ", then {stop}"),
                }
            }
            Self::Pages { count } => write!(f, "{count} pages applied"),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("no further entry"),
            Self::Stale { found } => write!(f, "older entries ({found})"),
            Self::Gap { expected, found } => {
                write!(f, "a gap (entry {found}, not {expected})")
            }
            Self::Torn {
                sequence,
                need,
                have,
            } => write!(f, "entry {sequence} is torn ({have} of {need} bytes)"),
            Self::BadHash2 { expected } => {
                write!(f, "an entry with a bad header (hash-2; {expected} was due)")
            }
            Self::BadHash1 { sequence } => {
                write!(f, "entry {sequence} was not wholly written (hash-1)")
            }
            Self::Invalid(error) => error.fmt(f),
        }
    }
}
