// SPDX-License-Identifier: GPL-3.0-or-later
//! What the operating system tells of files and volumes, in words that every system has.

use std::io;
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

/// A volume that is to be seen on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its root: a drive, a mount point.
    pub root: PathBuf,
    /// What the system calls that which is mounted there, `/dev/sdb2`; empty where it does not say.
    pub device: String,
    /// Its file system, as the system calls it; empty where it does not say.
    pub file_system: String,
}

/// Why the system does not tell which volumes there are.
#[derive(Debug)]
pub(crate) struct NoList {
    /// The file that has the list.
    pub(crate) path: PathBuf,
    /// What the system says.
    pub(crate) source: io::Error,
}
