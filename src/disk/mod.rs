// SPDX-License-Identifier: GPL-3.0-or-later
//! Looking at a target: its Windows folder, its hives, what speaks against writing to it.
//!
//! Everything here opens files read-only and changes nothing. The floors, each of which uses those
//! below it: `system`, what the operating system tells; `volume`, what lies on a volume; `guard`,
//! what speaks against writing; `candidates`, which volumes hold a Windows that can be repaired.

mod candidates;
pub mod guard;
pub(crate) mod system;
mod volume;

pub use candidates::{Candidate, candidates, places};
/// The file name of the program that has started this one, where the system tells and it matters.
pub fn parent_program() -> Option<String> {
    system::parent_program()
}

/// What can be done where this user is not allowed something.
pub fn not_allowed() -> &'static str {
    system::not_allowed()
}

pub use guard::{LooseMount, loose_mount};
pub use system::{Folder, Identity, Place, Spot, Volume};
pub use volume::{
    Dirt, DiskError, Hibernation, HiveFile, HivePath, HiveState, LogFile, LogMisfit, NotAHive,
    OnDisk, PolicyFile, ReadAround, Target, WholeHive, WindowsFiles, hive_size_beside, is_failing,
    log_misfit, logs_of, read_around, read_suspect,
};
pub(crate) use volume::{LARGEST_HIVE, not_a_file};

pub use crate::hive_name::HiveName;
pub use crate::text::{Shown, shown};
