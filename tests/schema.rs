// SPDX-License-Identifier: GPL-3.0-or-later
//! `docs/profile.schema.json` is the language that the parser reads: the same fields, the same
//! structure, and every built-in profile is valid.
//!
//! The schema is judged here by a few lines that know the keywords it uses, and fail at any other:
//! the validators on crates.io bring sixty crates along (URLs, Unicode tables, regular expressions).

use std::collections::BTreeSet;

use hivemend::profile::{builtin, fields_of_the_language, parse, skeleton};
use serde_json::Value as Json;

fn schema() -> Json {
    serde_json::from_str(include_str!("../docs/profile.schema.json")).unwrap()
}

/// What is wrong with `value`; the first thing.
fn judge(root: &Json, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().unwrap() {
        judge_keyword(root, schema, (keyword, rule), value, at)
            .map_err(|error| format!("{at}: {error}"))?;
    }
    Ok(())
}

fn judge_keyword(
    root: &Json,
    schema: &Json,
    (keyword, rule): (&str, &Json),
    value: &Json,
    at: &str,
) -> Result<(), String> {
    let fails = |is_wrong: bool| match is_wrong {
        true => Err(format!("{keyword} {rule}: {value}")),
        false => Ok(()),
    };
    let object = value.as_object();
    let has = |name: &Json| object.is_some_and(|o| o.contains_key(name.as_str().unwrap()));
    let matching = || {
        let schemas = rule.as_array().unwrap().iter();
        schemas
            .filter(|schema| judge(root, schema, value, at).is_ok())
            .count()
    };
    match keyword {
        // Notes for people and editors; patterns are the parser's.
        "$schema" | "$defs" | "title" | "description" | "pattern" | "propertyNames" => Ok(()),
        "$ref" => {
            let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            judge(root, &root["$defs"][name], value, at)
        }
        "type" => {
            let types: Vec<&str> = match rule {
                Json::Array(types) => types.iter().map(|name| name.as_str().unwrap()).collect(),
                name => vec![name.as_str().unwrap()],
            };
            fails(!types.iter().any(|name| is_of(name, value)))
        }
        "const" => fails(value != rule),
        "enum" => fails(!rule.as_array().unwrap().contains(value)),
        "minimum" => {
            let least = rule.as_u64().unwrap();
            fails(value.is_number() && value.as_u64().is_none_or(|n| n < least))
        }
        "maximum" => fails(value.as_u64().is_some_and(|n| n > rule.as_u64().unwrap())),
        "minLength" => fails(
            value
                .as_str()
                .is_some_and(|s| s.chars().count() < count(rule)),
        ),
        "maxLength" => fails(
            value
                .as_str()
                .is_some_and(|s| s.chars().count() > count(rule)),
        ),
        "minItems" => fails(
            value
                .as_array()
                .is_some_and(|list| list.len() < count(rule)),
        ),
        "maxItems" => fails(
            value
                .as_array()
                .is_some_and(|list| list.len() > count(rule)),
        ),
        "minProperties" => fails(object.is_some_and(|object| object.len() < count(rule))),
        "required" => fails(object.is_some() && !rule.as_array().unwrap().iter().all(has)),
        "uniqueItems" => {
            let items = value.as_array().map_or(&[][..], Vec::as_slice);
            let is_again = |(at, item): (usize, &Json)| items[..at].contains(item);
            fails(rule == &Json::Bool(true) && items.iter().enumerate().any(is_again))
        }
        "not" => fails(judge(root, rule, value, at).is_ok()),
        "allOf" => fails(matching() != rule.as_array().unwrap().len()),
        "dependentSchemas" => {
            let mut rules = rule.as_object().unwrap().iter();
            rules.try_for_each(|(name, rule)| match has(&Json::from(name.as_str())) {
                true => judge(root, rule, value, at),
                false => Ok(()),
            })
        }
        "anyOf" => fails(matching() == 0),
        "oneOf" => fails(matching() != 1),
        "dependentRequired" => {
            let mut rules = rule.as_object().unwrap().iter();
            let lacks = |needed: &Json| !needed.as_array().unwrap().iter().all(has);
            fails(rules.any(|(name, needed)| has(&Json::from(name.as_str())) && lacks(needed)))
        }
        "items" => {
            let mut items = value.as_array().into_iter().flatten().enumerate();
            items.try_for_each(|(i, item)| judge(root, rule, item, &format!("{at}[{i}]")))
        }
        "properties" => {
            let fields = rule.as_object().unwrap().iter();
            let mut there =
                fields.filter_map(|(name, rule)| Some((name, rule, object?.get(name)?)));
            there.try_for_each(|(name, rule, v)| judge(root, rule, v, &format!("{at}.{name}")))
        }
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Json::as_object);
            let is_extra = |name: &String| !known.is_some_and(|known| known.contains_key(name));
            let mut extra = object
                .into_iter()
                .flatten()
                .filter(|(name, _)| is_extra(name));
            match rule {
                Json::Bool(false) => fails(extra.next().is_some()),
                rule => extra.try_for_each(|(_, value)| judge(root, rule, value, at)),
            }
        }
        other => panic!("the schema uses {other}, which nothing here judges"),
    }
}

fn count(rule: &Json) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}

fn is_of(name: &str, value: &Json) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

fn is_valid(yaml: &str) -> Result<(), String> {
    let schema = schema();
    let value: Json = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
    judge(&schema, &schema, &value, "profile")
}

#[test]
fn the_schema_has_the_fields_of_the_parser_and_no_others() {
    let schema = schema();
    let kinds = fields_of_the_language();
    for (kind, fields) in &kinds {
        let part = match *kind {
            "profile" => &schema,
            kind => &schema["$defs"][kind],
        };
        let described = part["properties"].as_object().unwrap();
        let described: BTreeSet<&str> = described.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = fields.iter().copied().collect();
        assert_eq!(described, read, "{kind}");
        assert_eq!(fields.len(), read.len(), "{kind}");
    }
    assert_eq!(schema["$defs"].as_object().unwrap().len(), kinds.len() - 1);
}

#[test]
fn every_built_in_profile_and_example_is_valid() {
    for known in builtin() {
        assert_eq!(is_valid(known.text), Ok(()), "{}", known.id);
    }
    assert_eq!(is_valid(skeleton()), Ok(()));
    let reference = include_str!("../docs/profiles.md");
    for example in reference.split("```yaml\n").skip(1) {
        let example = example.split("```").next().unwrap();
        if example.contains("schema: hivemend") {
            assert_eq!(is_valid(example), Ok(()), "{example}");
            assert!(parse(example.as_bytes(), "x").is_ok(), "{example}");
        }
    }
}

/// Where the structure decides, schema and parser decide alike.
#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let head = "schema: hivemend.profile/1\nid: x\ntitle: X\nsource: me\n";
    let parameter = "parameters: [ {name: p, title: P, dword: 1} ]\n";
    let value = |rest: &str| {
        format!(
            "{head}{parameter}keys:\n  - key: HKLM\\SOFTWARE\\A\n    values:\n      \
             - {{name: A, why: w, {rest}}}\n"
        )
    };
    let when = |condition: &str| format!("{}when: [ {condition} ]\n", value("dword: 1"));
    let key = |rest: &str| format!("{head}keys:\n  - key: HKLM\\SOFTWARE\\A\\B\n    {rest}\n");
    let own = |rest: &str| format!("{}{rest}\n", value("dword: 1"));
    let one = |rest: &str| {
        let text = value("parameter: p");
        text.replace(
            "{name: p, title: P, dword: 1}",
            &format!("{{name: p, title: P, {rest}}}"),
        )
    };
    let good = [
        value("dword: 0xFFFFFFFF"),
        value("qword: 18446744073709551615"),
        value("binary: 10"),
        value("none: ''"),
        value("type: 99, data: '01'"),
        value("multi-sz: []"),
        value("absent: true, if-one-of: [ {sz: a} ]"),
        value("one-of: [ {dword: 1}, {type: 99, data: ''} ]"),
        value("dword: 2, min: 1, max: 3, if-exists: true, lowers-security: false"),
        value("sz: a, same-text: true"),
        value("list-remove: [a]"),
        value("list-keep: [a, b]"),
        value("tokens: {Active: \"TRUE\", LPort: $p}"),
        value("parameter: p, max: 0xFFFFFFFF"),
        one("required: true, type-of: dword, min: 1"),
        one("multi-sz: [a]"),
        when("{windows: '>=6.1 <10.0'}"),
        when("{server: true}, {domain-member: false}, {domain-controller: false}"),
        when("{key: HKLM\\SOFTWARE\\B, exists: false}"),
        when("{key: HKLM\\SOFTWARE\\B, value: V, exists: true}"),
        when("{key: HKLM\\SOFTWARE\\B, value: V, is-not: [ {dword: 1} ]}"),
        key("absent: true"),
        key("absent: true\n    when: [ {server: true} ]\n    why: w\n    lowers-security: true"),
        key("absent: true")
            .replace("HKLM\\SOFTWARE\\A\\B", "HKLM\\SYSTEM\\Select")
            .replace("absent: true", "boot: last-known-good"),
        own("undo: y\nsymptoms: [a]\nadvice: [b]\nopt-in: true"),
        own("impact: weakens\ncause: c"),
        format!("{head}include: [rdp-defaults]\n"),
    ];
    for text in good {
        let parsed = parse(text.as_bytes(), "x");
        assert!(parsed.is_ok(), "{}\n{text}", parsed.unwrap_err());
        assert_eq!(is_valid(&text), Ok(()), "{text}");
    }
    let bad = [
        value("dword: 4294967296"),
        value("dword: -1"),
        value("dword: '1'"),
        value("dword: 1, sz: a"),
        value("dwrd: 1"),
        value("if-exists: true"),
        value("type: 99"),
        value("data: '01'"),
        value("absent: false"),
        value("one-of: [ {dword: 1} ]"),
        value("one-of: [ {dword: 1}, {} ]"),
        value("dword: 1, if-one-of: []"),
        value("multi-sz: ['']"),
        value("list-remove: []"),
        value("list-keep: ['']"),
        value("tokens: {}"),
        value("tokens: {A: 1}"),
        value("dword: 1, same-text: maybe"),
        value("dword: 1, impact: blocks"),
        one("required: true"),
        one("type-of: dword"),
        one("dword: 1, sz: a"),
        one("binary: '01'"),
        when("{key: HKLM\\SOFTWARE\\B}"),
        when("{value: V, exists: true}"),
        when("{key: HKLM\\SOFTWARE\\B, is: [ {dword: 1} ]}"),
        when("{key: HKLM\\SOFTWARE\\B, value: V, is: []}"),
        when("{windows: '>=6.1', server: true}"),
        when("{server: 1}"),
        when(""),
        key("if-exists: true"),
        key("absent: true\n    values: [ {name: A, dword: 1, why: w} ]"),
        key("values: []"),
        key("boot: safe-mode"),
        own("impact: weakens"),
        own("cause: c"),
        own("impact: terrible\ncause: c"),
        own("opt-in: 1"),
        own("colour: red"),
        head.to_owned(),
        value("dword: 1").replace("id: x\n", ""),
        value("dword: 1").replace("profile/1", "profile/2"),
    ];
    for text in bad {
        assert!(
            parse(text.as_bytes(), "x").is_err(),
            "the parser takes it:\n{text}"
        );
        assert!(is_valid(&text).is_err(), "the schema takes it:\n{text}");
    }
}

/// What a value should be, with each field that may stand beside: where the fields decide, both decide alike.
#[test]
fn of_two_hundred_wrong_profiles_the_schema_refuses_each() {
    let wants = [
        "none: ''",
        "sz: a",
        "expand-sz: a",
        "binary: '01'",
        "dword: 1",
        "dword-big-endian: 1",
        "link: a",
        "multi-sz: [a]",
        "resource-list: '01'",
        "full-resource-descriptor: '01'",
        "resource-requirements-list: '01'",
        "qword: 1",
        "type: 99, data: '01'",
        "one-of: [ {sz: a}, {sz: b} ]",
        "absent: true",
        "parameter: p",
        "list-remove: [a]",
        "list-keep: [a]",
        "list-add: [a]",
        "tokens: {A: b}",
    ];
    let beside = [
        "min: 0",
        "max: 9",
        "same-text: true",
        "separator: ','",
        "if-tokens: {A: b}",
        "if-exists: true",
        "if-one-of: [ {dword: 3} ]",
        "if-one-of: [ {dword: 3}, {dword: 3} ]",
        "literal: true",
        "lowers-security: true",
        "impact: blocks",
        "cause: c",
        "impact: blocks, cause: c",
        "type: 4",
        "data: '01'",
        "dword: 2",
        "sz: b",
        "absent: true",
        "colour: red",
    ];
    // What a parameter can be is said elsewhere in the file: there the schema may be milder.
    let milder = ["parameter: p, max: 9", "parameter: p, same-text: true"];
    let (mut wrong, mut disagree) = (0, Vec::new());
    let mut look = |fields: &str| {
        let text = format!(
            "schema: hivemend.profile/1\nid: x\ntitle: X\nsource: me\n\
             parameters: [ {{name: p, title: P, dword: 1}} ]\nkeys:\n  - key: HKLM\\SOFTWARE\\A\n    \
             values:\n      - {{name: A, why: w, {fields}}}\n"
        );
        let (parsed, valid) = (parse(text.as_bytes(), "x"), is_valid(&text));
        wrong += usize::from(parsed.is_err());
        if parsed.is_ok() != valid.is_ok() && !milder.contains(&fields) {
            let why = parsed.err().map(|errors| errors.to_string());
            disagree.push(format!(
                "{fields}: the parser {why:?}, the schema {valid:?}"
            ));
        }
    };
    for want in wants {
        look(want);
        for more in beside {
            let name = more.split(':').next().unwrap();
            if !want.contains(&format!("{name}:")) {
                look(&format!("{want}, {more}"));
            }
        }
    }
    for number in 0..12 {
        look(&format!("type: {number}, data: '01'"));
    }
    assert!(disagree.is_empty(), "\n{}", disagree.join("\n"));
    assert!(wrong >= 200, "only {wrong} are wrong");
}
