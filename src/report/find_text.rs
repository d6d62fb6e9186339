// SPDX-License-Identifier: GPL-3.0-or-later
//! What `find` has found.

use serde_json::{Value as Json, json};

use super::state_json::value_json;
use super::style::DIM;
use super::unread::{Unread, add_unread, full_path, unread_json};
use super::values::long_line;
use crate::machine::Value;
use crate::profile::HiveName;
use crate::regf::{Name, NodePath};
use crate::text::{Foreign, Text, escape};

/// A place where the word is.
#[derive(Clone, Debug)]
pub struct Match {
    /// The hive.
    pub hive: HiveName,
    /// The key.
    pub key: NodePath,
    /// The value, with its name; `None` where it is in the key's own name.
    pub value: Option<(Name, Value)>,
    /// Whether it is in the value's name.
    pub in_name: bool,
    /// Whether it is in the value's data.
    pub in_data: bool,
}

/// Everything that was found, beside the matches themselves.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// Matches that were found.
    pub found: usize,
    /// Those of them that are listed.
    pub listed: usize,
    /// What could not be read, hive by hive.
    pub unread: Vec<(HiveName, Vec<Unread>)>,
    /// Hives that were not searched at all, and why.
    pub not_searched: Vec<(HiveName, String)>,
}

/// A match in a line.
pub fn match_line(found: &Match) -> Text {
    let mut text = Text::new();
    let path = full_path(found.hive, &found.key);
    let path = escape(&format!("[{path}]"));
    match &found.value {
        None => text.line(path),
        Some((name, value)) => {
            let line = long_line(name, value);
            text.line(format_args!("{DIM}{path}{DIM:#} {line}"));
        }
    }
    text
}

/// What is said below the matches.
pub fn find_end(matches: &Matches, word: &str) -> Text {
    let mut text = Text::new();
    for (hive, unread) in &matches.unread {
        add_unread(&mut text, *hive, unread);
    }
    let word = Foreign::from(word);
    let more = matches.found.saturating_sub(matches.listed);
    match (matches.found, more) {
        (0, _) => {
            let hives = matches.not_searched.iter();
            let hives: Vec<String> = hives.map(|(hive, _)| hive.to_string()).collect();
            let but_for = match hives.is_empty() {
                true => String::new(),
                false => format!(" ({} was not searched)", hives.join(" and ")),
            };
            text.line(format_args!(
                "{word:?} is in no name of a key or value here, and in no text{but_for}."
            ));
        }
        (_, 0) => {}
        (found, more) => text.line(format_args!(
            "{more} more of {found} are not listed: look for a longer word, or list them with --limit {found}."
        )),
    }
    text
}

/// All of it as JSON (`hivemend.find/1`).
pub fn find_json(matches: &Matches, found: &[Match], word: &str, target: &str) -> Json {
    let listed: Vec<Json> = found.iter().map(match_json).collect();
    let unread = matches.unread.iter();
    let unread: Vec<Json> = unread
        .flat_map(|(hive, unread)| unread_json(*hive, unread))
        .collect();
    json!({
        "schema": "hivemend.find/1",
        "target": target,
        "word": word,
        "found": listed,
        "more": matches.found.saturating_sub(matches.listed),
        "unread": unread,
        "not_searched": matches.not_searched.iter().map(|(hive, why)| {
            json!({ "hive": hive.to_string(), "why": why })
        }).collect::<Vec<_>>(),
    })
}

fn match_json(found: &Match) -> Json {
    let mut object = json!({
        "hive": found.hive.to_string(),
        "key": found.key.text(),
        "value": found.value.as_ref().map(|(name, _)| name.to_text()),
        "in": match (found.value.is_some(), found.in_name, found.in_data) {
            (false, ..) => vec!["key"],
            (true, true, true) => vec!["name", "data"],
            (true, true, false) => vec!["name"],
            (true, false, _) => vec!["data"],
        },
    });
    let value = found.value.as_ref().map(|(_, value)| value_json(value));
    if let (Some(object), Some(Json::Object(value))) = (object.as_object_mut(), value) {
        object.extend(value);
    }
    object
}
