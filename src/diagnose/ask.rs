// SPDX-License-Identifier: GPL-3.0-or-later
//! One question for each entry of each profile that knows a cause: has it drifted, and does it count?

use super::{Area, Evidence, Masked};
use crate::effect::{Policies, Reader, Source, When, by_policy, in_force, known_of};
use crate::machine::{ControlSetInfo, HiveInput, MachineError, State, path_in};
use crate::plan::{Change, Plan, PlanError, Scene, build_entry};
use crate::profile::{Cause, Data, HiveName, KeyRule, Profile, ValueRule};
use crate::regf::{Name, NodePath};
use crate::settings::Known;

/// What one entry says.
pub(super) struct Found {
    /// The step that it is about.
    pub(super) area: Area,
    /// What its drift means.
    pub(super) cause: Cause,
    /// The profile of the entry; empty for what the structure of the hive tells.
    pub(super) profile: String,
    /// Profiles to run with it.
    pub(super) with: Vec<String>,
    /// What to do where no profile helps.
    pub(super) advice: Option<String>,
    pub(super) evidence: Evidence,
}

/// What all entries say about one control set.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) found: Vec<Found>,
    pub(super) masked: Vec<Masked>,
    pub(super) unanswered: Vec<String>,
    /// Places in hives that could not be read.
    pub(super) unread: Vec<String>,
}

/// Asks profiles about control sets.
pub(super) struct Asker<'a, 'r, 'h> {
    profiles: &'a [Profile],
    scene: Scene<'a, 'h>,
    reader: &'a Reader<'r, 'h>,
    policies: Policies<'a>,
}

/// The profile that keeps policies from coming back.
const PARKS: &str = "group-policy-park";

impl<'a, 'r, 'h> Asker<'a, 'r, 'h> {
    pub(super) fn new(
        profiles: &'a [Profile],
        hives: &'a [HiveInput<'h>],
        reader: &'a Reader<'r, 'h>,
        policies: Policies<'a>,
    ) -> Result<Self, MachineError> {
        Ok(Self {
            profiles,
            scene: Scene::of(hives)?,
            reader,
            policies,
        })
    }

    /// What every entry with a cause says about `set`.
    pub(super) fn ask(&self, set: &ControlSetInfo) -> Answers {
        let mut answers = Answers::default();
        for profile in self.profiles {
            for rule in &profile.keys {
                self.ask_rule(profile, rule, set, &mut answers);
            }
        }
        answers
    }

    fn ask_rule(
        &self,
        profile: &Profile,
        rule: &KeyRule,
        set: &ControlSetInfo,
        answers: &mut Answers,
    ) {
        let names = rule.path.segments.iter();
        let below: NodePath = names.map(|name| Name::from(name.as_str())).collect();
        let mut ask = |value: Option<&ValueRule>| {
            let own = value.and_then(|value| value.cause.as_ref());
            let Some(cause) = own.or(profile.cause.as_ref()) else {
                return;
            };
            let question = Question {
                cause,
                profile: &profile.id,
                rule,
                below: &below,
                value,
                set,
            };
            let values = value.map(std::slice::from_ref).unwrap_or_default();
            match build_entry(&self.scene, set, profile, rule, values) {
                Ok(plan) => self.judge(&question, plan, answers),
                Err(PlanError::NothingToCompare(_)) => {}
                Err(PlanError::Machine(error @ MachineError::Regf { .. })) => {
                    let place = error.to_string();
                    if !answers.unread.contains(&place) {
                        answers.unread.push(place);
                    }
                }
                Err(error) => {
                    let sentence = format!("{}: {error}", profile.id);
                    if !answers.unanswered.contains(&sentence) {
                        answers.unanswered.push(sentence);
                    }
                }
            }
        };
        if rule.values.is_empty() {
            ask(None);
        }
        rule.values.iter().for_each(|value| ask(Some(value)));
    }

    fn judge(&self, question: &Question<'_>, plan: Plan, answers: &mut Answers) {
        let known = question.known();
        if let Some(known) = known {
            // Conditions that do not hold leave a policy alone too.
            let mut skipped = plan.skipped.iter();
            let is_about = skipped.all(|skipped| skipped.condition.is_none());
            if is_about && let Some(verdict) = self.by_policy(question, known) {
                let drifted = !plan.changes.is_empty();
                match verdict {
                    Some(mut found) => {
                        // Without the policy the value itself counts.
                        let own = drifted.then(|| question.profile.to_owned());
                        found.with.extend(own);
                        answers.found.push(found);
                    }
                    None => self.mask(question, known, plan.changes, answers),
                }
                return;
            }
            let state = in_force(self.reader, &question.set.name, known, When::AtStart);
            if matches!(state.source, Source::UserAccount { .. }) {
                self.mask(question, known, plan.changes, answers);
                return;
            }
        }
        let changes = plan.changes.into_iter();
        let meant = changes.filter(|change| change.value.is_some() || question.value.is_none());
        for change in meant {
            if self.is_mended_at_start(&change) {
                answers.masked.push(Masked {
                    cause: question.cause.text.to_string(),
                    evidence: evidence(change),
                    why: "Registry.pol writes it as it should be when Windows starts".to_owned(),
                });
                continue;
            }
            let (with, note) = self.comes_back(&change);
            let evidence = Evidence {
                note,
                ..evidence(change)
            };
            answers.found.push(Found {
                area: Area::of(question.profile, &evidence),
                cause: question.cause.clone(),
                profile: question.profile.to_owned(),
                with,
                advice: None,
                evidence,
            });
        }
    }

    /// Where a policy decides: `None` if none does, else what is wrong with it, if anything is.
    fn by_policy(&self, question: &Question<'_>, known: &Known) -> Option<Option<Found>> {
        let state = by_policy(self.reader, known, When::AtStart)?;
        let Source::Policy { key, name } = state.source else {
            return None;
        };
        let counts = state.value?;
        let rule = question.value?;
        let want = &rule.want;
        let same = |data: &Data| data.kind() == counts.kind && data.bytes() == counts.data;
        let holds = rule.if_one_of.is_empty() || rule.if_one_of.iter().any(same);
        let is_good = !holds || want.is_met_by(Some((counts.kind, counts.data.as_slice())));
        // Where the value should be absent, the policy is left to the entry about the policy.
        if is_good || want.to_write().is_none() {
            return Some(None);
        }
        let software = HiveName::Software;
        let policy = self.reader.known_key(software, None, key);
        let stored = self.reader.value(&policy, name, When::Now);
        let is_written = self.reader.becomes(&policy, name).is_some();
        let mut profiles = Vec::new();
        profiles.extend(known.lift.filter(|_| stored.is_some()));
        profiles.extend(is_written.then_some(PARKS));
        let mut profiles = profiles.into_iter().map(str::to_owned);
        let advice =
            "No profile removes this policy: edit it where it is made, or delete its value.";
        Some(Some(Found {
            area: Area::of(question.profile, &question.evidence()),
            cause: question.cause.clone(),
            profile: profiles.next().unwrap_or_default(),
            with: profiles.collect(),
            advice: known.lift.is_none().then(|| advice.to_owned()),
            evidence: Evidence {
                hive: software,
                control_set: None,
                key: path_in(None, key),
                value: Some(Name::from(name)),
                note: Some(self.policy_note(known.name, is_written, stored.is_some())),
                found: stored.map(State::Value),
                wanted: None,
            },
        }))
    }

    fn policy_note(&self, name: &str, is_written: bool, is_there: bool) -> String {
        let mut note = match (is_there, is_written) {
            (false, _) => {
                return format!(
                    "Registry.pol sets it when Windows starts, and it wins over {name} in SYSTEM"
                );
            }
            (true, true) => format!(
                "the policy wins over {name} in SYSTEM, and Registry.pol writes it again when Windows starts"
            ),
            (true, false) => format!("the policy wins over {name} in SYSTEM"),
        };
        if let Some(by) = self.written_by() {
            note.push_str("; ");
            note.push_str(by);
        }
        note
    }

    /// Whether the local group policy makes of a policy what the change would make of it.
    fn is_mended_at_start(&self, change: &Change) -> bool {
        let Some(value) = change
            .value
            .as_ref()
            .filter(|_| change.hive == HiveName::Software)
        else {
            return false;
        };
        let name = value.to_text();
        let key = self.reader.key(HiveName::Software, &change.key);
        let is_written = self.reader.becomes(&key, &name).is_some();
        let then = self.reader.value(&key, &name, When::AtStart);
        is_written && then.map(State::Value) == change.after
    }

    /// What helps where the local group policy takes a change of a policy back.
    fn comes_back(&self, change: &Change) -> (Vec<String>, Option<String>) {
        let Some(value) = change
            .value
            .as_ref()
            .filter(|_| change.hive == HiveName::Software)
        else {
            return (Vec::new(), None);
        };
        let name = value.to_text();
        let key = self.reader.key(HiveName::Software, &change.key);
        let is_written = self.reader.becomes(&key, &name).is_some();
        let wanted = match &change.after {
            Some(State::Value(value)) => Some(value.clone()),
            _ => None,
        };
        if is_written && self.reader.value(&key, &name, When::AtStart) != wanted {
            let note = "Registry.pol writes it again when Windows starts";
            return (vec![PARKS.to_owned()], Some(note.to_owned()));
        }
        let is_policy = change
            .key
            .first()
            .is_some_and(|name| name.same_as(&Name::from("Policies")));
        let note = self.written_by().filter(|_| is_policy).map(str::to_owned);
        (Vec::new(), note)
    }

    /// Who else writes policies, and would write them again.
    fn written_by(&self) -> Option<&'static str> {
        if self.policies.domain_member {
            return Some("the machine is in a domain, whose policy may write it again");
        }
        let enrollments = path_in(None, "Microsoft\\Enrollments");
        let is_enrolled = |name: &Name| {
            let key = self
                .reader
                .key(HiveName::Software, &enrollments.join(name.clone()));
            self.reader.value(&key, "ProviderID", When::Now).is_some()
        };
        let managed = self
            .reader
            .subkeys(HiveName::Software, &enrollments)
            .iter()
            .any(is_enrolled);
        managed.then_some(
            "the machine is managed (MDM): what a policy says there is written again at the next sync",
        )
    }

    /// Drift that does not count.
    fn mask(
        &self,
        question: &Question<'_>,
        known: &Known,
        changes: Vec<Change>,
        answers: &mut Answers,
    ) {
        let state = in_force(self.reader, &question.set.name, known, When::AtStart);
        let why = match state.source {
            Source::Policy { name, .. } => format!("the policy {name} says otherwise, and wins"),
            Source::UserAccount { flag } => {
                format!("{flag} leaves the decision to the user's account")
            }
            Source::Own | Source::Default => return,
        };
        for change in changes.into_iter().filter(|change| change.value.is_some()) {
            let evidence = evidence(change);
            if answers
                .masked
                .iter()
                .any(|masked| same_place(&masked.evidence, &evidence))
            {
                continue;
            }
            answers.masked.push(Masked {
                cause: question.cause.text.to_string(),
                evidence,
                why: why.clone(),
            });
        }
    }
}

/// One entry of a profile, asked about one control set.
struct Question<'q> {
    cause: &'q Cause,
    profile: &'q str,
    rule: &'q KeyRule,
    /// The rule's key below the control set.
    below: &'q NodePath,
    value: Option<&'q ValueRule>,
    set: &'q ControlSetInfo,
}

impl Question<'_> {
    /// Where it is about, with nothing found.
    fn evidence(&self) -> Evidence {
        let set = self
            .rule
            .path
            .control_set
            .map(|_| Name::from(self.set.name.as_str()));
        Evidence {
            hive: self.rule.path.hive,
            control_set: None,
            key: set
                .into_iter()
                .chain(self.below.names().into_iter().cloned())
                .collect(),
            value: None,
            found: None,
            wanted: None,
            note: None,
        }
    }

    /// The setting that the entry is about, where another place may win over it.
    fn known(&self) -> Option<&'static Known> {
        self.rule.path.control_set?;
        known_of(self.below, &self.value?.name)
    }
}

fn evidence(change: Change) -> Evidence {
    Evidence {
        hive: change.hive,
        control_set: change.control_set,
        key: change.key,
        value: change.value,
        found: change.before,
        wanted: change.after,
        note: None,
    }
}

/// Whether both are about the same value or key.
fn same_place(one: &Evidence, other: &Evidence) -> bool {
    let same_value = match (&one.value, &other.value) {
        (Some(one), Some(other)) => one.same_as(other),
        (None, None) => true,
        _ => false,
    };
    one.hive == other.hive && same_value && one.key.same_as(&other.key)
}
