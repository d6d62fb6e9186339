// SPDX-License-Identifier: GPL-3.0-or-later
//! The only room that writes to disk: backup, stage, publish, journal, restore.
//!
//! It moves bytes and does not know what a key is. The order of operations, and what an
//! interruption leaves at each of them, is in `docs/crash-safety.md`.

mod backups;
mod error;
mod files;
mod journal;
mod manifest;
mod medium;
mod metadata;
mod names;
mod pending;
mod platform;
mod prune;
mod publish;
mod replace;
mod restore;
mod run;

pub use backups::Backup;
pub use error::{ChangedSince, StoreError, StoreFault, Touched};
pub use journal::Operation;
pub use manifest::{
    BackupScope, BackupState, CompanionRecord, CompanionRole, Content, HiveRecord, KeptAs, Manifest,
};
pub use medium::{Disk, Handle, Medium};
pub use metadata::{FileMetadata, Kept, Stamp};
pub use names::{BackupId, FileName, Sha256Sum};
pub use pending::{HiveStands, Pending, PendingHive, Settled};
pub use prune::{Keep, PrunePlan};
pub use publish::{NewHive, Outcome, Prepared, Published, Request};
pub use restore::{RestoreAction, RestoreItem, RestoreOutcome, RestorePlan};

use std::path::{Path, PathBuf};

/// The folder beside the hives that holds the backups.
pub const BACKUP_FOLDER: &str = "hivemend";

/// The room's door: every operation that writes goes through its medium.
#[derive(Clone, Copy)]
pub struct Store<'m> {
    medium: &'m dyn Medium,
}

impl<'m> Store<'m> {
    /// A store that writes through `medium`; the real one is [`Disk`].
    pub fn new(medium: &'m dyn Medium) -> Self {
        Self { medium }
    }

    /// Writes a file of its own, which must not be there yet: complete, synced, read back.
    ///
    /// # Errors
    ///
    /// Where it exists, or the disk fails; what was begun is removed.
    pub fn save_new(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        if files::plain(path).map_err(StoreError::untouched)?.is_some() {
            let why = "it exists already, and is left alone";
            return Err(StoreError::untouched(StoreFault::damaged(path, why)));
        }
        files::write_new(self.medium, path, bytes, None).map_err(|fault| {
            // The first failure is the one to report.
            let _ = files::remove(self.medium, path);
            StoreError::untouched(fault)
        })
    }
}

/// Where the backups of a config folder are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackupRoot {
    path: PathBuf,
    beside: bool,
}

impl BackupRoot {
    /// `<config>/hivemend`, or the folder that the user named instead.
    fn new(config: &Path, backup_dir: Option<&Path>) -> Self {
        let named = backup_dir.map(Path::to_path_buf);
        let beside = named.is_none();
        let path = named.unwrap_or_else(|| config.join(BACKUP_FOLDER));
        Self { path, beside }
    }
}
