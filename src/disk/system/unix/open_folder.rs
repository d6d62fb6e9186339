// SPDX-License-Identifier: GPL-3.0-or-later
//! A folder that is open, and what is reached through it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{Dir, Mode, OFlags, fstatvfs, open, openat};

use super::files::identity_of;
use super::volumes::volume_from;
use crate::disk::system::facts::{Identity, Volume};

/// The handle of a folder.
#[derive(Debug)]
pub(crate) struct OpenFolder(OwnedFd);

/// Only to look: whatever has the name, a link itself too.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl OpenFolder {
    /// Opens a folder that a user named.
    pub(crate) fn named(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    /// Opens the folder that has the name `name` in this one, which may be no link.
    pub(crate) fn below(&self, name: &OsStr, _: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            // That of a link, where only a folder may be.
            Err(rustix::io::Errno::LOOP) => Err(io::ErrorKind::NotADirectory.into()),
            opened => Ok(Self(opened?)),
        }
    }

    /// What has the name `name` in this folder; a link itself.
    pub(crate) fn look_at(&self, name: &OsStr, _: &Path) -> io::Result<Metadata> {
        File::from(openat(&self.0, name, LOOK, Mode::empty())?).metadata()
    }

    /// What tells the file that has the name `name` in this folder from another.
    pub(crate) fn identity_of(&self, name: &OsStr, path: &Path) -> io::Result<Identity> {
        Ok(identity_of(&self.look_at(name, path)?))
    }

    /// Opens for reading; never through a symbolic link, never waiting for a pipe's other end.
    pub(crate) fn open(&self, name: &OsStr, _: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// The volume that holds this folder.
    ///
    /// # Errors
    ///
    /// What `fstatvfs` says.
    pub(crate) fn volume(&self, _: &Path) -> io::Result<Volume> {
        Ok(volume_from(&fstatvfs(&self.0)?))
    }

    /// The same folder once more, with a position and a lock of its own.
    pub(crate) fn again(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, ".", flags, Mode::empty())?))
    }

    pub(crate) fn names(&self, _: &Path) -> io::Result<Vec<OsString>> {
        let mut found = Vec::new();
        for entry in Dir::new(self.again()?)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if !matches!(name.as_slice(), b"." | b"..") {
                found.push(OsString::from_vec(name));
            }
        }
        Ok(found)
    }

    pub(crate) fn identity(&self, _: &Path) -> io::Result<Identity> {
        Ok(identity_of(&self.again()?.metadata()?))
    }

    /// Nothing: a folder can be removed although it is open.
    pub(crate) fn let_go(&self) {}
}

impl AsFd for OpenFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
