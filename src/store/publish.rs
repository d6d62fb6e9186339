// SPDX-License-Identifier: GPL-3.0-or-later
//! Publishing new hives: prepare looks, publish writes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::error::{StoreError, StoreFault, Touched};
use super::files;
use super::journal::{Journal, Operation, Swap};
use super::manifest::{
    BackupScope, BackupState, CompanionRecord, CompanionRole, Content, HiveRecord, KeptAs, Manifest,
};
use super::metadata::nothing_lost;
use super::names::{BackupId, FileName, utc_text};
use super::platform::{Lock, LockError};
use super::run::{Run, link_or_copy};
use super::{BackupRoot, Store};
use crate::disk::{DiskError, Identity, guard, logs_of, platform};

/// Room for manifest, journal and folders, in bytes, beside what the manifest itself takes.
const SLACK: u64 = 1 << 20;
/// Runs in one second that get names of their own.
const RUNS_A_SECOND: u32 = 100;

/// A hive to be replaced.
#[derive(Clone, Debug)]
pub struct NewHive {
    /// As messages and the manifest call it: `SYSTEM`.
    pub name: String,
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
    /// The folder that holds the hives.
    pub config: PathBuf,
    /// The hives.
    pub hives: Vec<NewHive>,
    /// Where backups go instead of beside the hives.
    pub backup_dir: Option<PathBuf>,
    /// How much is backed up.
    pub scope: BackupScope,
    /// What the manifest is to remember about the changes.
    pub changes: Arc<serde_json::Value>,
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
    config: PathBuf,
    root: BackupRoot,
    made_root: bool,
    manifest: Manifest,
    contents: Vec<&'r [u8]>,
    identities: Vec<Identity>,
}

impl Prepared<'_> {
    /// The backup's folder, which [`Store::publish`] will make.
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
    pub name: String,
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
        let config = request.config.as_path();
        guard::not_running(config)?;
        guard::writable(config)?;
        let lock = self.lock(config)?;
        let mut looked = Vec::new();
        for hive in &request.hives {
            looked.push(self.look_at(config, hive)?);
        }
        looked.retain(|hive| hive.record.before != hive.record.after);
        if looked.is_empty() {
            return Err(StoreFault::NothingToDo);
        }
        let companions = self.companions(config, &looked, request.scope)?;
        let root = BackupRoot::new(config, request.backup_dir.as_deref());
        let made_root = !root.exists()?;
        if !root.existing().is_dir() {
            let path = root.existing().to_path_buf();
            return Err(DiskError::Missing { path }.into());
        }
        let id = free_id(&root, request.now)?;
        let sequence = self.next_sequence(&root)?;
        let records = looked.iter().map(|hive| hive.record.clone()).collect();
        let (created, target) = (utc_text(request.now), config.display().to_string());
        let (version, scope) = (request.version.clone(), request.scope);
        let manifest = Manifest::new(
            id,
            sequence,
            created,
            version,
            target,
            scope,
            records,
            companions,
            Arc::clone(&request.changes),
            request.undoes.clone(),
        );
        let contents = looked.iter().map(|hive| hive.content).collect();
        let identities = looked.into_iter().map(|hive| hive.identity).collect();
        let prepared = Prepared {
            lock,
            config: config.to_path_buf(),
            root,
            made_root,
            manifest,
            contents,
            identities,
        };
        self.check_space(&prepared)?;
        Ok(prepared)
    }

    /// Locks a config folder in which no interrupted run waits.
    pub(super) fn lock(&self, config: &Path) -> Result<Lock, StoreFault> {
        let lock = take_lock(config)?;
        match Journal::load(self.medium, config)? {
            None => Ok(lock),
            Some(journal) => {
                let (id, operation) = (journal.id, journal.operation);
                Err(StoreFault::Interrupted {
                    config: config.to_path_buf(),
                    id,
                    operation,
                })
            }
        }
    }

    fn look_at<'r>(&self, config: &Path, hive: &'r NewHive) -> Result<Looked<'r>, StoreFault> {
        let path = hive.path.clone();
        if path.parent() != Some(config) && resolved(path.parent()) != resolved(Some(config)) {
            return Err(StoreFault::OtherFolder {
                path,
                config: config.to_path_buf(),
            });
        }
        guard::not_held(&path)?;
        let identity = files::identity(&path)?;
        let identity = identity.ok_or_else(|| DiskError::Missing { path: path.clone() })?;
        let mut handle = files::open(self.medium, &path)?;
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

    /// The files that go into the backup beside the hives.
    fn companions(
        &self,
        config: &Path,
        hives: &[Looked<'_>],
        scope: BackupScope,
    ) -> Result<Vec<CompanionRecord>, StoreFault> {
        let mut seen: BTreeSet<FileName> =
            hives.iter().map(|hive| hive.record.file.clone()).collect();
        let mut records = Vec::new();
        for hive in hives {
            for log in logs_of(&hive.record.file.in_folder(config))? {
                if seen.insert(FileName::of(&log)?) {
                    records.push(self.companion(&log, CompanionRole::Log)?);
                }
            }
        }
        if scope == BackupScope::Config {
            for file in plain_files(config)? {
                if seen.insert(FileName::of(&file)?) {
                    records.push(self.companion(&file, CompanionRole::Config)?);
                }
            }
        }
        Ok(records)
    }

    fn companion(&self, path: &Path, role: CompanionRole) -> Result<CompanionRecord, StoreFault> {
        let mut handle = files::open(self.medium, path)?;
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

    fn check_space(&self, prepared: &Prepared<'_>) -> Result<(), StoreFault> {
        let manifest = &prepared.manifest;
        let text = serde_json::to_vec(&manifest.changes)
            .unwrap_or_default()
            .len();
        let text = u64::try_from(text).unwrap_or(u64::MAX).saturating_mul(4);
        let slack = SLACK.saturating_add(text);
        let staged = sum(manifest.hives.iter().map(|hive| hive.after.size));
        let copies = sum(manifest.companions.iter().map(|file| file.content.size));
        let originals = sum(manifest.hives.iter().map(|hive| hive.before.size));
        if prepared.root.same_volume(&prepared.config) {
            let need = staged.saturating_add(copies).saturating_add(slack);
            return self.space(&prepared.config, need);
        }
        self.space(&prepared.config, staged.saturating_add(slack))?;
        let need = originals.saturating_add(copies).saturating_add(slack);
        self.space(prepared.root.existing(), need)
    }

    pub(super) fn space(&self, folder: &Path, need: u64) -> Result<(), StoreFault> {
        let free = self.medium.free_space(folder);
        let free = free.map_err(StoreFault::io("ask the free space of", folder))?;
        Ok(guard::space(folder, need, free)?)
    }

    /// Publishes what was prepared, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`Touched::Untouched`] if everything was put back, [`Touched::NeedsRestore`] if the next
    /// run must finish or undo it.
    pub fn publish(&self, prepared: Prepared<'_>) -> Result<Outcome, StoreError> {
        let folder = prepared.backup_folder();
        let swaps: Vec<Swap> = prepared.manifest.hives.iter().map(swap_of).collect();
        let mut journal = Journal::new(prepared.manifest.id.clone(), Operation::Apply, swaps);
        journal.beside = prepared.root.beside;
        journal.made_root = prepared.made_root;
        let mut run = Run {
            medium: self.medium,
            config: prepared.config.clone(),
            folder: Some(folder.clone()),
            journal,
            swapping: false,
        };
        let mut manifest = prepared.manifest.clone();
        if let Err(cause) = write(&mut run, &prepared, &folder, &mut manifest) {
            return Err(run.give_up(cause, &manifest));
        }
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
            backup: folder,
            hives,
        })
    }
}

/// The whole run up to the point where only its litter is left.
fn write(
    run: &mut Run<'_>,
    prepared: &Prepared<'_>,
    folder: &Path,
    manifest: &mut Manifest,
) -> Result<(), StoreFault> {
    let swaps = run.journal.swaps.clone();
    run.journal.save(run.medium, &run.config)?;
    make_folder(run, prepared, folder)?;
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

fn make_folder(
    run: &mut Run<'_>,
    prepared: &Prepared<'_>,
    folder: &Path,
) -> Result<(), StoreFault> {
    let root = prepared.root.path.as_path();
    let like = Some(prepared.config.as_path()).filter(|_| prepared.root.beside);
    if prepared.made_root {
        match run.medium.create_dir(root, like) {
            // A run on another disk made it in the meantime: the folder is shared.
            Err(error) if is_there(&error) && prepared.root.exists()? => {}
            made => made.map_err(StoreFault::io("create", root))?,
        }
        files::sync_dir(run.medium, parent_of(root))?;
    }
    let made = run.medium.create_dir(folder, like);
    if made.as_ref().is_err_and(is_there) {
        // Another run's backup, with another disk's hives in it: undoing must not touch it.
        run.folder = None;
    }
    made.map_err(StoreFault::io("create", folder))?;
    files::sync_dir(run.medium, root)
}

fn is_there(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

fn back_up(run: &Run<'_>, folder: &Path, manifest: &mut Manifest) -> Result<(), StoreFault> {
    for hive in &mut manifest.hives {
        let (from, to) = (
            hive.file.in_folder(&run.config),
            hive.file.in_folder(folder),
        );
        let like = Some(&hive.metadata).filter(|_| run.journal.beside);
        hive.kept_as = link_or_copy(run.medium, &from, &to, &hive.before, like)?;
    }
    for file in &manifest.companions {
        let (from, to) = (
            file.file.in_folder(&run.config),
            file.file.in_folder(folder),
        );
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

fn published(config: &Path, hive: HiveRecord) -> Published {
    let path = hive.file.in_folder(config);
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
pub(super) fn take_lock(config: &Path) -> Result<Lock, StoreFault> {
    Lock::take(config).map_err(|error| match error {
        LockError::Taken => StoreFault::Locked {
            config: config.to_path_buf(),
        },
        LockError::Io(source) => StoreFault::io("lock", config)(source),
    })
}

/// The first name of this second that no backup has.
fn free_id(root: &BackupRoot, now: SystemTime) -> Result<BackupId, StoreFault> {
    let mut ids = (0..RUNS_A_SECOND).map(|again| BackupId::at(now, again));
    let free = |id: &BackupId| {
        fs::symlink_metadata(root.path.join(id.as_str()))
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let full = || StoreFault::damaged(&root.path, "no name is free for another backup");
    ids.find(free).ok_or_else(full)
}

pub(super) fn plain_files(folder: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let failed = |error| StoreFault::io("list", folder)(error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_lock = entry.file_name() == super::platform::LOCK_FILE;
        if entry.file_type().map_err(failed)?.is_file() && !is_lock {
            found.push(folder.join(entry.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

/// The folder that holds `path`; a bare name is held by the current folder.
fn parent_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
}

fn resolved(path: Option<&Path>) -> Option<PathBuf> {
    fs::canonicalize(path?).ok()
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

impl BackupRoot {
    /// Whether the folder is there; a link or file in its place is refused.
    fn exists(&self) -> Result<bool, StoreFault> {
        if self.beside {
            return files::folder(&self.path);
        }
        // A folder that the user named may be reached through a link: that is the user's will.
        match fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => Ok(true),
            Ok(_) => Err(StoreFault::damaged(
                &self.path,
                "the backup folder is not a folder",
            )),
            Err(_) => files::folder(&self.path),
        }
    }

    /// A folder on the volume where the backups will be.
    fn existing(&self) -> &Path {
        match self.path.is_dir() {
            true => &self.path,
            false => parent_of(&self.path),
        }
    }

    fn same_volume(&self, config: &Path) -> bool {
        self.beside || platform::same_volume(self.existing(), config)
    }
}
