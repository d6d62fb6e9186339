// SPDX-License-Identifier: GPL-3.0-or-later
//! `set` and `unset`: one change, by the very way that a profile's changes go.

#![cfg(not(windows))]

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::Bench;
use crate::jury;

const TERMINAL_SERVER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server";

fn value(bench: &Bench, key: &str, name: &str) -> Json {
    let shown = bench
        .run("show", &[key, name, "--format", "json"])
        .expect(0);
    let value = &shown.json()["values"][0];
    json!({ "type": value["type"], "data": value["data"] })
}

#[test]
fn each_type_is_written_as_it_was_typed() {
    let bench = Bench::sample();
    let key = r"SOFTWARE\Acme\New";
    for (kind, words, shown, data) in [
        ("dword", &["3390"][..], "REG_DWORD", json!(3390)),
        (
            "REG_DWORD",
            &["0xffffffff"],
            "REG_DWORD",
            json!(0xffff_ffff_u32),
        ),
        (
            "qword",
            &["0x100000000"],
            "REG_QWORD",
            json!(0x1_0000_0000_u64),
        ),
        ("sz", &["a \"b\" ü: #"], "REG_SZ", json!("a \"b\" ü: #")),
        ("sz", &[""], "REG_SZ", json!("")),
        (
            "reg_expand_sz",
            &["%SystemRoot%\\x"],
            "REG_EXPAND_SZ",
            json!("%SystemRoot%\\x"),
        ),
        (
            "multi-sz",
            &["one", "two words"],
            "REG_MULTI_SZ",
            json!(["one", "two words"]),
        ),
        ("multi-sz", &[], "REG_MULTI_SZ", json!([])),
        ("binary", &["01", "02ff"], "REG_BINARY", json!("0102ff")),
        ("none", &[], "REG_NONE", json!("")),
    ] {
        let mut all = vec![key, "it's *", kind];
        all.extend(words);
        all.push("--yes");
        bench.run("set", &all).expect(0);
        let want = json!({ "type": shown, "data": data });
        assert_eq!(value(&bench, key, "it's *"), want, "{kind} {words:?}");
    }
    bench
        .run("set", &[key, "*", "sz", "--yes", "--", "-x"])
        .expect(0);
    assert_eq!(value(&bench, key, "*")["data"], "-x");
    bench
        .run("set", &[key, "", "sz", "unnamed", "--yes"])
        .expect(0);
    assert_eq!(value(&bench, key, "")["data"], "unnamed");
    bench.run("unset", &[key, "*", "--yes"]).expect(2);
    bench.run("unset", &[key, "it's *", "--yes"]).expect(0);
    bench.run("show", &[key, "it's *"]).expect(2);
    bench.run("show", &[key, "*"]).expect(0);
    bench.run("unset", &[r"SOFTWARE\Acme", "--yes"]).expect(0);
    bench.run("show", &[key]).expect(2);
    jury::judges_accept(&bench.hive("SOFTWARE")).unwrap();
}

#[test]
fn it_is_a_plan_and_a_backup_like_any_other() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let words = [
        TERMINAL_SERVER,
        "fDenyTSConnections",
        "dword",
        "1",
        "--why",
        "ticket 4711",
    ];
    fn joined<'w>(words: &[&'w str], more: &[&'w str]) -> Vec<&'w str> {
        [words, more].concat()
    }
    let with = |more: &[&'static str]| joined(&words[..], more);

    let shown = bench.run("set", &with(&["--dry-run"])).expect(0);
    assert!(shown.stdout.contains("fDenyTSConnections"), "{shown:?}");
    let next = shown.stdout.lines().last().unwrap();
    assert!(
        next.contains("hivemend set ")
            && ["'ticket 4711'", "\"ticket 4711\""]
                .iter()
                .any(|why| next.contains(why)),
        "{shown:?}"
    );
    assert!(!next.contains("dry-run"), "{shown:?}");
    let plan = bench
        .run("set", &with(&["-n", "--format", "json"]))
        .expect(0)
        .json();
    assert_eq!(plan["schema"], "hivemend.plan/1");
    let sets: Vec<&Json> = plan["changes"].as_array().unwrap().iter().collect();
    assert_eq!(sets.len(), 2, "in every control set: {plan}");
    assert!(sets.iter().all(|change| change["note"] == "ticket 4711"));
    // Nobody agreed.
    bench.run("set", &words).expect(2);
    assert_eq!(bench.snapshot(), before);

    let done = bench
        .run("set", &with(&["--yes", "--format", "json"]))
        .expect(0)
        .json();
    assert_eq!(done["changes"], plan["changes"]);
    assert_eq!(done["outcome"]["status"], "applied");
    let backup = done["outcome"]["backup"]["path"].as_str().unwrap();
    let manifest = fs::read_to_string(format!("{backup}/manifest.json")).unwrap();
    assert!(manifest.contains("ticket 4711"), "{manifest}");
    jury::judges_accept(&bench.hive("SYSTEM")).unwrap();

    let again = bench.run("set", &with(&["--yes"])).expect(0);
    assert!(again.stdout.contains("no drift"), "{again:?}");
    let hives = |bench: &Bench| {
        bench
            .hives()
            .into_iter()
            .map(|(path, (sum, _))| (path, sum))
    };
    bench.run("restore", &["--yes"]).expect(0);
    let old = before.into_iter().map(|(path, (sum, _))| (path, sum));
    assert!(hives(&bench).eq(old));
}

#[test]
fn control_sets_are_chosen_as_for_profiles() {
    let bench = Bench::sample();
    let words = |more: &'static [&'static str]| {
        [&[TERMINAL_SERVER, "Probe", "dword", "1", "--yes"][..], more].concat()
    };
    bench.run("set", &words(&["--control-set", "2"])).expect(0);
    let one = r"SYSTEM\ControlSet001\Control\Terminal Server";
    bench.run("show", &[one, "Probe"]).expect(2);
    let two = one.replace("001", "002");
    bench.run("show", &[&two, "Probe"]).expect(0);
    let said = bench
        .run("set", &[one, "Probe", "dword", "1", "--yes"])
        .expect(0);
    assert!(said.stderr.contains("ControlSet001 only"), "{said:?}");
    bench.run("set", &words(&["--control-set", "9"])).expect(2);
    bench.run("set", &words(&["--control-set", "x"])).expect(2);
}

#[test]
fn what_profiles_refuse_is_refused() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let control = r"SYSTEM\CurrentControlSet\Control";
    for (command, words, said) in [
        ("unset", &[r"SYSTEM\Select"][..], "it is never deleted"),
        ("unset", &[r"SYSTEM\Select", "Current"], "never deleted"),
        (
            "set",
            &[r"SYSTEM\Select", "Current", "sz", "1"],
            "number of a control set",
        ),
        ("unset", &["SYSTEM"], "whole hive"),
        ("unset", &[r"SYSTEM\CurrentControlSet"], "whole control set"),
        (
            "unset",
            &[r"SYSTEM\CurrentControlSet\Services"],
            "cannot start without",
        ),
        (
            "unset",
            &[r"SYSTEM\CurrentControlSet\Services\TermService"],
            "never deleted",
        ),
        ("unset", &[r"SOFTWARE\Microsoft"], "never deleted"),
        ("unset", &[control, "*"], "every value"),
        (
            "set",
            &[r"HKCU\Software\Acme", "a", "dword", "1"],
            "NTUSER.DAT",
        ),
        (
            "set",
            &[r"HKLM\SAM\SAM", "a", "dword", "1"],
            "hive of its own",
        ),
        ("set", &[control, "a", "dword", "-1"], "0xFFFFFFFF"),
        ("set", &[control, "a", "dword", "0x1ffffffff"], "too large"),
        ("set", &[control, "a", "dword", "eins zwei"], "not a number"),
        ("set", &[control, "a", "dword", "08"], "not a number"),
        ("set", &[control, "a", "dword"], "takes one word"),
        ("set", &[control, "a", "sz", "b", "c"], "takes one word"),
        ("set", &[control, "a", "multi-sz", "b", ""], "empty member"),
        (
            "set",
            &[control, "a", "binary", "0g"],
            "not a hexadecimal digit",
        ),
        ("set", &[control, "a", "text", "b"], "is not a type"),
        ("set", &[control, "a"], "needs a key"),
        ("set", &[], "needs a key"),
        ("unset", &[], "needs a key"),
        ("unset", &[control, "a", "b"], "needs a key"),
    ] {
        let mut all = words.to_vec();
        all.push("--yes");
        let ended = bench.run(command, &all).expect(2);
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
        let json = bench
            .run(command, &[&all[..], &["--format", "json"]].concat())
            .expect(2);
        assert_eq!(json.json()["exit_code"], 2);
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_hive_that_is_not_there_is_not_nothing_to_do() {
    let bench = Bench::sample();
    fs::remove_file(bench.hive("SOFTWARE")).unwrap();
    for words in [
        &["set", r"SOFTWARE\Acme", "a", "dword", "1", "--yes"][..],
        &["set", r"SOFTWARE\Acme", "a", "dword", "1", "--dry-run"],
        &["unset", r"SOFTWARE\Acme", "--yes"],
    ] {
        let ended = bench.run(words[0], &words[1..]).expect(3);
        assert!(ended.stderr.contains("no SOFTWARE hive"), "{ended:?}");
    }
}

#[test]
fn what_lowers_security_says_so() {
    let bench = Bench::sample();
    let key = format!(r"{TERMINAL_SERVER}\WinStations\RDP-Tcp");
    let words = [key.as_str(), "UserAuthentication", "dword", "0", "-n"];
    let shown = bench.run("set", &words).expect(0);
    assert!(shown.stdout.contains("SECURITY"), "{shown:?}");
}

/// `set` and `unset` have no profile that says what they do to security: what is known says it, and what is
/// not known is said to be so.
#[test]
fn what_lowers_security_is_marked_and_what_nobody_knows_is_said() {
    let bench = Bench::sample();
    let listener = r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    let policy = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
    let dry = |command: &str, words: &[&str]| {
        let words = [words, &["--dry-run"]].concat();
        bench.run(command, &words).expect(0).stdout
    };
    let make = |key: &str, name: &str, number: &str| {
        let words = [key, name, "dword", number, "--yes"];
        bench.run("set", &words).expect(0);
    };
    make(listener, "UserAuthentication", "1");
    make(policy, "SecurityLayer", "2");
    make(listener, "Acme", "2");
    for (command, words) in [
        ("unset", &[listener, "UserAuthentication"][..]),
        ("unset", &[policy, "SecurityLayer"]),
        ("set", &[listener, "UserAuthentication", "dword", "0"]),
        ("set", &[policy, "SecurityLayer", "dword", "1"]),
    ] {
        let plan = dry(command, words);
        assert!(
            plan.contains("LOWERS SECURITY"),
            "{command} {words:?}: {plan}"
        );
        assert!(!plan.contains("not judged"), "{plan}");
    }
    for (command, words) in [
        ("unset", &[listener, "Acme"][..]),
        ("set", &[listener, "Acme", "dword", "3"]),
        ("unset", &[listener]),
    ] {
        let plan = dry(command, words);
        assert!(plan.contains("not judged"), "{command} {words:?}: {plan}");
        assert!(!plan.contains("does not lower"), "{plan}");
        assert!(!plan.contains("LOWERS SECURITY"), "{plan}");
    }
    let plan = dry("set", &[listener, "PortNumber", "dword", "3390"]);
    assert!(plan.contains("does not lower security"), "{plan}");
    make(listener, "UserAuthentication", "0");
    let plan = dry("set", &[listener, "UserAuthentication", "dword", "1"]);
    assert!(plan.contains("does not lower security"), "{plan}");
}

/// `HKLM\SOFTWARE\Classes\*` is there in every Windows.
#[test]
fn a_key_may_be_called_what_stands_for_every_key_in_a_profile() {
    let bench = Bench::sample();
    for name in ["*", "{GUID}"] {
        let key = format!(r"SOFTWARE\Acme\{name}\shell");
        let beside = r"SOFTWARE\Acme\other\shell";
        bench
            .run("set", &[beside, "v", "dword", "1", "--yes"])
            .expect(0);
        bench
            .run("set", &[&key, "v", "dword", "2", "--yes"])
            .expect(0);
        assert_eq!(value(&bench, &key, "v")["data"], 2);
        assert_eq!(value(&bench, beside, "v")["data"], 1);
        bench.run("unset", &[&key, "v", "--yes"]).expect(0);
        bench.run("show", &[&key, "v"]).expect(2);
        assert_eq!(value(&bench, beside, "v")["data"], 1);
    }
}
