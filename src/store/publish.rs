// SPDX-License-Identifier: GPL-3.0-or-later
//! Publishing new hives: prepare looks, publish writes.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Store;
use super::backup_root::{BackupFolder, BackupRoot};
use super::error::{StoreError, StoreFault, Touched};
use super::files;
use super::journal::{Journal, Operation, Swap};
use super::manifest::{
    BackupScope, BackupState, CompanionRecord, CompanionRole, Content, HiveRecord, KeptAs,
    Manifest, NotCopied,
};
use super::metadata::nothing_lost;
use super::names::{BackupId, FileName, utc_text};
use super::platform::{Lock, LockError};
use super::remembered::Remembered;
use super::run::{Run, link_or_copy};
use crate::disk::{
    DiskError, Folder, Identity, LogMisfit, Spot, guard, hive_size_beside, log_misfit, logs_of,
};
use crate::text::Foreign;

/// Room for journal and folders, in bytes, beside what the manifest takes.
const SLACK: u64 = 1 << 20;
/// Runs in one second that get names of their own.
const RUNS_A_SECOND: u32 = 100;

/// A hive to be replaced.
#[derive(Clone, Debug)]
pub struct NewHive {
    /// As messages and the manifest call it: `SYSTEM`.
    pub name: Foreign,
    /// Its file, in the config folder of the request.
    pub path: PathBuf,
    /// SHA-256 of the file as the caller read it.
    pub before_sha256: [u8; 32],
    /// What is to be in it.
    pub content: Vec<u8>,
}

/// What is to be published, as one transaction.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder that holds the hives, as the target has opened it.
    pub config: Folder,
    /// The hives.
    pub hives: Vec<NewHive>,
    /// Where backups go instead of beside the hives.
    pub backup_dir: Option<PathBuf>,
    /// How much is backed up.
    pub scope: BackupScope,
    /// What the manifest is to remember about the changes.
    pub changes: Remembered,
    /// The backup whose changes are taken back, where that is what is published.
    pub undoes: Option<BackupId>,
    /// The time of the run.
    pub now: SystemTime,
    /// The version of hivemend.
    pub version: String,
}

/// A request that was looked at and found possible; holds the lock on the config folder.
#[derive(Debug)]
pub struct Prepared<'r> {
    lock: Lock,
    config: Folder,
    root: BackupRoot,
    manifest: Manifest,
    contents: Vec<&'r [u8]>,
    identities: Vec<Identity>,
    now: SystemTime,
}

impl Prepared<'_> {
    /// The backup's folder, which [`Store::publish`] will make: under another name if another disk's
    /// run takes this one meanwhile.
    pub fn backup_folder(&self) -> PathBuf {
        self.root.path.join(self.manifest.id.as_str())
    }

    /// What will be recorded; `kept_as` is only known after the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

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

struct Looked<'r> {
    record: HiveRecord,
    identity: Identity,
    content: &'r [u8],
}

impl Store<'_> {
    /// Looks whether `request` is possible, and locks the config folder; writes nothing.
    ///
    /// Hives that are already what they should become are left out.
    ///
    /// # Errors
    ///
    /// Every guard: a hive changed since it was read, read-only, running, held or locked target,
    /// an interrupted run, links, too little space.
    pub fn prepare<'r>(&self, request: &'r Request) -> Result<Prepared<'r>, StoreError> {
        self.look(request).map_err(StoreError::untouched)
    }

    fn look<'r>(&self, request: &'r Request) -> Result<Prepared<'r>, StoreFault> {
        let config = &request.config;
        guard::not_running(config.path())?;
        guard::writable(config.path())?;
        let lock = self.lock(config)?;
        let mut looked = Vec::new();
        for hive in &request.hives {
            looked.push(self.look_at(config, hive)?);
        }
        looked.retain(|hive| hive.record.before != hive.record.after);
        if looked.is_empty() {
            return Err(StoreFault::NothingToDo);
        }
        let (companions, not_copied) = self.companions(config, &looked, request.scope)?;
        let root = BackupRoot::find(config, request.backup_dir.as_deref())?;
        let id = free_ids(&root, request.now).next();
        let id = id.ok_or_else(|| no_name(&root))?;
        let sequence = self.next_sequence(&root)?;
        let records = looked.iter().map(|hive| hive.record.clone()).collect();
        let (created, target) = (utc_text(request.now), Foreign::path(config.path()));
        let (version, scope) = (request.version.clone(), request.scope);
        let manifest = Manifest::new(
            (id, token()),
            sequence,
            created,
            version,
            target,
            scope,
            records,
            companions,
            not_copied,
            request.changes.clone(),
            request.undoes.clone(),
        );
        let contents = looked.iter().map(|hive| hive.content).collect();
        let identities = looked.into_iter().map(|hive| hive.identity).collect();
        let prepared = Prepared {
            lock,
            config: config.clone(),
            root,
            manifest,
            contents,
            identities,
            now: request.now,
        };
        let length = prepared.manifest.fits()?;
        self.check_space(&prepared, length)?;
        Ok(prepared)
    }

    /// Locks a config folder in which no interrupted run waits.
    pub(super) fn lock(&self, config: &Folder) -> Result<Lock, StoreFault> {
        let lock = take_lock(config)?;
        match Journal::load(self.medium, config)? {
            None => Ok(lock),
            Some(journal) => {
                let (id, operation) = (journal.id, journal.operation);
                Err(StoreFault::Interrupted {
                    config: config.path().to_path_buf(),
                    id,
                    operation,
                })
            }
        }
    }

    fn look_at<'r>(&self, config: &Folder, hive: &'r NewHive) -> Result<Looked<'r>, StoreFault> {
        let path = hive.path.clone();
        if path.parent() != Some(config.path()) && !leads_to(path.parent(), config) {
            return Err(StoreFault::OtherFolder {
                path,
                config: config.path().to_path_buf(),
            });
        }
        let spot = config.at(&path);
        guard::not_held(&path)?;
        let identity = files::identity(&spot)?;
        let identity = identity.ok_or_else(|| DiskError::Missing { path: path.clone() })?;
        let mut handle = files::open(self.medium, &spot)?;
        nothing_lost(&handle)?;
        let metadata = self.medium.metadata(&handle);
        let metadata = metadata.map_err(StoreFault::io("look at", &path))?;
        let (before, after) = files::hash_both(self.medium, &mut handle, &hive.content)?;
        if before.sha256.0 != hive.before_sha256 {
            return Err(StoreFault::Changed { path });
        }
        let (name, file) = (hive.name.clone(), FileName::of(&path)?);
        let record = HiveRecord {
            name,
            file,
            before,
            after,
            kept_as: KeptAs::Copy,
            metadata,
        };
        Ok(Looked {
            record,
            identity,
            content: &hive.content,
        })
    }

    /// The files that go into the backup beside the hives, and those that do not although they have
    /// the names of logs.
    fn companions(
        &self,
        config: &Folder,
        hives: &[Looked<'_>],
        scope: BackupScope,
    ) -> Result<(Vec<CompanionRecord>, Vec<NotCopied>), StoreFault> {
        let mut seen: BTreeSet<FileName> =
            hives.iter().map(|hive| hive.record.file.clone()).collect();
        let mut records = Vec::new();
        let mut not_copied = Vec::new();
        let mut add = |spot: &Spot, role: CompanionRole, hive: Option<u64>| {
            let file = FileName::of(spot.path())?;
            if !seen.insert(file.clone()) {
                return Ok::<_, StoreFault>(());
            }
            match hive
                .map(|size| log_misfit(spot, size))
                .transpose()?
                .flatten()
            {
                Some(LogMisfit { size, .. }) => not_copied.push(NotCopied { file, size }),
                None => records.push(self.companion(spot, role)?),
            }
            Ok(())
        };
        for hive in hives {
            for log in logs_of(&hive.record.file.in_folder(config.path()))? {
                let size = Some(hive.record.before.size);
                add(&config.at(&log), CompanionRole::Log, size)?;
            }
        }
        if scope == BackupScope::Config {
            for file in plain_files(config)? {
                add(&file, CompanionRole::Config, hive_size_beside(&file))?;
            }
        }
        Ok((records, not_copied))
    }

    fn companion(&self, spot: &Spot, role: CompanionRole) -> Result<CompanionRecord, StoreFault> {
        let mut handle = files::open(self.medium, spot)?;
        let path = spot.path();
        let metadata = self.medium.metadata(&handle);
        let metadata = metadata.map_err(StoreFault::io("look at", path))?;
        let content = files::hash_rest(self.medium, &mut handle)?;
        Ok(CompanionRecord {
            role,
            file: FileName::of(path)?,
            content,
            metadata,
        })
    }

    fn check_space(&self, prepared: &Prepared<'_>, record: u64) -> Result<(), StoreFault> {
        let manifest = &prepared.manifest;
        // The manifest is written anew beside itself.
        let slack = SLACK.saturating_add(record.saturating_mul(2));
        let staged = sum(manifest.hives.iter().map(|hive| hive.after.size));
        let copies = sum(manifest.companions.iter().map(|file| file.content.size));
        let originals = sum(manifest.hives.iter().map(|hive| hive.before.size));
        let Some(backups) = prepared.root.existing() else {
            return Ok(());
        };
        // Where it cannot be told, they are taken for one.
        if prepared.root.beside || backups.on_volume_of(&prepared.config).unwrap_or(true) {
            let need = staged.saturating_add(copies).saturating_add(slack);
            return self.space(&prepared.config, need);
        }
        self.space(&prepared.config, staged.saturating_add(slack))?;
        let need = originals.saturating_add(copies).saturating_add(slack);
        self.space(backups, need)
    }

    pub(super) fn space(&self, folder: &Folder, need: u64) -> Result<(), StoreFault> {
        Ok(guard::space(folder.path(), need, self.free(folder)?)?)
    }

    /// Bytes that are free on the volume of `folder`, where that can be told.
    pub(super) fn free(&self, folder: &Folder) -> Result<Option<u64>, StoreFault> {
        let free = self.medium.free_space(folder);
        free.map_err(StoreFault::io("ask the free space of", folder.path()))
    }

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
    for id in std::iter::once(manifest.id.clone()).chain(free_ids(&root, prepared.now)) {
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
    Err(no_name(&root))
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

/// Takes the lock of a config folder.
pub(super) fn take_lock(config: &Folder) -> Result<Lock, StoreFault> {
    Lock::take(config).map_err(|error| match error {
        LockError::Taken => StoreFault::Locked {
            config: config.path().to_path_buf(),
        },
        LockError::Io(source) => StoreFault::io("lock", config.path())(source),
    })
}

/// What tells this run from every other on any machine.
fn token() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// The names of this second that no backup has.
fn free_ids(root: &BackupRoot, now: SystemTime) -> impl Iterator<Item = BackupId> {
    let holder = root.folder().cloned();
    let is_free = move |id: &BackupId| {
        let found = holder.as_ref().map(|holder| holder.at(id.as_str()).look());
        matches!(found, None | Some(Ok(None)))
    };
    let ids = (0..RUNS_A_SECOND).map(move |again| BackupId::at(now, again));
    ids.filter(is_free)
}

fn no_name(root: &BackupRoot) -> StoreFault {
    StoreFault::damaged(&root.path, "no name is free for another backup")
}

fn plain_files(folder: &Folder) -> Result<Vec<Spot>, StoreFault> {
    let names = folder.names();
    let mut found = Vec::new();
    for name in names.map_err(StoreFault::io("list", folder.path()))? {
        let spot = folder.at(&name);
        let seen = spot
            .look()
            .map_err(StoreFault::io("look at", spot.path()))?;
        let is_lock = name == super::platform::LOCK_FILE;
        if seen.is_some_and(|seen| seen.is_file()) && !is_lock {
            found.push(spot);
        }
    }
    Ok(found)
}

/// Whether a path leads to this folder.
fn leads_to(path: Option<&Path>, folder: &Folder) -> bool {
    let named = path.and_then(|path| Folder::named(path).ok());
    named.is_some_and(|named| named.is(folder).unwrap_or(false))
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}
