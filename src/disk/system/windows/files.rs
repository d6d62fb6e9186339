// SPDX-License-Identifier: GPL-3.0-or-later
//! Files as Windows reads them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use winapi_util::Handle;
use winapi_util::file::{Information, information};
use winsafe::co;

use super::codes::{
    FILE_ADD_FILE, FILE_ADD_SUBDIRECTORY, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES,
};
use crate::disk::system::facts::Identity;

/// Reads some bytes at `at`.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(buffer, at)
}

/// Opens for reading; never through a symbolic link or another reparse point.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// What tells this open file from another.
pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    let (metadata, numbers) = (file.metadata()?, winapi_util::file::information(file)?);
    Ok(Identity {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        device: numbers.volume_serial_number(),
        file: numbers.file_index(),
    })
}

/// What tells the file at `path`, which is not followed, from another.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    let mut options = OpenOptions::new();
    // Only to look, which no sharing mode of another program forbids.
    options
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS);
    identity(&options.open(path)?)
}

/// Never: there is nothing here that only root need know.
pub(crate) fn is_root() -> bool {
    false
}

/// The error of a call as std has it.
pub(crate) fn os_error(error: co::ERROR) -> io::Error {
    io::Error::from_raw_os_error(i32::try_from(error.raw()).unwrap_or(i32::MAX))
}

/// Whether this user may make files in `folder`: asked by opening it for that, which makes none.
pub(crate) fn writable(folder: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options
        .access_mode(FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    options.open(folder).map(drop)
}

/// Whether two names lead to one file or folder; `false` where that cannot be told.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let found = look(path).ok()?;
        Some((found.volume_serial_number(), found.file_index()))
    };
    let place = (place(one), place(other));
    let resolved = |path: &Path| {
        let path = std::fs::canonicalize(path).ok()?;
        Some(path.to_string_lossy().to_lowercase())
    };
    matches!(place, (Some(one), Some(other)) if one == other)
        || matches!((resolved(one), resolved(other)), (Some(one), Some(other)) if one == other)
}

pub(super) fn look(path: &Path) -> io::Result<Information> {
    information(Handle::from_path_any(path)?)
}

/// The path that is meant by what was typed: `F:` is the drive's root, not its current folder.
pub(crate) fn typed(path: &Path) -> PathBuf {
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Prefix(_)), None) => {
            let mut root = path.as_os_str().to_owned();
            root.push("\\");
            PathBuf::from(root)
        }
        _ => path.to_path_buf(),
    }
}

/// The config folder of the Windows that is running.
pub(crate) fn running_config() -> Option<PathBuf> {
    let system32 = match winsafe::GetSystemDirectory() {
        Ok(system32) => PathBuf::from(system32),
        Err(_) => PathBuf::from(std::env::var_os("SystemRoot")?).join("System32"),
    };
    Some(system32.join("config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_alone_is_its_root() {
        for (text, meant) in [
            ("F:", "F:\\"),
            ("f:\\", "f:\\"),
            ("F:\\Windows", "F:\\Windows"),
            ("\\\\?\\F:", "\\\\?\\F:\\"),
            ("\\\\server\\disk$", "\\\\server\\disk$\\"),
            ("relative", "relative"),
        ] {
            assert_eq!(typed(Path::new(text)), Path::new(meant), "{text}");
        }
    }
}
