// SPDX-License-Identifier: GPL-3.0-or-later
//! `restore --values`: hivemend's own values are taken back, and what others did since is kept.

use std::collections::BTreeSet;

use crate::cli::apply::inputs;
use crate::cli::args::RestoreArgs;
use crate::cli::exit::Exit;
use crate::cli::export::write_reg;
use crate::cli::failure::Failure;
use crate::cli::next;
use crate::cli::output::Output;
use crate::cli::publish::{Destination, load, publish};
use crate::cli::source::Source;
use crate::cli::target::{Found, Wanted};
use crate::disk::{logs_of, shown};
use crate::machine::{HiveInput, KeySummary, State, Value};
use crate::plan::{Action, Change, Lowering, Plan, Undo, UndoObstacle, undo};
use crate::profile::{self, HiveName, Profile};
use crate::regf::{Finder, Hive, check};
use crate::report::{
    ExportFormat, ExportPlace, Long, Recorded, Side, export, next_text, outcome_text,
    recorded_from_json, restored_values, undo_pieces,
};
use crate::store::{Backup, BackupScope, Outcome, Remembered};

/// Takes back hivemend's own values one by one, and keeps what others did since.
pub(super) fn take_back(
    args: &RestoreArgs,
    found: &Found,
    backup: &Backup,
    output: &Output,
) -> Result<Exit, Failure> {
    let manifest = backup.whole_manifest()?;
    let wanted = recorded(backup, &manifest.changes, |_| None)?;
    let changes = wanted.changes.iter();
    let unknown = wanted.unknown.iter().map(|(change, _)| change);
    let wanted = Wanted::only(changes.chain(unknown).map(|change| change.hive).collect());
    let hives = load(found.open(&wanted, output)?, &args.writing, output)?;
    let inputs = inputs(&hives)?;
    let made = with_long_data(backup, &manifest.changes, &inputs)?;
    let mut undo = undo(&made.changes, &inputs, &lowering()?)?;
    for (change, side) in made.unknown {
        let reason = match side {
            Side::Before => "what was there is not in the backup",
            Side::After => "it has been changed since",
        };
        let reason = reason.to_owned();
        undo.obstacles.push(UndoObstacle { change, reason });
    }
    if output.is_reg() {
        return as_reg(&undo, found, output);
    }
    if !output.is_json() && !output.quiet {
        output.print_pieces(|out| undo_pieces(&undo.changes, out));
    }
    for left in &undo.obstacles {
        let key = left.change.key.text();
        let value = left
            .change
            .value
            .as_ref()
            .map_or(String::new(), |name| format!(" {name}"));
        output.warn(&format!(
            "{} {key}{value} stays as it is: {}",
            left.change.hive, left.reason
        ));
    }
    drop(inputs);
    if undo.changes.is_empty() {
        output.note("There is nothing to take back; nothing was written.");
        return values_report(args, (found, backup), &undo, None, output);
    }
    if !output.consent(args.writing.consent.yes, "Take these values back?")? {
        return Err(Failure::declined("Nothing was written."));
    }
    let originals = originals(backup, &undo.changes)?;
    let mut donors = Vec::new();
    for (name, content) in &originals {
        donors.push((*name, opened(*name, content)?));
    }
    let to = Destination {
        config: &found.target.folder,
        backup_dir: args.writing.backup.backup_dir.as_deref(),
        scope: BackupScope::Hives,
        undoes: Some(&backup.id),
    };
    let outcome = publish(hives, &undo.changes, &donors, &to, output)?;
    values_report(args, (found, backup), &undo, Some(&outcome), output)
}

/// The undo as `.reg`, and nothing is written.
fn as_reg(undo: &Undo, found: &Found, output: &Output) -> Result<Exit, Failure> {
    if let Some(left) = undo.obstacles.first() {
        let key = left.change.key.text();
        let message = format!(
            "{} of {} values cannot be taken back; the first is {} {key}: {}",
            undo.obstacles.len(),
            undo.obstacles.len().saturating_add(undo.changes.len()),
            left.change.hive,
            left.reason
        );
        let advice = "'hivemend restore TARGET --values' takes the others back.";
        return Err(Failure::refused(message).advising(advice));
    }
    let brings_back = |change: &&Change| {
        change.action == Action::CreateKey && change.after != Some(State::Key(KeySummary::empty()))
    };
    if let Some(change) = undo.changes.iter().find(brings_back) {
        let message = format!(
            "{} {}: comes back from the backup with all that was in it, which this .reg file cannot say",
            change.hive,
            change.key.text()
        );
        let advice = "'hivemend restore TARGET --values' puts it back.";
        return Err(Failure::refused(message).advising(advice));
    }
    let plan = Plan {
        target: found.name.clone(),
        hives: Vec::new(),
        profiles: Vec::new(),
        changes: without_what_goes_with_its_key(&undo.changes),
        matches: 0,
        skipped: Vec::new(),
        blocked: Vec::new(),
        unjudged: 0,
        warnings: Vec::new(),
        metadata: None,
    };
    let text = export(&plan, ExportFormat::Reg, ExportPlace::Offline)?;
    write_reg(&text, None, output)
}

/// The changes without those of values and keys in a key that is deleted as a whole.
fn without_what_goes_with_its_key(changes: &[Change]) -> Vec<Change> {
    let deleted: Vec<&Change> = changes
        .iter()
        .filter(|change| change.action == Action::DeleteKey)
        .collect();
    let goes = |change: &&Change| {
        deleted.iter().any(|key| {
            let is_itself = change.value.is_none() && change.key.same_as(&key.key);
            let mut above = change.key.upwards();
            key.hive == change.hive && !is_itself && above.any(|above| above.same_as(&key.key))
        })
    };
    changes
        .iter()
        .filter(|change| !goes(change))
        .cloned()
        .collect()
}

/// The manifest's changes; `find` gives the data that is not in it.
fn recorded(
    backup: &Backup,
    changes: &Remembered,
    find: impl FnMut(Long<'_>) -> Option<Value>,
) -> Result<Recorded, Failure> {
    recorded_from_json(changes.text(), find)
        .map_err(|error| Failure::refused(format!("{}: {error}", shown(&backup.folder))))
}

/// The manifest's changes with all their data: what was there comes from the backup's hives, what was
/// written from those on the disk.
fn with_long_data(
    backup: &Backup,
    changes: &Remembered,
    inputs: &[HiveInput<'_>],
) -> Result<Recorded, Failure> {
    let mut needed = BTreeSet::new();
    recorded(backup, changes, |long| {
        if long.side == Side::Before {
            needed.insert(long.hive);
        }
        None
    })?;
    let mut contents = Vec::new();
    for name in needed {
        if let Some(content) = original(backup, name)? {
            contents.push((name, content));
        }
    }
    let mut originals = Vec::new();
    for (name, content) in &contents {
        originals.push((*name, Finder::new(opened(*name, content)?)));
    }
    let present = inputs.iter();
    let present = present.map(|input| (input.name, Finder::new(input.hive)));
    let present: Vec<(HiveName, Finder<'_>)> = present.collect();
    recorded(backup, changes, |long| {
        let mut hives = match long.side {
            Side::Before => originals.iter(),
            Side::After => present.iter(),
        };
        let (_, hive) = hives.find(|(name, _)| *name == long.hive)?;
        value_at(hive, &long)
    })
}

/// The value in a hive, where it is there and can be read.
fn value_at(hive: &Finder<'_>, long: &Long<'_>) -> Option<Value> {
    let key = hive.find(long.key).ok()?.key?;
    let value = hive.find_value(&key, long.value).ok()??;
    let data = hive.hive().data(&value).ok()?.into_owned();
    let kind = value.kind();
    Some(Value { kind, data })
}

fn opened(name: HiveName, content: &Vec<u8>) -> Result<Hive<'_>, Failure> {
    let hive = Hive::open(content);
    hive.map_err(|error| Failure::failed(format!("the backup of {name}: {error}")))
}

/// What the built-in profiles say lowers security.
fn lowering() -> Result<Lowering, Failure> {
    let profiles = profile::builtin().iter();
    let profiles: Result<Vec<Profile>, _> = profiles.map(|one| profile::load(one.id)).collect();
    Ok(Lowering::of(&profiles?))
}

/// The backup's hives that keys which were deleted as a whole come back from, as Windows would
/// have seen them: a hive that was dirty has its logs beside it in the backup.
fn originals(backup: &Backup, changes: &[Change]) -> Result<Vec<(HiveName, Vec<u8>)>, Failure> {
    let brings_back = |name: HiveName| {
        let keys = changes.iter().filter(|change| change.hive == name);
        keys.filter(|change| change.action == Action::CreateKey)
            .any(|change| change.after != Some(State::Key(KeySummary::empty())))
    };
    let mut originals = Vec::new();
    for name in HiveName::ALL {
        if brings_back(name)
            && let Some(content) = original(backup, name)?
        {
            if let Some(finding) = check(&content).first_error() {
                let backup = shown(&backup.folder);
                let message = format!("{backup}: {name} is damaged in the backup: {finding}");
                return Err(Failure::refused(message));
            }
            originals.push((name, content));
        }
    }
    Ok(originals)
}

/// The backup's hive `name`, which may be damaged, as Windows would have seen it; `None` where the backup has none.
fn original(backup: &Backup, name: HiveName) -> Result<Option<Vec<u8>>, Failure> {
    let mut records = backup.manifest.iter().flat_map(|manifest| &manifest.hives);
    let Some(record) = records.find(|record| record.name.raw() == name.to_string()) else {
        return Ok(None);
    };
    let path = record.file.in_folder(&backup.folder);
    let refused = || {
        let message = format!("{}: its bytes are not those of the manifest", shown(&path));
        Failure::refused(message)
    };
    let source = Source::open(&path, &logs_of(&path)?)?;
    // However long it is, it is read only where it can be what the manifest records.
    if source.file.identity().size != record.before.size {
        return Err(refused());
    }
    let loaded = source.load(true)?;
    match loaded.disk_sha256 == record.before.sha256.0 {
        true => Ok(Some(loaded.content)),
        false => Err(refused()),
    }
}

fn values_report(
    args: &RestoreArgs,
    (found, backup): (&Found, &Backup),
    undo: &Undo,
    outcome: Option<&Outcome>,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&restored_values(&found.name, &backup.id, undo, outcome));
    } else if !output.quiet {
        if let Some(outcome) = outcome {
            output.print(&outcome_text(outcome));
        }
        let steps = next::after_restore(args, outcome.is_some());
        output.print(&next_text(&steps));
    }
    Ok(Exit::Done)
}
