// SPDX-License-Identifier: GPL-3.0-or-later
//! Files and their names as Windows makes and removes them.

use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use std::{io, thread};

use super::codes::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
    ERROR_SHARING_VIOLATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES, GENERIC_READ, GENERIC_WRITE, READ_CONTROL,
    WRITE_DAC, WRITE_OWNER,
};
use crate::disk::{Folder, Spot};
use crate::store::terms::Kept;

/// What a file system without hard links answers: FAT and exFAT the first, others the second. std
/// has no word for either.
pub(crate) const NO_LINKS: [i32; 2] = [ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED];

/// How often a rename is tried, and the time between.
const RENAMES: u32 = 20;
const BETWEEN_RENAMES: Duration = Duration::from_millis(100);

/// Creates a file; the folder's inherited descriptor says who may open it until it gets its own.
pub(crate) fn create_new(spot: &Spot) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(GENERIC_READ | GENERIC_WRITE | READ_CONTROL | WRITE_DAC | WRITE_OWNER)
        .write(true)
        .create_new(true)
        .open(spot.path())
}

/// Creates a folder; beside the hives it inherits from the config folder, as the hives do.
pub(crate) fn create_dir(spot: &Spot, _: Option<&Folder>) -> io::Result<()> {
    fs::create_dir(spot.path())
}

/// Removes an empty folder.
pub(crate) fn remove_dir(spot: &Spot) -> io::Result<()> {
    fs::remove_dir(spot.path())
}

/// Gives a file a second name.
pub(crate) fn link(file: &Spot, link: &Spot) -> io::Result<()> {
    fs::hard_link(file.path(), link.path())
}

/// Gives the new, empty file `new` the alternate streams of `like`.
pub(crate) fn seed(new: File, path: &Path, like: &Path) -> io::Result<File> {
    drop(new);
    fs::copy(like, path)?;
    if fs::metadata(path)?.permissions().readonly() {
        set_read_only(path, false)?;
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Makes a file's content and metadata durable.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    let denied = match file.sync_all() {
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED) => error,
        result => return result,
    };
    // Flushing takes the right to write.
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.sync_all(),
        // `set_metadata` flushed it before it made it read-only.
        Err(_) if file.metadata()?.permissions().readonly() => Ok(()),
        Err(_) => Err(denied),
    }
}

/// Makes the names in a folder durable, where the file system flushes folders.
pub(crate) fn sync_dir(folder: &Folder) -> io::Result<()> {
    let path = folder.path();
    let mut options = OpenOptions::new();
    options
        .access_mode(GENERIC_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    let synced = options.open(path).and_then(|folder| folder.sync_all());
    match synced.as_ref().err().and_then(io::Error::raw_os_error) {
        // Not every file system, and no share, has it; the rename itself was written through.
        Some(
            ERROR_INVALID_FUNCTION
            | ERROR_ACCESS_DENIED
            | ERROR_NOT_SUPPORTED
            | ERROR_INVALID_PARAMETER,
        ) => Ok(()),
        _ => synced,
    }
}

/// Gives the file `from` the name `to`, in place of the file that has it.
pub(crate) fn rename(from: &Spot, to: &Spot) -> io::Result<()> {
    let (from, to) = (from.path(), to.path());
    // The system replaces no read-only file. Both files of a swap are, or neither is.
    let is_read_only = fs::metadata(to).is_ok_and(|found| found.permissions().readonly());
    if is_read_only {
        set_read_only(to, false)?;
    }
    let renamed = rename_patiently(from, to);
    if renamed.is_ok() {
        // No safe call writes a rename through. Flushing the file writes NTFS' log up to there;
        // where that is not granted, flushing the folder comes next.
        if let Ok(file) = OpenOptions::new().write(true).open(to) {
            let _ = file.sync_all();
        }
    }
    if is_read_only {
        return renamed.and(set_read_only(to, true));
    }
    renamed
}

/// A virus scanner or an indexer opens what was just written, for a moment, and the system refuses
/// the rename as long as it does: tried again, for two seconds in all.
fn rename_patiently(from: &Path, to: &Path) -> io::Result<()> {
    let mut result = fs::rename(from, to);
    for _ in 1..RENAMES {
        let code = result.as_ref().err().and_then(io::Error::raw_os_error);
        if !matches!(code, Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION)) {
            break;
        }
        thread::sleep(BETWEEN_RENAMES);
        result = fs::rename(from, to);
    }
    result
}

/// Removes a file's name, also where the system keeps read-only files: under its other names it is
/// read-only again at once.
pub(crate) fn remove_file(spot: &Spot) -> io::Result<()> {
    let path = spot.path();
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        result => return result,
    }
    let file = reopen(path, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
    let read_only = file.metadata()?.permissions();
    set_read_only(path, false)?;
    let removed = fs::remove_file(path);
    // The name goes when this handle does.
    file.set_permissions(read_only)?;
    removed
}

#[allow(
    clippy::permissions_set_readonly_false,
    reason = "Windows' attribute, not Unix' permission bits"
)]
fn set_read_only(path: &Path, read_only: bool) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(read_only);
    fs::set_permissions(path, permissions)
}

/// Which file this is on its volume, and how many names it has: not told by std.
pub(crate) fn links(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// What belongs to a hive's file and would be lost if another took its place, for a sentence: other
/// names. What else belongs to it is carried over, or comparing refuses it.
pub(crate) fn would_lose(file: &File) -> io::Result<Option<String>> {
    let links = winapi_util::file::information(file)?.number_of_links();
    if links <= 1 {
        return Ok(None);
    }
    Ok(Some(format!(
        "it has {links} names (hard links), and the others would keep the old content: find them \
         (fsutil hardlink list FILE) and remove them, or copy the hive"
    )))
}

/// What is kept with a hive that is replaced, and what is not.
pub(crate) fn kept(_: &File, _: &str) -> io::Result<Kept> {
    Ok(Kept {
        file_system: "Windows".to_owned(),
        kept: vec![
            "security descriptor",
            "audit entries",
            "attributes",
            "creation and last write time",
            "alternate data streams",
        ],
        lost: vec!["object id", "short name (8.3)"],
    })
}

pub(super) fn reopen(path: &Path, access: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &Path) -> Spot {
        Folder::named(path.parent().unwrap()).unwrap().at(path)
    }

    #[test]
    fn a_read_only_file_that_loses_a_name_stays_read_only() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, b"content").unwrap();
        fs::hard_link(&one, &other).unwrap();
        set_read_only(&one, true).unwrap();
        remove_file(&spot(&other)).unwrap();
        assert!(!other.exists());
        assert!(fs::metadata(&one).unwrap().permissions().readonly());
        remove_file(&spot(&one)).unwrap();
        assert!(!one.exists());
    }

    #[test]
    fn a_read_only_file_is_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        for path in [&old, &new] {
            fs::write(path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
            set_read_only(path, true).unwrap();
        }
        rename(&spot(&new), &spot(&old)).unwrap();
        assert_eq!(fs::read(&old).unwrap(), b"new");
        assert!(fs::metadata(&old).unwrap().permissions().readonly());
        set_read_only(&old, false).unwrap();
    }
}
