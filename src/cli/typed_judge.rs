// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether what was typed lowers security: a profile says it of itself, `set` and `unset` cannot.

use super::failure::Failure;
use super::typed_profile::is_typed;
use crate::plan::{Lowering, Plan};
use crate::profile::{self, Profile};

/// Marks the changes that lower security, as far as the built-in profiles know what they are about, and
/// says of which that is not known.
pub(super) fn judge(plan: &mut Plan, profiles: &[Profile]) -> Result<(), Failure> {
    if !profiles.iter().any(is_typed) {
        return Ok(());
    }
    let known: Result<Vec<Profile>, _> = profile::builtin()
        .iter()
        .map(|known| profile::load(known.id))
        .collect();
    let lowering = Lowering::of(&known?);
    let mut unknown = Vec::new();
    for change in &mut plan.changes {
        match lowering.by_making(change) {
            Some(lowers) => change.lowers_security |= lowers,
            None if change.lowers_security => {}
            None => {
                plan.unjudged = plan.unjudged.saturating_add(1);
                let name = match &change.value {
                    Some(name) => format!("nothing is known here of {name:?} in such a key"),
                    None => "what lies in the key is not looked at".to_owned(),
                };
                unknown.push(format!(
                    "Whether this lowers security was not judged: {name}."
                ));
            }
        }
    }
    plan.warn(unknown);
    Ok(())
}
