// SPDX-License-Identifier: GPL-3.0-or-later
//! `backups`: what there is to go back to.

use super::args::BackupsArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::Found;
use crate::report::{backups_json, backups_text, left_alone, prune_json, prune_text};
use crate::store::{Disk, Store};

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
        output.json(&backups_json(&found.name, &backups));
        return Ok(Exit::Done);
    }
    output.print(&backups_text(&backups));
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
        return Err(Failure::declined("Nothing was removed."));
    }
    let kept = plan.keep.clone();
    let outcome = store.prune(plan)?;
    output.writing();
    for left in &outcome.left {
        output.warn(&left_alone(left));
    }
    if output.is_json() {
        output.json(&prune_json(&found.name, &kept, &outcome));
    } else if !outcome.removed.is_empty() {
        output.note(&format!("{} removed.", count(outcome.removed.len())));
    }
    Ok(Exit::Done)
}

fn count(backups: usize) -> String {
    let s = if backups == 1 { "" } else { "s" };
    format!("{backups} backup{s}")
}
