// SPDX-License-Identifier: GPL-3.0-or-later
//! Small files that somebody names, profiles and plans: read if they are plain files, up to a size.
//!
//! A pipe would be waited for, a device may do something when it is opened, and a name may be given
//! to something else between looking at it and opening it: so the kind is looked at first, nothing is
//! waited for, and the open file is looked at again.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A folder, device or the like.
    #[error("this is a {0}, not a file")]
    NotAFile(&'static str),
    /// It is not in the folder that it must be in.
    #[error("this is a file of another folder")]
    Outside,
    /// Its name was given to another file meanwhile.
    #[error("its name was given to another file while it was being opened")]
    Changed,
    /// It has more bytes than such a file may have.
    #[error("this is larger than {}, the most that {what} may have", size_text(*limit))]
    TooLarge {
        /// What it was read as, with an article.
        what: &'static str,
        /// The most, in bytes.
        limit: u64,
    },
}

/// What a file is read as.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, with an article.
    pub what: &'static str,
    /// The most that it may have, in bytes.
    pub limit: u64,
}

/// The place of a file with all links resolved.
///
/// # Errors
///
/// Where there is no such file, or a folder on the way cannot be looked into.
pub fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    Ok(fs::canonicalize(path)?)
}

/// Reads a whole file by its [resolved](resolve) place.
///
/// # Errors
///
/// Where it is no plain file, cannot be read, is too large, or is not the file at this place any more
/// once it is open.
pub fn read(place: &Path, kind: Kind) -> Result<Vec<u8>, FileError> {
    expect_file(fs::symlink_metadata(place)?.file_type())?;
    let file = open(place)?;
    expect_file(file.metadata()?.file_type())?;
    if resolve(place)? != place || !is_at(&file, place)? {
        return Err(FileError::Changed);
    }
    read_open(file, kind)
}

/// Reads an open file, which may not be larger than its kind allows.
///
/// # Errors
///
/// Where it is, or cannot be read.
pub fn read_open(file: impl Read, kind: Kind) -> Result<Vec<u8>, FileError> {
    let Kind { what, limit } = kind;
    let mut bytes = Vec::new();
    // One byte more, so that the excess is seen.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|size| size <= limit) {
        true => Ok(bytes),
        false => Err(FileError::TooLarge { what, limit }),
    }
}

/// Makes sure that this is a plain file.
///
/// # Errors
///
/// [`FileError::NotAFile`] with what it is.
pub fn expect_file(kind: FileType) -> Result<(), FileError> {
    let what = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => "folder",
        _ if kind.is_symlink() => "symbolic link",
        _ => special(kind),
    };
    Err(FileError::NotAFile(what))
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        _ if kind.is_fifo() => "pipe",
        _ if kind.is_socket() => "socket",
        _ => "device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "device or pipe"
}

#[cfg(unix)]
fn open(place: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(place, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open(place: &Path) -> io::Result<File> {
    File::open(place)
}

/// Whether the file at this place is the open one.
#[cfg(unix)]
fn is_at(file: &File, place: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, there) = (file.metadata()?, fs::symlink_metadata(place)?);
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

fn size_text(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        what: "a test",
        limit: 1 << 20,
    };

    fn said(place: &Path) -> String {
        read(place, KIND).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = resolve(folder.path()).unwrap().join("file");
        fs::write(&file, vec![1; 1 << 20]).unwrap();
        assert_eq!(read(&file, KIND).unwrap().len(), 1 << 20);
        fs::write(&file, vec![1; (1 << 20) + 1]).unwrap();
        assert_eq!(
            said(&file),
            "this is larger than 1 MiB, the most that a test may have"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = resolve(folder.path()).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.join("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/null", place.join("link")).unwrap();
        let fifo = rustix::fs::mknodat(
            rustix::fs::CWD,
            place.join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        );
        fifo.unwrap();
        assert_eq!(said(&place.join("pipe")), "this is a pipe, not a file");
        assert_eq!(said(&place.join("socket")), "this is a socket, not a file");
        assert_eq!(
            said(&place.join("link")),
            "this is a symbolic link, not a file"
        );
        assert_eq!(said(&place), "this is a folder, not a file");
        assert_eq!(said(Path::new("/dev/null")), "this is a device, not a file");
    }

    /// A place that has links in it is not one that was resolved and judged.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_became_a_link_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let place = resolve(folder.path()).unwrap();
        fs::create_dir(place.join("real")).unwrap();
        fs::write(place.join("real/file"), "x").unwrap();
        std::os::unix::fs::symlink("real", place.join("link")).unwrap();
        assert!(read(&place.join("real/file"), KIND).is_ok());
        assert!(matches!(
            read(&place.join("link/file"), KIND),
            Err(FileError::Changed)
        ));
    }
}
