// SPDX-License-Identifier: GPL-3.0-or-later
//! A key as `show` prints it.

use serde_json::{Value as Json, json};

use super::name_marks;
use super::state_json::value_json;
use super::style::{BOLD, DIM};
use super::styled;
use super::unread::{Unread, add_unread, full_path, unread_json};
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
    let path = full_path(listing.hive, &listing.key);
    text.line(styled(BOLD, format!("[{path}]")));
    for (name, value) in &listing.values {
        let mark = name_marks::of_value(listing.hive, &listing.key, name);
        text.line(format_args!("{}{mark}", whole_line(name, value)));
    }
    for subkey in listing.subkeys.iter().flatten() {
        let mark = name_marks::of_key(listing.hive, &listing.key, subkey);
        let subkey = escape(&format!("[{path}\\{subkey}]"));
        text.line(format_args!("{DIM}{subkey}{DIM:#}{mark}"));
    }
    text
}

/// The key as JSON (`hivemend.show/1`).
pub fn key_json(listing: &KeyListing, target: &str) -> Json {
    let mut document = json!({
        "schema": "hivemend.show/1",
        "target": target,
        "hive": listing.hive.to_string(),
        "key": listing.key.text(),
        "last_written_filetime": listing.last_written,
        "values": values_json(listing),
    });
    if let (Some(document), Some(subkeys)) = (document.as_object_mut(), &listing.subkeys) {
        let names: Vec<String> = subkeys.iter().map(Name::to_text).collect();
        document.insert("subkeys".to_owned(), json!(names));
    }
    document
}

/// What was left out of a tree.
#[derive(Clone, Debug)]
pub struct KeyTree {
    /// The hive.
    pub hive: HiveName,
    /// The key that it begins with.
    pub key: NodePath,
    /// The first key that was not printed because there were too many.
    pub stopped: Option<NodePath>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// What is said below a tree that is not all there.
pub fn tree_end(tree: &KeyTree) -> Text {
    let mut text = Text::new();
    add_unread(&mut text, tree.hive, &tree.unread);
    if let Some(key) = &tree.stopped {
        let path = full_path(tree.hive, key);
        text.line(escape(&format!(
            "; stopped before [{path}]: there is too much to print it all, so name a key further down"
        )));
    }
    text
}

/// A key and all below it as JSON (`hivemend.show-tree/1`).
pub fn tree_json(tree: &KeyTree, keys: &[KeyListing], target: &str) -> Json {
    let keys: Vec<Json> = keys
        .iter()
        .map(|listing| {
            json!({
                "key": listing.key.text(),
                "last_written_filetime": listing.last_written,
                "values": values_json(listing),
            })
        })
        .collect();
    json!({
        "schema": "hivemend.show-tree/1",
        "target": target,
        "hive": tree.hive.to_string(),
        "key": tree.key.text(),
        "keys": keys,
        "stopped_before": tree.stopped.as_ref().map(NodePath::text),
        "unread": unread_json(tree.hive, &tree.unread),
    })
}

fn values_json(listing: &KeyListing) -> Vec<Json> {
    let values = listing.values.iter().map(|(name, value)| {
        let mut object = json!({ "name": name.to_text() });
        if let (Some(object), Json::Object(value)) = (object.as_object_mut(), value_json(value)) {
            object.extend(value);
        }
        object
    });
    values.collect()
}
