// SPDX-License-Identifier: GPL-3.0-or-later
//! Taking changes back one by one, in a hive that others have changed since.

use std::collections::HashSet;

use super::allowed::{Made, expect_possible};
use super::confirm::current_state;
use super::{Action, Change, Lowering, PlanError};
use crate::machine::{HiveInput, MachineError, State};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Name, NodePath};

/// What it takes to undo changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undo {
    /// The changes to make, in their order.
    pub changes: Vec<Change>,
    /// The changes that cannot be taken back without losing what somebody did since.
    pub obstacles: Vec<UndoObstacle>,
}

/// A change that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoObstacle {
    /// The change.
    pub change: Change,
    /// Why it stays.
    pub reason: String,
}

/// The changes that take back `made`, the last one first.
///
/// A value that is no longer what was written is left alone: somebody has set it since. A key that
/// was created is deleted only if nothing else has come into it. `lowering` tells which of the changes
/// lower security by being taken back.
///
/// # Errors
///
/// Where the hives cannot be read.
pub fn undo(
    made: &[Change],
    hives: &[HiveInput<'_>],
    lowering: &Lowering,
) -> Result<Undo, PlanError> {
    let mut undo = Undo::default();
    let mut remade = Made::default();
    let mut gone = Gone::default();
    for change in made.iter().rev() {
        let Some(input) = hives.iter().find(|input| input.name == change.hive) else {
            return Err(MachineError::HiveMissing(change.hive).into());
        };
        let found = current_state(input, change)?;
        if found == change.before {
            continue; // undone already
        }
        let reason = match reason_to_leave(change, found.as_ref(), &gone, input)? {
            Some(reason) => Some(reason.to_owned()),
            None => {
                let lowers_security = lowering.by_undoing(change, found.as_ref());
                let back = Change {
                    lowers_security,
                    ..reverse(change, found)
                };
                let reason = why_never(expect_possible(&back, hives, &remade))?;
                if reason.is_none() {
                    remade.note(&back);
                    gone.note(&back);
                    undo.changes.push(back);
                }
                reason
            }
        };
        undo.obstacles.extend(reason.map(|reason| UndoObstacle {
            change: change.clone(),
            reason,
        }));
    }
    Ok(undo)
}

/// Why a change is never made, if that is so.
fn why_never(possible: Result<(), PlanError>) -> Result<Option<String>, PlanError> {
    match possible {
        Ok(()) => Ok(None),
        Err(PlanError::Forbidden { why, .. }) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

/// What the changes so far take away: values, and keys as a whole.
#[derive(Default)]
struct Gone(HashSet<(HiveName, FoldedPath, Option<Vec<u16>>)>);

impl Gone {
    fn note(&mut self, back: &Change) {
        if back.after.is_none() {
            let value = back.value.as_ref().map(Name::folded);
            self.0.insert((back.hive, back.key.folded(), value));
        }
    }

    fn has(&self, hive: HiveName, key: &NodePath, value: Option<&Name>) -> bool {
        let value = value.map(Name::folded);
        self.0.contains(&(hive, key.folded(), value))
    }
}

fn reason_to_leave(
    change: &Change,
    found: Option<&State>,
    gone: &Gone,
    input: &HiveInput<'_>,
) -> Result<Option<&'static str>, PlanError> {
    if change.action != Action::CreateKey {
        let is_ours = found == change.after.as_ref();
        return Ok((!is_ours).then_some("it has been changed since"));
    }
    // What is still in the key must be what is being taken out of it.
    let Some(key) = input.find_key(&change.key)? else {
        return Ok(None);
    };
    let regf = MachineError::in_hive(input.name);
    for value in input.hive.values(&key).map_err(&regf)? {
        let name = input.hive.value(value).map_err(&regf)?.name().to_name();
        if !gone.has(change.hive, &change.key, Some(&name)) {
            return Ok(Some("other values have come into the key since"));
        }
    }
    for subkey in input.hive.subkeys(&key).map_err(&regf)? {
        let name = input.hive.key(subkey).map_err(&regf)?.name().to_name();
        if !gone.has(change.hive, &change.key.join(name), None) {
            return Ok(Some("other keys have come into the key since"));
        }
    }
    Ok(None)
}

fn reverse(change: &Change, found: Option<State>) -> Change {
    let action = match change.action {
        Action::Set | Action::DeleteValue if change.before.is_none() => Action::DeleteValue,
        Action::Set | Action::DeleteValue => Action::Set,
        Action::CreateKey => Action::DeleteKey,
        Action::DeleteKey => Action::CreateKey,
    };
    Change {
        action,
        before: found,
        after: change.before.clone(),
        cause: None,
        note: format!(
            "takes back what {} did to {}",
            change.profile,
            change.key.text()
        )
        .into(),
        ..change.clone()
    }
}
