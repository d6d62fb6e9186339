// SPDX-License-Identifier: GPL-3.0-or-later
//! A value as it is against what a rule wants of it.

use std::sync::Arc;

use super::builder::{Aim, Builder};
use super::said::Recalled;
use crate::machine::{HiveInput, KeySummary, State, Value, all_values, find_value};
use crate::plan::{Action, Change, PlanError};
use crate::profile::{ValueRule, Verdict, Want};
use crate::regf::{KeyNode, Name};

/// A value that a rule is about, as it is found.
struct Found<'k, 'h> {
    name: Name,
    key: Option<&'k KeyNode<'h>>,
    value: Option<(Name, Value)>,
}

impl Found<'_, '_> {
    fn state(&self) -> Option<(u32, &[u8])> {
        let value = self.value.as_ref();
        value.map(|(_, value)| (value.kind, value.data.as_slice()))
    }
}

impl<'h, 'p> Builder<'_, 'h, 'p> {
    /// Follows a rule about every value of a key. Those that it is not meant for are not spoken of: there
    /// may be thousands.
    pub(super) fn add_every_value(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &'p ValueRule,
        key: Option<&KeyNode<'_>>,
    ) -> Result<(), PlanError> {
        let Some(key) = key else {
            return self.skip(aim, Some(rule.name.clone()), "the key does not exist");
        };
        for (name, value) in all_values(input, key)? {
            let found = Found {
                name: name.clone(),
                key: Some(key),
                value: Some((name, value)),
            };
            if why_not_meant(rule, &found).is_none() {
                self.add_found(input, aim, rule, found, Some(&rule.want))?;
            }
        }
        Ok(())
    }

    pub(super) fn add_value_rule(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        key: Option<&KeyNode<'_>>,
        want: Option<&'p Want>,
    ) -> Result<(), PlanError> {
        let name = Name::from(rule.name.as_str());
        let value = match key {
            Some(key) => find_value(input, key, &name)?,
            None => None,
        };
        let found = Found { name, key, value };
        if let Some(reason) = why_not_meant(rule, &found) {
            return self.skip(aim, Some(rule.name.clone()), reason);
        }
        self.add_found(input, aim, rule, found, want)
    }

    fn add_found(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        found: Found<'_, '_>,
        want: Option<&'p Want>,
    ) -> Result<(), PlanError> {
        let value = Some(found.name.to_text());
        let subject = (aim.hive, aim.key.folded(), Some(found.name.folded()));
        let verdict = match self.recall(&subject, rule, want) {
            Recalled::Nothing => rule.want.judge(found.state()),
            Recalled::TheSame => {
                self.mark(&subject, rule);
                return Ok(());
            }
            Recalled::Another(by) => {
                let reason = match by == aim.profile.id {
                    true => "two entries of the profile disagree on it".to_owned(),
                    false => format!("{by} wants something else of it"),
                };
                return self.block(aim, value, reason);
            }
            Recalled::Part(change, verdict) => {
                self.change_further(change, rule, verdict);
                self.mark(&subject, rule);
                self.say(subject, aim, want, Some(change));
                return Ok(());
            }
        };
        let changes = matches!(verdict, Verdict::Write { .. } | Verdict::Delete);
        self.say(
            subject,
            aim,
            want,
            changes.then_some(self.plan.changes.len()),
        );
        self.carry_out(input, aim, rule, found, verdict)
    }

    fn carry_out(
        &mut self,
        input: &HiveInput<'h>,
        aim: &Aim<'p>,
        rule: &ValueRule,
        found: Found<'_, '_>,
        verdict: Verdict,
    ) -> Result<(), PlanError> {
        let after = match verdict {
            Verdict::Met => {
                self.plan.matches = self.plan.matches.saturating_add(1);
                return Ok(());
            }
            Verdict::Blocked(reason) => return self.block(aim, Some(found.name.to_text()), reason),
            Verdict::Missing => return Ok(()),
            Verdict::Write { kind, data } => Some(Value { kind, data }),
            Verdict::Delete => None,
        };
        if found.key.is_none() {
            let first = self.plan.changes.len();
            self.create_keys(input, aim)?;
            self.shift(aim, &found.name, first);
        }
        self.push(value_change(aim, rule, found, after))
    }

    /// Plans every key that is missing on the way to a value, the uppermost first.
    fn create_keys(&mut self, input: &HiveInput<'h>, aim: &Aim<'_>) -> Result<(), PlanError> {
        let mut missing = Vec::new();
        for path in aim.key.upwards() {
            if self.made.has(aim.hive, path) || input.find_key(path)?.is_some() {
                break;
            }
            missing.push(path);
        }
        for path in missing.into_iter().rev() {
            self.push(Change {
                profile: aim.profile.id.clone(),
                hive: aim.hive,
                control_set: aim.control_set.clone(),
                key: path.clone(),
                value: None,
                action: Action::CreateKey,
                before: None,
                after: Some(State::Key(KeySummary::empty())),
                lowers_security: false,
                cause: None,
                note: Arc::clone(&self.missing),
            })?;
        }
        Ok(())
    }
}

/// Why a rule is not about the value as it is found.
fn why_not_meant(rule: &ValueRule, found: &Found<'_, '_>) -> Option<&'static str> {
    let state = found.state();
    let verdict = rule.want.judge(state);
    if verdict == Verdict::Met {
        return None;
    }
    let is_limited = !rule.if_one_of.is_empty() || !rule.if_tokens.is_empty();
    if state.is_none() && (rule.if_exists || is_limited || verdict == Verdict::Missing) {
        return Some("the value does not exist");
    }
    let is_left = !rule.is_meant(state);
    is_left.then_some("the value is none of those that are changed")
}

fn value_change(
    aim: &Aim<'_>,
    rule: &ValueRule,
    found: Found<'_, '_>,
    after: Option<Value>,
) -> Change {
    let action = match after {
        Some(_) => Action::Set,
        None => Action::DeleteValue,
    };
    let (name, before) = match found.value {
        Some((spelling, value)) => (spelling, Some(State::Value(value))),
        None => (found.name, None),
    };
    let cause = rule.cause.as_ref().or(aim.profile.cause.as_ref());
    Change {
        profile: aim.profile.id.clone(),
        hive: aim.hive,
        control_set: aim.control_set.clone(),
        key: aim.key.clone(),
        value: Some(name),
        action,
        before,
        after: after.map(State::Value),
        lowers_security: rule.lowers_security,
        cause: cause.cloned(),
        note: rule.why.clone(),
    }
}
