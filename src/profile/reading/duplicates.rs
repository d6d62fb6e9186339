// SPDX-License-Identifier: GPL-3.0-or-later
//! Two entries of one profile for one value.

use super::error::Report;
use crate::profile::model::{Claim, KeyRule, clashes, shown};

/// Reports entries of one profile that speak of the same value, even if they agree.
pub(super) fn report_duplicates(keys: &[KeyRule], report: &mut Report<'_>) {
    for (first, second) in clashes(&[(&[], keys)], are_about_parts) {
        let message = match (first.value, second.value) {
            (Some(value), Some(_)) => {
                let name = shown(&value.name);
                format!("the value `{name}` of this key has an entry already")
            }
            (None, None) => "this key is `absent` already".to_owned(),
            _ => "one entry wants this key `absent`, the other a value in it".to_owned(),
        };
        let hint = format!(
            "keep one of the two; the first is in line {}",
            first.at().line
        );
        report.error(second.at(), message, hint);
    }
}

/// Whether the entries are about parts of one value, each under conditions of its own.
fn are_about_parts(one: &Claim<'_>, other: &Claim<'_>) -> bool {
    let is_part = |claim: &Claim<'_>| claim.value.is_some_and(|value| value.want.is_partial());
    is_part(one) && is_part(other) && one.agrees_with(other) && one.key.when != other.key.when
}
