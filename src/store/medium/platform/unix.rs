// SPDX-License-Identifier: GPL-3.0-or-later
//! The writes as Unix spells them.

use std::collections::BTreeMap;
use std::fs::{File, FileTimes, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::{
    Advice, AtFlags, Mode, OFlags, XattrFlags, fadvise, fgetxattr, flistxattr, fsetxattr, linkat,
    mkdirat, openat, renameat, unlinkat,
};
use rustix::io::Errno;

use crate::disk::{Folder, Spot};
use crate::store::medium::platform::LockError;
use crate::store::terms::{FileMetadata, Kept, Stamp, hex, unhex};
use crate::text::escape;

/// Longest value and longest list of names that Linux hands out.
const LONGEST_XATTR: usize = 65_536;
/// Attributes of ntfs-3g and ntfs3, which no listing shows: descriptor, attributes, what
/// Linux programs under Windows keep. Those that end in `_be` are the same number for both.
const UNLISTED: [&str; 5] = [
    "system.ntfs_acl",
    "system.ntfs_attrib",
    "system.ntfs_attrib_be",
    "system.ntfs_ea",
    "system.ntfs_security",
];
/// Times as ntfs-3g keeps them: creation, last write, last access, last change of the record;
/// each counts 100-nanosecond steps since 1601, big-endian.
const NTFS_TIMES: &str = "system.ntfs_times_be";
/// Attributes that the kernel makes from the content itself.
const KERNELS_OWN: [&str; 2] = ["security.ima", "security.evm"];

/// What a file system without hard links answers, where std has no word for it. (FAT under Linux
/// answers "not permitted".)
pub(crate) const NO_LINKS: [i32; 0] = [];

/// A lock on a config folder, freed by the system when the process ends.
///
/// The folder itself is locked: no lock file is left, and two runs with different backup
/// folders still exclude each other.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough where a process was just being started: until it has become
        // another program it has the same open folder, and so the lock.
        let _ = self.0.unlock();
    }
}

impl Lock {
    pub(crate) fn take(config: &Folder) -> Result<Self, LockError> {
        let folder = config.handle().again().map_err(LockError::Io)?;
        match folder.try_lock() {
            Ok(()) => Ok(Self(folder)),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

/// Creates a file that only its owner may open.
pub(crate) fn create_new(spot: &Spot) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let opened = openat(spot.folder().handle(), spot.name(), flags, mode)?;
    Ok(File::from(opened))
}

/// Creates a folder that only its owner may enter, with the descriptor of `like` on NTFS.
pub(crate) fn create_dir(spot: &Spot, like: Option<&Folder>) -> io::Result<()> {
    mkdirat(spot.folder().handle(), spot.name(), Mode::RWXU)?;
    let Some(like) = like else {
        return Ok(());
    };
    let made = spot.open_folder()?.handle().again()?;
    protect(&made, &metadata(&like.handle().again()?)?)
}

/// Removes an empty folder.
pub(crate) fn remove_dir(spot: &Spot) -> io::Result<()> {
    let folder = spot.folder().handle();
    Ok(unlinkat(folder, spot.name(), AtFlags::REMOVEDIR)?)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(folder: &Folder) -> io::Result<()> {
    folder.handle().again()?.sync_all()
}

/// Gives a file a second name; a link is given one itself, and is not followed.
pub(crate) fn link(file: &Spot, link: &Spot) -> io::Result<()> {
    let (from, to) = (file.folder().handle(), link.folder().handle());
    let flags = AtFlags::empty();
    Ok(linkat(from, file.name(), to, link.name(), flags)?)
}

/// Makes a file's content and metadata durable.
pub(crate) fn sync(file: &File, _: &Path) -> io::Result<()> {
    file.sync_all()?;
    // Dropped from the cache, so that reading it back asks the disk. A hint: where it is not
    // taken, reading back still checks what was written.
    let _ = fadvise(file, 0, None, Advice::DontNeed);
    Ok(())
}

/// Removes a file's name.
pub(crate) fn remove_file(spot: &Spot) -> io::Result<()> {
    let folder = spot.folder().handle();
    Ok(unlinkat(folder, spot.name(), AtFlags::empty())?)
}

/// Nothing: the open file tells everything.
pub(crate) fn add_by_name(_: &Path, _: &mut FileMetadata) -> io::Result<()> {
    Ok(())
}

/// Gives the file `from` the name `to`, in place of the file that has it.
pub(crate) fn rename(from: &Spot, to: &Spot) -> io::Result<()> {
    let (old, new) = (from.folder().handle(), to.folder().handle());
    Ok(renameat(old, from.name(), new, to.name())?)
}

/// The new file as it is: what else a file has is listed, and carried over from the list.
pub(crate) fn seed(new: File, _: &Path, _: &Path) -> io::Result<File> {
    Ok(new)
}

pub(crate) fn metadata(file: &File) -> io::Result<FileMetadata> {
    let found = file.metadata()?;
    let (modified, accessed) = (found.modified()?, found.accessed()?);
    // What the kernel says of an ntfs-3g file may be what it was asked for, not what is there.
    let ([modified, accessed], created) = match ntfs_times(file)? {
        Some([created, modified, accessed]) => ([modified, accessed], Some(created)),
        None => ([modified, accessed].map(Stamp::from), None),
    };
    Ok(FileMetadata {
        modified,
        accessed,
        created,
        read_only: false,
        mode: found.mode() & 0o7777,
        owner: found.uid(),
        group: found.gid(),
        xattrs: xattrs(file)?,
    })
}

/// Which file this is on its volume, and how many names that volume says it has.
pub(crate) fn links(found: &Metadata) -> Option<(u64, u64)> {
    Some((found.ino(), found.nlink()))
}

/// What belongs to a hive's file and would be lost if another took its place, for a sentence.
pub(crate) fn would_lose(file: &File) -> io::Result<Option<String>> {
    // Where Windows keeps a short name besides, NTFS counts that as a link.
    let short_name = match xattr(file, "system.ntfs_dos_name") {
        // ntfs-3g tells it of a file with one name only.
        Err(error) if error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) => None,
        found => found?,
    };
    let names = 1 + u64::from(short_name.is_some());
    let links = file.metadata()?.nlink();
    if links > names {
        return Ok(Some(format!(
            "it has {links} names (hard links), and the others would keep the old content: \
             find them (find DISK -samefile FILE) and remove them, or copy the hive"
        )));
    }
    if xattr(file, "system.ntfs_reparse_data")?.is_some() {
        return Ok(Some("it is a reparse point, not a plain file".to_owned()));
    }
    if !on_ntfs_3g(file)? {
        return Ok(None);
    }
    Ok(match streams(file)? {
        Streams::AsAttributes => long_stream(file)?,
        Streams::Listed(names) if names.is_empty() => None,
        Streams::Listed(names) => Some(format!(
            "it has alternate data streams ({}), which would be lost: mount the volume with \
             streams_interface=xattr, ntfs-3g's default, and they are carried over",
            escape(&names)
        )),
        Streams::Hidden => Some(
            "the volume is mounted with streams_interface=none, so that alternate data streams \
             of the hive would be lost unseen: mount it without that option"
                .to_owned(),
        ),
    })
}

/// How ntfs-3g shows alternate data streams.
enum Streams {
    /// As attributes named `user.*`, which are carried over as such.
    AsAttributes,
    /// By this list of their names.
    Listed(String),
    /// Not at all.
    Hidden,
}

fn on_ntfs_3g(file: &File) -> io::Result<bool> {
    Ok(xattr(file, "system.ntfs_acl")?.is_some())
}

fn streams(file: &File) -> io::Result<Streams> {
    if let Some(list) = xattr(file, "ntfs.streams.list")? {
        let names = list.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        return Ok(Streams::Listed(names.join(", ")));
    }
    // A name that is not there is "no data" where there are such names, and else unknown.
    let mut nothing = [0; 1];
    Ok(
        match fgetxattr(file, "user.hivemend-no-such-stream", &mut nothing[..]) {
            Err(Errno::OPNOTSUPP) => Streams::Hidden,
            _ => Streams::AsAttributes,
        },
    )
}

/// A stream that is longer than Linux hands out as an attribute.
fn long_stream(file: &File) -> io::Result<Option<String>> {
    for name in listed(file)? {
        let mut value = vec![0; LONGEST_XATTR];
        if let Err(Errno::TOOBIG | Errno::RANGE) = fgetxattr(file, &name, &mut value) {
            let name = escape(&name);
            return Ok(Some(format!(
                "its alternate data stream {name} is longer than 64 KiB, which Linux cannot \
                 carry over, and would be lost: save it and remove it first"
            )));
        }
    }
    Ok(None)
}

/// What is kept with a hive that is replaced, and what is not.
pub(crate) fn kept(file: &File, file_system: &str) -> io::Result<Kept> {
    let has = |name| xattr(file, name).map(|value| value.is_some());
    let has_xattrs = !matches!(flistxattr(file, &mut [0; 1][..]), Err(Errno::OPNOTSUPP));
    let (name, kept, lost): (&str, &[&'static str], &[&'static str]) = if has("system.ntfs_acl")? {
        (
            "NTFS (ntfs-3g)",
            &[
                "security descriptor",
                "attributes",
                "creation and last write time",
                "alternate data streams",
                "owner",
                "group",
                "mode",
            ],
            &["object id", "short name (8.3)"],
        )
    } else if has("system.ntfs_security")? {
        (
            "NTFS (ntfs3)",
            &[
                "security descriptor",
                "attributes",
                "last write time",
                "owner",
                "group",
                "mode",
            ],
            &["creation time", "alternate data streams", "object id"],
        )
    } else if has_xattrs {
        (
            file_system,
            &[
                "owner",
                "group",
                "mode",
                "last write time",
                "extended attributes",
            ],
            &["creation time"],
        )
    } else {
        (
            file_system,
            &["last write time", "what there is of owner, group and mode"],
            &["creation time", "attributes", "security descriptor"],
        )
    };
    Ok(Kept {
        file_system: name.to_owned(),
        kept: kept.to_vec(),
        lost: lost.to_vec(),
    })
}

/// Sets what differs. Every part is tried; the caller compares and so judges a failure.
pub(crate) fn set_metadata(file: &File, _: &Path, wanted: &FileMetadata) -> io::Result<()> {
    let now = metadata(file)?;
    let mut result = Ok(());
    // Owner first: changing it clears mode bits. Times last: the rest may touch them.
    if (now.owner, now.group) != (wanted.owner, wanted.group) {
        result = result.and(fchown(file, Some(wanted.owner), Some(wanted.group)));
    }
    if now.mode != wanted.mode {
        result = result.and(file.set_permissions(Permissions::from_mode(wanted.mode)));
    }
    for (name, value) in &wanted.xattrs {
        result = result.and(set_xattr(file, name, value));
    }
    if let (Some(modified), Some(accessed)) = (wanted.modified.time(), wanted.accessed.time()) {
        let times = FileTimes::new()
            .set_modified(modified)
            .set_accessed(accessed);
        result = result.and(file.set_times(times));
    }
    if let Some(created) = wanted.created {
        result = result.and(set_ntfs_times(
            file,
            [created, wanted.modified, wanted.accessed],
        ));
    }
    result
}

/// Creation, last write and last access, where ntfs-3g tells them.
fn ntfs_times(file: &File) -> io::Result<Option<[Stamp; 3]>> {
    let Some(bytes) = xattr(file, NTFS_TIMES)? else {
        return Ok(None);
    };
    let (times, _) = bytes.as_chunks::<8>();
    let stamp = |time: &[u8; 8]| Stamp::from_filetime(u64::from_be_bytes(*time));
    match times {
        [created, modified, accessed, ..] => Ok(Some([created, modified, accessed].map(stamp))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Sets all three in one step: after one was set alone, ntfs-3g takes `utimensat`, says yes and
/// does nothing (its flag `TimesSet`).
fn set_ntfs_times(file: &File, times: [Stamp; 3]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for time in times {
        let time = time.filetime().ok_or(io::ErrorKind::InvalidInput)?;
        bytes.extend(time.to_be_bytes());
    }
    Ok(fsetxattr(file, NTFS_TIMES, &bytes, XattrFlags::empty())?)
}

/// Gives a new file or folder the security descriptor of `like`, where that has one.
pub(crate) fn protect(file: &File, like: &FileMetadata) -> io::Result<()> {
    like.security().try_for_each(|(name, value)| {
        set_xattr(file, name, value)?;
        match xattr(file, name)? {
            Some(found) if hex(&found) == value => Ok(()),
            _ => Err(io::Error::other(format!("{name} was not taken over"))),
        }
    })
}

fn set_xattr(file: &File, name: &str, value: &str) -> io::Result<()> {
    if xattr(file, name)?.is_some_and(|now| hex(&now) == value) {
        return Ok(());
    }
    let value = unhex(value).ok_or(io::ErrorKind::InvalidData)?;
    Ok(fsetxattr(file, name, &value, XattrFlags::empty())?)
}

fn xattrs(file: &File) -> io::Result<BTreeMap<String, String>> {
    let mut names = listed(file)?;
    names.extend(UNLISTED.map(str::to_owned));
    let mut found = BTreeMap::new();
    for name in names {
        if let Some(value) = xattr(file, &name)? {
            found.insert(name, hex(&value));
        }
    }
    Ok(found)
}

fn listed(file: &File) -> io::Result<Vec<String>> {
    let mut list = vec![0; LONGEST_XATTR];
    let length = match flistxattr(file, &mut list) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let list = list.get(..length).unwrap_or_default();
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let names = names.map(|name| {
        let name = str::from_utf8(name).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(name.to_owned())
    });
    let names: io::Result<Vec<String>> = names.collect();
    Ok(names?
        .into_iter()
        .filter(|name| !KERNELS_OWN.contains(&name.as_str()))
        .collect())
}

fn xattr(file: &File, name: &str) -> io::Result<Option<Vec<u8>>> {
    // Not asked for its size first: rustix answers 0 to an empty buffer, and a value read as
    // empty would be carried over and compared as empty.
    let mut value = vec![0; LONGEST_XATTR];
    match fgetxattr(file, name, &mut value) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
