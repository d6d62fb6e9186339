// SPDX-License-Identifier: GPL-3.0-or-later
//! What lies on a volume: a Windows, its hives with their logs, and other files of it.

mod asleep;
mod donors;
mod entries;
mod error;
mod hibernation;
mod hive_file;
mod layout;
mod log_misfit;
mod ntfs_flags;
mod pages;
mod plain_file;
mod policy_file;
mod sniff;
mod suspect;
mod target;
mod windows_files;

pub use error::{DiskError, is_failing};
pub use hibernation::Hibernation;
pub use hive_file::{Dirt, HiveFile, HiveState, LogFile, WholeHive};
pub(crate) use layout::LARGEST_HIVE;
pub use log_misfit::{LogMisfit, hive_size_beside, log_misfit};
pub(crate) use ntfs_flags::is_dirty;
pub(crate) use plain_file::not_a_file;
pub use policy_file::PolicyFile;
pub use sniff::NotAHive;
pub use suspect::{ReadAround, read_around, read_suspect};
pub use target::{HivePath, Target, logs_of};
pub use windows_files::{OnDisk, WindowsFiles};
