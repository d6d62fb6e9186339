// SPDX-License-Identifier: GPL-3.0-or-later
//! Looking at a target: its Windows folder, its hives, what speaks against writing to it.
//!
//! Everything here opens files read-only and changes nothing.

mod dirty;
mod donors;
mod error;
mod folder;
pub mod guard;
mod hibernation;
mod hive_file;
mod log_misfit;
mod loose_mount;
#[cfg(unix)]
mod mountinfo;
mod pages;
mod places;
pub(crate) mod platform;
mod policy_file;
mod sniff;
mod suspect;
mod target;
mod windows_files;

pub use error::{DiskError, is_failing};
pub use folder::{Folder, Spot};
pub use hibernation::Hibernation;
pub(crate) use hive_file::not_a_file;
pub use hive_file::{Dirt, HiveFile, HiveState, LogFile, WholeHive};
pub use log_misfit::{LogMisfit, hive_size_beside, log_misfit};
pub use loose_mount::{LooseMount, loose_mount};
pub use places::{Candidate, Place, candidates, places};
pub use platform::{Identity, Volume};
pub use policy_file::PolicyFile;
pub use sniff::NotAHive;
pub(crate) use suspect::LARGEST_HIVE;
pub use suspect::{ReadAround, read_around, read_suspect};
pub use target::{HiveName, HivePath, Target, logs_of};
pub use windows_files::{OnDisk, WindowsFiles};

pub use crate::text::{Shown, shown};
