// SPDX-License-Identifier: GPL-3.0-or-later
//! The writes that each operating system spells differently.

pub(crate) use imp::{
    Lock, add_by_name, create_dir, create_new, metadata, protect, rename, seed, set_metadata, sync,
    sync_dir,
};

/// The file that is the lock, where locking a folder takes one: Windows.
pub(crate) const LOCK_FILE: &str = "hivemend.lock";

/// What a lock that is not free means.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has it.
    Taken,
    /// It cannot be had at all.
    Io(std::io::Error),
}

#[cfg(unix)]
mod imp {
    use std::collections::BTreeMap;
    use std::fs::{DirBuilder, File, FileTimes, OpenOptions, Permissions, TryLockError};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    use std::path::Path;

    use rustix::fs::{Advice, XattrFlags, fadvise, fgetxattr, flistxattr, fsetxattr};
    use rustix::io::Errno;

    use super::LockError;
    use crate::store::metadata::{FileMetadata, Stamp};
    use crate::store::names::{hex, unhex};

    /// Longest value and longest list of names that Linux hands out.
    const LONGEST_XATTR: usize = 65_536;
    /// Attributes of ntfs-3g and ntfs3, which no listing shows: descriptor, attributes, creation.
    const UNLISTED: [&str; 5] = [
        "system.ntfs_acl",
        "system.ntfs_attrib",
        "system.ntfs_attrib_be",
        "system.ntfs_crtime_be",
        "system.ntfs_security",
    ];
    /// Attributes that the kernel makes from the content itself.
    const KERNELS_OWN: [&str; 2] = ["security.ima", "security.evm"];

    /// A lock on a config folder, freed by the system when the process ends.
    ///
    /// The folder itself is locked: no lock file is left, and two runs with different backup
    /// folders still exclude each other.
    #[derive(Debug)]
    pub(crate) struct Lock(#[allow(dead_code, reason = "held for its drop")] File);

    impl Lock {
        pub(crate) fn take(config: &Path) -> Result<Self, LockError> {
            let folder = File::open(config).map_err(LockError::Io)?;
            match folder.try_lock() {
                Ok(()) => Ok(Self(folder)),
                Err(TryLockError::WouldBlock) => Err(LockError::Taken),
                Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
            }
        }
    }

    /// Creates a file that only its owner may open.
    pub(crate) fn create_new(path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Creates a folder that only its owner may enter, with the descriptor of `like` on NTFS.
    pub(crate) fn create_dir(path: &Path, like: Option<&Path>) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)?;
        match like {
            Some(like) => protect(&File::open(path)?, &metadata(&File::open(like)?)?),
            None => Ok(()),
        }
    }

    /// Makes the names in a folder durable.
    pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Makes a file's content and metadata durable.
    pub(crate) fn sync(file: &File, _: &Path) -> io::Result<()> {
        file.sync_all()?;
        // Dropped from the cache, so that reading it back asks the disk. A hint: where it is not
        // taken, reading back still checks what was written.
        let _ = fadvise(file, 0, None, Advice::DontNeed);
        Ok(())
    }

    /// Nothing: the open file tells everything.
    pub(crate) fn add_by_name(_: &Path, _: &mut FileMetadata) -> io::Result<()> {
        Ok(())
    }

    /// Gives the file `from` the name `to`, in place of the file that has it.
    pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// The new file as it is: what else a file has is listed, and carried over from the list.
    pub(crate) fn seed(new: File, _: &Path, _: &Path) -> io::Result<File> {
        Ok(new)
    }

    pub(crate) fn metadata(file: &File) -> io::Result<FileMetadata> {
        let found = file.metadata()?;
        Ok(FileMetadata {
            modified: Stamp::from(found.modified()?),
            accessed: Stamp::from(found.accessed()?),
            created: None,
            read_only: false,
            mode: found.mode() & 0o7777,
            owner: found.uid(),
            group: found.gid(),
            xattrs: xattrs(file)?,
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
        result
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
}

#[cfg(windows)]
#[path = "platform_windows.rs"]
mod imp;
