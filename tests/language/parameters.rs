// SPDX-License-Identifier: GPL-3.0-or-later
//! Parameters and their settings.

use super::*;

#[test]
fn a_parameter_is_its_default_until_it_is_set() {
    let keys = entry(DISK_KEY, "name: PortNumber, parameter: port")
        + &entry(DISK_KEY, "name: R, tokens: {LPort: $port}");
    let profile = with_head("x", PORT, &keys);
    let lab = Lab::new()
        .with(DISK, "PortNumber", Data::Dword(1))
        .with(DISK, "R", sz(RULE));
    let after = lab.repaired(&profile);
    assert_eq!(after.number(&DISK[7..], "PortNumber"), Some(3389));
    let mut set = vec![profile];
    set_parameters(&mut set, &[setting("port=0xD3E")]).unwrap();
    let after = lab.repaired(&set[0]);
    assert_eq!(after.number(&DISK[7..], "PortNumber"), Some(3390));
    let rule = after.get(&DISK[7..], "R").unwrap().1;
    assert_eq!(rule, utf16(&format!("{}\0", RULE.replace("3389", "3390"))));
}

#[test]
fn a_setting_that_does_not_fit_says_what_does() {
    let keys = entry(DISK_KEY, "name: A, parameter: port")
        + &entry(DISK_KEY, "name: B, parameter: servers")
        + &entry(DISK_KEY, "name: C, tokens: {App: $app}");
    let head = format!(
        "{PORT}\n  - {{name: servers, title: The servers, multi-sz: [a]}}\n  \
         - {{name: app, title: The program, sz: x}}"
    );
    let read = |settings: &[&str]| -> Result<Profile, SettingError> {
        let mut profiles = vec![with_head("x", &head, &keys)];
        let settings: Result<Vec<Setting>, _> = settings.iter().map(|s| Setting::read(s)).collect();
        set_parameters(&mut profiles, &settings?)?;
        Ok(profiles.remove(0))
    };
    let set = read(&["servers=one, two", "port=65535"]).unwrap();
    let servers = &set.keys[1].values[0].want;
    assert_eq!(*servers, Want::Data(list(&["one", "two"])));
    for (settings, said) in [
        (
            vec!["port=0"],
            "`0` cannot be `port` (The port): a number from 1 to 65535",
        ),
        (vec!["port=65536"], "a number from 1 to 65535"),
        (vec!["port=08"], "a number from 1 to 65535"),
        (vec!["port=-1"], "a number from 1 to 65535"),
        (vec!["port="], "a number from 1 to 65535"),
        (vec!["port=x\u{1b}[2J"], "x\\u{1b}[2J"),
        (vec!["servers=a,,b"], "names with commas between them"),
        (vec!["app=a|b"], "text without a |"),
        (vec!["app="], "text that is not empty"),
        (
            vec!["prot=1"],
            "no profile here has a parameter `prot`; there are: port (a number",
        ),
        (vec!["port=1", "port=1"], "`port` is set twice"),
        (vec!["port"], "`port` is not NAME=VALUE"),
        (vec!["=1"], "`=1` is not NAME=VALUE"),
    ] {
        let found = read(&settings).unwrap_err().to_string();
        assert!(found.contains(said), "{found}");
        assert!(!found.contains('\u{1b}'));
    }
}

#[test]
fn a_required_parameter_must_be_given() {
    let head =
        "parameters:\n  - {name: mode, title: The mode, required: true, type-of: dword, max: 5}";
    let keys = entry(DISK_KEY, "name: Mode, parameter: mode, max: 9")
        + &entry(DISK_KEY, "name: R, tokens: {Mode: $mode}");
    let mut profiles = vec![with_head("x", head, &keys)];
    let said = set_parameters(&mut profiles, &[]).unwrap_err().to_string();
    assert!(
        said.starts_with("the profile x needs --set mode=...: The mode; a number from 0 to 5"),
        "{said}"
    );
    // Whoever goes on all the same is stopped by the plan.
    let lab = Lab::new().with(DISK, "R", sz(RULE));
    let plan = lab.plan(&profiles[0]);
    assert_eq!((plan.changes.len(), plan.blocked.len()), (0, 2));
    set_parameters(&mut profiles, &[setting("mode=4")]).unwrap();
    let after = lab.repaired(&profiles[0]);
    assert_eq!(after.number(&DISK[7..], "Mode"), Some(4));
    // The range of the entry is that of good numbers.
    let lab = Lab::new().with(DISK, "Mode", Data::Dword(9));
    assert_eq!(lab.plan(&profiles[0]).matches, 1);
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let keys = entry(DISK_KEY, "name: A, dword: 1");
    for (head, message) in [
        (
            "parameters:\n  - {name: p, title: T}",
            "a parameter needs a type with its default",
        ),
        (
            "parameters:\n  - {name: p, title: T, dword: 1, sz: a}",
            "`sz` stands beside `dword`",
        ),
        (
            "parameters:\n  - {name: p, title: T, required: true, dword: 1}",
            "a parameter needs a type with its default",
        ),
        (
            "parameters:\n  - {name: p, title: T, required: true, type-of: binary}",
            "`binary` is not a type of a parameter",
        ),
        (
            "parameters:\n  - {name: p, title: T, dword: 0, min: 1}",
            "the default 0 is not in the range",
        ),
        (
            "parameters:\n  - {name: p, title: T, sz: a, min: 1}",
            "`min` goes with numbers",
        ),
        (
            "parameters:\n  - {name: P, title: T, sz: a}",
            "`P` cannot be the name of a parameter",
        ),
        (
            "parameters:\n  - {name: p, title: T, sz: a}\n  - {name: p, title: T, sz: b}",
            "the parameter `p` is here twice",
        ),
        (
            "parameters:\n  - {title: T, sz: a}",
            "a parameter has no `name`",
        ),
    ] {
        assert!(refused(head, &keys).contains(message), "{head}");
    }
    for (value, message) in [
        (
            "name: A, parameter: prot",
            "the profile has no parameter `prot`",
        ),
        (
            "name: A, tokens: {B: $prot}",
            "the profile has no parameter `prot`",
        ),
        (
            "name: A, parameter: port, dword: 1",
            "`dword` stands beside `parameter`",
        ),
        (
            "name: A, parameter: port, max: 5",
            "`port` can be a number that is not good here",
        ),
        (
            "name: A, tokens: {B: a|b}",
            "`a|b` cannot be the text of a token",
        ),
        ("name: A, tokens: {B: TRUE}", "without quotes is yes or no"),
        ("name: A, tokens: {B=C: a}", "cannot be the name of a token"),
        (
            "name: A, tokens: {B: a, b: c}",
            "the token `b` is here twice",
        ),
        ("name: A, tokens: {}", "`tokens` is empty"),
        ("name: A, tokens: [a]", "`tokens` is a list, not a map"),
        ("name: A, list-remove: []", "`list-remove` is an empty list"),
        (
            "name: A, list-remove: [a, A]",
            "`list-remove` names `A` twice",
        ),
        ("name: A, list-keep: ['']", "`list-keep` has an empty name"),
        (
            "name: A, dword: 1, if-one-of: []",
            "`if-one-of` is an empty list",
        ),
        (
            "name: A, dword: 1, if-one-of: [1]",
            "a choice of `if-one-of` is a single value",
        ),
        (
            "name: A, dword: 1, impact: blocks, cause: c",
            "its profile has none",
        ),
    ] {
        let said = refused(PORT, &entry(DISK_KEY, value));
        assert!(said.contains(message), "{value}: {said}");
    }
}
