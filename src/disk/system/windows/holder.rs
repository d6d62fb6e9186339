// SPDX-License-Identifier: GPL-3.0-or-later
//! Who holds a file.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Component, Path};

use winsafe::co;

use super::codes::{DELETE, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION, FILE_SHARE_READ};

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
pub(super) fn holds(path: &Path) -> String {
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
    let wanted = below_volume(&fs::canonicalize(path).ok()?);
    let mut found = None;
    for (key, _) in list.RegEnumValue().ok()?.flatten() {
        let Ok(winsafe::RegistryValue::Sz(file)) = list.RegQueryValueEx(Some(&key)) else {
            continue;
        };
        if let Some(key) = loaded_key(&key).filter(|_| below_device(&file) == wanted) {
            found = Some(key);
        }
    }
    found
}

/// The key as people type it, where somebody has loaded it: `HKLM\BROKENSYSTEM`, `HKU\BROKEN`.
fn loaded_key(key: &str) -> Option<String> {
    let machine = key.strip_prefix("\\REGISTRY\\MACHINE\\");
    let users = key.strip_prefix("\\REGISTRY\\USER\\");
    match (machine, users) {
        (Some(key), _) if !is_own(key) => Some(format!("HKLM\\{key}")),
        (_, Some(key)) if !is_users_own(key) => Some(format!("HKU\\{key}")),
        _ => None,
    }
}

/// The hives of accounts of the running Windows: somebody is logged on, or a service runs.
fn is_users_own(key: &str) -> bool {
    key.eq_ignore_ascii_case(".DEFAULT") || key.to_ascii_uppercase().starts_with("S-1-")
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
    fn a_hive_that_another_program_holds_is_named_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let hive = folder.path().join("SOFTWARE");
        fs::write(&hive, b"regf").unwrap();
        assert_eq!(holder(&hive), None);
        let mut options = OpenOptions::new();
        let held = options.read(true).share_mode(0).open(&hive).unwrap();
        let by = holder(&hive).unwrap();
        assert!(by.contains("reg unload HKLM\\BROKENSOFTWARE"), "{by}");
        drop(held);
        assert_eq!(holder(&hive), None);
    }

    #[test]
    fn a_key_that_somebody_loaded_is_named_as_it_is_typed() {
        let key = |key| loaded_key(key);
        assert_eq!(
            key("\\REGISTRY\\MACHINE\\BROKENSYSTEM").unwrap(),
            "HKLM\\BROKENSYSTEM"
        );
        assert_eq!(key("\\REGISTRY\\USER\\broken").unwrap(), "HKU\\broken");
        for own in [
            "MACHINE\\SYSTEM",
            "USER\\.DEFAULT",
            "USER\\S-1-5-21-1-2-3-500",
            "A\\x",
        ] {
            assert_eq!(loaded_key(&format!("\\REGISTRY\\{own}")), None, "{own}");
        }
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
