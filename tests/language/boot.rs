// SPDX-License-Identifier: GPL-3.0-or-later
//! Last Known Good, worked out.

use super::*;

const BOOT: &str = "  - key: HKLM\\SYSTEM\\Select\n    boot: last-known-good\n";

/// Control sets, each with so many services.
fn machine_with(sets: &[(u32, usize)], select: &[(&str, u32)]) -> Lab {
    let system = edited(&empty(5), |editor| {
        for (number, services) in sets {
            let set = format!("ControlSet{number:03}");
            for part in [
                "Control\\A",
                "Control\\B",
                "Enum\\A",
                "Hardware Profiles\\0001",
            ] {
                editor.create_key(&path(&format!("{set}\\{part}"))).unwrap();
            }
            for service in 0..*services {
                editor
                    .create_key(&path(&format!("{set}\\Services\\{service}")))
                    .unwrap();
            }
        }
        editor.create_key(&path("Select")).unwrap();
        for (name, number) in select {
            set(editor, "Select", name, &Data::Dword(*number));
        }
    });
    Lab {
        system,
        software: None,
    }
}

fn select(lab: &Lab) -> [u32; 4] {
    ["Current", "Default", "LastKnownGood", "Failed"]
        .map(|name| lab.number("Select", name).unwrap())
}

fn usual(last_known_good: u32) -> [(&'static str, u32); 4] {
    [
        ("Current", 1),
        ("Default", 1),
        ("LastKnownGood", last_known_good),
        ("Failed", 0),
    ]
}

#[test]
fn last_known_good_is_what_windows_would_do() {
    let boot = profile("lkg", BOOT);
    let lab = machine_with(&[(1, 10), (2, 9)], &usual(2));
    let plan = lab.plan(&boot);
    assert_eq!(
        changed(&plan),
        ["Select:Current", "Select:Default", "Select:Failed"]
    );
    let after = lab.repaired(&boot);
    assert_eq!(select(&after), [2, 2, 2, 1]);
    let again = after.plan(&boot);
    assert_eq!(
        left_out(&again).0,
        "the last known good control set is in use already: ControlSet002 is current, default and \
         last known good, and ControlSet001 failed"
    );
    // Where LastKnownGood is the default one or is not there, the only other one.
    for named in [1, 3] {
        let lab = machine_with(&[(1, 10), (2, 5)], &usual(named));
        assert_eq!(select(&lab.repaired(&boot)), [2, 2, 2, 1], "{named}");
    }
    // Two profiles that both ask for it ask for the same.
    let pair = [boot.clone(), profile("other", BOOT)];
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!((plan.changes.len(), plan.blocked.len()), (3, 0));
    // Of several, the one that is named.
    let lab = machine_with(&[(1, 10), (2, 10), (3, 10)], &usual(3));
    assert_eq!(select(&lab.repaired(&boot)), [3, 3, 3, 1]);
}

#[test]
fn last_known_good_is_blocked_where_windows_could_not_start() {
    let boot = profile("lkg", BOOT);
    let none = machine_with(&[(1, 10)], &usual(1));
    let skeleton = {
        let mut lab = none.clone();
        lab.set(r"SYSTEM\ControlSet002\Control\Lsa", "a", &Data::Dword(1));
        lab
    };
    let mut failed = usual(1);
    failed[3].1 = 2;
    let mut current = failed;
    current[0].1 = 2;
    for (lab, reason) in [
        (
            none,
            "there is no control set but ControlSet001, the default one",
        ),
        (
            skeleton,
            "there is no complete control set beside ControlSet001: ControlSet002: it has no Enum",
        ),
        (
            machine_with(&[(1, 10), (2, 4)], &usual(2)),
            "ControlSet002: Services has 4 keys, and 10 in ControlSet001",
        ),
        (
            machine_with(&[(1, 10)], &usual(2)),
            "ControlSet002 (last known good) does not exist",
        ),
        (
            machine_with(&[(1, 10), (2, 10), (3, 10)], &usual(1)),
            "Select does not say which of ControlSet002, ControlSet003 is",
        ),
        (
            machine_with(&[(1, 10), (2, 10)], &current),
            "ControlSet002: Select says that it failed",
        ),
        (
            machine_with(&[(1, 10), (2, 10)], &[("Current", 1)]),
            "Select does not say which control set is the default one",
        ),
    ] {
        let found = blocked(&lab.plan(&boot));
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn boot_is_about_select_and_nothing_else() {
    let values = "    values: [ {name: Default, dword: 1, why: w} ]\n";
    for (keys, message) in [
        (
            BOOT.replace("Select", "Setup"),
            "`boot` is about `Select`, and this is another key",
        ),
        (format!("{BOOT}{values}"), "`values` stands beside `boot`"),
        (
            BOOT.replace("last-known-good", "safe"),
            "`safe` is not a way to boot",
        ),
    ] {
        assert!(refused("", &keys).contains(message), "{keys}");
    }
}

// ---------------------------------------------------------------- parameters
