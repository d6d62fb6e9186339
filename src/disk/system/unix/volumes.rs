// SPDX-License-Identifier: GPL-3.0-or-later
//! Volumes as Unix tells of them: by `statvfs`, and by Linux' list of mounts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::mountinfo;
use crate::disk::system::facts::{Mount, NoList, Place, Volume};

const MOUNTS: &str = "/proc/self/mountinfo";

pub(super) fn volume_from(found: &StatVfs) -> Volume {
    let block = found.f_frsize.max(1);
    Volume {
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
        free: Some(found.f_bavail.saturating_mul(block)),
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
    mountinfo::mount_of(&fs::read(MOUNTS).ok()?, &folder)
}

/// What is mounted here.
pub(crate) fn places() -> Result<Vec<Place>, NoList> {
    let text = fs::read(MOUNTS).map_err(|source| NoList {
        path: PathBuf::from(MOUNTS),
        source,
    })?;
    Ok(mountinfo::parse(&text))
}
