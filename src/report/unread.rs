// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys that a command went past because they cannot be read.

use serde_json::{Value as Json, json};

use crate::profile::HiveName;
use crate::regf::NodePath;
use crate::text::{Text, escape};

/// A key that was left out, or of which something was.
#[derive(Clone, Debug)]
pub struct Unread {
    /// The key.
    pub key: NodePath,
    /// Why.
    pub why: String,
}

/// Those that are named at most; a hostile hive has as many as it likes.
const NAMED: usize = 20;

/// Adds a line for each, and one for those that are too many.
pub(super) fn add_unread(text: &mut Text, hive: HiveName, unread: &[Unread]) {
    for Unread { key, why } in unread.iter().take(NAMED) {
        let path = full_path(hive, key);
        text.line(escape(&format!("; not read: [{path}]: {why}")));
    }
    let more = unread.len().saturating_sub(NAMED);
    if more > 0 {
        text.line(format_args!("; and {more} more keys were not read"));
    }
}

/// The same as JSON: the first of them.
pub(super) fn unread_json(hive: HiveName, unread: &[Unread]) -> Vec<Json> {
    let named = unread.iter().take(NAMED);
    let named = named.map(
        |Unread { key, why }| json!({ "hive": hive.to_string(), "key": key.text(), "why": why }),
    );
    named.collect()
}

/// A key with its hive in front; not escaped.
pub(super) fn full_path(hive: HiveName, key: &NodePath) -> String {
    match key.is_root() {
        true => hive.to_string(),
        false => format!("{hive}\\{}", key.text().raw()),
    }
}
