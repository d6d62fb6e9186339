// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether everything is still what a plan saw.

use super::allowed::{Made, expect_possible};
use super::error::Outdated;
use super::{Change, PlanError};
use crate::machine::{HiveInput, MachineError, State, find_value, hive_of, summarize};

/// Makes sure that everything is as it was when `changes` were planned.
///
/// # Errors
///
/// [`PlanError::Outdated`] for the first change that starts from something else than what is
/// there, [`MachineError::HiveMissing`] where its hive is not among `hives`,
/// [`PlanError::Forbidden`] for one that no profile could ask for.
pub fn confirm(changes: &[Change], hives: &[HiveInput<'_>]) -> Result<(), PlanError> {
    let mut made = Made::default();
    for change in changes {
        let input = hive_of(change.hive, hives)?;
        expect_possible(change, hives, &made)?;
        made.note(change);
        let found = current_state(input, change)?;
        if found != change.before {
            return Err(PlanError::Outdated(Box::new(Outdated {
                hive: change.hive,
                key: change.key.text(),
                value: change.value.clone(),
                planned: change.before.clone(),
                found,
            })));
        }
    }
    Ok(())
}

/// What `change` is about, as it is now.
pub(super) fn current_state(
    input: &HiveInput<'_>,
    change: &Change,
) -> Result<Option<State>, PlanError> {
    let Some(key) = input.find_key(&change.key)? else {
        return Ok(None);
    };
    match &change.value {
        Some(name) => {
            let value = find_value(input, &key, name)?;
            Ok(value.map(|(_, value)| State::Value(value)))
        }
        None => {
            let summary =
                summarize(&input.hive, &key).map_err(MachineError::in_hive(input.name))?;
            Ok(Some(State::Key(summary)))
        }
    }
}
