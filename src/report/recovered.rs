// SPDX-License-Identifier: GPL-3.0-or-later
//! What was recovered from transaction logs.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::outcome::outcome_json;
use crate::machine::Condition;
use crate::store::Outcome;
use crate::text::{Foreign, Text, escape};

/// What was recovered of one hive, in a line.
pub fn recovered_text(name: &str, condition: &Condition) -> Text {
    let said = match condition {
        Condition::Clean => "clean: nothing to recover",
        Condition::Recovered(recovery) => &recovery.text,
        Condition::Unrecovered => "not recovered: what its last writes changed is missing",
    };
    let mut line = Text::new();
    line.line(format_args!("{:<8}  {}", escape(name), escape(said)));
    line
}

/// What was recovered of the hives of `target`, and what was written, for scripts.
pub fn recovered_json(target: &Foreign, hives: &[Json], outcome: Option<&Outcome>) -> Json {
    json!({
        "schema": "hivemend.recover/1",
        "target": target,
        "hives": hives,
        "outcome": outcome_json(outcome),
    })
}

/// One hive in [`recovered_json`].
pub fn recovered_hive_json(name: &str, path: &Path, condition: &Condition) -> Json {
    let recovery = match condition {
        Condition::Recovered(recovery) => json!({
            "entries": recovery.entries,
            "logs": recovery.logs,
            "first": recovery.first,
            "last": recovery.last,
            "text": recovery.text,
        }),
        _ => Json::Null,
    };
    json!({
        "name": name,
        "path": Foreign::path(path),
        "state": condition.as_str(),
        "recovery": recovery,
    })
}
