// SPDX-License-Identifier: GPL-3.0-or-later
//! What wins over what: policies over the listener, the user's account over its limits, the local
//! group policy's file over policies; and values that do nothing.

use serde_json::{Value as Json, json};

use crate::machine::{Disk, LISTENER, Machine, POLICY, SERVICES, TERMINAL_SERVER, utf16};

/// A profile about one value of the listener.
fn listener_profile(disk: &Disk, name: &str, number: u32) -> String {
    disk.profile(
        "one-value",
        &format!(
            "  - key: HKLM\\{LISTENER}\n    values: [ {{ name: {name}, dword: {number}, why: w }} ]\n"
        ),
    )
}

/// A profile about one policy.
fn policy_profile(disk: &Disk, name: &str, want: &str) -> String {
    disk.profile(
        "one-policy",
        &format!("  - key: HKLM\\{POLICY}\n    values: [ {{ name: {name}, {want}, why: w }} ]\n"),
    )
}

fn plan(disk: &Disk, profile: &str) -> Json {
    disk.json("plan", &["-p", profile])
}

/// The setting in ControlSet001.
fn setting<'j>(plan: &'j Json, name: &str) -> &'j Json {
    let mut settings = plan["effective"].as_array().unwrap().iter();
    settings
        .find(|setting| setting["control_set"] == "ControlSet001" && setting["value"] == name)
        .unwrap_or_else(|| panic!("no {name} in {plan:#}"))
}

/// What stands against each change, in order: kind and profile.
fn marks(plan: &Json) -> Vec<(String, String)> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let marks = changes.flat_map(|change| change["marks"].as_array().into_iter().flatten());
    let text = |json: &Json| json.as_str().unwrap_or("").to_owned();
    marks
        .map(|mark| (text(&mark["kind"]), text(&mark["profile"])))
        .collect()
}

fn mark(kind: &str, profile: &str) -> (String, String) {
    (kind.to_owned(), profile.to_owned())
}

fn number(json: &Json) -> u64 {
    json["data"]["data"]
        .as_u64()
        .unwrap_or_else(|| panic!("{json}"))
}

#[test]
fn without_policies_the_listener_counts() {
    let disk = Machine::healthy().write();
    let plan = plan(&disk, "rdp-defaults");
    let port = setting(&plan, "PortNumber");
    assert_eq!(port["now"]["source"], "own");
    assert_eq!(number(&port["now"]), 3389);
    assert_eq!(
        port["now"]["from"],
        r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp\PortNumber"
    );
    assert_eq!(marks(&plan), []);
    assert_eq!(plan["debris"], json!([]));
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn a_policy_masks_a_change_of_the_listener() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.dword(LISTENER, "SecurityLayer", 1);
    let disk = machine.write();
    let profile = listener_profile(&disk, "SecurityLayer", 2);
    let plan = plan(&disk, &profile);
    let layer = setting(&plan, "SecurityLayer");
    for when in ["now", "planned", "at_start"] {
        assert_eq!(layer[when]["source"], "policy", "{when}");
        assert_eq!(number(&layer[when]), 0, "{when}");
    }
    assert_eq!(layer["now"]["from"], format!(r"{POLICY}\SecurityLayer"));
    assert_eq!(layer["stored"]["data"], 1);
    // One change in each control set.
    let masked = mark("masked-by-policy", "rdp-policy-clear");
    assert_eq!(marks(&plan), [masked.clone(), masked]);

    let text = disk.run("plan", &["-p", &profile]).expect(0).stdout;
    assert!(text.contains("MASKED: policy SecurityLayer"), "{text}");
    assert!(text.contains("rdp-policy-clear"), "{text}");
    assert!(!text.contains("What counts"), "{text}");
}

#[test]
fn a_plan_that_removes_the_policy_is_not_masked() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.dword(LISTENER, "SecurityLayer", 1);
    let disk = machine.write();
    let keys = format!(
        "  - key: HKLM\\{LISTENER}\n    values: [ {{ name: SecurityLayer, dword: 2, why: w }} ]\n  \
           - key: HKLM\\{POLICY}\n    values: [ {{ name: SecurityLayer, absent: true, why: w }} ]\n"
    );
    let plan = plan(&disk, &disk.profile("both", &keys));
    assert_eq!(marks(&plan), []);
    let layer = setting(&plan, "SecurityLayer");
    assert_eq!(layer["now"]["source"], "policy");
    assert_eq!(layer["planned"]["source"], "own");
    assert_eq!(number(&layer["planned"]), 2);
}

#[test]
fn a_plan_that_deletes_the_policies_key_is_not_masked() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    let disk = machine.write();
    let keys = format!(
        "  - key: HKLM\\{LISTENER}\n    values: [ {{ name: SecurityLayer, dword: 1, why: w }} ]\n  \
           - key: HKLM\\{POLICY}\n    absent: true\n    why: w\n"
    );
    let plan = plan(&disk, &disk.profile("both", &keys));
    assert_eq!(marks(&plan), []);
    assert_eq!(setting(&plan, "SecurityLayer")["planned"]["source"], "own");
}

#[test]
fn a_policy_of_the_wrong_type_wins_over_nothing() {
    let mut machine = Machine::healthy();
    machine.sz(POLICY, "SecurityLayer", "0");
    let disk = machine.write();
    let plan = plan(&disk, &listener_profile(&disk, "SecurityLayer", 1));
    assert_eq!(setting(&plan, "SecurityLayer")["now"]["source"], "own");
    assert_eq!(marks(&plan), []);
    let debris = &plan["debris"][0];
    assert_eq!(debris["flaw"], "type");
    assert_eq!(debris["value"], "SecurityLayer");
    assert_eq!(debris["profile"], "rdp-policy-clear");
}

#[test]
fn a_limit_that_the_template_wrote_as_text_counts() {
    let mut machine = Machine::healthy();
    machine.sz(POLICY, "MaxDisconnectionTime", "0");
    machine.dword(POLICY, "MaxInstanceCount", 999_999);
    let disk = machine.write();
    let plan = plan(&disk, "rdp-defaults");
    let limit = setting(&plan, "MaxDisconnectionTime");
    assert_eq!(limit["now"]["source"], "policy");
    assert_eq!(number(&limit["now"]), 0);
    assert_eq!(plan["debris"], json!([]));
    // 999999 is how the policy says "no limit".
    let count = setting(&plan, "MaxInstanceCount");
    assert_eq!(number(&count["now"]), u64::from(u32::MAX));
}

#[test]
fn the_users_account_wins_over_the_listeners_limit() {
    let mut machine = Machine::healthy();
    machine.dword(LISTENER, "MaxIdleTime", 60_000);
    let disk = machine.write();
    let profile = listener_profile(&disk, "MaxIdleTime", 0);
    let read = plan(&disk, &profile);
    let limit = setting(&read, "MaxIdleTime");
    assert_eq!(limit["now"]["source"], "user-account");
    assert_eq!(limit["now"]["from"], "fInheritMaxIdleTime");
    assert_eq!(limit["now"]["data"], Json::Null);
    let left = mark("left-to-user-account", "");
    assert_eq!(marks(&read), [left.clone(), left]);
    let text = disk.run("plan", &["-p", &profile]).expect(0).stdout;
    assert!(
        text.contains("NOT HEEDED while fInheritMaxIdleTime"),
        "{text}"
    );

    let mut machine = Machine::healthy();
    machine.dword(LISTENER, "MaxIdleTime", 60_000);
    machine.dword(LISTENER, "fInheritMaxIdleTime", 0);
    let disk = machine.write();
    let read = plan(&disk, &listener_profile(&disk, "MaxIdleTime", 0));
    assert_eq!(setting(&read, "MaxIdleTime")["now"]["source"], "own");
    assert_eq!(marks(&read), []);
}

#[test]
fn a_policy_wins_over_the_users_account() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "MaxIdleTime", 60_000);
    let disk = machine.write();
    let plan = plan(&disk, "rdp-defaults");
    assert_eq!(setting(&plan, "MaxIdleTime")["now"]["source"], "policy");
}

#[test]
fn registry_pol_undoes_a_change_of_a_policy() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "fDenyTSConnections", 1);
    machine.registry_pol("fDenyTSConnections", 4, &1_u32.to_le_bytes());
    let disk = machine.write();
    let profile = policy_profile(&disk, "fDenyTSConnections", "dword: 0");
    let read = plan(&disk, &profile);
    assert_eq!(
        marks(&read),
        [mark("undone-by-registry-pol", "group-policy-park")]
    );
    let deny = setting(&read, "fDenyTSConnections");
    assert_eq!(number(&deny["now"]), 1);
    assert_eq!(number(&deny["planned"]), 0);
    assert_eq!(number(&deny["at_start"]), 1);
    let text = disk.run("plan", &["-p", &profile]).expect(0).stdout;
    assert!(text.contains("WILL BE UNDONE"), "{text}");
    assert!(text.contains("when Windows starts"), "{text}");

    // Nothing is undone where the file says the same.
    let read = plan(
        &disk,
        &policy_profile(&disk, "fDenyTSConnections", "dword: 1"),
    );
    assert_eq!(marks(&read), []);
}

#[test]
fn registry_pol_brings_a_deleted_policy_back() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.registry_pol("SecurityLayer", 4, &0_u32.to_le_bytes());
    let disk = machine.write();
    let profile = policy_profile(&disk, "SecurityLayer", "absent: true");
    let undone = mark("undone-by-registry-pol", "group-policy-park");
    assert_eq!(marks(&plan(&disk, &profile)), std::slice::from_ref(&undone));
    let keys = format!("  - key: HKLM\\{POLICY}\n    absent: true\n    why: w\n");
    let whole = disk.profile("whole", &keys);
    assert_eq!(marks(&plan(&disk, &whole)), [undone]);
}

#[test]
fn registry_pol_masks_the_listener_from_the_next_start() {
    let mut machine = Machine::healthy();
    machine.registry_pol("SecurityLayer", 4, &0_u32.to_le_bytes());
    let disk = machine.write();
    let read = plan(&disk, &listener_profile(&disk, "SecurityLayer", 1));
    let undone = mark("undone-by-registry-pol", "group-policy-park");
    assert_eq!(marks(&read), [undone.clone(), undone]);
    let layer = setting(&read, "SecurityLayer");
    assert_eq!(layer["planned"]["source"], "own");
    assert_eq!(layer["at_start"]["source"], "policy");

    // A policy that is in force already, and would come back: both are said.
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.registry_pol("SecurityLayer", 4, &0_u32.to_le_bytes());
    let disk = machine.write();
    let read = plan(&disk, &listener_profile(&disk, "SecurityLayer", 1));
    assert_eq!(
        marks(&read)[..2],
        [
            mark("masked-by-policy", "rdp-policy-clear"),
            mark("undone-by-registry-pol", "group-policy-park"),
        ]
    );
}

#[test]
fn registry_pol_may_delete_a_policy() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "KeepAliveEnable", 0);
    machine.registry_pol("**del.KeepAliveEnable", 1, &utf16(" "));
    let disk = machine.write();
    let read = plan(&disk, &policy_profile(&disk, "KeepAliveEnable", "dword: 1"));
    assert_eq!(
        marks(&read),
        [mark("undone-by-registry-pol", "group-policy-park")]
    );
    assert_eq!(
        setting(&read, "KeepAliveTimeout")["at_start"]["source"],
        "own"
    );
}

#[test]
fn parked_group_policy_undoes_nothing() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.registry_pol("SecurityLayer", 4, &0_u32.to_le_bytes());
    machine.dword(&format!(r"{SERVICES}\gpsvc"), "Start", 4);
    let disk = machine.write();
    let read = plan(
        &disk,
        &policy_profile(&disk, "SecurityLayer", "absent: true"),
    );
    assert_eq!(marks(&read), []);

    // The same where the plan parks it.
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.registry_pol("SecurityLayer", 4, &0_u32.to_le_bytes());
    let disk = machine.write();
    let keys = format!(
        "  - key: HKLM\\{SERVICES}\\gpsvc\n    values: [ {{ name: Start, dword: 4, why: w }} ]\n  \
           - key: HKLM\\{POLICY}\n    values: [ {{ name: SecurityLayer, absent: true, why: w }} ]\n"
    );
    assert_eq!(marks(&plan(&disk, &disk.profile("park", &keys))), []);
}

#[test]
fn a_member_of_a_domain_may_have_its_policies_written_again() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    let tcpip = format!(r"{SERVICES}\Tcpip\Parameters");
    machine.sz(&tcpip, "Domain", "corp.example");
    let disk = machine.write();
    let profile = policy_profile(&disk, "SecurityLayer", "absent: true");
    let read = plan(&disk, &profile);
    assert_eq!(marks(&read), [mark("domain-policy", "group-policy-park")]);
    let text = disk.run("plan", &["-p", &profile]).expect(0).stdout;
    assert!(text.contains("MAY BE UNDONE"), "{text}");
    // A change of the listener is not the domain's matter.
    let read = plan(&disk, &listener_profile(&disk, "fLogonDisabled", 1));
    assert_eq!(marks(&read), []);
}

#[test]
fn a_registry_pol_that_cannot_be_read_is_said_and_stops_nothing() {
    let mut machine = Machine::healthy();
    machine.registry_pol_bytes(b"no policy");
    let disk = machine.write();
    let read = plan(&disk, &listener_profile(&disk, "SecurityLayer", 1));
    let warning = read["warnings"][0].as_str().unwrap();
    assert!(warning.contains("Registry.pol"), "{warning}");
    assert_eq!(read["summary"]["changes"], 2);
}

#[test]
fn a_software_hive_that_is_missing_or_damaged_is_said_and_stops_nothing() {
    let disk = Machine::healthy().write();
    let profile = listener_profile(&disk, "SecurityLayer", 1);
    let software = disk.config().join("SOFTWARE");
    std::fs::write(&software, b"no hive").unwrap();
    let read = plan(&disk, &profile);
    assert_eq!(read["summary"]["changes"], 2);
    let said = |read: &Json| {
        let warnings = read["warnings"].as_array().unwrap().iter();
        let warnings: Vec<&str> = warnings.filter_map(Json::as_str).collect();
        warnings.iter().any(|warning| warning.contains("SOFTWARE"))
    };
    assert!(said(&read), "{read:#}");
    std::fs::remove_file(&software).unwrap();
    assert!(said(&plan(&disk, &profile)));
    // No word where the profile is about something else.
    let other = disk.profile(
        "other",
        "  - key: HKLM\\SYSTEM\\Select\n    values: [ { name: Failed, dword: 1, why: w } ]\n",
    );
    assert_eq!(plan(&disk, &other)["warnings"], json!([]));
}

#[test]
fn debris_of_mistyped_procedures_is_reported() {
    let mut machine = Machine::healthy();
    machine.dword(LISTENER, "'SecurityLayer'", 0);
    machine.dword(LISTENER, " MaxIdleTime", 0);
    machine.dword(TERMINAL_SERVER, "\u{201c}fDenyTSConnections\u{201d}", 0);
    machine.dword(POLICY, "'KeepAliveEnable'", 1);
    let disk = machine.write();
    let read = plan(&disk, "rdp-defaults");
    let debris = read["debris"].as_array().unwrap();
    let found = |value: &str, meant: &str, hive: &str, profile: Option<&str>| {
        let mut debris = debris.iter();
        debris.any(|debris| {
            debris["value"] == value
                && debris["meant"] == meant
                && debris["hive"] == hive
                && debris["flaw"] == "name"
                && debris["profile"].as_str() == profile
        })
    };
    let known = Some("rdp-debris");
    assert!(
        found("'SecurityLayer'", "SecurityLayer", "SYSTEM", known),
        "{read:#}"
    );
    assert!(
        found(" MaxIdleTime", "MaxIdleTime", "SYSTEM", known),
        "{read:#}"
    );
    assert!(found(
        "'KeepAliveEnable'",
        "KeepAliveEnable",
        "SOFTWARE",
        known
    ));
    // No procedure leaves these quotes, so no built-in profile knows the name.
    let quoted = "\u{201c}fDenyTSConnections\u{201d}";
    assert!(
        found(quoted, "fDenyTSConnections", "SYSTEM", None),
        "{read:#}"
    );
    // Three in each control set, and the policy.
    assert_eq!(debris.len(), 7);
    let text = disk.run("plan", &["-p", "rdp-defaults"]).expect(0).stdout;
    assert!(
        text.contains("'SecurityLayer'") && text.contains("rdp-debris"),
        "{text}"
    );
}

#[test]
fn numbers_stored_as_text_are_reported_and_do_not_count() {
    let mut machine = Machine::healthy();
    machine.sz(LISTENER, "PortNumber", "d3d");
    machine.sz(TERMINAL_SERVER, "fDenyTSConnections", "0");
    // Text by right.
    machine.sz(TERMINAL_SERVER, "SnapshotMonitors", "1");
    let disk = machine.write();
    let read = plan(&disk, "rdp-defaults");
    let flaws: Vec<(&str, &str)> = read["debris"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|debris| debris["control_set"] == "ControlSet001")
        .map(|debris| {
            assert_eq!(debris["flaw"], "type");
            (
                debris["value"].as_str().unwrap(),
                debris["profile"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        flaws,
        [
            ("fDenyTSConnections", "rdp-enable"),
            ("PortNumber", "rdp-port")
        ]
    );
    assert_eq!(setting(&read, "PortNumber")["now"]["source"], "default");
    assert_eq!(setting(&read, "PortNumber")["stored"]["data"], "d3d");
}

#[test]
fn apply_reports_the_same_and_from_a_plan_file_too() {
    let mut machine = Machine::healthy();
    machine.dword(POLICY, "SecurityLayer", 0);
    machine.dword(LISTENER, "'SecurityLayer'", 0);
    let disk = machine.write();
    let profile = listener_profile(&disk, "SecurityLayer", 1);
    let file = disk.path.with_file_name("plan.json");
    let file = file.to_str().unwrap();
    let planned = disk.json("plan", &["-p", &profile, "-o", file]);
    assert_eq!(marks(&planned).len(), 2);
    let applied = disk.json("apply", &["--plan", file, "--yes"]);
    assert_eq!(applied["outcome"]["status"], "applied");
    for member in ["changes", "effective", "debris", "warnings"] {
        assert_eq!(applied[member], planned[member], "{member}");
    }
}

#[test]
fn verbose_lists_every_setting() {
    let disk = Machine::healthy().write();
    let brief = disk.run("plan", &["-p", "rdp-defaults"]).expect(0).stdout;
    assert!(!brief.contains("What counts"), "{brief}");
    let long = disk
        .run("plan", &["-p", "rdp-defaults", "-v"])
        .expect(0)
        .stdout;
    assert!(
        long.contains("PortNumber") && long.contains("dword:00000d3d"),
        "{long}"
    );
}
