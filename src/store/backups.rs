// SPDX-License-Identifier: GPL-3.0-or-later
//! The backups of a target.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{StoreError, StoreFault};
use super::files;
use super::manifest::Manifest;
use super::names::BackupId;
use super::{BackupRoot, Store};

/// A backup, sound or not.
#[derive(Debug)]
pub struct Backup {
    /// Its name.
    pub id: BackupId,
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest, or why that cannot be used.
    pub manifest: Result<Manifest, StoreFault>,
    pub(super) beside: bool,
}

impl Store<'_> {
    /// The backups of a config folder, or those in `backup_dir`, newest first.
    ///
    /// # Errors
    ///
    /// If the folder cannot be listed, or is a link. A damaged backup is no error here: it is in
    /// the list, and says what is wrong.
    pub fn list(
        &self,
        config: &Path,
        backup_dir: Option<&Path>,
    ) -> Result<Vec<Backup>, StoreError> {
        let root = BackupRoot::new(config, backup_dir);
        self.list_in(&root).map_err(StoreError::untouched)
    }

    pub(super) fn list_in(&self, root: &BackupRoot) -> Result<Vec<Backup>, StoreFault> {
        if root.beside && !files::folder(&root.path)? {
            return Ok(Vec::new());
        }
        let failed = |error| StoreFault::io("list", &root.path)(error);
        let entries = match fs::read_dir(&root.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut backups = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if let Ok(id) = BackupId::try_from(name) {
                backups.push(self.backup(root, id));
            }
        }
        backups.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(backups)
    }

    fn backup(&self, root: &BackupRoot, id: BackupId) -> Backup {
        let folder = root.path.join(id.as_str());
        let manifest = match files::folder(&folder) {
            Ok(true) => Manifest::load(self.medium, &folder),
            Ok(false) => Err(StoreFault::damaged(&folder, "it is gone")),
            Err(error) => Err(error),
        };
        Backup {
            id,
            folder,
            manifest,
            beside: root.beside,
        }
    }
}
