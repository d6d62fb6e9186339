// SPDX-License-Identifier: GPL-3.0-or-later
//! `restore`: back to what was there.

pub(super) mod choose;
mod values;

use super::args::RestoreArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Done, Wish};
use super::next;
use super::output::Output;
use super::publish::STORING;
use super::target::Found;
use crate::report::{next_text, restore_json, restore_text, restored_text};
use crate::store::{Backup, Disk, RestoreAction, RestoreItem, RestorePlan, Store};

pub(super) fn run(args: &RestoreArgs, output: &Output) -> Result<Exit, Failure> {
    let (mut found, rest) = Found::from_words(&args.place, &args.files)?;
    let wanted = match rest {
        [] => None,
        [id] => Some(&*id.to_string_lossy()),
        _ => return Err(Failure::usage("only one backup can be restored at a time")),
    };
    if output.is_reg() {
        interrupted::warn(&found.target, None, output)?;
        let backup_dir = args.writing.backup.backup_dir.as_deref();
        let backup = choose::choose(true, backup_dir, wanted, &found)?;
        return values::take_back(args, &found, &backup, output);
    }
    found.guard(&args.writing.risk, output)?;
    if settle(args, wanted, &mut found, output)? {
        return Ok(Exit::Done);
    }
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    let backup = choose::choose(args.values, backup_dir, wanted, &found)?;
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
        output.json(&restore_json(&found.name, &done.id, Some(done.how), &[]));
    } else if !output.quiet {
        output.print(&next_text(&next::after_restore(args, true)));
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
        // What is left to be done is only noted down.
    } else if plan.changed.is_empty() {
        show_plan(&plan, backup, output);
        if !output.consent(args.writing.consent.yes, "Put these files back?")? {
            return Err(Failure::declined("Nothing was written."));
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
        output.json(&restore_json(
            &found.name,
            &outcome.id,
            None,
            &outcome.items,
        ));
    } else if !output.quiet {
        let has_written = outcome.items.iter().any(put_back);
        output.print(&restored_text(&outcome.id, &outcome.items));
        output.print(&next_text(&next::after_restore(args, has_written)));
    }
    Ok(Exit::Done)
}

fn show_plan(plan: &RestorePlan, backup: &Backup, output: &Output) {
    if output.is_json() || output.quiet {
        return;
    }
    output.print(&restore_text(backup, &plan.items));
}
