// SPDX-License-Identifier: GPL-3.0-or-later
//! What is put back of a backup, and what was taken back value by value.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::outcome::outcome_json;
use super::plan_json::ChangesDocument;
use crate::plan::{Change, Undo};
use crate::store::{Backup, BackupId, Outcome, RestoreAction, RestoreItem};
use crate::text::{Foreign, Text, shown};

/// The files of a backup and what is done with each.
pub fn restore_text(backup: &Backup, items: &[RestoreItem]) -> Text {
    let mut text = Text::new();
    text.line(format_args!("backup    {}", shown(&backup.folder)));
    for item in items {
        let name = &item.name;
        text.line(format_args!("{name:<12}  {}", action_text(item.action)));
    }
    text
}

/// What became of it: what is there again, or that nothing was to be done.
pub fn restored_text(backup: &BackupId, items: &[RestoreItem]) -> Text {
    let back = items.iter();
    let back = back.filter(|item| item.action == RestoreAction::PutBack);
    let names: Vec<String> = back.map(|item| item.name.to_string()).collect();
    let mut text = Text::new();
    let id = backup.as_str();
    match names.as_slice() {
        [] => text.line(format_args!(
            "Nothing was to be done: everything already is as in backup {id}."
        )),
        [name] => text.line(format_args!(
            "Restored from backup {id}: {name} has the same bytes as before."
        )),
        names => text.line(format_args!(
            "Restored from backup {id}: {} have the same bytes as before.",
            names.join(", ")
        )),
    }
    text
}

fn action_text(action: RestoreAction) -> &'static str {
    match action {
        RestoreAction::Same => "is as it was",
        RestoreAction::PutBack => "is put back, byte for byte",
        RestoreAction::Changed => "has changed since",
    }
}

/// The same for scripts; `settled` says how an interrupted run was ended, where that was all.
pub fn restore_json(
    target: &Foreign,
    backup: &BackupId,
    settled: Option<&str>,
    items: &[RestoreItem],
) -> Json {
    let files: Vec<Json> = items.iter().map(item_json).collect();
    let schema = "hivemend.restore/1";
    match settled {
        Some(how) => json!({
            "schema": schema, "target": target, "backup": backup, "settled": how, "files": files,
        }),
        None => json!({ "schema": schema, "target": target, "backup": backup, "files": files }),
    }
}

fn item_json(item: &RestoreItem) -> Json {
    let action = match item.action {
        RestoreAction::Same => "same",
        RestoreAction::PutBack => "put-back",
        RestoreAction::Changed => "changed",
    };
    json!({ "name": item.name, "file": item.file.as_str(), "action": action })
}

/// What was taken back value by value, as a document that is written piece by piece.
pub fn restored_values<'r>(
    target: &'r Foreign,
    backup: &'r BackupId,
    undo: &'r Undo,
    outcome: Option<&Outcome>,
) -> impl Serialize + use<'r> {
    let left = undo.obstacles.iter().map(|left| left.change.clone());
    ValuesReport {
        schema: "hivemend.restore-values/1",
        target,
        backup,
        changes: ChangesDocument(&undo.changes),
        left: left.collect(),
        outcome: outcome_json(outcome),
    }
}

#[derive(Serialize)]
struct ValuesReport<'r> {
    schema: &'static str,
    target: &'r Foreign,
    backup: &'r BackupId,
    changes: ChangesDocument<'r>,
    #[serde(serialize_with = "as_changes")]
    left: Vec<Change>,
    outcome: Json,
}

fn as_changes<S: serde::Serializer>(changes: &[Change], to: S) -> Result<S::Ok, S::Error> {
    ChangesDocument(changes).serialize(to)
}
