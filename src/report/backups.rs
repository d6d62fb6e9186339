// SPDX-License-Identifier: GPL-3.0-or-later
//! The backups of a target, and what of them is removed.

use serde_json::{Value as Json, json};

use crate::store::{Backup, BackupId, BackupState, Keep, LeftAlone, PruneOutcome, PrunePlan};
use crate::text::{Foreign, Text, shown};

/// The backups of `target`, the newest first, for scripts.
pub fn backups_json(target: &Foreign, backups: &[Backup]) -> Json {
    let rows: Vec<Json> = backups.iter().map(row_json).collect();
    json!({ "schema": "hivemend.backups/1", "target": target, "backups": rows })
}

/// The same for people.
pub fn backups_text(backups: &[Backup]) -> Text {
    let mut text = Text::new();
    for backup in backups {
        write_row(&mut text, backup);
    }
    text
}

/// What was removed of the backups of `target`, for scripts.
pub fn prune_json(target: &Foreign, kept: &[(BackupId, Keep)], outcome: &PruneOutcome) -> Json {
    let kept = kept.iter();
    let kept = kept.map(|(id, keep)| json!({ "id": id, "reason": keep.to_string() }));
    let left = outcome
        .left
        .iter()
        .map(|left| json!({ "path": Foreign::path(&left.path), "reason": left_alone(left) }));
    json!({
        "schema": "hivemend.prune/1",
        "target": target,
        "removed": outcome.removed,
        "kept": kept.collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
    })
}

/// What was not removed, and why.
pub fn left_alone(left: &LeftAlone) -> String {
    let (path, what) = (shown(&left.path), left.what);
    let more = match left.more {
        0 => String::new(),
        more => format!(", with {more} more"),
    };
    format!("{path} was left alone{more}: a {what}. Remove it yourself, if it is not needed")
}

/// What is to be removed of backups, and what stays.
pub fn prune_text(plan: &PrunePlan) -> Text {
    let mut text = Text::new();
    for (id, keep) in &plan.keep {
        text.line(format_args!("keep    {}  {keep}", id.as_str()));
    }
    for id in &plan.remove {
        text.line(format_args!("remove  {}", id.as_str()));
    }
    text
}

fn row_json(backup: &Backup) -> Json {
    let path = Foreign::path(&backup.folder);
    match &backup.manifest {
        Ok(manifest) => json!({
            "id": backup.id,
            "path": path,
            "created": manifest.created,
            "version": manifest.version,
            "state": manifest.state,
            "hives": manifest.hives.iter().map(|hive| json!({
                "name": hive.name,
                "before": hive.before,
                "after": hive.after,
                "kept_as": hive.kept_as,
            })).collect::<Vec<_>>(),
            "changes": manifest.changes.0,
        }),
        Err(fault) => json!({ "id": backup.id, "path": path, "error": fault.to_string() }),
    }
}

fn write_row(text: &mut Text, backup: &Backup) {
    let id = backup.id.as_str();
    match &backup.manifest {
        Ok(manifest) => {
            let hives: Vec<String> = manifest
                .hives
                .iter()
                .map(|hive| hive.name.to_string())
                .collect();
            let state = match manifest.state {
                BackupState::Applying => "not completed",
                BackupState::Applied => "applied",
                BackupState::Restored => "restored since",
            };
            let changes = manifest.changes.0;
            let hives = hives.join(" and ");
            let s = if changes == 1 { "" } else { "s" };
            text.line(format_args!(
                "{id}  {state:<14}  {changes:>3} change{s} in {hives}"
            ));
            text.line(format_args!("  {}", shown(&backup.folder)));
        }
        Err(fault) => {
            text.line(format_args!("{id}  unusable: {fault}"));
        }
    }
}
