// SPDX-License-Identifier: GPL-3.0-or-later
//! What several rules say of one value: the same, something else, or of another part of it.

use super::builder::{Aim, Builder};
use super::said::{Recalled, Said, Subject};
use crate::machine::{State, Value};
use crate::plan::Action;
use crate::profile::{ValueRule, Verdict, Want};
use crate::regf::Name;

impl<'p> Builder<'_, '_, 'p> {
    /// What rules have said about a value so far.
    pub(super) fn recall(
        &self,
        subject: &Subject,
        rule: &ValueRule,
        want: Option<&'p Want>,
    ) -> Recalled<'p> {
        let Some(said) = self.seen.get(subject) else {
            return Recalled::Nothing;
        };
        let Some(want) = want else {
            // Worked out twice from the same numbers.
            return match said.wants.is_empty() {
                true => Recalled::TheSame,
                false => Recalled::Another(said.profile),
            };
        };
        if said.wants.contains(&want) {
            return Recalled::TheSame;
        }
        let agrees = |other: &&Want| want.agrees_with(other);
        if said.wants.is_empty() || !said.wants.iter().all(agrees) {
            return Recalled::Another(said.profile);
        }
        let planned = said.change.and_then(|index| {
            let change = self.plan.changes.get(index)?;
            Some((index, change.after.as_ref()))
        });
        match planned {
            // The other parts are as wanted.
            None => Recalled::Nothing,
            Some((index, Some(State::Value(value)))) => {
                let now = Some((value.kind, value.data.as_slice()));
                Recalled::Part(index, rule.want.judge(now))
            }
            Some((index, _)) => Recalled::Part(index, rule.want.judge(None)),
        }
    }

    /// Notes that a rule has spoken about a value.
    pub(super) fn say(
        &mut self,
        subject: Subject,
        aim: &Aim<'p>,
        want: Option<&'p Want>,
        change: Option<usize>,
    ) {
        let said = self.seen.entry(subject).or_insert_with(|| Said {
            profile: &aim.profile.id,
            wants: Vec::new(),
            change: None,
        });
        said.wants.extend(want);
        said.change = said.change.or(change);
    }

    /// Adds to a change of a part of a value what another rule wants of another part.
    pub(super) fn change_further(&mut self, index: usize, rule: &ValueRule, verdict: Verdict) {
        let Some(change) = self.plan.changes.get_mut(index) else {
            return;
        };
        match verdict {
            Verdict::Write { kind, data } => {
                change.after = Some(State::Value(Value { kind, data }));
            }
            Verdict::Delete => {
                change.after = None;
                change.action = Action::DeleteValue;
            }
            Verdict::Met | Verdict::Missing | Verdict::Blocked(_) => return,
        }
        change.lowers_security |= rule.lowers_security;
        change.note = format!("{}; {}", change.note, rule.why).into();
    }

    /// Marks the change of a value that others made, where this rule wants the same of it or a part of
    /// it and says that this lowers security: which of them came first makes no difference.
    pub(super) fn mark(&mut self, subject: &Subject, rule: &ValueRule) {
        let said = self.seen.get(subject).and_then(|said| said.change);
        let Some(change) = said.and_then(|index| self.plan.changes.get_mut(index)) else {
            return;
        };
        let is_so = |state: &Option<State>| {
            rule.want.is_met_by(match state {
                Some(State::Value(value)) => Some((value.kind, value.data.as_slice())),
                _ => None,
            })
        };
        let does = !is_so(&change.before) && is_so(&change.after);
        if rule.lowers_security && !change.lowers_security && does {
            change.lowers_security = true;
            if !change.note.contains(&*rule.why) {
                change.note = format!("{}; {}", change.note, rule.why).into();
            }
        }
    }

    /// The keys that are created come before the change, which has moved.
    pub(super) fn shift(&mut self, aim: &Aim<'_>, name: &Name, first: usize) {
        let place = (aim.hive, aim.key.folded(), Some(name.folded()));
        let now = self.plan.changes.len();
        let said = self.seen.get_mut(&place);
        if let Some(said) = said.filter(|said| said.change == Some(first)) {
            said.change = Some(now);
        }
    }
}
