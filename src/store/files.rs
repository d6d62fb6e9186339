// SPDX-License-Identifier: GPL-3.0-or-later
//! What the runs are made of: hash, copy, stage, replace a small file.

use std::fs::Metadata;
use std::io;
use std::thread::{self, Builder};

use sha2::{Digest, Sha256};

use super::error::StoreFault;
use super::manifest::Content;
use super::medium::{Handle, Medium};
use super::metadata::FileMetadata;
use super::names::Sha256Sum;
use super::site::{Role, Site};
use crate::disk::{DiskError, Folder, Identity, LARGEST_HIVE, Spot, is_failing, not_a_file};

/// Bytes read or written at once.
const CHUNK: usize = 1 << 20;

/// What has this name, without following a link: `None` for nothing.
///
/// # Errors
///
/// A link, folder or device is refused.
pub(super) fn plain(spot: &Spot) -> Result<Option<Metadata>, StoreFault> {
    let found = spot.look();
    let Some(found) = found.map_err(StoreFault::io("look at", spot.path()))? else {
        return Ok(None);
    };
    match not_a_file(found.file_type()) {
        Some(what) => Err(not_plain(spot, what)),
        None => Ok(Some(found)),
    }
}

fn not_plain(spot: &Spot, what: &'static str) -> StoreFault {
    let path = spot.path().to_path_buf();
    DiskError::NotAFile { path, what }.into()
}

/// What tells the plain file of this name from another: `None` for nothing.
///
/// # Errors
///
/// As [`plain`].
pub(super) fn identity(spot: &Spot) -> Result<Option<Identity>, StoreFault> {
    match plain(spot)? {
        None => Ok(None),
        Some(_) => match spot.identity() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found
                .map(Some)
                .map_err(StoreFault::io("look at", spot.path())),
        },
    }
}

/// The folder of this name, opened; `None` for nothing there, a link or file is refused.
pub(super) fn folder(spot: &Spot) -> Result<Option<Folder>, StoreFault> {
    let path = spot.path();
    match spot.open_folder() {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let why = "this is not a folder; hivemend does not follow links or replace other files";
            Err(StoreFault::damaged(path, why))
        }
        Err(error) => Err(StoreFault::io("open", path)(error)),
    }
}

/// Opens a plain file for reading.
pub(super) fn open(medium: &dyn Medium, spot: &Spot) -> Result<Handle, StoreFault> {
    plain(spot)?;
    let handle = medium
        .open(spot)
        .map_err(StoreFault::io("open", spot.path()))?;
    // Asked again of the handle: the name may have been given to something else meanwhile.
    let found = handle.file.metadata();
    let found = found.map_err(StoreFault::io("look at", spot.path()))?;
    match not_a_file(found.file_type()) {
        Some(what) => Err(not_plain(spot, what)),
        None => Ok(handle),
    }
}

/// Size and hash of the file of this name.
pub(super) fn content(medium: &dyn Medium, spot: &Spot) -> Result<Content, StoreFault> {
    let mut handle = open(medium, spot)?;
    hash_rest(medium, &mut handle)
}

/// Which of these contents the file of this name has, if one of them.
///
/// A file whose size is none of theirs is not read, however long it is; nor is one of a size that no
/// hive has, whatever a record says.
pub(super) fn content_among(
    medium: &dyn Medium,
    spot: &Spot,
    wanted: &[Content],
) -> Result<Option<Content>, StoreFault> {
    let mut handle = open(medium, spot)?;
    let found = handle.file.metadata();
    let size = found.map_err(StoreFault::io("look at", spot.path()))?.len();
    if size > LARGEST_HIVE || wanted.iter().all(|content| content.size != size) {
        return Ok(None);
    }
    let mut read = 0;
    let found = hash_each_chunk(medium, &mut handle, |chunk| {
        no_longer_than(size, &mut read, chunk, spot)
    })?;
    Ok(Some(found).filter(|found| wanted.contains(found)))
}

/// Whether the file of this name has this content: see [`content_among`].
pub(super) fn is(medium: &dyn Medium, spot: &Spot, wanted: &Content) -> Result<bool, StoreFault> {
    Ok(content_among(medium, spot, &[*wanted])?.is_some())
}

/// Counts what was read; a file that has become longer in the meantime is not read to its end.
fn no_longer_than(size: u64, read: &mut u64, chunk: &[u8], spot: &Spot) -> Result<(), StoreFault> {
    *read = read.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    match *read <= size {
        true => Ok(()),
        false => Err(StoreFault::Changed {
            path: spot.path().to_path_buf(),
        }),
    }
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
                let (path, at) = (handle.spot.path().to_path_buf(), size);
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
        let count = count.map_err(StoreFault::io("write", handle.spot.path()))?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Creates a file with the security descriptor of `like`, before anything is in it.
pub(super) fn create(
    medium: &dyn Medium,
    spot: &Spot,
    like: Option<&FileMetadata>,
) -> Result<Handle, StoreFault> {
    let handle = medium
        .create_new(spot)
        .map_err(StoreFault::io("create", spot.path()))?;
    if let Some(like) = like {
        medium
            .protect(&handle, like)
            .map_err(StoreFault::io("protect", spot.path()))?;
    }
    Ok(handle)
}

/// Copies `from` to the new file `to`, makes it durable and checks it against `wanted`.
pub(super) fn copy(
    medium: &dyn Medium,
    from: &Spot,
    to: &Spot,
    wanted: &Content,
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    let mut source = open(medium, from)?;
    let mut target = create(medium, to, like)?;
    target = seed(medium, target, from)?;
    let mut read = 0;
    let found = hash_each_chunk(medium, &mut source, |chunk| {
        no_longer_than(wanted.size, &mut read, chunk, from)?;
        write_all(medium, &mut target, chunk)
    })?;
    if found != *wanted {
        return Err(StoreFault::Changed {
            path: from.path().to_path_buf(),
        });
    }
    medium
        .sync(&target)
        .map_err(StoreFault::io("sync", to.path()))?;
    read_back(medium, to, wanted)
}

/// Creates `path` with `bytes`, makes it durable and checks it.
pub(super) fn write_new(
    medium: &dyn Medium,
    spot: &Spot,
    bytes: &[u8],
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    fill(medium, create(medium, spot, like)?, bytes)
}

/// As [`write_new`], for bytes whose size and hash are known, and a file that will take the place
/// of `live`.
pub(super) fn write_successor(
    medium: &dyn Medium,
    spot: &Spot,
    (bytes, wanted): (&[u8], &Content),
    like: &FileMetadata,
    live: &Spot,
) -> Result<(), StoreFault> {
    let handle = create(medium, spot, Some(like))?;
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
        false => Err(not_read_back(spot)),
    }
}

fn seed(medium: &dyn Medium, new: Handle, like: &Spot) -> Result<Handle, StoreFault> {
    let spot = new.spot.clone();
    let failed = StoreFault::io("carry the streams over to", spot.path());
    medium.seed(new, like).map_err(failed)
}

fn fill(medium: &dyn Medium, mut handle: Handle, bytes: &[u8]) -> Result<(), StoreFault> {
    let spot = handle.spot.clone();
    let spot = &spot;
    write_all(medium, &mut handle, bytes)?;
    let synced = medium.sync(&handle);
    synced.map_err(StoreFault::io("sync", spot.path()))?;
    drop(handle);
    let mut rest = bytes;
    for_each_chunk(medium, &mut open(medium, spot)?, |chunk| {
        let (same, left) = rest.split_at_checked(chunk.len()).unwrap_or_default();
        rest = left;
        match same == chunk {
            true => Ok(()),
            false => Err(not_read_back(spot)),
        }
    })?;
    match rest.is_empty() {
        true => Ok(()),
        false => Err(not_read_back(spot)),
    }
}

fn read_back(medium: &dyn Medium, spot: &Spot, wanted: &Content) -> Result<(), StoreFault> {
    match content(medium, spot)? == *wanted {
        true => Ok(()),
        false => Err(not_read_back(spot)),
    }
}

fn not_read_back(spot: &Spot) -> StoreFault {
    StoreFault::ReadBack {
        path: spot.path().to_path_buf(),
    }
}

/// Gives the file of this name the metadata `wanted`, compares, and makes it durable.
pub(super) fn carry(
    medium: &dyn Medium,
    spot: &Spot,
    wanted: &FileMetadata,
) -> Result<(), StoreFault> {
    let (handle, path) = (open(medium, spot)?, spot.path());
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
pub(super) fn new_name(spot: &Spot) -> Spot {
    let mut name = spot.name().to_owned();
    name.push(".new");
    spot.beside(name)
}

/// Puts a small file in the place of an older one, so that it is wholly one or the other.
///
/// On NTFS under Linux a power cut can leave it under its new name only, see [`new_name`].
pub(super) fn replace_small(
    medium: &dyn Medium,
    spot: &Spot,
    bytes: &[u8],
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    let staged = new_name(spot);
    remove(medium, &staged)?;
    write_new(medium, &staged, bytes, like)?;
    if plain(spot)?.is_some() && on_linux_ntfs(medium, &staged)? {
        // A rename over it would be these two steps too, and leave one more name in between.
        remove(medium, spot)?;
    }
    let renamed = medium.rename(&staged, spot);
    renamed.map_err(StoreFault::io("rename", staged.path()))?;
    sync_dir(medium, spot.folder())
}

fn on_linux_ntfs(medium: &dyn Medium, spot: &Spot) -> Result<bool, StoreFault> {
    let handle = open(medium, spot)?;
    let metadata = medium.metadata(&handle);
    let metadata = metadata.map_err(StoreFault::io("look at", spot.path()))?;
    Ok(metadata.is_on_linux_ntfs())
}

/// Reads a file of at most `longest` bytes.
pub(super) fn read_small(
    medium: &dyn Medium,
    spot: &Spot,
    longest: u64,
) -> Result<Vec<u8>, StoreFault> {
    let mut handle = open(medium, spot)?;
    let mut bytes = Vec::new();
    for_each_chunk(medium, &mut handle, |chunk| {
        bytes.extend_from_slice(chunk);
        match u64::try_from(bytes.len()).is_ok_and(|length| length <= longest) {
            true => Ok(()),
            false => Err(StoreFault::damaged(
                spot.path(),
                format!("it is longer than {longest} bytes"),
            )),
        }
    })?;
    Ok(bytes)
}

/// Why a file is not what one of this role holds, if so.
///
/// # Errors
///
/// Where it cannot be read.
pub(super) fn judge(
    medium: &dyn Medium,
    spot: &Spot,
    role: Role,
    site: &Site,
) -> Result<Option<String>, StoreFault> {
    let bytes = read_small(medium, spot, LARGEST_HIVE)?;
    Ok((site.judge)(role, &bytes).err())
}

/// Removes a file; nothing there is as good.
pub(super) fn remove(medium: &dyn Medium, spot: &Spot) -> Result<(), StoreFault> {
    let is_gone = || matches!(spot.look(), Ok(None));
    if is_gone() {
        return Ok(());
    }
    match medium.remove_file(spot) {
        // After a power cut ntfs-3g removes a name and then stumbles over another one of the file.
        Err(error) if is_failing(&error) && is_gone() => Ok(()),
        result => result.map_err(StoreFault::io("remove", spot.path())),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(medium: &dyn Medium, folder: &Folder) -> Result<(), StoreFault> {
    let synced = medium.sync_dir(folder);
    synced.map_err(StoreFault::io("sync", folder.path()))
}
