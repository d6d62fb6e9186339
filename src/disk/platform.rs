// SPDX-License-Identifier: GPL-3.0-or-later
//! The reads that each operating system spells differently.

use std::path::PathBuf;
use std::time::SystemTime;

/// What tells one file, in one state, from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Bytes.
    pub size: u64,
    /// Last write.
    pub modified: Option<SystemTime>,
    /// The volume, as the system numbers it.
    pub device: u64,
    /// The file on that volume.
    pub file: u64,
}

/// What matters about the volume that holds a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Mounted read-only.
    pub read_only: bool,
    /// Bytes that this user may still write; `None` where it cannot be told.
    pub free: Option<u64>,
}

/// How the volume that holds a folder is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The driver, as the system calls it: `ext4`, `fuseblk`, `ntfs3`.
    pub(crate) file_system: String,
    /// The device, or the image file.
    pub(crate) source: PathBuf,
    /// Where.
    pub(crate) point: PathBuf,
    /// Programs on it get no rights of other users here.
    pub(crate) nosuid: bool,
    /// Device files on it lead to no devices.
    pub(crate) nodev: bool,
}

pub(crate) use imp::{
    OpenFolder, advice, held_by, holder, identity, identity_at, identity_of_spot, is_root, is_same,
    look_at, missing, mount, open_plain, open_spot, places, read_at, running_config, typed, volume,
    volume_of, writable,
};

#[cfg(unix)]
mod imp {
    use std::ffi::OsString;
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};

    use rustix::fs::{
        Access, Dir, Mode, OFlags, StatVfs, StatVfsMountFlags, access, fstatvfs, open, openat,
        statvfs,
    };

    use super::{Identity, Mount, Volume};
    use crate::disk::folder::{Folder, Spot};
    use crate::disk::{DiskError, Place, mountinfo};
    use crate::text::Foreign;

    /// The handle of a folder.
    #[derive(Debug)]
    pub(crate) struct OpenFolder(OwnedFd);

    /// Only to look: whatever has the name, a link itself too.
    const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

    impl OpenFolder {
        /// Opens a folder that a user named.
        pub(crate) fn named(path: &Path) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Self(open(path, flags, Mode::empty())?))
        }

        /// Opens the folder that has a name in an open one, which may be no link.
        pub(crate) fn below(spot: &Spot) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let above = spot.folder().handle();
            match openat(&above.0, spot.name(), flags, Mode::empty()) {
                // That of a link, where only a folder may be.
                Err(rustix::io::Errno::LOOP) => Err(io::ErrorKind::NotADirectory.into()),
                opened => Ok(Self(opened?)),
            }
        }

        /// The same folder once more, with a position and a lock of its own.
        pub(crate) fn again(&self) -> io::Result<File> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(File::from(openat(&self.0, ".", flags, Mode::empty())?))
        }

        pub(crate) fn names(&self, _: &Path) -> io::Result<Vec<OsString>> {
            let mut found = Vec::new();
            for entry in Dir::new(self.again()?)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if !matches!(name.as_slice(), b"." | b"..") {
                    found.push(OsString::from_vec(name));
                }
            }
            Ok(found)
        }

        pub(crate) fn identity(&self, _: &Path) -> io::Result<Identity> {
            Ok(identity_of(&self.again()?.metadata()?))
        }

        /// Nothing: a folder can be removed although it is open.
        pub(crate) fn let_go(&self) {}
    }

    impl AsFd for OpenFolder {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    /// What has a name in an open folder; a link itself.
    pub(crate) fn look_at(spot: &Spot) -> io::Result<Metadata> {
        let above = spot.folder().handle();
        File::from(openat(above, spot.name(), LOOK, Mode::empty())?).metadata()
    }

    /// What tells the file that has a name in an open folder from another.
    pub(crate) fn identity_of_spot(spot: &Spot) -> io::Result<Identity> {
        Ok(identity_of(&look_at(spot)?))
    }

    /// Opens for reading; never through a symbolic link, never waiting for a pipe's other end.
    pub(crate) fn open_spot(spot: &Spot) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let above = spot.folder().handle();
        Ok(File::from(openat(
            above,
            spot.name(),
            flags,
            Mode::empty(),
        )?))
    }

    /// The volume that holds an open folder.
    ///
    /// # Errors
    ///
    /// What `fstatvfs` says.
    pub(crate) fn volume_of(folder: &Folder) -> io::Result<Volume> {
        Ok(volume_from(&fstatvfs(folder.handle())?))
    }

    fn volume_from(found: &StatVfs) -> Volume {
        let block = found.f_frsize.max(1);
        Volume {
            read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
            free: Some(found.f_bavail.saturating_mul(block)),
        }
    }

    /// Reads some bytes at `at` without moving a file position.
    pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(file, buffer, at)
    }

    /// Opens for reading; never through a symbolic link, never waiting for a pipe's other end.
    pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(open(path, flags, Mode::empty())?))
    }

    /// What tells this open file from another.
    pub(crate) fn identity(file: &File) -> io::Result<Identity> {
        Ok(identity_of(&file.metadata()?))
    }

    /// What tells the file at `path`, which is not followed, from another.
    pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
        Ok(identity_of(&fs::symlink_metadata(path)?))
    }

    fn identity_of(metadata: &Metadata) -> Identity {
        Identity {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            device: metadata.dev(),
            file: metadata.ino(),
        }
    }

    /// The volume that holds `path`.
    ///
    /// # Errors
    ///
    /// What `statvfs` says.
    pub(crate) fn volume(path: &Path) -> io::Result<Volume> {
        Ok(volume_from(&statvfs(path)?))
    }

    /// How the volume that holds `folder` is mounted, as far as /proc tells.
    pub(crate) fn mount(folder: &Path) -> Option<Mount> {
        let folder = fs::canonicalize(folder).ok()?;
        mountinfo::mount_of(&fs::read("/proc/self/mountinfo").ok()?, &folder)
    }

    /// Whether this user may do everything.
    pub(crate) fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// Whether this user may make files in `folder`.
    pub(crate) fn writable(folder: &Path) -> io::Result<()> {
        Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
    }

    /// Whether two names lead to one file or folder; `false` where that cannot be told.
    pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
        let place = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
        matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
    }

    /// The path as it was typed.
    pub(crate) fn typed(path: &Path) -> PathBuf {
        path.to_path_buf()
    }

    /// Nothing: what the system says is enough.
    pub(crate) fn advice(_: &Path, _: &io::Error) -> String {
        String::new()
    }

    /// Nothing: what the system says is enough.
    pub(crate) fn missing(_: &Path) -> String {
        String::new()
    }

    /// What is mounted here.
    pub(crate) fn places() -> Result<Vec<Place>, DiskError> {
        let path = Path::new("/proc/self/mountinfo");
        let text = fs::read(path).map_err(|error| DiskError::io("read", path, error))?;
        Ok(mountinfo::parse(&text))
    }

    /// Never: an open file on Unix excludes nobody.
    pub(crate) fn held_by(_: &Path, _: &io::Error) -> Option<String> {
        None
    }

    /// The config folder of the Windows that is running: none here.
    pub(crate) fn running_config() -> Option<PathBuf> {
        None
    }

    /// A process that has `path` open for writing, as far as /proc shows this user.
    pub(crate) fn holder(path: &Path) -> Option<String> {
        let wanted = fs::metadata(path).ok()?;
        let own = std::process::id().to_string();
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let others = processes.filter(|process| {
            let name = process.file_name();
            name != *own
                && name
                    .to_string_lossy()
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
        });
        let holds = |process: &fs::DirEntry| has_open(&process.path(), path, &wanted);
        let process = others.into_iter().find(holds)?;
        let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let name = Foreign::from(name.trim());
        let number = process.file_name().to_string_lossy().into_owned();
        Some(format!(
            "process {number} ({name}), which has it open for writing: end it first"
        ))
    }

    fn has_open(process: &Path, path: &Path, wanted: &Metadata) -> bool {
        let Ok(handles) = fs::read_dir(process.join("fd")) else {
            return false;
        };
        handles.flatten().any(|handle| {
            // The name is compared first: stat on a foreign handle can hang on a dead mount.
            let named = fs::read_link(handle.path()).ok();
            named.is_some_and(|name| name.file_name() == path.file_name())
                && is_file(&handle.path(), wanted)
                && for_writing(&process.join("fdinfo").join(handle.file_name()))
        })
    }

    fn is_file(handle: &Path, wanted: &Metadata) -> bool {
        fs::metadata(handle)
            .is_ok_and(|found| found.dev() == wanted.dev() && found.ino() == wanted.ino())
    }

    /// Whether the open flags, an octal number, say "for writing".
    fn for_writing(info: &Path) -> bool {
        let text = fs::read_to_string(info).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & 3 != 0)
    }
}

#[cfg(windows)]
#[path = "platform_windows.rs"]
mod imp;

#[cfg(windows)]
pub(crate) use imp::os_error;
