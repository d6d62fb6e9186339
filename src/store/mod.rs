// SPDX-License-Identifier: GPL-3.0-or-later
//! The only room that writes to disk: backup, stage, publish, journal, restore.
//!
//! It moves bytes and does not know what a key is. The order of operations, and what an
//! interruption leaves at each of them, is in `docs/crash-safety.md`; what a record that was found
//! on a disk can ask for, and what not, is in `docs/threats.md`.

mod acl;
mod backup_root;
mod backups;
mod error;
mod files;
mod grant;
mod journal;
pub mod limits;
mod manifest;
mod medium;
mod metadata;
mod names;
mod pending;
mod platform;
mod prune;
mod publish;
mod remembered;
mod replace;
mod restore;
mod run;
mod site;

pub use backups::Backup;
pub use error::{ChangedSince, StoreError, StoreFault, Touched};
pub use journal::Operation;
pub use manifest::{
    BackupScope, BackupState, ChangeCount, CompanionRecord, CompanionRole, Content, HiveRecord,
    KeptAs, Listed, Manifest, NotCopied,
};
pub use medium::{Disk, Handle, Medium};
pub use metadata::{FileMetadata, Kept, Stamp};
pub use names::{BackupId, FileName, Sha256Sum};
pub use pending::{HiveStands, Pending, PendingHive, Settled};
pub use prune::{Keep, LeftAlone, PruneOutcome, PrunePlan};
pub use publish::{NewHive, Outcome, Prepared, Published, Request};
pub use remembered::Remembered;
pub use restore::{RestoreAction, RestoreItem, RestoreOutcome, RestorePlan};
pub use site::{Judge, Role, Site};

use std::path::Path;

use crate::disk::Folder;

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
        let folder = Folder::named(path.parent().unwrap_or(path));
        let folder = folder.map_err(|error| StoreFault::io("open the folder of", path)(error));
        let spot = folder.map_err(StoreError::untouched)?.at(path);
        if spot.look().is_ok_and(|found| found.is_some()) {
            let why = "it exists already, and is left alone";
            return Err(StoreError::untouched(StoreFault::damaged(path, why)));
        }
        files::write_new(self.medium, &spot, bytes, None).map_err(|fault| {
            // The first failure is the one to report.
            let _ = files::remove(self.medium, &spot);
            StoreError::untouched(fault)
        })
    }
}
