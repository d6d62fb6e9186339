// SPDX-License-Identifier: GPL-3.0-or-later
//! `restore`: back to what was there.

mod choose;
mod values;

use serde_json::{Value as Json, json};

use super::args::RestoreArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Done, Wish};
use super::output::Output;
use super::publish::STORING;
use super::target::Found;
use crate::disk::shown;
use crate::store::{Backup, Disk, RestoreAction, RestoreItem, RestorePlan, Store};
use crate::text::Text;

pub(super) fn run(args: &RestoreArgs, output: &Output) -> Result<Exit, Failure> {
    let (mut found, rest) = Found::from_words(&args.place, &args.files)?;
    let wanted = match rest {
        [] => None,
        [id] => Some(&*id.to_string_lossy()),
        _ => return Err(Failure::usage("only one backup can be restored at a time")),
    };
    found.guard(&args.writing.risk, output)?;
    if settle(args, wanted, &mut found, output)? {
        return Ok(Exit::Done);
    }
    let backup = choose::choose(args, wanted, &found)?;
    match args.values {
        true => values::take_back(args, &found, &backup, output),
        false => put_back(args, &found, &backup, output),
    }
}

/// Undoes an interrupted run, if there is one; tells whether that was all that was asked for.
fn settle(
    args: &RestoreArgs,
    wanted: Option<&str>,
    found: &mut Found,
    output: &Output,
) -> Result<bool, Failure> {
    let settled = interrupted::settle(
        &found.target,
        args.writing.backup.backup_dir.as_deref(),
        Wish::Undo,
        &args.writing.consent,
        output,
    )?;
    if settled.is_some() {
        found.refresh()?;
    }
    // The old hives are back, which is what was asked for: the backup before it is another wish.
    let is_all = |done: &Done| done.as_wished && wanted.is_none_or(|id| id == done.id.as_str());
    let Some(done) = settled.filter(is_all) else {
        return Ok(false);
    };
    if output.is_json() {
        output.json(&json!({
            "schema": "hivemend.restore/1",
            "target": found.name,
            "backup": done.id,
            "settled": done.how,
            "files": [],
        }));
    }
    Ok(true)
}

/// Puts the files of `backup` back, byte for byte.
fn put_back(
    args: &RestoreArgs,
    found: &Found,
    backup: &Backup,
    output: &Output,
) -> Result<Exit, Failure> {
    let store = Store::new(&Disk);
    let plan = store.prepare_restore(&found.site(), backup)?;
    if plan.is_empty() {
        output.note(&format!(
            "Everything already is as in backup {}.",
            backup.id.as_str()
        ));
    } else if plan.changed.is_empty() {
        show_plan(&plan, backup, output);
        if !output.consent(args.writing.consent.yes, "Put these files back?")? {
            return Err(Failure::refused("you did not agree; nothing was written"));
        }
    }
    let phase = output.phase(STORING);
    let outcome = store.restore(plan)?;
    let put_back = |item: &RestoreItem| item.action == RestoreAction::PutBack;
    if outcome.items.iter().any(put_back) {
        output.writing();
    }
    drop(phase);
    if output.is_json() {
        let files: Vec<Json> = outcome.items.iter().map(item_json).collect();
        output.json(&json!({
            "schema": "hivemend.restore/1",
            "target": found.name,
            "backup": outcome.id,
            "files": files,
        }));
    } else {
        output.note(&format!("Restored from backup {}.", outcome.id.as_str()));
    }
    Ok(Exit::Done)
}

fn show_plan(plan: &RestorePlan, backup: &Backup, output: &Output) {
    if output.is_json() || output.quiet {
        return;
    }
    let mut text = Text::new();
    text.line(format_args!("backup    {}", shown(&backup.folder)));
    for item in &plan.items {
        let name = &item.name;
        text.line(format_args!("{name:<12}  {}", action_text(item.action)));
    }
    output.print(&text);
}

fn action_text(action: RestoreAction) -> &'static str {
    match action {
        RestoreAction::Same => "is as it was",
        RestoreAction::PutBack => "is put back, byte for byte",
        RestoreAction::Changed => "has changed since",
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
