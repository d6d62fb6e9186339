// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a profile, and all that is below them.
//!
//! Every function here reports what is wrong and goes on, so that one run shows all errors. A
//! `None` or a default stands for something that has been reported.

use super::cause::cause;
use super::duplicates::report_duplicates;
use super::error::Report;
use super::fields::{Field, Fields, items, read_at, required_text, scalar_of, texts};
use super::key::key_rule;
use super::parameters::parameters;
use super::scalar;
use super::value::Context;
use super::when::when;
use super::yaml::{Node, Shape};
use crate::profile::model::{Include, KeyRule, Profile, SCHEMA, shown};

pub(super) const PROFILE_FIELDS: &[&str] = &[
    "schema",
    "id",
    "title",
    "source",
    "symptoms",
    "undo",
    "include",
    "parameters",
    "when",
    "impact",
    "cause",
    "advice",
    "opt-in",
    "keys",
];

/// The longest id, in characters.
const MAX_ID: usize = 64;

/// Reads the profile; its `origin` and `text` are left empty.
pub(super) fn profile(root: &Node, report: &mut Report<'_>) -> Option<Profile> {
    let what = "a profile";
    check_schema(root, report)?;
    let fields = Fields::read(root, what, PROFILE_FIELDS, report)?;
    let schema_hint = format!("write `schema: {SCHEMA}`");
    fields.require("schema", what, &schema_hint, report);
    let id_hint = "add `id: my-profile`: the name it is called by";
    let id = fields.require("id", what, id_hint, report);
    let id = id
        .and_then(|field| identifier(field, report))
        .unwrap_or_default();
    let title_hint = "add `title:` with one line that says what it is for";
    let title = required_text(&fields, "title", what, title_hint, report);
    let source_hint = "add `source:` and say where the values come from";
    let source = required_text(&fields, "source", what, source_hint, report);
    let undo = fields
        .get("undo")
        .and_then(|field| identifier(field, report));
    if let (Some(field), Some(undo)) = (fields.get("undo"), &undo)
        && *undo == id
    {
        let hint = "name the profile that takes this one back, or leave `undo` out";
        report.error(field.value.at, "a profile cannot be its own `undo`", hint);
    }
    let symptoms = fields.get("symptoms").map(|field| texts(field, report));
    let advice = fields.get("advice").map(|field| texts(field, report));
    let parameters = parameters(&fields, report);
    let context = Context {
        parameters: &parameters,
        has_cause: fields.get("impact").is_some(),
    };
    let keys = keys(&fields, &context, report);
    report_duplicates(&keys, report);
    Some(Profile {
        id,
        title,
        source,
        symptoms: symptoms.unwrap_or_default(),
        undo,
        include: include(&fields, report),
        when: when(&fields, 0, report),
        cause: cause(&fields, what, report),
        advice: advice.unwrap_or_default(),
        opt_in: fields.flag("opt-in", report),
        parameters,
        keys,
        origin: String::new(),
        included_by: None,
        text: String::new(),
    })
}

/// Reports a schema that is not known. Returns `None` then: what else the file says is in another
/// language, and errors about it would mean nothing.
fn check_schema(root: &Node, report: &mut Report<'_>) -> Option<()> {
    let Shape::Map(map) = &root.shape else {
        return Some(());
    };
    let text = |node: &Node| match &node.shape {
        Shape::Scalar(scalar) => Some(scalar.text.clone()),
        _ => None,
    };
    let mut fields = map.iter();
    let field = fields.find(|(name, _)| text(name).as_deref() == Some("schema"));
    let (_, value) = match field {
        Some(field) if text(&field.1).as_deref() != Some(SCHEMA) => field,
        _ => return Some(()),
    };
    let found = text(value).unwrap_or_default();
    let message = format!(
        "`{}` is not a schema that this hivemend knows",
        shown(&found)
    );
    report.error(value.at, message, format!("write `schema: {SCHEMA}`"));
    None
}

fn identifier(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    let id = field.read(report, scalar::text)?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_word = id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.ends_with('-');
    if is_word && id.len() <= MAX_ID && id.chars().all(good) {
        return Some(id);
    }
    let message = format!("`{}` cannot be the id of a profile", shown(&id));
    let hint =
        format!("write lower-case letters, digits and hyphens, a letter first, {MAX_ID} at most");
    report.error(field.value.at, message, hint);
    None
}

/// The most profiles that one profile can name.
const MAX_INCLUDES: usize = 64;

fn include(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<Include> {
    let Some(field) = fields.get("include") else {
        return Vec::new();
    };
    let mut named: Vec<Include> = Vec::new();
    for item in items(field, report) {
        let read = scalar_of(item, "include", report);
        let name = read.and_then(|s| read_at(item.at, "include", report, scalar::text(s)));
        let Some(name) = name else {
            continue;
        };
        if named.iter().any(|other| other.name == name) {
            let message = format!("`{}` is included twice", shown(&name));
            report.error(item.at, message, "keep one of them");
            continue;
        }
        named.push(Include { name, at: item.at });
    }
    if named.len() > MAX_INCLUDES {
        let message = format!("a profile includes {MAX_INCLUDES} others at most");
        report.error(field.at, message, "group them in profiles of their own");
    }
    named
}

fn keys(fields: &Fields<'_>, context: &Context<'_>, report: &mut Report<'_>) -> Vec<KeyRule> {
    let hint = "add `keys:` and below it `- key: HKLM\\SYSTEM\\CurrentControlSet\\...`";
    // A profile may do nothing but include others.
    if fields.get("keys").is_none() && fields.get("include").is_some() {
        return Vec::new();
    }
    let Some(field) = fields.require("keys", "a profile", hint, report) else {
        return Vec::new();
    };
    let items = items(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        report.error(field.at, "`keys` is an empty list", hint);
    }
    items
        .iter()
        .filter_map(|item| key_rule(item, context, report))
        .collect()
}
