// SPDX-License-Identifier: GPL-3.0-or-later
//! What mending did or would do, for scripts.

use serde_json::{Value as Json, json};

use super::mend_text::MendedHive;
use crate::mend::{Essential, Fix, LostKind, MendReport, Outcome, PageMove};
use crate::regf::CellOffset;

/// Hives that were looked at, as JSON (`hivemend.mend/1`); `outcome` is what was published.
pub fn mend_json(target: &str, hives: &[MendedHive], outcome: Json) -> Json {
    json!({
        "schema": "hivemend.mend/1",
        "target": target,
        "hives": hives.iter().map(hive_json).collect::<Vec<Json>>(),
        "outcome": outcome,
    })
}

fn hive_json(hive: &MendedHive) -> Json {
    let ranges = |ranges: &[std::ops::Range<u64>]| {
        let ranges = ranges.iter();
        ranges
            .map(|range| json!([range.start, range.end]))
            .collect::<Vec<Json>>()
    };
    let mut document = json!({
        "name": hive.name,
        "path": hive.path,
        "recovery": hive.recovery,
        "unrecovered": hive.is_unrecovered,
        "unreadable": ranges(&hive.unreadable),
        "has_loss": hive.has_loss(),
        "essential_lost": hive.essential.iter().map(|e| essential(*e)).collect::<Vec<&str>>(),
    });
    let more = match &hive.outcome {
        Outcome::Sound(report) => json!({
            "state": "sound",
            "keys": report.keys,
            "values": report.values,
        }),
        Outcome::Mended(mended) => {
            let mut more = report_json(&mended.report);
            if let Some(more) = more.as_object_mut() {
                let errors = mended.before.errors;
                more.insert("errors_before".to_owned(), json!(errors));
                more.insert("broken".to_owned(), json!(ranges(&mended.report.broken)));
            }
            more
        }
    };
    if let (Some(document), Json::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    document
}

fn report_json(report: &MendReport) -> Json {
    let in_file = |at: u32| CellOffset(at).in_file().0;
    json!({
        "state": "mended",
        "keys": report.keys,
        "values": report.values,
        "in_place": report.is_in_place,
        "orphans": report.orphans,
        "losses": report.losses.iter().map(|loss| json!({
            "what": kind(loss.what),
            "key": loss.key,
            "name": loss.name,
            "count": loss.count,
        })).collect::<Vec<Json>>(),
        "suspects": report.suspects.iter().map(|(key, value)| json!({
            "key": key,
            "value": value,
        })).collect::<Vec<Json>>(),
        "filled": report.filled.iter().map(|filled| json!({
            "key": filled.key,
            "value": filled.value,
            "proven": filled.is_proven,
        })).collect::<Vec<Json>>(),
        "pages": report.moves.iter().map(|moved| match moved {
            PageMove::Exchanged(one, other) => json!({
                "what": "exchanged", "pages": [in_file(*one), in_file(*other)],
            }),
            PageMove::Copy(page, original) => json!({
                "what": "copy", "pages": [in_file(*page), in_file(*original)],
            }),
        }).collect::<Vec<Json>>(),
        "repairs": report.repairs.iter().map(|repair| json!({
            "what": fix(repair.what),
            "key": repair.key,
            "count": repair.count,
        })).collect::<Vec<Json>>(),
    })
}

fn kind(kind: LostKind) -> &'static str {
    match kind {
        LostKind::Key => "key",
        LostKind::Value => "value",
        LostKind::Node => "key-content",
        LostKind::Class => "class-name",
        LostKind::Security => "security",
    }
}

fn fix(fix: Fix) -> &'static str {
    match fix {
        Fix::Root => "root",
        Fix::RootMade => "root-made",
        Fix::Element => "reference",
        Fix::List => "subkeys-list",
        Fix::Name => "name",
        Fix::Named => "named",
        Fix::Values => "values-list",
        Fix::Value => "value",
        Fix::Class => "class-name",
        Fix::Security => "security",
    }
}

fn essential(essential: Essential) -> &'static str {
    match essential {
        Essential::Select => "Select",
        Essential::ControlSet => "control-set",
        Essential::Services => "Services",
        Essential::Control => "Control",
        Essential::CurrentVersion => "CurrentVersion",
    }
}
