// SPDX-License-Identifier: GPL-3.0-or-later
//! Rules about a key as a whole: it is to go, or what it holds is worked out.

use std::collections::HashMap;

use super::builder::{Aim, Builder, blocked};
use super::said::Said;
use crate::machine::{HiveInput, MachineError, State, summarize};
use crate::plan::last_known_good::{LastKnownGood, last_known_good};
use crate::plan::{Action, Change, PlanError};
use crate::profile::{Data, HiveName, KeyRule, ValueRule, Want};
use crate::regf::{FoldedPath, KeyNode, NodePath};

impl<'h, 'p> Builder<'_, 'h, 'p> {
    pub(super) fn want_key_absent(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &KeyRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let place = (aim.hive, aim.key.folded(), None);
        if let Some(said) = self.seen.get(&place) {
            let change = said
                .change
                .and_then(|index| self.plan.changes.get_mut(index));
            if let Some(change) = change {
                change.lowers_security |= rule.lowers_security;
            }
            return Ok(());
        }
        let change = key.map(|_| self.plan.changes.len());
        let profile = aim.profile.id.as_str();
        let said = Said {
            profile,
            wants: Vec::new(),
            change,
        };
        self.seen.insert(place, said);
        let Some(key) = key else {
            self.plan.matches = self.plan.matches.saturating_add(1);
            return Ok(());
        };
        let summary = summarize(&input.hive, key).map_err(MachineError::in_hive(input.name))?;
        self.push(Change {
            profile: aim.profile.id.clone(),
            hive: aim.hive,
            control_set: aim.control_set.clone(),
            key: aim.key.clone(),
            value: None,
            action: Action::DeleteKey,
            before: Some(State::Key(summary)),
            after: None,
            lowers_security: rule.lowers_security,
            cause: aim.profile.cause.clone(),
            note: rule.why.clone().unwrap_or_else(|| "".into()),
        })
    }

    /// Plans the change of `Select`, worked out from the control sets that are there.
    pub(super) fn want_last_known_good(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &KeyRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let sets = input.control_sets()?;
        let numbers = match last_known_good(input, &sets)? {
            LastKnownGood::Use(numbers) => numbers,
            LastKnownGood::Done(reason) => {
                return self.skip(aim, None, &reason);
            }
            LastKnownGood::Impossible(reason) => {
                return self.block(aim, None, reason);
            }
        };
        for (name, number) in *numbers {
            let why = rule.why.clone();
            let value = ValueRule {
                name: name.to_owned(),
                every: false,
                if_tokens: Vec::new(),
                want: Want::Data(Data::Dword(number)),
                parameter: None,
                if_exists: false,
                if_one_of: Vec::new(),
                why: why.unwrap_or_else(|| "Last Known Good, as Windows writes it".into()),
                lowers_security: false,
                cause: None,
                at: rule.at,
            };
            self.add_value_rule(input, aim, &value, key, None)?;
        }
        Ok(())
    }

    /// What a rule wants in a key that another one deletes is not done: it is gone with the key, or
    /// cannot be.
    pub(super) fn leave_deleted_keys(&mut self) {
        let is_deletion = |change: &&Change| change.action == Action::DeleteKey;
        let deleted = self.plan.changes.iter().filter(is_deletion);
        let deleted: HashMap<(HiveName, FoldedPath), String> = deleted
            .map(|change| ((change.hive, change.key.folded()), change.profile.clone()))
            .collect();
        if deleted.is_empty() {
            return;
        }
        // Who deletes a key or one above it; the uppermost decides. Keys share what is above them.
        let mut asked: HashMap<(HiveName, FoldedPath), Option<&String>> = HashMap::new();
        let mut by_whom = |hive: HiveName, key: &NodePath| {
            let mut unknown = Vec::new();
            let mut by = None;
            for path in key.upwards() {
                if let Some(known) = asked.get(&(hive, path.folded())) {
                    by = *known;
                    break;
                }
                unknown.push(path);
            }
            for path in unknown.into_iter().rev() {
                let place = (hive, path.folded());
                by = by.or_else(|| deleted.get(&place));
                asked.insert(place, by);
            }
            by
        };
        let changes = std::mem::take(&mut self.plan.changes);
        for change in changes {
            let within = match change.action {
                Action::DeleteKey => change.key.above(),
                _ => Some(&change.key),
            };
            let by = within.and_then(|key| by_whom(change.hive, key));
            match (by, change.action) {
                (None, _) => self.plan.changes.push(change),
                (Some(_), Action::DeleteValue | Action::DeleteKey) => {}
                (Some(by), Action::Set | Action::CreateKey) => {
                    let reason = format!("{by} deletes the key");
                    self.plan.blocked.push(blocked(change, reason));
                }
            }
        }
    }
}
