// SPDX-License-Identifier: GPL-3.0-or-later
//! Linux' list of what is mounted: `/proc/self/mountinfo`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::places::Place;

/// Most mounts that are looked at.
const LONGEST: usize = 4096;

/// The file systems that may hold somebody's disk, each of them once, from the text of the file.
///
/// That is what a block device or a program in user space (ntfs-3g, dislocker, sshfs) provides; what
/// the kernel makes itself (proc, tmpfs, cgroup, overlay) holds no Windows.
pub(super) fn parse(text: &[u8]) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    let mut places = Vec::new();
    for line in text.split(|byte| *byte == b'\n').take(LONGEST) {
        let Some((what, place)) = parse_line(line) else {
            continue;
        };
        // The same file system again, by a bind mount.
        if seen.insert(what) {
            places.push(place);
        }
    }
    places
}

/// A device's number and the part of it that is mounted.
type Mounted = (Vec<u8>, Vec<u8>);

/// `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse_line(line: &[u8]) -> Option<(Mounted, Place)> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let end = fields.iter().position(|field| *field == b"-")?;
    let (number, root, point) = (fields.get(2)?, fields.get(3)?, fields.get(4)?);
    let kind = fields.get(end.checked_add(1)?)?;
    let device = unescape(fields.get(end.checked_add(2)?)?);
    let kind = String::from_utf8_lossy(kind).into_owned();
    if !device.starts_with(b"/dev/") && !kind.starts_with("fuse") && !kind.starts_with("ntfs") {
        return None;
    }
    let place = Place {
        root: PathBuf::from(OsString::from_vec(unescape(point))),
        device: OsString::from_vec(device).to_string_lossy().into_owned(),
        file_system: kind,
    };
    // A file that is bound over another is no place for a Windows folder, and costs one look.
    Some(((number.to_vec(), root.to_vec()), place))
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
}
