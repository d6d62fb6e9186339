// SPDX-License-Identifier: GPL-3.0-or-later
//! Conditions: about keys, values and what the machine is.

use super::*;

#[test]
fn conditions_about_keys_and_values() {
    let lab = Lab::new().with(
        r"SYSTEM\ControlSet001\Services\TermService",
        "Start",
        Data::Dword(4),
    );
    for (when, holds) in [
        (format!("{TERM}, exists: true"), true),
        (format!("{TERM}, exists: false"), false),
        (format!("{TERM}2, exists: false"), true),
        (format!("{TERM}, value: start, exists: true"), true),
        (format!("{TERM}, value: Type, exists: true"), false),
        (format!("{TERM}, value: Type, exists: false"), true),
        (
            format!("{TERM}, value: Start, is: [ {{dword: 3}}, {{dword: 4}} ]"),
            true,
        ),
        (format!("{TERM}, value: Start, is: [ {{qword: 4}} ]"), false),
        (
            format!("{TERM}, value: Start, is-not: [ {{dword: 4}} ]"),
            false,
        ),
        (
            format!("{TERM}, value: Type, is-not: [ {{dword: 4}} ]"),
            true,
        ),
        (
            format!("{TERM}2, value: Start, is: [ {{dword: 4}} ]"),
            false,
        ),
        (
            r"key: HKLM\SYSTEM\ControlSet001, exists: true".to_owned(),
            true,
        ),
        (
            r"key: HKLM\SYSTEM\ControlSet002, exists: true".to_owned(),
            false,
        ),
        (
            r"key: HKLM\SOFTWARE\Microsoft, exists: false".to_owned(),
            true,
        ),
    ] {
        let profile = guarded(&when);
        if holds {
            assert_eq!(changed(&lab.plan(&profile)), ["X:(key)", "X:V"], "{when}");
            lab.repaired(&profile);
        } else {
            let (reason, condition) = left_out(&lab.plan(&profile));
            let condition = condition.unwrap();
            assert_eq!(reason, format!("holds only where {condition}"));
            assert!(condition.starts_with(r"HKLM\SYSTEM\C"), "{condition}");
        }
    }
}

#[test]
fn a_condition_is_asked_in_the_control_set_of_its_rule() {
    let lab = Lab::new()
        .with(
            r"SYSTEM\ControlSet001\Services\TermService",
            "Start",
            Data::Dword(4),
        )
        .with(
            r"SYSTEM\ControlSet002\Services\TermService",
            "Start",
            Data::Dword(3),
        );
    let plan = lab.plan(&guarded(&format!(
        "{TERM}, value: Start, is: [ {{dword: 3}} ]"
    )));
    let sets: Vec<_> = plan
        .changes
        .iter()
        .map(|c| c.control_set.clone().unwrap())
        .collect();
    assert_eq!(sets, ["ControlSet002", "ControlSet002"]);
    assert_eq!(plan.skipped.len(), 1);
    // Outside of the control sets, the one of the next start is asked.
    let key = format!(
        "  - key: HKLM\\SOFTWARE\\A\n    when: [ {{{TERM}, value: Start, is: [ {{dword: 4}} ]}} ]\n    \
         values: [ {{name: V, dword: 1, why: because}} ]\n"
    );
    assert_eq!(changed(&lab.plan(&profile("x", &key))), ["A:(key)", "A:V"]);
}

#[test]
fn a_hive_that_is_not_here_leaves_its_conditions_open() {
    let mut lab = Lab::new();
    lab.software = None;
    let plan = lab.plan(&guarded(r"key: HKLM\SOFTWARE\A, exists: false"));
    let (reason, _) = left_out(&plan);
    assert_eq!(
        reason,
        r"whether HKLM\SOFTWARE\A does not exist cannot be told: there is no SOFTWARE hive here"
    );
}

const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const DEVICE: &str =
    r"SYSTEM\ControlSet001\Control\Class\{4d36e97d-e325-11ce-bfc1-08002be10318}\0003";

#[test]
fn the_version_is_read_from_software_or_from_the_drivers() {
    let seven = Lab::new()
        .with(CURRENT_VERSION, "CurrentVersion", sz("6.1"))
        .with(CURRENT_VERSION, "CurrentBuildNumber", sz("7601"));
    let ten = Lab::new()
        .with(CURRENT_VERSION, "CurrentVersion", sz("6.3"))
        .with(
            CURRENT_VERSION,
            "CurrentMajorVersionNumber",
            Data::Dword(10),
        )
        .with(CURRENT_VERSION, "CurrentMinorVersionNumber", Data::Dword(0))
        .with(CURRENT_VERSION, "CurrentBuild", sz("14393"));
    let by_driver = Lab::new()
        .with(DEVICE, "ProviderName", sz("Microsoft"))
        .with(DEVICE, "DriverVersion", sz("10.0.19041.1266"))
        .with(&DEVICE.replace("0003", "0004"), "ProviderName", sz("Other"))
        .with(
            &DEVICE.replace("0003", "0004"),
            "DriverVersion",
            sz("99.0.1.1"),
        );
    let by_database = Lab::new().with(
        r"SYSTEM\DriverDatabase",
        "Version",
        Data::Dword(0x0A00_0000),
    );
    let unknown = Lab::new();
    for (lab, when, holds) in [
        (&seven, ">=6.1", Some(true)),
        (&seven, "<6.2", Some(true)),
        (&seven, ">=6.1.7602", Some(false)),
        (&ten, ">=6.2 <10.0", Some(false)),
        (&ten, ">=10.0.14393", Some(true)),
        (&ten, "<10.0.14393", Some(false)),
        (&by_driver, ">=10.0.15063", Some(true)),
        (&by_driver, "<10.0", Some(false)),
        (&by_database, ">=6.2", Some(true)),
        (&by_database, ">=10.0.14393", None),
        (&unknown, ">=5.0", None),
    ] {
        let plan = lab.plan(&guarded(&format!("windows: \"{when}\"")));
        match holds {
            Some(true) => assert_eq!(plan.changes.len(), 2, "{when}"),
            Some(false) => {
                let (reason, condition) = left_out(&plan);
                assert_eq!(reason, format!("holds only where Windows {when}"));
                assert_eq!(condition.unwrap(), format!("Windows {when}"));
            }
            None => {
                let (reason, _) = left_out(&plan);
                assert!(
                    reason.contains("cannot be told") && reason.contains("--software"),
                    "{reason}"
                );
            }
        }
    }
    let found = machine(&by_driver.inputs()).version.unwrap();
    let version = WindowsVersion {
        major: 10,
        minor: 0,
        build: Some(19041),
    };
    assert_eq!(found.value, version);
    assert!(
        found.from.ends_with(r"\0003, value DriverVersion"),
        "{}",
        found.from
    );
}

#[test]
fn what_the_machine_is_used_as() {
    let options = r"SYSTEM\ControlSet001\Control\ProductOptions";
    let tcpip = r"SYSTEM\ControlSet001\Services\Tcpip\Parameters";
    let client = Lab::new()
        .with(options, "ProductType", sz("WinNT"))
        .with(tcpip, "Domain", sz(""));
    let member = Lab::new()
        .with(options, "ProductType", sz("ServerNT"))
        .with(tcpip, "NV Domain", sz("corp.example"));
    let controller = Lab::new()
        .with(options, "ProductType", sz("ServerNT"))
        .with(
            r"SYSTEM\ControlSet001\Services\NTDS\Parameters",
            "DSA Database file",
            sz("C:\\x"),
        );
    let old_controller = Lab::new().with(options, "ProductType", sz("LanmanNT"));
    let unknown = Lab::new();
    for (lab, when, holds) in [
        (&client, "server: false", true),
        (&client, "domain-member: false", true),
        (&client, "domain-controller: true", false),
        (&member, "server: true", true),
        (&member, "domain-member: true", true),
        (&member, "domain-controller: false", true),
        (&controller, "domain-controller: true", true),
        (&controller, "domain-member: true", true),
        (&old_controller, "domain-controller: true", true),
        (&old_controller, "server: true", true),
        (&unknown, "server: true", false),
        (&unknown, "server: false", false),
        (&unknown, "domain-member: false", false),
        (&unknown, "domain-controller: false", false),
    ] {
        let plan = lab.plan(&guarded(when));
        assert_eq!(!plan.changes.is_empty(), holds, "{when}");
        if !holds {
            let (reason, condition) = left_out(&plan);
            assert!(condition.is_some());
            let is_open = reason.contains("cannot be told");
            assert_eq!(is_open, lab.system == unknown.system, "{reason}");
        }
    }
    let facts = machine(&controller.inputs());
    assert_eq!(facts.product.unwrap().value, ProductType::Server);
}

#[test]
fn the_conditions_of_a_profile_guard_all_of_its_rules() {
    let keys = [
        entry(r"HKLM\SOFTWARE\A", "name: V, dword: 1"),
        format!("  - key: {SERVICES}\\X\n    absent: true\n    why: because\n"),
    ];
    let profile = with_head("x", "when: [ {server: true} ]", &keys.concat());
    let lab = Lab::new().with_key(r"SYSTEM\ControlSet001\Services\X");
    let plan = lab.plan(&profile);
    assert_eq!((plan.changes.len(), plan.skipped.len()), (0, 2));
    let lab = lab.with(
        r"SYSTEM\ControlSet001\Control\ProductOptions",
        "ProductType",
        sz("ServerNT"),
    );
    assert_eq!(lab.plan(&profile).changes.len(), 3);
    lab.repaired(&profile);
}

// ---------------------------------------------------------------- enumerated keys
