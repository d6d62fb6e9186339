// SPDX-License-Identifier: GPL-3.0-or-later
//! Removing old backups: prepare looks, prune removes.
//!
//! A backup first loses its name, in one rename, and then its files: stopped in between, it is no
//! longer a backup, and the next prune removes the rest of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Store;
use super::backup_root::{BackupFolder, BackupRoot, REMAINS};
use super::backups::Backup;
use super::error::{StoreError, StoreFault, Touched};
use super::files;
use super::manifest::{BackupState, Content, MANIFEST, Manifest};
use super::names::{BackupId, FileName};
use super::platform::Lock;
use super::publish::plain_files;
use crate::disk::{Folder, Spot, guard};

/// Which backups would be removed; holds the lock on the config folder.
#[derive(Debug)]
pub struct PrunePlan {
    /// Those that stay, newest first, and why.
    pub keep: Vec<(BackupId, Keep)>,
    /// Those that go, newest first.
    pub remove: Vec<BackupId>,
    root: Option<Folder>,
    /// Folders that an earlier prune did not finish.
    remains: Vec<Spot>,
    lock: Lock,
}

/// Why a backup is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is one of the newest.
    Newest,
    /// A hive on the disk is, byte for byte, what its run left: it can be undone exactly.
    Present,
    /// It undoes, or is undone by, another one that is kept.
    Chain,
    /// It is damaged, or its run was not completed: what it is worth is for people to decide.
    Unusable,
    /// A newer one cannot be used, and might need it.
    BeforeUnusable,
    /// There are files in it that its manifest does not name.
    OtherFiles,
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newest => "one of the newest",
            Self::Present => "the hives are as it left them",
            Self::Chain => "another one that is kept refers to it",
            Self::Unusable => "cannot be used as it is, and is left for you to look at",
            Self::BeforeUnusable => "a newer one cannot be used, and may need it",
            Self::OtherFiles => "holds files that are not of hivemend's making",
        })
    }
}

impl PrunePlan {
    /// Whether an earlier prune left something to be removed.
    pub fn has_remains(&self) -> bool {
        !self.remains.is_empty()
    }
}

impl Store<'_> {
    /// Chooses the backups beside the hives that can go when the newest `keep` stay (at least one
    /// does), and locks the config folder; removes nothing.
    ///
    /// # Errors
    ///
    /// The guards of [`Store::prepare`]; an interrupted run, which may need any of them.
    pub fn prepare_prune(&self, config: &Folder, keep: usize) -> Result<PrunePlan, StoreError> {
        self.choose(config, keep.max(1))
            .map_err(StoreError::untouched)
    }

    fn choose(&self, config: &Folder, newest: usize) -> Result<PrunePlan, StoreFault> {
        guard::not_running(config.path())?;
        guard::writable(config.path())?;
        let lock = self.lock(config)?;
        let root = BackupRoot::find(config, None)?;
        let backups = self.list_in(&root)?;
        let reasons = self.reasons(config, &backups, newest)?;
        let mut plan = PrunePlan {
            keep: Vec::new(),
            remove: Vec::new(),
            remains: root.folder().map_or(Ok(Vec::new()), remains)?,
            root: root.folder().cloned(),
            lock,
        };
        for backup in backups {
            match reasons.get(&backup.id) {
                Some(reason) => plan.keep.push((backup.id, *reason)),
                None => plan.remove.push(backup.id),
            }
        }
        Ok(plan)
    }

    /// Why backups are kept; one without a reason is not.
    fn reasons(
        &self,
        config: &Folder,
        backups: &[Backup],
        newest: usize,
    ) -> Result<BTreeMap<BackupId, Keep>, StoreFault> {
        let mut reasons = BTreeMap::new();
        let mut present: BTreeMap<FileName, Option<Content>> = BTreeMap::new();
        let mut sound = 0_usize;
        let unusable = || backups.iter().filter(|backup| usable(backup).is_none());
        for backup in backups {
            let Some(manifest) = usable(backup) else {
                reasons.insert(backup.id.clone(), Keep::Unusable);
                continue;
            };
            sound = sound.saturating_add(1);
            let mut is_present = false;
            for hive in &manifest.hives {
                let now = present.entry(hive.file.clone());
                let live = hive.file.at(config);
                let now = now.or_insert_with(|| files::content(self.medium, &live).ok());
                is_present |= *now == Some(hive.after) && hive.after != hive.before;
            }
            let reason = match () {
                () if sound <= newest => Keep::Newest,
                () if is_present => Keep::Present,
                () if unusable().any(|other| other.is_newer_than(backup)) => Keep::BeforeUnusable,
                () if has_other_files(&backup.open()?.open, manifest)? => Keep::OtherFiles,
                () => continue,
            };
            reasons.insert(backup.id.clone(), reason);
        }
        keep_chains(backups, &mut reasons);
        Ok(reasons)
    }

    /// Removes what the plan says; gives the backups that are gone.
    ///
    /// # Errors
    ///
    /// What could not be removed; the hives are untouched in any case, and the rest can be removed
    /// by doing it again.
    pub fn prune(&self, plan: PrunePlan) -> Result<Vec<BackupId>, StoreError> {
        let removed = self.remove_all(&plan).map_err(|fault| StoreError {
            touched: Touched::HivesUntouched,
            fault,
        });
        drop(plan.lock);
        removed.map(|()| plan.remove)
    }

    fn remove_all(&self, plan: &PrunePlan) -> Result<(), StoreFault> {
        let Some(root) = &plan.root else {
            return Ok(());
        };
        for remains in &plan.remains {
            self.remove_folder(remains)?;
        }
        // The oldest first: what is left when this is stopped is always the newest.
        for id in plan.remove.iter().rev() {
            let backup = root.at(id.as_str());
            let remains = root.at(format!("{}{REMAINS}", id.as_str()));
            let renamed = self.medium.rename(&backup, &remains);
            renamed.map_err(StoreFault::io("rename", backup.path()))?;
            files::sync_dir(self.medium, root)?;
            self.remove_folder(&remains)?;
        }
        match plan.remains.is_empty() && plan.remove.is_empty() {
            true => Ok(()),
            false => files::sync_dir(self.medium, root),
        }
    }

    /// Removes a folder that is no backup any more, and the files in it.
    fn remove_folder(&self, spot: &Spot) -> Result<(), StoreFault> {
        let Some(folder) = BackupFolder::find(spot.clone())? else {
            return Ok(());
        };
        for file in plain_files(&folder.open)? {
            files::remove(self.medium, &file)?;
        }
        folder.remove(self.medium)
    }
}

fn usable(backup: &Backup) -> Option<&Manifest> {
    let manifest = backup.manifest.as_ref().ok()?;
    (manifest.state != BackupState::Applying).then_some(manifest)
}

/// Keeps with every backup the one that it undoes and those that undo it: without them it would
/// look as if its changes had, or had not, been taken back.
fn keep_chains(backups: &[Backup], reasons: &mut BTreeMap<BackupId, Keep>) {
    let links = backups.iter().filter_map(usable).filter_map(|manifest| {
        let undone = manifest.undoes.as_ref()?;
        Some((&manifest.id, undone))
    });
    let links: Vec<(&BackupId, &BackupId)> = links.collect();
    let there: BTreeSet<&BackupId> = backups.iter().map(|backup| &backup.id).collect();
    let mut grows = true;
    while grows {
        grows = false;
        for (undoes, undone) in &links {
            for (one, other) in [(*undoes, *undone), (*undone, *undoes)] {
                let missing = there.contains(other) && !reasons.contains_key(other);
                if reasons.contains_key(one) && missing {
                    reasons.insert(other.clone(), Keep::Chain);
                    grows = true;
                }
            }
        }
    }
}

/// Whether something lies in the backup's folder that its run did not put there.
fn has_other_files(folder: &Folder, manifest: &Manifest) -> Result<bool, StoreFault> {
    let known: BTreeSet<&str> = manifest.files().map(FileName::as_str).collect();
    let names = folder.names();
    for name in names.map_err(StoreFault::io("list", folder.path()))? {
        let text = name.to_string_lossy();
        let is_known = known.contains(&*text) || text == MANIFEST;
        let spot = folder.at(&name);
        let seen = spot
            .look()
            .map_err(StoreFault::io("look at", spot.path()))?;
        if !is_known || !seen.is_some_and(|seen| seen.is_file()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What earlier prunes left.
fn remains(root: &Folder) -> Result<Vec<Spot>, StoreFault> {
    let names = root.names();
    let mut found = Vec::new();
    for name in names.map_err(StoreFault::io("list", root.path()))? {
        let text = name.to_string_lossy();
        let id = text.strip_suffix(REMAINS).map(str::to_owned);
        let is_ours = id.is_some_and(|id| BackupId::listed(&id).is_some());
        let spot = root.at(&name);
        let seen = spot
            .look()
            .map_err(StoreFault::io("look at", spot.path()))?;
        if is_ours && seen.is_some_and(|seen| seen.is_dir()) {
            found.push(spot);
        }
    }
    Ok(found)
}
