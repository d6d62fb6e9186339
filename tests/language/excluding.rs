// SPDX-License-Identifier: GPL-3.0-or-later
//! Conditions that exclude each other, and those that make no sense.

use super::*;

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let values = "    values: [ {name: A, dword: 1, why: w} ]\n";
    for (when, message) in [
        (
            "{windows: '6.1'}",
            "`6.1` is not a range of Windows versions",
        ),
        (
            "{windows: '>=10.0 <6.1'}",
            "no version of Windows is `>=10.0 <6.1`",
        ),
        (
            "{windows: '>=6.1', server: true}",
            "`server` stands beside `windows`",
        ),
        (
            r"{key: HKLM\SOFTWARE\A}",
            "a condition does not say what must be so",
        ),
        (
            r"{key: HKLM\SOFTWARE, exists: true}",
            "this is a whole hive",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, is: [ {dword: 1} ]}",
            "`is` is about a value, and none is named",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, value: B, is: [ {dword: 1} ], is-not: [ {dword: 1} ]}",
            "`is-not` stands beside `is`",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, value: B, is: []}",
            "`is` is an empty list",
        ),
        ("{exists: true}", "a condition has no `key`"),
        ("{server: yes}", "write true"),
        ("{os: 7}", "`os` is not a field of a condition"),
    ] {
        let keys = format!("  - key: {DISK_KEY}\n    when: [ {when} ]\n{values}");
        let said = refused("", &keys);
        assert!(said.contains(message), "{when}: {said}");
        assert!(said.starts_with("x.yaml:7:"), "{said}");
    }
    assert!(refused("when: []", values).contains("`when` is an empty list"));
    assert!(refused("impact: blocks", values).contains("a profile has `impact` and no `cause`"));
    assert!(refused("impact: bad\ncause: c", values).contains("write blocks, weakens or unusual"));
}

// ---------------------------------------------------------------- what goes together

#[test]
fn entries_whose_conditions_exclude_each_other_are_no_conflict() {
    let guarded = |when: &str, number: u32| {
        format!(
            "  - key: {DISK_KEY}\n    when: [ {{{when}}} ]\n    values:\n      \
             - {{name: Start, dword: {number}, why: because}}\n"
        )
    };
    let exists = |exists| format!(r"key: HKLM\SOFTWARE\A, exists: {exists}");
    for (one, two, fine) in [
        (
            "domain-member: true".to_owned(),
            "domain-member: false".to_owned(),
            true,
        ),
        (
            "windows: '<6.2'".to_owned(),
            "windows: '>=6.2'".to_owned(),
            true,
        ),
        (
            "windows: '<6.2'".to_owned(),
            "windows: '>=6.1'".to_owned(),
            false,
        ),
        (
            "server: true".to_owned(),
            "domain-member: true".to_owned(),
            false,
        ),
        (exists(true), exists(false), true),
        (exists(true), exists(true), false),
    ] {
        let keys = guarded(&one, 2) + &guarded(&two, 3);
        let text = text_of("x", "", &keys);
        assert_eq!(parse(text.as_bytes(), "x").is_ok(), fine, "{one} / {two}");
        let pair = [
            profile("one", &guarded(&one, 2)),
            profile("two", &guarded(&two, 3)),
        ];
        assert_eq!(conflicts(&pair).is_ok(), fine, "{one} / {two}");
    }
    // The conditions of the profiles count too.
    let keys = entry(DISK_KEY, "name: Start, dword: 2");
    let other = entry(DISK_KEY, "name: Start, dword: 3");
    let pair = [
        with_head("one", "when: [ {server: true} ]", &keys),
        with_head("two", "when: [ {server: false} ]", &other),
    ];
    assert!(conflicts(&pair).is_ok());
    let lab = Lab::new().with(
        r"SYSTEM\ControlSet001\Control\ProductOptions",
        "ProductType",
        sz("WinNT"),
    );
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!(plan.changes.last().unwrap().profile, "two");
    assert_eq!((plan.changes.len(), plan.skipped.len()), (3, 1));
}
