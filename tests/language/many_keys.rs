// SPDX-License-Identifier: GPL-3.0-or-later
//! `*` and `{GUID}` in keys.

use super::*;

#[test]
fn a_star_is_every_key_that_is_there() {
    let interfaces = format!("{SERVICES}\\Tcpip\\Parameters\\Interfaces\\*");
    let profile = profile("x", &entry(&interfaces, "name: EnableDHCP, dword: 1"));
    let below =
        |name: &str| format!(r"SYSTEM\ControlSet001\Services\Tcpip\Parameters\Interfaces\{name}");
    for lab in [
        Lab::new(),
        Lab::new().with_key(below("").trim_end_matches('\\')),
    ] {
        let (reason, _) = left_out(&lab.plan(&profile));
        assert_eq!(reason, "no key matches");
    }
    let one = Lab::new().with(&below("{1}"), "EnableDHCP", Data::Dword(0));
    let after = one.repaired(&profile);
    assert_eq!(after.number(&below("{1}")[7..], "EnableDHCP"), Some(1));
    let many = one
        .with(&below("{2}"), "EnableDHCP", Data::Dword(1))
        .with_key(&below("plain"));
    assert_eq!(
        changed(&many.plan(&profile)),
        ["plain:EnableDHCP", "{1}:EnableDHCP"]
    );
    assert_eq!(many.plan(&profile).matches, 1);
    many.repaired(&profile);
}

#[test]
fn a_guid_is_every_key_with_such_a_name_and_no_key_is_made() {
    let guid = "{4D36E967-e325-11CE-BFC1-08002BE10318}";
    let class = r"SYSTEM\ControlSet001\Control\Class";
    let lab = Lab::new()
        .with(&format!(r"{class}\{guid}\0000"), "A", Data::Dword(0))
        .with_key(&format!(r"{class}\{guid}\0001"))
        .with_key(&format!(
            r"{class}\{{4D36E967-e325-11CE-BFC1-08002BE1031}}\0000"
        ))
        .with_key(&format!(r"{class}\Properties\0000"));
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{GUID}\*";
    let plan = lab.plan(&profile("x", &entry(key, "name: A, dword: 1")));
    assert_eq!(changed(&plan), ["0000:A", "0001:A"]);
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{GUID}\0002";
    let (reason, _) = left_out(&lab.plan(&profile("x", &entry(key, "name: A, dword: 1"))));
    assert_eq!(reason, "the key does not exist");
}

#[test]
fn a_condition_can_be_about_the_key_that_a_star_stands_for() {
    let interfaces = r"SYSTEM\ControlSet001\Services\Tcpip\Parameters\Interfaces";
    let lab = Lab::new()
        .with(
            &format!(r"{interfaces}\{{1}}"),
            "NameServer",
            sz("10.0.0.1"),
        )
        .with(&format!(r"{interfaces}\{{2}}"), "NameServer", sz(""));
    let star = format!(r"{SERVICES}\Tcpip\Parameters\Interfaces\*");
    let key = format!(
        "  - key: {star}\n    when: [ {{key: {star}, value: NameServer, is-not: [ {{sz: ''}} ]}} ]\n    \
         values: [ {{name: V, dword: 1, why: because}} ]\n"
    );
    assert_eq!(changed(&lab.plan(&profile("x", &key))), ["{1}:V"]);
    let said = refused("", &key.replacen(&star, r"HKLM\SOFTWARE\A", 1));
    assert!(
        said.contains("more `*` or `{GUID}` here than in the entry's key"),
        "{said}"
    );
}

#[test]
fn everything_at_once_is_never_meant() {
    for (key, message) in [
        (r"HKLM\SYSTEM\*", "everything there is"),
        (r"HKLM\SYSTEM\CurrentControlSet\*\A", "everything there is"),
        (r"HKLM\SOFTWARE\{GUID}\A", "everything there is"),
        (r"HKLM\SOFTWARE\A\*\*\*", "two parts"),
    ] {
        assert!(
            refused("", &entry(key, "name: A, dword: 1")).contains(message),
            "{key}"
        );
    }
    let gone = |key: &str| format!("  - key: {key}\n    absent: true\n    why: because\n");
    assert!(refused("", &gone(&format!("{SERVICES}\\*"))).contains("would be deleted"));
    // What is below each of them may go.
    let lab = Lab::new()
        .with_key(r"SYSTEM\ControlSet001\Services\A\Bad")
        .with_key(r"SYSTEM\ControlSet001\Services\B\Bad")
        .with_key(r"SYSTEM\ControlSet001\Services\C");
    let profile = profile("x", &gone(&format!("{SERVICES}\\*\\Bad")));
    assert_eq!(lab.plan(&profile).changes.len(), 2);
    lab.repaired(&profile);
}

#[test]
fn more_keys_than_anyone_means_are_blocked() {
    let system = edited(&Lab::new().system, |editor| {
        for number in 0..4097 {
            let key = format!(r"ControlSet001\Services\{number}");
            editor.create_key(&path(&key)).unwrap();
        }
    });
    let lab = Lab {
        system,
        software: None,
    };
    let profile = profile("x", &entry(&format!("{SERVICES}\\*"), "name: A, dword: 1"));
    assert_eq!(
        blocked(&lab.plan(&profile)),
        "more than 4096 keys match: that is not meant"
    );
}

/// Which real keys `*` shares with another entry shows in the plan only.
#[test]
fn a_star_and_a_name_that_disagree_are_blocked() {
    let lab = Lab::new().with_key(r"SYSTEM\ControlSet001\Services\A\One");
    let star = profile(
        "star",
        &entry(&format!(r"{SERVICES}\A\*"), "name: V, dword: 1"),
    );
    let named = |number| {
        let value = format!("name: v, dword: {number}");
        profile("named", &entry(&format!(r"{SERVICES}\A\one"), &value))
    };
    let pair = [star.clone(), named(1)];
    assert!(conflicts(&pair).is_ok());
    assert_eq!(lab.try_plan(&pair).unwrap().changes.len(), 1);
    let plan = lab.try_plan(&[star.clone(), named(2)]).unwrap();
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.blocked[0].reason, "star wants something else of it");
    // And a key that one deletes is not written into by the other.
    let gone = format!("  - key: {SERVICES}\\A\n    absent: true\n    why: because\n");
    let plan = lab.try_plan(&[star, profile("gone", &gone)]).unwrap();
    assert_eq!(changed(&plan), ["A:(key)"]);
    assert_eq!(plan.blocked[0].reason, "gone deletes the key");
}

// ---------------------------------------------------------------- parts of values
