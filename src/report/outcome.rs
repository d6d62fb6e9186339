// SPDX-License-Identifier: GPL-3.0-or-later
//! What was written and where the backup is.

use serde_json::{Value as Json, json};

use crate::store::{KeptAs, Outcome};
use crate::text::{Foreign, Text, shown};

/// What an apply did, as JSON.
pub fn outcome_json(outcome: Option<&Outcome>) -> Json {
    let Some(outcome) = outcome else {
        return json!({ "status": "unchanged", "backup": null, "hives": [] });
    };
    let hives: Vec<Json> = outcome
        .hives
        .iter()
        .map(|hive| {
            json!({
                "name": hive.name,
                "path": Foreign::path(&hive.path),
                "before": { "size": hive.before.size, "sha256": hive.before.sha256 },
                "after": { "size": hive.after.size, "sha256": hive.after.sha256 },
                "kept_as": hive.kept_as,
            })
        })
        .collect();
    json!({
        "status": "applied",
        "backup": { "id": outcome.id, "path": Foreign::path(&outcome.backup) },
        "hives": hives,
    })
}

/// What an apply did, as text.
pub fn outcome_text(outcome: &Outcome) -> Text {
    let mut text = Text::new();
    for hive in &outcome.hives {
        let kept = match hive.kept_as {
            KeptAs::Link => "the original is kept as the backup",
            KeptAs::Copy => "a verified copy of the original is kept",
        };
        let name = &hive.name;
        text.line(format_args!("{name:<8}  written and read back; {kept}"));
    }
    text.line(format_args!("backup    {}", shown(&outcome.backup)));
    text
}
