// SPDX-License-Identifier: GPL-3.0-or-later
//! A folder that is open, and what is reached through it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::codes::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use super::files::{identity, identity_at, open_plain};
use super::volumes::volume;
use crate::disk::system::facts::{Identity, Volume};

/// The handle of a folder. While it is open nobody can remove or rename the folder, nor one above
/// it, so that its path goes on leading to it.
#[derive(Debug)]
pub(crate) struct OpenFolder(Mutex<Option<File>>);

impl OpenFolder {
    /// Opens a folder that a user named.
    pub(crate) fn named(path: &Path) -> io::Result<Self> {
        Self::opened(path, 0)
    }

    /// Opens the folder that has the name `path`, in this one, which may be no reparse point.
    pub(crate) fn below(&self, _: &OsStr, path: &Path) -> io::Result<Self> {
        Self::opened(path, FILE_FLAG_OPEN_REPARSE_POINT)
    }

    /// What has the name `path`, in this folder; a reparse point itself.
    pub(crate) fn look_at(&self, _: &OsStr, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(path)
    }

    /// What tells the file of the name `path`, in this folder, from another.
    pub(crate) fn identity_of(&self, _: &OsStr, path: &Path) -> io::Result<Identity> {
        identity_at(path)
    }

    /// Opens for reading; never through a reparse point.
    pub(crate) fn open(&self, _: &OsStr, path: &Path) -> io::Result<File> {
        open_plain(path)
    }

    /// The volume that holds this folder.
    ///
    /// # Errors
    ///
    /// What the system says about `path`.
    pub(crate) fn volume(&self, path: &Path) -> io::Result<Volume> {
        volume(path)
    }

    fn opened(path: &Path, flags: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | flags)
            .open(path)?;
        match file.metadata()?.is_dir() {
            true => Ok(Self(Mutex::new(Some(file)))),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(path)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    pub(crate) fn identity(&self, path: &Path) -> io::Result<Identity> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => identity(file),
            None => identity_at(path),
        }
    }

    /// Closes the handle, so that the folder can be removed.
    pub(crate) fn let_go(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
