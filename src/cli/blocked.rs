// SPDX-License-Identifier: GPL-3.0-or-later
//! Plans that cannot be followed.

use super::failure::Failure;
use crate::plan::Plan;

/// A plan that cannot be followed as a whole is not followed at all.
pub(super) fn refuse_blocked(plan: &Plan) -> Result<(), Failure> {
    let Some(first) = plan.blocked.first() else {
        return Ok(());
    };
    let more = match plan.blocked.len() {
        1 => String::new(),
        all => format!(" (and {} more)", all.saturating_sub(1)),
    };
    let value = first.value.as_ref();
    let value = value.map_or(String::new(), |value| format!(", value {value}"));
    let message = format!(
        "the profile {} cannot be followed here: {} {}{value}: {}{more}",
        first.profile, first.hive, first.key, first.reason
    );
    Err(Failure::refused(message).advising("Nothing was written."))
}
