// SPDX-License-Identifier: GPL-3.0-or-later
//! A backup's manifest: what was there, what was written, how to undo it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::{fmt, io};

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::disk::{Folder, Spot};
use crate::store::error::StoreFault;
use crate::store::files;
use crate::store::medium::Medium;
use crate::store::terms::{
    BackupId, Content, FileMetadata, FileName, MANIFEST, Remembered, limits,
};
use crate::text::{Foreign, quoted};

/// What the manifest's `schema` field says.
const SCHEMA: &str = "hivemend.backup/1";

/// What a backup holds and what the run that made it did.
///
/// Its changes are `C`: all that the caller wanted remembered, which may take a gigabyte in memory, or
/// how many they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest<C = Remembered> {
    schema: String,
    /// The backup's name, and its folder's.
    pub id: BackupId,
    /// What tells the run that made it from every other, whatever name that took.
    #[serde(default)]
    pub run: String,
    /// Its place among the backups of its folder: greater than that of every one made before it,
    /// whatever the clock said.
    #[serde(default)]
    pub sequence: u64,
    /// When, in UTC, as RFC 3339.
    pub created: Foreign,
    /// The hivemend that made it.
    pub version: Foreign,
    /// The config folder as it was called then; for reading only, nothing is opened by it.
    pub target: Foreign,
    /// How much was backed up.
    pub scope: BackupScope,
    /// How far the run came.
    pub state: BackupState,
    /// The backup whose changes the run took back, where that is what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<BackupId>,
    /// The hives that were changed.
    pub hives: Vec<HiveRecord>,
    /// The other files in the backup.
    pub companions: Vec<CompanionRecord>,
    /// Files with the names of logs that cannot be logs of the hives: not in the backup, and left
    /// alone by the run and by what undoes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_copied: Vec<NotCopied>,
    /// What the caller wants remembered about its changes.
    pub changes: C,
}

/// A manifest as backups are listed: without its changes. A disk may hold any number of them.
pub type Listed = Manifest<ChangeCount>;

/// How many changes a manifest has; those are read past, and kept nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCount(pub usize);

impl<'de> Deserialize<'de> for ChangeCount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Counting)
    }
}

/// Counts the elements of a list; anything else has none.
struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = ChangeCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ChangeCount, A::Error> {
        let mut count = 0_usize;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok(ChangeCount(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChangeCount, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(ChangeCount(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }

    fn visit_unit<E>(self) -> Result<ChangeCount, E> {
        Ok(ChangeCount(0))
    }
}

/// How much a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupScope {
    /// The changed hives and their transaction logs.
    #[default]
    Hives,
    /// Every file of the config folder; not its subfolders.
    Config,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupState {
    /// Its hives are not all published; if no journal names it, it was undone.
    Applying,
    /// Its hives were published.
    Applied,
    /// And later the old ones were put back.
    Restored,
}

/// How the original was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptAs {
    /// The original file itself, under a second name.
    Link,
    /// A copy that was verified.
    Copy,
}

/// A changed hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiveRecord {
    /// The hive, as `SYSTEM`.
    pub name: Foreign,
    /// Its file in the config folder, and in the backup.
    pub file: FileName,
    /// What was there, and is in the backup.
    pub before: Content,
    /// What was written.
    pub after: Content,
    /// How the original was kept.
    pub kept_as: KeptAs,
    /// What the original had besides its bytes.
    pub metadata: FileMetadata,
}

/// Another file in the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanionRecord {
    /// Why it is there.
    pub role: CompanionRole,
    /// Its name in the config folder, and in the backup.
    pub file: FileName,
    /// Its bytes.
    pub content: Content,
    /// What it had besides its bytes.
    pub metadata: FileMetadata,
}

/// A file beside a changed hive that is named as its log, and too long to be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCopied {
    /// Its name in the config folder.
    pub file: FileName,
    /// Its bytes.
    pub size: u64,
}

/// Why a file that was not changed is in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompanionRole {
    /// A transaction log of a changed hive: `restore` brings it back with its hive.
    Log,
    /// Part of [`BackupScope::Config`]: there to be copied by hand.
    Config,
}

impl Manifest {
    #[allow(clippy::too_many_arguments, reason = "one per field; called once")]
    pub(crate) fn new(
        (id, run): (BackupId, String),
        sequence: u64,
        created: String,
        version: String,
        target: Foreign,
        scope: BackupScope,
        hives: Vec<HiveRecord>,
        companions: Vec<CompanionRecord>,
        not_copied: Vec<NotCopied>,
        changes: Remembered,
        undoes: Option<BackupId>,
    ) -> Self {
        let (schema, state) = (SCHEMA.to_owned(), BackupState::Applying);
        Self {
            schema,
            id,
            run,
            sequence,
            created: created.into(),
            version: version.into(),
            target,
            scope,
            state,
            undoes,
            hives,
            companions,
            not_copied,
            changes,
        }
    }

    /// The same manifest of a run that has come to `state`.
    pub(crate) fn in_state(&self, state: BackupState) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// Refuses a manifest that could not be read back.
    ///
    /// # Errors
    ///
    /// [`StoreFault::RecordTooLong`].
    pub(crate) fn fits(&self) -> Result<u64, StoreFault> {
        let mut counted = Count(limits::GROWTH);
        let written = serde_json::to_writer(&mut counted, self);
        written.map_err(|error| StoreFault::damaged(MANIFEST.as_ref(), error))?;
        let (length, limit) = (counted.0, limits::MANIFEST);
        match length <= limit {
            true => Ok(length),
            false => Err(StoreFault::RecordTooLong {
                what: "manifest",
                length,
                limit,
            }),
        }
    }

    /// Writes the manifest into its folder, in place of an older one.
    pub(crate) fn save(
        &self,
        medium: &dyn Medium,
        folder: &Folder,
        like: Option<&FileMetadata>,
    ) -> Result<(), StoreFault> {
        let spot = folder.at(MANIFEST);
        let bytes = serde_json::to_vec(self);
        let bytes = bytes.map_err(|error| StoreFault::damaged(spot.path(), error))?;
        files::replace_small(medium, &spot, &bytes, like)
    }
}

impl<C> Manifest<C> {
    /// What the backups of a folder are ordered by; the name decides between two disks' backups.
    pub(crate) fn age(&self) -> (u64, &BackupId) {
        (self.sequence, &self.id)
    }

    /// Names of the files in the backup, the manifest aside.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileName> {
        let hives = self.hives.iter().map(|hive| &hive.file);
        hives.chain(self.companions.iter().map(|companion| &companion.file))
    }

    fn judge(&self, name: &OsStr) -> Result<(), String> {
        if self.schema != SCHEMA {
            let schema = quoted(&self.schema);
            return Err(format!(
                "its schema is {schema}, this hivemend reads \"{SCHEMA}\""
            ));
        }
        if name != self.id.as_str() {
            return Err(format!("it says it belongs to backup {}", self.id));
        }
        if self.hives.is_empty() {
            return Err("it names no hive".to_owned());
        }
        let mut seen = BTreeSet::new();
        let twice = self
            .files()
            .find(|name| !seen.insert(name.as_str().to_lowercase()));
        twice.map_or(Ok(()), |name| Err(format!("it names {name} twice")))
    }
}

impl<C: DeserializeOwned> Manifest<C> {
    /// Reads the manifest of a backup's folder, which must be called by its id.
    pub(crate) fn load(medium: &dyn Medium, folder: &Folder) -> Result<Self, StoreFault> {
        let name = folder.path().file_name().unwrap_or_default();
        Self::load_as(medium, folder, name)
    }

    /// As [`Manifest::load`], in a folder that had the name `name`, and may have another one now.
    pub(crate) fn load_as(
        medium: &dyn Medium,
        folder: &Folder,
        name: &OsStr,
    ) -> Result<Self, StoreFault> {
        let spot = folder.at(MANIFEST);
        match files::plain(&spot)? {
            Some(_) => Self::read(medium, &spot, name),
            // Stopped while the new one took the old one's place, step by step.
            None => Self::read(medium, &files::new_name(&spot), name)
                .map_err(|_| StoreFault::damaged(spot.path(), "it is not there")),
        }
    }

    fn read(medium: &dyn Medium, spot: &Spot, name: &OsStr) -> Result<Self, StoreFault> {
        let damaged = |why: String| StoreFault::damaged(spot.path(), why);
        let bytes = files::read_small(medium, spot, limits::MANIFEST)?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        manifest.judge(name).map_err(damaged)?;
        Ok(manifest)
    }
}

/// Counts what is written to it.
struct Count(u64);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0 = self.0.saturating_add(more);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
