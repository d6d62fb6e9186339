// SPDX-License-Identifier: GPL-3.0-or-later
//! Volumes as Windows tells of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use winsafe::co;

use super::codes::ERROR_INVALID_FUNCTION;
use super::files::look;
use crate::disk::system::facts::{Mount, NoList, Place, Volume};

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

/// Every drive with a letter, and every volume that Windows remembers and that has none.
///
/// Volumes are known by the registry's list of what was ever mounted: asking the system for them,
/// one by one, has no safe call.
pub(crate) fn places() -> Result<Vec<Place>, NoList> {
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
    let there = |root: &String| match fs::metadata(root) {
        Ok(_) => true,
        // Not attached now, or no file system: nothing that could be repaired by its name.
        Err(error) => {
            error.kind() != io::ErrorKind::NotFound
                && error.raw_os_error() != Some(ERROR_INVALID_FUNCTION)
        }
    };
    volumes.filter(there).collect()
}

/// Whether a volume has the letter.
pub(super) fn has_drive(letter: u8) -> bool {
    let number = letter.to_ascii_uppercase().wrapping_sub(b'A');
    winsafe::GetLogicalDrives()
        .checked_shr(u32::from(number))
        .is_some_and(|drives| drives & 1 == 1)
}

/// Whether this is how the name of a volume without a letter begins.
pub(super) fn starts_with_volume(name: &str) -> bool {
    let start = name.get(.."Volume{".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case("Volume{"))
}
