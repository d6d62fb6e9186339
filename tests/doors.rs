// SPDX-License-Identifier: GPL-3.0-or-later
//! What is carried out of a disk as `.reg`, and what a pipeline that cuts long output gets to see.

#![cfg(not(windows))]

use std::fs;

use hivemend::import::{Options, read};

use crate::bench::{Bench, hivemend};

const LISTENER: &str = r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// A file beside the disk with what was printed.
fn kept(bench: &Bench, name: &str, text: &str) -> String {
    let file = bench.beside(name);
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_key_that_is_shown_as_reg_asks_for_no_change_where_it_came_from() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let shown = bench
        .run("show", &[LISTENER, "--format", "reg"])
        .expect(0)
        .stdout;
    assert!(
        shown.starts_with("Windows Registry Editor Version 5.00\n"),
        "{shown}"
    );
    let key = r"[HKEY_LOCAL_MACHINE\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp]";
    assert!(shown.contains(key), "{shown}");
    let import = read(shown.as_bytes(), "shown", &Options::default()).unwrap();
    let values = shown.lines().filter(|line| line.starts_with('"')).count();
    assert!(values > 3 && import.operations.len() >= values, "{shown}");
    let only = bench
        .run("show", &[LISTENER, "SecurityLayer", "--format", "reg"])
        .expect(0)
        .stdout;
    assert!(
        only.contains("\n\"SecurityLayer\"=dword:00000002\n"),
        "{only}"
    );
    let file = kept(&bench, "shown.reg", &only);
    bench.run("plan", &["-p", &file, "--exit-code"]).expect(0);
    let other = kept(&bench, "other.reg", &only.replace("00000002", "00000000"));
    bench.run("plan", &["-p", &other, "--exit-code"]).expect(1);
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn what_is_captured_as_reg_is_what_is_captured_as_a_profile() {
    let bench = Bench::sample();
    let root = bench.disk().to_str().unwrap();
    let from = ["--from", "rdp-disconnects"];
    let capture = |format: &str| {
        let args = [&["profile", "capture", root, "--format", format], &from[..]].concat();
        hivemend(&args).expect(0).stdout
    };
    let (profile, reg) = (capture("yaml"), capture("reg"));
    let profile = kept(&bench, "captured.yaml", &profile);
    let reg = kept(&bench, "captured.reg", &reg);
    let changed = |file: &str| {
        let plan = bench
            .run("plan", &["-p", file, "--format", "json"])
            .expect(0);
        let changes = plan.json()["changes"].as_array().unwrap().clone();
        let one = |change: &serde_json::Value| {
            ["hive", "key", "value", "action", "after"].map(|field| change[field].to_string())
        };
        changes
            .iter()
            .map(one)
            .collect::<std::collections::BTreeSet<_>>()
    };
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    assert!(!changed(&profile).is_empty());
    assert_eq!(changed(&reg), changed(&profile));
}

#[test]
fn the_undo_as_reg_puts_back_what_restore_puts_back_and_writes_nothing() {
    let bench = Bench::sample();
    let whole = |bench: &Bench| bench.run("show", &[LISTENER]).expect(0).stdout;
    let values = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let original = values(&whole(&bench));
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    assert_ne!(values(&whole(&bench)), original);
    let before = bench.snapshot();
    let undo = bench.run("restore", &["--format", "reg"]).expect(0).stdout;
    assert_eq!(bench.snapshot(), before);
    assert!(undo.contains("\"SecurityLayer\"=dword:00000002"), "{undo}");
    let file = kept(&bench, "undo.reg", &undo);
    bench.run("apply", &["-p", &file, "--yes"]).expect(0);
    assert_eq!(values(&whole(&bench)), original);
}

#[test]
fn a_summary_has_the_verdict_first_and_never_more_bytes_than_asked_for() {
    let bench = Bench::sample();
    let check = |command: &str, args: &[&str], most: usize, code: i32| {
        let most_of = format!("--summary={most}");
        let args = [args, &[most_of.as_str()]].concat();
        let ended = bench.run(command, &args).expect(code);
        assert!(
            ended.stdout.len() <= most,
            "{}: {}",
            ended.stdout.len(),
            ended.stdout
        );
        let first = ended.stdout.lines().next().unwrap();
        assert!(first.contains(&format!("(exit code {code}).")), "{first}");
        ended.stdout
    };
    for most in [256, 300, 900, 3072, 100_000] {
        check("plan", &["-p", "rdp-disconnects"], most, 0);
        check("diagnose", &[], most, 0);
        check("check", &[], most, 0);
        check("mend", &["--dry-run"], most, 0);
    }
    let cut = check("plan", &["-p", "rdp-disconnects"], 900, 0);
    assert!(cut.contains("Plan: 19 changes, 4 LOWER SECURITY"), "{cut}");
    assert!(cut.contains(" left out here.)"), "{cut}");
    let whole = bench
        .run("plan", &["-p", "rdp-disconnects", "--summary=100000"])
        .expect(0)
        .stdout;
    let shown = cut.lines().count() - 1;
    let left = format!(
        "({} more lines are left out here.)",
        whole.lines().count() - shown
    );
    assert!(cut.ends_with(&format!("{left}\n")), "{cut}");
    assert!(
        whole.starts_with(cut.trim_end().trim_end_matches(&left)),
        "{cut}"
    );
    let refused = check("plan", &["-p", "no-such-profile"], 400, 2);
    assert!(refused.contains("no-such-profile"), "{refused}");
    let applied = check("apply", &["-p", "rdp-disconnects", "--yes"], 3072, 0);
    assert!(applied.contains("backup"), "{applied}");
    check("restore", &["--yes"], 3072, 0);
    bench
        .run(
            "plan",
            &["-p", "rdp-disconnects", "--summary", "--format", "json"],
        )
        .expect(2);
    bench
        .run("plan", &["-p", "rdp-disconnects", "--summary=10"])
        .expect(2);
    bench.run("diagnose", &["--format", "reg"]).expect(2);
}
