// SPDX-License-Identifier: GPL-3.0-or-later
//! Plans as JSON, for scripts and for `apply --plan`. The fields are described in `docs/json.md`.

use std::io;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::effect_text::{all_warnings, debris_json, mark_json, setting_json};
use super::state_json::{state_from, state_json};
use crate::effect::{Effect, Mark};
use crate::machine::{Condition, ControlSetInfo, Recovery, Role, State};
use crate::plan::{Action, Change, Metadata, Plan, PlannedHive, PlannedProfile, Skipped};
use crate::profile::{Cause, HiveName, Impact};
use crate::regf::{Name, NodePath};
use crate::text::Foreign;

/// The name of this form of a plan. A changed form gets a new name.
pub const PLAN_SCHEMA: &str = "hivemend.plan/1";

/// Why a file is not a plan.
#[derive(Debug, Error)]
pub enum PlanJsonError {
    /// It is not the JSON of a plan.
    #[error("this is not a plan that hivemend wrote: {0}")]
    Json(#[from] serde_json::Error),
    /// It is a plan of another form.
    #[error("this is not a plan: its schema is {0:?}, not {PLAN_SCHEMA:?}")]
    Schema(String),
    /// It speaks of a hive that there is not.
    #[error("{0:?} in the plan is no hive")]
    Hive(String),
    /// A change in it does not make sense.
    #[error("change {number} of the plan cannot be used: {why}")]
    Change {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// What says what a document is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Json,
    #[serde(default)]
    digest: Json,
}

/// A plan, while it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanDocument {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    target: Foreign,
    hives: Vec<HiveDocument>,
    profiles: Vec<ProfileDocument>,
    changes: Vec<ChangeDocument>,
    #[serde(default)]
    skipped: Vec<SkippedDocument>,
    #[serde(default)]
    blocked: Vec<SkippedDocument>,
    #[serde(default)]
    warnings: Vec<String>,
    /// For people; worked out anew where the plan is applied.
    #[serde(default, rename = "effective")]
    _effective: Vec<IgnoredAny>,
    #[serde(default, rename = "debris")]
    _debris: Vec<IgnoredAny>,
    #[serde(default)]
    metadata: Option<MetadataDocument>,
    summary: SummaryDocument,
    #[serde(default, rename = "digest")]
    _digest: IgnoredAny,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetadataDocument {
    file_system: String,
    kept: Vec<String>,
    not_kept: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HiveDocument {
    name: String,
    path: Foreign,
    state: String,
    #[serde(default)]
    recovery: Option<RecoveryDocument>,
    control_sets: Vec<ControlSetDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryDocument {
    entries: u64,
    logs: Vec<Foreign>,
    first: u32,
    last: u32,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlSetDocument {
    name: String,
    roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileDocument {
    id: String,
    title: String,
    #[serde(default)]
    included_by: Option<String>,
    #[serde(default)]
    advice: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeDocument {
    profile: String,
    hive: String,
    control_set: Option<String>,
    key: Foreign,
    value: Option<String>,
    action: String,
    pub(super) before: Json,
    pub(super) after: Json,
    lowers_security: bool,
    #[serde(default)]
    impact: Option<String>,
    #[serde(default)]
    cause: Option<Arc<str>>,
    note: Arc<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Json>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SkippedDocument {
    profile: String,
    hive: String,
    key: Foreign,
    value: Option<Foreign>,
    reason: String,
    #[serde(default)]
    condition: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryDocument {
    changes: usize,
    matches: u64,
    skipped: usize,
    #[serde(default)]
    blocked: usize,
}

/// The plan as a document that is written piece by piece; behind it the `outcome` of an apply.
pub fn plan_document<'p>(
    plan: &'p Plan,
    effect: &'p Effect,
    outcome: Option<Json>,
) -> impl Serialize + use<'p> {
    WrittenPlan {
        schema: PLAN_SCHEMA,
        target: &plan.target,
        hives: plan.hives.iter().map(hive_document).collect(),
        profiles: plan.profiles.iter().map(profile_document).collect(),
        changes: MarkedChanges(&plan.changes, &effect.marks),
        skipped: AllSkipped(&plan.skipped),
        blocked: AllSkipped(&plan.blocked),
        warnings: all_warnings(&plan.warnings, effect),
        effective: Settings(effect),
        debris: debris_json(effect),
        metadata: plan.metadata.clone().map(|metadata| MetadataDocument {
            file_system: metadata.file_system,
            kept: metadata.kept,
            not_kept: metadata.not_kept,
        }),
        summary: SummaryDocument {
            changes: plan.changes.len(),
            matches: plan.matches,
            skipped: plan.skipped.len(),
            blocked: plan.blocked.len(),
        },
        digest: digest_of(&plan.changes),
        outcome,
    }
}

/// As [`PlanDocument`], while it is written.
#[derive(Serialize)]
struct WrittenPlan<'p> {
    schema: &'static str,
    target: &'p Foreign,
    hives: Vec<HiveDocument>,
    profiles: Vec<ProfileDocument>,
    changes: MarkedChanges<'p>,
    skipped: AllSkipped<'p>,
    blocked: AllSkipped<'p>,
    warnings: Vec<String>,
    effective: Settings<'p>,
    debris: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<MetadataDocument>,
    summary: SummaryDocument,
    /// Of the changes: a plan that was edited by hand is known by it.
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Json>,
}

/// The changes of a plan, each with what stands against it.
struct MarkedChanges<'p>(&'p [Change], &'p [Mark]);

impl Serialize for MarkedChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Marks are in the order of the changes.
        let mut marks = self.1.iter().peekable();
        let changes = self.0.iter().enumerate().map(|(at, change)| {
            let mut document = change_document(change);
            while let Some(mark) = marks.next_if(|mark| mark.change == at) {
                document.marks.push(mark_json(mark));
            }
            document
        });
        serializer.collect_seq(changes)
    }
}

struct AllSkipped<'p>(&'p [Skipped]);

impl Serialize for AllSkipped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(skipped_document))
    }
}

struct Settings<'p>(&'p Effect);

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.settings.iter().map(setting_json))
    }
}

/// Changes alone, written one by one.
pub struct ChangesDocument<'c>(pub &'c [Change]);

impl Serialize for ChangesDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(change_document))
    }
}

/// SHA-256 of the changes as they are written, in hexadecimal digits.
fn digest_of(changes: &[Change]) -> String {
    let mut hasher = Hashed(Sha256::new());
    match serde_json::to_writer(&mut hasher, &ChangesDocument(changes)) {
        Ok(()) => hex::encode(hasher.0.finalize()),
        Err(_) => String::new(),
    }
}

/// What is written is only hashed.
struct Hashed(Sha256);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the changes of `plan`, which was read from `bytes`, are not those that hivemend wrote there.
pub fn is_edited(bytes: &[u8], plan: &Plan) -> bool {
    let head = serde_json::from_slice::<Head>(bytes);
    let said = head.ok().map(|head| head.digest);
    said.as_ref().and_then(Json::as_str) != Some(&digest_of(&plan.changes))
}

/// A plan from the bytes of a file.
///
/// # Errors
///
/// Where it is no plan, or a change in it contradicts itself.
pub fn plan_from_json(bytes: &[u8]) -> Result<Plan, PlanJsonError> {
    let head: Head = serde_json::from_slice(bytes)?;
    let schema = head.schema.as_str().unwrap_or("");
    if schema != PLAN_SCHEMA {
        return Err(PlanJsonError::Schema(schema.to_owned()));
    }
    let document: PlanDocument = serde_json::from_slice(bytes)?;
    Ok(Plan {
        target: document.target,
        hives: document.hives.iter().filter_map(hive_from).collect(),
        profiles: document.profiles.into_iter().map(profile_from).collect(),
        changes: changes_from(&document.changes)?,
        matches: document.summary.matches,
        skipped: all_skipped_from(document.skipped)?,
        blocked: all_skipped_from(document.blocked)?,
        unjudged: 0,
        warnings: document.warnings,
        metadata: document.metadata.map(|metadata| Metadata {
            file_system: metadata.file_system,
            kept: metadata.kept,
            not_kept: metadata.not_kept,
        }),
    })
}

/// The hives alone, as a plan has them.
pub(super) fn hives_json(hives: &[PlannedHive]) -> Vec<Json> {
    let documents = hives.iter().map(hive_document);
    documents
        .filter_map(|document| serde_json::to_value(document).ok())
        .collect()
}

fn hive_document(hive: &PlannedHive) -> HiveDocument {
    let sets = hive.control_sets.iter().map(|set| ControlSetDocument {
        name: set.name.clone(),
        roles: set
            .roles
            .iter()
            .map(|role| role.as_str().to_owned())
            .collect(),
    });
    HiveDocument {
        name: hive.name.to_string(),
        path: hive.path.clone(),
        state: hive.condition.as_str().to_owned(),
        recovery: recovery_document(&hive.condition),
        control_sets: sets.collect(),
    }
}

fn recovery_document(condition: &Condition) -> Option<RecoveryDocument> {
    let Condition::Recovered(recovery) = condition else {
        return None;
    };
    Some(RecoveryDocument {
        entries: recovery.entries,
        logs: recovery.logs.clone(),
        first: recovery.first,
        last: recovery.last,
        text: recovery.text.clone(),
    })
}

fn condition_from(document: &HiveDocument) -> Condition {
    match (&document.recovery, document.state.as_str()) {
        (Some(recovery), _) => Condition::Recovered(Recovery {
            entries: recovery.entries,
            logs: recovery.logs.clone(),
            first: recovery.first,
            last: recovery.last,
            text: recovery.text.clone(),
        }),
        (None, "unrecovered") => Condition::Unrecovered,
        (None, _) => Condition::Clean,
    }
}

fn hive_from(document: &HiveDocument) -> Option<PlannedHive> {
    let sets = document.control_sets.iter().map(|set| ControlSetInfo {
        number: set
            .name
            .get(10..)
            .and_then(|number| number.parse().ok())
            .unwrap_or(0),
        name: set.name.clone(),
        roles: Role::ALL
            .into_iter()
            .filter(|role| set.roles.iter().any(|r| r == role.as_str()))
            .collect(),
    });
    Some(PlannedHive {
        name: hive_name(&document.name)?,
        path: document.path.clone(),
        condition: condition_from(document),
        control_sets: sets.collect(),
    })
}

fn profile_document(profile: &PlannedProfile) -> ProfileDocument {
    ProfileDocument {
        id: profile.id.clone(),
        title: profile.title.clone(),
        included_by: profile.included_by.clone(),
        advice: profile.advice.clone(),
    }
}

fn profile_from(document: ProfileDocument) -> PlannedProfile {
    PlannedProfile {
        id: document.id,
        title: document.title,
        included_by: document.included_by,
        advice: document.advice,
    }
}

fn skipped_document(skipped: &Skipped) -> SkippedDocument {
    SkippedDocument {
        profile: skipped.profile.clone(),
        hive: skipped.hive.to_string(),
        key: skipped.key.clone(),
        value: skipped.value.clone(),
        reason: skipped.reason.clone(),
        condition: skipped.condition.clone(),
    }
}

/// An entry that is lost could be a blocked one, so none is.
fn all_skipped_from(documents: Vec<SkippedDocument>) -> Result<Vec<Skipped>, PlanJsonError> {
    let all = documents.into_iter().map(|document| {
        let hive = hive_name(&document.hive);
        let hive = hive.ok_or_else(|| PlanJsonError::Hive(document.hive.clone()))?;
        Ok(Skipped {
            profile: document.profile,
            hive,
            key: document.key,
            value: document.value,
            reason: document.reason,
            condition: document.condition,
        })
    });
    all.collect()
}

pub(super) fn change_document(change: &Change) -> ChangeDocument {
    ChangeDocument {
        profile: change.profile.clone(),
        hive: change.hive.to_string(),
        control_set: change.control_set.clone(),
        key: change.key.text(),
        value: change.value.as_ref().map(Name::to_text),
        action: change.action.as_str().to_owned(),
        before: state_json(change.before.as_ref()),
        after: state_json(change.after.as_ref()),
        lowers_security: change.lowers_security,
        impact: change
            .cause
            .as_ref()
            .map(|cause| cause.impact.as_str().to_owned()),
        cause: change.cause.as_ref().map(|cause| Arc::clone(&cause.text)),
        note: Arc::clone(&change.note),
        marks: Vec::new(),
    }
}

fn changes_from(documents: &[ChangeDocument]) -> Result<Vec<Change>, PlanJsonError> {
    let mut last = NodePath::root();
    let changes = documents.iter().zip(1_usize..).map(|(document, number)| {
        let change = change_from(document, &last);
        let change = change.map_err(|why| PlanJsonError::Change { number, why })?;
        last = change.key.clone();
        Ok(change)
    });
    changes.collect()
}

/// The change; its key shares what it has in common with the key of the `last` one.
pub(super) fn change_from(document: &ChangeDocument, last: &NodePath) -> Result<Change, String> {
    let hive = hive_name(&document.hive);
    let action = Action::ALL
        .into_iter()
        .find(|action| action.as_str() == document.action);
    let names = document.key.raw().split('\\').map(Name::from);
    let key = NodePath::beside(last, names);
    let change = Change {
        profile: document.profile.clone(),
        hive: hive.ok_or_else(|| format!("{:?} is no hive", document.hive))?,
        control_set: document.control_set.clone(),
        key,
        value: document.value.as_deref().map(Name::from),
        action: action.ok_or_else(|| format!("{:?} is no action", document.action))?,
        before: state_from(&document.before).map_err(|why| format!("its \"before\" {why}"))?,
        after: state_from(&document.after).map_err(|why| format!("its \"after\" {why}"))?,
        lowers_security: document.lowers_security,
        cause: cause_from(document),
        note: Arc::clone(&document.note),
    };
    if change.key.names().into_iter().any(Name::is_empty) {
        return Err(format!("{:?} is no key path", document.key));
    }
    expect_sense(&change)?;
    Ok(change)
}

fn cause_from(document: &ChangeDocument) -> Option<Cause> {
    let impact = document.impact.as_deref()?;
    let mut known = Impact::ALL.into_iter();
    Some(Cause {
        impact: known.find(|known| known.as_str() == impact)?,
        text: document.cause.clone()?,
    })
}

/// Refuses a change whose parts do not belong together: a plan file may have been edited.
fn expect_sense(change: &Change) -> Result<(), String> {
    let has_value = change.value.is_some();
    let makes_sense = match (change.action, &change.before, &change.after) {
        (Action::Set, None | Some(State::Value(_)), Some(State::Value(_))) => has_value,
        (Action::DeleteValue, Some(State::Value(_)), None) => has_value,
        (Action::CreateKey, None, Some(State::Key(_))) => !has_value,
        (Action::DeleteKey, Some(State::Key(_)), None) => !has_value,
        _ => false,
    };
    match makes_sense {
        true => Ok(()),
        false => Err(format!(
            "\"value\", \"before\" and \"after\" do not fit {:?}",
            change.action.as_str()
        )),
    }
}

fn hive_name(text: &str) -> Option<HiveName> {
    let mut names = HiveName::ALL.into_iter();
    names.find(|name| name.to_string() == text)
}
