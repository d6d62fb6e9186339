// SPDX-License-Identifier: GPL-3.0-or-later
//! A run that was cut short: every command says so, apply and restore settle it.

use std::path::Path;

use super::args::ConsentArgs;
use super::failure::Failure;
use super::judge::judge;
use super::output::Output;
use crate::disk::{HivePath, Target};
use crate::store::{BackupId, Disk, HiveStands, Operation, Pending, PendingHive, Site, Store};

/// What the command at hand would have become of an interrupted apply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The new hives.
    Finish,
    /// The old ones.
    Undo,
}

/// Says that there is an interrupted run, if there is one; refuses where a hive has no name.
pub(super) fn warn(
    target: &Target,
    backup_dir: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let pending = match Store::new(&Disk).pending(&Site::of(target, judge), backup_dir) {
        Ok(None) => return Ok(()),
        Ok(Some(pending)) => pending,
        Err(error) => {
            output.warn(&error.to_string());
            return Ok(());
        }
    };
    let what = describe(&pending);
    output.warn(&format!(
        "{what}. Settle it: hivemend restore TARGET undoes it, and hivemend apply TARGET with its \
         profiles finishes it"
    ));
    match pending.hives.iter().find(|hive| is_lost(hive, target)) {
        None => Ok(()),
        Some(hive) => Err(Failure::refused(format!(
            "{} has no name at the moment: Windows would not find it. Its old and its new content \
             are both there, under other names",
            hive.name
        ))
        .advising("Either gives it its name back: hivemend restore TARGET, or hivemend apply TARGET with its \
             profiles.")),
    }
}

/// Whether there is an interrupted run, as far as can be told.
pub(super) fn is_there(target: &Target, backup_dir: Option<&Path>) -> bool {
    let pending = Store::new(&Disk).pending(&Site::of(target, judge), backup_dir);
    !matches!(pending, Ok(None))
}

/// Whether a hive is found under no name, not even one in other letters.
fn is_lost(hive: &PendingHive, target: &Target) -> bool {
    let is_it = |path: &HivePath| {
        let name = path.path.file_name().unwrap_or_default();
        name.eq_ignore_ascii_case(hive.file.as_str())
    };
    hive.stands == HiveStands::Nameless && !target.hives().any(is_it)
}

/// An interrupted run that this command has settled.
pub(super) struct Done {
    pub(super) id: BackupId,
    /// How, for a sentence.
    pub(super) how: &'static str,
    /// Whether the hives are now what this command would have made of the run.
    pub(super) as_wished: bool,
}

/// Finishes or undoes an interrupted run, if there is one.
pub(super) fn settle(
    target: &Target,
    backup_dir: Option<&Path>,
    wish: Wish,
    consent: &ConsentArgs,
    output: &Output,
) -> Result<Option<Done>, Failure> {
    let (store, site) = (Store::new(&Disk), Site::of(target, judge));
    let Some(pending) = store.pending(&site, backup_dir)? else {
        store.clear(&site)?;
        return Ok(None);
    };
    output.warn(&describe(&pending));
    // To finish a restore is to bring the old hives back.
    let wants_finish = (wish == Wish::Finish) == (pending.operation == Operation::Apply);
    let finish = match (&pending.cannot_finish, &pending.cannot_undo) {
        (None, None) => wants_finish,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(finish), Some(undo)) if finish == undo => {
            return Err(Failure::refused(format!(
                "it cannot be settled now: {finish}"
            )));
        }
        (Some(finish), Some(undo)) => {
            let message = format!("it can neither be finished ({finish}) nor undone ({undo})");
            return Err(Failure::refused(message).advising(
                "Restore the hives by hand from the backup folder that is named above.",
            ));
        }
    };
    let verb = if finish { "Finish" } else { "Undo" };
    if !output.consent(consent.yes, &format!("{verb} it now?"))? {
        return Err(Failure::declined(
            "The interrupted run was left as it is; nothing was written.",
        ));
    }
    let settled = if finish {
        store.finish(&pending)?
    } else {
        store.undo(&pending)?
    };
    output.writing();
    let how = if finish { "finished" } else { "undone" };
    output.note(&format!(
        "The interrupted {} {} was {how}.",
        settled.operation, settled.id
    ));
    Ok(Some(Done {
        id: settled.id,
        how,
        as_wished: finish == wants_finish,
    }))
}

fn describe(pending: &Pending) -> String {
    let hives: Vec<String> = pending
        .hives
        .iter()
        .map(|hive| {
            let stands = match hive.stands {
                HiveStands::Old => "still the old one",
                HiveStands::New => "already the new one",
                HiveStands::Nameless => "without its name, and not lost",
                HiveStands::Neither => "changed by another program since",
            };
            format!("{} is {stands}", hive.name)
        })
        .collect();
    let (operation, id) = (&pending.operation, &pending.id);
    format!(
        "an earlier {operation} ({id}) was interrupted: {}",
        hives.join(", ")
    )
}
