// SPDX-License-Identifier: GPL-3.0-or-later
//! One transaction over a set of files in one folder: keep the old, stage the new, swap, close.
//!
//! `apply` and `restore` are the same transaction with other contents.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{StoreError, StoreFault, Touched};
use super::files;
use super::journal::{Journal, Operation, Swap};
use super::manifest::{BackupState, Content, KeptAs, MANIFEST, Manifest};
use super::medium::Medium;
use super::metadata::FileMetadata;
use super::names::FileName;
use crate::disk::{Identity, guard, platform};

/// A run and its place on the disk.
pub(super) struct Run<'m> {
    pub(super) medium: &'m dyn Medium,
    pub(super) config: PathBuf,
    /// The backup's folder; `None` if the caller of an interrupted run did not name it.
    pub(super) folder: Option<PathBuf>,
    pub(super) journal: Journal,
    /// Whether a file may already have been swapped.
    pub(super) swapping: bool,
}

/// Where one file of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Old,
    New,
    Neither,
}

impl Run<'_> {
    /// Gives the file as it is now a second name, from which it can be put back at any time.
    pub(super) fn keep(&self, swap: &Swap, identity: Option<&Identity>) -> Result<(), StoreFault> {
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
    pub(super) fn stage(&self, swap: &Swap, bytes: &[u8]) -> Result<(), StoreFault> {
        let staged = swap.staged(&self.config, &self.journal.id);
        let live = swap.live(&self.config);
        files::write_successor(self.medium, &staged, bytes, &swap.metadata, &live)?;
        files::carry(self.medium, &staged, &swap.metadata)
    }

    /// As [`Run::stage`], from the file `from`.
    pub(super) fn stage_from(&self, swap: &Swap, from: &Path) -> Result<(), StoreFault> {
        let staged = swap.staged(&self.config, &self.journal.id);
        files::copy(self.medium, from, &staged, &swap.to, Some(&swap.metadata))?;
        files::carry(self.medium, &staged, &swap.metadata)
    }

    /// Refuses if the file is not the one that was hashed.
    pub(super) fn still(&self, swap: &Swap, identity: Option<&Identity>) -> Result<(), StoreFault> {
        let live = swap.live(&self.config);
        let found = files::plain(&live)?.map(|found| platform::identity(&found));
        match found.as_ref() == identity {
            true => Ok(()),
            false => Err(StoreFault::Changed { path: live }),
        }
    }

    /// Puts the staged contents in place, one rename each, and makes the names durable.
    pub(super) fn swap(&mut self, swaps: &[Swap]) -> Result<(), StoreFault> {
        // The staged names must be on the disk before one of them may replace a hive.
        files::sync_dir(self.medium, &self.config)?;
        self.swapping = true;
        for swap in swaps {
            let staged = swap.staged(&self.config, &self.journal.id);
            let renamed = self.medium.rename(&staged, &swap.live(&self.config));
            renamed.map_err(StoreFault::io("put in place", &staged))?;
        }
        files::sync_dir(self.medium, &self.config)
    }

    /// Removes what only the run needed; the journal goes last.
    pub(super) fn close(&self) -> Result<(), StoreFault> {
        self.sweep()?;
        files::sync_dir(self.medium, &self.config)?;
        Journal::remove(self.medium, &self.config)
    }

    /// Removes staged and kept files, all of them even if one resists.
    fn sweep(&self) -> Result<(), StoreFault> {
        let (config, id) = (&self.config, &self.journal.id);
        let swaps = self.journal.swaps.iter();
        let names = swaps.flat_map(|swap| [swap.staged(config, id), swap.kept(config, id)]);
        all(names.map(|name| files::remove(self.medium, &name)))
    }

    /// Ends a run that failed: puts everything back and tells what state that left.
    pub(super) fn give_up(&self, cause: StoreFault, manifest: &Manifest) -> StoreError {
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
    pub(super) fn undo(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        if self.swapping {
            all(self.journal.swaps.iter().map(|swap| self.put_back(swap)))?;
            files::sync_dir(self.medium, &self.config)?;
        }
        let swept = self.sweep();
        let backup = match self.journal.operation {
            Operation::Apply => self.remove_backup(manifest),
            Operation::Restore => self.unmark(manifest),
        };
        swept.and(backup)?;
        files::sync_dir(self.medium, &self.config)?;
        Journal::remove(self.medium, &self.config)
    }

    fn put_back(&self, swap: &Swap) -> Result<(), StoreFault> {
        let live = swap.live(&self.config);
        match self.stands(swap)? {
            Stands::Old => Ok(()),
            Stands::New if swap.from.is_none() => files::remove(self.medium, &live),
            Stands::New => {
                let kept = swap.kept(&self.config, &self.journal.id);
                let renamed = self.medium.rename(&kept, &live);
                renamed.map_err(StoreFault::io("put back", &live))
            }
            Stands::Neither => Err(StoreFault::Changed { path: live }),
        }
    }

    /// Whether a file is the old one or the new one, by its bytes.
    pub(super) fn stands(&self, swap: &Swap) -> Result<Stands, StoreFault> {
        let live = swap.live(&self.config);
        let found = match files::plain(&live)? {
            Some(_) => Some(files::content(self.medium, &live)?),
            None => None,
        };
        Ok(match found {
            found if found == swap.from => Stands::Old,
            Some(found) if found == swap.to => Stands::New,
            _ => Stands::Neither,
        })
    }

    /// Removes the backup of a run that is being undone.
    fn remove_backup(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        if files::folder(folder)? {
            let names = self.made_files(folder, manifest)?;
            let files = names.iter().map(|name| name.in_folder(folder));
            all(files.map(|file| files::remove(self.medium, &file)))?;
            // The manifest goes last: until then it tells what the folder holds.
            let path = folder.join(MANIFEST);
            files::remove(self.medium, &files::new_name(&path))?;
            files::remove(self.medium, &path)?;
            self.medium
                .remove_dir(folder)
                .map_err(StoreFault::io("remove", folder))?;
        }
        self.remove_root(folder)
    }

    /// The files that this run put into its backup folder.
    ///
    /// A journal from the disk may be a lie that names somebody else's backup, so only a folder
    /// whose own manifest says that its run did not end gives up its files.
    fn made_files(
        &self,
        folder: &Path,
        manifest: Option<&Manifest>,
    ) -> Result<Vec<FileName>, StoreFault> {
        if let Some(own) = manifest {
            return Ok(own.files().cloned().collect());
        }
        if files::plain(&folder.join(MANIFEST))?.is_none() {
            return Ok(Vec::new());
        }
        let found = Manifest::load(self.medium, folder)?;
        match found.state {
            BackupState::Applying => Ok(found.files().cloned().collect()),
            _ => Err(StoreFault::damaged(
                folder,
                "this backup is complete and is not removed",
            )),
        }
    }

    fn remove_root(&self, folder: &Path) -> Result<(), StoreFault> {
        let Some(root) = folder.parent().filter(|_| self.journal.made_root) else {
            return Ok(());
        };
        match self.medium.remove_dir(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            result => result.map_err(StoreFault::io("remove", root)),
        }
    }

    /// Takes back a "restored" that was written before the run failed.
    fn unmark(&self, manifest: Option<&Manifest>) -> Result<(), StoreFault> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        files::remove(self.medium, &files::new_name(&folder.join(MANIFEST)))?;
        let Some(before) = manifest else {
            return Ok(());
        };
        match Manifest::load(self.medium, folder)?.state == before.state {
            true => Ok(()),
            false => before.save(self.medium, folder, self.like()),
        }
    }

    /// Whose security descriptor the run's own files get.
    pub(super) fn like(&self) -> Option<&FileMetadata> {
        self.journal
            .swaps
            .first()
            .map(|swap| &swap.metadata)
            .filter(|_| self.journal.beside)
    }
}

/// Gives the file `from` a second name, or where that is impossible makes a verified copy.
pub(super) fn link_or_copy(
    medium: &dyn Medium,
    from: &Path,
    to: &Path,
    wanted: &Content,
    like: Option<&FileMetadata>,
) -> Result<KeptAs, StoreFault> {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    match medium.link(from, to) {
        Ok(()) => return Ok(KeptAs::Link),
        // FAT answers "not permitted".
        Err(error)
            if matches!(
                error.kind(),
                CrossesDevices | PermissionDenied | TooManyLinks | Unsupported
            ) => {}
        Err(error) => return Err(StoreFault::io("link", from)(error)),
    }
    let folder = to.parent().unwrap_or(to);
    let free = medium
        .free_space(folder)
        .map_err(StoreFault::io("ask the free space of", folder))?;
    guard::space(folder, wanted.size, free)?;
    files::copy(medium, from, to, wanted, like)?;
    Ok(KeptAs::Copy)
}

/// Does everything, and reports the first failure.
fn all(results: impl Iterator<Item = Result<(), StoreFault>>) -> Result<(), StoreFault> {
    let mut first = Ok(());
    for result in results {
        first = first.and(result);
    }
    first
}
