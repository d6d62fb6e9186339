// SPDX-License-Identifier: GPL-3.0-or-later
//! What the errors of Windows mean at a recovery machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, Prefix};

use winsafe::co;

use super::codes::{
    ERROR_ACCESS_DENIED, ERROR_DEVICE_NOT_CONNECTED, ERROR_FILE_INVALID, ERROR_INVALID_NAME,
    ERROR_LOCK_VIOLATION, ERROR_NO_SUCH_DEVICE, ERROR_NOT_READY, ERROR_SHARING_VIOLATION,
    ERROR_UNRECOGNIZED_VOLUME, ERROR_WRITE_PROTECT, FACILITY_FVE,
};
use super::holder::holds;
use super::volumes::{has_drive, starts_with_volume};

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

/// What can be done where this user is not allowed something.
pub(crate) fn not_allowed() -> &'static str {
    let why = match is_elevated() {
        true => ELEVATED,
        false => NOT_ELEVATED,
    };
    why.trim_start_matches(". ")
}

/// Whether the error says that nothing can have such a name.
pub(crate) fn is_no_name(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_INVALID_NAME)
}

/// Why nothing may have the name `path`; empty, or begins with a full stop.
pub(crate) fn missing(path: &Path) -> String {
    if path.to_string_lossy().contains('"') {
        let why = ". There is a quotation mark in it: before a closing quote, \\\" is a quotation \
                   mark, so write F:\\ without quotes";
        return why.to_owned();
    }
    if path.to_string_lossy().contains(['*', '?'])
        && !matches!(
            prefix(path),
            Some(Prefix::Verbatim(_) | Prefix::VerbatimDisk(_))
        )
    {
        let why = ". Only -p, check, disks, profile check and profile import take names with * or ?, and \
                   nothing here is called so";
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
fn is_elevated() -> bool {
    let process = winsafe::HPROCESS::GetCurrentProcess();
    let Ok(token) = process.OpenProcessToken(co::TOKEN::QUERY) else {
        return true;
    };
    match token.GetTokenInformation(co::TOKEN_INFORMATION_CLASS::Elevation) {
        Ok(winsafe::TokenInfo::Elevation(found)) => found.TokenIsElevated(),
        _ => true,
    }
}

fn prefix(path: &Path) -> Option<Prefix<'_>> {
    match path.components().next() {
        Some(Component::Prefix(prefix)) => Some(prefix.kind()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
