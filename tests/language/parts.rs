// SPDX-License-Identifier: GPL-3.0-or-later
//! Parts of a value: lists, tokens, ranges, choices.

use super::*;

#[test]
fn elements_of_a_list() {
    let lab = Lab::new().with(DISK, "UpperFilters", list(&["partmgr", "EvilFlt", "other"]));
    let remove = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-remove: [evilflt, none]"),
    );
    let after = lab.repaired(&remove);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0other\0\0")));
    let keep = profile(
        "x",
        &entry(DISK_KEY, "name: upperfilters, list-keep: [PARTMGR]"),
    );
    let after = lab.repaired(&keep);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0\0")));
    let nothing = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-keep: [none]"),
    );
    let plan = lab.plan(&nothing);
    assert_eq!(plan.changes[0].action, Action::DeleteValue);
    assert_eq!(lab.repaired(&nothing).get(&DISK[7..], "UpperFilters"), None);
}

#[test]
fn what_is_missing_in_a_list_is_put_in() {
    let lab = Lab::new().with(DISK, "UpperFilters", list(&["partmgr"]));
    let add = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-add: [PartMgr, new]"),
    );
    let after = lab.repaired(&add);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0new\0\0")));
    // Nothing is made where there is no list.
    assert_eq!(
        left_out(&Lab::new().with_key(DISK).plan(&add)).0,
        "the value does not exist"
    );
    let text = "name: UpperFilters, list-add: [b], separator: ';'";
    let lab = Lab::new().with(DISK, "UpperFilters", Data::ExpandSz("%a%\\x; c".to_owned()));
    let after = lab.repaired(&profile("x", &entry(DISK_KEY, text)));
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (2, utf16("%a%\\x; c;b\0")));
    let text = "name: UpperFilters, list-remove: [C], separator: ';'";
    let after = lab.repaired(&profile("x", &entry(DISK_KEY, text)));
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (2, utf16("%a%\\x\0")));
}

#[test]
fn who_takes_out_what_another_puts_in_disagrees() {
    let one = |name: &str, text: &str| profile(name, &entry(DISK_KEY, text));
    for (some, others, fine) in [
        ("list-add: [a]", "list-remove: [b]", true),
        ("list-add: [a]", "list-remove: [A]", false),
        ("list-add: [a]", "list-keep: [a, b]", true),
        ("list-add: [a]", "list-keep: [b]", false),
        ("list-add: [a]", "list-add: [b]", true),
        ("list-add: [a], separator: ','", "list-add: [b]", false),
        // The same is written, and the stricter of the two counts.
        ("one-of: [ {dword: 2}, {dword: 1} ]", "dword: 2", true),
        ("one-of: [ {dword: 2}, {dword: 1} ]", "dword: 1", false),
    ] {
        let pair = [
            one("one", &format!("name: F, {some}")),
            one("two", &format!("name: F, {others}")),
        ];
        assert_eq!(conflicts(&pair).is_ok(), fine, "{some} / {others}");
    }
    let lab = Lab::new().with(DISK, "F", Data::Dword(1));
    let wide = one("one", "name: F, one-of: [ {dword: 2}, {dword: 1} ]");
    let strict = one("two", "name: F, dword: 2");
    for pair in [[wide.clone(), strict.clone()], [strict, wide]] {
        let plan = lab.try_plan(&pair).unwrap();
        let after = lab.apply(&plan);
        assert_eq!(after.number(&DISK[7..], "F"), Some(2));
    }
}

#[test]
fn a_star_is_every_value_that_is_there() {
    let lab = Lab::new()
        .with(DISK, "0", Data::Dword(3))
        .with(DISK, "1", Data::Dword(0))
        .with(DISK, "*", Data::Dword(4));
    let all = profile("x", &entry(DISK_KEY, "name: '*', dword: 0"));
    let mut names = changed(&lab.plan(&all));
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names[0].ends_with(":*") && names[1].ends_with(":0"),
        "{names:?}"
    );
    let after = lab.repaired(&all);
    for name in ["0", "1", "*"] {
        assert_eq!(after.number(&DISK[7..], name), Some(0), "{name}");
    }
    let some = profile(
        "x",
        &entry(DISK_KEY, "name: '*', dword: 0, if-one-of: [ {dword: 4} ]"),
    );
    let plan = lab.plan(&some);
    assert_eq!((plan.changes.len(), plan.skipped.len()), (1, 0));
    let literal = profile("x", &entry(DISK_KEY, "name: '*', literal: true, dword: 7"));
    let after = lab.repaired(&literal);
    assert_eq!(after.number(&DISK[7..], "*"), Some(7));
    assert_eq!(after.number(&DISK[7..], "0"), Some(3));
    // It makes no value, and no key.
    for lab in [Lab::new(), Lab::new().with_key(DISK)] {
        assert_eq!(lab.plan(&all).changes, []);
    }
    // With a name that wants something else it is blocked.
    let clash = entry(DISK_KEY, "name: '*', dword: 0") + &entry(DISK_KEY, "name: '0', dword: 3");
    let plan = lab.plan(&profile("x", &clash));
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
}

const RULES_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Rules";
const RULES: &str = r"SYSTEM\ControlSet001\Services\Rules";

#[test]
fn an_entry_is_limited_to_rules_with_these_tokens() {
    let rule = |text: &str| sz(&format!("v2.10|{text}|"));
    let lab = Lab::new()
        .with(RULES, "{1}", rule("Action=SecureServer|Active=TRUE|Dir=In"))
        .with(RULES, "{2}", rule("Action=Request|Active=TRUE"))
        .with(RULES, "{3}", rule("action=secure|Active=TRUE|EP1Port=3390"))
        .with(RULES, "{4}", rule("Action=Secure|Active=TRUE|EP1Port=80"))
        .with(RULES, "{5}", rule("Action=Secure|Active=FALSE"))
        .with(RULES, "{6}", sz("no rule"))
        .with(RULES, "{7}", Data::Dword(1));
    let text = "name: '*', tokens: {Active: 'FALSE'}, \
                if-tokens: {Action: [Secure, SecureServer], EP1Port: ['', $port]}";
    let head = "parameters:\n  - {name: port, title: T, dword: 3389}";
    let profile = with_head("x", head, &entry(RULES_KEY, text));
    let mut with_port = [profile.clone()];
    set_parameters(&mut with_port, &[setting("port=3390")]).unwrap();
    for (profile, wanted) in [(&profile, vec!["{1}"]), (&with_port[0], vec!["{1}", "{3}"])] {
        let plan = lab.plan(profile);
        assert_eq!(plan.blocked, []);
        let names: Vec<String> = changed(&plan);
        let wanted: Vec<String> = wanted.iter().map(|name| format!("Rules:{name}")).collect();
        assert_eq!(names, wanted);
        let again = lab.repaired(profile);
        assert_eq!(again.plan(profile).changes, []);
    }
}

#[test]
fn a_condition_asks_for_a_type_or_for_nothing_at_all() {
    let asked = |choice: &str| guarded(&format!("{TERM}, value: V, is: [ {{{choice}}} ]"));
    let term = r"SYSTEM\ControlSet001\Services\TermService";
    for (data, choice, holds) in [
        (list(&[]), "type-of: multi-sz", true),
        (sz("a"), "type-of: multi-sz", false),
        (sz(""), "empty: true", true),
        (list(&[]), "empty: true", true),
        (sz("a"), "empty: true", false),
        (Data::Dword(0), "empty: true", false),
        (
            sz("WinPeShl.exe"),
            "sz: winpeshl.EXE, same-text: true",
            true,
        ),
        (sz("WinPeShl.exe"), "sz: winpeshl.exe", false),
    ] {
        let lab = Lab::new().with(term, "V", data.clone());
        let plan = lab.plan(&asked(choice));
        assert_eq!(!plan.changes.is_empty(), holds, "{data:?} {choice}");
    }
    // A value that is not there has no type, and no text.
    for choice in ["type-of: sz", "empty: true"] {
        assert_eq!(Lab::new().with_key(term).plan(&asked(choice)).changes, []);
    }
}

#[test]
fn parts_and_choices_that_make_no_sense_are_refused() {
    for (text, message) in [
        (
            "name: A, dword: 1, separator: ','",
            "`separator` is about the elements",
        ),
        (
            "name: A, list-add: [a], separator: ', '",
            "is not one character",
        ),
        (
            "name: A, list-add: ['a,b'], separator: ','",
            "cannot stand between the elements",
        ),
        (
            "name: A, list-add: [a], separator: ' '",
            "cannot stand between the elements",
        ),
        ("name: A, list-add: []", "`list-add` is an empty list"),
        (
            "name: A, dword: 1, literal: true",
            "`literal` is about the name `*`",
        ),
        ("name: A, dword: 1, if-tokens: {}", "`if-tokens` is empty"),
        ("name: A, dword: 1, if-tokens: [a]", "not a map"),
        (
            "name: A, dword: 1, if-tokens: {A: []}",
            "has no text to be compared with",
        ),
        (
            "name: A, dword: 1, if-tokens: {A: x, a: y}",
            "is here twice",
        ),
        (
            "name: A, dword: 1, if-tokens: {A: $p}",
            "the profile has no parameter `p`",
        ),
    ] {
        let said = refused("", &entry(DISK_KEY, text));
        assert!(said.contains(message), "{text}: {said}");
    }
    for (choice, message) in [
        ("type-of: text", "`text` is not a type"),
        ("type-of: sz, sz: a", "stands beside"),
        ("empty: false", "`empty: false` says nothing"),
        ("dword: 1, same-text: true", "`same-text` is about text"),
        ("same-text: true", "has no type"),
        ("empty: true}, {empty: true", "is here twice"),
    ] {
        let keys = format!(
            "  - key: {DISK_KEY}\n    when: [ {{{TERM}, value: V, is: [ {{{choice}}} ]}} ]\n    \
             values:\n      - {{name: V, dword: 1, why: because}}\n"
        );
        let said = refused("", &keys);
        assert!(said.contains(message), "{choice}: {said}");
    }
}

#[test]
fn a_parameter_takes_only_what_it_names() {
    let head = "parameters:\n  - {name: mode, title: T, required: true, type-of: dword, \
                one-of: [ {dword: 2}, {dword: 4} ]}";
    let profile = with_head("x", head, &entry(DISK_KEY, "name: A, parameter: mode"));
    for (text, fine) in [
        ("mode=2", true),
        ("mode=0x4", true),
        ("mode=3", false),
        ("mode=1", false),
    ] {
        let mut given = [profile.clone()];
        let said = set_parameters(&mut given, &[setting(text)]);
        assert_eq!(said.is_ok(), fine, "{text}");
        if let Err(error) = said {
            assert!(error.to_string().contains("one of 2, 4"), "{error}");
        }
    }
    for (head, message) in [
        (
            "dword: 3, one-of: [ {dword: 2}, {dword: 4} ]",
            "is not one of them",
        ),
        (
            "dword: 2, one-of: [ {dword: 2} ]",
            "two or more of its own type",
        ),
        (
            "dword: 2, one-of: [ {dword: 2}, {sz: a} ]",
            "two or more of its own type",
        ),
        (
            "dword: 2, min: 1, one-of: [ {dword: 2}, {dword: 4} ]",
            "`min` stands beside `one-of`",
        ),
    ] {
        let head = format!("parameters:\n  - {{name: mode, title: T, {head}}}");
        let said = refused(&head, &entry(DISK_KEY, "name: A, parameter: mode"));
        assert!(said.contains(message), "{head}: {said}");
    }
}

#[test]
fn a_part_of_what_is_not_there_is_no_drift() {
    for lab in [Lab::new(), Lab::new().with_key(DISK)] {
        for want in ["list-remove: [a]", "list-keep: [a]", "tokens: {A: b}"] {
            let plan = lab.plan(&profile("x", &entry(DISK_KEY, &format!("name: V, {want}"))));
            assert_eq!(left_out(&plan).0, "the value does not exist");
        }
    }
}

#[test]
fn a_part_of_another_type_is_blocked() {
    let lab = Lab::new()
        .with(DISK, "List", sz("a"))
        .with(DISK, "Rule", Data::Dword(1));
    let plan = lab.plan(&profile(
        "x",
        &entry(DISK_KEY, "name: List, list-remove: [a]"),
    ));
    assert_eq!(
        blocked(&plan),
        "a REG_MULTI_SZ was expected, and it has the type REG_SZ"
    );
    let plan = lab.plan(&profile(
        "x",
        &entry(DISK_KEY, "name: Rule, tokens: {A: b}"),
    ));
    assert!(
        blocked(&plan).starts_with("a rule is a REG_SZ, and this value has the type REG_DWORD")
    );
    let text = plan_text(&plan, &Effect::default(), &PlanView::default());
    assert!(
        text.contains("BLOCKED: SYSTEM ControlSet001\\Control\\Class\\X, value Rule"),
        "{text}"
    );
    let verdict = "Plan: it cannot be applied, 1 entry cannot be followed here";
    assert!(text.contains(verdict), "{text}");
}

#[test]
fn tokens_of_a_firewall_rule() {
    let lab = Lab::new().with(DISK, "R", sz(RULE));
    let allow = profile("x", &entry(DISK_KEY, ALLOW));
    let after = lab.repaired(&allow);
    let want = RULE.replace("Block", "Allow");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap(),
        (1, utf16(&format!("{want}\0")))
    );
    let twice = profile("x", &entry(DISK_KEY, "name: R, tokens: {profile: Public}"));
    assert!(blocked(&lab.plan(&twice)).contains("the token profile more than once"));
    let new = profile("x", &entry(DISK_KEY, "name: R, tokens: {Edge: \"TRUE\"}"));
    let after = lab.repaired(&new);
    let want = RULE.replace("v2.10|", "v2.10|Edge=TRUE|");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap().1,
        utf16(&format!("{want}\0"))
    );
}

#[test]
fn two_profiles_may_change_different_parts_of_one_value() {
    let lab = Lab::new()
        .with(DISK, "R", sz(RULE))
        .with(DISK, "L", list(&["a", "b", "c"]));
    let one = entry(DISK_KEY, ALLOW) + &entry(DISK_KEY, "name: L, list-remove: [a]");
    let two = entry(
        DISK_KEY,
        "name: R, tokens: {LPort: \"3390\", action: Allow}",
    ) + &entry(DISK_KEY, "name: L, list-keep: [A, b]");
    let pair = [profile("one", &one), profile("two", &two)];
    assert!(conflicts(&pair).is_ok());
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!(
        (changed(&plan), plan.blocked.len()),
        (vec!["X:R".to_owned(), "X:L".to_owned()], 0)
    );
    let after = lab.apply(&plan);
    let want = RULE.replace("Block", "Allow").replace("3389", "3390");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap().1,
        utf16(&format!("{want}\0"))
    );
    assert_eq!(after.get(&DISK[7..], "L").unwrap().1, utf16("b\0\0"));
    assert_eq!(after.try_plan(&pair).unwrap().changes, []);
    // A third one must agree with both, which `*` hides from the check before the plan.
    let third = [
        pair[0].clone(),
        pair[1].clone(),
        profile(
            "three",
            &entry(
                r"HKLM\SYSTEM\CurrentControlSet\Control\Class\*",
                "name: R, tokens: {LPort: \"1\"}",
            ),
        ),
    ];
    assert!(conflicts(&third).is_ok());
    let plan = lab.try_plan(&third).unwrap();
    assert_eq!(plan.blocked[0].reason, "one wants something else of it");
    let other = [
        profile("one", &entry(DISK_KEY, "name: R, tokens: {A: b}")),
        profile("two", &entry(DISK_KEY, "name: R, tokens: {a: c}")),
    ];
    let said = conflicts(&other).unwrap_err().to_string();
    assert!(
        said.contains("one: A=b") && said.contains("two: a=c"),
        "{said}"
    );
}

/// The change that parts of a value are merged into lowers security as soon as one part does,
/// whichever is planned first; and it says why for each.
#[test]
fn a_change_of_parts_has_the_mark_of_each_part() {
    let lab = Lab::new().with(DISK, "L", list(&["a", "b", "c"]));
    let part = |id: &str, want: &str, lowers: bool| {
        let lowers = if lowers {
            ", lowers-security: true"
        } else {
            ""
        };
        let value = format!("name: L, {want}{lowers}");
        with_head(
            id,
            "undo: none",
            &entry(DISK_KEY, &value).replace("because", id),
        )
    };
    for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
        for wants in [
            ["list-remove: [a]", "list-keep: [a, b]"],
            ["list-keep: [c]", "list-remove: [c]"],
        ] {
            let pair = [part("one", wants[0], first), part("two", wants[1], second)];
            let plan = lab.try_plan(&pair).unwrap();
            let [change] = plan.changes.as_slice() else {
                panic!("{:?}", plan.changes);
            };
            assert_eq!(change.lowers_security, first || second, "{wants:?}");
            assert_eq!(&*change.note, "one; two");
        }
    }
}

#[test]
fn numbers_in_a_range() {
    let want = "name: V, dword: 2, min: 2, max: 4";
    let good = profile("x", &entry(DISK_KEY, want));
    for (found, is_good) in [
        (Data::Dword(2), true),
        (Data::Dword(4), true),
        (Data::Dword(1), false),
        (Data::Dword(5), false),
        (Data::Qword(3), false),
        (sz("3"), false),
        (Data::Binary(vec![3, 0, 0, 0]), false),
    ] {
        let lab = Lab::new().with(DISK, "V", found.clone());
        assert_eq!(lab.plan(&good).changes.is_empty(), is_good, "{found}");
        if !is_good {
            assert_eq!(lab.repaired(&good).number(&DISK[7..], "V"), Some(2));
        }
    }
    let at_least = profile("x", &entry(DISK_KEY, "name: V, qword: 9, min: 9"));
    let lab = Lab::new().with(DISK, "V", Data::Qword(u64::MAX));
    assert_eq!(lab.plan(&at_least).matches, 1);
    for (want, message) in [
        (
            "name: V, dword: 1, min: 2",
            "1 is not in the range from 2 to 4294967295",
        ),
        (
            "name: V, dword: 1, min: 2, max: 1",
            "no number is from 2 to 1",
        ),
        ("name: V, sz: a, min: 2", "`min` goes with one number"),
        (
            "name: V, one-of: [{dword: 1}, {dword: 2}], max: 2",
            "`max` goes with one number",
        ),
        ("name: V, dword: 1, max: 4294967296", "too large"),
    ] {
        assert!(
            refused("", &entry(DISK_KEY, want)).contains(message),
            "{want}"
        );
    }
}

#[test]
fn only_where_it_is_one_of_these_now() {
    let want = "name: Start, dword: 3, if-one-of: [ {dword: 4} ]";
    let fix = profile("x", &entry(DISK_KEY, want));
    let lab = Lab::new().with(DISK, "Start", Data::Dword(4));
    assert_eq!(lab.repaired(&fix).number(&DISK[7..], "Start"), Some(3));
    for (lab, reason) in [
        (Lab::new(), "the value does not exist"),
        (Lab::new().with_key(DISK), "the value does not exist"),
        (
            Lab::new().with(DISK, "Start", Data::Dword(2)),
            "the value is none of those that are changed",
        ),
        (
            Lab::new().with(DISK, "Start", sz("4")),
            "the value is none of those that are changed",
        ),
    ] {
        assert_eq!(left_out(&lab.plan(&fix)).0, reason);
    }
    let lab = Lab::new().with(DISK, "Start", Data::Dword(3));
    assert_eq!(lab.plan(&fix).matches, 1);
    let gone = profile(
        "x",
        &entry(DISK_KEY, "name: A, absent: true, if-one-of: [ {sz: bad} ]"),
    );
    let lab = Lab::new().with(DISK, "A", sz("bad"));
    assert_eq!(lab.repaired(&gone).get(&DISK[7..], "A"), None);
    let lab = Lab::new().with(DISK, "A", sz("good"));
    left_out(&lab.plan(&gone));
}

#[test]
fn text_in_whatever_case() {
    let account = r"name: ObjectName, sz: NT Authority\NetworkService, same-text: true";
    let fix = profile("x", &entry(DISK_KEY, account));
    for (found, is_good) in [
        (sz(r"NT AUTHORITY\NETWORKSERVICE"), true),
        (sz("LocalSystem"), false),
        (
            Data::ExpandSz(r"NT Authority\NetworkService".to_owned()),
            false,
        ),
    ] {
        let lab = Lab::new().with(DISK, "ObjectName", found.clone());
        assert_eq!(lab.plan(&fix).changes.is_empty(), is_good, "{found}");
        if !is_good {
            lab.repaired(&fix);
        }
    }
    let either = "name: ObjectName, one-of: [{sz: LocalSystem}, {sz: A}], same-text: true";
    let lab = Lab::new().with(DISK, "ObjectName", sz("localSYSTEM"));
    assert_eq!(lab.plan(&profile("x", &entry(DISK_KEY, either))).matches, 1);
    let said = refused("", &entry(DISK_KEY, "name: A, dword: 1, same-text: true"));
    assert!(said.contains("`same-text` is about text"), "{said}");
}

// ---------------------------------------------------------------- last known good
