// SPDX-License-Identifier: GPL-3.0-or-later
//! What the runs are made of: hash, copy, stage, replace a small file.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, Builder};

use sha2::{Digest, Sha256};

use super::error::StoreFault;
use super::manifest::Content;
use super::medium::{Handle, Medium};
use super::metadata::FileMetadata;
use super::names::Sha256Sum;
use crate::disk::{DiskError, Identity, is_failing, not_a_file, platform};

/// Bytes read or written at once.
const CHUNK: usize = 1 << 20;

/// What stands at `path`, without following a link: `None` for nothing.
///
/// # Errors
///
/// A link, folder or device is refused.
pub(super) fn plain(path: &Path) -> Result<Option<Metadata>, StoreFault> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreFault::io("look at", path)(error)),
    };
    match not_a_file(found.file_type()) {
        Some(what) => Err(DiskError::NotAFile {
            path: path.to_path_buf(),
            what,
        }
        .into()),
        None => Ok(Some(found)),
    }
}

/// What tells the plain file at `path` from another: `None` for nothing.
///
/// # Errors
///
/// As [`plain`].
pub(super) fn identity(path: &Path) -> Result<Option<Identity>, StoreFault> {
    match plain(path)? {
        None => Ok(None),
        Some(_) => match platform::identity_at(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some).map_err(StoreFault::io("look at", path)),
        },
    }
}

/// Whether `path` is a folder; nothing there is `false`, a link or file is refused.
pub(super) fn folder(path: &Path) -> Result<bool, StoreFault> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => {
            let why = "this is not a folder; hivemend does not follow links or replace other files";
            Err(StoreFault::damaged(path, why))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreFault::io("look at", path)(error)),
    }
}

/// Opens a plain file for reading.
pub(super) fn open(medium: &dyn Medium, path: &Path) -> Result<Handle, StoreFault> {
    plain(path)?;
    let handle = medium.open(path).map_err(StoreFault::io("open", path))?;
    let found = handle
        .file
        .metadata()
        .map_err(StoreFault::io("look at", path))?;
    match not_a_file(found.file_type()) {
        Some(what) => Err(DiskError::NotAFile {
            path: path.to_path_buf(),
            what,
        }
        .into()),
        None => Ok(handle),
    }
}

/// Size and hash of the file at `path`.
pub(super) fn content(medium: &dyn Medium, path: &Path) -> Result<Content, StoreFault> {
    let mut handle = open(medium, path)?;
    hash_rest(medium, &mut handle)
}

/// Size and hash of what a handle still has to read.
pub(super) fn hash_rest(medium: &dyn Medium, handle: &mut Handle) -> Result<Content, StoreFault> {
    hash_each_chunk(medium, handle, |_| Ok(()))
}

/// Size and hash of bytes in memory.
pub(super) fn content_of(bytes: &[u8]) -> Content {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Content {
        size,
        sha256: Sha256Sum(Sha256::digest(bytes).into()),
    }
}

/// Size and hash of what a handle still has to read, and of `bytes`, both at once.
pub(super) fn hash_both(
    medium: &dyn Medium,
    handle: &mut Handle,
    bytes: &[u8],
) -> Result<(Content, Content), StoreFault> {
    thread::scope(|scope| {
        let beside = Builder::new().spawn_scoped(scope, || content_of(bytes));
        let read = hash_rest(medium, handle)?;
        let beside = beside.ok().and_then(|beside| beside.join().ok());
        Ok((read, beside.unwrap_or_else(|| content_of(bytes))))
    })
}

/// Hands over what a handle still has to read, and tells size and hash of it.
fn hash_each_chunk(
    medium: &dyn Medium,
    handle: &mut Handle,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreFault>,
) -> Result<Content, StoreFault> {
    let mut hash = Sha256::new();
    let size = for_each_chunk(medium, handle, |chunk| {
        hash.update(chunk);
        each(chunk)
    })?;
    let sha256 = Sha256Sum(hash.finalize().into());
    Ok(Content { size, sha256 })
}

/// Hands over what a handle still has to read, and tells the size of it.
fn for_each_chunk(
    medium: &dyn Medium,
    handle: &mut Handle,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreFault>,
) -> Result<u64, StoreFault> {
    let mut buffer = vec![0; CHUNK];
    let mut size = 0_u64;
    loop {
        let count = match medium.read(handle, &mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                let (path, at) = (handle.path.clone(), size);
                return Err(DiskError::Unreadable { path, at, source }.into());
            }
        };
        each(buffer.get(..count).unwrap_or_default())?;
        size = size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

/// Writes all of `bytes`.
pub(super) fn write_all(
    medium: &dyn Medium,
    handle: &mut Handle,
    bytes: &[u8],
) -> Result<(), StoreFault> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = match medium.write(handle, rest.get(..CHUNK).unwrap_or(rest)) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result,
        };
        let count = count.map_err(StoreFault::io("write", &handle.path))?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Creates a file with the security descriptor of `like`, before anything is in it.
pub(super) fn create(
    medium: &dyn Medium,
    path: &Path,
    like: Option<&FileMetadata>,
) -> Result<Handle, StoreFault> {
    let handle = medium
        .create_new(path)
        .map_err(StoreFault::io("create", path))?;
    if let Some(like) = like {
        medium
            .protect(&handle, like)
            .map_err(StoreFault::io("protect", path))?;
    }
    Ok(handle)
}

/// Copies `from` to the new file `to`, makes it durable and checks it against `wanted`.
pub(super) fn copy(
    medium: &dyn Medium,
    from: &Path,
    to: &Path,
    wanted: &Content,
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    let mut source = open(medium, from)?;
    let mut target = create(medium, to, like)?;
    target = seed(medium, target, from)?;
    let found = hash_each_chunk(medium, &mut source, |chunk| {
        write_all(medium, &mut target, chunk)
    })?;
    if found != *wanted {
        return Err(StoreFault::Changed {
            path: from.to_path_buf(),
        });
    }
    medium.sync(&target).map_err(StoreFault::io("sync", to))?;
    read_back(medium, to, wanted)
}

/// Creates `path` with `bytes`, makes it durable and checks it.
pub(super) fn write_new(
    medium: &dyn Medium,
    path: &Path,
    bytes: &[u8],
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    fill(medium, create(medium, path, like)?, bytes)
}

/// As [`write_new`], for bytes whose size and hash are known, and a file that will take the place
/// of `live`.
pub(super) fn write_successor(
    medium: &dyn Medium,
    path: &Path,
    (bytes, wanted): (&[u8], &Content),
    like: &FileMetadata,
    live: &Path,
) -> Result<(), StoreFault> {
    let handle = create(medium, path, Some(like))?;
    let handle = match plain(live)? {
        Some(_) => seed(medium, handle, live)?,
        None => handle,
    };
    // What is read back is compared with the bytes, and these with their hash: that costs no time,
    // for writing waits for the disk.
    let found = thread::scope(|scope| {
        let beside = Builder::new().spawn_scoped(scope, || content_of(bytes));
        fill(medium, handle, bytes)?;
        let beside = beside.ok().and_then(|beside| beside.join().ok());
        Ok::<_, StoreFault>(beside.unwrap_or_else(|| content_of(bytes)))
    })?;
    match found == *wanted {
        true => Ok(()),
        false => Err(not_read_back(path)),
    }
}

fn seed(medium: &dyn Medium, new: Handle, like: &Path) -> Result<Handle, StoreFault> {
    let path = new.path.clone();
    let failed = StoreFault::io("carry the streams over to", &path);
    medium.seed(new, like).map_err(failed)
}

fn fill(medium: &dyn Medium, mut handle: Handle, bytes: &[u8]) -> Result<(), StoreFault> {
    let path = handle.path.clone();
    let path = path.as_path();
    write_all(medium, &mut handle, bytes)?;
    medium.sync(&handle).map_err(StoreFault::io("sync", path))?;
    drop(handle);
    let mut rest = bytes;
    for_each_chunk(medium, &mut open(medium, path)?, |chunk| {
        let (same, left) = rest.split_at_checked(chunk.len()).unwrap_or_default();
        rest = left;
        match same == chunk {
            true => Ok(()),
            false => Err(not_read_back(path)),
        }
    })?;
    match rest.is_empty() {
        true => Ok(()),
        false => Err(not_read_back(path)),
    }
}

fn read_back(medium: &dyn Medium, path: &Path, wanted: &Content) -> Result<(), StoreFault> {
    match content(medium, path)? == *wanted {
        true => Ok(()),
        false => Err(not_read_back(path)),
    }
}

fn not_read_back(path: &Path) -> StoreFault {
    StoreFault::ReadBack {
        path: path.to_path_buf(),
    }
}

/// Gives the file at `path` the metadata `wanted`, compares, and makes it durable.
pub(super) fn carry(
    medium: &dyn Medium,
    path: &Path,
    wanted: &FileMetadata,
) -> Result<(), StoreFault> {
    let handle = open(medium, path)?;
    let tried = medium.set_metadata(&handle, wanted);
    let now = medium
        .metadata(&handle)
        .map_err(StoreFault::io("look at", path))?;
    if let Some(what) = wanted.difference(&now) {
        let (path, source) = (path.to_path_buf(), tried.err());
        return Err(StoreFault::Metadata { path, what, source });
    }
    medium.sync(&handle).map_err(StoreFault::io("sync", path))
}

/// The name under which a small file is written before it takes its place.
pub(super) fn new_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Puts a small file in the place of an older one, so that it is wholly one or the other.
///
/// On NTFS under Linux a power cut can leave it under its new name only, see [`new_name`].
pub(super) fn replace_small(
    medium: &dyn Medium,
    path: &Path,
    bytes: &[u8],
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    let staged = new_name(path);
    remove(medium, &staged)?;
    write_new(medium, &staged, bytes, like)?;
    if plain(path)?.is_some() && on_linux_ntfs(medium, &staged)? {
        // A rename over it would be these two steps too, and leave one more name in between.
        remove(medium, path)?;
    }
    medium
        .rename(&staged, path)
        .map_err(StoreFault::io("rename", &staged))?;
    sync_dir(medium, path.parent().unwrap_or(path))
}

fn on_linux_ntfs(medium: &dyn Medium, path: &Path) -> Result<bool, StoreFault> {
    let handle = open(medium, path)?;
    let metadata = medium.metadata(&handle);
    let metadata = metadata.map_err(StoreFault::io("look at", path))?;
    Ok(metadata.is_on_linux_ntfs())
}

/// Reads a file of at most `longest` bytes.
pub(super) fn read_small(
    medium: &dyn Medium,
    path: &Path,
    longest: u64,
) -> Result<Vec<u8>, StoreFault> {
    let mut handle = open(medium, path)?;
    let mut bytes = Vec::new();
    for_each_chunk(medium, &mut handle, |chunk| {
        bytes.extend_from_slice(chunk);
        match u64::try_from(bytes.len()).is_ok_and(|length| length <= longest) {
            true => Ok(()),
            false => Err(StoreFault::damaged(
                path,
                format!("it is longer than {longest} bytes"),
            )),
        }
    })?;
    Ok(bytes)
}

/// Removes a file; nothing there is as good.
pub(super) fn remove(medium: &dyn Medium, path: &Path) -> Result<(), StoreFault> {
    let is_gone =
        || fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if is_gone() {
        return Ok(());
    }
    match medium.remove_file(path) {
        // After a power cut ntfs-3g removes a name and then stumbles over another one of the file.
        Err(error) if is_failing(&error) && is_gone() => Ok(()),
        result => result.map_err(StoreFault::io("remove", path)),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(medium: &dyn Medium, path: &Path) -> Result<(), StoreFault> {
    medium.sync_dir(path).map_err(StoreFault::io("sync", path))
}
