// SPDX-License-Identifier: GPL-3.0-or-later
//! What a file has besides its bytes: owner, mode, times, attributes, security descriptor.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::text::escape;

/// Attributes that say who may read a file, on the file systems that have them.
#[cfg(unix)]
const SECURITY: [&str; 2] = ["system.ntfs_acl", "system.ntfs_security"];

/// 100-nanosecond steps in a second.
#[cfg(unix)]
const STEPS: u64 = 10_000_000;
#[cfg(unix)]
const FROM_1601_TO_1970: i64 = 11_644_473_600;

/// What a file has besides its bytes, as it is recorded, carried over and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMetadata {
    /// Last write.
    pub modified: Stamp,
    /// Last access; carried over, but not compared, as reading changes it.
    pub accessed: Stamp,
    /// Creation, where it can be set: Windows, ntfs-3g.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Stamp>,
    /// The Windows attribute of this name.
    #[serde(default)]
    pub read_only: bool,
    /// Permission bits; Unix.
    #[serde(default)]
    pub mode: u32,
    /// Number of the owner; Unix.
    #[serde(default)]
    pub owner: u32,
    /// Number of the group; Unix.
    #[serde(default)]
    pub group: u32,
    /// Extended attributes by name, values as hex; on NTFS the security descriptor is one. Windows
    /// has its own under names that begin with `windows.`, in every record it makes.
    #[serde(default)]
    pub xattrs: BTreeMap<String, String>,
}

/// What stays with a hive when a new file takes its place, and what does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file system, and its driver where that matters.
    pub file_system: String,
    /// What is carried over and compared, or the new file is not published.
    pub kept: Vec<&'static str>,
    /// What a hive may have besides, and the new file will not.
    pub lost: Vec<&'static str>,
}

/// A time in seconds and nanoseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after that.
    pub nanos: u32,
}

impl FileMetadata {
    /// The first thing in which `other` differs from this, for a sentence.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("owner", self.owner == other.owner),
            ("group", self.group == other.group),
            ("mode", self.mode == other.mode),
            ("read-only attribute", self.read_only == other.read_only),
            ("last write time", self.modified == other.modified),
            ("creation time", self.created == other.created),
        ];
        let plain = pairs.into_iter().find(|(_, same)| !same);
        plain
            .map(|(what, _)| what.to_owned())
            .or_else(|| self.other_attribute(other))
    }

    /// Whether this was recorded under another operating system: each names its own attributes.
    pub(crate) fn is_foreign(&self) -> bool {
        let is_windows = |name: &String| name.starts_with("windows.");
        self.xattrs.keys().any(is_windows) != cfg!(windows)
    }

    fn other_attribute(&self, other: &Self) -> Option<String> {
        let names = self.xattrs.keys().chain(other.xattrs.keys());
        let differs = |name: &&String| self.xattrs.get(*name) != other.xattrs.get(*name);
        let name = names.into_iter().find(differs)?;
        Some(match name.strip_prefix("windows.") {
            Some(name) => escape(name),
            None => format!("extended attribute {}", escape(name)),
        })
    }

    /// Whether the file lies on NTFS under Linux, where renaming it over another is not atomic.
    pub(crate) fn is_on_linux_ntfs(&self) -> bool {
        #[cfg(unix)]
        return self.security().next().is_some();
        #[cfg(not(unix))]
        return false;
    }

    /// The attributes that say who may read the file.
    #[cfg(unix)]
    pub(crate) fn security(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self
            .xattrs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| SECURITY.contains(name))
    }
}

impl Stamp {
    /// The time that is `steps` of 100 nanoseconds after 1601.
    #[cfg(unix)]
    pub(crate) fn from_filetime(steps: u64) -> Self {
        let seconds = i64::try_from(steps / STEPS).unwrap_or(i64::MAX);
        let nanos = u32::try_from(steps % STEPS * 100).unwrap_or(0);
        Self {
            seconds: seconds.saturating_sub(FROM_1601_TO_1970),
            nanos,
        }
    }

    /// 100-nanosecond steps since 1601; `None` before that.
    #[cfg(unix)]
    pub(crate) fn filetime(self) -> Option<u64> {
        let seconds = self.seconds.checked_add(FROM_1601_TO_1970)?;
        let steps = u64::try_from(seconds).ok()?.checked_mul(STEPS)?;
        steps.checked_add(u64::from(self.nanos / 100))
    }

    /// The time as files of this system can have it: in steps of 100 nanoseconds under Windows.
    pub(crate) fn as_kept(self) -> Self {
        let step = if cfg!(windows) { 100 } else { 1 };
        let nanos = self.nanos / step * step;
        Self { nanos, ..self }
    }

    /// The time as std has it; `None` beyond what the system can express.
    pub fn time(self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.seconds.unsigned_abs());
        let whole = if self.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)
        };
        whole?.checked_add(Duration::from_nanos(u64::from(self.nanos)))
    }
}

impl From<SystemTime> for Stamp {
    fn from(time: SystemTime) -> Self {
        let signed = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self {
                seconds: signed(after.as_secs()),
                nanos: after.subsec_nanos(),
            },
            Err(before) => {
                let before = before.duration();
                let whole = before
                    .as_secs()
                    .saturating_add(u64::from(before.subsec_nanos() > 0));
                let nanos = match before.subsec_nanos() {
                    0 => 0,
                    nanos => 1_000_000_000_u32.saturating_sub(nanos),
                };
                Self {
                    seconds: signed(whole).saturating_neg(),
                    nanos,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_go_both_ways_before_and_after_1970() {
        for (seconds, nanos) in [
            (0, 0),
            (5, 700),
            (-5, 700),
            (-1, 999_999_900),
            (-11_644_473_600, 0),
        ] {
            let stamp = Stamp { seconds, nanos };
            assert_eq!(Stamp::from(stamp.time().unwrap()), stamp);
            #[cfg(unix)]
            if nanos % 100 == 0 {
                assert_eq!(Stamp::from_filetime(stamp.filetime().unwrap()), stamp);
            }
        }
        assert_eq!(
            Stamp {
                seconds: i64::MAX,
                nanos: u32::MAX
            }
            .time(),
            None
        );
    }
}
