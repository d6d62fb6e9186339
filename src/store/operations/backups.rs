// SPDX-License-Identifier: GPL-3.0-or-later
//! The backups of a target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::disk::{Folder, Spot};
use crate::store::door::Store;
use crate::store::error::{StoreError, StoreFault};
use crate::store::files;
use crate::store::medium::Disk;
use crate::store::record::{HiveRecord, Listed, Manifest};
use crate::store::terms::{BackupId, Content};
use crate::store::transaction::{BackupFolder, BackupRoot};
use crate::store::trust::{Role, Site};

/// A backup, sound or not.
#[derive(Debug)]
pub struct Backup {
    /// Its name.
    pub id: BackupId,
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest without the changes, or why that cannot be used.
    pub manifest: Result<Listed, StoreFault>,
    pub(super) beside: bool,
    pub(super) spot: Spot,
}

impl Backup {
    /// The folder, opened.
    pub(super) fn open(&self) -> Result<BackupFolder, StoreFault> {
        let found = BackupFolder::find(self.spot.clone())?;
        found.ok_or_else(|| StoreFault::damaged(&self.folder, "it is gone"))
    }

    /// The hives that it speaks of; none where one is not the target's, or it cannot be used.
    fn hives(&self, site: &Site) -> &[HiveRecord] {
        let hives = self
            .manifest
            .as_ref()
            .map_or(&[][..], |manifest| &manifest.hives);
        let is_ours = |hive: &HiveRecord| site.admit(&hive.file, Role::Hive).is_ok();
        if hives.iter().all(is_ours) {
            hives
        } else {
            &[]
        }
    }

    /// Its manifest with all its changes.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is none.
    pub fn whole_manifest(&self) -> Result<Manifest, StoreError> {
        let read = |folder: BackupFolder| Manifest::load(&Disk, &folder.open);
        self.open().and_then(read).map_err(StoreError::untouched)
    }

    /// Whether this is the newer of two: by the order in which they were made or, where that cannot
    /// be read, by the time in the name.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        match (&self.manifest, &other.manifest) {
            (Ok(_), Ok(_)) => self.age() > other.age(),
            _ => self.id > other.id,
        }
    }

    /// What backups are ordered by; one that cannot be used counts as the oldest.
    fn age(&self) -> (u64, &BackupId) {
        let manifest = self.manifest.as_ref();
        manifest.map_or((0, &self.id), Manifest::age)
    }
}

impl Store<'_> {
    /// The backups of a config folder, or those in `backup_dir`, newest first: by the order in
    /// which they were made, where the clock was wrong too.
    ///
    /// # Errors
    ///
    /// If the folder cannot be listed, or is a link. A damaged backup is no error here: it is in
    /// the list, and says what is wrong.
    pub fn list(
        &self,
        config: &Folder,
        backup_dir: Option<&Path>,
    ) -> Result<Vec<Backup>, StoreError> {
        let listed = BackupRoot::find(config, backup_dir).and_then(|root| self.list_in(&root));
        listed.map_err(StoreError::untouched)
    }

    pub(super) fn list_in(&self, root: &BackupRoot) -> Result<Vec<Backup>, StoreFault> {
        let Some(folder) = root.folder() else {
            return Ok(Vec::new());
        };
        let names = folder.names();
        let mut backups = Vec::new();
        for name in names.map_err(StoreFault::io("list", folder.path()))? {
            let name = name.to_string_lossy();
            let Some(id) = BackupId::listed(&name) else {
                continue;
            };
            let spot = folder.at(id.as_str());
            // Where case counts, another case is another folder.
            if id.as_str() != name && files::folder(&spot)?.is_none() {
                continue;
            }
            if !is_just_begun(&spot) {
                backups.push(self.backup(root, id, spot));
            }
        }
        backups.sort_by(|a, b| b.age().cmp(&a.age()));
        Ok(backups)
    }

    /// Of each backup, whether the target's hives are as it keeps them or as its run left them. What is
    /// put back, or would be, is one of these; each file is read once for all of them.
    pub fn about_these_hives(&self, site: &Site, backups: &[Backup]) -> Vec<bool> {
        let mut known: BTreeMap<&str, Vec<Content>> = BTreeMap::new();
        for hive in backups.iter().flat_map(|backup| backup.hives(site)) {
            let contents = known.entry(hive.file.as_str()).or_default();
            contents.extend([hive.before, hive.after]);
        }
        let now = |(name, contents): (_, Vec<Content>)| {
            let spot = site.config.at(name);
            let now = files::content_among(self.medium, &spot, &contents);
            (name, now.ok().flatten())
        };
        let now: BTreeMap<&str, Option<Content>> = known.into_iter().map(now).collect();
        let is_as_now = |hive: &HiveRecord| {
            let now = now.get(hive.file.as_str()).copied().flatten();
            now.is_some_and(|now| now == hive.before || now == hive.after)
        };
        let fits = |backup: &Backup| {
            let hives = backup.hives(site);
            !hives.is_empty() && hives.iter().all(is_as_now)
        };
        backups.iter().map(fits).collect()
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

    fn backup(&self, root: &BackupRoot, id: BackupId, spot: Spot) -> Backup {
        let found = BackupFolder::find(spot.clone());
        let manifest = match found {
            Ok(Some(folder)) => Listed::load(self.medium, &folder.open),
            Ok(None) => Err(StoreFault::damaged(spot.path(), "it is gone")),
            Err(fault) => Err(fault),
        };
        Backup {
            id,
            folder: spot.path().to_path_buf(),
            manifest,
            beside: root.beside,
            spot,
        }
    }
}

/// Whether nothing lies in the folder yet: a run made it and came no further, so that it is no
/// backup.
fn is_just_begun(spot: &Spot) -> bool {
    let names = spot.open_folder().and_then(|folder| folder.names());
    names.is_ok_and(|names| names.is_empty())
}
