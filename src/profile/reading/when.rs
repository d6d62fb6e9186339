// SPDX-License-Identifier: GPL-3.0-or-later
//! The entries of `when`.

use super::choices::patterns;
use super::error::Report;
use super::fields::{Field, Fields, items, some_of};
use super::scalar;
use super::yaml::{Node, Shape};
use crate::profile::model::{KeyPath, KeyPathError, Versions, When, WindowsVersion, shown};

pub(super) const WHEN_FIELDS: &[&str] = &[
    "key",
    "value",
    "exists",
    "is",
    "is-not",
    "windows",
    "domain-member",
    "domain-controller",
    "server",
];

/// The most conditions of one entry.
const MAX_CONDITIONS: usize = 32;

/// Reads `when`, which may be left out. A key in it may have as many `*` and `{GUID}` as the entry
/// has: they stand for what those of the entry stand for.
pub(super) fn when(fields: &Fields<'_>, wildcards: usize, report: &mut Report<'_>) -> Vec<When> {
    let Some(field) = fields.get("when") else {
        return Vec::new();
    };
    let items = items(field, report);
    if matches!(&field.value.shape, Shape::List(list) if list.is_empty()) {
        let hint = "leave it out, or add `- {key: ..., exists: true}`";
        report.error(field.at, "`when` is an empty list", hint);
    }
    if items.len() > MAX_CONDITIONS {
        let message = format!("an entry has {MAX_CONDITIONS} conditions at most");
        report.error(field.at, message, "split the entry");
    }
    let read = items
        .iter()
        .take(MAX_CONDITIONS)
        .filter_map(|item| condition(item, wildcards, report));
    read.collect()
}

fn condition(node: &Node, wildcards: usize, report: &mut Report<'_>) -> Option<When> {
    let fields = Fields::read(node, "a condition", WHEN_FIELDS, report)?;
    let about_keys = ["key", "value", "exists", "is", "is-not"];
    let mut others = fields.found.iter();
    let machine = others.find(|field| !about_keys.contains(&field.name));
    let Some(machine) = machine else {
        return about_key(&fields, wildcards, report);
    };
    if let Some(extra) = fields.found.iter().find(|field| field.name != machine.name) {
        let message = format!("`{}` stands beside `{}`", extra.name, machine.name);
        let hint = "write each condition behind a `- ` of its own: all of them must hold";
        report.error(extra.at, message, hint);
        return None;
    }
    match machine.name {
        "windows" => windows(machine, report).map(When::Windows),
        "domain-member" => machine
            .read(report, scalar::boolean)
            .map(When::DomainMember),
        "server" => machine.read(report, scalar::boolean).map(When::Server),
        _ => machine
            .read(report, scalar::boolean)
            .map(When::DomainController),
    }
}

/// Reads a condition about a key or a value.
fn about_key(fields: &Fields<'_>, wildcards: usize, report: &mut Report<'_>) -> Option<When> {
    let hint = format!("write one of: {}", some_of(WHEN_FIELDS));
    let field = fields.require("key", "a condition", &hint, report);
    let path = field.and_then(|field| path(field, wildcards, report));
    let name = match fields.get("value") {
        Some(field) => Some(field.read(report, scalar::text)?),
        None => None,
    };
    let mut asked = ["exists", "is", "is-not"]
        .into_iter()
        .filter_map(|n| fields.get(n));
    let Some(first) = asked.next() else {
        let hint = "add `exists: true`, or `value:` with `is: [ {dword: 1} ]`";
        report.error(fields.at, "a condition does not say what must be so", hint);
        return None;
    };
    if let Some(second) = asked.next() {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        let hint = "write each condition behind a `- ` of its own: all of them must hold";
        report.error(second.at, message, hint);
        return None;
    }
    if first.name == "exists" {
        let exists = first.read(report, scalar::boolean)?;
        let path = path?;
        return Some(match name {
            None => When::Key { path, exists },
            Some(name) => When::Value { path, name, exists },
        });
    }
    let choices = patterns(first, report);
    if matches!(&first.value.shape, Shape::List(list) if list.is_empty()) {
        let message = format!("`{}` is an empty list", first.name);
        report.error(
            first.at,
            message,
            "write what the value is: `[ {dword: 1} ]`",
        );
    }
    let Some(name) = name else {
        let message = format!("`{}` is about a value, and none is named", first.name);
        report.error(first.at, message, "add `value:` with its name");
        return None;
    };
    (!choices.is_empty()).then_some(When::Is {
        path: path?,
        name,
        choices,
        is: first.name == "is",
    })
}

fn path(field: &Field<'_>, wildcards: usize, report: &mut Report<'_>) -> Option<KeyPath> {
    let text = field.read(report, scalar::text)?;
    let path: KeyPath = match text.parse() {
        Ok(path) => path,
        Err(KeyPathError { message, hint }) => {
            report.error(field.value.at, message, hint);
            return None;
        }
    };
    if path.segments.is_empty() && path.control_set.is_none() {
        let hint = "name a key in it";
        report.error(
            field.value.at,
            "this is a whole hive, which is always there",
            hint,
        );
        return None;
    }
    if path.wildcards() > wildcards {
        let message = "there are more `*` or `{GUID}` here than in the entry's key";
        let hint = "each stands for what it stands for in the entry's key; else write the name";
        report.error(field.value.at, message, hint);
        return None;
    }
    Some(path)
}

const WINDOWS_HINT: &str =
    "write, for example, \">=6.1\", \"<10.0\" or \">=10.0.14393 <10.0.22000\"";

fn windows(field: &Field<'_>, report: &mut Report<'_>) -> Option<Versions> {
    let text = field.read(report, scalar::text)?;
    let versions = versions(&text);
    if versions.is_none() {
        let message = format!("`{}` is not a range of Windows versions", shown(&text));
        report.error(field.value.at, message, WINDOWS_HINT);
    }
    if versions.is_some_and(|versions| versions.is_empty()) {
        let message = format!("no version of Windows is `{}`", shown(&text));
        report.error(field.value.at, message, WINDOWS_HINT);
        return None;
    }
    versions
}

/// One or two of `>=` and `<`, each once.
fn versions(text: &str) -> Option<Versions> {
    let mut versions = Versions {
        from: None,
        below: None,
    };
    for part in text.split(' ') {
        let (place, number) = match (part.strip_prefix(">="), part.strip_prefix('<')) {
            (Some(number), _) => (&mut versions.from, number),
            (_, Some(number)) => (&mut versions.below, number),
            _ => return None,
        };
        if place.replace(version(number)?).is_some() {
            return None;
        }
    }
    Some(versions)
}

fn version(text: &str) -> Option<WindowsVersion> {
    let number = |part: &str| -> Option<u32> {
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    };
    let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
    match parts?.as_slice() {
        [major, minor] => Some(WindowsVersion {
            major: *major,
            minor: *minor,
            build: None,
        }),
        [major, minor, build] => Some(WindowsVersion {
            major: *major,
            minor: *minor,
            build: Some(*build),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_each_end_once() {
        for text in [
            ">=6.1",
            "<10.0",
            ">=6.2 <10.0",
            "<10.0 >=6.2",
            ">=10.0.14393",
        ] {
            assert!(versions(text).is_some(), "{text}");
        }
        for text in [
            "",
            "6.1",
            ">6.1",
            "<=6.1",
            ">=6",
            ">=6.1.2.3",
            ">=6.1 >=6.2",
            ">=6.1  <7.0",
            ">= 6.1",
            ">=6.x",
            ">=+6.1",
            ">=99999999999.0",
        ] {
            assert!(versions(text).is_none(), "{text}");
        }
    }
}
