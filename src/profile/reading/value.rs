// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a value entry.

use super::cause::cause;
use super::choices::choices;
use super::error::Report;
use super::fields::{Field, Fields, items, required_text};
use super::scalar;
use super::tokens::if_tokens;
use super::want::{ReadWant, WANT_FIELDS, want};
use super::yaml::{Node, Shape};
use crate::profile::model::{
    Data, Deed, Forbidden, KeyPath, MAX_NAME_UNITS, Parameter, TYPE_FIELDS, ValueRule, Want,
    forbidden,
};

/// Beside the fields that say what a value should be.
const VALUE_FIELDS: &[&str] = &[
    "name",
    "why",
    "if-exists",
    "if-one-of",
    "min",
    "max",
    "same-text",
    "separator",
    "if-tokens",
    "literal",
    "lowers-security",
    "impact",
    "cause",
];

/// All fields of a value entry.
pub(super) fn value_fields() -> Vec<&'static str> {
    [VALUE_FIELDS, &TYPE_FIELDS, WANT_FIELDS].concat()
}

/// What the entries of a profile need to know of it.
pub(super) struct Context<'p> {
    pub(super) parameters: &'p [Parameter],
    /// Whether it says what drift from it means.
    pub(super) has_cause: bool,
}

/// Reads `values` of the key at `path`.
pub(super) fn values(
    field: &Field<'_>,
    path: Option<&KeyPath>,
    context: &Context<'_>,
    report: &mut Report<'_>,
) -> Vec<ValueRule> {
    let items = items(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        let hint = "add `- name: ...` below it, or `absent: true` to the key";
        report.error(field.at, "`values` is an empty list", hint);
    }
    let rules = items
        .iter()
        .filter_map(|item| value_rule(item, context, report));
    let rules: Vec<ValueRule> = rules.collect();
    for rule in &rules {
        let never = path.and_then(|path| never_wanted(path, rule));
        if let Some(Forbidden { message, hint, .. }) = never {
            report.error(rule.at, message, hint);
        }
    }
    rules
}

/// Why what an entry wants of its value is never done.
fn never_wanted(path: &KeyPath, rule: &ValueRule) -> Option<Forbidden> {
    let set = |data: &Data| {
        let bytes = data.bytes();
        forbidden(path, Deed::SetValue(&rule.name, data.kind(), &bytes))
    };
    match &rule.want {
        Want::Absent => forbidden(path, Deed::DeleteValue(&rule.name)),
        Want::OneOf(choices) | Want::SameText(choices) => choices.iter().find_map(set),
        want => want.to_write().and_then(set),
    }
}

/// The name that stands for every value of a key.
const EVERY: &str = "*";

fn value_rule(node: &Node, context: &Context<'_>, report: &mut Report<'_>) -> Option<ValueRule> {
    let what = "a value entry";
    let fields = Fields::read(node, what, &value_fields(), report)?;
    let name = value_name(&fields, report);
    let want = want(&fields, context.parameters, report);
    let why_hint = "add `why:` and say in a few words what this value does for the machine";
    let why = required_text(&fields, "why", what, why_hint, report);
    let cause = cause(&fields, what, report);
    if let (Some(field), false) = (fields.get("impact"), context.has_cause) {
        let message = "a value has an `impact`, and its profile has none";
        let hint = "add `impact` and `cause` to the profile: it is part of `diagnose` then";
        report.error(field.at, message, hint);
    }
    let if_one_of = match fields.get("if-one-of") {
        Some(field) => if_one_of(field, report),
        None => Vec::new(),
    };
    let if_tokens = if_tokens(&fields, context.parameters, report);
    let is_literal = fields.flag("literal", report);
    let every = name.as_deref() == Some(EVERY) && !is_literal;
    if let (Some(field), false) = (fields.get("literal"), name.as_deref() == Some(EVERY)) {
        let message = "`literal` is about the name `*`, and this is another";
        report.error(
            field.at,
            message,
            "leave it out: other names mean themselves",
        );
    }
    let ReadWant { want, parameter } = want?;
    let rule = ValueRule {
        every,
        if_tokens,
        why: why.into(),
        if_exists: fields.flag("if-exists", report),
        if_one_of,
        lowers_security: fields.flag("lowers-security", report),
        cause,
        name: name?,
        want,
        parameter,
        at: fields.at,
    };
    Some(rule)
}

fn if_one_of(field: &Field<'_>, report: &mut Report<'_>) -> Vec<Data> {
    let choices = choices(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        let hint = "write what the value must be for the entry to hold: `[ {dword: 4} ]`";
        report.error(field.at, "`if-one-of` is an empty list", hint);
    }
    choices
}

fn value_name(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<String> {
    let hint = "add `name:`; the unnamed (default) value of a key is `name: \"\"`";
    let field = fields.require("name", "a value entry", hint, report)?;
    let name = field.read(report, scalar::text)?;
    let units = name.encode_utf16().count();
    let fault = if name.contains('\0') {
        "the name has a NUL in it".to_owned()
    } else if units > MAX_NAME_UNITS {
        format!("the name is {units} UTF-16 units long")
    } else {
        return Some(name);
    };
    let hint = format!("the registry allows {MAX_NAME_UNITS} UTF-16 units, none of them NUL");
    report.error(field.value.at, fault, hint);
    None
}
