// SPDX-License-Identifier: GPL-3.0-or-later
//! The names under which the hives of another machine are mounted.

use crate::profile::HiveName;

/// More names than this are not learned from a file.
const MOST: usize = 64;

/// Names right below `HKEY_LOCAL_MACHINE` that stand for the hives of another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounts {
    names: Vec<(String, HiveName)>,
}

impl Default for Mounts {
    /// The two that Microsoft's articles use.
    fn default() -> Self {
        Self {
            names: vec![
                ("BROKENSYSTEM".to_owned(), HiveName::System),
                ("BROKENSOFTWARE".to_owned(), HiveName::Software),
            ],
        }
    }
}

impl Mounts {
    /// Adds a name.
    pub fn add(&mut self, name: &str, hive: HiveName) {
        if self.names.len() < MOST && self.hive(name).is_none() {
            self.names.push((name.to_owned(), hive));
        }
    }

    /// The hive that is mounted under this name.
    pub fn hive(&self, name: &str) -> Option<HiveName> {
        let mut names = self.names.iter();
        let found = names.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, hive)| *hive)
    }
}

/// The hive that a file of this path holds, by its name.
pub(super) fn hive_of_file(path: &str) -> Option<HiveName> {
    let name = path.rsplit(['\\', '/']).next()?;
    let name = name.trim_end_matches(['"', '\'']);
    let name = match name.get(name.len().saturating_sub(4)..) {
        Some(end) if end.eq_ignore_ascii_case(".hiv") => {
            name.get(..name.len().saturating_sub(4))?
        }
        _ => name,
    };
    match name.to_ascii_uppercase().as_str() {
        "SYSTEM" => Some(HiveName::System),
        "SOFTWARE" => Some(HiveName::Software),
        _ => None,
    }
}
