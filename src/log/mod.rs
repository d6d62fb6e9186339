// SPDX-License-Identifier: GPL-3.0-or-later
//! Transaction logs: a dirty primary file and its logs in, the hive as Windows would see it out.
//!
//! Pure: [`recover`] lays the pages of the logs over the primary file, which is read only where
//! it is asked for, and says what it found. `docs/recovery.md` has the rules.

#![deny(clippy::arithmetic_side_effects)]

mod bins;
mod head;
mod log_file;
mod marvin32;
mod new_format;
mod old_format;
mod pages;
mod recover;
mod recovered;
mod report;
mod sequence;
mod structures;

pub use head::newer_than_hive;
pub use log_file::{LogFile, LogFormat};
pub use recover::{LogError, mark_clean, recover};
pub use recovered::Recovered;
pub use report::{Applied, Finding, HiveState, LogReport, NotUsed, Report, Stop};
