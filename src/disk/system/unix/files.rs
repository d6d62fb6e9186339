// SPDX-License-Identifier: GPL-3.0-or-later
//! Files as Unix reads them.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags, access, open};

use crate::disk::system::facts::Identity;

/// Reads some bytes at `at` without moving a file position.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    FileExt::read_at(file, buffer, at)
}

/// Opens for reading; never through a symbolic link, never waiting for a pipe's other end.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

/// What tells this open file from another.
pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    Ok(identity_of(&file.metadata()?))
}

/// What tells the file at `path`, which is not followed, from another.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    Ok(identity_of(&fs::symlink_metadata(path)?))
}

pub(super) fn identity_of(metadata: &Metadata) -> Identity {
    Identity {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        device: metadata.dev(),
        file: metadata.ino(),
    }
}

/// Whether this user may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this user may make files in `folder`.
pub(crate) fn writable(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether two names lead to one file or folder; `false` where that cannot be told.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

/// The path as it was typed.
pub(crate) fn typed(path: &Path) -> PathBuf {
    path.to_path_buf()
}

/// Nothing: what the system says is enough.
pub(crate) fn advice(_: &Path, _: &io::Error) -> String {
    String::new()
}

/// Never: on Unix everything is a name.
pub(crate) fn is_no_name(_: &io::Error) -> bool {
    false
}

/// Nobody asks: all shells of Unix take words alike.
pub(crate) fn parent_program() -> Option<String> {
    None
}

/// What can be done where this user is not allowed something.
pub(crate) fn not_allowed() -> &'static str {
    match is_root() {
        false => "Run hivemend as root.",
        true => {
            "Not even root may: look for read-only or immutable files, and for a mount of another user's \
             (FUSE without allow_root)."
        }
    }
}

/// Nothing: what the system says is enough.
pub(crate) fn missing(_: &Path) -> String {
    String::new()
}

/// Never: an open file on Unix excludes nobody.
pub(crate) fn held_by(_: &Path, _: &io::Error) -> Option<String> {
    None
}

/// The config folder of the Windows that is running: none here.
pub(crate) fn running_config() -> Option<PathBuf> {
    None
}
