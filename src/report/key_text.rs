// SPDX-License-Identifier: GPL-3.0-or-later
//! A key as `show` prints it.

use serde_json::{Value as Json, json};

use super::state_json::value_json;
use super::style::{BOLD, DIM};
use super::styled;
use super::values::whole_line;
use crate::machine::KeyContent;
use crate::profile::HiveName;
use crate::regf::{Name, NodePath};
use crate::text::{Text, escape};

/// What `show` tells of a key.
#[derive(Clone, Debug)]
pub struct KeyListing {
    /// The hive.
    pub hive: HiveName,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// FILETIME of its last change.
    pub last_written: u64,
    /// Its values.
    pub values: KeyContent,
    /// The names of its subkeys; left out where one value was asked for.
    pub subkeys: Option<Vec<Name>>,
}

/// The key as text.
pub fn key_text(listing: &KeyListing) -> Text {
    let mut text = Text::new();
    let path = full_path(listing);
    text.line(styled(BOLD, format!("[{path}]")));
    for (name, value) in &listing.values {
        text.line(whole_line(name, value));
    }
    for subkey in listing.subkeys.iter().flatten() {
        let subkey = escape(&format!("[{path}\\{subkey}]"));
        text.line(format_args!("{DIM}{subkey}{DIM:#}"));
    }
    text
}

/// The key as JSON (`hivemend.show/1`).
pub fn key_json(listing: &KeyListing, target: &str) -> Json {
    let values: Vec<Json> = listing
        .values
        .iter()
        .map(|(name, value)| {
            let mut object = json!({ "name": name.to_text() });
            if let (Some(object), Json::Object(value)) = (object.as_object_mut(), value_json(value))
            {
                object.extend(value);
            }
            object
        })
        .collect();
    let mut document = json!({
        "schema": "hivemend.show/1",
        "target": target,
        "hive": listing.hive.to_string(),
        "key": listing.key.text(),
        "last_written_filetime": listing.last_written,
        "values": values,
    });
    if let (Some(document), Some(subkeys)) = (document.as_object_mut(), &listing.subkeys) {
        let names: Vec<String> = subkeys.iter().map(Name::to_text).collect();
        document.insert("subkeys".to_owned(), json!(names));
    }
    document
}

fn full_path(listing: &KeyListing) -> String {
    match listing.key.is_root() {
        true => listing.hive.to_string(),
        false => format!("{}\\{}", listing.hive, listing.key.text()),
    }
}
