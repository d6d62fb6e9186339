// SPDX-License-Identifier: GPL-3.0-or-later
//! `backups`: what there is to go back to.

use std::path::Path;

use serde::Deserialize;

use super::args::BackupsArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::next;
use super::output::Output;
use super::restore::choose;
use super::target::Found;
use crate::report::{
    BackupRow, backups_json, backups_text, left_alone, next_text, prune_json, prune_text,
};
use crate::store::{Backup, BackupId, BackupState, Disk, Store};
use crate::text::Foreign;

/// The most profiles that are named of one backup.
const MOST_PROFILES: usize = 32;

pub(super) fn run(args: &BackupsArgs, output: &Output) -> Result<Exit, Failure> {
    let found = Found::from_args(&args.target)?;
    if let Some(keep) = args.prune {
        return prune(args, &found, keep, output);
    }
    let backup_dir = args.backup.backup_dir.as_deref();
    // Nothing is read from the hives: one without a name is no hindrance.
    let _ = interrupted::warn(&found.target, backup_dir, output);
    let backups = Store::new(&Disk).list(&found.target.folder, backup_dir)?;
    let next = match backups.is_empty() {
        true => None,
        false => next_to_restore(&found, backup_dir),
    };
    let rows = backups.iter().map(|backup| BackupRow {
        backup,
        profiles: profiles_of(backup),
        is_next: next.as_ref() == Some(&backup.id),
    });
    let rows: Vec<BackupRow<'_>> = rows.collect();
    if output.is_json() {
        output.json(&backups_json(&found.name, &rows));
        return Ok(Exit::Done);
    }
    output.print(&backups_text(&rows));
    if backups.is_empty() {
        output.note("There are no backups.");
    } else if !output.quiet {
        let steps = next::after_backups(args, next.is_some());
        output.print(&next_text(&steps));
    }
    Ok(Exit::Done)
}

/// The backup that `restore` takes where none is named, if there is anything left to put back.
fn next_to_restore(found: &Found, backup_dir: Option<&Path>) -> Option<BackupId> {
    let chosen = choose::choose(false, backup_dir, None, found).ok()?;
    let manifest = chosen.manifest.as_ref().ok()?;
    (manifest.state == BackupState::Applied).then(|| chosen.id.clone())
}

/// The profiles whose changes a run made, as far as its manifest tells.
fn profiles_of(backup: &Backup) -> Vec<Foreign> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(default)]
        profile: Option<String>,
    }
    let Ok(manifest) = backup.whole_manifest() else {
        return Vec::new();
    };
    let made = serde_json::from_str::<Vec<Made>>(manifest.changes.text()).unwrap_or_default();
    let mut profiles: Vec<Foreign> = Vec::new();
    for profile in made.into_iter().filter_map(|made| made.profile) {
        let profile = Foreign::from(profile);
        if profiles.len() < MOST_PROFILES && !profiles.contains(&profile) {
            profiles.push(profile);
        }
    }
    profiles
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
