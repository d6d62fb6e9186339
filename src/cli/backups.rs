// SPDX-License-Identifier: GPL-3.0-or-later
//! `backups`: what there is to go back to.

use serde_json::{Value as Json, json};

use super::args::BackupsArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::Found;
use crate::disk::shown;
use crate::store::{Backup, BackupState, Disk, LeftAlone, PruneOutcome, PrunePlan, Store};
use crate::text::{Foreign, Text};

pub(super) fn run(args: &BackupsArgs, output: &Output) -> Result<Exit, Failure> {
    let found = Found::from_args(&args.target)?;
    if let Some(keep) = args.prune {
        return prune(args, &found, keep, output);
    }
    let backup_dir = args.backup.backup_dir.as_deref();
    // Nothing is read from the hives: one without a name is no hindrance.
    let _ = interrupted::warn(&found.target, backup_dir, output);
    let backups = Store::new(&Disk).list(&found.target.folder, backup_dir)?;
    if output.is_json() {
        let rows: Vec<Json> = backups.iter().map(row_json).collect();
        output.json(&json!({
            "schema": "hivemend.backups/1",
            "target": found.name,
            "backups": rows,
        }));
        return Ok(Exit::Done);
    }
    let mut text = Text::new();
    for backup in &backups {
        write_row(&mut text, backup);
    }
    output.print(&text);
    if backups.is_empty() {
        output.note("There are no backups.");
    }
    Ok(Exit::Done)
}

/// Removes old backups, after showing which.
fn prune(args: &BackupsArgs, found: &Found, keep: u32, output: &Output) -> Result<Exit, Failure> {
    found.guard(&args.risk, output)?;
    let config = &found.target.folder;
    let store = Store::new(&Disk);
    let plan = store.prepare_prune(config, usize::try_from(keep).unwrap_or(usize::MAX))?;
    let shows = !output.is_json() && !output.quiet;
    if shows {
        output.print(&prune_text(&plan));
    }
    if plan.remove.is_empty() && !plan.has_remains() {
        output.note("There is nothing to remove.");
    } else if !output.consent(args.consent.yes, "Remove these backups?")? {
        return Err(Failure::refused("you did not agree; nothing was removed"));
    }
    let kept = plan.keep.clone();
    let PruneOutcome { removed, left } = store.prune(plan)?;
    output.writing();
    for left in &left {
        output.warn(&left_alone(left));
    }
    if output.is_json() {
        output.json(&json!({
            "schema": "hivemend.prune/1",
            "target": found.name,
            "removed": removed,
            "kept": kept.iter().map(|(id, keep)| json!({
                "id": id,
                "reason": keep.to_string(),
            })).collect::<Vec<_>>(),
            "left": left.iter().map(|left| json!({
                "path": Foreign::path(&left.path),
                "reason": left_alone(left),
            })).collect::<Vec<_>>(),
        }));
    } else if !removed.is_empty() {
        output.note(&format!("{} removed.", count(removed.len())));
    }
    Ok(Exit::Done)
}

fn left_alone(left: &LeftAlone) -> String {
    let (path, what) = (shown(&left.path), left.what);
    let more = match left.more {
        0 => String::new(),
        more => format!(", with {more} more"),
    };
    format!("{path} was left alone{more}: a {what}. Remove it yourself, if it is not needed")
}

fn count(backups: usize) -> String {
    let s = if backups == 1 { "" } else { "s" };
    format!("{backups} backup{s}")
}

fn prune_text(plan: &PrunePlan) -> Text {
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
