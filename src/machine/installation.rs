// SPDX-License-Identifier: GPL-3.0-or-later
//! Which Windows a hive set belongs to, as far as its hives say.

use super::{HiveInput, Selection, control_sets};
use crate::profile::HiveName;
use crate::regf::{Hive, Name, RegfError};
use crate::text::Foreign;

/// Longest text that is taken, in bytes: longer is no name of a product or machine.
const LONGEST: u32 = 1024;

/// What a SOFTWARE hive says of its Windows. Each part may be missing or nonsense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowsVersion {
    /// `Windows Server 2022 Datacenter`; Windows 11 calls itself 10 here.
    pub product: Option<Foreign>,
    /// `21H2`; Windows 10 and later.
    pub release: Option<Foreign>,
    /// `6.1`, `10.0`.
    pub version: Option<Foreign>,
    /// `20348`.
    pub build: Option<Foreign>,
    /// The number of the last update, behind the build.
    pub revision: Option<u32>,
}

/// Reads `Microsoft\Windows NT\CurrentVersion` of a SOFTWARE hive.
///
/// # Errors
///
/// Where the hive is damaged on the way there.
pub fn windows_version(hive: &Hive<'_>) -> Result<WindowsVersion, RegfError> {
    let key = ["Microsoft", "Windows NT", "CurrentVersion"].map(Name::from);
    let text = |name: &str| text_at(hive, &key, name);
    let number = |name: &str| number_at(hive, &key, name);
    let dotted = match (
        number("CurrentMajorVersionNumber")?,
        number("CurrentMinorVersionNumber")?,
    ) {
        (Some(major), Some(minor)) => Some(Foreign::from(format!("{major}.{minor}"))),
        _ => text("CurrentVersion")?,
    };
    Ok(WindowsVersion {
        product: text("ProductName")?,
        release: text("DisplayVersion")?.or(text("ReleaseId")?),
        version: dotted,
        build: text("CurrentBuildNumber")?.or(text("CurrentBuild")?),
        revision: number("UBR")?,
    })
}

/// The letter of the volume that this Windows is on, as it calls it itself.
pub fn system_drive(hives: &[HiveInput<'_>]) -> Option<char> {
    let software = hives
        .iter()
        .find(|input| input.name == HiveName::Software)?;
    let key = [
        Name::from("Microsoft"),
        Name::from("Windows NT"),
        Name::from("CurrentVersion"),
    ];
    let root = text_at(&software.hive, &key, "SystemRoot").ok()??;
    let mut root = root.raw().chars();
    let letter = root.next().filter(char::is_ascii_alphabetic)?;
    (root.next() == Some(':')).then_some(letter)
}

/// The machine's name, from the control set that is current, or else the first.
///
/// # Errors
///
/// Where the hive is damaged on the way there.
pub fn computer_name(hive: &Hive<'_>) -> Result<Option<Foreign>, RegfError> {
    let Ok(sets) = control_sets(hive) else {
        return Ok(None);
    };
    let current = Selection::Current.choose(&sets).unwrap_or_default();
    let Some(set) = current.first().or(sets.first()) else {
        return Ok(None);
    };
    let key = [set.name.as_str(), "Control", "ComputerName", "ComputerName"];
    text_at(hive, &key.map(Name::from), "ComputerName")
}

fn text_at(hive: &Hive<'_>, key: &[Name], name: &str) -> Result<Option<Foreign>, RegfError> {
    let Some(data) = data_at(hive, key, name)? else {
        return Ok(None);
    };
    let (pairs, _) = data.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    let text = Foreign::from(String::from_utf16_lossy(&units));
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn number_at(hive: &Hive<'_>, key: &[Name], name: &str) -> Result<Option<u32>, RegfError> {
    let data = data_at(hive, key, name)?;
    Ok(data.and_then(|data| crate::regf::u32_at(&data, 0)))
}

fn data_at(hive: &Hive<'_>, key: &[Name], name: &str) -> Result<Option<Vec<u8>>, RegfError> {
    let Some(key) = hive.find(key)? else {
        return Ok(None);
    };
    match hive.find_value(&key, &Name::from(name))? {
        Some(value) if value.data_size() <= LONGEST => Ok(Some(hive.data(&value)?.into_owned())),
        _ => Ok(None),
    }
}
