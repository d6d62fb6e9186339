// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether what lies on an attached disk can have rights on this machine.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::disk::system::{self, Mount};
use crate::text::shown;

/// A mount of somebody's disk that keeps neither programs with another user's rights (`nosuid`) nor
/// device files (`nodev`) from working here, or not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseMount {
    /// Where it is mounted.
    pub point: PathBuf,
    nosuid: bool,
    nodev: bool,
}

/// Tells how the volume that holds `folder` is mounted where this user is root and the mount is not
/// `nosuid,nodev`. Unix only.
pub fn loose_mount(folder: &Path) -> Option<LooseMount> {
    match system::is_root() {
        true => judge(system::mount(folder)?),
        false => None,
    }
}

fn judge(mount: Mount) -> Option<LooseMount> {
    // Copies on this machine's own system volume are no disk that was attached, and that volume needs
    // both.
    let is_own = mount.point == Path::new("/");
    let is_tight = mount.nosuid && mount.nodev;
    (!is_own && !is_tight).then_some(LooseMount {
        point: mount.point,
        nosuid: mount.nosuid,
        nodev: mount.nodev,
    })
}

impl LooseMount {
    /// What is missing.
    fn lacks(&self) -> &'static str {
        match (self.nosuid, self.nodev) {
            (false, false) => "nosuid and nodev",
            (false, true) => "nosuid",
            (true, _) => "nodev",
        }
    }

    /// What mends it. `bind` leaves the file system alone, which ntfs-3g does not let be remounted.
    pub fn command(&self) -> String {
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:=+,@% ".contains(c);
        let point = self
            .point
            .to_str()
            .filter(|text| text.chars().all(is_plain));
        let point = match point {
            Some(text) if text.contains(' ') => format!("'{text}'"),
            Some(text) => text.to_owned(),
            // As it is to be typed, no message can show it.
            None => "MOUNTPOINT".to_owned(),
        };
        format!("mount -o remount,bind,nosuid,nodev {point}")
    }
}

impl fmt::Display for LooseMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (point, lacks) = (shown(&self.point), self.lacks());
        write!(
            f,
            "{point} is mounted without {lacks}, so that a program or device file on that disk can \
             have rights on this machine. Better: {}",
            self.command()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(point: &str, nosuid: bool, nodev: bool) -> Mount {
        Mount {
            file_system: "fuseblk".to_owned(),
            source: PathBuf::from("/dev/sdb2"),
            point: PathBuf::from(point),
            nosuid,
            nodev,
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_mends_it() {
        assert_eq!(judge(mount("/mnt/osdisk", true, true)), None);
        assert_eq!(judge(mount("/", false, false)), None);
        for (nosuid, nodev, lacks) in [
            (false, false, "without nosuid and nodev,"),
            (false, true, "without nosuid,"),
            (true, false, "without nodev,"),
        ] {
            let loose = judge(mount("/mnt/osdisk", nosuid, nodev)).unwrap();
            assert!(loose.to_string().contains(lacks), "{loose}");
            assert_eq!(
                loose.command(),
                "mount -o remount,bind,nosuid,nodev /mnt/osdisk"
            );
        }
        let command = |point: &str| judge(mount(point, false, false)).unwrap().command();
        assert!(command("/mnt/os disk").ends_with(" '/mnt/os disk'"));
        assert!(command("/mnt/$(x)").ends_with(" MOUNTPOINT"));
        assert!(command("/mnt/a\nb").ends_with(" MOUNTPOINT"));
    }
}
