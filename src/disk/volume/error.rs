// SPDX-License-Identifier: GPL-3.0-or-later
//! Why a target cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::hibernation::Hibernation;
use super::sniff::NotAHive;
use crate::disk::system;
use crate::hive_name::HiveName;
use crate::text::shown;

/// Why a target, or a file of it, cannot be used; nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The operating system refused, or the disk failed.
    #[error("{}: could not {action}: {source}{}", shown(.path), system::advice(.path, .source))]
    Io {
        /// What was being done, as in "could not open".
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A part of a file cannot be read: a bad sector, as a rule.
    #[error("{}: could not read at offset {at} ({at:#x}): {source}", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The first byte of the first 512 bytes that cannot be read.
        at: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nothing has this name.
    #[error("{}: there is no such file or folder{}", shown(.path), system::missing(.path))]
    Missing {
        /// The name.
        path: PathBuf,
    },
    /// A folder was expected and a file was given.
    #[error("{} is a file ({what}), and the target is a folder: the disk's root, a Windows folder \
             or a config folder. Hives are named with --system and --software", shown(.path))]
    NotAFolder {
        /// The file.
        path: PathBuf,
        /// What its first bytes say.
        what: String,
    },
    /// A folder without a Windows installation.
    #[error("{}: no Windows folder here (looked for Windows or WINNT with System32\\config in it, \
             and for hives in the folder itself){hint}", shown(.path))]
    NoWindows {
        /// The folder.
        path: PathBuf,
        /// What was seen that may explain it; empty or begins with a blank.
        hint: &'static str,
    },
    /// Two spellings of one name, and nothing tells which is meant.
    #[error("both {} and {} are here, and Windows would see only one of them: name the one you mean",
            shown(.first), shown(.second))]
    Ambiguous {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The hive that is asked for does not exist.
    #[error("{}: there is no {name} hive here, and hivemend never creates one", shown(.config))]
    NoHive {
        /// The folder that was searched.
        config: PathBuf,
        /// The hive.
        name: HiveName,
    },
    /// A folder, symbolic link or device where a file was expected.
    #[error("{} is a {what}, not a file: hivemend reads and replaces plain files only", shown(.path))]
    NotAFile {
        /// Its name.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file that is no hive.
    #[error("{}: {what}", shown(.path))]
    NotAHive {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: NotAHive,
    },
    /// A file that is larger than such a file ever is.
    #[error("{}: larger than {limit} bytes, and so not what its name says", shown(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes that it may have.
        limit: u64,
    },
    /// The file is no longer the one that was read.
    #[error("{}: another program changed this file since it was read; nothing was written", shown(.path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The volume, or the folder, cannot be written to.
    #[error("{} cannot be written to: {why}", shown(.path))]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What was seen and what to do.
        why: &'static str,
    },
    /// This user may not make files in the folder.
    #[error("{} cannot be written to: this user may not create files there. {why}", shown(.path))]
    NotAllowed {
        /// The folder.
        path: PathBuf,
        /// What can be done.
        why: &'static str,
    },
    /// The target is the Windows that runs this program.
    #[error("{} belongs to the Windows that is running now; hivemend repairs disks of machines \
             that are not running", shown(.path))]
    ThisMachine {
        /// The config folder.
        path: PathBuf,
    },
    /// Another process has the hive open for writing.
    #[error("{} is in use by {by}", shown(.path))]
    Held {
        /// The hive.
        path: PathBuf,
        /// By whom, and what to do.
        by: String,
    },
    /// The Windows on the disk will overwrite what is written now with its memory.
    #[error("{}: {}: when it starts, its memory comes back and overwrites or corrupts what is \
             changed now", shown(.path), .found.seen())]
    Hibernated {
        /// The disk's root, or the config folder.
        path: PathBuf,
        /// What the hibernation file says.
        found: Hibernation,
    },
    /// The volume is flagged: its file system must be checked before it is written to.
    #[error("{}: this NTFS volume is flagged as needing a check, so that its file system may be \
             damaged: run chkdsk /f on it in Windows first. Where the flag comes from ntfsfix, which \
             sets it: unmount the volume and run ntfsfix -d on its device", shown(.path))]
    NeedsCheck {
        /// The config folder.
        path: PathBuf,
    },
    /// Not enough free space; checked before the first write.
    #[error("{}: {need} bytes are needed and {free} are free; make room there, or put the backup \
             on another volume with --backup-dir", shown(.path))]
    NoSpace {
        /// A folder of the volume.
        path: PathBuf,
        /// Bytes needed.
        need: u64,
        /// Bytes free.
        free: u64,
    },
}

/// Whether the system says that the disk or its file system is damaged, and not that it refuses.
pub fn is_failing(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const ERROR_CRC: i32 = 23;
    const ERROR_FILE_CORRUPT: i32 = 1392;
    let code = error.raw_os_error();
    match cfg!(windows) {
        true => matches!(code, Some(ERROR_CRC | ERROR_FILE_CORRUPT)),
        false => code == Some(EIO),
    }
}

/// The config folder of the running Windows, where `path` is in it.
fn running_above(path: &Path) -> Option<PathBuf> {
    let running = system::running_config()?;
    let folder = path.parent()?;
    system::is_same(folder, &running).then(|| folder.to_path_buf())
}

impl DiskError {
    /// An operating system's error about `path`; "not found" becomes [`DiskError::Missing`].
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if source.kind() == io::ErrorKind::NotFound || system::is_no_name(&source) {
            return Self::Missing { path };
        }
        if let Some(by) = system::held_by(&path, &source) {
            // The Windows that runs holds its own hives.
            if let Some(config) = running_above(&path) {
                return Self::ThisMachine { path: config };
            }
            return Self::Held { path, by };
        }
        Self::Io {
            action,
            path,
            source,
        }
    }

    /// Whether a guard refused (exit code 3), as opposed to an operation that failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            // Nothing is wrong with the disk: somebody else may do it.
            Self::Io { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Unreadable { .. } => false,
            _ => true,
        }
    }
}
