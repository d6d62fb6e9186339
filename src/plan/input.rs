// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive that is asked for many of its keys and values.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::{Condition, ControlSetInfo, PlanError, control_sets};
use crate::profile::HiveName;
use crate::regf::{Finder, Hive, KeyNode, KeyValue, Name, NodePath};
use crate::text::Foreign;

/// A hive that a plan is made for. A copy is asked like the first: what one has found, all know.
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
    pub fn control_sets(&self) -> Result<Arc<[ControlSetInfo]>, PlanError> {
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
    /// Where a structure on the way is damaged, or [`PlanError::Special`].
    pub(super) fn find_key(&self, path: &NodePath) -> Result<Option<KeyNode<'a>>, PlanError> {
        let looked = self.known.finder.find(path).map_err(self.in_hive())?;
        let Some((level, special)) = looked.special else {
            return Ok(looked.key);
        };
        let above = path.upwards().find(|above| above.depth() == level);
        Err(PlanError::Special {
            hive: self.name,
            key: super::path_text(above.unwrap_or(path)),
            special,
        })
    }

    /// The value `name` of `key`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// Where the list or a value in front of the one meant is damaged.
    pub(super) fn find_value(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyValue<'a>>, PlanError> {
        let found = self.known.finder.find_value(key, name);
        found.map_err(self.in_hive())
    }

    /// What went wrong in this hive.
    fn in_hive(&self) -> impl Fn(crate::regf::RegfError) -> PlanError {
        PlanError::in_hive(self.name)
    }
}
