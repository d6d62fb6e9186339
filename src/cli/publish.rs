// SPDX-License-Identifier: GPL-3.0-or-later
//! From changes to published hives: edit, seal, second opinion, store.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::Failure;
use super::output::Output;
use super::target::OpenHive;
use crate::disk::WholeHive;
use crate::edit::Editor;
use crate::plan::{Action, Change, KeySummary, State};
use crate::profile::HiveName;
use crate::regf::Hive;
use crate::report::changes_json;
use crate::store::{BackupId, BackupScope, Disk, NewHive, Outcome, Request, Store};
use crate::verify::{Expectation, ExpectedState, verify};

/// A hive in memory, as its file was read.
pub(super) struct LoadedHive {
    pub(super) open: OpenHive,
    pub(super) whole: WholeHive,
}

/// Reads each hive once, as a whole.
pub(super) fn load(hives: Vec<OpenHive>) -> Result<Vec<LoadedHive>, Failure> {
    let loaded = hives.into_iter().map(|open| {
        let whole = open.file.read_whole()?;
        Ok(LoadedHive { open, whole })
    });
    loaded.collect()
}

/// Where the edited hives go.
pub(super) struct Destination<'a> {
    pub(super) config: &'a Path,
    pub(super) backup_dir: Option<&'a Path>,
    pub(super) scope: BackupScope,
    /// The backup whose changes are taken back.
    pub(super) undoes: Option<&'a BackupId>,
}

/// Edits the hives that `changes` are about, has every image judged twice, and publishes all of
/// them together. `donors` hold deleted keys that are to come back.
pub(super) fn publish(
    hives: Vec<LoadedHive>,
    changes: &[Change],
    donors: &[(HiveName, Hive<'_>)],
    to: &Destination<'_>,
    output: &Output,
) -> Result<Outcome, Failure> {
    let now = SystemTime::now();
    let mut new = Vec::new();
    for LoadedHive { open, whole } in hives {
        let ours: Vec<&Change> = changes.iter().filter(|c| c.hive == open.name).collect();
        if ours.is_empty() {
            continue;
        }
        let donor = donors.iter().find(|(name, _)| *name == open.name);
        let image = edit(
            whole.content,
            &ours,
            donor.map(|(_, hive)| hive),
            filetime(now),
        )
        .map_err(|failure| failure.context(format!("{} was not changed", open.name)))?;
        if output.verbose {
            output.note(&format!(
                "{}: checked, and read by a second reader",
                open.name
            ));
        }
        new.push(NewHive {
            name: open.name.to_string(),
            path: open.path,
            before_sha256: whole.sha256,
            content: image,
        });
    }
    let request = Request {
        config: to.config.to_path_buf(),
        hives: new,
        backup_dir: to.backup_dir.map(Path::to_path_buf),
        scope: to.scope,
        changes: changes_json(changes)?,
        undoes: to.undoes.cloned(),
        now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let store = Store::new(&Disk);
    let prepared = store.prepare(request)?;
    Ok(store.publish(prepared)?)
}

/// The edited image, after our check and the second reader's.
fn edit(
    content: Vec<u8>,
    changes: &[&Change],
    donor: Option<&Hive<'_>>,
    now: u64,
) -> Result<Vec<u8>, Failure> {
    let mut editor = Editor::open(content, now)?;
    for change in changes {
        make(change, &mut editor, donor)?;
    }
    let sealed = editor.seal(0)?;
    verify(&sealed.image, &expectations(changes))?;
    Ok(sealed.image)
}

fn make(change: &Change, editor: &mut Editor, donor: Option<&Hive<'_>>) -> Result<(), Failure> {
    let contradiction = || {
        let key = crate::plan::path_text(&change.key);
        Failure::refused(format!("the change of {key} contradicts itself"))
    };
    match (change.action, &change.value, &change.after) {
        (Action::Set, Some(name), Some(State::Value(value))) => {
            editor.set_value(&change.key, name, value.kind, &value.data)?;
        }
        (Action::DeleteValue, Some(name), None) => {
            editor.delete_value(&change.key, name)?;
        }
        (Action::CreateKey, None, Some(State::Key(key))) if *key == KeySummary::empty() => {
            editor.create_key(&change.key)?;
        }
        (Action::CreateKey, None, Some(State::Key(_))) => {
            let donor = donor.ok_or_else(contradiction)?;
            let damaged = |error| Failure::failed(format!("the backup's hive is damaged: {error}"));
            let from = donor
                .find(&change.key)
                .map_err(damaged)?
                .ok_or_else(contradiction)?;
            editor.copy_key(donor, &from, &change.key)?;
        }
        (Action::DeleteKey, None, None) => {
            editor.delete_key(&change.key)?;
        }
        _ => return Err(contradiction()),
    }
    Ok(())
}

/// What the second reader must find: the last word of the changes on each value and key.
fn expectations(changes: &[&Change]) -> Vec<Expectation> {
    let mut expected: Vec<Expectation> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let later = changes.get(index.saturating_add(1)..).unwrap_or(&[]);
        let is_overruled = later.iter().any(|later| {
            let is_above = later.action == Action::DeleteKey && change.key.starts_with(&later.key);
            is_above || (later.key == change.key && later.value == change.value)
        });
        if is_overruled {
            continue;
        }
        let state = match (&change.value, &change.after) {
            (Some(name), Some(State::Value(value))) => ExpectedState::Value {
                name: name.clone(),
                kind: value.kind,
                data: value.data.clone(),
            },
            (Some(name), _) => ExpectedState::ValueAbsent { name: name.clone() },
            (None, Some(_)) => ExpectedState::KeyExists,
            (None, None) => ExpectedState::KeyAbsent,
        };
        let key = change.key.clone();
        expected.push(Expectation { key, state });
    }
    expected
}

/// `time` as Windows counts it: 100-nanosecond steps since 1601.
fn filetime(time: SystemTime) -> u64 {
    const UNIX_EPOCH_AS_FILETIME: u64 = 116_444_736_000_000_000;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let steps = u64::try_from(since.as_nanos() / 100).unwrap_or(0);
    UNIX_EPOCH_AS_FILETIME.saturating_add(steps)
}
