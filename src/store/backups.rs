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

impl Backup {
    /// What backups are ordered by; one that cannot be used counts as the oldest.
    fn age(&self) -> (u64, &BackupId) {
        let manifest = self.manifest.as_ref();
        manifest.map_or((0, &self.id), Manifest::age)
    }
}

impl Store<'_> {
    /// The backups of a config folder, or those in `backup_dir`, newest first: by the order in which they were made, where
    /// the clock was wrong too.
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
            let Some(id) = BackupId::listed(&name) else {
                continue;
            };
            // Where case counts, another case is another folder.
            if id.as_str() == name || files::folder(&root.path.join(id.as_str()))? {
                backups.push(self.backup(root, id));
            }
        }
        backups.sort_by(|a, b| b.age().cmp(&a.age()));
        Ok(backups)
    }

    /// The number for the next backup in this folder.
    pub(super) fn next_sequence(&self, root: &BackupRoot) -> Result<u64, StoreFault> {
        let backups = self.list_in(root)?;
        let manifests = backups
            .iter()
            .filter_map(|backup| backup.manifest.as_ref().ok());
        let last = manifests.map(|manifest| manifest.sequence).max();
        Ok(last.unwrap_or(0).saturating_add(1))
    }

    fn backup(&self, root: &BackupRoot, id: BackupId) -> Backup {
        let folder = root.path.join(id.as_str());
        let manifest = Manifest::load(self.medium, &folder);
        Backup {
            id,
            folder,
            manifest,
            beside: root.beside,
        }
    }
}
