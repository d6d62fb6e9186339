// SPDX-License-Identifier: GPL-3.0-or-later
//! From what the user typed to the hives that are meant.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::entries::{entries, open_folders};
use super::error::DiskError;
use super::hive_file::HiveFile;
use super::plain_file::not_a_file;
use super::sniff::sniff;
use crate::disk::system::{self, Folder};
use crate::hive_name::HiveName;

/// What an interrupted run of hivemend leaves in the config folder.
const JOURNAL: &str = "hivemend.journal";
/// A hive's files, in the spelling the disk has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HivePath {
    /// Which hive.
    pub name: HiveName,
    /// Its primary file.
    pub path: PathBuf,
    /// Its transaction logs (`.LOG`, `.LOG1`, `.LOG2`) that exist.
    pub logs: Vec<PathBuf>,
}

/// A Windows installation on an attached disk, or hives that were named one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The disk's root, where the folder names tell.
    pub root: Option<PathBuf>,
    /// The Windows folder, where the folder names tell.
    pub windows: Option<PathBuf>,
    /// The folder that holds the hives; of hives in two folders, the first one's.
    pub config: PathBuf,
    /// The same folder, opened when it was found; whoever writes goes through this handle.
    pub folder: Folder,
    /// The SYSTEM hive, if it exists.
    pub system: Option<HivePath>,
    /// The SOFTWARE hive, if it exists.
    pub software: Option<HivePath>,
}

impl Target {
    /// Finds the hives below `path`: a disk's root, a Windows folder or a config folder.
    ///
    /// Names are found whatever their case. Of several spellings the one that holds hives is
    /// taken. Symbolic links below `path` are not followed.
    ///
    /// # Errors
    ///
    /// [`DiskError::NotAFolder`], [`DiskError::NoWindows`], [`DiskError::Ambiguous`] where two
    /// folders hold hives, and what the system says where a folder cannot be listed.
    pub fn find(path: &Path) -> Result<Self, DiskError> {
        let path = &system::typed(path);
        let kind = fs::metadata(path).map_err(|e| DiskError::io("look at", path, e))?;
        if !kind.is_dir() {
            let what = describe(path);
            return Err(DiskError::NotAFolder {
                path: path.to_path_buf(),
                what,
            });
        }
        let mut targets = Vec::new();
        for config in config_folders(path)? {
            targets.push(Self::in_config(config)?);
        }
        let (with_hives, without): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(Self::has_hives);
        only_one(with_hives)?
            .map_or_else(|| only_one(without), |target| Ok(Some(target)))?
            .ok_or_else(|| DiskError::NoWindows {
                path: path.to_path_buf(),
                hint: hint(path),
            })
    }

    /// The hives in files that were named one by one.
    ///
    /// # Errors
    ///
    /// [`DiskError::Missing`] for a name that is not there.
    pub fn files(system: Option<&Path>, software: Option<&Path>) -> Result<Self, DiskError> {
        let first = system.or(software).unwrap_or(Path::new(""));
        let config = folder_of(first);
        let folder = Folder::named(&config).map_err(|e| DiskError::io("open", &config, e))?;
        let named = |name, path: Option<&Path>| match path {
            Some(path) => named_hive(name, path),
            None => Ok(None),
        };
        let system = named(HiveName::System, system)?;
        let software = named(HiveName::Software, software)?;
        let (root, windows) = above(&config);
        Ok(Self {
            root,
            windows,
            config,
            folder,
            system,
            software,
        })
    }

    /// The hives that are there.
    pub fn hives(&self) -> impl Iterator<Item = &HivePath> {
        self.system.iter().chain(&self.software)
    }

    /// The files of the hive `name`.
    ///
    /// # Errors
    ///
    /// [`DiskError::NoHive`] if it does not exist.
    pub fn hive(&self, name: HiveName) -> Result<&HivePath, DiskError> {
        let found = match name {
            HiveName::System => &self.system,
            HiveName::Software => &self.software,
        };
        let config = || self.config.clone();
        found.as_ref().ok_or_else(|| DiskError::NoHive {
            config: config(),
            name,
        })
    }

    /// Opens the hive `name` read-only.
    ///
    /// # Errors
    ///
    /// As [`Target::hive`] and [`HiveFile::open`].
    pub fn open(&self, name: HiveName) -> Result<HiveFile, DiskError> {
        HiveFile::open(&self.hive(name)?.path)
    }

    fn in_config(folder: Folder) -> Result<Self, DiskError> {
        let config = folder.path().to_path_buf();
        let (root, windows) = above(&config);
        let system = hive_in(&config, HiveName::System)?;
        let software = hive_in(&config, HiveName::Software)?;
        Ok(Self {
            root,
            windows,
            config,
            folder,
            system,
            software,
        })
    }

    fn has_hives(&self) -> bool {
        self.hives().next().is_some()
    }
}

/// The only target of a list, `None` of an empty one.
fn only_one(targets: Vec<Target>) -> Result<Option<Target>, DiskError> {
    let mut targets = targets.into_iter();
    match (targets.next(), targets.next()) {
        (Some(first), Some(second)) => Err(DiskError::Ambiguous {
            first: first.config,
            second: second.config,
        }),
        (first, _) => Ok(first),
    }
}

/// Every folder that `path` may mean: itself, or a config folder below it.
fn config_folders(path: &Path) -> Result<Vec<Folder>, DiskError> {
    let top = Folder::named(path).map_err(|e| DiskError::io("open", path, e))?;
    let hives = HiveName::ALL.map(HiveName::as_str);
    let own = entries(path, &[hives.as_slice(), &[JOURNAL]].concat())?;
    if own.iter().any(|entry| entry.kind.is_file()) {
        return Ok(vec![top]);
    }
    let mut found = config_below(&top)?;
    for windows in open_folders(&top, &["Windows", "WINNT"])? {
        found.extend(config_below(&windows)?);
    }
    Ok(found)
}

/// Every `System32\config` of a Windows folder.
fn config_below(windows: &Folder) -> Result<Vec<Folder>, DiskError> {
    let mut found = Vec::new();
    for system32 in open_folders(windows, &["System32"])? {
        found.extend(open_folders(&system32, &["config"])?);
    }
    Ok(found)
}

/// The hive `name` of a config folder; of two spellings, the one that begins as a hive.
fn hive_in(config: &Path, name: HiveName) -> Result<Option<HivePath>, DiskError> {
    let mut found = entries(config, &[name.as_str()])?;
    found.retain(|entry| !entry.kind.is_dir());
    if found.len() > 1 && found.iter().any(|entry| may_be_hive(&entry.path)) {
        found.retain(|entry| may_be_hive(&entry.path));
    }
    if found.len() > 1 && is_interrupted(config) {
        // One file's two names, or the old and the new one; settling the run leaves one.
        found.truncate(1);
    }
    let mut paths = found.into_iter().map(|entry| entry.path);
    match (paths.next(), paths.next()) {
        (Some(first), Some(second)) => Err(DiskError::Ambiguous { first, second }),
        (Some(path), None) => with_logs(name, path).map(Some),
        _ => Ok(None),
    }
}

/// Whether an interrupted run waits here: a hive may have two names then, or none.
fn is_interrupted(config: &Path) -> bool {
    fs::symlink_metadata(config.join(JOURNAL)).is_ok_and(|found| found.is_file())
}

/// Whether a file begins as a hive, or cannot be read and so stays in question.
fn may_be_hive(path: &Path) -> bool {
    let opened = HiveFile::open(path);
    matches!(
        opened,
        Ok(_) | Err(DiskError::Io { .. } | DiskError::Held { .. })
    )
}

fn named_hive(name: HiveName, path: &Path) -> Result<Option<HivePath>, DiskError> {
    match fs::symlink_metadata(path) {
        Ok(_) => with_logs(name, path.to_path_buf()).map(Some),
        Err(_) if is_interrupted(&folder_of(path)) => Ok(None),
        Err(error) => Err(DiskError::io("look at", path, error)),
    }
}

fn with_logs(name: HiveName, path: PathBuf) -> Result<HivePath, DiskError> {
    let logs = logs_of(&path)?;
    Ok(HivePath { name, path, logs })
}

/// The transaction logs beside a hive: its name with `.LOG`, `.LOG1` or `.LOG2`, in any case.
///
/// # Errors
///
/// What the system says where the folder cannot be listed.
pub fn logs_of(hive: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let names = ["LOG", "LOG1", "LOG2"].map(|extension| {
        let mut name = hive.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(extension);
        name
    });
    let logs = entries(&folder_of(hive), &names)?;
    Ok(logs.into_iter().map(|entry| entry.path).collect())
}

/// The folder that holds `file`.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The disk's root and the Windows folder above a config folder, where the names tell.
fn above(config: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let Ok(config) = std::path::absolute(config) else {
        return (None, None);
    };
    let is = |path: &Path, name: &str| {
        let found = path.file_name().and_then(OsStr::to_str);
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let system32 = config.parent().filter(|_| is(&config, "config"));
    let windows = system32
        .filter(|path| is(path, "System32"))
        .and_then(Path::parent);
    let root = windows.and_then(Path::parent);
    (root.map(Path::to_path_buf), windows.map(Path::to_path_buf))
}

/// What the first bytes of a file say, in a few words.
fn describe(path: &Path) -> String {
    let kind = fs::symlink_metadata(path)
        .ok()
        .and_then(|found| not_a_file(found.file_type()));
    if let Some(what) = kind {
        return format!("a {what}");
    }
    let mut start = Vec::new();
    let Ok(file) = system::open_plain(path) else {
        return "it cannot be opened".to_owned();
    };
    let size = file.metadata().map(|found| found.len()).unwrap_or(0);
    if file.take(4096).read_to_end(&mut start).is_err() {
        return "it cannot be read".to_owned();
    }
    sniff(&start, size).map_or_else(|| "a hive".to_owned(), |what| what.to_string())
}

/// What else a folder without Windows shows.
fn hint(path: &Path) -> &'static str {
    let seen = |names: &[&str]| entries(path, names).unwrap_or_default();
    if seen(&["Windows", "WINNT"])
        .iter()
        .any(|entry| entry.kind.is_symlink())
    {
        return ". There is a symbolic link of that name, which hivemend does not follow: name \
                where it leads";
    }
    let is_other_system = !seen(&["usr", "etc"]).is_empty();
    if is_other_system {
        return ". This is the system that is running here, or another one: name where the disk is mounted";
    }
    if !seen(&["bootmgr", "Boot", "EFI"]).is_empty() {
        return ". This looks like the boot or EFI partition: name the one with the Windows folder";
    }
    if seen(&["System Volume Information", "$RECYCLE.BIN"]).is_empty() {
        return ". Is the disk mounted?";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn hive_bytes() -> Vec<u8> {
        let mut bytes = b"regf".to_vec();
        bytes.resize(8192, 0);
        bytes
    }

    fn disk(files: &[&str]) -> TempDir {
        let disk = tempfile::tempdir().unwrap();
        for file in files {
            let path = disk.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if !file.ends_with('/') {
                fs::write(path, hive_bytes()).unwrap();
            }
        }
        disk
    }

    #[test]
    fn finds_every_spelling_from_every_level() {
        for config in [
            "Windows/System32/config",
            "WINDOWS/system32/config",
            "WINNT/SYSTEM32/Config",
        ] {
            let system = format!("{config}/system");
            let log = format!("{config}/SYSTEM.Log1");
            let disk = disk(&[&system, &log, &format!("{config}/SysEvent.Evt")]);
            let config = disk.path().join(config);
            let windows = config.parent().unwrap().parent().unwrap();
            for path in [disk.path(), windows, &config] {
                let target = Target::find(path).unwrap();
                assert_eq!(target.config, config);
                assert_eq!(target.windows.as_deref(), Some(windows));
                assert_eq!(target.root.as_deref(), Some(disk.path()));
                let hive = target.hive(HiveName::System).unwrap();
                assert_eq!(hive.path, disk.path().join(&system));
                assert_eq!(hive.logs, [disk.path().join(&log)]);
                let error = target.hive(HiveName::Software).unwrap_err();
                assert!(error.to_string().contains("no SOFTWARE hive"), "{error}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn of_two_spellings_the_one_with_hives_is_taken() {
        let disk = disk(&["Windows/System32/config/", "WINDOWS/system32/config/SYSTEM"]);
        let target = Target::find(disk.path()).unwrap();
        assert!(target.config.ends_with("WINDOWS/system32/config"));
    }

    #[test]
    fn two_installations_are_both_named() {
        let disk = disk(&[
            "Windows/System32/config/SYSTEM",
            "WINNT/system32/config/system",
        ]);
        let error = Target::find(disk.path()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("Windows") && message.contains("WINNT"),
            "{message}"
        );
        assert!(error.is_refusal());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_spellings_of_a_hive() {
        let disk = disk(&[
            "Windows/System32/config/SYSTEM",
            "Windows/System32/config/system",
        ]);
        assert!(matches!(
            Target::find(disk.path()),
            Err(DiskError::Ambiguous { .. })
        ));
        fs::write(disk.path().join("Windows/System32/config/system"), b"text").unwrap();
        let target = Target::find(disk.path()).unwrap();
        assert!(target.system.unwrap().path.ends_with("SYSTEM"));
    }

    #[test]
    fn a_folder_called_software_is_no_hive() {
        let disk = disk(&["Software/setup.exe", "Windows/System32/config/SOFTWARE"]);
        let target = Target::find(disk.path()).unwrap();
        assert!(target.software.unwrap().path.ends_with("config/SOFTWARE"));
    }

    #[test]
    fn says_what_is_there_instead() {
        let boot = disk(&["Boot/BCD", "bootmgr"]);
        let message = Target::find(boot.path()).unwrap_err().to_string();
        assert!(message.contains("boot or EFI partition"), "{message}");
        let file = boot.path().join("edit.reg");
        fs::write(&file, "REGEDIT4\r\n").unwrap();
        let message = Target::find(&file).unwrap_err().to_string();
        assert!(message.contains(".reg text file"), "{message}");
        let message = Target::find(&boot.path().join("x"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("no such file"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn links_on_the_disk_are_not_followed() {
        let elsewhere = disk(&["Windows/System32/config/SYSTEM"]);
        let disk = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(
            elsewhere.path().join("Windows"),
            disk.path().join("Windows"),
        )
        .unwrap();
        let message = Target::find(disk.path()).unwrap_err().to_string();
        assert!(message.contains("symbolic link"), "{message}");
    }

    #[test]
    fn named_files_bring_their_logs() {
        let disk = disk(&["a/SYSTEM", "a/SYSTEM.LOG2", "a/SOFTWARE"]);
        let [system, software] = ["a/SYSTEM", "a/SOFTWARE"].map(|name| disk.path().join(name));
        let target = Target::files(Some(&system), Some(&software)).unwrap();
        assert_eq!(target.config, disk.path().join("a"));
        assert_eq!(target.system.unwrap().logs.len(), 1);
        assert!(target.software.unwrap().logs.is_empty());
        assert!(matches!(
            Target::files(Some(&disk.path().join("b")), None),
            Err(DiskError::Missing { .. })
        ));
    }
}
