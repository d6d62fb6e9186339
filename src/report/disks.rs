// SPDX-License-Identifier: GPL-3.0-or-later
//! The disks of a machine that hold a Windows, for people and for scripts.

use anstyle::Style;
use serde_json::{Value as Json, json};

use super::heading::windows_name;
use super::page::wrapped;
use super::style::{BOLD, DIM, GOOD, WARN};
use super::styled;
use crate::disk::Hibernation;
use crate::machine::{ControlSetInfo, Machine, Role, WindowsVersion};
use crate::profile::HiveName;
use crate::text::{Foreign, Text, escape};

/// A disk that holds a Windows, or may hold one.
#[derive(Clone, Debug, Default)]
pub struct DiskRow {
    /// The volume's root: what `plan` and `apply` take as their target.
    pub path: Foreign,
    /// What is mounted there; empty where it is not known.
    pub device: Foreign,
    /// Its file system; empty where it is not known.
    pub file_system: Foreign,
    /// The Windows folder.
    pub windows: Option<Foreign>,
    /// What SOFTWARE says of its Windows.
    pub version: WindowsVersion,
    /// What both hives tell of it.
    pub machine: Machine,
    /// The machine's name.
    pub computer_name: Option<Foreign>,
    /// The control sets of SYSTEM.
    pub control_sets: Vec<ControlSetInfo>,
    /// SYSTEM and SOFTWARE, as far as they are there.
    pub hives: Vec<HiveRow>,
    /// What `hiberfil.sys` says.
    pub hibernation: Option<Hibernation>,
    /// What is not safe about how it is mounted, and the command that mends it.
    pub mount: Option<String>,
    /// Why the disk, or something on it, could not be read.
    pub problems: Vec<String>,
}

/// A hive of such a disk.
#[derive(Clone, Debug)]
pub struct HiveRow {
    /// Which hive.
    pub name: HiveName,
    /// Its file.
    pub path: Foreign,
    /// In which state it is.
    pub state: HiveRowState,
    /// What was seen: how it is recovered, or why it is not.
    pub detail: Option<String>,
}

/// In which state a hive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiveRowState {
    /// The last write was completed.
    Clean,
    /// It was not, and the transaction logs hold the rest.
    Recoverable,
    /// It was not, and no log applies.
    Unrecoverable,
    /// It is no hive, or what was looked at in it is broken.
    Damaged,
    /// It cannot be opened or read.
    Unreadable,
}

impl HiveRowState {
    /// Its name in JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Recoverable => "recoverable",
            Self::Unrecoverable => "unrecoverable",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The list as text, with ANSI styles.
pub fn disks_text(rows: &[DiskRow]) -> Text {
    let mut text = Text::new();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            text.end();
        }
        write_block(&mut text, row);
    }
    text
}

fn write_block(text: &mut Text, row: &DiskRow) {
    text.part(styled(BOLD, &row.path));
    let mounted = [&row.device, &row.file_system].into_iter();
    let mounted: Vec<String> = mounted
        .filter(|part| !part.is_empty())
        .map(Foreign::to_string)
        .collect();
    if !mounted.is_empty() {
        text.part(format_args!("  {}", styled(DIM, mounted.join(", "))));
    }
    text.end();
    let plain = Style::new();
    if let Some(windows) = &row.windows {
        line(text, plain, "Windows", &version_text(row));
        // A path stays in one piece.
        text.line(format_args!("  {:<13}{windows}", "folder"));
        let name = row.computer_name.as_ref();
        line(
            text,
            plain,
            "computer",
            name.map_or("not known", Foreign::raw),
        );
    }
    if !row.control_sets.is_empty() {
        let sets: Vec<String> = row.control_sets.iter().map(set_text).collect();
        line(text, plain, "control sets", &sets.join(", "));
    }
    for hive in &row.hives {
        let style = match hive.state {
            HiveRowState::Clean | HiveRowState::Recoverable => GOOD,
            _ => WARN,
        };
        line(text, style, &hive.name.to_string(), &hive_text(hive));
    }
    if let Some(found) = row.hibernation {
        line(text, WARN, "hibernation", found.seen());
    }
    if let Some(mount) = &row.mount {
        match mount.split_once("Better: ") {
            // A command stays in one piece.
            Some((why, command)) => {
                line(text, WARN, "mount", &format!("{why}Better:"));
                text.line(format_args!("  {:<13}{}", "", escape(command)));
            }
            None => line(text, WARN, "mount", mount),
        }
    }
    for problem in &row.problems {
        line(text, WARN, "problem", problem);
    }
}

fn line(text: &mut Text, style: Style, name: &str, value: &str) {
    wrapped(text, style, &format!("  {name:<13}"), value);
}

fn hive_text(hive: &HiveRow) -> String {
    let state = hive.state.as_str();
    match &hive.detail {
        Some(detail) => format!("{state}: {detail}"),
        None => state.to_owned(),
    }
}

fn set_text(set: &ControlSetInfo) -> String {
    let roles: Vec<&str> = set.roles.iter().map(|role| role.as_str()).collect();
    match roles.is_empty() {
        true => set.name.clone(),
        false => format!("{} ({})", set.name, roles.join(", ")),
    }
}

/// `Windows 10 Pro (build 19041), release 2004, revision 264`.
fn version_text(row: &DiskRow) -> String {
    let mut text = windows_name(&row.machine);
    if let Some(release) = &row.version.release {
        text.push_str(&format!(", release {release}"));
    }
    if let Some(revision) = row.version.revision {
        text.push_str(&format!(", revision {revision}"));
    }
    text
}

/// The list as `hivemend.disks/1`.
pub fn disks_json(rows: &[DiskRow]) -> Json {
    let disks: Vec<Json> = rows.iter().map(row_json).collect();
    json!({ "schema": "hivemend.disks/1", "disks": disks })
}

fn row_json(row: &DiskRow) -> Json {
    let version = &row.version;
    let text = |text: &Foreign| (!text.is_empty()).then(|| text.clone());
    let hives: Vec<Json> = row.hives.iter().map(hive_json).collect();
    let sets = row.control_sets.iter();
    let sets: Vec<Json> = sets
        .map(|set| {
            let roles: Vec<&str> = set.roles.iter().copied().map(Role::as_str).collect();
            json!({ "name": set.name, "roles": roles })
        })
        .collect();
    json!({
        "path": row.path,
        "device": text(&row.device),
        "file_system": text(&row.file_system),
        "windows_folder": row.windows,
        "windows": {
            "name": row.windows.as_ref().map(|_| windows_name(&row.machine)),
            "product": version.product,
            "release": version.release,
            "version": version.version,
            "build": version.build,
            "revision": version.revision,
        },
        "computer_name": row.computer_name,
        "control_sets": sets,
        "hives": hives,
        "hibernation": row.hibernation.map(hibernation_name),
        "mount": row.mount,
        "problems": row.problems,
    })
}

fn hive_json(hive: &HiveRow) -> Json {
    json!({
        "name": hive.name.to_string(),
        "path": hive.path,
        "state": hive.state.as_str(),
        "detail": hive.detail,
    })
}

fn hibernation_name(found: Hibernation) -> &'static str {
    match found {
        Hibernation::Asleep => "asleep",
        Hibernation::Waking => "waking",
        Hibernation::Awake => "awake",
    }
}
