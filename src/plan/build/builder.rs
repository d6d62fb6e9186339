// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan while it is made: its changes and what is left out, as long as it stays of a size that is meant.

use std::collections::HashMap;
use std::sync::Arc;

use super::said::{Said, Subject};
use crate::machine::{ControlSetInfo, State};
use crate::plan::allowed::{Made, expect_possible};
use crate::plan::{Change, Plan, PlanError, Scene, Skipped};
use crate::profile::{HiveName, KeyRule, Profile, ValueRule};
use crate::regf::NodePath;
use crate::text::Foreign;

/// The most bytes that a plan may come to, counted as it is written: paths and reasons are said again
/// with each change. A hostile profile could ask for more than anybody could read.
const MAX_PLANNED: usize = 128 << 20;
/// What an entry of a plan takes besides its data, in bytes.
const ENTRY: usize = 256;

const MISSING: &str = "the key is missing and a value below needs it";

/// What a profile wants of one real key.
pub(super) struct Aim<'p> {
    pub(super) profile: &'p Profile,
    pub(super) hive: HiveName,
    pub(super) control_set: Option<String>,
    pub(super) key: NodePath,
}

pub(super) struct Builder<'s, 'h, 'p> {
    pub(super) scene: &'s Scene<'s, 'h>,
    pub(super) chosen: &'s [ControlSetInfo],
    pub(super) plan: Plan,
    /// Values and keys that a rule has spoken about: two profiles may want the same.
    pub(super) seen: HashMap<Subject, Said<'p>>,
    /// Keys that the plan creates.
    pub(super) made: Made,
    /// The path of the last rule in each hive and control set: the next one often begins like it.
    pub(super) last: HashMap<(HiveName, Option<String>), NodePath>,
    /// How many bytes more the plan may come to.
    pub(super) room: usize,
    /// Why keys are made.
    pub(super) missing: Arc<str>,
}

impl<'s, 'h, 'p> Builder<'s, 'h, 'p> {
    pub(super) fn new(scene: &'s Scene<'s, 'h>, chosen: &'s [ControlSetInfo]) -> Self {
        Self {
            scene,
            chosen,
            plan: Plan {
                target: Foreign::default(),
                hives: Vec::new(),
                profiles: Vec::new(),
                changes: Vec::new(),
                matches: 0,
                skipped: Vec::new(),
                blocked: Vec::new(),
                unjudged: 0,
                warnings: Vec::new(),
                metadata: None,
            },
            seen: HashMap::new(),
            made: Made::default(),
            last: HashMap::new(),
            room: MAX_PLANNED,
            missing: Arc::from(MISSING),
        }
    }

    /// Adds a change, as long as the plan stays of a size that is meant. One that is never made
    /// blocks the plan: what a profile wants may be worked out from what is there.
    pub(super) fn push(&mut self, change: Change) -> Result<(), PlanError> {
        self.spend(size_of(&change))?;
        match expect_possible(&change, self.scene.hives, &self.made) {
            Ok(()) => self.made.note(&change),
            Err(PlanError::Forbidden { why, .. }) => {
                self.plan.blocked.push(blocked(change, why));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.plan.changes.push(change);
        Ok(())
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), PlanError> {
        let limit = MAX_PLANNED >> 20;
        let room = self.room.checked_sub(bytes);
        self.room = room.ok_or(PlanError::TooMuch { limit })?;
        Ok(())
    }

    pub(super) fn skip_rule(
        &mut self,
        profile: &Profile,
        rule: &KeyRule,
        values: &[ValueRule],
        key: &Foreign,
        reason: &str,
        condition: Option<String>,
    ) -> Result<(), PlanError> {
        let names = values.iter().map(|value| Some(value.name.clone()));
        let mut names: Vec<Option<String>> = names.collect();
        if names.is_empty() {
            names.push(None);
        }
        let texts = [key.raw(), reason, condition.as_deref().unwrap_or_default()];
        let size = texts.iter().map(|text| text.len());
        let size = size.fold(ENTRY, usize::saturating_add);
        for value in names {
            self.spend(size)?;
            let (hive, key) = (rule.path.hive, key.clone());
            let left = skipped(profile, hive, key, value, reason.to_owned());
            self.plan.skipped.push(Skipped {
                condition: condition.clone(),
                ..left
            });
        }
        Ok(())
    }

    pub(super) fn skip(
        &mut self,
        aim: &Aim<'_>,
        value: Option<String>,
        reason: &str,
    ) -> Result<(), PlanError> {
        let (key, reason) = (aim.key.text(), reason.to_owned());
        self.spend(ENTRY.saturating_add(key.raw().len()))?;
        let left = skipped(aim.profile, aim.hive, key, value, reason);
        self.plan.skipped.push(left);
        Ok(())
    }

    pub(super) fn block(
        &mut self,
        aim: &Aim<'_>,
        value: Option<String>,
        reason: String,
    ) -> Result<(), PlanError> {
        let key = aim.key.text();
        self.spend(ENTRY.saturating_add(key.raw().len()))?;
        let left = skipped(aim.profile, aim.hive, key, value, reason);
        self.plan.blocked.push(left);
        Ok(())
    }
}

/// What a change comes to in a plan: what it says, and what it writes. What it finds is in the hive.
fn size_of(change: &Change) -> usize {
    let names = change.key.upwards().filter_map(NodePath::name);
    let units = names.map(|name| name.units().len().saturating_add(1));
    let cause = change.cause.as_ref();
    let texts = [
        change.note.len(),
        change.profile.len(),
        cause.map_or(0, |cause| cause.text.len()),
        match &change.after {
            Some(State::Value(value)) => value.data.len(),
            _ => 0,
        },
    ];
    units.chain(texts).fold(ENTRY, usize::saturating_add)
}

pub(super) fn skipped(
    profile: &Profile,
    hive: HiveName,
    key: Foreign,
    value: Option<String>,
    reason: String,
) -> Skipped {
    Skipped {
        profile: profile.id.clone(),
        hive,
        key,
        value: value.map(Foreign::from),
        reason,
        condition: None,
    }
}

/// The entry for a change that is wanted and not made.
pub(super) fn blocked(change: Change, reason: String) -> Skipped {
    Skipped {
        profile: change.profile,
        hive: change.hive,
        key: change.key.text(),
        value: change.value.map(|name| Foreign::from(name.to_text())),
        reason,
        condition: None,
    }
}
