// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a key entry.

use super::error::Report;
use super::fields::{Fields, prose};
use super::scalar;
use super::value::{Context, values};
use super::want::absent;
use super::when::when;
use super::yaml::Node;
use crate::profile::model::{
    Boot, Deed, Forbidden, KeyPath, KeyPathError, KeyRule, forbidden, shown,
};

pub(super) const KEY_FIELDS: &[&str] = &[
    "key",
    "values",
    "absent",
    "boot",
    "when",
    "if-exists",
    "why",
    "lowers-security",
    "literal",
];

/// Reads an entry of `keys`.
pub(super) fn key_rule(
    node: &Node,
    context: &Context<'_>,
    report: &mut Report<'_>,
) -> Option<KeyRule> {
    let what = "a key entry";
    let fields = Fields::read(node, what, KEY_FIELDS, report)?;
    let absent = absent(&fields, report);
    let path = key_path(&fields, absent, report);
    let values = match fields.get("values") {
        Some(field) => values(field, path.as_ref(), context, report),
        None => Vec::new(),
    };
    check_key_fields(&fields, absent, report);
    let boot = boot(&fields, path.as_ref(), report);
    let wildcards = path.as_ref().map_or(0, KeyPath::wildcards);
    let rule = KeyRule {
        path: path?,
        when: when(&fields, wildcards, report),
        absent,
        boot,
        if_exists: fields.flag("if-exists", report),
        why: fields
            .get("why")
            .and_then(|field| prose(field, report))
            .map(Into::into),
        lowers_security: fields.flag("lowers-security", report),
        // Reported above; kept, it would only clash with its own key.
        values: if absent || boot.is_some() {
            Vec::new()
        } else {
            values
        },
        at: fields.at,
    };
    Some(rule)
}

/// Reports fields of a key entry that do not go together.
fn check_key_fields(fields: &Fields<'_>, absent: bool, report: &mut Report<'_>) {
    match (fields.get("values"), absent) {
        (Some(field), true) => {
            let hint = "a key that is deleted takes its values along: keep one of the two";
            report.error(field.at, "the key is `absent` and has `values`", hint);
        }
        (None, false) if fields.get("absent").is_none() && fields.get("boot").is_none() => {
            let hint = "add `values:`, or `absent: true` if the key should not be there";
            report.error(fields.at, "a key entry says nothing about its key", hint);
        }
        _ => {}
    }
    if let (Some(field), false) = (fields.get("lowers-security"), absent) {
        let message = "`lowers-security` is a field of a value, or of an `absent` key";
        report.error(
            field.at,
            message,
            "move it to each value that lowers security",
        );
    }
}

/// Reads `boot`, the computed change of `Select`.
fn boot(fields: &Fields<'_>, path: Option<&KeyPath>, report: &mut Report<'_>) -> Option<Boot> {
    let field = fields.get("boot")?;
    let word = field.read(report, scalar::text)?;
    if word != "last-known-good" {
        let message = format!("`{}` is not a way to boot", shown(&word));
        report.error(field.value.at, message, "write last-known-good");
        return None;
    }
    for other in ["values", "absent"] {
        if let Some(other) = fields.get(other) {
            let message = format!("`{}` stands beside `boot`", other.name);
            let hint = "`boot` works out the values of `Select` by itself: keep one of the two";
            report.error(other.at, message, hint);
        }
    }
    if !path?.is_select() {
        let hint = "write `key: HKLM\\SYSTEM\\Select`";
        report.error(
            field.at,
            "`boot` is about `Select`, and this is another key",
            hint,
        );
        return None;
    }
    Some(Boot::LastKnownGood)
}

fn key_path(fields: &Fields<'_>, absent: bool, report: &mut Report<'_>) -> Option<KeyPath> {
    let hint = "add `key: HKLM\\SYSTEM\\CurrentControlSet\\...`";
    let field = fields.require("key", "a key entry", hint, report)?;
    let text = field.read(report, scalar::text)?;
    let is_literal = fields.flag("literal", report);
    let parsed = text
        .parse::<KeyPath>()
        .map(|path| KeyPath { is_literal, ..path });
    let checked = parsed.and_then(|path| check_key(path, absent));
    match checked {
        Ok(path) => Some(path),
        Err(KeyPathError { message, hint }) => {
            report.error(field.value.at, message, hint);
            None
        }
    }
}

/// The most `*` and `{GUID}` in a key.
const MAX_WILDCARDS: usize = 2;

/// Refuses keys that no profile may speak of.
fn check_key(path: KeyPath, absent: bool) -> Result<KeyPath, KeyPathError> {
    let deed = if absent { Deed::DeleteKey } else { Deed::Touch };
    let (message, hint) = if let Some(Forbidden { message, hint, .. }) = forbidden(&path, deed) {
        (message, hint)
    } else if path.wildcards() > MAX_WILDCARDS {
        let message = "a key has two parts `*` or `{GUID}` at most";
        (message, "write the other names out")
    } else {
        return Ok(path);
    };
    Err(KeyPathError {
        message: message.to_owned(),
        hint: hint.to_owned(),
    })
}
