// SPDX-License-Identifier: GPL-3.0-or-later
//! What nothing ever does to a registry: one rule for profiles, plan files and undoing.

use std::fs;

use crate::bench::{Bench, Ended, hivemend};
use crate::workbench::{edited, empty, path};
use hivemend::machine::{Condition, HiveInput, State, Value};
use hivemend::plan::{Action, Change, Lowering, undo};
use hivemend::profile::{Deed, HiveName, KeyPath, forbidden};
use hivemend::regf::{Hive, Name, NodePath, upcase};
use serde_json::{Value as Json, json};

/// Keys that are never deleted, as a profile names them.
const KEPT: &[&str] = &[
    r"SYSTEM\Select",
    r"SYSTEM\SELECT",
    r"SYSTEM\Setup",
    r"SYSTEM\setup ",
    r"SYSTEM\DriverDatabase",
    r"SYSTEM\ControlSet001",
    r"SYSTEM\controlset002",
    r"SYSTEM\ControlSet001\Control",
    r"SYSTEM\ControlSet001\Services",
    r"SYSTEM\ControlSet001\Enum",
    r"SYSTEM\ControlSet001\Hardware Profiles",
    r"SYSTEM\ControlSet001\Policies",
    r"SYSTEM\ControlSet001\Control\Class",
    r"SYSTEM\ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}",
    r"SYSTEM\ControlSet001\Control\LSA",
    r"SYSTEM\ControlSet001\Control\Session Manager",
    r"SYSTEM\ControlSet001\Control\Session Manager\SubSystems",
    r"SYSTEM\ControlSet001\Enum\ACPI",
    r"SYSTEM\ControlSet001\Services\disk",
    r"SYSTEM\ControlSet001\Services\Tcpip",
    r"SYSTEM\ControlSet001\Services\Tcpip\Parameters",
    r"SYSTEM\ControlSet001\Services\Tcpip\Parameters\Interfaces",
    r"SYSTEM\ControlSet001\Services\TermService",
    r"SYSTEM\ControlSet001\Services\TermService\Parameters",
    r"SOFTWARE\Classes",
    r"SOFTWARE\Microsoft",
    r"SOFTWARE\Policies",
    r"SOFTWARE\policies ",
    r"SOFTWARE\WOW6432Node",
    r"SOFTWARE\Classes\CLSID",
    r"SOFTWARE\Microsoft\Windows",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion",
    r"SOFTWARE\Microsoft\Windows NT",
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon",
    r"SOFTWARE\Policies\Microsoft",
    r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion",
];

/// Keys that documented procedures delete, or replace by way of deleting, and debris.
const DELETED: &[&str] = &[
    r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp",
    r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp ",
    r"SYSTEM\ControlSet001\Control\MiniNT",
    r"SYSTEM\ControlSet001\Enum\ACPI\MSFT1000",
    r"SYSTEM\ControlSet001\Services\vpci\StartOverride",
    r"SYSTEM\ControlSet001\Services\stornvme\StartOverride",
    r"SYSTEM\ControlSet001\Services\SomeVendorsFilter",
    r"SYSTEM\MountedDevices",
    r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Service",
    r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services",
    r"SOFTWARE\Policies\Microsoft\Windows\Safer\CodeIdentifiers",
    r"SOFTWARE\Policies\Microsoft\Windows\SrpV2",
    r"SOFTWARE\Microsoft\MSLicensing",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History",
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\lsass.exe",
    r"SOFTWARE\Microsoft\SystemCertificates\Remote Desktop\Certificates\00112233",
    r"SOFTWARE\Some Vendor",
];

const EMPTY_KEY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn key_state() -> Json {
    json!({ "type": "key", "data": { "subkeys": 0, "values": 0, "sha256": EMPTY_KEY } })
}

/// A change as a plan file has it; `key` begins with the hive.
fn change(key: &str, value: Json, action: &str, before: Json, after: Json) -> Json {
    let (hive, below) = key.split_once('\\').unwrap();
    json!({ "profile": "p", "hive": hive, "control_set": null, "key": below, "value": value,
        "action": action, "before": before, "after": after, "lowers_security": false, "note": "" })
}

fn deletion(key: &str) -> Json {
    change(key, Json::Null, "delete-key", key_state(), Json::Null)
}

/// Applies a plan that somebody wrote by hand.
fn apply(bench: &Bench, changes: &[Json]) -> Ended {
    let file = bench.beside("by-hand.json");
    let plan = json!({ "schema": "hivemend.plan/1", "target": "x", "hives": [], "profiles": [],
        "changes": changes,
        "summary": { "changes": changes.len(), "matches": 0, "skipped": 0 } });
    fs::write(&file, plan.to_string()).unwrap();
    let file = file.display().to_string();
    let args = ["--plan", file.as_str(), "--accept-edited-plan", "--yes"];
    bench.run("apply", &args)
}

#[test]
fn a_key_that_is_never_deleted_is_refused_in_a_profile_and_in_a_plan() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    for key in KEPT {
        let entry = format!("  - {{ key: 'HKLM\\{key}', absent: true, why: w }}\n");
        let profile = bench.profile("never", &entry);
        let ended = bench.run("plan", &["-p", &profile]).expect(2);
        assert!(ended.stderr.contains("never"), "{key}: {ended:?}");
        let ended = apply(&bench, &[deletion(key)]).expect(3);
        assert!(ended.stderr.contains("never"), "{key}: {ended:?}");
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn what_procedures_delete_can_be_deleted() {
    let bench = Bench::sample();
    for key in DELETED {
        let entry = format!("  - {{ key: 'HKLM\\{key}', absent: true, why: w }}\n");
        let profile = bench.profile("debris", &entry);
        hivemend(&["profile", "check", &profile]).expect(0);
        // It gets as far as the question whether the key is as the plan saw it.
        let ended = apply(&bench, &[deletion(key)]).expect(3);
        let said = &ended.stderr;
        assert!(said.contains("changed since the plan"), "{key}: {ended:?}");
    }
}

#[test]
fn a_star_deletes_nothing_that_a_name_could_not() {
    let bench = Bench::sample();
    for key in [
        r"SYSTEM\CurrentControlSet\Control\*\SubSystems",
        r"SYSTEM\CurrentControlSet\Services\*\Parameters",
        r"SOFTWARE\Microsoft\*\CurrentVersion",
        r"SOFTWARE\Microsoft\*\*",
        r"SOFTWARE\Vendor\{GUID}",
    ] {
        let entry = format!("  - {{ key: 'HKLM\\{key}', absent: true, why: w }}\n");
        let profile = bench.profile("star", &entry);
        hivemend(&["profile", "check", &profile]).expect(1);
    }
    let entry =
        r"  - { key: 'HKLM\SYSTEM\CurrentControlSet\Services\*\Debris', absent: true, why: w }";
    hivemend(&["profile", "check", &bench.profile("star", entry)]).expect(0);
}

/// The attack that was seen: the control set that boots is gone, and the plan was applied.
#[test]
fn select_keeps_its_values_and_their_type() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let select = r"SYSTEM\Select";
    let number = |number: u32| json!({ "type": "REG_DWORD", "data": number });
    let text = json!({ "type": "REG_SZ", "data": "1" });
    let short = json!({ "type": "REG_DWORD", "data": null, "raw": "01" });
    for key in [select, r"SYSTEM\sELECT", r"SYSTEM\Select "] {
        for name in ["Current", "Default", "LastKnownGood", "Failed", "current"] {
            let delete = change(key, json!(name), "delete-value", number(1), Json::Null);
            apply(&bench, &[delete]).expect(3);
            for after in [&text, &short] {
                let set = change(key, json!(name), "set", number(1), after.clone());
                apply(&bench, &[set]).expect(3);
            }
        }
    }
    // It boots with what is there.
    for name in ["Current", "Default"] {
        let set = change(select, json!(name), "set", number(1), number(9));
        let ended = apply(&bench, &[set]).expect(3);
        assert!(ended.stderr.contains("ControlSet009"), "{ended:?}");
        let entry = format!(
            "  - key: HKLM\\{select}\n    values: [ {{ name: {name}, dword: 9, why: w }} ]\n"
        );
        let profile = bench.profile("nowhere", &entry);
        let ended = bench.run("apply", &["-p", &profile, "--yes"]).expect(3);
        assert!(ended.stderr.contains("ControlSet009"), "{ended:?}");
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn roots_and_control_sets_are_neither_made_nor_changed() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let number = json!({ "type": "REG_DWORD", "data": 1 });
    for key in [
        r"SYSTEM\ControlSet003",
        r"SYSTEM\ControlSet003\Control",
        r"SYSTEM\ControlSet003\Control\Lsa",
        r"SYSTEM\ControlSet0003",
        r"SYSTEM\ControlSet003 ",
        r"SYSTEM\CurrentControlSet",
        r"SYSTEM\CurrentControlSet\Control",
        r"SYSTEM\Select",
        r"SYSTEM\ControlSet001\no such key\below it",
    ] {
        let made = change(key, Json::Null, "create-key", Json::Null, key_state());
        apply(&bench, &[made]).expect(3);
    }
    let in_set = r"SYSTEM\ControlSet001";
    apply(
        &bench,
        &[change(
            in_set,
            json!("x"),
            "set",
            Json::Null,
            number.clone(),
        )],
    )
    .expect(3);
    let delete = change(in_set, json!("x"), "delete-value", number, Json::Null);
    apply(&bench, &[delete]).expect(3);
    // A key below one that the plan makes before it.
    let made = |key| change(key, Json::Null, "create-key", Json::Null, key_state());
    assert_eq!(bench.snapshot(), before);
    let both = [
        made(r"SYSTEM\ControlSet001\A"),
        made(r"SYSTEM\ControlSet001\A\B"),
    ];
    apply(&bench, &both).expect(0);
}

/// A record on a disk may claim that hivemend made whatever is to be undone.
#[test]
fn undoing_is_bound_by_the_rule_too() {
    let system = edited(&empty(5), |editor| {
        for key in ["ControlSet001", "Select", r"ControlSet001\Control\Lsa"] {
            editor.create_key(&path(key)).unwrap();
        }
        let one = 1_u32.to_le_bytes();
        editor
            .set_value(&path("Select"), &Name::from("Current"), 4, &one)
            .unwrap();
    });
    let hive = Hive::open(&system).unwrap();
    let input = HiveInput::new(HiveName::System, "SYSTEM".into(), hive, Condition::Clean);
    let made = |key: &str, value: Option<&str>, after: State| Change {
        profile: "p".to_owned(),
        hive: HiveName::System,
        control_set: None,
        key: NodePath::from(key),
        value: value.map(Name::from),
        action: if value.is_some() {
            Action::Set
        } else {
            Action::CreateKey
        },
        before: None,
        after: Some(after),
        lowers_security: false,
        cause: None,
        note: "".into(),
    };
    let one = Value {
        kind: 4,
        data: vec![1, 0, 0, 0],
    };
    let empty = hivemend::machine::KeySummary::empty();
    let claimed = [
        made("Select", Some("Current"), State::Value(one)),
        made(r"ControlSet001\Control\Lsa", None, State::Key(empty)),
    ];
    let undo = undo(&claimed, &[input], &Lowering::default()).unwrap();
    assert_eq!(undo.changes, []);
    let reasons: Vec<&str> = undo
        .obstacles
        .iter()
        .map(|left| left.reason.as_str())
        .collect();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("never deleted")),
        "{reasons:?}"
    );
}

/// The rule compares by a table of its own: it must not tell apart what the registry does not.
#[test]
fn no_letter_is_told_apart_that_the_registry_takes_for_one() {
    for unit in 0..=u16::MAX {
        let upper = upcase(unit);
        let (Some(letter), Some(upper)) = (
            char::from_u32(u32::from(unit)),
            char::from_u32(u32::from(upper)).filter(char::is_ascii_alphabetic),
        ) else {
            continue;
        };
        for (word, kept) in [("Select", 'S'), ("Setup", 'S'), ("WPA", 'A')] {
            if upper != kept {
                continue;
            }
            let place = word.to_uppercase().find(kept).unwrap();
            let mut spelled: Vec<char> = word.chars().collect();
            spelled[place] = letter;
            let spelled = String::from_iter(spelled);
            let key = KeyPath::in_hive(HiveName::System, &[spelled]).unwrap();
            assert!(forbidden(&key, Deed::DeleteKey).is_some(), "{unit:#x}");
        }
    }
}
