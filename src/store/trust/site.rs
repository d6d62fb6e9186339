// SPDX-License-Identifier: GPL-3.0-or-later
//! Where the store works, and what a record that is found there may speak of.

use crate::disk::{Folder, HiveName, Target};
use crate::store::error::StoreFault;
use crate::store::terms::FileName;

/// The transaction logs of a hive, by what follows its name.
const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// What a file of a record claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A hive.
    Hive,
    /// A transaction log.
    Log,
}

/// Says why bytes are not what a file of this role holds. The store does not know what a key is, so
/// the caller brings this along.
pub type Judge = fn(Role, &[u8]) -> Result<(), String>;

/// A config folder and the hives in it that records may name.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder with the hives, opened once.
    pub config: Folder,
    /// The files of the hives that the user's target has, besides SYSTEM and SOFTWARE.
    hives: Vec<String>,
    pub(in crate::store) judge: Judge,
}

/// By place and names: two looks at one target are equal.
impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        (&self.config, &self.hives) == (&other.config, &other.hives)
    }
}

impl Eq for Site {}

impl Site {
    /// The site of a target: SYSTEM, SOFTWARE and what the target's hives are called.
    pub fn of(target: &Target, judge: Judge) -> Self {
        let named = target
            .hives()
            .filter_map(|hive| hive.path.file_name()?.to_str());
        let hives = named.map(str::to_owned).collect();
        Self {
            config: target.folder.clone(),
            hives,
            judge,
        }
    }

    /// What `file` may be, in the words of a record; `None` where no record of this site may name it.
    pub(in crate::store) fn role(&self, file: &FileName) -> Option<Role> {
        let known = HiveName::ALL.map(HiveName::as_str);
        let own = self.hives.iter().map(String::as_str);
        let mut hives = known.into_iter().chain(own);
        if hives.clone().any(|hive| file.is_like(hive)) {
            return Some(Role::Hive);
        }
        let is_log = |hive| LOGS.iter().any(|log| file.is_like(&format!("{hive}{log}")));
        hives.any(is_log).then_some(Role::Log)
    }

    /// As [`Site::role`], or the refusal.
    pub(in crate::store) fn admit(&self, file: &FileName, role: Role) -> Result<(), StoreFault> {
        match self.role(file) {
            Some(found) if found == role => Ok(()),
            _ => Err(StoreFault::NotOurs {
                path: self.config.path().join(file.as_str()),
            }),
        }
    }
}
