// SPDX-License-Identifier: GPL-3.0-or-later
//! One transaction over a set of files in one folder: keep the old, stage the new, swap, close.
//!
//! `apply` and `restore` are the same transaction with other contents.

use std::io;

use crate::disk::{Folder, Identity, Spot, guard};
use crate::store::error::{StoreError, StoreFault, Touched};
use crate::store::files::{self, Way, left_over, replace};
use crate::store::medium::Medium;
use crate::store::medium::platform::NO_LINKS;
use crate::store::record::{BackupState, Journal, KeptAs, Listed, Manifest, Swap};
use crate::store::terms::{Content, FileMetadata, FileName, MANIFEST, Operation};
use crate::store::transaction::{BackupFolder, BackupRoot};
use crate::store::trust::{Present, Role, Site, grant};

/// A run and its place on the disk.
pub(crate) struct Run<'m> {
    pub(crate) medium: &'m dyn Medium,
    pub(crate) config: Folder,
    /// The folder that holds the backups; `None` if the caller of an interrupted run did not name it.
    pub(crate) root: Option<BackupRoot>,
    /// The backup's folder, where it is there and known to be this run's.
    pub(crate) folder: Option<BackupFolder>,
    pub(crate) journal: Journal,
    /// Whether a file may already have been swapped.
    pub(crate) swapping: bool,
}

/// Where one file of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Old,
    New,
    /// Nothing has its name: stopped between two steps of [`replace`].
    Nameless,
    Neither,
}

impl Run<'_> {
    /// Gives the file as it is now a second name, from which it can be put back at any time.
    pub(crate) fn keep(&self, swap: &Swap, identity: Option<&Identity>) -> Result<(), StoreFault> {
        self.still(swap, identity)?;
        let Some(from) = &swap.from else {
            return Ok(());
        };
        let (live, kept) = (
            swap.live(&self.config),
            swap.kept(&self.config, &self.journal.id),
        );
        let made = link_or_copy(self.medium, &live, &kept, from, Some(&swap.metadata))?;
        match made {
            KeptAs::Link => Ok(()),
            // Renamed back over the hive it must be the hive in every respect.
            KeptAs::Copy => files::carry(self.medium, &kept, &swap.metadata),
        }
    }

    /// Writes the new content beside the file, complete, durable and verified.
    pub(crate) fn stage(&self, swap: &Swap, bytes: &[u8]) -> Result<(), StoreFault> {
        let staged = swap.staged(&self.config, &self.journal.id);
        let (live, content) = (swap.live(&self.config), (bytes, &swap.to));
        files::write_successor(self.medium, &staged, content, &swap.metadata, &live)?;
        files::carry(self.medium, &staged, &swap.metadata)
    }

    /// As [`Run::stage`], from the file `from`.
    pub(crate) fn stage_from(&self, swap: &Swap, from: &Spot) -> Result<(), StoreFault> {
        let staged = swap.staged(&self.config, &self.journal.id);
        files::copy(self.medium, from, &staged, &swap.to, Some(&swap.metadata))?;
        files::carry(self.medium, &staged, &swap.metadata)
    }

    /// As [`Run::stage_from`], where there is no room for a copy: the file `from` itself, under a
    /// second name. [`Run::close`] parts the two.
    pub(crate) fn stage_itself(&self, swap: &Swap, from: &Spot) -> Result<(), StoreFault> {
        let staged = swap.staged(&self.config, &self.journal.id);
        let linked = self.medium.link(from, &staged);
        linked.map_err(StoreFault::io("link", from.path()))?;
        files::carry(self.medium, &staged, &swap.metadata)
    }

    /// Refuses if the file is not the one that was hashed.
    pub(crate) fn still(&self, swap: &Swap, identity: Option<&Identity>) -> Result<(), StoreFault> {
        let live = swap.live(&self.config);
        match files::identity(&live)?.as_ref() == identity {
            true => Ok(()),
            false => Err(changed(&live)),
        }
    }

    /// Refuses if the file that was replaced was written between the last look and the rename: it
    /// is still there under its second name, and can be put back.
    pub(crate) fn was_still(
        &self,
        swap: &Swap,
        identity: Option<&Identity>,
    ) -> Result<(), StoreFault> {
        let kept = swap.kept(&self.config, &self.journal.id);
        let found = files::identity(&kept)?;
        // Where links are impossible it is a copy, which nobody writes.
        let is_same_file = |found: &Identity| {
            identity
                .is_some_and(|wanted| (found.device, found.file) == (wanted.device, wanted.file))
        };
        match found.filter(is_same_file) {
            Some(found) if Some(&found) != identity => Err(changed(&swap.live(&self.config))),
            _ => Ok(()),
        }
    }

    /// Puts the staged contents in place, one rename each, and makes the names durable.
    pub(crate) fn swap(&mut self, swaps: &[Swap]) -> Result<(), StoreFault> {
        // The staged names must be on the disk before one of them may replace a hive.
        files::sync_dir(self.medium, &self.config)?;
        self.swapping = true;
        for swap in swaps {
            let staged = swap.staged(&self.config, &self.journal.id);
            replace(self.medium, swap.way(), &staged, &swap.live(&self.config))?;
        }
        files::sync_dir(self.medium, &self.config)
    }

    /// Removes what only the run needed; the journal goes last.
    pub(crate) fn close(&self) -> Result<(), StoreFault> {
        self.sweep()?;
        files::sync_dir(self.medium, &self.config)?;
        if let Some(folder) = &self.folder {
            all(self
                .journal
                .swaps
                .iter()
                .map(|swap| self.part(swap, folder)))?;
        }
        Journal::remove(self.medium, &self.config)
    }

    /// Gives the backup a file of its own where it shares one with the hive, which Windows will write
    /// in place.
    fn part(&self, swap: &Swap, folder: &BackupFolder) -> Result<(), StoreFault> {
        let (live, backed_up) = (swap.live(&self.config), swap.file.at(&folder.open));
        let (Some(one), Some(other)) = (files::identity(&live)?, files::identity(&backed_up)?)
        else {
            return Ok(());
        };
        if (one.device, one.file) != (other.device, other.file) {
            return Ok(());
        }
        let apart = files::new_name(&backed_up);
        files::remove(self.medium, &apart)?;
        let content = files::content(self.medium, &live)?;
        files::copy(self.medium, &live, &apart, &content, Some(&swap.metadata))?;
        replace(self.medium, swap.way(), &apart, &backed_up)?;
        files::sync_dir(self.medium, &folder.open)
    }

    /// Removes staged and kept files, all of them even if one resists.
    fn sweep(&self) -> Result<(), StoreFault> {
        let (config, id) = (&self.config, &self.journal.id);
        let swaps = self.journal.swaps.iter();
        let names = swaps.flat_map(|swap| [swap.staged(config, id), swap.kept(config, id)]);
        let swept = all(names.map(|name| files::remove(self.medium, &name)));
        let spares = all(self.journal.swaps.iter().map(|swap| self.sweep_spare(swap)));
        swept.and(spares)
    }

    /// Removes the second name that [`replace`] gave a file, if the file it leads to is ours.
    fn sweep_spare(&self, swap: &Swap) -> Result<(), StoreFault> {
        if swap.way() == Way::Rename {
            return Ok(());
        }
        let Some(spare) = left_over(&swap.live(&self.config))? else {
            return Ok(());
        };
        match files::content_among(self.medium, &spare, &swap.contents())? {
            Some(_) => files::remove(self.medium, &spare),
            None => Ok(()),
        }
    }

    /// Ends a run that failed: puts everything back and tells what state that left.
    pub(crate) fn give_up(&self, cause: StoreFault, manifest: &Manifest) -> StoreError {
        let Err(then) = self.undo(Some(manifest)) else {
            return StoreError::untouched(cause);
        };
        let is_old = |swap| matches!(self.stands(swap), Ok(Stands::Old));
        let touched = match !self.swapping || self.journal.swaps.iter().all(is_old) {
            true => Touched::Untouched,
            false => Touched::NeedsRestore,
        };
        let (cause, then) = (Box::new(cause), Box::new(then));
        StoreError {
            touched,
            fault: StoreFault::RollBack { cause, then },
        }
    }

    /// Puts every file back and removes all that the run made.
    ///
    /// `manifest` is the run's own where it is still known; else the one on the disk is judged.
    pub(crate) fn undo(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        if self.swapping {
            // First of all: with the word "done" in it and one hive put back, a manifest would
            // tell the next run that there is nothing to undo.
            self.unmark(manifest)?;
            all(self.journal.swaps.iter().map(|swap| self.put_back(swap)))?;
            files::sync_dir(self.medium, &self.config)?;
        }
        let swept = self.sweep();
        let backup = match self.journal.operation {
            Operation::Apply => self.remove_backup(manifest),
            Operation::Restore => self.remove_new_manifest(),
        };
        let protected = all(self
            .journal
            .swaps
            .iter()
            .map(|swap| self.protect_again(swap)));
        swept.and(backup).and(protected)?;
        files::sync_dir(self.medium, &self.config)?;
        Journal::remove(self.medium, &self.config)
    }

    /// Makes a file read-only again that was, and is not. Windows replaces a read-only file only
    /// while it is not, and the run may have been cut off at that moment.
    fn protect_again(&self, swap: &Swap) -> Result<(), StoreFault> {
        if !swap.metadata.read_only {
            return Ok(());
        }
        let live = swap.live(&self.config);
        let now = metadata_of(self.medium, &live)?;
        if now.read_only {
            return Ok(());
        }
        // With the times that it has: somebody else may have written it since, which must show.
        let wanted = FileMetadata {
            read_only: true,
            xattrs: swap.metadata.xattrs.clone(),
            ..now
        };
        files::carry(self.medium, &live, &wanted)
    }

    fn put_back(&self, swap: &Swap) -> Result<(), StoreFault> {
        let live = swap.live(&self.config);
        match self.stands(swap)? {
            Stands::Old => Ok(()),
            Stands::New if swap.from.is_none() => files::remove(self.medium, &live),
            Stands::New | Stands::Nameless => {
                let kept = swap.kept(&self.config, &self.journal.id);
                replace(self.medium, swap.way(), &kept, &live)
            }
            Stands::Neither => Err(changed(&live)),
        }
    }

    /// Whether a file is the old one or the new one, by its bytes.
    pub(crate) fn stands(&self, swap: &Swap) -> Result<Stands, StoreFault> {
        let live = swap.live(&self.config);
        if files::plain(&live)?.is_none() {
            return Ok(match swap.from {
                None => Stands::Old,
                Some(_) => Stands::Nameless,
            });
        }
        let found = files::content_among(self.medium, &live, &swap.contents())?;
        Ok(match found {
            None => Stands::Neither,
            found if found == swap.from => Stands::Old,
            Some(_) => Stands::New,
        })
    }

    /// Removes the backup of a run that is being undone.
    fn remove_backup(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        if let Some(folder) = &self.folder {
            let Some(names) = self.made_files(&folder.open, manifest)? else {
                // It stays, and must not be the hive's own file under another name.
                return all(self
                    .journal
                    .swaps
                    .iter()
                    .map(|swap| self.part(swap, folder)));
            };
            let files = names.iter().map(|name| name.at(&folder.open));
            all(files.map(|file| files::remove(self.medium, &file)))?;
            let spot = folder.open.at(MANIFEST);
            files::remove(self.medium, &files::new_name(&spot))?;
            // The manifest goes last: until then it tells what the folder holds. Without it a new
            // one that a power cut brought back would be taken for it.
            files::sync_dir(self.medium, &folder.open)?;
            files::remove(self.medium, &spot)?;
            folder.remove(self.medium)?;
            // Or a power cut could bring the folder back when the journal is gone.
            files::sync_dir(self.medium, folder.root())?;
        }
        self.remove_root()
    }

    /// The files that this run put into its backup folder; `None` where that is another run's, or
    /// cannot be told.
    ///
    /// A journal from the disk may be a lie that names somebody else's backup, and in a folder
    /// that several disks share two runs can choose one name: so only a folder whose own manifest
    /// says that this run made it, and did not end, gives up its files.
    fn made_files(
        &self,
        folder: &Folder,
        manifest: Option<&Manifest>,
    ) -> Result<Option<Vec<FileName>>, StoreFault> {
        if let Some(own) = manifest {
            return Ok(Some(own.files().cloned().collect()));
        }
        let found = match Listed::load(self.medium, folder) {
            Ok(found) => found,
            Err(_) if files::plain(&folder.at(MANIFEST))?.is_none() => {
                // Beside the hives, under their lock, it is this run's. Elsewhere another disk's run
                // may just have made it.
                return Ok(self.journal.beside.then(Vec::new));
            }
            // The hives are what matters: the backup is left, and `backups` says what is wrong with it.
            Err(StoreFault::Damaged { .. }) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        match found.state {
            _ if !self.has_made(&found) => Ok(None),
            BackupState::Applying => Ok(Some(found.files().cloned().collect())),
            _ => Err(StoreFault::damaged(
                folder.path(),
                "this backup is complete and is not removed",
            )),
        }
    }

    /// Whether `manifest` is of this very run.
    pub(crate) fn has_made<C>(&self, manifest: &Manifest<C>) -> bool {
        let recorded = manifest
            .hives
            .iter()
            .map(|hive| (&hive.file, Some(hive.before), hive.after));
        let planned = self.journal.swaps.iter();
        manifest.run == self.journal.run
            && recorded.eq(planned.map(|swap| (&swap.file, swap.from, swap.to)))
    }

    fn remove_root(&self) -> Result<(), StoreFault> {
        match &self.root {
            Some(root) if self.journal.made_root => root.remove(self.medium),
            _ => Ok(()),
        }
    }

    /// Takes back the word "applied" or "restored" that was written before the run failed.
    fn unmark(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        let (Some(folder), Some(before)) = (&self.folder, manifest) else {
            return Ok(());
        };
        match Listed::load(self.medium, &folder.open)?.state == before.state {
            true => Ok(()),
            false => before.save(self.medium, &folder.open, self.like()),
        }
    }

    fn remove_new_manifest(&self) -> Result<(), StoreFault> {
        match &self.folder {
            Some(folder) => {
                let spot = folder.open.at(MANIFEST);
                files::remove(self.medium, &files::new_name(&spot))
            }
            None => Ok(()),
        }
    }

    /// Whose security descriptor the run's own files get.
    pub(crate) fn like(&self) -> Option<&FileMetadata> {
        self.journal
            .swaps
            .first()
            .map(|swap| &swap.metadata)
            .filter(|_| self.journal.beside)
    }

    /// Judges a journal that was found on the disk: which files it speaks of, and what they are to
    /// have besides their bytes, which is no more than they have now.
    pub(crate) fn judge_journal(&mut self, site: &Site) -> Result<(), StoreFault> {
        let mut swaps = self.journal.swaps.clone();
        for swap in &mut swaps {
            if site.role(&swap.file).is_none() {
                let path = swap.live(&self.config).path().to_path_buf();
                return Err(StoreFault::NotOurs { path });
            }
            let live = swap.live(&self.config);
            swap.metadata = grant(&swap.metadata, &self.present(swap)?, &live)?;
            swap.name = match site.role(&swap.file) {
                Some(Role::Hive) if swap.file.is_like(swap.name.raw()) => swap.name.clone(),
                _ => swap.file.as_str().into(),
            };
        }
        self.journal.swaps = swaps;
        Ok(())
    }

    /// What a file has now, under its own name or the one it was kept by; or else what another file
    /// of the run has.
    fn present(&self, swap: &Swap) -> Result<Present, StoreFault> {
        let (config, id) = (&self.config, &self.journal.id);
        for spot in [swap.live(config), swap.kept(config, id)] {
            if files::plain(&spot)?.is_some() {
                return Ok(Present::Itself(metadata_of(self.medium, &spot)?));
            }
        }
        let others = self.journal.swaps.iter();
        for spot in others.flat_map(|other| [other.live(config), other.kept(config, id)]) {
            if files::plain(&spot)?.is_some() {
                return Ok(Present::Sibling(metadata_of(self.medium, &spot)?));
            }
        }
        let path = swap.live(config).path().to_path_buf();
        Err(crate::disk::DiskError::Missing { path }.into())
    }
}

/// What the file of this name has besides its bytes.
pub(crate) fn metadata_of(medium: &dyn Medium, spot: &Spot) -> Result<FileMetadata, StoreFault> {
    let handle = files::open(medium, spot)?;
    let found = medium.metadata(&handle);
    found.map_err(StoreFault::io("look at", spot.path()))
}

fn changed(spot: &Spot) -> StoreFault {
    StoreFault::Changed {
        path: spot.path().to_path_buf(),
    }
}

/// Gives the file `from` a second name, or where that is impossible makes a verified copy.
pub(crate) fn link_or_copy(
    medium: &dyn Medium,
    from: &Spot,
    to: &Spot,
    wanted: &Content,
    like: Option<&FileMetadata>,
) -> Result<KeptAs, StoreFault> {
    match medium.link(from, to) {
        Ok(()) => return Ok(KeptAs::Link),
        Err(error) if is_impossible(&error) => {}
        Err(error) => return Err(StoreFault::io("link", from.path())(error)),
    }
    let folder = to.folder();
    let free = medium
        .free_space(folder)
        .map_err(StoreFault::io("ask the free space of", folder.path()))?;
    guard::space(folder.path(), wanted.size, free)?;
    files::copy(medium, from, to, wanted, like)?;
    Ok(KeptAs::Copy)
}

/// Whether a second name cannot be had here at all.
fn is_impossible(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    let kinds = [CrossesDevices, PermissionDenied, TooManyLinks, Unsupported];
    let code = error.raw_os_error();
    kinds.contains(&error.kind()) || code.is_some_and(|code| NO_LINKS.contains(&code))
}

/// Does everything, and reports the first failure.
fn all(results: impl Iterator<Item = Result<(), StoreFault>>) -> Result<(), StoreFault> {
    let mut first = Ok(());
    for result in results {
        first = first.and(result);
    }
    first
}
