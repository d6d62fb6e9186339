// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a value entry that say what the value should be.

use std::collections::HashSet;
use std::hash::Hash;

use super::data::TYPE_FIELDS;
use super::error::Report;
use super::fields::{Field, Fields, describe, list, read_at, scalar_of};
use super::parameter::token_text;
use super::scalar::{self, shown};
use super::schema::{VALUE_FIELDS, absent, items, texts};
use super::yaml::{Node, Scalar, Shape};
use super::{Data, Parameter, ParameterKind, ParameterUse, Part, Token, TokenTest, Want, upcase};

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
    let is_meant = |name: &&str| !VALUE_FIELDS.contains(name);
    if fields.meant.iter().any(is_meant) {
        return;
    }
    if let Some(data) = fields.get("data") {
        let hint = "write the type's own field (`dword: 0`), or add `type: 0x...`";
        report.error(data.at, "`data` has no `type` beside it", hint);
        return;
    }
    let others = WANT_FIELDS
        .iter()
        .filter(|name| !["type", "data"].contains(name));
    let others: Vec<&str> = others.copied().collect();
    let message = "a value entry does not say what the value should be";
    let hint = format!("add one of: {}, {}", list(&TYPE_FIELDS), list(&others));
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

fn known_parameter<'p>(
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

const TOKENS_HINT: &str = "write the tokens as `tokens: {Active: \"TRUE\", Action: Allow}`";

/// Reads the tokens of a firewall rule.
fn tokens(
    field: &Field<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<Vec<Token>> {
    let Shape::Map(map) = &field.value.shape else {
        let message = format!("`tokens` is {}, not a map", describe(field.value));
        report.error(field.at, message, TOKENS_HINT);
        return None;
    };
    if map.is_empty() {
        report.error(field.at, "`tokens` is empty", TOKENS_HINT);
    }
    let mut seen = HashSet::new();
    let mut tokens = Vec::new();
    for (name, value) in map {
        let Some(token) = token(name, value, parameters, report) else {
            continue;
        };
        if seen.insert(upcase(&token.name)) {
            tokens.push(token);
        } else {
            let message = format!("the token `{}` is here twice", shown(&token.name));
            report.error(name.at, message, "keep one of them");
        }
    }
    (tokens.len() == map.len() && !tokens.is_empty()).then_some(tokens)
}

/// Reads `if-tokens`: a text or a list of texts for each name.
pub(super) fn if_tokens(
    fields: &Fields<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Vec<TokenTest> {
    const HINT: &str = "write the tokens as `if-tokens: {Dir: In, Action: [Allow, Bypass]}`";
    let Some(field) = fields.get("if-tokens") else {
        return Vec::new();
    };
    let Shape::Map(map) = &field.value.shape else {
        let message = format!("`if-tokens` is {}, not a map", describe(field.value));
        report.error(field.at, message, HINT);
        return Vec::new();
    };
    if map.is_empty() {
        report.error(field.at, "`if-tokens` is empty", HINT);
    }
    let mut tests: Vec<TokenTest> = Vec::new();
    for (name, value) in map {
        let nodes = match &value.shape {
            Shape::List(list) => list.as_slice(),
            _ => std::slice::from_ref(value),
        };
        if nodes.is_empty() {
            report.error(value.at, "a token has no text to be compared with", HINT);
        }
        let texts = nodes
            .iter()
            .filter_map(|node| token(name, node, parameters, report));
        let texts: Vec<Token> = texts.collect();
        let Some(first) = texts.first() else {
            continue;
        };
        let test = TokenTest {
            name: first.name.clone(),
            texts,
        };
        if tests
            .iter()
            .any(|other| upcase(&other.name) == upcase(&test.name))
        {
            let message = format!("the token `{}` is here twice", shown(&test.name));
            report.error(name.at, message, "give it a list of texts");
        } else {
            tests.push(test);
        }
    }
    tests
}

fn token(
    name: &Node,
    value: &Node,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<Token> {
    let scalar = scalar_of(name, "tokens", report)?;
    let token = scalar.text.clone();
    let is_bad = |c: char| matches!(c, '=' | '|') || c.is_control();
    if token.is_empty() || token.contains(is_bad) {
        let message = format!("`{}` cannot be the name of a token", shown(&token));
        report.error(
            name.at,
            message,
            "a name is not empty and holds no = and no |",
        );
        return None;
    }
    let scalar = scalar_of(value, &token, report)?;
    let text = read_at(value.at, &token, report, scalar::text(scalar))?;
    if let Some(parameter) = text.strip_prefix('$') {
        let parameter = known_parameter(parameter, value, parameters, report)?;
        if parameter.kind == ParameterKind::MultiSz {
            let message = format!("`{}` is a list, and a token is not", parameter.name);
            report.error(value.at, message, "name a parameter of another type");
            return None;
        }
        let default = parameter.default.as_ref();
        let text = default.and_then(token_text);
        if default.is_some() && text.is_none() {
            let message = format!("the default of `{}` cannot be in a token", parameter.name);
            report.error(value.at, message, "a token ends at the next |");
            return None;
        }
        return Some(Token {
            name: token,
            text,
            parameter: Some(parameter.name.clone()),
        });
    }
    if text.contains(|c: char| c == '|' || c.is_control()) {
        let message = format!("`{}` cannot be the text of a token", shown(&text));
        report.error(value.at, message, "it ends at the next |");
        return None;
    }
    Some(Token {
        name: token,
        text: Some(text),
        parameter: None,
    })
}

pub(super) const CHOICE_HINT: &str = "write each choice with its type, as in `{dword: 1}`";

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

/// Reads a list of choices, each a type with its data.
pub(super) fn choices(field: &Field<'_>, report: &mut Report<'_>) -> Vec<Data> {
    let allowed: Vec<&'static str> = [&TYPE_FIELDS[..], &["type", "data"]].concat();
    let identity = |data: &Data| (data.kind(), data.bytes());
    each_choice(field, &allowed, report, choice, identity)
}

/// Reads each item of a list of choices, and refuses those that are there already.
pub(super) fn each_choice<T, I: Eq + Hash>(
    field: &Field<'_>,
    allowed: &[&'static str],
    report: &mut Report<'_>,
    read: fn(&Fields<'_>, &str, &mut Report<'_>) -> Option<T>,
    identity: impl Fn(&T) -> I,
) -> Vec<T> {
    let what = format!("a choice of {}", field.name);
    let mut choices = Vec::new();
    let mut seen = HashSet::new();
    for item in items(field, report) {
        if !matches!(item.shape, Shape::Map(_)) {
            let message = format!(
                "a choice of `{}` is {}, without a type",
                field.name,
                describe(item)
            );
            report.error(item.at, message, CHOICE_HINT);
            continue;
        }
        let fields = Fields::read(item, &what, allowed, report);
        let Some(choice) = fields.and_then(|fields| read(&fields, field.name, report)) else {
            continue;
        };
        if seen.insert(identity(&choice)) {
            choices.push(choice);
        } else {
            let message = format!("this choice of `{}` is here twice", field.name);
            report.error(item.at, message, "keep one of them");
        }
    }
    choices
}

fn choice(fields: &Fields<'_>, list: &str, report: &mut Report<'_>) -> Option<Data> {
    let mut typed = fields.found.iter().filter(|field| field.name != "data");
    let Some(first) = typed.next() else {
        let message = format!("a choice of `{list}` has no type");
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
pub(super) fn data(
    fields: &Fields<'_>,
    field: &Field<'_>,
    report: &mut Report<'_>,
) -> Option<Data> {
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
