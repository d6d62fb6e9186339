// SPDX-License-Identifier: GPL-3.0-or-later
//! What a plan may do: no more than a profile, whoever wrote it.

use std::collections::HashSet;

use super::{Action, Change, PlanError};
use crate::machine::{HiveInput, State, hive_of};
use crate::profile::{Deed, HiveName, KeyPath, forbidden};
use crate::regf::{FoldedPath, Name, NodePath};

/// Makes sure that `change` is one that is ever made, whatever the hives hold.
///
/// # Errors
///
/// [`PlanError::Forbidden`] where no profile could ask for it.
pub fn expect_allowed(change: &Change) -> Result<(), PlanError> {
    let names: Vec<String> = change.key.names().into_iter().map(Name::to_text).collect();
    let path = KeyPath::in_hive(change.hive, &names);
    let path = path.map_err(|error| refusal(change, error.message))?;
    let name = change.value.as_ref().map(Name::to_text);
    let name = name.as_deref().unwrap_or_default();
    let deed = match (change.action, &change.after) {
        (Action::CreateKey, _) => Deed::CreateKey,
        (Action::DeleteKey, _) => Deed::DeleteKey,
        (Action::Set, Some(State::Value(value))) => Deed::SetValue(name, value.kind, &value.data),
        (Action::Set | Action::DeleteValue, _) => Deed::DeleteValue(name),
    };
    match forbidden(&path, deed) {
        Some(forbidden) => Err(refusal(change, forbidden.reason)),
        None => Ok(()),
    }
}

/// The keys that the changes before one have made, which it may build on.
#[derive(Default)]
pub(super) struct Made(HashSet<(HiveName, FoldedPath)>);

impl Made {
    pub(super) fn has(&self, hive: HiveName, key: &NodePath) -> bool {
        self.0.contains(&(hive, key.folded()))
    }

    pub(super) fn note(&mut self, change: &Change) {
        if change.action == Action::CreateKey {
            self.0.insert((change.hive, change.key.folded()));
        }
    }
}

/// Makes sure that `change` is one that is ever made to these hives, after those that made `made`.
///
/// # Errors
///
/// As [`expect_allowed`]; for a key that would be made without the one above it, which is how a
/// control set would come to be; and for a control set that is to boot and is not there.
pub(super) fn expect_possible(
    change: &Change,
    hives: &[HiveInput<'_>],
    made: &Made,
) -> Result<(), PlanError> {
    expect_allowed(change)?;
    let input = hive_of(change.hive, hives)?;
    if change.action == Action::CreateKey {
        let root = NodePath::root();
        let above = change.key.above().unwrap_or(&root);
        if !made.has(change.hive, above) && input.find_key(above)?.is_none() {
            return Err(refusal(change, "the key above it is not there"));
        }
    }
    match boots_with(change) {
        Some(number) if !has_control_set(input, number)? => {
            let why = format!("ControlSet{number:03} is not there, and would boot");
            Err(refusal(change, why))
        }
        _ => Ok(()),
    }
}

/// The number of the control set that the next start uses after `change`, where it says that.
fn boots_with(change: &Change) -> Option<u32> {
    let is_select =
        change.hive == HiveName::System && change.key.same_as(&NodePath::from("Select"));
    let name = change.value.as_ref()?;
    let boots = ["Current", "Default"];
    let boots = boots.iter().any(|known| name.same_as(&Name::from(*known)));
    match &change.after {
        Some(State::Value(value)) if is_select && boots => crate::regf::u32_at(&value.data, 0),
        _ => None,
    }
}

fn has_control_set(input: &HiveInput<'_>, number: u32) -> Result<bool, PlanError> {
    let sets = input.control_sets()?;
    Ok(sets.iter().any(|set| u32::from(set.number) == number))
}

fn refusal(change: &Change, why: impl Into<String>) -> PlanError {
    let value = change.value.as_ref();
    PlanError::Forbidden {
        hive: change.hive,
        key: change.key.text(),
        value: value.map_or(String::new(), |name| format!(" value {name}")),
        why: why.into(),
    }
}
