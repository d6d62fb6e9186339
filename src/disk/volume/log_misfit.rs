// SPDX-License-Identifier: GPL-3.0-or-later
//! Files that have the name of a hive's log and cannot be one.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::DiskError;
use super::hive_file::LogFile;
use crate::disk::system::Spot;
use crate::regf::{BaseBlock, FileOffset, HiveBytes, longest_log};
use crate::text::shown;

/// Bytes of a base block that every log has a copy of.
const START: usize = 512;

/// A file that is named as a hive's transaction log and is too long to be one.
///
/// Nothing reads it beyond `longest` bytes and nothing copies it. Whether a log of a size that it can
/// have is one of this hive, its first sector tells, and that is for recovery to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMisfit {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// The most bytes that a log of a hive of this size has.
    pub longest: u64,
    /// Whether it begins with the base block of a transaction log.
    pub is_log: bool,
}

/// Tells of a file beside a hive of `hive_size` bytes, named as its log, why it cannot belong to the
/// hive; `None` where it can, and where there is no plain file.
///
/// # Errors
///
/// What the system says. A file that belongs is not opened.
pub fn log_misfit(log: &Spot, hive_size: u64) -> Result<Option<LogMisfit>, DiskError> {
    let path = log.path();
    let found = log.look().map_err(|e| DiskError::io("look at", path, e))?;
    if !found.is_some_and(|file| file.is_file() && file.len() > longest_log(hive_size)) {
        return Ok(None);
    }
    let opened = log.open().map_err(|e| DiskError::io("open", path, e))?;
    Ok(LogFile::new(opened, path)?.misfit(path, hive_size))
}

/// The size of the hive that a file named as a log lies beside; `None` where there is none.
pub fn hive_size_beside(log: &Spot) -> Option<u64> {
    let name = Path::new(log.name());
    let ending = name.extension()?;
    let mut endings = ["LOG", "LOG1", "LOG2"].iter();
    endings.find(|known| ending.eq_ignore_ascii_case(known))?;
    let hive = log.beside(name.file_stem()?).look().ok()??;
    hive.is_file().then_some(hive.len())
}

impl LogFile {
    /// As [`log_misfit`], of a log that is open; `path` is what it is called.
    pub fn misfit(&self, path: &Path, hive_size: u64) -> Option<LogMisfit> {
        let (size, longest) = (self.size(), longest_log(hive_size));
        (size > longest).then(|| LogMisfit {
            path: path.to_path_buf(),
            size,
            longest,
            is_log: begins_as_log(self),
        })
    }
}

/// Whether the first sector is what Windows asks of it before it uses a log.
///
/// Spec: regf, *Format of transaction log files > Base block*.
fn begins_as_log(log: &LogFile) -> bool {
    let start = log.read(FileOffset(0), START);
    let base = start.ok().and_then(|start| BaseBlock::parse(&start).ok());
    base.is_some_and(|base| {
        matches!(base.file_type, 1 | 2 | 6) && base.stored_checksum == base.checksum
    })
}

impl LogMisfit {
    /// What it is by its first sector, and what can be done about it.
    pub fn advice(&self) -> &'static str {
        match self.is_log {
            true => {
                "It begins as a log does: keep it elsewhere before that Windows starts, which may \
                 write over it"
            }
            false => {
                "It does not begin as a log does, so that Windows does not use it either: where it \
                 takes room that is needed, move it away, and Windows makes a new one"
            }
        }
    }
}

impl fmt::Display for LogMisfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, advice) = (shown(&self.path), self.advice());
        let (size, longest) = (self.size, self.longest);
        write!(
            f,
            "{path} has {size} bytes, and a log of a hive of this size never has more than {longest}: \
             it is not used, and no backup copies it. {advice}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::system::Folder;
    use std::fs::{self, File};

    #[test]
    fn only_what_is_too_long_does_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let log = Folder::named(folder.path()).unwrap().at("SYSTEM.LOG1");
        assert_eq!(log_misfit(&log, 8192).unwrap(), None);
        assert_eq!(hive_size_beside(&log), None);
        fs::write(folder.path().join("SYSTEM"), [0; 8192]).unwrap();
        assert_eq!(hive_size_beside(&log), Some(8192));
        assert_eq!(hive_size_beside(&log.beside("SYSTEM.evtx")), None);
        let file = File::create(log.path()).unwrap();
        for size in [0, 512, longest_log(8192)] {
            file.set_len(size).unwrap();
            assert_eq!(log_misfit(&log, 8192).unwrap(), None);
        }
        file.set_len(1 << 30).unwrap();
        let misfit = log_misfit(&log, 8192).unwrap().unwrap();
        assert_eq!((misfit.size, misfit.is_log), (1 << 30, false));
        let text = misfit.to_string();
        assert!(text.contains("1073741824 bytes"), "{text}");
        assert!(text.contains("move it away"), "{text}");
    }

    #[test]
    fn the_first_sector_tells_whether_it_begins_as_a_log() {
        let mut start = vec![0; START];
        start[..4].copy_from_slice(b"regf");
        for (kind, expected) in [(0, false), (1, true), (2, true), (6, true), (7, false)] {
            start[28] = kind;
            let sum = crate::regf::checksum(&start).unwrap();
            start[508..].copy_from_slice(&sum.to_le_bytes());
            let folder = tempfile::tempdir().unwrap();
            let spot = Folder::named(folder.path()).unwrap().at("SYSTEM.LOG1");
            fs::write(spot.path(), &start).unwrap();
            let log = File::options().write(true).open(spot.path()).unwrap();
            log.set_len(1 << 30).unwrap();
            let misfit = log_misfit(&spot, 0).unwrap().unwrap();
            assert_eq!(misfit.is_log, expected, "type {kind}");
        }
    }
}
