// SPDX-License-Identifier: GPL-3.0-or-later
//! What a structural check found, for scripts.

use serde_json::{Value as Json, json};

use super::check_text::{CheckedHive, HiveCheck};
use crate::regf::Finding;

/// Checked hives as JSON (`hivemend.check/1`).
pub fn check_json(hives: &[CheckedHive]) -> Json {
    let total = |count: fn(&HiveCheck) -> u64| {
        let checks = hives.iter().filter_map(|hive| hive.outcome.as_ref().ok());
        checks.map(count).fold(0, u64::saturating_add)
    };
    json!({
        "schema": "hivemend.check/1",
        "hives": hives.iter().map(hive_json).collect::<Vec<Json>>(),
        "errors": total(|check| check.report.errors),
        "warnings": total(|check| check.report.warnings),
        "notes": total(|check| check.report.notes),
    })
}

fn hive_json(hive: &CheckedHive) -> Json {
    let check = match &hive.outcome {
        Ok(check) => check,
        Err((error, advice)) => {
            return json!({ "path": hive.path, "error": error, "advice": advice });
        }
    };
    let base = check.base.as_ref();
    let report = &check.report;
    json!({
        "path": hive.path,
        "size": check.size,
        "version": base.map(|base| format!("{}.{}", base.major, base.minor)),
        "state": check.state(),
        "sequence_numbers": base.map(|base| [base.primary_sequence, base.secondary_sequence]),
        "logs": check.logs.iter().map(|log| json!({
            "path": log.path,
            "size": log.size,
            "state": log.state,
        })).collect::<Vec<Json>>(),
        "recovery": check.recovery,
        "recoverable": check.is_recoverable(),
        "unreadable": check.unreadable.iter().map(|range| json!([range.start, range.end])).collect::<Vec<Json>>(),
        "keys": report.keys,
        "values": report.values,
        "unreached": {
            "keys": report.unreached_keys,
            "values": report.unreached_values,
            "places": report.unreached.iter().map(|(place, count)| json!({
                "place": place,
                "keys": count,
            })).collect::<Vec<Json>>(),
        },
        "findings": report.findings.iter().map(finding_json).collect::<Vec<Json>>(),
        "counts": report.counts,
        "errors": report.errors,
        "warnings": report.warnings,
        "notes": report.notes,
    })
}

fn finding_json(finding: &Finding) -> Json {
    json!({
        "code": finding.code,
        "severity": finding.severity.to_string(),
        "offset": finding.at.0,
        "key": finding.key,
        "found": finding.found,
        "expected": finding.expected,
    })
}
