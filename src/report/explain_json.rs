// SPDX-License-Identifier: GPL-3.0-or-later
//! What a code, an event or a message means, for scripts.

use serde_json::{Value as Json, json};

use super::{Explained, OnDisk};
use crate::diagnose::Finding;
use crate::explain::{CodeRead, Found, Nearest, NotKnown, Reading};

const SCHEMA: &str = "hivemend.explain/2";

/// An answer as JSON, the best entry first.
pub fn explain_json(asked: &str, explained: &Explained<'_>) -> Json {
    let answer = explained.answer;
    json!({
        "schema": SCHEMA,
        "asked": asked,
        "is_known": true,
        "codes": codes(&answer.codes),
        "entries": answer.entries.iter().map(entry_json).collect::<Vec<Json>>(),
        "nearest": [],
        "on_disk": explained.on_disk.map(on_disk_json),
    })
}

/// What is nearest to a question that nothing answers, as JSON.
pub fn not_known_json(asked: &str, not_known: &NotKnown) -> Json {
    json!({
        "schema": SCHEMA,
        "asked": asked,
        "is_known": false,
        "codes": codes(&not_known.codes),
        "entries": [],
        "nearest": not_known.nearest.iter().map(nearest_json).collect::<Vec<Json>>(),
        "on_disk": null,
    })
}

fn codes(codes: &[CodeRead]) -> Vec<Json> {
    let codes = codes.iter().map(|code| {
        json!({
            "written": code.written,
            "code": code.code,
            "readings": code.readings.iter().map(reading_json).collect::<Vec<Json>>(),
            "parameters": code.parameters.iter().map(reading_json).collect::<Vec<Json>>(),
        })
    });
    codes.collect()
}

fn reading_json(reading: &Reading) -> Json {
    json!({
        "kind": reading.kind.id(),
        "code": reading.code,
        "name": reading.name,
        "bits": reading.bits,
        "is_explained": reading.is_explained,
    })
}

fn nearest_json(nearest: &Nearest) -> Json {
    json!({
        "ask": nearest.question,
        "title": nearest.title,
        "why_not": nearest.why_not,
    })
}

fn entry_json(found: &Found<'_>) -> Json {
    let entry = &found.entry;
    json!({
        "kind": entry.kind.id(),
        "title": entry.to_string(),
        "score": found.score,
        "code": entry.code,
        "origin": entry.origin,
        "names": entry.names,
        "key": entry.key,
        "meaning": entry.meaning,
        "disagreement": entry.disagreement,
        "details": entry.details,
        "causes": entry.causes,
        "diagnose": entry.diagnose,
        "profiles": entry.profiles.iter().map(|profile| json!({
            "id": profile.id,
            "what": profile.what,
            "relaxes": profile.relaxes,
        })).collect::<Vec<Json>>(),
        "offline": entry.offline,
        "not_registry": entry.not_registry,
        "sources": entry.sources,
    })
}

fn on_disk_json(on_disk: &OnDisk) -> Json {
    let finding = |finding: &Finding| {
        json!({
            "impact": finding.impact.as_str(),
            "cause": finding.cause,
            "profiles": finding.profiles,
        })
    };
    json!({
        "target": on_disk.target,
        "is_shown": !on_disk.ours.is_empty(),
        "findings": on_disk.ours.iter().map(finding).collect::<Vec<Json>>(),
        "others": on_disk.others.iter().map(finding).collect::<Vec<Json>>(),
        "is_complete": on_disk.is_complete,
        "warnings": on_disk.warnings,
    })
}
