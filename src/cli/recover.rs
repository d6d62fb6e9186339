// SPDX-License-Identifier: GPL-3.0-or-later
//! `recover`: apply the transaction logs, as Windows would when it loads the hive.

use std::path::Path;
use std::time::SystemTime;

use serde_json::Value as Json;

use super::args::{HiveFiles, RecoverArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Wish};
use super::next;
use super::output::Output;
use super::publish::{Destination, Edited, JUDGING_AND_STORING, edited, store};
use super::source::{Loaded, Source};
use super::target::Found;
use crate::disk::shown;
use crate::machine::Condition;
use crate::report::{next_text, outcome_text, recovered_hive_json, recovered_json, recovered_text};
use crate::store::{BackupScope, Disk, Outcome, Store};

pub(super) fn run(args: &RecoverArgs, output: &Output) -> Result<Exit, Failure> {
    let mut found = find(args)?;
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    if args.output.is_none() {
        found.guard(&args.writing.risk, output)?;
        let settled = interrupted::settle(
            &found.target,
            backup_dir,
            Wish::Finish,
            &args.writing.consent,
            output,
        )?;
        if settled.is_some() {
            found.refresh()?;
        }
    }
    let mut dirty = Vec::new();
    let mut clean = Vec::new();
    let mut conditions = Vec::new();
    for (_, path) in found.hives() {
        let name = path
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let source = Source::open(&path.path, &path.logs)?;
        for misfit in source.misfits() {
            output.warn(&misfit.to_string());
        }
        let loaded = source.load_to_write(&args.writing)?;
        say(&name, &loaded.condition, output);
        conditions.push(recovered_hive_json(&name, &loaded.path, &loaded.condition));
        match loaded.condition {
            Condition::Clean => clean.push(loaded),
            _ => dirty.push((name, loaded)),
        }
    }
    if let Some(file) = &args.output {
        save(file, dirty, clean, output)?;
        return report(&found, &conditions, None, output);
    }
    if dirty.is_empty() {
        output.note("No hive is dirty: nothing was to be done, and nothing was written.");
        return report(&found, &conditions, None, output);
    }
    let question = format!("Write the recovered state to {}?", found.name);
    if !output.consent(args.writing.consent.yes, &question)? {
        return Err(Failure::declined("Nothing was written."));
    }
    let new = make(dirty, output)?;
    let to = Destination {
        config: &found.target.folder,
        backup_dir,
        scope: BackupScope::Hives,
        undoes: None,
    };
    let phase = output.phase(JUDGING_AND_STORING);
    let outcome = store(new, &[], &to, SystemTime::now())?;
    output.writing();
    drop(phase);
    report(&found, &conditions, Some(&outcome), output)?;
    if !output.is_json() && !output.quiet {
        output.print(&next_text(&next::after_recover(args)));
    }
    Ok(Exit::Done)
}

/// Writes the one hive that was meant to `file`: the dirty one, recovered; or the only one, which is
/// clean and has nothing to recover, as it is.
fn save(
    file: &Path,
    dirty: Vec<(String, Loaded)>,
    clean: Vec<Loaded>,
    output: &Output,
) -> Result<(), Failure> {
    let store = Store::new(&Disk);
    let several = |count: usize, what: &str| {
        let message = format!("{count} hives are {what}, and one file was named");
        Failure::usage(message).advising("Name one hive's file, not a target.")
    };
    match (dirty.len(), clean.as_slice()) {
        (0, [hive]) => {
            store.save_new(file, &hive.content)?;
            output.note(&format!("The hive, unchanged, is in {}.", shown(file)));
        }
        (0, hives) => return Err(several(hives.len(), "clean")),
        (1, _) => {
            for new in make(dirty, output)? {
                store.save_new(file, &new.judged()?)?;
            }
            output.note(&format!("The recovered hive is in {}.", shown(file)));
        }
        (count, _) => return Err(several(count, "dirty")),
    }
    Ok(())
}

/// A folder is a target; a file is a hive, whatever it is called.
fn find(args: &RecoverArgs) -> Result<Found, Failure> {
    if !args.place.is_file() {
        let none = HiveFiles {
            system: None,
            software: None,
        };
        return Found::find(Some(&args.place), &none);
    }
    let system = Some(args.place.clone());
    Found::find(
        None,
        &HiveFiles {
            system,
            software: None,
        },
    )
}

/// The recovered images, sealed beyond their logs and checked.
fn make(dirty: Vec<(String, Loaded)>, output: &Output) -> Result<Vec<Edited>, Failure> {
    let now = SystemTime::now();
    let hives = dirty.into_iter();
    hives
        .map(|(name, loaded)| edited(name.into(), loaded, &[], None, now, output))
        .collect()
}

fn say(name: &str, condition: &Condition, output: &Output) {
    if output.is_json() || output.quiet {
        return;
    }
    output.print(&recovered_text(name, condition));
}

fn report(
    found: &Found,
    hives: &[Json],
    outcome: Option<&Outcome>,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&recovered_json(&found.name, hives, outcome));
    } else if let Some(outcome) = outcome.filter(|_| !output.quiet) {
        output.print(&outcome_text(outcome));
    }
    Ok(Exit::Done)
}
