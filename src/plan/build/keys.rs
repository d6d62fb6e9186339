// SPDX-License-Identifier: GPL-3.0-or-later
//! The keys that a rule means: in which control sets, and what its `*` and `{GUID}` stand for.

use super::builder::{Builder, skipped};
use crate::machine::{ControlSetInfo, HiveInput};
use crate::plan::PlanError;
use crate::plan::places::{Enumerated, MAX_PLACES, Place, enumerate};
use crate::profile::{ControlSet, KeyPath, KeyRule, Profile, ValueRule};
use crate::regf::Name;
use crate::text::Foreign;

impl<'h> Builder<'_, 'h, '_> {
    /// The real keys that a rule's key means.
    pub(super) fn places(
        &mut self,
        rule: &KeyRule,
        values: &[ValueRule],
        profile: &Profile,
        input: &HiveInput<'h>,
    ) -> Result<Vec<Place>, PlanError> {
        let path = &rule.path;
        let mut places = Vec::new();
        for control_set in self.roots(path) {
            let root = control_set.as_deref().map(Name::from);
            let place = (path.hive, control_set.clone());
            let beside = self.last.remove(&place).unwrap_or_default();
            let Enumerated {
                found,
                left,
                too_many,
            } = enumerate(input, root.into_iter().collect(), path, &beside)?;
            if let Some((key, _)) = found.last() {
                self.last.insert(place, key.clone());
            }
            for (key, reason) in left {
                self.skip_rule(profile, rule, values, &key, &reason, None)?;
            }
            let key = || match &control_set {
                Some(set) => Foreign::from(format!("{set}\\{}", path.segments.join("\\"))),
                None => Foreign::from(path.segments.join("\\")),
            };
            if too_many {
                let reason = format!("more than {MAX_PLACES} keys match: that is not meant");
                let blocked = skipped(profile, path.hive, key(), None, reason);
                self.plan.blocked.push(blocked);
            } else if found.is_empty() {
                self.skip_rule(profile, rule, values, &key(), "no key matches", None)?;
            }
            places.extend(found.into_iter().map(|(key, bound)| Place {
                control_set: control_set.clone(),
                key,
                bound,
            }));
        }
        Ok(places)
    }

    /// The control sets' keys that a path means; `None` once for a path outside of them.
    pub(super) fn roots(&self, path: &KeyPath) -> Vec<Option<String>> {
        let meant = |set: &&ControlSetInfo| match path.control_set {
            Some(ControlSet::Every) => true,
            Some(ControlSet::Number(number)) => set.number == number,
            None => false,
        };
        if path.control_set.is_none() {
            return vec![None];
        }
        let sets = self.chosen.iter().filter(meant);
        sets.map(|set| Some(set.name.clone())).collect()
    }

    /// Why a rule about one control set finds none. A control set is never created.
    pub(super) fn unmet_control_set(&self, path: &KeyPath) -> Option<String> {
        let Some(ControlSet::Number(number)) = path.control_set else {
            return None;
        };
        if self.chosen.iter().any(|set| set.number == number) {
            return None;
        }
        let mut all = self.scene.control_sets.iter();
        Some(if all.any(|set| set.number == number) {
            format!("ControlSet{number:03} is not among the control sets chosen")
        } else {
            format!("ControlSet{number:03} does not exist, and a control set is never created")
        })
    }
}
