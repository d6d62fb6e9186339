// SPDX-License-Identifier: GPL-3.0-or-later
//! What went wrong while writing, and what that means for the target.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::disk::{DiskError, shown};
use crate::store::terms::{BackupId, BadName, FileName, Operation};

/// An error of this room, and the state it left the target in.
#[derive(Debug, thiserror::Error)]
#[error("{fault}. {touched}")]
pub struct StoreError {
    /// What the target needs now.
    pub touched: Touched,
    /// What went wrong.
    pub fault: StoreFault,
}

/// What a failed operation left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Every file is what it was before the call.
    Untouched,
    /// The hives are what they were; something beside them is not.
    HivesUntouched,
    /// At least one hive may be the new one; the journal tells the next run.
    NeedsRestore,
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "Nothing was changed",
            Self::HivesUntouched => "The hives are untouched; run the command again",
            Self::NeedsRestore => {
                "An interrupted run is left: run apply or restore again to finish or undo it"
            }
        })
    }
}

impl StoreError {
    pub(crate) fn untouched(fault: StoreFault) -> Self {
        Self {
            touched: Touched::Untouched,
            fault,
        }
    }

    /// Whether a guard refused (exit code 3), as opposed to an operation that failed.
    pub fn is_refusal(&self) -> bool {
        self.touched == Touched::Untouched && self.fault.is_refusal()
    }
}

/// A file that is not what hivemend left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// The file.
    pub file: FileName,
    /// The backup of a later run of hivemend, if that left the file as it is.
    pub by: Option<BackupId>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// A guard refused, or looking at the target failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The operating system refused, or the disk failed.
    #[error("{}: could not {action}: {source}{}", shown(.path), crate::disk::system::advice(.path, .source))]
    Io {
        /// What was being done, as in "could not write".
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A hive is no longer what the caller read.
    #[error("{}: the file was changed since it was read", shown(.path))]
    Changed {
        /// The hive.
        path: PathBuf,
    },
    /// A name that cannot be used.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// A hive that does not lie in the config folder.
    #[error("{} is not in {}: hives that are changed together lie in one folder; run hivemend once \
             for each", shown(.path), shown(.config))]
    OtherFolder {
        /// The hive.
        path: PathBuf,
        /// The config folder.
        config: PathBuf,
    },
    /// Nothing to publish: every hive is already what it should become.
    #[error("nothing would change")]
    NothingToDo,
    /// Another run works on this folder.
    #[error("{}: another hivemend is working on these hives; wait for it to end", shown(.config))]
    Locked {
        /// The config folder.
        config: PathBuf,
    },
    /// An earlier run did not end.
    #[error("{}: an earlier {operation} ({id}) was interrupted; it must be finished or undone first",
            shown(.config))]
    Interrupted {
        /// The config folder.
        config: PathBuf,
        /// Its backup.
        id: BackupId,
        /// What it was doing.
        operation: Operation,
    },
    /// An interrupted run cannot be settled this way.
    #[error("the interrupted run {id} cannot be {how}: {why}")]
    Unsettled {
        /// Its backup.
        id: BackupId,
        /// "finished" or "undone".
        how: &'static str,
        /// What is in the way.
        why: String,
    },
    /// Something that belongs to a file and would be lost.
    #[error("{}: {what}", shown(.path))]
    WouldLose {
        /// The file.
        path: PathBuf,
        /// What, and what to do.
        what: String,
    },
    /// Metadata that could not be carried over to the new file.
    #[error("{}: the {what} of the original could not be carried over{}", shown(.path), because(.source))]
    Metadata {
        /// The new file.
        path: PathBuf,
        /// Owner, mode, a time, or an attribute by name.
        what: String,
        /// What the operating system said, if anything.
        source: Option<io::Error>,
    },
    /// What was read back is not what was written.
    #[error("{}: what was read back is not what was written; the disk cannot be trusted", shown(.path))]
    ReadBack {
        /// The file.
        path: PathBuf,
    },
    /// A manifest, journal or backup file that cannot be used.
    #[error("{}: {why}", shown(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A record that speaks of a file which is none of this target's hives, nor a log of one.
    #[error("{}: a record on this disk names this file, which is no hive that hivemend was pointed \
             at, nor a transaction log of one; records can change nothing else. If a run of recover \
             was cut short there, run hivemend recover on that file", shown(.path))]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A record that asks for more rights than the file has now.
    #[error("{}: the record on this disk asks for {what}, which the file does not have now; a record \
             grants no rights", shown(.path))]
    AsksTooMuch {
        /// The file.
        path: PathBuf,
        /// For what.
        what: String,
    },
    /// Content that a record would put in a hive's or a log's place and that is neither.
    #[error("{}: this is not what hivemend puts back: {why}", shown(.path))]
    NotContent {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A run whose record could not be read back.
    #[error(
        "the {what} of this run would have {length} bytes, and none of more than {limit} is read \
             back: it could not be undone. Apply fewer profiles at once, or ones that match fewer \
             keys"
    )]
    RecordTooLong {
        /// Which record.
        what: &'static str,
        /// Its length.
        length: u64,
        /// The longest that is read.
        limit: u64,
    },
    /// Files changed since hivemend left them; restoring would lose that.
    #[error("{}: changed since hivemend left it, so that restoring the file would lose those changes{}",
            first_file(.files), hint(.files))]
    ChangedSince {
        /// The files; at least one.
        files: Vec<ChangedSince>,
    },
    /// A failure, and then a failure to put things back.
    #[error("{cause}; and then, putting the old state back: {then}")]
    RollBack {
        /// What failed first.
        cause: Box<StoreFault>,
        /// What failed while undoing it.
        then: Box<StoreFault>,
    },
    /// The hives are as wanted, but the run could not be closed.
    #[error("the hives are written, but the run could not be closed: {cause}")]
    NotClosed {
        /// What failed.
        cause: Box<StoreFault>,
    },
}

impl StoreFault {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn damaged(path: &Path, why: impl fmt::Display) -> Self {
        Self::Damaged {
            path: path.to_path_buf(),
            why: why.to_string(),
        }
    }

    /// What the operating system said, where it was that which went wrong first.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Io { source, .. }
            | Self::Disk(DiskError::Io { source, .. } | DiskError::Unreadable { source, .. }) => {
                Some(source)
            }
            Self::Metadata { source, .. } => source.as_ref(),
            Self::RollBack { cause, .. } | Self::NotClosed { cause } => cause.io_error(),
            _ => None,
        }
    }

    fn is_refusal(&self) -> bool {
        match self {
            Self::Disk(error) => error.is_refusal(),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Metadata { .. } | Self::ReadBack { .. } => false,
            Self::RollBack { .. } | Self::NotClosed { .. } => false,
            _ => true,
        }
    }
}

fn because(source: &Option<io::Error>) -> String {
    source
        .as_ref()
        .map(|source| format!(": {source}"))
        .unwrap_or_default()
}

fn first_file(files: &[ChangedSince]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|changed| changed.file.to_string())
        .collect();
    names.join(", ")
}

fn hint(files: &[ChangedSince]) -> String {
    let later = files.iter().find_map(|changed| changed.by.as_ref());
    later
        .map(|id| format!(" (by hivemend: restore {id} first)"))
        .unwrap_or_default()
}
