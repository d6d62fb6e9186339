// SPDX-License-Identifier: GPL-3.0-or-later
//! Files as the store reads them: plain ones only, whole, and told by size and hash.

use std::fs::Metadata;
use std::io;
use std::thread::{self, Builder};

use sha2::{Digest, Sha256};

use crate::disk::{DiskError, Folder, Identity, LARGEST_HIVE, Spot, not_a_file};
use crate::store::error::StoreFault;
use crate::store::medium::{Handle, Medium};
use crate::store::terms::{Content, Sha256Sum};
use crate::store::trust::{Role, Site};

/// Bytes read or written at once.
pub(crate) const CHUNK: usize = 1 << 20;

/// What has this name, without following a link: `None` for nothing.
///
/// # Errors
///
/// A link, folder or device is refused.
pub(crate) fn plain(spot: &Spot) -> Result<Option<Metadata>, StoreFault> {
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
pub(crate) fn identity(spot: &Spot) -> Result<Option<Identity>, StoreFault> {
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
pub(crate) fn folder(spot: &Spot) -> Result<Option<Folder>, StoreFault> {
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
pub(crate) fn open(medium: &dyn Medium, spot: &Spot) -> Result<Handle, StoreFault> {
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
pub(crate) fn content(medium: &dyn Medium, spot: &Spot) -> Result<Content, StoreFault> {
    let mut handle = open(medium, spot)?;
    hash_rest(medium, &mut handle)
}

/// Which of these contents the file of this name has, if one of them.
///
/// A file whose size is none of theirs is not read, however long it is; nor is one of a size that no
/// hive has, whatever a record says.
pub(crate) fn content_among(
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
pub(crate) fn is(medium: &dyn Medium, spot: &Spot, wanted: &Content) -> Result<bool, StoreFault> {
    Ok(content_among(medium, spot, &[*wanted])?.is_some())
}

/// Counts what was read; a file that has become longer in the meantime is not read to its end.
pub(crate) fn no_longer_than(
    size: u64,
    read: &mut u64,
    chunk: &[u8],
    spot: &Spot,
) -> Result<(), StoreFault> {
    *read = read.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    match *read <= size {
        true => Ok(()),
        false => Err(StoreFault::Changed {
            path: spot.path().to_path_buf(),
        }),
    }
}

/// Size and hash of what a handle still has to read.
pub(crate) fn hash_rest(medium: &dyn Medium, handle: &mut Handle) -> Result<Content, StoreFault> {
    hash_each_chunk(medium, handle, |_| Ok(()))
}

/// Size and hash of what a handle still has to read, and of `bytes`, both at once.
pub(crate) fn hash_both(
    medium: &dyn Medium,
    handle: &mut Handle,
    bytes: &[u8],
) -> Result<(Content, Content), StoreFault> {
    thread::scope(|scope| {
        let beside = Builder::new().spawn_scoped(scope, || Content::of(bytes));
        let read = hash_rest(medium, handle)?;
        let beside = beside.ok().and_then(|beside| beside.join().ok());
        Ok((read, beside.unwrap_or_else(|| Content::of(bytes))))
    })
}

/// Hands over what a handle still has to read, and tells size and hash of it.
pub(crate) fn hash_each_chunk(
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
pub(crate) fn for_each_chunk(
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

/// Reads a file of at most `longest` bytes.
pub(crate) fn read_small(
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
pub(crate) fn judge(
    medium: &dyn Medium,
    spot: &Spot,
    role: Role,
    site: &Site,
) -> Result<Option<String>, StoreFault> {
    let bytes = read_small(medium, spot, LARGEST_HIVE)?;
    Ok((site.judge)(role, &bytes).err())
}
