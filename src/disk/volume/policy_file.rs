// SPDX-License-Identifier: GPL-3.0-or-later
//! The local group policy's file of an attached Windows.

use std::io::Read;
use std::path::PathBuf;

use super::entries::{entries, folders};
use super::error::DiskError;
use super::plain_file::open_file;
use super::target::Target;

/// Bytes that are read at most. Large published baselines have a few hundred thousand.
const LIMIT: u64 = 4 << 20;

/// The `Registry.pol` of the machine, as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it is.
    pub path: PathBuf,
    /// Every byte of it.
    pub bytes: Vec<u8>,
}

impl Target {
    /// Reads `System32\GroupPolicy\Machine\Registry.pol`, whatever the case of its name; `None`
    /// where there is none or the Windows folder is not known. Symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// [`DiskError::Ambiguous`] where two spellings of it exist, [`DiskError::TooLarge`] above
    /// 4 MiB, and what the system says where it cannot be read.
    pub fn registry_pol(&self) -> Result<Option<PolicyFile>, DiskError> {
        let Some(windows) = &self.windows else {
            return Ok(None);
        };
        let mut places = vec![windows.clone()];
        for name in ["System32", "GroupPolicy", "Machine"] {
            let mut below = Vec::new();
            for place in &places {
                below.extend(folders(place, &[name])?);
            }
            places = below;
        }
        let mut files = Vec::new();
        for place in &places {
            let found = entries(place, &["Registry.pol"])?.into_iter();
            files.extend(found.map(|entry| entry.path));
        }
        let mut files = files.into_iter();
        match (files.next(), files.next()) {
            (Some(first), Some(second)) => Err(DiskError::Ambiguous { first, second }),
            (Some(path), None) => read(path).map(Some),
            _ => Ok(None),
        }
    }
}

fn read(path: PathBuf) -> Result<PolicyFile, DiskError> {
    let file = open_file(&path)?;
    let mut bytes = Vec::new();
    let read = file.take(LIMIT.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| DiskError::io("read", &path, error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LIMIT {
        return Err(DiskError::TooLarge { path, limit: LIMIT });
    }
    Ok(PolicyFile { path, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn disk(files: &[&str]) -> tempfile::TempDir {
        let disk = tempfile::tempdir().unwrap();
        for file in files {
            let path = disk.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        disk
    }

    fn target(disk: &Path) -> Target {
        Target::find(disk).unwrap()
    }

    #[test]
    fn is_found_whatever_the_case_of_its_path() {
        for pol in [
            "Windows/System32/GroupPolicy/Machine/Registry.pol",
            "Windows/system32/grouppolicy/MACHINE/registry.POL",
        ] {
            let disk = disk(&[pol, "Windows/System32/config/SYSTEM"]);
            let found = target(disk.path()).registry_pol().unwrap().unwrap();
            assert_eq!(found.path, disk.path().join(pol));
            assert_eq!(found.bytes, pol.as_bytes());
            let config = disk.path().join("Windows/System32/config");
            assert_eq!(target(&config).registry_pol().unwrap(), Some(found));
        }
    }

    #[test]
    fn none_is_no_error() {
        let disk = disk(&["Windows/System32/config/SYSTEM", "loose/SYSTEM"]);
        assert_eq!(target(disk.path()).registry_pol().unwrap(), None);
        fs::create_dir_all(disk.path().join("Windows/System32/GroupPolicy/Machine")).unwrap();
        assert_eq!(target(disk.path()).registry_pol().unwrap(), None);
        let loose = target(&disk.path().join("loose"));
        assert_eq!(loose.registry_pol().unwrap(), None);
    }

    #[test]
    fn two_spellings_and_large_files_are_refused() {
        let pol = "Windows/System32/GroupPolicy/Machine/Registry.pol";
        let disk = disk(&[pol, "Windows/System32/config/SYSTEM"]);
        let file = fs::File::create(disk.path().join(pol)).unwrap();
        file.set_len(LIMIT).unwrap();
        let found = target(disk.path()).registry_pol().unwrap().unwrap();
        assert_eq!(u64::try_from(found.bytes.len()).unwrap(), LIMIT);
        file.set_len(LIMIT + 1).unwrap();
        let error = target(disk.path()).registry_pol().unwrap_err();
        assert!(matches!(error, DiskError::TooLarge { .. }), "{error}");
        assert!(error.is_refusal());
        if cfg!(windows) {
            // There a folder has one spelling of a name.
            return;
        }
        let other = disk
            .path()
            .join("Windows/System32/GroupPolicy/Machine/registry.pol");
        fs::write(other, b"PReg").unwrap();
        let error = target(disk.path()).registry_pol().unwrap_err();
        assert!(matches!(error, DiskError::Ambiguous { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let disk = disk(&[
            "elsewhere",
            "Windows/System32/config/SYSTEM",
            "Windows/System32/GroupPolicy/Machine/gpt.ini",
        ]);
        let pol = disk
            .path()
            .join("Windows/System32/GroupPolicy/Machine/Registry.pol");
        std::os::unix::fs::symlink(disk.path().join("elsewhere"), pol).unwrap();
        let error = target(disk.path()).registry_pol().unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
    }
}
