// SPDX-License-Identifier: GPL-3.0-or-later
//! The reads as Windows spells them, and what its errors mean at a recovery machine.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf, Prefix};
use std::sync::{Mutex, PoisonError};

use winapi_util::Handle;
use winapi_util::file::{Information, information};
use winsafe::co;

use super::{Identity, Mount, Volume};
use crate::disk::folder::{Folder, Spot};
use crate::disk::{DiskError, Place};

const ERROR_INVALID_FUNCTION: i32 = 1;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_WRITE_PROTECT: i32 = 19;
const ERROR_NOT_READY: i32 = 21;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;
const ERROR_NO_SUCH_DEVICE: i32 = 433;
const ERROR_UNRECOGNIZED_VOLUME: i32 = 1005;
const ERROR_FILE_INVALID: i32 = 1006;
const ERROR_DEVICE_NOT_CONNECTED: i32 = 1167;
/// The high half of every error of BitLocker; `FVE_E_LOCKED_VOLUME` is 0x80310000.
const FACILITY_FVE: u32 = 0x8031;

const FILE_SHARE_READ: u32 = 1;
const FILE_SHARE_WRITE: u32 = 2;
const DELETE: u32 = 0x0001_0000;
const FILE_READ_ATTRIBUTES: u32 = 0x80;
const FILE_ADD_FILE: u32 = 2;
const FILE_ADD_SUBDIRECTORY: u32 = 4;
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// What a BitLocker volume's boot sector says from its fourth byte on.
const BITLOCKER: &[u8] = b"-FVE-FS-";

const LOCKED: &str = ". The volume is locked by BitLocker: unlock it first, as in: manage-bde \
    -unlock F: -RecoveryPassword NUMBER";
const ONLINE: &str = "An attached disk can be offline: in an elevated PowerShell, Get-Disk | \
    Where-Object IsOffline | Set-Disk -IsOffline $false (or diskpart: list disk, select disk N, \
    online disk). Its volume can be without a letter: diskpart, list volume, select volume N, \
    assign letter=F. hivemend disks lists what can be repaired";
const NOT_ELEVATED: &str = ". This prompt is not elevated: start it with Run as administrator";
const ELEVATED: &str = ". Its permissions exclude even administrators, or another program holds it";
const WRITE_PROTECTED: &str = ". The disk is read-only: in an elevated PowerShell, Get-Disk | \
    Where-Object IsReadOnly | Set-Disk -IsReadOnly $false (or diskpart: select disk N, attributes \
    disk clear readonly)";

/// The handle of a folder. While it is open nobody can remove or rename the folder, nor one above
/// it, so that its path goes on leading to it.
#[derive(Debug)]
pub(crate) struct OpenFolder(Mutex<Option<File>>);

impl OpenFolder {
    /// Opens a folder that a user named.
    pub(crate) fn named(path: &Path) -> io::Result<Self> {
        Self::open(path, 0)
    }

    /// Opens the folder that has a name in an open one, which may be no reparse point.
    pub(crate) fn below(spot: &Spot) -> io::Result<Self> {
        Self::open(spot.path(), FILE_FLAG_OPEN_REPARSE_POINT)
    }

    fn open(path: &Path, flags: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | flags)
            .open(path)?;
        match file.metadata()?.is_dir() {
            true => Ok(Self(Mutex::new(Some(file)))),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(path)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    pub(crate) fn identity(&self, path: &Path) -> io::Result<Identity> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => identity(file),
            None => identity_at(path),
        }
    }

    /// Closes the handle, so that the folder can be removed.
    pub(crate) fn let_go(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What has a name in an open folder; a reparse point itself.
pub(crate) fn look_at(spot: &Spot) -> io::Result<Metadata> {
    fs::symlink_metadata(spot.path())
}

/// What tells the file that has a name in an open folder from another.
pub(crate) fn identity_of_spot(spot: &Spot) -> io::Result<Identity> {
    identity_at(spot.path())
}

/// Opens for reading; never through a reparse point.
pub(crate) fn open_spot(spot: &Spot) -> io::Result<File> {
    open_plain(spot.path())
}

/// The volume that holds an open folder.
pub(crate) fn volume_of(folder: &Folder) -> io::Result<Volume> {
    volume(folder.path())
}

/// Reads some bytes at `at`.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(buffer, at)
}

/// Opens for reading; never through a symbolic link or another reparse point.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// What tells this open file from another.
pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    let (metadata, numbers) = (file.metadata()?, winapi_util::file::information(file)?);
    Ok(Identity {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        device: numbers.volume_serial_number(),
        file: numbers.file_index(),
    })
}

/// What tells the file at `path`, which is not followed, from another.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    let mut options = OpenOptions::new();
    // Only to look, which no sharing mode of another program forbids.
    options
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS);
    identity(&options.open(path)?)
}

/// The volume that holds `path`.
///
/// # Errors
///
/// What the system says about `path`.
pub(crate) fn volume(path: &Path) -> io::Result<Volume> {
    let root = volume_root(path)?;
    let root = Some(root.as_str());
    let mut flags = co::FILE_VOL::default();
    let asked = winsafe::GetVolumeInformation(root, None, None, None, Some(&mut flags), None);
    let mut free = 0;
    let known = winsafe::GetDiskFreeSpaceEx(root, Some(&mut free), None, None);
    Ok(Volume {
        read_only: asked.is_ok() && flags.has(co::FILE_VOL::READ_ONLY_VOLUME),
        free: known.is_ok().then_some(free),
    })
}

/// What the volume is formatted as is told by its name there, which says nothing of what is kept.
pub(crate) fn mount(_: &Path) -> Option<Mount> {
    None
}

/// Never: there is nothing here that only root need know.
pub(crate) fn is_root() -> bool {
    false
}

/// The root of the volume that holds `path`, with a backslash behind it: the last of the folders
/// above it that lies on the same volume. (`GetVolumePathName` is called with too little room for a
/// long path.)
fn volume_root(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    let volume = look(&path)?.volume_serial_number();
    let is_here =
        |folder: &&Path| look(folder).is_ok_and(|found| found.volume_serial_number() == volume);
    let root = path.ancestors().take_while(is_here).last().unwrap_or(&path);
    let root = root.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(format!("{}\\", root.trim_end_matches('\\')))
}

/// The error of a call as std has it.
pub(crate) fn os_error(error: co::ERROR) -> io::Error {
    io::Error::from_raw_os_error(i32::try_from(error.raw()).unwrap_or(i32::MAX))
}

/// Whether this user may make files in `folder`: asked by opening it for that, which makes none.
pub(crate) fn writable(folder: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options
        .access_mode(FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    options.open(folder).map(drop)
}

/// Whether two names lead to one file or folder; `false` where that cannot be told.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let found = look(path).ok()?;
        Some((found.volume_serial_number(), found.file_index()))
    };
    let place = (place(one), place(other));
    let resolved = |path: &Path| {
        let path = std::fs::canonicalize(path).ok()?;
        Some(path.to_string_lossy().to_lowercase())
    };
    matches!(place, (Some(one), Some(other)) if one == other)
        || matches!((resolved(one), resolved(other)), (Some(one), Some(other)) if one == other)
}

fn look(path: &Path) -> io::Result<Information> {
    information(Handle::from_path_any(path)?)
}

/// The path that is meant by what was typed: `F:` is the drive's root, not its current folder.
pub(crate) fn typed(path: &Path) -> PathBuf {
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Prefix(_)), None) => {
            let mut root = path.as_os_str().to_owned();
            root.push("\\");
            PathBuf::from(root)
        }
        _ => path.to_path_buf(),
    }
}

/// What an error about `path` means, and what to do; empty, or begins with a full stop.
pub(crate) fn advice(path: &Path, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(ERROR_ACCESS_DENIED) if !is_elevated() => NOT_ELEVATED.to_owned(),
        Some(ERROR_ACCESS_DENIED) => ELEVATED.to_owned(),
        Some(ERROR_WRITE_PROTECT) => WRITE_PROTECTED.to_owned(),
        Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION) => {
            format!(". It is in use by {}", holds(path))
        }
        Some(ERROR_UNRECOGNIZED_VOLUME) if is_bitlocker(path) => LOCKED.to_owned(),
        Some(ERROR_UNRECOGNIZED_VOLUME | ERROR_FILE_INVALID) => {
            ". Windows finds no file system there: the volume is not formatted, is encrypted, or \
             is damaged"
                .to_owned()
        }
        Some(ERROR_NOT_READY | ERROR_NO_SUCH_DEVICE | ERROR_DEVICE_NOT_CONNECTED) => {
            format!(". {ONLINE}")
        }
        Some(code) if code.cast_unsigned() >> 16 == FACILITY_FVE => LOCKED.to_owned(),
        _ => String::new(),
    }
}

/// Why nothing may have the name `path`; empty, or begins with a full stop.
pub(crate) fn missing(path: &Path) -> String {
    if path.to_string_lossy().contains('"') {
        let why = ". There is a quotation mark in it: before a closing quote, \\\" is a quotation \
                   mark, so write F:\\ without quotes";
        return why.to_owned();
    }
    match prefix(path) {
        Some(Prefix::Disk(letter) | Prefix::VerbatimDisk(letter)) if !has_drive(letter) => {
            let letter = char::from(letter);
            format!(": no volume has the letter {letter}:. {ONLINE}")
        }
        Some(Prefix::Verbatim(name)) if starts_with_volume(&name.to_string_lossy()) => {
            format!(": mountvol lists the names of the volumes that are there. {ONLINE}")
        }
        _ => String::new(),
    }
}

fn starts_with_volume(name: &str) -> bool {
    let start = name.get(.."Volume{".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case("Volume{"))
}

fn prefix(path: &Path) -> Option<Prefix<'_>> {
    match path.components().next() {
        Some(Component::Prefix(prefix)) => Some(prefix.kind()),
        _ => None,
    }
}

fn has_drive(letter: u8) -> bool {
    let number = letter.to_ascii_uppercase().wrapping_sub(b'A');
    winsafe::GetLogicalDrives()
        .checked_shr(u32::from(number))
        .is_some_and(|drives| drives & 1 == 1)
}

/// Whether the volume of `path` begins as BitLocker's do; only administrators are told.
fn is_bitlocker(path: &Path) -> bool {
    let Some(Prefix::Disk(letter) | Prefix::VerbatimDisk(letter)) = prefix(path) else {
        return false;
    };
    let device = format!("\\\\.\\{}:", char::from(letter));
    let mut sector = [0; 512];
    let read = File::open(device).and_then(|mut device| device.read_exact(&mut sector));
    read.is_ok()
        && sector
            .get(3..)
            .is_some_and(|rest| rest.starts_with(BITLOCKER))
}

/// Whether this process may do what administrators may; `true` where it cannot be told.
pub(crate) fn is_elevated() -> bool {
    let process = winsafe::HPROCESS::GetCurrentProcess();
    let Ok(token) = process.OpenProcessToken(co::TOKEN::QUERY) else {
        return true;
    };
    match token.GetTokenInformation(co::TOKEN_INFORMATION_CLASS::Elevation) {
        Ok(winsafe::TokenInfo::Elevation(found)) => found.TokenIsElevated(),
        _ => true,
    }
}

/// Every drive with a letter, and every volume that Windows remembers and that has none.
///
/// Volumes are known by the registry's list of what was ever mounted: asking the system for them,
/// one by one, has no safe call.
pub(crate) fn places() -> Result<Vec<Place>, DiskError> {
    let letters = (b'A'..=b'Z').filter(|letter| has_drive(*letter));
    let drives = letters.map(|letter| format!("{}:\\", char::from(letter)));
    let mut seen = Vec::new();
    let mut places = Vec::new();
    for root in drives.chain(remembered_volumes()) {
        let kind = winsafe::GetDriveType(Some(&root));
        if matches!(kind, co::DRIVE::CDROM | co::DRIVE::NO_ROOT_DIR) {
            continue;
        }
        let number = look(Path::new(&root)).ok();
        let number = number.map(|found| (found.volume_serial_number(), found.file_index()));
        if number.is_some_and(|number| seen.contains(&number)) {
            continue;
        }
        seen.extend(number);
        places.push(place(root));
    }
    Ok(places)
}

fn place(root: String) -> Place {
    let (mut label, mut file_system) = (String::new(), String::new());
    let (name, kind) = (Some(&mut label), Some(&mut file_system));
    // Without an answer both stay empty, and reading the volume says why.
    let _ = winsafe::GetVolumeInformation(Some(&root), name, None, None, None, kind);
    Place {
        root: PathBuf::from(root),
        device: label,
        file_system,
    }
}

/// `\\?\Volume{...}\` for each volume that the mount manager has seen and that is there.
fn remembered_volumes() -> Vec<String> {
    let key = winsafe::HKEY::LOCAL_MACHINE.RegOpenKeyEx(
        Some("SYSTEM\\MountedDevices"),
        co::REG_OPTION::NoValue,
        co::KEY::READ,
    );
    let Ok(key) = key else {
        return Vec::new();
    };
    let Ok(values) = key.RegEnumValue() else {
        return Vec::new();
    };
    let names = values.flatten().map(|(name, _)| name);
    let volumes = names.filter_map(|name| {
        let volume = name.strip_prefix("\\??\\")?;
        starts_with_volume(volume).then(|| format!("\\\\?\\{volume}\\"))
    });
    let there = |root: &String| match std::fs::metadata(root) {
        Ok(_) => true,
        // Not attached now, or no file system: nothing that could be repaired by its name.
        Err(error) => {
            error.kind() != io::ErrorKind::NotFound
                && error.raw_os_error() != Some(ERROR_INVALID_FUNCTION)
        }
    };
    volumes.filter(there).collect()
}

/// The config folder of the Windows that is running.
pub(crate) fn running_config() -> Option<PathBuf> {
    let system32 = match winsafe::GetSystemDirectory() {
        Ok(system32) => PathBuf::from(system32),
        Err(_) => PathBuf::from(std::env::var_os("SystemRoot")?).join("System32"),
    };
    Some(system32.join("config"))
}

/// By whom a file is held that could not be opened, where that is why.
pub(crate) fn held_by(path: &Path, error: &io::Error) -> Option<String> {
    let code = error.raw_os_error();
    let held = matches!(code, Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION));
    held.then(|| holds(path))
}

/// Whether another program has `path` open for writing, or so that no other file can take its name.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let mut options = OpenOptions::new();
    let opened = options.read(true).share_mode(FILE_SHARE_READ).open(path);
    // Closed at once, or this very handle would be in the way of the next.
    if let Err(error) = opened.map(drop) {
        return held_by(path, &error);
    }
    // The right to remove is only had where every other handle shares it. Where the right itself is
    // not granted, that is for the guards of permissions to say.
    let mut options = OpenOptions::new();
    let opened = options.access_mode(DELETE).open(path).map(drop);
    held_by(path, &opened.err()?)
}

/// Who holds `path`: a key of the running registry, by the system's own list of hives, or unknown.
fn holds(path: &Path) -> String {
    if let Some(key) = loaded_as(path) {
        return format!(
            "the registry, where it is loaded as {key}: close regedit, then reg unload {key}"
        );
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    // What stands in for a hive for a moment has its name, and more.
    let likely = match name.to_ascii_uppercase().starts_with("SOFTWARE") {
        true => "BROKENSOFTWARE",
        false => "BROKENSYSTEM",
    };
    format!(
        "another program. A hive that was loaded by hand (reg load, or regedit: Load Hive) stays \
         open until it is unloaded: reg unload HKLM\\{likely}, or the name it was given"
    )
}

/// The key under which the running registry has the hive `path`, as in `HKLM\BROKENSYSTEM`.
fn loaded_as(path: &Path) -> Option<String> {
    let list = winsafe::HKEY::LOCAL_MACHINE.RegOpenKeyEx(
        Some("SYSTEM\\CurrentControlSet\\Control\\hivelist"),
        co::REG_OPTION::NoValue,
        co::KEY::READ,
    );
    let list = list.ok()?;
    let wanted = below_volume(&std::fs::canonicalize(path).ok()?);
    let mut found = None;
    for (key, _) in list.RegEnumValue().ok()?.flatten() {
        let Ok(winsafe::RegistryValue::Sz(file)) = list.RegQueryValueEx(Some(&key)) else {
            continue;
        };
        let key = key.strip_prefix("\\REGISTRY\\MACHINE\\").map(str::to_owned);
        if let Some(key) = key.filter(|key| below_device(&file) == wanted && !is_own(key)) {
            found = Some(format!("HKLM\\{key}"));
        }
    }
    found
}

/// The hives of the running Windows itself, which have the same names as those of any other.
fn is_own(key: &str) -> bool {
    let own = [
        "SYSTEM",
        "SOFTWARE",
        "SAM",
        "SECURITY",
        "BCD00000000",
        "HARDWARE",
    ];
    own.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// `\windows\system32\config\system` of `\\?\F:\Windows\System32\config\SYSTEM`.
fn below_volume(path: &Path) -> String {
    let names = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    let names = names.map(|part| part.as_os_str().to_string_lossy().to_lowercase());
    names.fold(String::new(), |path, name| path + "\\" + &name)
}

/// The same of `\Device\HarddiskVolume5\Windows\System32\config\SYSTEM`.
fn below_device(path: &str) -> String {
    let names = path.split('\\').filter(|name| !name.is_empty()).skip(2);
    names.fold(String::new(), |path, name| {
        path + "\\" + &name.to_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_alone_is_its_root() {
        for (text, meant) in [
            ("F:", "F:\\"),
            ("f:\\", "f:\\"),
            ("F:\\Windows", "F:\\Windows"),
            ("\\\\?\\F:", "\\\\?\\F:\\"),
            ("\\\\server\\disk$", "\\\\server\\disk$\\"),
            ("relative", "relative"),
        ] {
            assert_eq!(typed(Path::new(text)), Path::new(meant), "{text}");
        }
    }

    #[test]
    fn a_missing_drive_says_how_to_bring_it_online() {
        let missing = missing(Path::new("B:\\Windows"));
        assert!(missing.contains("no volume has the letter B:"), "{missing}");
        assert!(missing.contains("Set-Disk -IsOffline $false"), "{missing}");
        let quoted = super::missing(Path::new("F:\" -p x"));
        assert!(quoted.contains("without quotes"), "{quoted}");
    }

    #[test]
    fn errors_of_bitlocker_are_recognised() {
        let locked = io::Error::from_raw_os_error(0x8031_0000_u32.cast_signed());
        let advice = advice(Path::new("F:\\"), &locked);
        assert!(advice.contains("manage-bde -unlock"), "{advice}");
    }

    #[test]
    fn a_hive_that_another_program_holds_is_named_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let hive = folder.path().join("SOFTWARE");
        std::fs::write(&hive, b"regf").unwrap();
        assert_eq!(holder(&hive), None);
        let mut options = OpenOptions::new();
        let held = options.read(true).share_mode(0).open(&hive).unwrap();
        let by = holder(&hive).unwrap();
        assert!(by.contains("reg unload HKLM\\BROKENSOFTWARE"), "{by}");
        drop(held);
        assert_eq!(holder(&hive), None);
    }

    #[test]
    fn hives_are_told_by_their_path_below_the_volume() {
        let config = "\\windows\\system32\\config\\system";
        let path = Path::new("\\\\?\\F:\\Windows\\System32\\config\\SYSTEM");
        assert_eq!(below_volume(path), config);
        let device = "\\Device\\HarddiskVolume5\\Windows\\System32\\config\\SYSTEM";
        assert_eq!(below_device(device), config);
    }
}
