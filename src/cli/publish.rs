// SPDX-License-Identifier: GPL-3.0-or-later
//! From changes to published hives: edit, seal, second opinion, store.

use std::collections::HashSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::WritingArgs;
use super::failure::Failure;
use super::output::Output;
use super::source::Loaded;
use super::target::{OpenHive, leave_out};
use crate::edit::{EditError, Editor};
use crate::plan::{Action, Change, Condition, KeySummary, State, summarize};
use crate::profile::HiveName;
use crate::regf::{Hive, Name};
use crate::report::changes_json;
use crate::store::{BackupId, BackupScope, Disk, NewHive, Outcome, Request, Store};
use crate::verify::{Expectation, ExpectedState, verify, verify_damaged};

const RECOVERED_DAMAGE: &str = "Nothing was written: with its logs applied, as Windows would, this \
    hive is damaged, and is never passed off as whole. Restore the hive and its logs from a backup.";

/// What the store is doing, as a phase of a run.
pub(super) const STORING: &str = "backing up, writing, syncing and reading back";

/// A hive in memory, as Windows would see it.
pub(super) struct LoadedHive {
    pub(super) name: HiveName,
    pub(super) loaded: Loaded,
}

/// Reads each hive once, as a whole.
pub(super) fn load(
    hives: Vec<OpenHive>,
    writing: &WritingArgs,
    output: &Output,
) -> Result<Vec<LoadedHive>, Failure> {
    let mut all = Vec::new();
    for OpenHive {
        name,
        source,
        is_needed,
    } in hives
    {
        let _phase = output.phase(&format!("{name}: reading and hashing"));
        match source.load_to_write(writing) {
            Ok(loaded) => all.push(LoadedHive { name, loaded }),
            Err(failure) if is_needed => return Err(failure),
            Err(failure) => leave_out(name, &failure, output),
        }
    }
    Ok(all)
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
    for LoadedHive { name, loaded } in hives {
        let ours: Vec<&Change> = changes.iter().filter(|c| c.hive == name).collect();
        if ours.is_empty() {
            continue;
        }
        let donor = donors.iter().find(|(donor, _)| *donor == name);
        let donor = donor.map(|(_, hive)| hive);
        new.push(edited(name.to_string(), loaded, &ours, donor, now, output)?);
    }
    let _phase = output.phase(STORING);
    store(new, changes, to, now)
}

/// The hive with its changes, judged twice and ready for the store.
pub(super) fn edited(
    name: String,
    loaded: Loaded,
    changes: &[&Change],
    donor: Option<&Hive<'_>>,
    now: SystemTime,
    output: &Output,
) -> Result<NewHive, Failure> {
    let is_recovered = matches!(loaded.condition, Condition::Recovered(_));
    let terms = Terms {
        now: filetime(now),
        beyond: loaded.last_sequence,
        accept_damage: loaded.accept_damage && !is_recovered,
    };
    let phase = output.phase(&format!("{name}: checking, changing, checking again twice"));
    let edited = edit(loaded.content, changes, donor, &terms);
    drop(phase);
    let (content, damage) = edited.map_err(|failure| {
        let failure = failure.context(format!("{name} was not changed"));
        match is_recovered
            && failure
                .error
                .downcast_ref::<EditError>()
                .is_some_and(is_damage)
        {
            true => failure.advising(RECOVERED_DAMAGE),
            false => failure,
        }
    })?;
    if let Some(damage) = damage {
        output.warn(&format!("{name} is damaged, and stays so: {damage}"));
    }
    if output.verbose {
        output.note(&format!("{name}: checked, and read by a second reader"));
    }
    Ok(NewHive {
        name,
        path: loaded.path,
        before_sha256: loaded.disk_sha256,
        content,
    })
}

/// Publishes hives together.
pub(super) fn store(
    hives: Vec<NewHive>,
    changes: &[Change],
    to: &Destination<'_>,
    now: SystemTime,
) -> Result<Outcome, Failure> {
    let request = Request {
        config: to.config.to_path_buf(),
        hives,
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

/// On what terms a hive is edited.
struct Terms {
    /// What changed keys say (FILETIME).
    now: u64,
    /// The greatest sequence number in any log.
    beyond: u32,
    accept_damage: bool,
}

/// The edited image, after our check and the second reader's, and the first of the damage in it
/// that was accepted.
fn edit(
    content: Vec<u8>,
    changes: &[&Change],
    donor: Option<&Hive<'_>>,
    terms: &Terms,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    let before = terms.accept_damage.then(|| content.clone());
    let mut editor = match terms.accept_damage {
        true => Editor::open_damaged(content, terms.now)?,
        false => Editor::open(content, terms.now)?,
    };
    let damage = editor.report_before().first_error();
    let damage = damage.map(ToString::to_string);
    editor.renew();
    for change in changes {
        make(change, &mut editor, donor)?;
    }
    let sealed = editor.seal(terms.beyond)?;
    let expectations = expectations(changes);
    match before.filter(|_| damage.is_some()) {
        Some(before) => verify_damaged(&before, &sealed.image, &expectations)?,
        None => verify(&sealed.image, &expectations)?,
    }
    Ok((sealed.image, damage))
}

fn is_damage(error: &EditError) -> bool {
    matches!(error, EditError::Unsound(_))
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
        (Action::CreateKey, None, Some(State::Key(wanted))) => {
            let donor = donor.ok_or_else(contradiction)?;
            let damaged = |error| Failure::failed(format!("the backup's hive is damaged: {error}"));
            let from = donor
                .find(&change.key)
                .map_err(damaged)?
                .ok_or_else(contradiction)?;
            if summarize(donor, &from).map_err(damaged)? != *wanted {
                return Err(contradiction());
            }
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
    let mut spoken = HashSet::new();
    let mut deleted: Vec<&[Name]> = Vec::new();
    let mut expected = Vec::new();
    for change in changes.iter().rev() {
        let is_gone = deleted.iter().any(|above| change.key.starts_with(above));
        if change.action == Action::DeleteKey {
            deleted.push(&change.key);
        }
        if is_gone || !spoken.insert((&change.key, &change.value)) {
            continue;
        }
        expected.push(Expectation {
            key: change.key.clone(),
            state: expected_state(change),
        });
    }
    expected
}

fn expected_state(change: &Change) -> ExpectedState {
    match (&change.value, &change.after) {
        (Some(name), Some(State::Value(value))) => ExpectedState::Value {
            name: name.clone(),
            kind: value.kind,
            data: value.data.clone(),
        },
        (Some(name), _) => ExpectedState::ValueAbsent { name: name.clone() },
        (None, Some(_)) => ExpectedState::KeyExists,
        (None, None) => ExpectedState::KeyAbsent,
    }
}

/// `time` as Windows counts it: 100-nanosecond steps since 1601.
fn filetime(time: SystemTime) -> u64 {
    const UNIX_EPOCH_AS_FILETIME: u64 = 116_444_736_000_000_000;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let steps = u64::try_from(since.as_nanos() / 100).unwrap_or(0);
    UNIX_EPOCH_AS_FILETIME.saturating_add(steps)
}
