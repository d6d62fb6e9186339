// SPDX-License-Identifier: GPL-3.0-or-later
//! Names and hashes as manifests hold them: nothing that leads out of a folder gets past here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::disk::{Folder, Spot};
use crate::text::{Foreign, escape};

/// The manifest's name in its backup folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Longest name that a file system takes, in bytes; NTFS counts 255 UTF-16 units.
const LONGEST_NAME: usize = 255;
/// Longest backup name: a time, a dash and two digits.
const LONGEST_ID: usize = 32;

/// The name of a file in the config folder or in a backup: one component, nothing special.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

impl FileName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file of this name in `folder`.
    pub fn at(&self, folder: &Folder) -> Spot {
        folder.at(&self.0)
    }

    /// The path of this name in a folder, for reading only.
    pub fn in_folder(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }

    /// Whether Windows would take both for one name.
    pub(crate) fn is_like(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// The name of a path's last component.
    pub(crate) fn of(path: &Path) -> Result<Self, BadName> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if path.file_name().is_some_and(|name| name.to_str().is_none()) {
            return Err(BadName {
                name: name.unwrap_or_default().into(),
                why: "is not Unicode",
            });
        }
        Self::try_from(name.unwrap_or_default())
    }
}

impl TryFrom<String> for FileName {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        let special = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
        let why = match name.as_str() {
            "" => "is empty",
            "." | ".." => "leads out of the folder",
            text if text.contains(special) => "has a character that no file name here may have",
            text if text.len() > LONGEST_NAME => "is too long",
            text if text.eq_ignore_ascii_case(MANIFEST) => "is taken by the manifest",
            _ => return Ok(Self(name)),
        };
        let name = name.into();
        Err(BadName { name, why })
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escape(&self.0))
    }
}

/// A name that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("the name {name:?} {why}")]
pub struct BadName {
    /// The name.
    pub name: Foreign,
    /// What is wrong with it, as the rest of a sentence.
    pub why: &'static str,
}

/// A backup's name: the UTC time of its run, as `2026-11-20T10-31-05Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId(String);

impl BackupId {
    /// The name for a run at `now`; `again` counts earlier runs in the same second.
    pub(crate) fn at(now: SystemTime, again: u32) -> Self {
        let time = utc(now).strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
        match again {
            0 => Self(time),
            again => Self(format!("{time}-{again:02}")),
        }
    }

    /// The name as a folder lists it: in lower case on a mount that ignores case.
    pub(crate) fn listed(name: &str) -> Option<Self> {
        Self::try_from(name.to_ascii_uppercase()).ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BackupId {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'T' | b'Z');
        let dated = name.starts_with(|c: char| c.is_ascii_digit());
        if dated && name.len() <= LONGEST_ID && name.bytes().all(plain) {
            return Ok(Self(name));
        }
        let why = "is not a backup's name (like 2026-11-20T10-31-05Z)";
        let name = name.into();
        Err(BadName { name, why })
    }
}

impl From<BackupId> for String {
    fn from(id: BackupId) -> Self {
        id.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The time as the manifest records it: RFC 3339, UTC, whole seconds.
pub(crate) fn utc_text(now: SystemTime) -> String {
    utc(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn utc(now: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for bad in [
            "",
            ".",
            "..",
            "../SYSTEM",
            "a/b",
            "C:\\x",
            "a\\b",
            "SYSTEM:ads",
            "a\0",
            "\u{1b}[2J",
        ] {
            assert!(FileName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(FileName::try_from("Manifest.JSON".to_owned()).is_err());
        assert!(FileName::try_from("x".repeat(256)).is_err());
        assert_eq!(
            FileName::try_from("SYSTEM.LOG1".to_owned())
                .unwrap()
                .as_str(),
            "SYSTEM.LOG1"
        );
    }

    #[test]
    fn backups_are_named_by_their_second() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_170_665_900);
        assert_eq!(BackupId::at(now, 0).as_str(), "2026-11-20T10-31-05Z");
        assert_eq!(BackupId::at(now, 2).as_str(), "2026-11-20T10-31-05Z-02");
        assert!(BackupId::at(now, 0) < BackupId::at(now, 2));
        assert_eq!(utc_text(now), "2026-11-20T10:31:05Z");
        for bad in ["", "..", "../x", "Z", "2026/11", &"1".repeat(33)] {
            assert!(BackupId::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
