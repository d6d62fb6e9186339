// SPDX-License-Identifier: GPL-3.0-or-later
//! `min` and `max`, of a value and of a parameter.

use super::error::Report;
use super::fields::Fields;
use super::scalar;
use crate::profile::model::ParameterKind;

/// Reads `min` and `max`; what is left out is as far as the type goes.
pub(super) fn bounds(
    fields: &Fields<'_>,
    kind: ParameterKind,
    report: &mut Report<'_>,
) -> Option<(u64, u64)> {
    let mut number = |name: &str, otherwise: u64| match fields.get(name) {
        None => Some(otherwise),
        Some(field) => field.read(report, |scalar| scalar::number(scalar, kind.max())),
    };
    let (min, max) = (number("min", 0), number("max", kind.max()));
    let (min, max) = (min?, max?);
    if min > max {
        let at = fields.get("min").map_or(fields.at, |field| field.at);
        let message = format!("no number is from {min} to {max}");
        report.error(at, message, "`min` must not be greater than `max`");
        return None;
    }
    Some((min, max))
}
