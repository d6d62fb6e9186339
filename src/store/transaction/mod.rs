// SPDX-License-Identifier: GPL-3.0-or-later
//! One transaction over a set of files in one folder, and the folder that keeps what was there.

mod backup_root;
mod run;

pub(crate) use backup_root::{BackupFolder, BackupRoot, REMAINS};
pub(crate) use run::{Run, Stands, link_or_copy, metadata_of};
