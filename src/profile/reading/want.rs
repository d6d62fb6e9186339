// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a value entry that say what the value should be.

use std::collections::HashSet;

use super::bounds::bounds;
use super::choices::choices;
use super::data::data;
use super::error::Report;
use super::fields::{Field, Fields, texts};
use super::parameters::known_parameter;
use super::scalar;
use super::tokens::tokens;
use super::yaml::Shape;
use crate::profile::model::{
    Data, Parameter, ParameterKind, ParameterUse, Part, TYPE_FIELDS, Want, shown, upcase,
};

/// The fields that say what a value should be, beside those of the types.
pub(super) const WANT_FIELDS: &[&str] = &[
    "type",
    "data",
    "one-of",
    "absent",
    "parameter",
    "list-remove",
    "list-keep",
    "list-add",
    "tokens",
];

/// What a value should be, and the parameter that it is taken from.
pub(super) struct ReadWant {
    pub(super) want: Want,
    pub(super) parameter: Option<ParameterUse>,
}

/// Reads the one field, or pair of fields, that says what the value should be.
pub(super) fn want(
    fields: &Fields<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<ReadWant> {
    let says_what = |field: &&Field<'_>| {
        let is_type = TYPE_FIELDS.contains(&field.name);
        is_type || (WANT_FIELDS.contains(&field.name) && field.name != "data")
    };
    let mut found = fields.found.iter().filter(says_what);
    let Some(first) = found.next() else {
        report_nothing_wanted(fields, report);
        return None;
    };
    for second in found {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        let hint = "keep one of them; several good values are `one-of: [ {...}, {...} ]`";
        report.error(second.at, message, hint);
    }
    // Beside a type it is told of where the type is read.
    let is_no_type = [
        "absent",
        "one-of",
        "parameter",
        "list-remove",
        "list-keep",
        "list-add",
        "tokens",
    ];
    if let (Some(data), true) = (fields.get("data"), is_no_type.contains(&first.name)) {
        let message = format!("`data` stands beside `{}`", first.name);
        report.error(
            data.at,
            message,
            "`data` is the data of `type: 0x...`: remove it",
        );
    }
    if first.name == "parameter" {
        return taken(fields, first, parameters, report);
    }
    let want = match first.name {
        "absent" => absent(fields, report).then_some(Want::Absent),
        "one-of" => one_of(first, report),
        "list-remove" => names(first, report).map(Want::ListRemove),
        "list-keep" => names(first, report).map(Want::ListKeep),
        "list-add" => names(first, report).map(Want::ListAdd),
        "tokens" => tokens(first, parameters, report).map(Want::Tokens),
        _ => data(fields, first, report).map(Want::Data),
    };
    let want = same_text(fields, want?, report);
    let want = separated(fields, want, report)?;
    let want = in_range(fields, want, report)?;
    let parameter = None;
    Some(ReadWant { want, parameter })
}

fn report_nothing_wanted(fields: &Fields<'_>, report: &mut Report<'_>) {
    let is_meant = |name: &&str| TYPE_FIELDS.contains(name) || WANT_FIELDS.contains(name);
    if fields.meant.iter().any(is_meant) {
        return;
    }
    if let Some(data) = fields.get("data") {
        let hint = "write the type's own field (`dword: 0`), or add `type: 0x...`";
        report.error(data.at, "`data` has no `type` beside it", hint);
        return;
    }
    let message = "a value entry does not say what the value should be";
    let hint = "add its type with the data, as in `dword: 1` or `sz: text`, or `absent: true` (all: hivemend \
                help profiles)";
    report.error(fields.at, message, hint);
}

/// Reads `same-text`, which makes a string equal in whatever case.
fn same_text(fields: &Fields<'_>, want: Want, report: &mut Report<'_>) -> Want {
    let Some(field) = fields.get("same-text") else {
        return want;
    };
    if !fields.flag("same-text", report) {
        return want;
    }
    let choices = match &want {
        Want::Data(data) => vec![data.clone()],
        Want::OneOf(choices) => choices.clone(),
        _ => Vec::new(),
    };
    let is_text = |data: &Data| matches!(data, Data::Sz(_) | Data::ExpandSz(_));
    if choices.is_empty() || !choices.iter().all(is_text) {
        let hint = "leave it out, or write `sz` or `expand-sz`";
        report.error(
            field.at,
            "`same-text` is about text, and there is none",
            hint,
        );
        return want;
    }
    Want::SameText(choices)
}

/// Reads `separator`, which makes a list of a text.
fn separated(fields: &Fields<'_>, want: Want, report: &mut Report<'_>) -> Option<Want> {
    let Some(field) = fields.get("separator") else {
        return Some(want);
    };
    let (part, names) = match want {
        Want::ListRemove(names) => (Part::Remove, names),
        Want::ListKeep(names) => (Part::Keep, names),
        Want::ListAdd(names) => (Part::Add, names),
        _ => {
            let message = "`separator` is about the elements of a list, and none are named";
            let hint = "leave it out, or write list-remove, list-keep or list-add";
            report.error(field.at, message, hint);
            return None;
        }
    };
    let text = field.read(report, scalar::text)?;
    let mut characters = text.chars();
    let (Some(separator), None) = (characters.next(), characters.next()) else {
        let message = format!("`{}` is not one character", shown(&text));
        let hint = "write what stands between two elements: `separator: ','`";
        report.error(field.value.at, message, hint);
        return None;
    };
    let is_bad = separator.is_control() || separator == ' ' || separator.len_utf16() > 1;
    if is_bad || names.iter().any(|name| name.contains(separator)) {
        let message = format!("`{}` cannot stand between the elements", shown(&text));
        let hint = "it is one visible character that is in no element, such as , or ;";
        report.error(field.value.at, message, hint);
        return None;
    }
    Some(Want::TextList {
        separator,
        part,
        names,
    })
}

/// Reads `min` and `max`, which make any number between them good.
fn in_range(fields: &Fields<'_>, want: Want, report: &mut Report<'_>) -> Option<Want> {
    let (min, max) = (fields.get("min"), fields.get("max"));
    let Some(field) = min.or(max) else {
        return Some(want);
    };
    let (kind, number) = match &want {
        Want::Data(Data::Dword(number)) => (ParameterKind::Dword, u64::from(*number)),
        Want::Data(Data::Qword(number)) => (ParameterKind::Qword, *number),
        _ => {
            let message = format!("`{}` goes with one number: `dword` or `qword`", field.name);
            report.error(
                field.at,
                message,
                "leave it out, or write the number to set",
            );
            return None;
        }
    };
    let (min, max) = bounds(fields, kind, report)?;
    if !(min..=max).contains(&number) {
        let message = format!("{number} is not in the range from {min} to {max}");
        let hint = "the number that is written must be a good one itself";
        report.error(field.at, message, hint);
        return None;
    }
    let write = kind.number(number)?;
    Some(Want::Range { write, min, max })
}

/// Reads `parameter`, which stands for a type with data.
fn taken(
    fields: &Fields<'_>,
    field: &Field<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<ReadWant> {
    if let Some(field) = fields.get("same-text") {
        let hint = "leave it out: what `--set` gives is compared exactly";
        report.error(field.at, "`same-text` stands beside `parameter`", hint);
    }
    let name = field.read(report, scalar::text)?;
    let parameter = known_parameter(&name, field.value, parameters, report)?;
    let is_number = parameter.kind.number(0).is_some();
    let bound = fields.get("min").or(fields.get("max"));
    let range = match bound {
        None => None,
        Some(bound) if !is_number => {
            let message = format!("`{}` goes with numbers, and `{name}` is none", bound.name);
            report.error(bound.at, message, "leave it out");
            return None;
        }
        Some(bound) => {
            let (min, max) = bounds(fields, parameter.kind, report)?;
            if min > parameter.min || max < parameter.max {
                let message = format!("`{name}` can be a number that is not good here");
                let hint = "the range of the entry must hold all of the parameter's";
                report.error(bound.at, message, hint);
                return None;
            }
            Some((min, max))
        }
    };
    let want = match (&parameter.default, range) {
        (None, _) => Want::Unset,
        (Some(data), None) => Want::Data(data.clone()),
        (Some(data), Some((min, max))) => Want::Range {
            write: data.clone(),
            min,
            max,
        },
    };
    let parameter = Some(ParameterUse { name, range });
    Some(ReadWant { want, parameter })
}

/// Reads names of elements of a list: one at least, none empty, none twice.
fn names(field: &Field<'_>, report: &mut Report<'_>) -> Option<Vec<String>> {
    let names = texts(field, report);
    let mut seen = HashSet::new();
    let is_bad = |name: &&String| name.is_empty() || name.contains('\0');
    if names.iter().any(|name| is_bad(&name)) {
        let message = format!("`{}` has an empty name or a NUL in it", field.name);
        report.error(field.at, message, "an element of a REG_MULTI_SZ has a text");
        return None;
    }
    if let Some(twice) = names.iter().find(|name| !seen.insert(upcase(name))) {
        let message = format!("`{}` names `{}` twice", field.name, shown(twice));
        report.error(field.at, message, "keep one of them");
    }
    if names.is_empty() {
        if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
            let message = format!("`{}` is an empty list", field.name);
            let hint = "name an element; a value that should not be there is `absent: true`";
            report.error(field.at, message, hint);
        }
        return None;
    }
    Some(names)
}

fn one_of(field: &Field<'_>, report: &mut Report<'_>) -> Option<Want> {
    let choices = choices(field, report);
    let items = match &field.value.shape {
        Shape::List(items) => items.len(),
        _ => return None,
    };
    if items < 2 {
        let message = "`one-of` needs two choices at least";
        report.error(
            field.at,
            message,
            "for one good value write its type: `dword: 1`",
        );
    }
    (choices.len() >= 2).then_some(Want::OneOf(choices))
}

/// Reads `absent`, which can only be true.
pub(super) fn absent(fields: &Fields<'_>, report: &mut Report<'_>) -> bool {
    let Some(field) = fields.get("absent") else {
        return false;
    };
    match field.read(report, scalar::boolean) {
        Some(false) => {
            let hint = "write `absent: true`, or leave it out and say what should be there";
            report.error(field.value.at, "`absent: false` says nothing", hint);
            false
        }
        read => read.unwrap_or(false),
    }
}
