// SPDX-License-Identifier: GPL-3.0-or-later
//! `impact` and `cause`, of a profile and of a value.

use super::error::Report;
use super::fields::{Fields, prose};
use super::scalar;
use crate::profile::model::{Cause, Impact, shown};

/// Reads `impact` and `cause`, which go together.
pub(super) fn cause(fields: &Fields<'_>, what: &str, report: &mut Report<'_>) -> Option<Cause> {
    let (impact, cause) = (fields.get("impact"), fields.get("cause"));
    let (impact, cause) = match (impact, cause) {
        (Some(impact), Some(cause)) => (impact, cause),
        (None, None) => return None,
        (Some(field), None) | (None, Some(field)) => {
            let lacking = if impact.is_some() { "cause" } else { "impact" };
            if !fields.meant.contains(&lacking) {
                let message = format!("{what} has `{}` and no `{lacking}`", field.name);
                let hint = "write both: how bad it is, and what is wrong, in a line";
                report.error(field.at, message, hint);
            }
            return None;
        }
    };
    let text = prose(cause, report);
    let word = impact.read(report, scalar::text)?;
    let known = Impact::ALL.into_iter().find(|known| known.as_str() == word);
    if known.is_none() {
        let message = format!("`{}` is not an impact", shown(&word));
        report.error(impact.value.at, message, "write blocks, weakens or unusual");
    }
    Some(Cause {
        impact: known?,
        text: text?.into(),
    })
}
