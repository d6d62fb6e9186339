// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether new hives can be published: everything is looked at, and nothing is written.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::disk::{
    DiskError, Folder, Identity, LogMisfit, Spot, guard, hive_size_beside, log_misfit, logs_of,
};
use crate::store::door::Store;
use crate::store::error::{StoreError, StoreFault};
use crate::store::files;
use crate::store::medium::nothing_lost;
use crate::store::medium::platform::{LOCK_FILE, Lock};
use crate::store::record::{
    BackupScope, CompanionRecord, CompanionRole, HiveRecord, KeptAs, Manifest, NotCopied,
};
use crate::store::terms::{BackupId, FileName, Remembered, utc_text};
use crate::store::transaction::BackupRoot;
use crate::text::Foreign;

/// Room for journal and folders, in bytes, beside what the manifest takes.
const SLACK: u64 = 1 << 20;
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
    pub(super) lock: Lock,
    pub(super) config: Folder,
    pub(super) root: BackupRoot,
    pub(super) manifest: Manifest,
    pub(super) contents: Vec<&'r [u8]>,
    pub(super) identities: Vec<Identity>,
    pub(super) now: SystemTime,
}

impl Prepared<'_> {
    /// What will be recorded; `kept_as` is only known after the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
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
        let id = root.free_ids(request.now).next();
        let id = id.ok_or_else(|| root.no_name())?;
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
}

/// What tells this run from every other on any machine.
fn token() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

fn plain_files(folder: &Folder) -> Result<Vec<Spot>, StoreFault> {
    let names = folder.names();
    let mut found = Vec::new();
    for name in names.map_err(StoreFault::io("list", folder.path()))? {
        let spot = folder.at(&name);
        let seen = spot
            .look()
            .map_err(StoreFault::io("look at", spot.path()))?;
        let is_lock = name == LOCK_FILE;
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
