// SPDX-License-Identifier: GPL-3.0-or-later
//! Taking changes back one by one, in a hive that others have changed since.

use super::allowed::{Made, expect_possible};
use super::state::current_state;
use super::{Action, Change, HiveInput, Lowering, PlanError, State, path_text};

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
    for change in made.iter().rev() {
        let Some(input) = hives.iter().find(|input| input.name == change.hive) else {
            return Err(PlanError::HiveMissing(change.hive));
        };
        let found = current_state(input, change)?;
        if found == change.before {
            continue; // undone already
        }
        let reason = match reason_to_leave(change, found.as_ref(), &undo, input)? {
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

fn reason_to_leave(
    change: &Change,
    found: Option<&State>,
    undo: &Undo,
    input: &HiveInput<'_>,
) -> Result<Option<&'static str>, PlanError> {
    if change.action != Action::CreateKey {
        let is_ours = found == change.after.as_ref();
        return Ok((!is_ours).then_some("it has been changed since"));
    }
    // What is still in the key must be what is being taken out of it.
    let Some(key) = super::state::find_key(input, &change.key)? else {
        return Ok(None);
    };
    let regf = PlanError::in_hive(input.name);
    let goes = |wanted: &[crate::regf::Name], value: Option<&crate::regf::Name>| {
        undo.changes.iter().any(|undone| {
            let same_value = match (&undone.value, value) {
                (Some(one), Some(other)) => one.same_as(other),
                (None, None) => true,
                _ => false,
            };
            undone.hive == change.hive
                && undone.after.is_none()
                && same_value
                && super::state::same_path(&undone.key, wanted)
        })
    };
    for (name, _) in super::key_content(&input.hive, &key).map_err(&regf)? {
        if !goes(&change.key, Some(&name)) {
            return Ok(Some("other values have come into the key since"));
        }
    }
    for subkey in input.hive.subkeys(&key).map_err(&regf)? {
        let mut path = change.key.clone();
        path.push(input.hive.key(subkey).map_err(&regf)?.name().to_name());
        if !goes(&path, None) {
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
            path_text(&change.key)
        ),
        ..change.clone()
    }
}
