// SPDX-License-Identifier: GPL-3.0-or-later
//! Linux' list of what is mounted: `/proc/self/mountinfo`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::disk::system::facts::{Mount, Place};

/// Most mounts that are looked at.
const LONGEST: usize = 4096;

/// The file systems that may hold somebody's disk, each of them once, from the text of the file.
///
/// That is what a block device or a program in user space (ntfs-3g, dislocker, sshfs) provides; what
/// the kernel makes itself (proc, tmpfs, cgroup, overlay) holds no Windows.
pub(super) fn parse(text: &[u8]) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    let mut places = Vec::new();
    for line in lines(text).filter(Line::may_be_a_disk) {
        // The same file system again, by a bind mount. A file that is bound over another is no place
        // for a Windows folder, and costs one look.
        if seen.insert((line.number, line.root)) {
            places.push(Place {
                root: line.mount.point,
                device: line.mount.source.to_string_lossy().into_owned(),
                file_system: line.mount.file_system,
            });
        }
    }
    places
}

/// How the folder or file at `path`, an absolute path without links, is mounted: of the mounts above
/// it the nearest, and of several in one place the one on top.
pub(super) fn mount_of(text: &[u8], path: &Path) -> Option<Mount> {
    let mounts = lines(text).map(|line| line.mount);
    let above = mounts.filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.components().count())
}

/// A line of the file, as far as it matters.
struct Line<'t> {
    /// The device's number.
    number: &'t [u8],
    /// The part of the device that is mounted.
    root: &'t [u8],
    mount: Mount,
}

fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let lines = text.split(|byte| *byte == b'\n').take(LONGEST);
    lines.filter_map(Line::parse)
}

impl<'t> Line<'t> {
    /// `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn parse(line: &'t [u8]) -> Option<Self> {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let end = fields.iter().position(|field| *field == b"-")?;
        let (number, root, point) = (fields.get(2)?, fields.get(3)?, fields.get(4)?);
        // Of this mount, not of the file system, which may be mounted elsewhere with others.
        let options = fields.get(5).filter(|_| end > 5)?;
        let has = |wanted: &[u8]| options.split(|byte| *byte == b',').any(|one| one == wanted);
        let kind = fields.get(end.checked_add(1)?)?;
        let source = unescape(fields.get(end.checked_add(2)?)?);
        let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
        Some(Self {
            number,
            root,
            mount: Mount {
                file_system: String::from_utf8_lossy(kind).into_owned(),
                source: path(source),
                point: path(unescape(point)),
                nosuid: has(b"nosuid"),
                nodev: has(b"nodev"),
            },
        })
    }

    fn may_be_a_disk(&self) -> bool {
        let kind = &self.mount.file_system;
        let source = self.mount.source.as_os_str().as_bytes();
        source.starts_with(b"/dev/") || kind.starts_with("fuse") || kind.starts_with("ntfs")
    }
}

/// Blank, tab, line feed and backslash are written as a backslash and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, left) = octal(rest).unwrap_or((*first, after));
        bytes.push(byte);
        rest = left;
    }
    bytes
}

fn octal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.strip_prefix(b"\\")?.split_at_checked(3)?;
    let number = u8::from_str_radix(std::ffi::OsStr::from_bytes(digits).to_str()?, 8).ok()?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_found_once_and_the_kernels_own_are_left_out() {
        let text = b"22 28 0:20 / /sys rw - sysfs sysfs rw\n\
            28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
            40 28 8:18 / /mnt/os\\040disk ro shared:2 master:1 - fuseblk /dev/sdb2 ro,user_id=0\n\
            41 28 8:18 / /mnt/again ro - fuseblk /dev/sdb2 ro\n\
            42 28 8:19 / /mnt/\\134x rw - ntfs3 /dev/sdb3 rw\n\
            43 28 0:50 / /run rw - tmpfs tmpfs rw\n\
            bad line\n- x\n\n";
        let found = parse(text);
        let shown: Vec<_> = found
            .iter()
            .map(|place| {
                (
                    place.root.to_str().unwrap(),
                    &*place.device,
                    &*place.file_system,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("/", "/dev/vda1", "ext4"),
                ("/mnt/os disk", "/dev/sdb2", "fuseblk"),
                ("/mnt/\\x", "/dev/sdb3", "ntfs3"),
            ]
        );
    }

    #[test]
    fn a_path_is_on_the_nearest_mount_and_the_one_on_top() {
        let text = b"28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,nosuid,nodev\n\
            40 28 8:18 / /mnt/os\\040disk rw,nosuid,nodev,noatime - fuseblk /dev/sdb2 rw\n\
            41 28 8:18 / /mnt/again rw,nodev shared:2 master:1 - fuseblk /dev/sdb2 rw\n\
            42 28 8:19 / /mnt/\xff rw - ntfs3 /dev/sdb\xff rw\n\
            43 28 8:20 / /mnt/twice rw,nosuid,nodev - ext4 /dev/below rw\n\
            44 43 8:21 / /mnt/twice rw,nosuid - ext4 /dev/above rw\n\
            45 28 0:99 / - ext4 /dev/short rw\n";
        let of = |path: &[u8]| {
            let mount = mount_of(text, Path::new(std::ffi::OsStr::from_bytes(path))).unwrap();
            let source = mount.source.as_os_str().as_bytes().to_vec();
            (source, mount.nosuid, mount.nodev)
        };
        assert_eq!(of(b"/home/x"), (b"/dev/vda1".to_vec(), false, false));
        assert_eq!(
            of(b"/mnt/os disk/Windows"),
            (b"/dev/sdb2".to_vec(), true, true)
        );
        assert_eq!(
            of(b"/mnt/os diskette"),
            (b"/dev/vda1".to_vec(), false, false)
        );
        assert_eq!(of(b"/mnt/again"), (b"/dev/sdb2".to_vec(), false, true));
        assert_eq!(of(b"/mnt/\xff/W"), (b"/dev/sdb\xff".to_vec(), false, false));
        assert_eq!(of(b"/mnt/twice/W"), (b"/dev/above".to_vec(), true, false));
        assert!(mount_of(b"", Path::new("/")).is_none());
    }
}
