// SPDX-License-Identifier: GPL-3.0-or-later
//! From the YAML tree to a profile: which fields there are, and what each may hold.
//!
//! Every function here reports what is wrong and goes on, so that one run shows all errors. A
//! `None` or a default stands for something that has been reported.

use std::collections::HashSet;

use super::data::TYPE_FIELDS;
use super::error::Report;
use super::fields::{Field, Fields, describe, list, read_at, scalar_of};
use super::scalar::{self, shown};
use super::yaml::{Node, Scalar, Shape};
use super::{
    ControlSet, Data, HiveName, KeyPath, KeyPathError, KeyRule, Profile, ValueRule, Want, conflict,
    upcase,
};

/// The language this program speaks.
const SCHEMA: &str = "hivemend.profile/1";

const PROFILE_FIELDS: &[&str] = &[
    "schema", "id", "title", "source", "symptoms", "undo", "keys",
];
const KEY_FIELDS: &[&str] = &[
    "key",
    "values",
    "absent",
    "if-exists",
    "why",
    "lowers-security",
];
/// Beside the fields that say what a value should be.
const VALUE_FIELDS: &[&str] = &["name", "why", "if-exists", "lowers-security"];
/// The fields that say what a value should be, beside those of the types.
const WANT_FIELDS: &[&str] = &["type", "data", "one-of", "absent"];

/// The longest name of a value, in UTF-16 code units.
const MAX_NAME_UNITS: usize = 16_383;
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
    let keys = keys(&fields, report);
    conflict::report_duplicates(&keys, report);
    Some(Profile {
        id,
        title,
        source,
        symptoms: symptoms.unwrap_or_default(),
        undo,
        keys,
        origin: String::new(),
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

fn required_text(
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

fn items<'n>(field: &Field<'n>, report: &mut Report<'_>) -> &'n [Node] {
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

fn texts(field: &Field<'_>, report: &mut Report<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    for item in items(field, report) {
        let Some(scalar) = scalar_of(item, field.name, report) else {
            continue;
        };
        texts.extend(read_at(item.at, field.name, report, scalar::text(scalar)));
    }
    texts
}

fn keys(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<KeyRule> {
    let hint = "add `keys:` and below it `- key: HKLM\\SYSTEM\\CurrentControlSet\\...`";
    let Some(field) = fields.require("keys", "a profile", hint, report) else {
        return Vec::new();
    };
    let items = items(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        report.error(field.at, "`keys` is an empty list", hint);
    }
    items
        .iter()
        .filter_map(|item| key_rule(item, report))
        .collect()
}

fn key_rule(node: &Node, report: &mut Report<'_>) -> Option<KeyRule> {
    let what = "a key entry";
    let fields = Fields::read(node, what, KEY_FIELDS, report)?;
    let absent = absent(&fields, report);
    let path = key_path(&fields, absent, report);
    let values = match fields.get("values") {
        Some(field) => values(field, path.as_ref(), report),
        None => Vec::new(),
    };
    check_key_fields(&fields, absent, report);
    let rule = KeyRule {
        path: path?,
        absent,
        if_exists: fields.flag("if-exists", report),
        why: fields.get("why").and_then(|field| prose(field, report)),
        lowers_security: fields.flag("lowers-security", report),
        // Reported above; kept, it would only clash with its own key.
        values: if absent { Vec::new() } else { values },
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
        (None, false) if fields.get("absent").is_none() => {
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

/// Reads `absent`, which can only be true.
fn absent(fields: &Fields<'_>, report: &mut Report<'_>) -> bool {
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

/// Keys that make a Windows installation; a profile cannot delete them.
const VITAL_SOFTWARE: [&str; 4] = ["Classes", "Microsoft", "Policies", "WOW6432Node"];
const VITAL_SYSTEM: [&str; 2] = ["Select", "Setup"];

/// Refuses keys that no profile may speak of.
fn check_key(path: KeyPath, absent: bool) -> Result<KeyPath, KeyPathError> {
    let refuse = |message: &str, hint: &str| {
        Err(KeyPathError {
            message: message.to_owned(),
            hint: hint.to_owned(),
        })
    };
    let names = path.segments.as_slice();
    match (names, path.control_set) {
        ([], None) => {
            let hint = "name a key in it: the root of a hive is never created or deleted";
            return refuse("this is a whole hive", hint);
        }
        ([], Some(_)) => {
            let hint = "name a key in it: a control set is never created or deleted";
            return refuse("this is a whole control set", hint);
        }
        _ => {}
    }
    let is = |name: &str, known: &[&str]| known.iter().any(|k| upcase(k) == upcase(name));
    let vital = match (names, path.control_set, path.hive) {
        ([_], Some(_), _) => true,
        ([name], None, HiveName::System) => is(name, &VITAL_SYSTEM),
        ([name], None, HiveName::Software) => is(name, &VITAL_SOFTWARE),
        _ => false,
    };
    if absent && vital {
        let hint = "name the key below it that should not be there";
        return refuse(
            "Windows cannot start without this key: it is never deleted",
            hint,
        );
    }
    Ok(path)
}

fn values(field: &Field<'_>, path: Option<&KeyPath>, report: &mut Report<'_>) -> Vec<ValueRule> {
    let items = items(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        let hint = "add `- name: ...` below it, or `absent: true` to the key";
        report.error(field.at, "`values` is an empty list", hint);
    }
    let rules = items.iter().filter_map(|item| value_rule(item, report));
    let rules: Vec<ValueRule> = rules.collect();
    for rule in rules.iter().filter(|rule| rule.want == Want::Absent) {
        if path.is_some_and(is_select) {
            let message = "a value of `Select` is never deleted: it says which control set boots";
            report.error(
                rule.at,
                message,
                "write the number that it should be: `dword: 1`",
            );
        }
    }
    rules
}

fn is_select(path: &KeyPath) -> bool {
    let no_set: Option<ControlSet> = None;
    let names = path.segments.as_slice();
    path.hive == HiveName::System
        && path.control_set == no_set
        && matches!(names, [name] if upcase(name) == upcase("Select"))
}

fn value_rule(node: &Node, report: &mut Report<'_>) -> Option<ValueRule> {
    let what = "a value entry";
    let allowed: Vec<&'static str> = [VALUE_FIELDS, &TYPE_FIELDS, WANT_FIELDS].concat();
    let fields = Fields::read(node, what, &allowed, report)?;
    let name = value_name(&fields, report);
    let want = want(&fields, report);
    let why_hint = "add `why:` and say in a few words what this value does for the machine";
    let rule = ValueRule {
        why: required_text(&fields, "why", what, why_hint, report),
        if_exists: fields.flag("if-exists", report),
        lowers_security: fields.flag("lowers-security", report),
        name: name?,
        want: want?,
        at: fields.at,
    };
    Some(rule)
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

/// Reads the one field, or pair of fields, that says what the value should be.
fn want(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Want> {
    let says_what = |field: &&Field<'_>| {
        TYPE_FIELDS.contains(&field.name) || ["type", "one-of", "absent"].contains(&field.name)
    };
    let mut found = fields.found.iter().filter(says_what);
    let Some(first) = found.next() else {
        let is_meant = |name: &&str| !VALUE_FIELDS.contains(name);
        if fields.meant.iter().any(is_meant) {
            return None;
        }
        if let Some(data) = fields.get("data") {
            let hint = "write the type's own field (`dword: 0`), or add `type: 0x...`";
            report.error(data.at, "`data` has no `type` beside it", hint);
            return None;
        }
        let message = "a value entry does not say what the value should be";
        let hint = format!("add one of: {}, one-of, absent", list(&TYPE_FIELDS));
        report.error(fields.at, message, hint);
        return None;
    };
    for second in found {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        let hint = "keep one of them; several good values are `one-of: [ {...}, {...} ]`";
        report.error(second.at, message, hint);
    }
    match first.name {
        "absent" => absent(fields, report).then_some(Want::Absent),
        "one-of" => one_of(first, report),
        _ => data(fields, first, report).map(Want::Data),
    }
}

const CHOICE_HINT: &str = "write each choice with its type, as in `{dword: 1}`";

fn one_of(field: &Field<'_>, report: &mut Report<'_>) -> Option<Want> {
    let allowed: Vec<&'static str> = [&TYPE_FIELDS[..], &["type", "data"]].concat();
    let items = items(field, report);
    let is_list = matches!(field.value.shape, Shape::List(_));
    if is_list && items.len() < 2 {
        let message = "`one-of` needs two choices at least";
        report.error(
            field.at,
            message,
            "for one good value write its type: `dword: 1`",
        );
    }
    let mut choices: Vec<Data> = Vec::new();
    let mut seen = HashSet::new();
    for item in items {
        if !matches!(item.shape, Shape::Map(_)) {
            let message = format!("a choice of `one-of` is {}, without a type", describe(item));
            report.error(item.at, message, CHOICE_HINT);
            continue;
        }
        let read = Fields::read(item, "a choice of one-of", &allowed, report);
        let Some(data) = read.and_then(|fields| choice(&fields, report)) else {
            continue;
        };
        if seen.insert((data.kind(), data.bytes())) {
            choices.push(data);
        } else {
            let message = "this choice of `one-of` is here twice";
            report.error(item.at, message, "keep one of them");
        }
    }
    (choices.len() >= 2).then_some(Want::OneOf(choices))
}

fn choice(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Data> {
    let mut typed = fields.found.iter().filter(|field| field.name != "data");
    let Some(first) = typed.next() else {
        let message = "a choice of `one-of` has no type";
        report.error(fields.at, message, CHOICE_HINT);
        return None;
    };
    for second in typed {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        report.error(second.at, message, CHOICE_HINT);
    }
    data(fields, first, report)
}

/// Reads the data in the field of a type.
fn data(fields: &Fields<'_>, field: &Field<'_>, report: &mut Report<'_>) -> Option<Data> {
    if let (Some(extra), true) = (fields.get("data"), field.name != "type") {
        let message = format!("`data` stands beside `{}`", field.name);
        report.error(
            extra.at,
            message,
            "leave it out: `data` goes with `type: 0x...`",
        );
    }
    match field.name {
        "dword" => dword(field, report).map(Data::Dword),
        "dword-big-endian" => dword(field, report).map(Data::DwordBigEndian),
        "qword" => {
            let read = |scalar: &Scalar| scalar::number(scalar, u64::MAX);
            field.read(report, read).map(Data::Qword)
        }
        "sz" => string(field, report).map(Data::Sz),
        "expand-sz" => string(field, report).map(Data::ExpandSz),
        "link" => string(field, report).map(Data::Link),
        "multi-sz" => multi_sz(field, report),
        "none" => field.read(report, scalar::bytes).map(Data::None),
        "binary" => field.read(report, scalar::bytes).map(Data::Binary),
        "resource-list" => field.read(report, scalar::bytes).map(Data::ResourceList),
        "full-resource-descriptor" => field
            .read(report, scalar::bytes)
            .map(Data::FullResourceDescriptor),
        "resource-requirements-list" => field
            .read(report, scalar::bytes)
            .map(Data::ResourceRequirementsList),
        _ => other(fields, field, report),
    }
}

fn dword(field: &Field<'_>, report: &mut Report<'_>) -> Option<u32> {
    let read = |scalar: &Scalar| scalar::number(scalar, u64::from(u32::MAX));
    u32::try_from(field.read(report, read)?).ok()
}

fn string(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = field.read(report, scalar::text)?;
    if text.contains('\0') {
        let message = format!("`{}` has a NUL in it, which ends a string", field.name);
        report.error(
            field.value.at,
            message,
            "leave it out; the end is added by itself",
        );
        return None;
    }
    Some(text)
}

fn multi_sz(field: &Field<'_>, report: &mut Report<'_>) -> Option<Data> {
    if !matches!(field.value.shape, Shape::List(_)) {
        items(field, report);
        return None;
    }
    let members = texts(field, report);
    if members
        .iter()
        .any(|text| text.is_empty() || text.contains('\0'))
    {
        let message = "`multi-sz` has an empty member or a NUL, which ends the list";
        report.error(
            field.at,
            message,
            "leave it out; the ends are added by themselves",
        );
        return None;
    }
    Some(Data::MultiSz(members))
}

/// Reads `type: 0x...` with `data: ...`, for types that have no name.
fn other(fields: &Fields<'_>, field: &Field<'_>, report: &mut Report<'_>) -> Option<Data> {
    let kind = dword(field, report);
    let hint = "add `data:` with the bytes in hexadecimal";
    let data = fields.require("data", "an entry with `type`", hint, report);
    let bytes = data.and_then(|data| data.read(report, scalar::bytes));
    let kind = kind?;
    let known = usize::try_from(kind)
        .ok()
        .and_then(|kind| TYPE_FIELDS.get(kind));
    if let Some(known) = known {
        let message = format!("type {kind:#x} has a field of its own");
        report.error(
            field.value.at,
            message,
            format!("write `{known}:` and its data"),
        );
        return None;
    }
    bytes.map(|bytes| Data::Other { kind, bytes })
}
