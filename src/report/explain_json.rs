// SPDX-License-Identifier: GPL-3.0-or-later
//! What a code, an event or a message means, for scripts.

use serde_json::{Value as Json, json};

use crate::explain::Entry;

/// Entries as JSON (`hivemend.explain/1`), the best first.
pub fn explain_json(asked: &str, entries: &[&Entry]) -> Json {
    json!({
        "schema": "hivemend.explain/1",
        "asked": asked,
        "entries": entries.iter().map(|entry| entry_json(entry)).collect::<Vec<Json>>(),
    })
}

fn entry_json(entry: &Entry) -> Json {
    json!({
        "kind": entry.kind.id(),
        "title": entry.to_string(),
        "code": entry.code,
        "origin": entry.origin,
        "names": entry.names,
        "key": entry.key,
        "meaning": entry.meaning,
        "disagreement": entry.disagreement,
        "causes": entry.causes,
        "profiles": entry.profiles.iter().map(|profile| json!({
            "id": profile.id,
            "what": profile.what,
            "relaxes": profile.relaxes,
        })).collect::<Vec<Json>>(),
        "not_registry": entry.not_registry,
        "sources": entry.sources,
    })
}
