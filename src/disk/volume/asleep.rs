// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether the Windows on a disk sleeps: its memory is in `hiberfil.sys` and will come back.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::entries::entries;
use super::error::DiskError;
use super::hibernation::Hibernation;
use super::target::Target;

impl Target {
    /// What `hiberfil.sys` at the volume's root says; `None` where it says nothing, is missing, or
    /// the root is not known.
    ///
    /// # Errors
    ///
    /// Where the file is there and cannot be read.
    pub fn hibernation(&self) -> Result<Option<Hibernation>, DiskError> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        for file in entries(root, &["hiberfil.sys"])? {
            if !file.kind.is_file() {
                continue;
            }
            let failed = |error| DiskError::io("read", &file.path, error);
            let mut signature = [0; 4];
            let read = File::open(&file.path).and_then(|mut open| open.read(&mut signature));
            read.map_err(failed)?;
            if let Some(found) = Hibernation::from_signature(signature) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether the registry's transaction manager wrote to its logs (`config\\TxR`) after the hive at
    /// `hive` was last written: then Windows may still carry out transactions in it. Nearly every Windows
    /// has such logs; when it is shut down, the hives are written last.
    ///
    /// # Errors
    ///
    /// Where the folder is there and cannot be listed, or a time cannot be read.
    pub fn has_transactions_since(&self, hive: &Path) -> Result<bool, DiskError> {
        let time = |path: &Path| {
            let data = std::fs::symlink_metadata(path);
            let time = data.and_then(|data| data.modified());
            time.map_err(|error| DiskError::io("read", path, error))
        };
        let written = time(hive)?;
        for folder in entries(&self.config, &["TxR"])? {
            if !folder.kind.is_dir() {
                continue;
            }
            let failed = |error| DiskError::io("list", &folder.path, error);
            for log in std::fs::read_dir(&folder.path).map_err(failed)? {
                if time(&log.map_err(failed)?.path())? > written {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn disk(hiberfile: Option<&[u8]>) -> (tempfile::TempDir, Target) {
        let disk = tempfile::tempdir().unwrap();
        let config = disk.path().join("Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("SYSTEM"), b"regf").unwrap();
        if let Some(bytes) = hiberfile {
            fs::write(disk.path().join("hiberfil.sys"), bytes).unwrap();
        }
        let target = Target::find(disk.path()).unwrap();
        (disk, target)
    }

    #[test]
    fn each_signature_is_known_in_both_cases() {
        for (bytes, expected) in [
            (&b"hibr...."[..], Some(Hibernation::Asleep)),
            (b"HIBR", Some(Hibernation::Asleep)),
            (b"RSTR", Some(Hibernation::Waking)),
            (b"wake", Some(Hibernation::Awake)),
            (&[0; 4096], None),
            (b"", None),
            (b"hi", None),
        ] {
            let (_disk, target) = disk(Some(bytes));
            assert_eq!(target.hibernation().unwrap(), expected, "{bytes:?}");
        }
        assert_eq!(disk(None).1.hibernation().unwrap(), None);
    }

    #[test]
    fn transaction_logs_newer_than_a_hive_are_seen_in_any_spelling() {
        let (_disk, target) = disk(None);
        let hive = target.config.join("SYSTEM");
        fs::write(&hive, b"regf").unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        let newer = || target.has_transactions_since(&hive).unwrap();
        assert!(!newer());
        fs::create_dir(target.config.join("txr")).unwrap();
        assert!(!newer());
        let log = target.config.join("txr/{x}.TM.blf");
        fs::write(&log, b"").unwrap();
        let log = File::options().write(true).open(&log).unwrap();
        log.set_modified(later).unwrap();
        assert!(newer());
    }
}
