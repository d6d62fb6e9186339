// SPDX-License-Identifier: GPL-3.0-or-later
//! Putting back what a backup holds: prepare looks, restore writes.
//!
//! No backup of the present state is made: a restore goes ahead only where every hive is, byte
//! for byte, what hivemend itself wrote and every log is as it was, so that nothing is lost that
//! `apply` could not write again. While it runs, the present files are kept under second names.

use std::path::{Path, PathBuf};

use super::backups::Backup;
use super::error::{ChangedSince, StoreError, StoreFault, Touched};
use super::files;
use super::journal::{Journal, Operation, Swap};
use super::manifest::{BackupState, CompanionRecord, CompanionRole, Content, HiveRecord, Manifest};
use super::metadata::{FileMetadata, nothing_lost};
use super::names::{BackupId, FileName};
use super::platform::Lock;
use super::run::Run;
use super::{BackupRoot, Store};
use crate::disk::{Identity, guard, logs_of};

/// Room for manifest and journal, in bytes.
const SLACK: u64 = 1 << 20;

/// What a restore would do; holds the lock on the config folder.
#[derive(Debug)]
pub struct RestorePlan {
    lock: Lock,
    config: PathBuf,
    folder: PathBuf,
    beside: bool,
    manifest: Manifest,
    swaps: Vec<Swap>,
    identities: Vec<Option<Identity>>,
    /// Each hive and log, and what would be done with it.
    pub items: Vec<RestoreItem>,
    /// Files that are not what hivemend left; if there is one, [`Store::restore`] refuses.
    pub changed: Vec<ChangedSince>,
}

/// A file of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreItem {
    /// The hive, as `SYSTEM`, or the log's file name.
    pub name: String,
    /// The file.
    pub file: FileName,
    /// What would be done with it.
    pub action: RestoreAction,
}

/// What a restore does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreAction {
    /// It already is what the backup holds.
    Same,
    /// The backup's content takes its place.
    PutBack,
    /// It is not what hivemend left.
    Changed,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreOutcome {
    /// The backup.
    pub id: BackupId,
    /// Each hive and log, and what was done with it.
    pub items: Vec<RestoreItem>,
}

impl RestorePlan {
    /// The manifest of the backup.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether there is nothing to put back.
    pub fn is_empty(&self) -> bool {
        self.swaps.is_empty() && self.changed.is_empty()
    }
}

/// A file of the backup, as the comparison needs it.
struct Wanted<'a> {
    name: &'a str,
    file: &'a FileName,
    /// What the backup holds.
    old: Content,
    /// What hivemend left: the new hive, or the log as it was.
    left: Content,
    /// Whether its absence is repaired: a missing log is, a missing hive is somebody's decision.
    may_be_missing: bool,
    metadata: &'a FileMetadata,
}

impl<'a> Wanted<'a> {
    fn hive(hive: &'a HiveRecord) -> Self {
        let (name, file) = (hive.name.as_str(), &hive.file);
        let (old, left, metadata) = (hive.before, hive.after, &hive.metadata);
        Self {
            name,
            file,
            old,
            left,
            may_be_missing: false,
            metadata,
        }
    }

    fn log(log: &'a CompanionRecord) -> Self {
        let (name, file) = (log.file.as_str(), &log.file);
        let (old, left, metadata) = (log.content, log.content, &log.metadata);
        Self {
            name,
            file,
            old,
            left,
            may_be_missing: true,
            metadata,
        }
    }
}

impl Store<'_> {
    /// Looks what restoring `backup` would do, and locks the config folder; writes nothing.
    ///
    /// Files that changed since are no error here: they are in the plan, for the caller to show.
    ///
    /// # Errors
    ///
    /// The guards of [`Store::prepare`], and [`StoreFault::Damaged`] for a backup that cannot be
    /// used.
    pub fn prepare_restore(
        &self,
        config: &Path,
        backup: &Backup,
    ) -> Result<RestorePlan, StoreError> {
        self.look_at_backup(config, backup)
            .map_err(StoreError::untouched)
    }

    fn look_at_backup(&self, config: &Path, backup: &Backup) -> Result<RestorePlan, StoreFault> {
        guard::not_running(config)?;
        guard::writable(config)?;
        let lock = self.lock(config)?;
        // Read again under the lock: the list may be old.
        let manifest = Manifest::load(self.medium, &backup.folder)?;
        if manifest.state == BackupState::Applying {
            let why = "the run that made this backup was interrupted; there is nothing to restore";
            return Err(StoreFault::damaged(&backup.folder, why));
        }
        let mut plan = RestorePlan {
            lock,
            config: config.to_path_buf(),
            folder: backup.folder.clone(),
            beside: backup.beside,
            swaps: Vec::new(),
            identities: Vec::new(),
            items: Vec::new(),
            changed: Vec::new(),
            manifest: manifest.clone(),
        };
        let logs = manifest
            .companions
            .iter()
            .filter(|file| file.role == CompanionRole::Log);
        let wanted = manifest
            .hives
            .iter()
            .map(Wanted::hive)
            .chain(logs.map(Wanted::log));
        for wanted in wanted {
            self.compare(&mut plan, &wanted)?;
        }
        self.find_new_logs(&mut plan)?;
        self.name_later_runs(&mut plan)?;
        let sizes = plan.swaps.iter().map(|swap| swap.to.size);
        self.space(config, sizes.fold(SLACK, u64::saturating_add))?;
        Ok(plan)
    }

    fn compare(&self, plan: &mut RestorePlan, wanted: &Wanted<'_>) -> Result<(), StoreFault> {
        let live = wanted.file.in_folder(&plan.config);
        guard::not_held(&live)?;
        let found = files::identity(&live)?;
        let now = match found {
            Some(_) => Some(files::content(self.medium, &live)?),
            None => None,
        };
        let action = match now {
            Some(now) if now == wanted.old => RestoreAction::Same,
            Some(now) if now == wanted.left => RestoreAction::PutBack,
            None if wanted.may_be_missing => RestoreAction::PutBack,
            _ => RestoreAction::Changed,
        };
        let (name, file) = (wanted.name.to_owned(), wanted.file.clone());
        match action {
            RestoreAction::Same => {}
            RestoreAction::Changed => {
                plan.changed.push(ChangedSince {
                    file: file.clone(),
                    by: None,
                });
            }
            RestoreAction::PutBack => {
                if found.is_some() {
                    nothing_lost(&files::open(self.medium, &live)?)?;
                }
                let to = wanted.old;
                let metadata = self.metadata_for(plan, wanted, found.is_some())?;
                let (name, file) = (name.clone(), file.clone());
                plan.swaps.push(Swap {
                    name,
                    file,
                    from: now,
                    to,
                    metadata,
                });
                plan.identities.push(found);
            }
        }
        plan.items.push(RestoreItem { name, file, action });
        Ok(())
    }

    /// What the restored file has besides its bytes.
    ///
    /// A record of another operating system says it in words that this one does not have. Then the
    /// file in place tells it, to which hivemend carried it over, or else the backup itself.
    fn metadata_for(
        &self,
        plan: &RestorePlan,
        wanted: &Wanted<'_>,
        is_there: bool,
    ) -> Result<FileMetadata, StoreFault> {
        if !wanted.metadata.is_foreign() {
            return Ok(wanted.metadata.clone());
        }
        let folder = if is_there { &plan.config } else { &plan.folder };
        let path = wanted.file.in_folder(folder);
        let handle = files::open(self.medium, &path)?;
        let own = self.medium.metadata(&handle);
        let mut own = own.map_err(StoreFault::io("look at", &path))?;
        own.modified = wanted.metadata.modified.as_kept();
        Ok(own)
    }

    /// A log that was not there when the backup was made says that Windows has run.
    fn find_new_logs(&self, plan: &mut RestorePlan) -> Result<(), StoreFault> {
        for hive in &plan.manifest.hives {
            for log in logs_of(&hive.file.in_folder(&plan.config))? {
                let file = FileName::of(&log)?;
                if !plan.manifest.files().any(|known| *known == file) {
                    plan.changed.push(ChangedSince { file, by: None });
                }
            }
        }
        Ok(())
    }

    /// Finds the later backups whose runs left the changed files as they are.
    fn name_later_runs(&self, plan: &mut RestorePlan) -> Result<(), StoreFault> {
        if plan.changed.is_empty() {
            return Ok(());
        }
        let root = plan
            .folder
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        let backups = self.list_in(&BackupRoot {
            path: root,
            beside: plan.beside,
        })?;
        for changed in &mut plan.changed {
            let live = changed.file.in_folder(&plan.config);
            let now = files::content(self.medium, &live).ok();
            let left = |hive: &HiveRecord| hive.file == changed.file && Some(hive.after) == now;
            let manifests = backups
                .iter()
                .filter_map(|backup| backup.manifest.as_ref().ok());
            let later = manifests.filter(|other| other.age() > plan.manifest.age());
            let by = later.into_iter().find(|other| other.hives.iter().any(left));
            changed.by = by.map(|other| other.id.clone());
        }
        Ok(())
    }

    /// Puts back what the plan says, all of it or nothing; nothing is written if all is the same.
    ///
    /// # Errors
    ///
    /// [`StoreFault::ChangedSince`] if hives or logs are not what hivemend left;
    /// [`Touched::Untouched`] if everything is as it was before the call,
    /// [`Touched::NeedsRestore`] if the next run must finish or undo it.
    pub fn restore(&self, plan: RestorePlan) -> Result<RestoreOutcome, StoreError> {
        if !plan.changed.is_empty() {
            let files = plan.changed;
            return Err(StoreError::untouched(StoreFault::ChangedSince { files }));
        }
        let outcome = RestoreOutcome {
            id: plan.manifest.id.clone(),
            items: plan.items,
        };
        if plan.swaps.is_empty() {
            return Ok(outcome);
        }
        let mut journal = Journal::new(outcome.id.clone(), Operation::Restore, plan.swaps);
        journal.beside = plan.beside;
        let mut run = Run {
            medium: self.medium,
            config: plan.config,
            folder: Some(plan.folder.clone()),
            journal,
            swapping: false,
        };
        if let Err(cause) = write(&mut run, &plan.folder, &plan.identities, &plan.manifest) {
            return Err(run.give_up(cause, &plan.manifest));
        }
        run.close().map_err(|cause| StoreError {
            touched: Touched::NeedsRestore,
            fault: StoreFault::NotClosed {
                cause: Box::new(cause),
            },
        })?;
        drop(plan.lock);
        Ok(outcome)
    }
}

/// The whole run up to the point where only its litter is left.
fn write(
    run: &mut Run<'_>,
    folder: &Path,
    identities: &[Option<Identity>],
    manifest: &Manifest,
) -> Result<(), StoreFault> {
    let swaps = run.journal.swaps.clone();
    run.journal.save(run.medium, &run.config)?;
    for (swap, identity) in swaps.iter().zip(identities) {
        run.keep(swap, identity.as_ref())?;
        let from = swap.file.in_folder(folder);
        run.stage_from(swap, &from).map_err(|error| match error {
            StoreFault::Changed { path } if path == from => {
                StoreFault::damaged(&path, "its bytes are not those that the manifest records")
            }
            other => other,
        })?;
    }
    for (swap, identity) in swaps.iter().zip(identities) {
        run.still(swap, identity.as_ref())?;
    }
    run.swap(&swaps)?;
    for (swap, identity) in swaps.iter().zip(identities) {
        run.was_still(swap, identity.as_ref())?;
    }
    let restored = manifest.in_state(BackupState::Restored);
    restored.save(run.medium, folder, run.like())
}
