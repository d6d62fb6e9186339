// SPDX-License-Identifier: GPL-3.0-or-later
//! The journal of a run in progress: one small file beside the hives, gone when the run is over.
//!
//! It lies in the config folder even where the backup does not, so that the next run finds it
//! whatever `--backup-dir` that is given.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::disk::{Folder, Spot};
use crate::store::error::StoreFault;
use crate::store::files::{self, Way};
use crate::store::medium::Medium;
use crate::store::terms::{BackupId, Content, FileMetadata, FileName, Operation, limits};
use crate::text::{Foreign, quoted};

/// The journal's name in the config folder.
pub(crate) const JOURNAL: &str = "hivemend.journal";
const SCHEMA: &str = "hivemend.journal/1";

/// Everything that is needed to finish or undo a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    schema: String,
    pub(crate) id: BackupId,
    /// What tells this run from every other; its backup's manifest says the same.
    #[serde(default)]
    pub(crate) run: String,
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
    pub(crate) name: Foreign,
    pub(crate) file: FileName,
    /// `None` where there was no file.
    pub(crate) from: Option<Content>,
    pub(crate) to: Content,
    /// What the new file gets besides its bytes. In a journal that was found on a disk this is a
    /// wish: see `grant`.
    pub(crate) metadata: FileMetadata,
}

impl Journal {
    pub(crate) fn new(
        (id, run): (BackupId, String),
        operation: Operation,
        swaps: Vec<Swap>,
    ) -> Self {
        let schema = SCHEMA.to_owned();
        Self {
            schema,
            id,
            run,
            operation,
            beside: true,
            made_root: false,
            swaps,
        }
    }

    /// The journal that an interrupted run left, or `None`.
    pub(crate) fn load(medium: &dyn Medium, config: &Folder) -> Result<Option<Self>, StoreFault> {
        let spot = config.at(JOURNAL);
        if files::plain(&spot)?.is_none() {
            return Ok(None);
        }
        let damaged = |why: String| StoreFault::damaged(spot.path(), why);
        let bytes = files::read_small(medium, &spot, limits::JOURNAL)?;
        let journal: Self = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("not a journal: {error}")))?;
        if journal.schema != SCHEMA {
            let schema = quoted(&journal.schema);
            let why = format!("its schema is {schema}, this hivemend reads \"{SCHEMA}\"");
            return Err(damaged(why));
        }
        let mut seen = BTreeSet::new();
        let mut files = journal.swaps.iter().map(|swap| &swap.file);
        if let Some(twice) = files.find(|file| !seen.insert(file.as_str().to_lowercase())) {
            return Err(damaged(format!("it names {twice} twice")));
        }
        Ok(Some(journal))
    }

    pub(crate) fn save(&self, medium: &dyn Medium, config: &Folder) -> Result<(), StoreFault> {
        let spot = config.at(JOURNAL);
        let bytes = serde_json::to_vec_pretty(self);
        let bytes = bytes.map_err(|error| StoreFault::damaged(spot.path(), error))?;
        let (length, limit) = (
            u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            limits::JOURNAL,
        );
        if length > limit {
            let what = "journal";
            return Err(StoreFault::RecordTooLong {
                what,
                length,
                limit,
            });
        }
        let like = self.swaps.first().map(|swap| &swap.metadata);
        files::replace_small(medium, &spot, &bytes, like)
    }

    /// Removes the journal: the run is over.
    pub(crate) fn remove(medium: &dyn Medium, config: &Folder) -> Result<(), StoreFault> {
        let spot = config.at(JOURNAL);
        files::remove(medium, &files::new_name(&spot))?;
        files::remove(medium, &spot)?;
        files::sync_dir(medium, config)
    }
}

impl Swap {
    /// The contents that the file has before and after the run.
    pub(crate) fn contents(&self) -> Vec<Content> {
        self.from.into_iter().chain([self.to]).collect()
    }

    /// How one content takes the place of the other.
    pub(crate) fn way(&self) -> Way {
        match self.metadata.is_on_linux_ntfs() {
            true => Way::Links,
            false => Way::Rename,
        }
    }

    /// The file itself.
    pub(crate) fn live(&self, config: &Folder) -> Spot {
        self.file.at(config)
    }

    /// Its new content, before that takes its place.
    pub(crate) fn staged(&self, config: &Folder, id: &BackupId) -> Spot {
        config.at(format!("{}.hivemend-{id}.new", self.file.as_str()))
    }

    /// The old file, under a second name, until the run is over.
    pub(crate) fn kept(&self, config: &Folder, id: &BackupId) -> Spot {
        config.at(format!("{}.hivemend-{id}.old", self.file.as_str()))
    }
}
