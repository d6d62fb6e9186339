// SPDX-License-Identifier: GPL-3.0-or-later
//! Files as the store writes them: new ones only, durable, and read back.

use std::io;
use std::thread::{self, Builder};

use super::read::{CHUNK, content, for_each_chunk, hash_each_chunk, no_longer_than, open, plain};
use crate::disk::{Folder, Spot, is_failing};
use crate::store::error::StoreFault;
use crate::store::medium::{Handle, Medium};
use crate::store::terms::{Content, FileMetadata};

/// Writes all of `bytes`.
pub(crate) fn write_all(
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
pub(crate) fn create(
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
pub(crate) fn copy(
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
pub(crate) fn write_new(
    medium: &dyn Medium,
    spot: &Spot,
    bytes: &[u8],
    like: Option<&FileMetadata>,
) -> Result<(), StoreFault> {
    fill(medium, create(medium, spot, like)?, bytes)
}

/// As [`write_new`], for bytes whose size and hash are known, and a file that will take the place
/// of `live`.
pub(crate) fn write_successor(
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
        let beside = Builder::new().spawn_scoped(scope, || Content::of(bytes));
        fill(medium, handle, bytes)?;
        let beside = beside.ok().and_then(|beside| beside.join().ok());
        Ok::<_, StoreFault>(beside.unwrap_or_else(|| Content::of(bytes)))
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
pub(crate) fn carry(
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
pub(crate) fn new_name(spot: &Spot) -> Spot {
    let mut name = spot.name().to_owned();
    name.push(".new");
    spot.beside(name)
}

/// Puts a small file in the place of an older one, so that it is wholly one or the other.
///
/// On NTFS under Linux a power cut can leave it under its new name only, see [`new_name`].
pub(crate) fn replace_small(
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

/// Removes a file; nothing there is as good.
pub(crate) fn remove(medium: &dyn Medium, spot: &Spot) -> Result<(), StoreFault> {
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
pub(crate) fn sync_dir(medium: &dyn Medium, folder: &Folder) -> Result<(), StoreFault> {
    let synced = medium.sync_dir(folder);
    synced.map_err(StoreFault::io("sync", folder.path()))
}
