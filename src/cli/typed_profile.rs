// SPDX-License-Identifier: GPL-3.0-or-later
//! What `set` and `unset` were told, as a profile: so that it is read, checked, planned and refused as any
//! other.

use std::fmt::Write;

use super::failure::Failure;
use super::output::Output;
use crate::profile::{
    self, HiveName, KeyPath, Level, Profile, TYPE_FIELDS, Want, is_known_to_lower, parse,
};
use crate::report::{CommandLine, yaml_text};
use crate::settings::{How, Place, near_key, near_value};
use crate::text::{escape, quoted};

/// What is wanted of a key or a value in it.
pub(super) enum Wish {
    /// The value is of this type, and this is its data.
    Set {
        name: String,
        kind: String,
        data: Vec<String>,
    },
    /// The value is not there.
    Delete(String),
    /// The key is not there.
    DeleteKey,
}

/// Why, where nobody says it.
const TYPED: &str = "typed on the command line";

/// Whether the profile was made of words of a command line.
pub(super) fn is_typed(profile: &Profile) -> bool {
    profile.source == TYPED && profile.origin == profile.id
}

/// What is said of profiles as files, and not of a change that was typed.
const OF_FILES: [&str; 1] = ["undo-missing"];

/// The profile called `id` that wants this of the key at `path`.
///
/// # Errors
///
/// Usage: what is wrong with the words, and what no profile may ask for.
pub(super) fn profile(
    id: &str,
    path: &KeyPath,
    wish: &Wish,
    why: Option<&str>,
    output: &Output,
) -> Result<Profile, Failure> {
    let text = written(id, path, wish, why.unwrap_or(TYPED))?;
    let mut profile = parse(text.as_bytes(), id).map_err(|errors| {
        // It is nobody's file: what was typed is seen by who typed it.
        let errors = errors.errors().iter();
        let said: Vec<String> = errors
            .map(|error| format!("{}: {}", error.message, error.hint))
            .collect();
        Failure::usage(said.join("; "))
    })?;
    mark_lowering(&mut profile);
    ask_about(path, wish, output);
    for lint in profile::lint(&profile) {
        if OF_FILES.contains(&lint.code) {
            continue;
        }
        let said = format!("{}: {}", lint.message, lint.hint);
        // What is typed here is made by hand: nobody means a character that he does not see.
        let is_error = lint.level == Level::Error || lint.code == "name-invisible";
        if is_error {
            return Err(Failure::usage(said));
        }
        output.warn(&said);
    }
    Ok(profile)
}

/// Asks whether a name is meant that is not to be there: lint does not, for debris has such names.
fn ask_about(path: &KeyPath, wish: &Wish, output: &Output) {
    let place = match (path.hive, path.control_set) {
        (HiveName::Software, _) => Place::Software,
        (HiveName::System, None) => Place::System,
        (HiveName::System, Some(_)) => Place::ControlSet,
    };
    let names = &path.segments;
    let in_key = near_key(place, names).map(|(_, near)| near);
    let near = match wish {
        Wish::Set { .. } => None,
        Wish::Delete(name) => near_value(place, names, name).or(in_key),
        Wish::DeleteKey => in_key,
    };
    if let Some(near) = near.filter(|near| !matches!(near.how, How::Disguise(_))) {
        let look = CommandLine::anywhere().of("show", &[&escape(&path.to_string())]);
        output.warn(&format!(
            "{} is nearly what was named; did you mean that? What is there: {look}",
            near.name
        ));
    }
}

/// Marks what is known to lower security, as the writer of a profile has to.
fn mark_lowering(profile: &mut Profile) {
    for value in profile.keys.iter_mut().flat_map(|key| &mut key.values) {
        if let Want::Data(data) = &value.want {
            value.lowers_security = is_known_to_lower(&value.name, data);
        }
    }
}

fn written(id: &str, path: &KeyPath, wish: &Wish, why: &str) -> Result<String, Failure> {
    let mut text = format!(
        "schema: hivemend.profile/1\nid: {id}\ntitle: {}\nsource: {TYPED}\nkeys:\n  - key: {}\n",
        yaml_text(&title(path, wish)),
        yaml_text(&path.to_string()),
    );
    if path.wildcards() > 0 {
        // What is typed is one key, whatever its name would stand for in a profile.
        text.push_str("    literal: true\n");
    }
    let why = yaml_text(why);
    let (name, field) = match wish {
        Wish::DeleteKey => {
            // Writing to a String cannot fail.
            let _ = write!(text, "    absent: true\n    why: {why}\n");
            return Ok(text);
        }
        Wish::Delete(name) if name == EVERY => {
            let message = "`*` would be every value of the key";
            return Err(Failure::usage(message)
                .advising("Name one value. A profile may name all: docs/profiles.md."));
        }
        Wish::Delete(name) => (name, "absent: true".to_owned()),
        Wish::Set { name, kind, data } => (name, data_field(kind, data)?),
    };
    let literal = if name == EVERY {
        "        literal: true\n"
    } else {
        ""
    };
    let _ = write!(
        text,
        "    values:\n      - name: {}\n{literal}        {field}\n        why: {why}\n",
        yaml_text(name),
    );
    Ok(text)
}

/// What stands for every value in a profile.
const EVERY: &str = "*";

fn title(path: &KeyPath, wish: &Wish) -> String {
    match wish {
        Wish::DeleteKey => format!("{path} is not there"),
        Wish::Delete(name) => format!("{path} has no value {}", quoted(name)),
        Wish::Set { name, kind, .. } => format!("{path} has {} ({kind})", quoted(name)),
    }
}

/// The field of the type with its data.
fn data_field(kind: &str, data: &[String]) -> Result<String, Failure> {
    let field = type_field(kind)?;
    let one = || match data {
        [one] => Ok(one.as_str()),
        _ => {
            let message = format!(
                "{field} takes one word as its data, and {} were typed",
                data.len()
            );
            Err(Failure::usage(message)
                .advising("Put text with blanks in quotes; no text is \"\"."))
        }
    };
    let written = match field {
        "dword" | "dword-big-endian" | "qword" => number(one()?)?,
        "sz" | "expand-sz" | "link" => yaml_text(one()?),
        "multi-sz" => {
            let members: Vec<String> = data.iter().map(|member| yaml_text(member)).collect();
            format!("[{}]", members.join(", "))
        }
        _ => yaml_text(&data.join(" ")),
    };
    Ok(format!("{field}: {written}"))
}

/// A number as it was typed; what it is worth, the profile's reader says.
fn number(text: &str) -> Result<String, Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || !text.chars().all(is_plain) {
        let message = format!("{} is not a number", quoted(text));
        return Err(Failure::usage(message).advising("Write it in decimal, or as 0x1f."));
    }
    Ok(text.to_owned())
}

/// The type's name in profiles, of that or of its name in Windows.
fn type_field(kind: &str) -> Result<&'static str, Failure> {
    let typed = kind.to_ascii_lowercase().replace('_', "-");
    let typed = typed.strip_prefix("reg-").unwrap_or(&typed);
    if let Some(field) = TYPE_FIELDS.iter().find(|field| **field == typed) {
        return Ok(field);
    }
    let message = format!(
        "{} is not a type: write one of {}",
        quoted(kind),
        TYPE_FIELDS.join(", ")
    );
    Err(Failure::usage(message))
}
