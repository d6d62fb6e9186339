// SPDX-License-Identifier: GPL-3.0-or-later
//! Removing old backups: prepare looks, prune removes.
//!
//! A backup first loses its name, in one rename, and then its files: stopped in between, it is no
//! longer a backup, and the next prune removes the rest of it.
//!
//! Only files that a backup's own manifest names are removed, and only where they are plain files. What
//! else lies in its folder is left there, and the folder with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use super::backups::Backup;
use crate::disk::{Folder, Spot, guard, not_a_file};
use crate::store::door::Store;
use crate::store::error::{StoreError, StoreFault, Touched};
use crate::store::files;
use crate::store::medium::platform::Lock;
use crate::store::record::{BackupState, Listed};
use crate::store::terms::{BackupId, Content, FileName, MANIFEST};
use crate::store::transaction::{BackupFolder, BackupRoot, REMAINS};

/// What a plain file is called that hivemend did not make.
const OTHER_FILE: &str = "file that hivemend did not make";

/// Which backups would be removed; holds the lock on the config folder.
#[derive(Debug)]
pub struct PrunePlan {
    /// Those that stay, newest first, and why.
    pub keep: Vec<(BackupId, Keep)>,
    /// Those that go, newest first.
    pub remove: Vec<BackupId>,
    root: Option<Folder>,
    /// Folders that an earlier prune did not finish.
    remains: Vec<Remains>,
    lock: Lock,
}

/// The folder of a backup that is none any more.
#[derive(Debug)]
struct Remains {
    id: BackupId,
    spot: Spot,
    /// Whether there is something in it, or about it, that can be removed.
    is_removable: bool,
}

/// What became of a [`PrunePlan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneOutcome {
    /// The backups that are gone, newest first.
    pub removed: Vec<BackupId>,
    /// What is in the way and not of hivemend's making, and was left alone.
    pub left: Vec<LeftAlone>,
}

/// Something that was not removed because hivemend did not make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Where it is.
    pub path: PathBuf,
    /// What it is: a folder, a symbolic link, another file.
    pub what: &'static str,
    /// How many more there are beside it.
    pub more: usize,
}

/// What lies in the folder of a backup that is none any more.
#[derive(Default)]
struct Contents {
    /// Files that its run made; the manifest, if it is there, is the last.
    ours: Vec<Spot>,
    /// Everything else, and what it is.
    foreign: Vec<(PathBuf, &'static str)>,
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
        self.remains.iter().any(|remains| remains.is_removable)
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
            remains: root
                .folder()
                .map_or(Ok(Vec::new()), |root| self.remains(root))?,
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
        let left = |file: &FileName| -> Vec<Content> {
            let hives = backups.iter().filter_map(usable);
            let hives = hives.flat_map(|manifest| &manifest.hives);
            let hives = hives.filter(|hive| hive.file == *file);
            hives.map(|hive| hive.after).collect()
        };
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
                let now = now.or_insert_with(|| {
                    let found = files::content_among(self.medium, &live, &left(&hive.file));
                    found.ok().flatten()
                });
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

    /// Removes what the plan says, all of it that can be removed.
    ///
    /// # Errors
    ///
    /// The first that could not be removed though it is hivemend's; the hives are untouched in any
    /// case, everything else is removed, and the rest can be by doing it again.
    pub fn prune(&self, plan: PrunePlan) -> Result<PruneOutcome, StoreError> {
        let mut outcome = PruneOutcome {
            removed: Vec::new(),
            left: Vec::new(),
        };
        let done = match &plan.root {
            Some(root) => self.remove_all(root, &plan, &mut outcome),
            None => Ok(()),
        };
        drop(plan.lock);
        outcome.removed.reverse();
        done.map_err(|fault| StoreError {
            touched: Touched::HivesUntouched,
            fault,
        })?;
        Ok(outcome)
    }

    fn remove_all(
        &self,
        root: &Folder,
        plan: &PrunePlan,
        outcome: &mut PruneOutcome,
    ) -> Result<(), StoreFault> {
        let mut first_fault = Ok(());
        for remains in &plan.remains {
            let emptied = self.remove_folder(&remains.spot, &remains.id, outcome);
            first_fault = first_fault.and(emptied);
        }
        // The oldest first: what is left when this is stopped is always the newest.
        for id in plan.remove.iter().rev() {
            first_fault = first_fault.and(self.remove(root, id, outcome));
        }
        match plan.remains.is_empty() && plan.remove.is_empty() {
            true => first_fault,
            false => first_fault.and(files::sync_dir(self.medium, root)),
        }
    }

    /// Removes the backup `id`.
    fn remove(
        &self,
        root: &Folder,
        id: &BackupId,
        outcome: &mut PruneOutcome,
    ) -> Result<(), StoreFault> {
        let backup = root.at(id.as_str());
        let remains = root.at(format!("{}{REMAINS}", id.as_str()));
        let in_the_way = remains.look();
        let in_the_way = in_the_way.map_err(StoreFault::io("look at", remains.path()))?;
        if let Some(found) = in_the_way {
            outcome.left.push(LeftAlone {
                path: remains.path().to_path_buf(),
                what: not_a_file(found.file_type()).unwrap_or(OTHER_FILE),
                more: 0,
            });
            return Ok(());
        }
        let renamed = self.medium.rename(&backup, &remains);
        renamed.map_err(StoreFault::io("rename", backup.path()))?;
        files::sync_dir(self.medium, root)?;
        outcome.removed.push(id.clone());
        self.remove_folder(&remains, id, outcome)
    }

    /// Removes a folder that is no backup any more, and the files in it that its run made.
    fn remove_folder(
        &self,
        spot: &Spot,
        id: &BackupId,
        outcome: &mut PruneOutcome,
    ) -> Result<(), StoreFault> {
        let Some(folder) = BackupFolder::find(spot.clone())? else {
            return Ok(());
        };
        let Contents { ours, foreign } = self.contents(&folder.open, id)?;
        if let Some((manifest, others)) = ours.split_last() {
            for file in others {
                files::remove(self.medium, file)?;
            }
            // Until the others are gone for good it tells whose they are.
            files::sync_dir(self.medium, &folder.open)?;
            files::remove(self.medium, manifest)?;
        }
        let more = foreign.len().saturating_sub(1);
        if let Some((path, what)) = foreign.into_iter().next() {
            outcome.left.push(LeftAlone { path, what, more });
            return Ok(());
        }
        folder.remove(self.medium)
    }

    /// What lies in the folder that was the backup `id`: whose it is, its manifest tells.
    fn contents(&self, folder: &Folder, id: &BackupId) -> Result<Contents, StoreFault> {
        let manifest = Listed::load_as(self.medium, folder, OsStr::new(id.as_str()));
        let named: BTreeSet<String> = match &manifest {
            Ok(manifest) => manifest.files().map(|file| file.as_str().into()).collect(),
            Err(_) => BTreeSet::new(),
        };
        let spot = folder.at(MANIFEST);
        let own = [files::new_name(&spot), spot];
        let (mut contents, mut last) = (Contents::default(), Vec::new());
        let names = folder.names();
        for name in names.map_err(StoreFault::io("list", folder.path()))? {
            let spot = folder.at(&name);
            let found = spot.look();
            let found = found.map_err(StoreFault::io("look at", spot.path()))?;
            let is_named = name.to_str().is_some_and(|name| named.contains(name));
            let foreign = |what| (spot.path().to_path_buf(), what);
            match found.map(|found| not_a_file(found.file_type())) {
                None => {}
                Some(Some(what)) => contents.foreign.push(foreign(what)),
                Some(None) if is_named => contents.ours.push(spot),
                Some(None) if manifest.is_ok() && own.contains(&spot) => last.push(spot),
                Some(None) => contents.foreign.push(foreign(OTHER_FILE)),
            }
        }
        last.sort_by_key(|spot| spot.name() == MANIFEST);
        contents.ours.append(&mut last);
        Ok(contents)
    }

    /// What earlier prunes left.
    fn remains(&self, root: &Folder) -> Result<Vec<Remains>, StoreFault> {
        let names = root.names();
        let mut found = Vec::new();
        for name in names.map_err(StoreFault::io("list", root.path()))? {
            let text = name.to_string_lossy();
            let id = text.strip_suffix(REMAINS).and_then(BackupId::listed);
            let spot = root.at(&name);
            let seen = spot
                .look()
                .map_err(StoreFault::io("look at", spot.path()))?;
            let Some(id) = id.filter(|_| seen.is_some_and(|seen| seen.is_dir())) else {
                continue;
            };
            let folder = files::folder(&spot).ok().flatten();
            let contents = folder.and_then(|folder| self.contents(&folder, &id).ok());
            // What cannot be looked into is tried, and said.
            let is_removable =
                contents.is_none_or(|found| found.foreign.is_empty() || !found.ours.is_empty());
            found.push(Remains {
                id,
                spot,
                is_removable,
            });
        }
        Ok(found)
    }
}

fn usable(backup: &Backup) -> Option<&Listed> {
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
fn has_other_files(folder: &Folder, manifest: &Listed) -> Result<bool, StoreFault> {
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
