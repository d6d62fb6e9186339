// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan is a contract: exactly what was reviewed, or nothing.

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::{Bench, hivemend};

fn plan_file(bench: &Bench) -> String {
    let file = bench.beside("plan.json").display().to_string();
    bench
        .run("plan", &["-p", "rdp-disconnects", "-o", &file])
        .expect(0);
    file
}

#[test]
fn what_was_reviewed_is_what_is_done() {
    let by_profile = Bench::sample();
    by_profile
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    let by_plan = Bench::sample();
    let file = plan_file(&by_plan);
    let applied = by_plan
        .run("apply", &["--plan", &file, "--yes", "--format", "json"])
        .expect(0)
        .json();
    let plan: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(applied["changes"], plan["changes"]);
    by_plan
        .run("plan", &["-p", "rdp-disconnects", "--exit-code"])
        .expect(0);
    // The plan is used up: its before-values are no longer there.
    let ended = by_plan.run("apply", &["--plan", &file, "--yes"]).expect(3);
    assert!(
        ended.stderr.contains("changed since the plan was made"),
        "{ended:?}"
    );
}

/// Laid out anew it is the same plan; with another number it is another one.
#[test]
fn a_plan_that_was_edited_is_refused_unless_that_is_accepted() {
    let bench = Bench::sample();
    let file = plan_file(&bench);
    let mut plan: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let is_set = |change: &&Json| change["value"] == "MaxInstanceCount";
    let at = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .position(|c| is_set(&c))
        .unwrap();
    let twin = bench.twin();
    fs::write(&file, plan.to_string()).unwrap();
    twin.run("apply", &["--plan", &file, "--yes"]).expect(0);
    plan["changes"][at]["after"]["data"] = json!(50);
    fs::write(&file, plan.to_string()).unwrap();
    let before = bench.snapshot();
    let ended = bench.run("apply", &["--plan", &file, "--yes"]).expect(3);
    assert!(ended.stderr.contains("--accept-edited-plan"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
    bench
        .run("apply", &["--plan", &file, "--yes", "--accept-edited-plan"])
        .expect(0);
}

#[test]
fn a_disk_that_changed_since_is_not_touched() {
    let bench = Bench::sample();
    let file = plan_file(&bench);
    let other = bench.profile(
        "other",
        r"
  - key: HKLM\SYSTEM\ControlSet002\Control\Terminal Server\WinStations\RDP-Tcp
    values: [ { name: fReconnectSame, dword: 9, why: w } ]
",
    );
    bench.run("apply", &["-p", &other, "--yes"]).expect(0);
    let before = bench.snapshot();
    let ended = bench.run("apply", &["--plan", &file, "--yes"]).expect(3);
    assert!(ended.stderr.contains("fReconnectSame"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

/// Somebody edits the plan by hand, or gives another file for one.
#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let bench = Bench::sample();
    let file = plan_file(&bench);
    let plan: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let before = bench.snapshot();
    let change = |edit: &dyn Fn(&mut Json)| {
        let mut plan = plan.clone();
        edit(&mut plan);
        fs::write(&file, plan.to_string()).unwrap();
        let args = ["--plan", file.as_str(), "--yes"];
        let plain = bench.run("apply", &args);
        let accepted = bench.run("apply", &[&args[..], &["--accept-edited-plan"]].concat());
        // What makes sense by itself is refused for having been edited.
        if plain.code != 2 {
            assert!(plain.stderr.contains("somebody has edited it"), "{plain:?}");
            assert_eq!(plain.code, 3);
        }
        accepted
    };
    let key = json!({ "type": "key", "data": { "subkeys": 0, "values": 0,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" } });
    change(&|plan| plan["schema"] = json!("hivemend.plan/2")).expect(2);
    change(&|plan| plan["changes"][0]["hive"] = json!("SAM")).expect(2);
    change(&|plan| plan["changes"][0]["action"] = json!("format-disk")).expect(2);
    change(&|plan| plan["changes"][0]["after"] = Json::Null).expect(2);
    change(&|plan| plan["changes"][0]["key"] = json!("")).expect(2);
    change(&|plan| plan["changes"][0]["before"] = json!({ "type": "REG_DWORD", "data": "x" }))
        .expect(2);
    change(&|plan| plan["changes"][0]["surprise"] = json!(1)).expect(2);
    change(&|plan| {
        plan["changes"][0]["before"] = json!({ "type": "REG_DWORD", "data": 77 });
    })
    .expect(3);
    let ended = change(&|plan| {
        plan["changes"] = json!([{ "profile": "p", "hive": "SYSTEM", "control_set": null,
            "key": "ControlSet003", "value": null, "action": "create-key",
            "before": null, "after": key, "lowers_security": false, "note": "" }]);
    });
    assert!(ended.expect(3).stderr.contains("never created"));
    // A value under a key that is not there, and that the plan does not create.
    change(&|plan| {
        plan["changes"][0]["key"] = json!("ControlSet001\\no such key");
        plan["changes"][0]["before"] = Json::Null;
    })
    .expect(3);
    fs::write(&file, "[]").unwrap();
    bench.run("apply", &["--plan", &file, "--yes"]).expect(2);
    fs::write(&file, [0xFF, 0xFE, 0]).unwrap();
    bench.run("apply", &["--plan", &file, "--yes"]).expect(2);
    assert_eq!(bench.snapshot(), before, "a refused plan wrote something");
}

/// `-o` must never become the way to lose a hive.
#[test]
fn the_plan_file_never_replaces_anything_but_a_plan() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let hive = bench.hive("SYSTEM").display().to_string();
    let new = bench.config().join("plan.json").display().to_string();
    let args = ["-p", "rdp-disconnects", "-o"];
    bench
        .run("plan", &[args[0], args[1], args[2], &hive])
        .expect(3);
    bench
        .run("plan", &[args[0], args[1], args[2], &new])
        .expect(3);
    assert_eq!(bench.snapshot(), before);
    let precious = bench.beside("precious");
    fs::write(&precious, "a novel").unwrap();
    let precious = precious.display().to_string();
    bench
        .run("plan", &[args[0], args[1], args[2], &precious])
        .expect(3);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "a novel");
    let file = plan_file(&bench);
    bench
        .run("plan", &[args[0], args[1], args[2], &file])
        .expect(0);
}

#[test]
fn profiles_that_disagree_are_refused_with_both_entries() {
    let bench = Bench::sample();
    let ended = bench
        .run("plan", &["-p", "rdp-disconnects", "-p", "rdp-defaults"])
        .expect(2);
    assert!(
        ended.stderr.contains("rdp-disconnects: dword 0"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("rdp-defaults: one of"), "{ended:?}");
    bench
        .run("plan", &["-p", "rdp-disconnects", "-p", "rdp-disconnects"])
        .expect(0);
    let ended = bench.run("plan", &["-p", "rdp-disconect"]).expect(2);
    assert!(ended.stderr.contains("rdp-disconnects"), "{ended:?}");
}

#[test]
fn the_exit_codes_are_those_of_the_document() {
    let document =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exit-codes.md")).unwrap();
    for (exit, code, meaning) in hivemend::cli::Exit::TABLE {
        assert_eq!(exit.code(), code);
        let row = format!("| {code} | {meaning} |");
        assert!(document.contains(&row), "docs/exit-codes.md lacks: {row}");
    }
    let rows = document
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
    assert_eq!(rows.count(), hivemend::cli::Exit::TABLE.len());
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    hivemend(&["plan"]).expect(2);
    hivemend(&["no-such-command"]).expect(2);
    hivemend(&["plan", "x", "--system", "y", "-p", "rdp-defaults"]).expect(2);
    hivemend(&["--help"]).expect(0);
    hivemend(&["--version"]).expect(0);
    hivemend(&["profile", "list"]).expect(0);
    hivemend(&["profile", "check", "rdp-disconnects", "rdp-defaults"]).expect(1);
    hivemend(&["profile", "check", "rdp-disconnects"]).expect(0);
}
