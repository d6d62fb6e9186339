// SPDX-License-Identifier: GPL-3.0-or-later
//! The entries of `parameters`.

use super::bounds::bounds;
use super::choices::choices;
use super::data::data;
use super::error::Report;
use super::fields::{Field, Fields, items, list, required_text};
use super::scalar;
use super::yaml::Node;
use crate::profile::model::{Data, Parameter, ParameterKind, shown};

pub(super) const PARAMETER_FIELDS: &[&str] = &[
    "name", "title", "dword", "qword", "sz", "multi-sz", "required", "type-of", "min", "max",
    "one-of",
];

/// The most parameters that a profile can have.
const MAX_PARAMETERS: usize = 64;

/// Reads `parameters`, which may be left out.
pub(super) fn parameters(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<Parameter> {
    let Some(field) = fields.get("parameters") else {
        return Vec::new();
    };
    let mut read: Vec<Parameter> = Vec::new();
    for item in items(field, report).iter().take(MAX_PARAMETERS + 1) {
        let Some(parameter) = parameter(item, report) else {
            continue;
        };
        if let Some(first) = read.iter().find(|other| other.name == parameter.name) {
            let message = format!("the parameter `{}` is here twice", parameter.name);
            let hint = format!(
                "keep one of the two; the first is in line {}",
                first.at.line
            );
            report.error(parameter.at, message, hint);
            continue;
        }
        read.push(parameter);
    }
    if read.len() > MAX_PARAMETERS {
        let message = format!("a profile has {MAX_PARAMETERS} parameters at most");
        report.error(field.at, message, "split the profile");
    }
    read
}

fn parameter(node: &Node, report: &mut Report<'_>) -> Option<Parameter> {
    let what = "a parameter";
    let fields = Fields::read(node, what, PARAMETER_FIELDS, report)?;
    let hint = "add `name:`: what is written behind --set";
    let name = fields.require("name", what, hint, report);
    let name = name.and_then(|field| parameter_name(field, report));
    let hint = "add `title:` with one line that says what it is";
    let title = required_text(&fields, "title", what, hint, report);
    let (kind, default) = kind(&fields, report)?;
    let (min, max) = range(&fields, kind, default.as_ref(), report)?;
    let one_of = one_of(&fields, kind, default.as_ref(), report)?;
    let (min, max) = ends(&one_of).unwrap_or((min, max));
    Some(Parameter {
        one_of,
        name: name?,
        title,
        kind,
        default,
        min,
        max,
        at: fields.at,
    })
}

fn parameter_name(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    const LONGEST: usize = 32;
    let name = field.read(report, scalar::text)?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_word = name.starts_with(|c: char| c.is_ascii_lowercase());
    if is_word && name.len() <= LONGEST && name.chars().all(good) {
        return Some(name);
    }
    let message = format!("`{}` cannot be the name of a parameter", shown(&name));
    let hint =
        format!("write lower-case letters, digits and hyphens, a letter first, {LONGEST} at most");
    report.error(field.value.at, message, hint);
    None
}

/// Reads the type, and the default that stands in its field.
fn kind(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<(ParameterKind, Option<Data>)> {
    let mut typed = fields
        .found
        .iter()
        .filter(|field| kind_of(field.name).is_some());
    let first = typed.next();
    for second in typed {
        let before = first.map_or("", |first| first.name);
        let message = format!("`{}` stands beside `{before}`", second.name);
        report.error(second.at, message, "a parameter has one type");
    }
    let required = fields.flag("required", report);
    let named = fields.get("type-of");
    match (first, named) {
        (Some(field), None) if !required => {
            let known = kind_of(field.name)?;
            let data = data(fields, field, report)?;
            Some((known, Some(data)))
        }
        (None, Some(field)) if required => {
            let word = field.read(report, scalar::text)?;
            let known = kind_of(&word);
            if known.is_none() {
                let message = format!("`{}` is not a type of a parameter", shown(&word));
                let hint = format!(
                    "write one of: {}",
                    list(&ParameterKind::ALL.map(ParameterKind::field))
                );
                report.error(field.value.at, message, hint);
            }
            Some((known?, None))
        }
        _ => {
            let message = "a parameter needs a type with its default, or none at all";
            let hint = "write `dword: 3389`, or `required: true` with `type-of: dword`";
            report.error(fields.at, message, hint);
            None
        }
    }
}

/// The type whose field has this name.
fn kind_of(field: &str) -> Option<ParameterKind> {
    let mut kinds = ParameterKind::ALL.into_iter();
    kinds.find(|kind| kind.field() == field)
}

/// Reads `one-of`: the only data that is taken.
fn one_of(
    fields: &Fields<'_>,
    kind: ParameterKind,
    default: Option<&Data>,
    report: &mut Report<'_>,
) -> Option<Vec<Data>> {
    let Some(field) = fields.get("one-of") else {
        return Some(Vec::new());
    };
    if let Some(bound) = fields.get("min").or(fields.get("max")) {
        let message = format!("`{}` stands beside `one-of`", bound.name);
        report.error(bound.at, message, "keep one of them");
    }
    let choices = choices(field, report);
    let fits = |data: &Data| {
        let is_list = kind == ParameterKind::MultiSz;
        data.field() == kind.field() && !is_list
    };
    if choices.len() < 2 || !choices.iter().all(fits) {
        let message = "`one-of` of a parameter is two or more of its own type";
        let hint = "write `one-of: [ {dword: 2}, {dword: 4} ]`; a list has none";
        report.error(field.at, message, hint);
        return None;
    }
    if let Some(default) = default.filter(|default| !choices.contains(default)) {
        let message = format!("the default {default} is not one of them");
        report.error(field.at, message, "mend the default or `one-of`");
        return None;
    }
    Some(choices)
}

/// The smallest and the largest of the numbers.
fn ends(choices: &[Data]) -> Option<(u64, u64)> {
    let numbers = choices.iter().filter_map(|data| match data {
        Data::Dword(number) => Some(u64::from(*number)),
        Data::Qword(number) => Some(*number),
        _ => None,
    });
    Some((numbers.clone().min()?, numbers.max()?))
}

fn range(
    fields: &Fields<'_>,
    kind: ParameterKind,
    default: Option<&Data>,
    report: &mut Report<'_>,
) -> Option<(u64, u64)> {
    if kind.number(0).is_none() {
        if let Some(field) = fields.get("min").or(fields.get("max")) {
            let message = format!("`{}` goes with numbers", field.name);
            report.error(field.at, message, "leave it out");
        }
        return Some((0, 0));
    }
    let (min, max) = bounds(fields, kind, report)?;
    let number = match default {
        Some(Data::Dword(number)) => u64::from(*number),
        Some(Data::Qword(number)) => *number,
        _ => return Some((min, max)),
    };
    if !(min..=max).contains(&number) {
        let message = format!("the default {number} is not in the range from {min} to {max}");
        report.error(fields.at, message, "mend the default, `min` or `max`");
        return None;
    }
    Some((min, max))
}

/// The parameter of this name, or reports that there is none.
pub(super) fn known_parameter<'p>(
    name: &str,
    node: &Node,
    parameters: &'p [Parameter],
    report: &mut Report<'_>,
) -> Option<&'p Parameter> {
    let found = parameters.iter().find(|parameter| parameter.name == name);
    if found.is_none() {
        let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
        let hint = match names.is_empty() {
            true => "name it under `parameters:` of the profile".to_owned(),
            false => format!("there are: {}", list(&names)),
        };
        let message = format!("the profile has no parameter `{}`", shown(name));
        report.error(node.at, message, hint);
    }
    found
}
