// SPDX-License-Identifier: GPL-3.0-or-later
//! `restore`: back to what was there.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::apply::inputs;
use super::args::RestoreArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Done, Wish};
use super::output::Output;
use super::publish::{Destination, STORING, load, publish};
use super::source::Source;
use super::target::{Found, Wanted};
use crate::disk::{logs_of, shown};
use crate::machine::{HiveInput, KeySummary, State, Value};
use crate::plan::{Action, Change, Lowering, Undo, UndoObstacle, undo};
use crate::profile::{self, HiveName, Profile};
use crate::regf::{Finder, Hive, check};
use crate::report::{
    ChangesDocument, Long, Recorded, Side, outcome_json, outcome_text, recorded_from_json,
    undo_pieces,
};
use crate::store::{
    Backup, BackupId, BackupScope, BackupState, Disk, Outcome, Remembered, RestoreAction,
    RestoreItem, RestorePlan, Site, Store,
};
use crate::text::{Foreign, Text, quoted};

pub(super) fn run(args: &RestoreArgs, output: &Output) -> Result<Exit, Failure> {
    let (mut found, rest) = Found::from_words(&args.place, &args.files)?;
    let wanted = match rest {
        [] => None,
        [id] => Some(&*id.to_string_lossy()),
        _ => return Err(Failure::usage("only one backup can be restored at a time")),
    };
    found.guard(&args.writing.risk, output)?;
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    let settled = interrupted::settle(
        &found.target,
        backup_dir,
        Wish::Undo,
        &args.writing.consent,
        output,
    )?;
    if settled.is_some() {
        found.refresh()?;
    }
    // The old hives are back, which is what was asked for: the backup before it is another wish.
    let is_all = |done: &Done| done.as_wished && wanted.is_none_or(|id| id == done.id.as_str());
    if let Some(done) = settled.filter(is_all) {
        if output.is_json() {
            output.json(&json!({
                "schema": "hivemend.restore/1",
                "target": found.name,
                "backup": done.id,
                "settled": done.how,
                "files": [],
            }));
        }
        return Ok(Exit::Done);
    }
    let store = Store::new(&Disk);
    let backups = store.list(&found.target.folder, backup_dir)?;
    let site = &found.site();
    // A folder that was named may hold the backups of other disks too.
    let own = |backup: &Backup| {
        let plan = store.prepare_restore(site, backup);
        is_in(backup, BackupState::Applied) && plan.is_ok_and(|plan| plan.changed.is_empty())
    };
    let own = backup_dir.and_then(|_| backups.iter().position(own));
    if backup_dir.is_some() && wanted.is_none() && own.is_none() && args.values {
        let message = "this disk holds none of these backups' hives as hivemend left them, so \
            that the newest may be another disk's";
        return Err(Failure::refused(message).advising(
            "Name the backup; see what there is with: hivemend backups TARGET --backup-dir DIR",
        ));
    }
    let chosen = match wanted {
        None if own.is_some() => own.map(|own| match args.values {
            true => undone_by(&backups, own).unwrap_or(own),
            false => own,
        }),
        None if args.values => to_take_back(&backups),
        _ => to_put_back(&backups, wanted, &store, site),
    };
    if wanted.is_none() {
        none_passed_over(&backups, chosen)?;
    }
    let backup = take(backups, chosen, wanted)?;
    if args.values {
        return restore_values(args, &found, &backup, output);
    }
    let plan = store.prepare_restore(site, &backup)?;
    if plan.is_empty() {
        output.note(&format!(
            "Everything already is as in backup {}.",
            backup.id.as_str()
        ));
    } else if plan.changed.is_empty() {
        show_plan(&plan, &backup, output);
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

fn is_in(backup: &Backup, state: BackupState) -> bool {
    let manifest = backup.manifest.as_ref();
    manifest.is_ok_and(|manifest| manifest.state == state)
}

/// The backup that was named; or the newest that was applied and not restored since; or else the
/// one that everything already is as in.
fn to_put_back(
    backups: &[Backup],
    wanted: Option<&str>,
    store: &Store<'_>,
    site: &Site,
) -> Option<usize> {
    let is_as_now = |backup: &Backup| {
        is_in(backup, BackupState::Restored)
            && store
                .prepare_restore(site, backup)
                .is_ok_and(|plan| plan.is_empty())
    };
    match wanted {
        Some(id) => backups.iter().position(|backup| backup.id.as_str() == id),
        None => {
            let mut applied = backups.iter();
            let applied = applied.position(|backup| is_in(backup, BackupState::Applied));
            applied.or_else(|| backups.iter().position(is_as_now))
        }
    }
}

/// The newest apply whose values were not taken back yet, or else the newest one: to take values
/// back twice must not bring them on again.
fn to_take_back(backups: &[Backup]) -> Option<usize> {
    let undoes = |backup: &Backup| backup.manifest.as_ref().ok()?.undoes.clone();
    let is_apply =
        |backup: &Backup| is_in(backup, BackupState::Applied) && undoes(backup).is_none();
    let is_open = |backup: &Backup| {
        let taken_back = |other: &Backup| {
            is_in(other, BackupState::Applied) && undoes(other).as_ref() == Some(&backup.id)
        };
        is_apply(backup) && !backups.iter().any(taken_back)
    };
    let open = backups.iter().position(is_open);
    open.or_else(|| backups.iter().position(is_apply))
}

/// The backup whose values the run of the backup at `index` took back, if it did.
fn undone_by(backups: &[Backup], index: usize) -> Option<usize> {
    let manifest = backups.get(index)?.manifest.as_ref().ok()?;
    let undone = manifest.undoes.as_ref()?;
    backups.iter().position(|backup| backup.id == *undone)
}

/// Refuses to choose a backup where a newer one cannot be used: what that one was for is not known.
fn none_passed_over(backups: &[Backup], chosen: Option<usize>) -> Result<(), Failure> {
    let chosen = chosen.and_then(|index| backups.get(index));
    let newer = |backup: &&Backup| chosen.is_none_or(|chosen| backup.is_newer_than(chosen));
    let unusable = backups.iter().filter(|backup| backup.manifest.is_err());
    let Some(backup) = unusable
        .filter(newer)
        .max_by(|one, other| one.id.cmp(&other.id))
    else {
        return Ok(());
    };
    let Err(fault) = &backup.manifest else {
        return Ok(());
    };
    let id = backup.id.as_str();
    let message = format!("the newest backup ({id}) cannot be used: {fault}");
    Err(Failure::refused(message).advising(
        "Nothing was written. An older backup is not taken in its place unless you name it: what the \
         unusable one would undo stays then. See what there is with: hivemend backups TARGET",
    ))
}

fn take(
    backups: Vec<Backup>,
    chosen: Option<usize>,
    wanted: Option<&str>,
) -> Result<Backup, Failure> {
    let found = chosen.and_then(|index| backups.into_iter().nth(index));
    found.ok_or_else(|| {
        let message = match wanted {
            Some(id) => format!("there is no backup {} here", quoted(id)),
            None => "there is no backup here that could be restored".to_owned(),
        };
        Failure::refused(message).advising("See what there is with: hivemend backups TARGET")
    })
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

/// Takes back hivemend's own values one by one, and keeps what others did since.
fn restore_values(
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
        output.note("There is nothing to take back.");
        return values_report(found, backup, &undo, None, output);
    }
    if !output.consent(args.writing.consent.yes, "Take these values back?")? {
        return Err(Failure::refused("you did not agree; nothing was written"));
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
    values_report(found, backup, &undo, Some(&outcome), output)
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
    for name in [HiveName::System, HiveName::Software] {
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
    found: &Found,
    backup: &Backup,
    undo: &Undo,
    outcome: Option<&Outcome>,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        let left: Vec<_> = undo
            .obstacles
            .iter()
            .map(|left| left.change.clone())
            .collect();
        output.json(&ValuesReport {
            schema: "hivemend.restore-values/1",
            target: &found.name,
            backup: &backup.id,
            changes: ChangesDocument(&undo.changes),
            left: ChangesDocument(&left),
            outcome: outcome_json(outcome),
        });
    } else if let Some(outcome) = outcome.filter(|_| !output.quiet) {
        output.print(&outcome_text(outcome));
    }
    Ok(Exit::Done)
}

/// What was taken back, as JSON.
#[derive(Serialize)]
struct ValuesReport<'r> {
    schema: &'static str,
    target: &'r Foreign,
    backup: &'r BackupId,
    changes: ChangesDocument<'r>,
    left: ChangesDocument<'r>,
    outcome: Json,
}
