// SPDX-License-Identifier: GPL-3.0-or-later
//! Other hives of a target: older copies of a hive, and the hives beside SYSTEM and SOFTWARE.

use std::path::{Path, PathBuf};

use super::entries::{entries, folders};
use super::target::Target;

/// Hives that lie in the config folder beside SYSTEM and SOFTWARE.
const BESIDE: [&str; 8] = [
    "SAM",
    "SECURITY",
    "DEFAULT",
    "COMPONENTS",
    "DRIVERS",
    "ELAM",
    "BBI",
    "BCD-Template",
];
/// The folder of hivemend's own backups, beside the hives.
const OWN_BACKUPS: &str = "hivemend";
/// How many of them are looked at.
const MOST_BACKUPS: usize = 100;

impl Target {
    /// Files that may be older copies of the hive called `name`, where Windows and hivemend leave them:
    /// `RegBack`, `repair`, `Windows.old` and the backups beside the hives. What they are worth is
    /// for others to judge; folders that cannot be listed are passed over.
    pub fn donors(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for folder in listed(&self.config, &["RegBack"]) {
            found.extend(files(&folder, &[name]));
        }
        if let Some(windows) = &self.windows {
            for folder in listed(windows, &["repair"]) {
                found.extend(files(&folder, &[name]));
            }
        }
        if let Some(root) = &self.root {
            for old in listed(root, &["Windows.old"]) {
                if let Ok(target) = Self::find(&old) {
                    let named = target.hives().filter(|hive| {
                        let file = hive.path.file_name().unwrap_or_default();
                        file.eq_ignore_ascii_case(name)
                    });
                    found.extend(named.map(|hive| hive.path.clone()));
                }
            }
        }
        for own in listed(&self.config, &[OWN_BACKUPS]) {
            let mut backups: Vec<PathBuf> = std::fs::read_dir(own)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            backups.sort();
            for backup in backups.iter().rev().take(MOST_BACKUPS) {
                found.extend(files(backup, &[name]));
            }
        }
        found
    }

    /// The hives that hivemend does not edit: those beside SYSTEM and SOFTWARE, and the boot
    /// configuration where the disk has it.
    pub fn other_hives(&self) -> Vec<PathBuf> {
        let mut found = files(&self.config, &BESIDE);
        if let Some(root) = &self.root {
            for boot in listed(root, &["Boot"]) {
                found.extend(files(&boot, &["BCD"]));
            }
            for efi in listed(root, &["EFI"]) {
                for microsoft in listed(&efi, &["Microsoft"]) {
                    for boot in listed(&microsoft, &["Boot"]) {
                        found.extend(files(&boot, &["BCD"]));
                    }
                }
            }
        }
        found
    }
}

fn listed(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    folders(folder, names).unwrap_or_default()
}

/// The plain files of a folder under one of `names`.
fn files(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let entries = entries(folder, names).unwrap_or_default();
    let files = entries.into_iter().filter(|entry| entry.kind.is_file());
    files.map(|entry| entry.path).collect()
}
