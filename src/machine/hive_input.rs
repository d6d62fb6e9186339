// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive that is asked for many of its keys and values.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::MachineError;
use super::control_sets::{ControlSetInfo, control_sets};
use crate::profile::HiveName;
use crate::regf::{Finder, Hive, KeyNode, KeyValue, Name, NodePath};
use crate::text::Foreign;

/// How a hive's newest state was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is all in the primary file.
    Clean,
    /// It was recovered from the transaction logs.
    Recovered(Recovery),
    /// The primary file as it is, although data is missing: somebody accepted that.
    Unrecovered,
}

impl Condition {
    /// Its name in plans.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Recovered(_) => "recovered",
            Self::Unrecovered => "unrecovered",
        }
    }
}

/// What was taken from transaction logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Log entries, or dirty pages where the logs are of the old format.
    pub entries: u64,
    /// The logs, in the order in which they were applied.
    pub logs: Vec<Foreign>,
    /// The first sequence number applied.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// All of it in a line.
    pub text: String,
}

/// A hive of a machine. A copy is asked like the first: what one has found, all know.
#[derive(Clone)]
pub struct HiveInput<'a> {
    /// Which hive it is.
    pub name: HiveName,
    /// Where its file is, for people.
    pub path: Foreign,
    /// The hive, as Windows would see it.
    pub hive: Hive<'a>,
    /// What it took to see it so.
    pub condition: Condition,
    known: Rc<Known<'a>>,
}

/// What has been found in a hive.
struct Known<'a> {
    finder: Finder<'a>,
    control_sets: OnceCell<Arc<[ControlSetInfo]>>,
}

impl<'a> HiveInput<'a> {
    /// The hive `name`, whose file is at `path`.
    pub fn new(name: HiveName, path: Foreign, hive: Hive<'a>, condition: Condition) -> Self {
        let known = Known {
            finder: Finder::new(hive),
            control_sets: OnceCell::new(),
        };
        Self {
            name,
            path,
            hive,
            condition,
            known: Rc::new(known),
        }
    }

    /// The control sets of a SYSTEM hive, by number; none in SOFTWARE.
    ///
    /// # Errors
    ///
    /// Where the root's subkeys or `Select` cannot be read, or a SYSTEM hive has no control set.
    pub fn control_sets(&self) -> Result<Arc<[ControlSetInfo]>, MachineError> {
        if let Some(sets) = self.known.control_sets.get() {
            return Ok(Arc::clone(sets));
        }
        let sets = match self.name {
            HiveName::System => control_sets(&self.hive)?,
            HiveName::Software => Vec::new(),
        };
        let sets = self.known.control_sets.get_or_init(|| sets.into());
        Ok(Arc::clone(sets))
    }

    /// The key at `path`, unless it or one above it must not be edited.
    ///
    /// # Errors
    ///
    /// Where a structure on the way is damaged, or [`MachineError::Special`].
    pub(crate) fn find_key(&self, path: &NodePath) -> Result<Option<KeyNode<'a>>, MachineError> {
        let looked = self.known.finder.find(path).map_err(self.in_hive())?;
        let Some((level, special)) = looked.special else {
            return Ok(looked.key);
        };
        let above = path.upwards().find(|above| above.depth() == level);
        Err(MachineError::Special {
            hive: self.name,
            key: above.unwrap_or(path).text(),
            special,
        })
    }

    /// The value `name` of `key`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// Where the list or a value in front of the one meant is damaged.
    pub(crate) fn find_value(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyValue<'a>>, MachineError> {
        let found = self.known.finder.find_value(key, name);
        found.map_err(self.in_hive())
    }

    /// What went wrong in this hive.
    fn in_hive(&self) -> impl Fn(crate::regf::RegfError) -> MachineError {
        MachineError::in_hive(self.name)
    }
}

/// The hive `name` of these.
///
/// # Errors
///
/// [`MachineError::HiveMissing`] where it is not among them.
pub(crate) fn hive_of<'i, 'h>(
    name: HiveName,
    hives: &'i [HiveInput<'h>],
) -> Result<&'i HiveInput<'h>, MachineError> {
    let found = hives.iter().find(|input| input.name == name);
    found.ok_or(MachineError::HiveMissing(name))
}
