// SPDX-License-Identifier: GPL-3.0-or-later
//! The fields of a map in the YAML tree, each known and there once, or else reported. Knows nothing of
//! what is read.

use super::error::Report;
use super::nearest::nearest;
use super::scalar::{self, Fault};
use super::yaml::{Node, Scalar, Shape};
use crate::profile::model::{Location, shown};

/// One field of a map.
pub(super) struct Field<'n> {
    pub(super) name: &'n str,
    /// Where its name stands.
    pub(super) at: Location,
    pub(super) value: &'n Node,
}

/// The fields of a map; each has a known name and is there once.
pub(super) struct Fields<'n> {
    pub(super) at: Location,
    pub(super) found: Vec<Field<'n>>,
    /// The fields that unknown ones were probably meant to be.
    pub(super) meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Reads the fields of `what` and reports those that it does not have.
    pub(super) fn read(
        node: &'n Node,
        what: &str,
        allowed: &[&'static str],
        report: &mut Report<'_>,
    ) -> Option<Self> {
        let Shape::Map(map) = &node.shape else {
            let hint = format!("write its fields below each other: {}", some_of(allowed));
            let message = format!("{what} is {}, not `field: value` lines", describe(node));
            report.error(node.at, message, hint);
            return None;
        };
        let mut found: Vec<Field<'n>> = Vec::new();
        let mut meant = Vec::new();
        for (name, value) in map {
            let Shape::Scalar(Scalar { text, .. }) = &name.shape else {
                let message = format!("a field of {what} has {} for a name", describe(name));
                report.error(
                    name.at,
                    message,
                    format!("write one of: {}", some_of(allowed)),
                );
                continue;
            };
            let at = name.at;
            if !allowed.contains(&text.as_str()) {
                meant.extend(unknown_field(text, at, what, allowed, report));
            } else if let Some(first) = found.iter().find(|field| field.name == text) {
                let message = format!("`{text}` is here twice, first in line {}", first.at.line);
                report.error(at, message, "keep one of them");
            } else {
                let name = text.as_str();
                found.push(Field { name, at, value });
            }
        }
        let at = node.at;
        Some(Self { at, found, meant })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Field<'n>> {
        self.found.iter().find(|field| field.name == name)
    }

    /// Returns the field, or reports that `what` lacks it.
    pub(super) fn require(
        &self,
        name: &str,
        what: &str,
        hint: &str,
        report: &mut Report<'_>,
    ) -> Option<&Field<'n>> {
        let field = self.get(name);
        if field.is_none() && !self.meant.contains(&name) {
            report.error(self.at, format!("{what} has no `{name}`"), hint);
        }
        field
    }

    /// Returns the yes or no of a field that may be left out.
    pub(super) fn flag(&self, name: &str, report: &mut Report<'_>) -> bool {
        let field = self.get(name);
        field
            .and_then(|field| field.read(report, scalar::boolean))
            .unwrap_or(false)
    }
}

impl Field<'_> {
    /// Returns the scalar in the field, or reports that there is something else.
    fn scalar(&self, report: &mut Report<'_>) -> Option<&Scalar> {
        scalar_of(self.value, self.name, report)
    }

    /// Reads the scalar in the field.
    pub(super) fn read<T>(
        &self,
        report: &mut Report<'_>,
        read: impl FnOnce(&Scalar) -> Result<T, Fault>,
    ) -> Option<T> {
        let scalar = self.scalar(report)?;
        read_at(self.place(scalar), self.name, report, read(scalar))
    }

    /// Where to point: a scalar that is not there has no place of its own.
    fn place(&self, scalar: &Scalar) -> Location {
        match scalar.text.is_empty() && scalar.plain {
            true => self.at,
            false => self.value.at,
        }
    }
}

pub(super) fn scalar_of<'n>(
    node: &'n Node,
    name: &str,
    report: &mut Report<'_>,
) -> Option<&'n Scalar> {
    if let Shape::Scalar(scalar) = &node.shape {
        return Some(scalar);
    }
    let message = format!("`{name}` is {}, not a single value", describe(node));
    let hint = "text that begins with [ or { needs quotes";
    report.error(node.at, message, hint);
    None
}

pub(super) fn read_at<T>(
    at: Location,
    name: &str,
    report: &mut Report<'_>,
    result: Result<T, Fault>,
) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Fault { message, hint }) => {
            report.error(at, format!("`{name}`: {message}"), hint);
            None
        }
    }
}

/// Reports a field that is not known and returns the one that was probably meant.
fn unknown_field(
    name: &str,
    at: Location,
    what: &str,
    allowed: &[&'static str],
    report: &mut Report<'_>,
) -> Option<&'static str> {
    let near = match report.is_full() {
        true => None,
        false => nearest(name, allowed).or_else(|| synonym(name, allowed)),
    };
    let hint = match near {
        Some(near) => format!("write `{near}`"),
        None if is_data(name) && allowed.contains(&"dword") => {
            "write the type with its data, as in `dword: 1`".to_owned()
        }
        None => format!("remove it, or write one of: {}", some_of(allowed)),
    };
    let message = format!("`{}` is not a field of {what}", shown(name));
    report.error(at, message, hint);
    near
}

/// What other tools, and people, call a field.
const SYNONYMS: &[(&str, &[&str])] = &[
    (
        "why",
        &[
            "because",
            "comment",
            "description",
            "note",
            "notes",
            "rationale",
            "reason",
        ],
    ),
    ("key", &["path", "regkey", "registry-key", "subkey"]),
    ("name", &["value-name", "valuename"]),
    ("keys", &["registry", "rules", "settings"]),
    ("values", &["entries", "settings", "value"]),
    ("title", &["description", "name", "summary"]),
    (
        "source",
        &["link", "origin", "reference", "references", "url"],
    ),
    ("symptoms", &["problem", "problems"]),
    (
        "include",
        &["extends", "import", "includes", "inherits", "requires"],
    ),
    ("when", &["condition", "conditions", "if", "only-if"]),
    (
        "absent",
        &["delete", "deleted", "ensure", "remove", "removed", "unset"],
    ),
    ("sz", &["string", "text"]),
    (
        "multi-sz",
        &["list", "multi-string", "multistring", "strings"],
    ),
    ("expand-sz", &["expand-string", "expandstring"]),
    ("dword", &["int", "integer", "number"]),
    ("binary", &["bytes", "hex"]),
    ("parameter", &["param", "variable"]),
    ("parameters", &["params", "variables", "vars"]),
    ("undo", &["revert", "rollback"]),
];

/// The field that is called otherwise elsewhere.
fn synonym(name: &str, allowed: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase().replace('_', "-");
    let meant = |field: &str| {
        let mut words = SYNONYMS.iter().filter(|(known, _)| *known == field);
        words.any(|(_, words)| words.contains(&name.as_str()))
    };
    allowed.iter().copied().find(|field| meant(field))
}

/// Whether the name is what other tools have the data under.
fn is_data(name: &str) -> bool {
    ["value", "data", "content", "set", "to"].contains(&name.to_lowercase().as_str())
}

/// So many names are read; where there are more, the document has them.
const READ: usize = 10;

/// The first of the names, and where the others are.
pub(super) fn some_of(names: &[&str]) -> String {
    match names.get(..READ) {
        Some(first) if names.len() > READ => {
            format!("{}, ... (all: hivemend help profiles)", first.join(", "))
        }
        _ => list(names),
    }
}

pub(super) fn list(names: &[&str]) -> String {
    names.join(", ")
}

pub(super) fn describe(node: &Node) -> &'static str {
    match node.shape {
        Shape::Map(_) => "a map",
        Shape::List(_) => "a list",
        Shape::Scalar(Scalar { ref text, plain }) if plain && text.is_empty() => "empty",
        Shape::Scalar(_) => "a single value",
    }
}

/// Reads the text of a field that must be there.
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
pub(super) fn prose(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = field.read(report, scalar::text)?;
    if text.trim().is_empty() {
        let message = format!("`{}` is empty", field.name);
        report.error(field.value.at, message, "say it in a few words");
        return None;
    }
    Some(text.trim_end().to_owned())
}

/// The members of the list in the field, or reports that there is something else.
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

/// Reads a list of texts.
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
