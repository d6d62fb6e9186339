// SPDX-License-Identifier: GPL-3.0-or-later
//! What a folder has under a name, whatever the case.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::error::DiskError;
use crate::disk::system::Folder;

/// Spellings of one name that are looked at; a disk made by Windows has one.
const SPELLINGS: usize = 16;

fn is_no_folder(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotADirectory | NotFound)
}

/// The folders of an open folder under one of `names`, whatever the case, opened; links are none.
pub(super) fn open_folders(folder: &Folder, names: &[&str]) -> Result<Vec<Folder>, DiskError> {
    let failed = |error| DiskError::io("list", folder.path(), error);
    let mut found = Vec::new();
    for name in folder.names().map_err(failed)? {
        let wanted = |name: &str| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
        if found.len() == SPELLINGS || !name.to_str().is_some_and(wanted) {
            continue;
        }
        let spot = folder.at(&name);
        match spot.open_folder() {
            Ok(opened) => found.push(opened),
            Err(error) if is_no_folder(&error) => {}
            Err(error) => return Err(DiskError::io("open", spot.path(), error)),
        }
    }
    Ok(found)
}

/// What a folder has.
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) kind: FileType,
}

/// The folders of a folder under one of `names`, whatever the case; links are none.
pub(super) fn folders(path: &Path, names: &[&str]) -> Result<Vec<PathBuf>, DiskError> {
    let found = entries(path, names)?.into_iter();
    Ok(found
        .filter(|entry| entry.kind.is_dir())
        .map(|entry| entry.path)
        .collect())
}

/// What a folder has under one of `names`, whatever the case.
pub(super) fn entries(folder: &Path, names: &[impl AsRef<OsStr>]) -> Result<Vec<Entry>, DiskError> {
    let failed = |error| DiskError::io("list", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let mut wanted = names.iter().map(AsRef::as_ref);
        if found.len() < SPELLINGS && wanted.any(|wanted| name.eq_ignore_ascii_case(wanted)) {
            let kind = entry.file_type().map_err(failed)?;
            found.push(Entry {
                path: folder.join(name),
                kind,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
