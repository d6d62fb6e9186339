// SPDX-License-Identifier: GPL-3.0-or-later
//! Runs that were interrupted: finding them, finishing them, undoing them.

use std::path::{Path, PathBuf};

use crate::disk::{Spot, shown};
use crate::store::door::{Store, take_lock};
use crate::store::error::{StoreError, StoreFault, Touched};
use crate::store::files::{self, Way, half_made, left_over, other_case};
use crate::store::medium::platform;
use crate::store::record::{BackupState, JOURNAL, Journal, Listed, Manifest, Swap};
use crate::store::terms::{BackupId, FileName, MANIFEST, Operation};
use crate::store::transaction::{BackupRoot, Run, Stands};
use crate::store::trust::{Role, Site};
use crate::text::Foreign;

/// An interrupted run and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The folder with the hives.
    pub config: PathBuf,
    /// The backup it made or was restoring.
    pub id: BackupId,
    /// What it was doing.
    pub operation: Operation,
    /// Where each file stands.
    pub hives: Vec<PendingHive>,
    /// Why it cannot be finished; `None` if it can.
    pub cannot_finish: Option<String>,
    /// Why it cannot be undone; `None` if it can.
    pub cannot_undo: Option<String>,
    backup_dir: Option<PathBuf>,
    site: Site,
}

/// A file of an interrupted run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingHive {
    /// As messages call it: `SYSTEM`, or the file's name.
    pub name: Foreign,
    /// Its file.
    pub file: FileName,
    /// Which content it has now.
    pub stands: HiveStands,
}

/// Which content a file of an interrupted run has, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiveStands {
    /// What was there before the run.
    Old,
    /// What the run was to put there.
    New,
    /// Nothing: no file has its name, and both contents wait under other names.
    Nameless,
    /// Something else: another program has written it since.
    Neither,
}

/// How an interrupted run was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its backup.
    pub id: BackupId,
    /// What it had been doing.
    pub operation: Operation,
    /// Whether its backup lies in a folder that was not named, and so was left there.
    pub left: bool,
}

struct Assessed {
    hives: Vec<PendingHive>,
    cannot_finish: Option<String>,
    cannot_undo: Option<String>,
}

impl Store<'_> {
    /// Looks for a run that was interrupted; writes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreFault::Locked`] if the run is still going on, [`StoreFault::Damaged`] for a journal
    /// that cannot be read, [`StoreFault::NotOurs`] and [`StoreFault::AsksTooMuch`] for one that
    /// cannot be believed.
    pub fn pending(
        &self,
        site: &Site,
        backup_dir: Option<&Path>,
    ) -> Result<Option<Pending>, StoreError> {
        self.find_pending(site, backup_dir)
            .map_err(StoreError::untouched)
    }

    fn find_pending(
        &self,
        site: &Site,
        backup_dir: Option<&Path>,
    ) -> Result<Option<Pending>, StoreFault> {
        if files::plain(&site.config.at(JOURNAL))?.is_none() {
            return Ok(None);
        }
        let _lock = take_lock(&site.config)?;
        let Some(run) = self.reopen(site, backup_dir)? else {
            return Ok(None);
        };
        let Assessed {
            hives,
            cannot_finish,
            cannot_undo,
        } = assess(&run, site)?;
        Ok(Some(Pending {
            config: site.config.path().to_path_buf(),
            id: run.journal.id,
            operation: run.journal.operation,
            hives,
            cannot_finish,
            cannot_undo,
            backup_dir: backup_dir.map(Path::to_path_buf),
            site: site.clone(),
        }))
    }

    /// Removes what is left of a run that stopped before its journal was complete, which is all
    /// that it had written.
    ///
    /// # Errors
    ///
    /// If another run is going on, or it cannot be removed.
    pub fn clear(&self, site: &Site) -> Result<(), StoreError> {
        self.clear_journal(site).map_err(StoreError::untouched)
    }

    fn clear_journal(&self, site: &Site) -> Result<(), StoreFault> {
        let config = &site.config;
        let journal = config.at(JOURNAL);
        let begun = files::new_name(&journal);
        if files::plain(&begun)?.is_none() {
            return Ok(());
        }
        let _lock = take_lock(config)?;
        // Under the lock it is nobody's; beside a journal it is that run's to remove.
        if files::plain(&journal)?.is_some() {
            return Ok(());
        }
        files::remove(self.medium, &begun)?;
        files::sync_dir(self.medium, config)
    }

    fn reopen(
        &self,
        site: &Site,
        backup_dir: Option<&Path>,
    ) -> Result<Option<Run<'_>>, StoreFault> {
        let Some(journal) = Journal::load(self.medium, &site.config)? else {
            return Ok(None);
        };
        let named = if journal.beside { None } else { backup_dir };
        let root = match journal.beside || named.is_some() {
            true => Some(BackupRoot::find(&site.config, named)?),
            false => None,
        };
        let folder = match &root {
            Some(root) => root.backup(&journal.id)?,
            None => None,
        };
        let (medium, config) = (self.medium, site.config.clone());
        let mut run = Run {
            medium,
            config,
            root,
            folder,
            journal,
            swapping: true,
        };
        run.judge_journal(site)?;
        Ok(Some(run))
    }

    /// Finishes an interrupted run: every file becomes the new one.
    ///
    /// # Errors
    ///
    /// [`StoreFault::Unsettled`] if that is impossible; others leave the run as it was, to be
    /// finished or undone.
    pub fn finish(&self, pending: &Pending) -> Result<Settled, StoreError> {
        self.settle(pending, |run, assessed| {
            if let Some(why) = assessed.cannot_finish {
                return Err(unsettled(run, "finished", why));
            }
            complete(run, &assessed.hives)
        })
    }

    /// Undoes an interrupted run: every file becomes the old one.
    ///
    /// # Errors
    ///
    /// [`StoreFault::Unsettled`] if that is impossible; others leave the run as it was, to be
    /// finished or undone.
    pub fn undo(&self, pending: &Pending) -> Result<Settled, StoreError> {
        self.settle(pending, |run, assessed| match assessed.cannot_undo {
            Some(why) => Err(unsettled(run, "undone", why)),
            None => run.undo(None),
        })
    }

    fn settle(
        &self,
        pending: &Pending,
        how: impl FnOnce(&mut Run<'_>, Assessed) -> Result<(), StoreFault>,
    ) -> Result<Settled, StoreError> {
        let site = &pending.site;
        let _lock = take_lock(&site.config).map_err(StoreError::untouched)?;
        let run = self.reopen(site, pending.backup_dir.as_deref());
        let run = run.map_err(needs_restore)?;
        let settled = |run: Option<&Run<'_>>| Settled {
            id: pending.id.clone(),
            operation: pending.operation,
            left: run.is_some_and(|run| run.root.is_none()),
        };
        let Some(mut run) = run else {
            return Ok(settled(None));
        };
        let assessed = assess(&run, site).map_err(needs_restore)?;
        how(&mut run, assessed).map_err(needs_restore)?;
        Ok(settled(Some(&run)))
    }
}

fn needs_restore(fault: StoreFault) -> StoreError {
    StoreError {
        touched: Touched::NeedsRestore,
        fault,
    }
}

fn unsettled(run: &Run<'_>, how: &'static str, why: String) -> StoreFault {
    StoreFault::Unsettled {
        id: run.journal.id.clone(),
        how,
        why,
    }
}

fn complete(run: &mut Run<'_>, hives: &[PendingHive]) -> Result<(), StoreFault> {
    let Some(folder) = run.folder.as_ref().map(|folder| folder.open.clone()) else {
        return Err(unsettled(
            run,
            "finished",
            "its backup folder was not named".to_owned(),
        ));
    };
    // Where it cannot be read, the journal is enough: `backups` says what is wrong with it.
    let manifest = match <Manifest>::load(run.medium, &folder) {
        Ok(manifest) => Some(manifest),
        Err(StoreFault::Damaged { .. }) => None,
        Err(fault) => return Err(fault),
    };
    let swaps = run.journal.swaps.clone();
    let old = swaps
        .iter()
        .zip(hives)
        .filter(|(_, hive)| hive.stands != HiveStands::New);
    let old: Vec<Swap> = old.map(|(swap, _)| swap.clone()).collect();
    for swap in &old {
        // The run may have stopped between a file's bytes and its metadata.
        files::carry(
            run.medium,
            &swap.staged(&run.config, &run.journal.id),
            &swap.metadata,
        )?;
    }
    run.swap(&old)?;
    let done = match run.journal.operation {
        Operation::Apply => BackupState::Applied,
        Operation::Restore => BackupState::Restored,
    };
    if let Some(manifest) = manifest.filter(|manifest| manifest.state != done) {
        let manifest = manifest.in_state(done);
        manifest.save(run.medium, &folder, run.like())?;
    }
    run.close()
}

/// Finds out where each file stands and what can be done.
fn assess(run: &Run<'_>, site: &Site) -> Result<Assessed, StoreFault> {
    let mut hives = Vec::new();
    let half_made = half_made_name(run)?;
    let mut cannot_finish = half_made.clone().or_else(|| manifest_problem(run));
    let mut cannot_undo = half_made;
    for swap in &run.journal.swaps {
        let stands = run.stands(swap)?;
        let (finish, undo) = match stands {
            Stands::Old => (missing_new(run, site, swap)?, None),
            Stands::New => (None, missing_old(run, site, swap)?),
            Stands::Nameless => (missing_new(run, site, swap)?, missing_old(run, site, swap)?),
            Stands::Neither => (Some(written_since(swap)), Some(written_since(swap))),
        };
        cannot_finish = cannot_finish.or(finish);
        cannot_undo = cannot_undo.or(undo);
        let (name, file) = (swap.name.clone(), swap.file.clone());
        hives.push(PendingHive {
            name,
            file,
            stands: stands.into(),
        });
    }
    if hives.iter().all(|hive| hive.stands == HiveStands::New) {
        cannot_undo = cannot_undo.or_else(|| already_done(run));
    }
    Ok(Assessed {
        hives,
        cannot_finish,
        cannot_undo,
    })
}

/// Why nothing can be done before the file system is repaired, if so.
fn half_made_name(run: &Run<'_>) -> Result<Option<String>, StoreFault> {
    let swaps = &run.journal.swaps;
    if swaps.iter().all(|swap| swap.way() == Way::Rename) {
        return Ok(None);
    }
    let (config, id) = (&run.config, &run.journal.id);
    let folder = run.folder.as_ref().map(|folder| &folder.open);
    let pair = |spot: Spot| [files::new_name(&spot), spot];
    let mut names = pair(config.at(JOURNAL)).to_vec();
    names.extend(
        folder
            .into_iter()
            .flat_map(|folder| pair(folder.at(MANIFEST))),
    );
    for swap in swaps {
        let live = swap.live(config);
        names.extend([swap.kept(config, id), swap.staged(config, id)]);
        names.extend(folder.map(|folder| swap.file.at(folder)));
        names.extend(other_case(&live));
        names.push(live);
    }
    Ok(half_made(&names)?.map(|name| {
        format!(
            "the name {} was only half made when the run was cut short: first run chkdsk /f on the \
             volume in Windows, and then this again. The old and the new content are whole until \
             then; remove nothing by hand",
            shown(name.path())
        )
    }))
}

impl From<Stands> for HiveStands {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::Old => Self::Old,
            Stands::New => Self::New,
            Stands::Nameless => Self::Nameless,
            Stands::Neither => Self::Neither,
        }
    }
}

fn written_since(swap: &Swap) -> String {
    format!(
        "{} is neither the old nor the new file: another program, perhaps Windows, has written it \
         since. Nothing can be put back without losing that; to accept it as it is, remove \
         hivemend.journal and the *.hivemend-* files from the config folder",
        swap.file
    )
}

fn missing_new(run: &Run<'_>, site: &Site, swap: &Swap) -> Result<Option<String>, StoreFault> {
    let staged = swap.staged(&run.config, &run.journal.id);
    if !files::is(run.medium, &staged, &swap.to).unwrap_or(false) {
        return Ok(Some(format!(
            "the new {} was not written completely",
            swap.file
        )));
    }
    match other_names(run, swap, &staged)? {
        None => judged(run, site, swap, &staged),
        some => Ok(some),
    }
}

fn missing_old(run: &Run<'_>, site: &Site, swap: &Swap) -> Result<Option<String>, StoreFault> {
    let Some(from) = &swap.from else {
        return Ok(None);
    };
    let kept = swap.kept(&run.config, &run.journal.id);
    match files::is(run.medium, &kept, from).unwrap_or(false) {
        true => judged(run, site, swap, &kept),
        false => Ok(Some(format!("the old {} is no longer there", swap.file))),
    }
}

/// Why a file cannot take a hive's or a log's place, if so: a journal is believed only about what
/// hivemend swaps.
fn judged(
    run: &Run<'_>,
    site: &Site,
    swap: &Swap,
    spot: &Spot,
) -> Result<Option<String>, StoreFault> {
    let role = site.role(&swap.file).unwrap_or(Role::Hive);
    let judged = files::judge(run.medium, spot, role, site)?;
    Ok(judged.map(|why| format!("{}: {why}", shown(spot.path()))))
}

/// Why what a file has besides its bytes must not be changed, if so: it has names that are none of
/// this run's, and would change under them too.
fn other_names(run: &Run<'_>, swap: &Swap, staged: &Spot) -> Result<Option<String>, StoreFault> {
    let Some((file, all)) = links(staged)? else {
        return Ok(None);
    };
    let (config, id) = (&run.config, &run.journal.id);
    let live = swap.live(config);
    let mut own = vec![staged.clone(), swap.kept(config, id), live.clone()];
    own.extend(left_over(&live)?);
    own.extend(run.folder.iter().map(|folder| swap.file.at(&folder.open)));
    let mut known = u64::from(run.folder.is_none());
    for name in own {
        let same = links(&name)?.is_some_and(|(found, _)| found == file);
        known = known.saturating_add(u64::from(same));
    }
    // Where Windows keeps a short name besides, NTFS counts that as a link.
    known = known.saturating_add(u64::from(swap.way() == Way::Links));
    Ok((all > known).then(|| {
        format!(
            "{} has other names (hard links) than those of this run: look where they are, and \
             remove the file if it is not hivemend's",
            shown(staged.path())
        )
    }))
}

fn links(spot: &Spot) -> Result<Option<(u64, u64)>, StoreFault> {
    Ok(files::plain(spot)?.as_ref().and_then(platform::links))
}

/// Why the run cannot be completed for want of a backup, if so. The journal says what must be in it;
/// a manifest that cannot be read is no hindrance.
fn manifest_problem(run: &Run<'_>) -> Option<String> {
    let Some(folder) = run.folder.as_ref().map(|folder| &folder.open) else {
        return Some(match &run.root {
            None => "its backup lies elsewhere: name that folder with --backup-dir".to_owned(),
            Some(root) => format!("{}: its backup is not there", shown(&root.path)),
        });
    };
    let is_apply = run.journal.operation == Operation::Apply;
    match Listed::load(run.medium, folder) {
        Ok(manifest) if is_apply && !run.has_made(&manifest) => {
            let folder = shown(folder.path());
            return Some(format!("{folder}: this is the backup of another run"));
        }
        Ok(_) | Err(StoreFault::Damaged { .. }) => {}
        Err(fault) => return Some(fault.to_string()),
    }
    let wanted = |swap: &Swap| if is_apply { swap.from } else { Some(swap.to) };
    let held = run.journal.swaps.iter().find(|swap| {
        let kept = swap.file.at(folder);
        match wanted(swap) {
            Some(wanted) => !files::is(run.medium, &kept, &wanted).unwrap_or(false),
            None => kept.look().is_ok_and(|found| found.is_some()),
        }
    });
    held.map(|swap| {
        format!(
            "{}: the backup of {} is not complete",
            shown(folder.path()),
            swap.file
        )
    })
}

/// Whether the run, whose files are all the new ones, had done all but removing its traces.
fn already_done(run: &Run<'_>) -> Option<String> {
    let manifest = Listed::load(run.medium, &run.folder.as_ref()?.open).ok()?;
    let done = match run.journal.operation {
        Operation::Apply => manifest.state != BackupState::Applying && run.has_made(&manifest),
        Operation::Restore => manifest.state == BackupState::Restored,
    };
    done.then(|| "it was complete but for its traces: finish it".to_owned())
}
