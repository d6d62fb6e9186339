// SPDX-License-Identifier: GPL-3.0-or-later
//! Each mark of a plan: it is there where what is in force afterwards differs from what the change wants, and
//! not where it agrees. The number that is wanted is the same in both; only what stands against it is not.

#![cfg(not(windows))]

use crate::machine::{Disk, LISTENER, Machine, POLICY, SERVICES, TERMINAL_SERVER, utf16};

/// The text of a plan that wants `number` for a value in `key`.
fn plan(disk: &Disk, key: &str, name: &str, want: &str, more: &str) -> String {
    let keys =
        format!("  - key: HKLM\\{key}\n    values: [ {{ name: {name}, {want}, why: w }} ]\n{more}");
    let profile = disk.profile("one", &keys);
    disk.run("plan", &["-p", &profile]).expect(0).stdout
}

fn disk(make: impl Fn(&mut Machine)) -> Disk {
    let mut machine = Machine::healthy();
    make(&mut machine);
    machine.write()
}

/// Says the mark on the first machine and not on the second, where both are changed.
fn assert_differs(mark: &str, differs: &str, agrees: &str) {
    assert!(differs.contains(mark), "{mark}:\n{differs}");
    assert!(!agrees.contains(mark), "{mark}:\n{agrees}");
    for text in [differs, agrees] {
        assert!(text.contains("change"), "{text}");
        assert!(!text.contains("nothing to do"), "{text}");
    }
}

#[test]
fn masked_only_where_the_policy_says_something_else() {
    let under = |policy: u32| {
        let disk = disk(|m| {
            m.dword(LISTENER, "SecurityLayer", 1);
            m.dword(POLICY, "SecurityLayer", policy);
        });
        plan(&disk, LISTENER, "SecurityLayer", "dword: 2", "")
    };
    assert_differs("MASKED", &under(0), &under(2));
    // The same plan lifts what masks it.
    let lifted = disk(|m| {
        m.dword(LISTENER, "SecurityLayer", 1);
        m.dword(POLICY, "SecurityLayer", 0);
    });
    let more = format!(
        "  - key: HKLM\\{POLICY}\n    values: [ {{ name: SecurityLayer, dword: 2, why: w }} ]\n"
    );
    let text = plan(&lifted, LISTENER, "SecurityLayer", "dword: 2", &more);
    assert_differs("MASKED", &under(1), &text);
}

#[test]
fn not_heeded_only_where_the_account_decides() {
    let with = |flag: u32| {
        let disk = disk(|m| {
            m.dword(LISTENER, "MaxIdleTime", 60_000);
            m.dword(LISTENER, "fInheritMaxIdleTime", flag);
        });
        plan(&disk, LISTENER, "MaxIdleTime", "dword: 0", "")
    };
    assert_differs("NOT HEEDED", &with(1), &with(0));
}

#[test]
fn will_be_undone_only_where_the_file_writes_something_else() {
    let with = |number: u32| {
        let disk = disk(|m| {
            m.dword(POLICY, "SecurityLayer", 0);
            m.registry_pol("SecurityLayer", 4, &number.to_le_bytes());
        });
        plan(&disk, POLICY, "SecurityLayer", "dword: 2", "")
    };
    assert_differs("WILL BE UNDONE", &with(0), &with(2));
    let deletes = disk(|m| {
        m.dword(POLICY, "KeepAliveEnable", 0);
        m.registry_pol("**del.KeepAliveEnable", 1, &utf16(" "));
    });
    let text = plan(&deletes, POLICY, "KeepAliveEnable", "dword: 1", "");
    assert!(text.contains("deletes it when Windows starts"), "{text}");
}

#[test]
fn may_be_undone_only_in_a_domain() {
    let with = |domain: &str| {
        let disk = disk(|m| {
            m.dword(POLICY, "SecurityLayer", 0);
            m.sz(&format!(r"{SERVICES}\Tcpip\Parameters"), "Domain", domain);
        });
        plan(&disk, POLICY, "SecurityLayer", "dword: 2", "")
    };
    assert_differs("MAY BE UNDONE", &with("corp.example"), &with(""));
}

#[test]
fn lowers_security_only_where_it_does() {
    let with = |fields: &str| {
        let disk = disk(|m| m.dword(LISTENER, "SecurityLayer", 1));
        plan(&disk, LISTENER, "SecurityLayer", fields, "")
    };
    assert_differs(
        "LOWERS SECURITY",
        &with("dword: 0, lowers-security: true"),
        &with("dword: 2"),
    );
    // What is there already is not lowered.
    let there = disk(|m| m.dword(LISTENER, "SecurityLayer", 0));
    let fields = "dword: 0, lowers-security: true";
    let text = plan(&there, LISTENER, "SecurityLayer", fields, "");
    assert!(!text.contains("LOWERS"), "{text}");
}

/// What counts is said at length only to who asks for it.
#[test]
fn what_counts_is_for_who_asks() {
    let disk = disk(|m| {
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
        m.dword(POLICY, "fDenyTSConnections", 0);
    });
    let profile = disk.profile(
        "one",
        &format!(
            "  - key: HKLM\\{TERMINAL_SERVER}\n    values: [ {{ name: fDenyTSConnections, dword: 0, why: w }} ]\n"
        ),
    );
    let text = disk.run("plan", &["-p", &profile]).expect(0).stdout;
    assert!(
        !text.contains("What counts") && !text.contains("MASKED"),
        "{text}"
    );
    let all = disk
        .run("plan", &["-p", &profile, "--verbose"])
        .expect(0)
        .stdout;
    assert!(all.contains("What counts"), "{all}");
}
