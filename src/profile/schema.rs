// SPDX-License-Identifier: GPL-3.0-or-later
//! From the YAML tree to a profile: which fields there are, and what each may hold.
//!
//! Every function here reports what is wrong and goes on, so that one run shows all errors. A
//! `None` or a default stands for something that has been reported.

use super::data::TYPE_FIELDS;
use super::error::Report;
use super::fields::{Field, Fields, describe, read_at, scalar_of};
use super::key_path::MAX_NAME_UNITS;
use super::read_parameter::parameters;
use super::read_want::{ReadWant, WANT_FIELDS, choices, if_tokens, want};
use super::read_when::when;
use super::scalar::{self, shown};
use super::vital::{Deed, Forbidden, forbidden};
use super::yaml::{Node, Shape};
use super::{
    Boot, Cause, Data, Impact, Include, KeyPath, KeyPathError, KeyRule, Parameter, Profile,
    ValueRule, Want, conflict,
};

/// The language this program speaks.
const SCHEMA: &str = "hivemend.profile/1";

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
pub(super) const KEY_FIELDS: &[&str] = &[
    "key",
    "values",
    "absent",
    "boot",
    "when",
    "if-exists",
    "why",
    "lowers-security",
];
/// Beside the fields that say what a value should be.
pub(super) const VALUE_FIELDS: &[&str] = &[
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
    conflict::report_duplicates(&keys, report);
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

/// What the entries of a profile need to know of it.
struct Context<'p> {
    parameters: &'p [Parameter],
    /// Whether it says what drift from it means.
    has_cause: bool,
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

pub(super) fn required_text(
    fields: &Fields<'_>,
    name: &str,
    what: &str,
    hint: &str,
    report: &mut Report<'_>,
) -> String {
    let field = fields.require(name, what, hint, report);
    field
        .and_then(|field| prose(field, report))
        .unwrap_or_default()
}

/// Reads text that must say something.
fn prose(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = field.read(report, scalar::text)?;
    if text.trim().is_empty() {
        let message = format!("`{}` is empty", field.name);
        report.error(field.value.at, message, "say it in a few words");
        return None;
    }
    Some(text.trim_end().to_owned())
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

/// Reads `impact` and `cause`, which go together.
fn cause(fields: &Fields<'_>, what: &str, report: &mut Report<'_>) -> Option<Cause> {
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

pub(super) fn items<'n>(field: &Field<'n>, report: &mut Report<'_>) -> &'n [Node] {
    if let Shape::List(items) = &field.value.shape {
        return items;
    }
    let name = field.name;
    let at = match describe(field.value) {
        "empty" => field.at,
        _ => field.value.at,
    };
    let message = format!("`{name}` is {}, not a list", describe(field.value));
    let hint = "write a list: each member on a line of its own behind `- `, or [ ] around all";
    report.error(at, message, hint);
    &[]
}

pub(super) fn texts(field: &Field<'_>, report: &mut Report<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    for item in items(field, report) {
        let Some(scalar) = scalar_of(item, field.name, report) else {
            continue;
        };
        texts.extend(read_at(item.at, field.name, report, scalar::text(scalar)));
    }
    texts
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

fn key_rule(node: &Node, context: &Context<'_>, report: &mut Report<'_>) -> Option<KeyRule> {
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

fn key_path(fields: &Fields<'_>, absent: bool, report: &mut Report<'_>) -> Option<KeyPath> {
    let hint = "add `key: HKLM\\SYSTEM\\CurrentControlSet\\...`";
    let field = fields.require("key", "a key entry", hint, report)?;
    let text = field.read(report, scalar::text)?;
    let checked = text.parse().and_then(|path| check_key(path, absent));
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

fn values(
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
    let allowed: Vec<&'static str> = [VALUE_FIELDS, &TYPE_FIELDS, WANT_FIELDS].concat();
    let fields = Fields::read(node, what, &allowed, report)?;
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
