// SPDX-License-Identifier: GPL-3.0-or-later
//! Several programs on one disk, and a disk that somebody prepared.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::bench::{Bench, sha256};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];

/// The lock as another run holds it.
fn hold(bench: &Bench) -> File {
    let folder = File::open(bench.config()).unwrap();
    folder.try_lock().unwrap();
    folder
}

#[test]
fn a_second_run_is_refused_while_the_first_goes_on() {
    let bench = Bench::sample();
    let lock = hold(&bench);
    let before = bench.snapshot();
    for args in [
        &["apply", APPLY[0], APPLY[1], APPLY[2]][..],
        &["backups", "--prune", "1", "--yes"],
    ] {
        let ended = bench.run(args[0], &args[1..]).expect(3);
        assert!(ended.stderr.contains("another hivemend"), "{ended:?}");
    }
    // Looking is not refused.
    bench.run("plan", &APPLY[..2]).expect(0);
    assert_eq!(bench.snapshot(), before);
    drop(lock);
    bench.run("apply", &APPLY).expect(0);
    let lock = hold(&bench);
    let ended = bench.run("restore", &["--yes"]).expect(3);
    assert!(ended.stderr.contains("another hivemend"), "{ended:?}");
    drop(lock);
    bench.run("restore", &["--yes"]).expect(0);
}

/// The first writes, the others are refused or find nothing to do; nobody waits for ever.
#[test]
fn many_runs_at_once_make_one_repair() {
    for _ in 0..5 {
        let bench = Bench::in_memory();
        let runs: Vec<_> = (0..6)
            .map(|_| {
                let mut run = Command::new(env!("CARGO_BIN_EXE_hivemend"));
                run.arg("apply").arg(bench.disk()).args(APPLY);
                run.stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
                run.spawn().unwrap()
            })
            .collect();
        let mut codes = Vec::new();
        for run in runs {
            let ended = run.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            let code = ended.status.code().unwrap();
            let is_refused = said.contains("another hivemend") || said.contains("changed");
            let is_held = said.contains("in use");
            assert!(
                code == 0 || code == 3 && (is_refused || is_held),
                "{code}: {said}"
            );
            codes.push(code);
        }
        assert!(codes.contains(&0), "{codes:?}");
        bench
            .run("plan", &["-p", "rdp-disconnects", "--exit-code"])
            .expect(0);
        let listed = bench.run("backups", &["--format", "json"]).expect(0).json();
        assert_eq!(listed["backups"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed["backups"][0]["state"], "applied");
        assert!(!bench.config().join("hivemend.journal").exists());
    }
}

#[test]
fn a_backup_folder_that_leads_elsewhere_is_not_followed() {
    let bench = Bench::sample();
    let elsewhere = bench.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, bench.config().join("hivemend")).unwrap();
    for args in [
        &["apply", APPLY[0], APPLY[1], APPLY[2]][..],
        &["restore", "--yes"],
        &["backups"],
        &["backups", "--prune", "1", "--yes"],
    ] {
        let ended = bench.run(args[0], &args[1..]).expect(3);
        assert!(ended.stderr.contains("does not follow links"), "{ended:?}");
    }
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

/// A backup whose folder, manifest or hive is a link to a place of somebody's choice.
#[test]
fn links_inside_the_backups_are_not_followed() {
    for part in ["", "manifest.json", "SYSTEM"] {
        let bench = Bench::sample();
        bench.run("apply", &APPLY).expect(0);
        let backup = only_backup(&bench);
        let elsewhere = bench.beside("elsewhere");
        let real = backup.join(part);
        fs::rename(&real, &elsewhere).unwrap();
        symlink(&elsewhere, real.components().as_path()).unwrap();
        let (before, kept) = (bench.hives(), tree(&elsewhere));
        let id = backup.file_name().unwrap().to_str().unwrap().to_owned();
        let ended = bench.run("restore", &[id.as_str(), "--yes"]).expect(3);
        assert!(ended.stderr.contains("link"), "{part}: {ended:?}");
        bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
        assert_eq!((bench.hives(), tree(&elsewhere)), (before, kept), "{part}");
    }
}

fn only_backup(bench: &Bench) -> PathBuf {
    let mut backups = fs::read_dir(bench.config().join("hivemend")).unwrap();
    backups.next().unwrap().unwrap().path()
}

fn tree(path: &Path) -> Vec<(PathBuf, String)> {
    if path.is_file() {
        return vec![(path.to_path_buf(), sha256(path))];
    }
    let entries = fs::read_dir(path).unwrap();
    let mut tree: Vec<_> = entries
        .flat_map(|entry| tree(&entry.unwrap().path()))
        .collect();
    tree.sort();
    tree
}

/// A manifest that was changed by hand is refused with the reason, and the hives stay.
#[test]
fn a_manifest_that_was_tampered_with_is_refused_with_the_reason() {
    type Edit = fn(&mut Json);
    let zeros = "0".repeat(64);
    let cases: [(Edit, &str); 7] = [
        (
            |m| m["hives"][0]["file"] = json!("../../../SYSTEM"),
            "no file name here may have",
        ),
        (
            |m| m["hives"][0]["file"] = json!("/etc/passwd"),
            "no file name here may have",
        ),
        (
            |m| m["hives"][0]["before"]["sha256"] = json!("0".repeat(64)),
            "not those that the manifest",
        ),
        (
            |m| m["hives"][0]["after"]["sha256"] = json!("0".repeat(64)),
            "changed since",
        ),
        (
            |m| m["hives"][0]["before"]["size"] = json!(u64::MAX),
            "not those that the manifest",
        ),
        (
            |m| m["hives"][0]["before"]["size"] = json!(-1),
            "invalid value",
        ),
        (
            |m| m["id"] = json!("2001-01-01T00-00-00Z"),
            "belongs to backup",
        ),
    ];
    assert_eq!(zeros.len(), 64);
    for (edit, reason) in cases {
        let bench = Bench::sample();
        bench.run("apply", &APPLY).expect(0);
        let backup = only_backup(&bench);
        let path = backup.join("manifest.json");
        let mut manifest: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut manifest);
        fs::write(&path, manifest.to_string()).unwrap();
        let before = bench.snapshot();
        let id = backup.file_name().unwrap().to_str().unwrap().to_owned();
        let ended = bench.run("restore", &[id.as_str(), "--yes"]).expect(3);
        assert!(ended.stderr.contains(reason), "{reason}: {ended:?}");
        let hash = |(path, (hash, _)): (PathBuf, (String, _))| (path, hash);
        let plain = |snapshot: std::collections::BTreeMap<_, _>| -> Vec<_> {
            snapshot.into_iter().map(hash).collect()
        };
        assert_eq!(plain(bench.snapshot()), plain(before), "{reason}");
    }
}

/// The backup of one disk brought to another: those hives are not what hivemend left.
#[test]
fn the_backup_or_plan_of_another_disk_is_refused() {
    let (one, other) = (Bench::sample(), Bench::sample());
    let drift = other.profile(
        "drift",
        r"  - key: HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp
    values: [ { name: SecurityLayer, dword: 1, why: w } ]
",
    );
    other.run("apply", &["-p", &drift, "--yes"]).expect(0);
    let plan = one.beside("plan.json").display().to_string();
    one.run("plan", &["-p", "rdp-disconnects", "-o", &plan])
        .expect(0);
    let ended = other.run("apply", &["--plan", &plan, "--yes"]).expect(3);
    assert!(
        ended.stderr.contains("changed since the plan was made"),
        "{ended:?}"
    );

    one.run("apply", &APPLY).expect(0);
    let moved = other.config().join("hivemend/2001-01-01T00-00-00Z");
    fs::rename(only_backup(&one), &moved).unwrap();
    let before = other.hives();
    other
        .run("restore", &["2001-01-01T00-00-00Z", "--yes"])
        .expect(3);
    assert_eq!(other.hives(), before);
}

#[test]
fn a_plan_file_of_any_size_is_refused_in_words() {
    let bench = Bench::sample();
    let plan = bench.beside("plan.json");
    File::create(&plan).unwrap().set_len(1 << 40).unwrap();
    let plan = plan.display().to_string();
    let before = bench.snapshot();
    bench.run("apply", &["--plan", &plan, "--yes"]).expect(2);
    assert_eq!(bench.snapshot(), before);
}
