// SPDX-License-Identifier: GPL-3.0-or-later
//! Publishing new hives that were prepared.

use std::io;
use std::path::PathBuf;

use super::prepare::Prepared;
use crate::disk::Folder;
use crate::store::door::Store;
use crate::store::error::{StoreError, StoreFault, Touched};
use crate::store::files;
use crate::store::record::{BackupState, HiveRecord, Journal, KeptAs, Manifest, Swap};
use crate::store::terms::{BackupId, Content, Operation};
use crate::store::transaction::{BackupFolder, Run, link_or_copy};
use crate::text::Foreign;

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The backup's name.
    pub id: BackupId,
    /// The backup's folder.
    pub backup: PathBuf,
    /// Each hive.
    pub hives: Vec<Published>,
}

/// A hive that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// As the request called it.
    pub name: Foreign,
    /// Its file.
    pub path: PathBuf,
    /// What was there.
    pub before: Content,
    /// What is there.
    pub after: Content,
    /// How the original was kept.
    pub kept_as: KeptAs,
}

impl Store<'_> {
    /// Publishes what was prepared, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`Touched::Untouched`] if everything was put back, [`Touched::NeedsRestore`] if the next
    /// run must finish or undo it.
    pub fn publish(&self, prepared: Prepared<'_>) -> Result<Outcome, StoreError> {
        let swaps: Vec<Swap> = prepared.manifest.hives.iter().map(swap_of).collect();
        let named = (prepared.manifest.id.clone(), prepared.manifest.run.clone());
        let mut journal = Journal::new(named, Operation::Apply, swaps);
        journal.beside = prepared.root.beside;
        journal.made_root = prepared.root.folder().is_none();
        let mut run = Run {
            medium: self.medium,
            config: prepared.config.clone(),
            root: Some(prepared.root.clone()),
            folder: None,
            journal,
            swapping: false,
        };
        let mut manifest = prepared.manifest.clone();
        if let Err(cause) = write(&mut run, &prepared, &mut manifest) {
            return Err(run.give_up(cause, &manifest));
        }
        let backup = prepared.root.path.join(manifest.id.as_str());
        run.close().map_err(|cause| StoreError {
            touched: Touched::NeedsRestore,
            fault: StoreFault::NotClosed {
                cause: Box::new(cause),
            },
        })?;
        drop(prepared.lock);
        let config = &prepared.config;
        let hives = manifest
            .hives
            .into_iter()
            .map(|hive| published(config, hive))
            .collect();
        Ok(Outcome {
            id: manifest.id,
            backup,
            hives,
        })
    }
}

/// The whole run up to the point where only its litter is left.
fn write(
    run: &mut Run<'_>,
    prepared: &Prepared<'_>,
    manifest: &mut Manifest,
) -> Result<(), StoreFault> {
    let swaps = run.journal.swaps.clone();
    run.journal.save(run.medium, &run.config)?;
    let folder = &make_folder(run, prepared, manifest)?;
    manifest.save(run.medium, folder, run.like())?;
    back_up(run, folder, manifest)?;
    manifest.save(run.medium, folder, run.like())?;
    for ((swap, bytes), identity) in swaps
        .iter()
        .zip(&prepared.contents)
        .zip(&prepared.identities)
    {
        run.keep(swap, Some(identity))?;
        run.stage(swap, bytes)?;
    }
    for (swap, identity) in swaps.iter().zip(&prepared.identities) {
        run.still(swap, Some(identity))?;
    }
    run.swap(&swaps)?;
    for (swap, identity) in swaps.iter().zip(&prepared.identities) {
        run.was_still(swap, Some(identity))?;
    }
    let applied = manifest.in_state(BackupState::Applied);
    applied.save(run.medium, folder, run.like())
}

/// Makes the backup's folder, under the next name where another disk's run has taken the first.
fn make_folder(
    run: &mut Run<'_>,
    prepared: &Prepared<'_>,
    manifest: &mut Manifest,
) -> Result<Folder, StoreFault> {
    let like = Some(&prepared.config).filter(|_| prepared.root.beside);
    let mut root = prepared.root.clone();
    let holder = root.make(run.medium, like)?;
    run.root = Some(root.clone());
    for id in std::iter::once(manifest.id.clone()).chain(root.free_ids(prepared.now)) {
        if id != manifest.id {
            // The journal is first to know the name.
            manifest.id = id.clone();
            run.journal.id = id.clone();
            run.journal.save(run.medium, &run.config)?;
        }
        let spot = holder.at(id.as_str());
        match run.medium.create_dir(&spot, like) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => {
                // What was made of it is undone; beside the hives nobody else makes one.
                run.folder = BackupFolder::find(spot.clone())
                    .ok()
                    .flatten()
                    .filter(|_| root.beside);
                return Err(StoreFault::io("create", spot.path())(error));
            }
            Ok(()) => {}
        }
        let gone = || StoreFault::damaged(spot.path(), "it is gone");
        let folder = BackupFolder::find(spot.clone())?.ok_or_else(gone)?;
        let open = folder.open.clone();
        run.folder = Some(folder);
        files::sync_dir(run.medium, &holder)?;
        return Ok(open);
    }
    Err(root.no_name())
}

fn back_up(run: &Run<'_>, folder: &Folder, manifest: &mut Manifest) -> Result<(), StoreFault> {
    for hive in &mut manifest.hives {
        let (from, to) = (hive.file.at(&run.config), hive.file.at(folder));
        let like = Some(&hive.metadata).filter(|_| run.journal.beside);
        hive.kept_as = link_or_copy(run.medium, &from, &to, &hive.before, like)?;
    }
    for file in &manifest.companions {
        let (from, to) = (file.file.at(&run.config), file.file.at(folder));
        let like = Some(&file.metadata).filter(|_| run.journal.beside);
        files::copy(run.medium, &from, &to, &file.content, like)?;
    }
    files::sync_dir(run.medium, folder)
}

fn swap_of(hive: &HiveRecord) -> Swap {
    Swap {
        name: hive.name.clone(),
        file: hive.file.clone(),
        from: Some(hive.before),
        to: hive.after,
        metadata: hive.metadata.clone(),
    }
}

fn published(config: &Folder, hive: HiveRecord) -> Published {
    let path = hive.file.in_folder(config.path());
    let HiveRecord {
        name,
        before,
        after,
        kept_as,
        ..
    } = hive;
    Published {
        name,
        path,
        before,
        after,
        kept_as,
    }
}
