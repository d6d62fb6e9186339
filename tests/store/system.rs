// SPDX-License-Identifier: GPL-3.0-or-later
//! What a file is besides its bytes, as far as each system lets a test see it.

#[cfg(unix)]
mod imp {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;

    pub(in crate::store) const EIO: i32 = 5;
    pub(in crate::store) const ENOSPC: i32 = 28;
    pub(in crate::store) const EPERM: i32 = 1;
    pub(in crate::store) const EACCES: i32 = 13;
    pub(in crate::store) const EROFS: i32 = 30;
    /// What says that there are no hard links.
    pub(in crate::store) const NO_LINKS: [i32; 2] = [EPERM, 18]; // and EXDEV

    const TAG: &str = "user.hivemend-test";

    /// Which file of its volume an open one is.
    pub(in crate::store) fn number_of(file: &File) -> u64 {
        file.metadata().unwrap().ino()
    }

    /// Which volume a folder is on.
    pub(in crate::store) fn volume_of(folder: &Path) -> u64 {
        fs::metadata(folder).unwrap().dev()
    }

    /// Who may do what, and whose it is.
    pub(in crate::store) fn rights_of(path: &Path) -> (u32, u32) {
        let found = fs::symlink_metadata(path).unwrap();
        (found.mode() & 0o7777, found.uid())
    }

    /// Fails where others than the owner may do something.
    pub(in crate::store) fn expect_private(path: &Path) {
        assert_eq!(rights_of(path).0 & 0o077, 0, "{}", path.display());
    }

    /// The mode as this system keeps it.
    pub(in crate::store) fn as_kept(mode: u32) -> u32 {
        mode
    }

    pub(in crate::store) fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Writes to a file in place, as Windows writes to its hives.
    pub(in crate::store) fn overwrite(path: &Path, bytes: &[u8]) {
        fs::write(path, bytes).unwrap();
    }

    /// Gives a file something that is neither bytes nor mode nor time.
    pub(in crate::store) fn tag(file: &File, value: &[u8]) {
        let result = rustix::fs::fsetxattr(file, TAG, value, rustix::fs::XattrFlags::empty());
        if let Err(error) = result {
            eprintln!("skipped: this file system keeps no user.* attributes ({error})");
        }
    }

    pub(in crate::store) fn tag_of(path: &Path) -> Option<Vec<u8>> {
        let mut value = vec![0; 64];
        let length = rustix::fs::lgetxattr(path, TAG, &mut value).ok();
        length.map(|length| value[..length].to_vec())
    }
}

/// Wine has no streams and keeps no descriptors: attribute, bytes and times are what is left.
#[cfg(windows)]
mod imp {
    use std::fs::{self, File};
    use std::path::Path;

    pub(in crate::store) const EIO: i32 = 1117; // ERROR_IO_DEVICE
    pub(in crate::store) const ENOSPC: i32 = 112; // ERROR_DISK_FULL
    pub(in crate::store) const EPERM: i32 = 50; // ERROR_NOT_SUPPORTED
    pub(in crate::store) const EACCES: i32 = 5; // ERROR_ACCESS_DENIED
    pub(in crate::store) const EROFS: i32 = 19; // ERROR_WRITE_PROTECT
    /// What says that there are no hard links: also ERROR_INVALID_FUNCTION, ERROR_NOT_SAME_DEVICE.
    pub(in crate::store) const NO_LINKS: [i32; 3] = [1, EPERM, 17];

    /// Which file of its volume an open one is.
    pub(in crate::store) fn number_of(file: &File) -> u64 {
        let found = winapi_util::file::information(file).unwrap();
        found.file_index()
    }

    /// Which volume a folder is on.
    pub(in crate::store) fn volume_of(folder: &Path) -> u64 {
        let handle = winapi_util::Handle::from_path_any(folder).unwrap();
        let found = winapi_util::file::information(&handle).unwrap();
        found.volume_serial_number()
    }

    /// Whether it may be written.
    pub(in crate::store) fn rights_of(path: &Path) -> (u32, u32) {
        let found = fs::symlink_metadata(path).unwrap();
        let is_read_only = found.is_file() && found.permissions().readonly();
        (if is_read_only { 0o444 } else { 0o666 }, 0)
    }

    /// A file inherits from its folder who may read it: nothing to see here.
    pub(in crate::store) fn expect_private(_: &Path) {}

    /// The mode as this system keeps it.
    pub(in crate::store) fn as_kept(mode: u32) -> u32 {
        if mode & 0o200 == 0 { 0o444 } else { 0o666 }
    }

    pub(in crate::store) fn set_mode(path: &Path, mode: u32) {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        permissions.set_readonly(as_kept(mode) == 0o444);
        fs::set_permissions(path, permissions).unwrap();
    }

    /// Writes to a file in place, as Windows writes to its hives.
    pub(in crate::store) fn overwrite(path: &Path, bytes: &[u8]) {
        let mode = rights_of(path).0;
        set_mode(path, 0o666);
        fs::write(path, bytes).unwrap();
        set_mode(path, mode);
    }

    pub(in crate::store) fn tag(_: &File, _: &[u8]) {}

    pub(in crate::store) fn tag_of(_: &Path) -> Option<Vec<u8>> {
        None
    }
}

pub(super) use imp::*;
