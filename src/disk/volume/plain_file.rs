// SPDX-License-Identifier: GPL-3.0-or-later
//! Plain files, and what is none.

use std::fs::{self, File, FileType};
use std::path::Path;

use super::error::DiskError;
use crate::disk::system;

/// Opens a plain file for reading; a link, folder or device is refused by name.
pub(super) fn open_file(path: &Path) -> Result<File, DiskError> {
    let refuse = |kind| match not_a_file(kind) {
        Some(what) => Err(DiskError::NotAFile {
            path: path.to_path_buf(),
            what,
        }),
        None => Ok(()),
    };
    let look = |error| DiskError::io("look at", path, error);
    refuse(fs::symlink_metadata(path).map_err(look)?.file_type())?;
    let file = system::open_plain(path).map_err(|e| DiskError::io("open", path, e))?;
    // Asked again of the handle: the name may have been given to something else meanwhile.
    refuse(file.metadata().map_err(look)?.file_type())?;
    Ok(file)
}

/// What this is, if it is not a plain file.
pub(crate) fn not_a_file(kind: FileType) -> Option<&'static str> {
    if kind.is_symlink() {
        return Some("symbolic link");
    }
    if kind.is_dir() {
        return Some("folder");
    }
    (!kind.is_file()).then_some("device or pipe")
}
