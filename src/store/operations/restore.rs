// SPDX-License-Identifier: GPL-3.0-or-later
//! Putting back what a backup holds: prepare looks, restore writes.
//!
//! No backup of the present state is made: a restore goes ahead only where every hive is, byte
//! for byte, what hivemend itself wrote and every log is as it was, so that nothing is lost that
//! `apply` could not write again. While it runs, the present files are kept under second names.

use super::backups::Backup;
use crate::disk::{Folder, Identity, Spot, guard, log_misfit, logs_of};
use crate::store::door::Store;
use crate::store::error::{ChangedSince, StoreError, StoreFault, Touched};
use crate::store::files;
use crate::store::medium::nothing_lost;
use crate::store::medium::platform::Lock;
use crate::store::record::{
    BackupState, CompanionRecord, CompanionRole, HiveRecord, Journal, KeptAs, Listed, Manifest,
    Swap,
};
use crate::store::terms::{BackupId, Content, FileMetadata, FileName, Operation};
use crate::store::transaction::{BackupFolder, BackupRoot, Run, metadata_of};
use crate::store::trust::{Present, Role, Site, grant};
use crate::text::Foreign;

/// Room for manifest and journal, in bytes.
const SLACK: u64 = 1 << 20;

/// What a restore would do; holds the lock on the config folder.
#[derive(Debug)]
pub struct RestorePlan {
    lock: Lock,
    config: Folder,
    folder: BackupFolder,
    beside: bool,
    /// Whether the hives are put back as they lie in the backup, for want of room for copies.
    by_link: bool,
    manifest: Listed,
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
    pub name: Foreign,
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
    pub fn manifest(&self) -> &Listed {
        &self.manifest
    }

    fn is_hive(&self, file: &FileName) -> bool {
        self.manifest.hives.iter().any(|hive| hive.file == *file)
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
    role: Role,
    metadata: &'a FileMetadata,
}

impl<'a> Wanted<'a> {
    fn hive(hive: &'a HiveRecord) -> Self {
        let (name, file) = (hive.name.raw(), &hive.file);
        let (old, left, metadata) = (hive.before, hive.after, &hive.metadata);
        Self {
            name,
            file,
            old,
            left,
            may_be_missing: false,
            role: Role::Hive,
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
            role: Role::Log,
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
    pub fn prepare_restore(&self, site: &Site, backup: &Backup) -> Result<RestorePlan, StoreError> {
        self.look_at_backup(site, backup)
            .map_err(StoreError::untouched)
    }

    fn look_at_backup(&self, site: &Site, backup: &Backup) -> Result<RestorePlan, StoreFault> {
        let config = &site.config;
        guard::not_running(config.path())?;
        guard::writable(config.path())?;
        let lock = self.lock(config)?;
        // Read again under the lock: the list may be old.
        let folder = backup.open()?;
        let manifest = Listed::load(self.medium, &folder.open)?;
        admit(&manifest, site)?;
        if manifest.state == BackupState::Applying {
            let why = "the run that made this backup was interrupted; there is nothing to restore";
            return Err(StoreFault::damaged(&backup.folder, why));
        }
        let mut plan = RestorePlan {
            lock,
            config: config.clone(),
            folder,
            beside: backup.beside,
            by_link: false,
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
            self.compare(&mut plan, &wanted, site)?;
        }
        self.find_new_logs(&mut plan)?;
        self.name_later_runs(&mut plan)?;
        plan.by_link = self.needs_links(&plan)?;
        Ok(plan)
    }

    /// Whether there is no room for copies, but for putting the backup's own files in place, and for
    /// a copy of each once the file it replaces is gone.
    fn needs_links(&self, plan: &RestorePlan) -> Result<bool, StoreFault> {
        let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
        let need = sum(&mut plan.swaps.iter().map(|swap| swap.to.size)).saturating_add(SLACK);
        let free = self.free(&plan.config)?;
        let Err(refused) = guard::space(plan.config.path(), need, free) else {
            return Ok(false);
        };
        if cfg!(windows) {
            // There the attribute read-only is shared by all names of a file: not tried.
            return Err(refused.into());
        }
        let free = free.unwrap_or(0);
        let is_log = |swap: &&Swap| !plan.is_hive(&swap.file);
        let logs = sum(&mut plan.swaps.iter().filter(is_log).map(|swap| swap.to.size));
        let freed = plan.swaps.iter().filter_map(|swap| swap.from);
        let freed = sum(&mut freed.map(|content| content.size));
        let is_enough = free >= SLACK.saturating_add(logs) && free.saturating_add(freed) >= need;
        let is_near = plan.config.on_volume_of(&plan.folder.open).unwrap_or(false);
        // The volume takes a second name for a file: the backup's hives came by one.
        let mut hives = plan.manifest.hives.iter();
        let is_linked = hives.all(|hive| hive.kept_as == KeptAs::Link);
        match is_enough && is_near && is_linked && !plan.swaps.is_empty() {
            true => Ok(true),
            false => Err(refused.into()),
        }
    }

    fn compare(
        &self,
        plan: &mut RestorePlan,
        wanted: &Wanted<'_>,
        site: &Site,
    ) -> Result<(), StoreFault> {
        let live = wanted.file.at(&plan.config);
        guard::not_held(live.path())?;
        let found = files::identity(&live)?;
        let known = [wanted.old, wanted.left];
        let now = match found {
            Some(_) => files::content_among(self.medium, &live, &known)?,
            None => None,
        };
        let action = match now {
            Some(now) if now == wanted.old => RestoreAction::Same,
            Some(_) => RestoreAction::PutBack,
            None if found.is_none() && wanted.may_be_missing => RestoreAction::PutBack,
            None => RestoreAction::Changed,
        };
        let (name, file) = (Foreign::from(wanted.name), wanted.file.clone());
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
                self.judge(&wanted.file.at(&plan.folder.open), wanted, site)?;
                let present = match found {
                    Some(_) => Present::Itself(metadata_of(self.medium, &live)?),
                    None => Present::Sibling(metadata_of(self.medium, &sibling(plan)?)?),
                };
                let metadata = grant(wanted.metadata, &present, &live)?;
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

    /// Refuses a backup's file that is not what the manifest records, or neither hive nor log.
    fn judge(&self, backed: &Spot, wanted: &Wanted<'_>, site: &Site) -> Result<(), StoreFault> {
        if !files::is(self.medium, backed, &wanted.old)? {
            return Err(not_recorded(backed));
        }
        match files::judge(self.medium, backed, wanted.role, site)? {
            None => Ok(()),
            Some(why) => Err(StoreFault::NotContent {
                path: backed.path().to_path_buf(),
                why,
            }),
        }
    }

    /// A log that was not there when the backup was made says that Windows has run. So does one that
    /// was too long to be copied, and has another size now; where it is gone, nothing of it is undone.
    fn find_new_logs(&self, plan: &mut RestorePlan) -> Result<(), StoreFault> {
        for hive in &plan.manifest.hives {
            for log in logs_of(&hive.file.in_folder(plan.config.path()))? {
                let file = FileName::of(&log)?;
                let left_out = plan.manifest.not_copied.iter();
                let mut left_out = left_out.filter(|known| known.file == file);
                let is_known = match left_out.next() {
                    // What the record says is believed of a file only that it could be said of.
                    Some(known) => log_misfit(&plan.config.at(&log), hive.before.size)?
                        .is_some_and(|misfit| misfit.size == known.size),
                    None => plan.manifest.files().any(|known| *known == file),
                };
                if !is_known {
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
        let named = plan.folder.root().path();
        let named = Some(named).filter(|_| !plan.beside);
        let backups = self.list_in(&BackupRoot::find(&plan.config, named)?)?;
        for changed in &mut plan.changed {
            let manifests = backups
                .iter()
                .filter_map(|backup| backup.manifest.as_ref().ok());
            let later: Vec<&Listed> = manifests
                .filter(|other| other.age() > plan.manifest.age())
                .collect();
            let left = later.iter().flat_map(|other| &other.hives);
            let left = left.filter(|hive| hive.file == changed.file);
            let left: Vec<Content> = left.map(|hive| hive.after).collect();
            let live = changed.file.at(&plan.config);
            let Ok(Some(now)) = files::content_among(self.medium, &live, &left) else {
                continue;
            };
            let is_it = |hive: &HiveRecord| hive.file == changed.file && hive.after == now;
            let by = later.iter().find(|other| other.hives.iter().any(is_it));
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
        // It is written again, and this time with its changes.
        let manifest = Manifest::load(self.medium, &plan.folder.open);
        let manifest: Manifest = manifest.map_err(StoreError::untouched)?;
        let named = (outcome.id.clone(), plan.manifest.run.clone());
        let mut journal = Journal::new(named, Operation::Restore, plan.swaps);
        journal.beside = plan.beside;
        let folder = plan.folder.open.clone();
        let mut run = Run {
            medium: self.medium,
            config: plan.config,
            root: None,
            folder: Some(plan.folder),
            journal,
            swapping: false,
        };
        let hives = plan.manifest.hives.iter();
        let linked: Vec<&FileName> = match plan.by_link {
            true => hives.map(|hive| &hive.file).collect(),
            false => Vec::new(),
        };
        let content = Backed {
            folder: &folder,
            linked,
        };
        if let Err(cause) = write(&mut run, &content, &plan.identities, &manifest) {
            return Err(run.give_up(cause, &manifest));
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

/// Where the old files come from, and how.
struct Backed<'a> {
    folder: &'a Folder,
    /// Those that are put in place themselves; the others are copied.
    linked: Vec<&'a FileName>,
}

fn not_recorded(spot: &Spot) -> StoreFault {
    let why = "its bytes are not those that the manifest records";
    StoreFault::damaged(spot.path(), why)
}

/// Refuses a manifest that speaks of other files than this target's hives and their logs.
fn admit(manifest: &Listed, site: &Site) -> Result<(), StoreFault> {
    for hive in &manifest.hives {
        site.admit(&hive.file, Role::Hive)?;
    }
    let logs = manifest.companions.iter();
    for log in logs.filter(|file| file.role == CompanionRole::Log) {
        site.admit(&log.file, Role::Log)?;
    }
    Ok(())
}

/// A file that is there, beside one that is gone: the hive.
fn sibling(plan: &RestorePlan) -> Result<Spot, StoreFault> {
    let hives = plan.manifest.hives.iter();
    for spot in hives.map(|hive| hive.file.at(&plan.config)) {
        if files::plain(&spot)?.is_some() {
            return Ok(spot);
        }
    }
    let path = plan.config.path().to_path_buf();
    Err(crate::disk::DiskError::Missing { path }.into())
}

/// The whole run up to the point where only its litter is left.
fn write(
    run: &mut Run<'_>,
    backed: &Backed<'_>,
    identities: &[Option<Identity>],
    manifest: &Manifest,
) -> Result<(), StoreFault> {
    let swaps = run.journal.swaps.clone();
    run.journal.save(run.medium, &run.config)?;
    for (swap, identity) in swaps.iter().zip(identities) {
        run.keep(swap, identity.as_ref())?;
        let from = swap.file.at(backed.folder);
        let staged = match backed.linked.contains(&&swap.file) {
            true => run.stage_itself(swap, &from),
            false => run.stage_from(swap, &from),
        };
        staged.map_err(|error| match error {
            StoreFault::Changed { path } if path == from.path() => not_recorded(&from),
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
    restored.save(run.medium, backed.folder, run.like())
}
