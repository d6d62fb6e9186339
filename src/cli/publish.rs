// SPDX-License-Identifier: GPL-3.0-or-later
//! From changes to published hives: edit, seal, second opinion, store.

use std::collections::HashSet;
use std::path::Path;
use std::thread::{self, Builder};
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::WritingArgs;
use super::failure::Failure;
use super::output::Output;
use super::source::Loaded;
use super::target::{OpenHive, leave_out};
use crate::disk::Folder;
use crate::edit::{EditError, Editor};
use crate::machine::{Condition, KeySummary, State, summarize};
use crate::plan::{Action, Change, expect_allowed};
use crate::profile::HiveName;
use crate::regf::{Finder, FoldedPath, Hive, Name, NodePath};
use crate::report::recorded_json;
use crate::store::{BackupId, BackupScope, Disk, NewHive, Outcome, Request, Store};
use crate::text::Foreign;
use crate::verify::{Expectation, ExpectedState, verify, verify_damaged};

const RECOVERED_DAMAGE: &str = "Nothing was written: with its logs applied, as Windows would, this \
    hive is damaged, and is never passed off as whole. Look what hivemend mend TARGET \
    --dry-run can do, or restore the hive and its logs from a backup.";

/// What the store is doing, as a phase of a run.
pub(super) const STORING: &str = "backing up, writing, syncing and reading back";
/// The same, where the second reader is asked before anything is written.
pub(super) const JUDGING_AND_STORING: &str =
    "reading by the second reader, backing up, writing, syncing and reading back";

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
    pub(super) config: &'a Folder,
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
        new.push(edited(
            name.to_string().into(),
            loaded,
            &ours,
            donor,
            now,
            output,
        )?);
    }
    let _phase = output.phase(JUDGING_AND_STORING);
    let outcome = store(new, changes, to, now)?;
    output.writing();
    Ok(outcome)
}

/// A hive with its changes, sound by our own check; the second reader is still to be asked.
pub(super) struct Edited {
    new: NewHive,
    expectations: Vec<Expectation>,
    /// The hive as it was, where it was damaged and that was accepted.
    damaged: Option<Vec<u8>>,
}

impl Edited {
    /// A hive that was made sound as a whole: the second reader must see in it what we do.
    pub(super) fn whole(new: NewHive) -> Self {
        Self {
            new,
            expectations: Vec::new(),
            damaged: None,
        }
    }

    /// The new image, once the second reader has seen in it what it must.
    pub(super) fn judged(self) -> Result<Vec<u8>, Failure> {
        judge(&self.new, &self.expectations, self.damaged.as_ref())?;
        Ok(self.new.content)
    }
}

fn judge(
    new: &NewHive,
    expectations: &[Expectation],
    damaged: Option<&Vec<u8>>,
) -> Result<(), Failure> {
    let verdict = match damaged {
        Some(before) => verify_damaged(before, &new.content, expectations),
        None => verify(&new.content, expectations),
    };
    verdict.map_err(|error| Failure::from(error).context(not_changed(&new.name)))
}

fn not_changed(name: &Foreign) -> String {
    format!("{name} was not changed")
}

/// The hive with its changes, checked before and after them.
pub(super) fn edited(
    name: Foreign,
    loaded: Loaded,
    changes: &[&Change],
    donor: Option<&Hive<'_>>,
    now: SystemTime,
    output: &Output,
) -> Result<Edited, Failure> {
    let is_recovered = matches!(loaded.condition, Condition::Recovered(_));
    let terms = Terms {
        now: filetime(now),
        beyond: loaded.last_sequence,
        accept_damage: loaded.accept_damage && !is_recovered,
    };
    let phase = output.phase(&format!("{name}: checking, changing, checking again"));
    let edited = edit(loaded.content, changes, donor, &terms);
    drop(phase);
    let (content, accepted) = edited.map_err(|failure| {
        let failure = failure.context(not_changed(&name));
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
    if let Some(Accepted { finding, .. }) = &accepted {
        output.warn(&format!("{name} is damaged, and stays so: {finding}"));
    }
    Ok(Edited {
        new: NewHive {
            name,
            path: loaded.path,
            before_sha256: loaded.disk_sha256,
            content,
        },
        expectations: expectations(changes),
        damaged: accepted.map(|accepted| accepted.before),
    })
}

/// Publishes hives together, once the second reader has judged each of them.
///
/// It does so while the store hashes what is there and what will be: both only look.
pub(super) fn store(
    hives: Vec<Edited>,
    changes: &[Change],
    to: &Destination<'_>,
    now: SystemTime,
) -> Result<Outcome, Failure> {
    let mut claims = Vec::new();
    let mut new = Vec::new();
    for hive in hives {
        claims.push((hive.expectations, hive.damaged));
        new.push(hive.new);
    }
    let request = Request {
        config: to.config.clone(),
        hives: new,
        backup_dir: to.backup_dir.map(Path::to_path_buf),
        scope: to.scope,
        changes: recorded_json(changes)?.into(),
        undoes: to.undoes.cloned(),
        now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let store = Store::new(&Disk);
    let prepared = thread::scope(|scope| {
        let claims = request.hives.iter().zip(&claims);
        let verdicts = claims.map(|(hive, (expectations, damaged))| {
            let judge = || judge(hive, expectations, damaged.as_ref());
            (Builder::new().spawn_scoped(scope, judge), judge)
        });
        let verdicts: Vec<_> = verdicts.collect();
        let prepared = store.prepare(&request);
        for (beside, judge) in verdicts {
            let beside = beside.ok().and_then(|verdict| verdict.join().ok());
            beside.unwrap_or_else(judge)?;
        }
        Ok::<_, Failure>(prepared?)
    })?;
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

/// Damage that was accepted.
struct Accepted {
    /// The hive with it.
    before: Vec<u8>,
    /// The first of it that was found.
    finding: String,
}

/// The edited image, after our check, and the damage in it that was accepted.
fn edit(
    content: Vec<u8>,
    changes: &[&Change],
    donor: Option<&Hive<'_>>,
    terms: &Terms,
) -> Result<(Vec<u8>, Option<Accepted>), Failure> {
    let before = terms.accept_damage.then(|| content.clone());
    let mut editor = match terms.accept_damage {
        true => Editor::open_damaged(content, terms.now)?,
        false => Editor::open(content, terms.now)?,
    };
    let finding = editor.report_before().first_error();
    let finding = finding.map(ToString::to_string);
    editor.renew();
    for change in changes {
        // Whoever asks, and whatever was asked before: nothing else gets to the editor.
        expect_allowed(change)?;
        make(change, &mut editor, donor)?;
    }
    let sealed = editor.seal(terms.beyond)?;
    let accepted = before.zip(finding);
    let accepted = accepted.map(|(before, finding)| Accepted { before, finding });
    Ok((sealed.image, accepted))
}

fn is_damage(error: &EditError) -> bool {
    matches!(error, EditError::Unsound(_))
}

fn make(change: &Change, editor: &mut Editor, donor: Option<&Hive<'_>>) -> Result<(), Failure> {
    let contradiction = || {
        let key = change.key.text();
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
            let from = Finder::new(*donor).find(&change.key);
            let from = from.map_err(damaged)?.key.ok_or_else(contradiction)?;
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
    let mut deleted: HashSet<FoldedPath> = HashSet::new();
    let mut expected = Vec::new();
    for change in changes.iter().rev() {
        let mut above = change.key.upwards().map(NodePath::folded);
        let is_gone = !deleted.is_empty() && above.any(|above| deleted.contains(&above));
        if change.action == Action::DeleteKey {
            deleted.insert(change.key.folded());
        }
        let value = change.value.as_ref().map(Name::folded);
        if is_gone || !spoken.insert((change.key.folded(), value)) {
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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
