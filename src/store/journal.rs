// SPDX-License-Identifier: GPL-3.0-or-later
//! The journal of a run in progress: one small file beside the hives, gone when the run is over.
//!
//! It lies in the config folder even where the backup does not, so that the next run finds it
//! whatever `--backup-dir` that is given.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StoreFault;
use super::files;
use super::manifest::Content;
use super::medium::Medium;
use super::metadata::FileMetadata;
use super::names::{BackupId, FileName};
use super::replace::Way;

/// The journal's name in the config folder.
pub(crate) const JOURNAL: &str = "hivemend.journal";
const SCHEMA: &str = "hivemend.journal/1";
/// Longest journal that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Publishes new hives.
    Apply,
    /// Puts the old ones back.
    Restore,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::Restore => "restore",
        })
    }
}

/// Everything that is needed to finish or undo a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    schema: String,
    pub(crate) id: BackupId,
    pub(crate) operation: Operation,
    /// Whether the backup lies in the config folder's own `hivemend` folder.
    pub(crate) beside: bool,
    /// Whether this run made the folder that holds the backups.
    pub(crate) made_root: bool,
    pub(crate) swaps: Vec<Swap>,
}

/// One file that changes from one content to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Swap {
    /// As messages call it: `SYSTEM`, or the file's name.
    pub(crate) name: String,
    pub(crate) file: FileName,
    /// `None` where there was no file.
    pub(crate) from: Option<Content>,
    pub(crate) to: Content,
    pub(crate) metadata: FileMetadata,
}

impl Journal {
    pub(crate) fn new(id: BackupId, operation: Operation, swaps: Vec<Swap>) -> Self {
        let schema = SCHEMA.to_owned();
        Self {
            schema,
            id,
            operation,
            beside: true,
            made_root: false,
            swaps,
        }
    }

    fn path(config: &Path) -> PathBuf {
        config.join(JOURNAL)
    }

    /// The journal that an interrupted run left, or `None`.
    pub(crate) fn load(medium: &dyn Medium, config: &Path) -> Result<Option<Self>, StoreFault> {
        let path = Self::path(config);
        if files::plain(&path)?.is_none() {
            return Ok(None);
        }
        let bytes = files::read_small(medium, &path, LONGEST)?;
        let journal: Self = serde_json::from_slice(&bytes)
            .map_err(|error| StoreFault::damaged(&path, format!("not a journal: {error}")))?;
        if journal.schema != SCHEMA {
            let schema = journal.schema.escape_debug();
            let why = format!("its schema is \"{schema}\", this hivemend reads \"{SCHEMA}\"");
            return Err(StoreFault::damaged(&path, why));
        }
        Ok(Some(journal))
    }

    pub(crate) fn save(&self, medium: &dyn Medium, config: &Path) -> Result<(), StoreFault> {
        let path = Self::path(config);
        let bytes = serde_json::to_vec_pretty(self);
        let bytes = bytes.map_err(|error| StoreFault::damaged(&path, error))?;
        let like = self.swaps.first().map(|swap| &swap.metadata);
        files::replace_small(medium, &path, &bytes, like)
    }

    /// Removes the journal: the run is over.
    pub(crate) fn remove(medium: &dyn Medium, config: &Path) -> Result<(), StoreFault> {
        let path = Self::path(config);
        files::remove(medium, &files::new_name(&path))?;
        files::remove(medium, &path)?;
        files::sync_dir(medium, config)
    }
}

impl Swap {
    /// How one content takes the place of the other.
    pub(super) fn way(&self) -> Way {
        match self.metadata.is_on_linux_ntfs() {
            true => Way::Links,
            false => Way::Rename,
        }
    }

    /// The file itself.
    pub(crate) fn live(&self, config: &Path) -> PathBuf {
        self.file.in_folder(config)
    }

    /// Its new content, before that takes its place.
    pub(crate) fn staged(&self, config: &Path, id: &BackupId) -> PathBuf {
        config.join(format!("{}.hivemend-{id}.new", self.file.as_str()))
    }

    /// The old file, under a second name, until the run is over.
    pub(crate) fn kept(&self, config: &Path, id: &BackupId) -> PathBuf {
        config.join(format!("{}.hivemend-{id}.old", self.file.as_str()))
    }
}
