// SPDX-License-Identifier: GPL-3.0-or-later
//! Plausible mistakes and odd surroundings: what a first hour with the program meets.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use hivemend::disk::Folder;
use hivemend::profile::builtin;
use hivemend::store::{BackupScope, Disk, NewHive, Request, Store};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::bench::{Bench, hivemend, output_of, sha256};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
const PORT: &str = r"  - key: HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp
    values: [ { name: PortNumber, dword: 3390, why: w } ]
";

/// Makes of the newest apply one that was stopped right after its hives were swapped.
fn interrupt(bench: &Bench) {
    let ended = bench.run("backups", &["--format", "json"]).expect(0).json();
    let id = ended["backups"][0]["id"].as_str().unwrap().to_owned();
    let config = bench.config();
    let folder = config.join("hivemend").join(&id);
    let manifest = folder.join("manifest.json");
    let mut recorded: Json = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    recorded["state"] = json!("applying");
    fs::write(&manifest, recorded.to_string()).unwrap();
    let hives = recorded["hives"].as_array().unwrap();
    for hive in hives {
        let file = hive["file"].as_str().unwrap();
        let kept = config.join(format!("{file}.hivemend-{id}.old"));
        fs::hard_link(folder.join(file), kept).unwrap();
    }
    let swaps: Vec<Json> = hives
        .iter()
        .map(|hive| {
            json!({ "name": hive["name"], "file": hive["file"], "from": hive["before"],
                    "to": hive["after"], "metadata": hive["metadata"] })
        })
        .collect();
    let journal = json!({ "schema": "hivemend.journal/1", "id": id, "run": recorded["run"],
                          "operation": "apply",
                          "beside": true, "made_root": false, "swaps": swaps });
    fs::write(config.join("hivemend.journal"), journal.to_string()).unwrap();
}

#[test]
fn a_restore_that_undid_an_interrupted_apply_is_done() {
    let bench = Bench::sample();
    let before = bench.hives();
    bench.run("apply", &APPLY).expect(0);
    interrupt(&bench);
    let ended = bench
        .run("restore", &["--yes", "--format", "json"])
        .expect(0);
    assert_eq!(ended.json()["settled"], "undone", "{ended:?}");
    assert_eq!(bench.hives(), before);
}

/// Undoing the interrupted repair is the restore; the sound repair before it was not meant.
#[test]
fn undoing_an_interrupted_apply_leaves_the_repair_before_it() {
    let bench = Bench::sample();
    bench.run("apply", &APPLY).expect(0);
    let repaired = bench.hives();
    let other = bench.profile("port", PORT);
    bench.run("apply", &["-p", &other, "--yes"]).expect(0);
    interrupt(&bench);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), repaired);
    bench.run("restore", &["--yes"]).expect(0);
    assert_ne!(bench.hives(), repaired, "a second restore is meant");
}

#[test]
fn a_relative_backup_dir_is_made_in_the_current_folder() {
    let bench = Bench::sample();
    let before = bench.hives();
    let here = bench.disk().parent().unwrap();
    for command in [&["apply", "-p", "rdp-disconnects"][..], &["restore"][..]] {
        let output = output_of(
            Command::new(env!("CARGO_BIN_EXE_hivemend"))
                .current_dir(here)
                .args(command)
                .args(["disk", "--backup-dir", "backups", "--yes"])
                .stdin(Stdio::null()),
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(fs::read_dir(here.join("backups")).unwrap().count(), 1);
    assert_eq!(bench.hives(), before);
}

/// Only what is built in is not linted in every run, and a file is not that, whatever it is called.
#[test]
fn a_file_called_built_in_is_linted() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let here = bench.disk().parent().unwrap();
    let known = builtin().iter().find(|known| known.id == "nla-disable");
    let lines = known.unwrap().text.lines();
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("undo:")).collect();
    fs::write(here.join("built-in"), lines.join("\n")).unwrap();
    for (profile, code) in [("built-in", 2), ("nla-disable", 0)] {
        let output = output_of(
            Command::new(env!("CARGO_BIN_EXE_hivemend"))
                .current_dir(here)
                .args(["plan", "disk", "-p", profile])
                .stdin(Stdio::null()),
        );
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("undo-missing"), code == 2, "{said}");
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_backup_dir_in_no_folder_is_refused() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let nowhere = bench.beside("no/such").display().to_string();
    let args = [APPLY[0], APPLY[1], APPLY[2], "--backup-dir", &nowhere];
    let ended = bench.run("apply", &args).expect(3);
    assert!(ended.stderr.contains("no such file or folder"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

/// Two disks repaired at once with one backup folder choose the same name in the same second.
#[test]
fn a_run_that_finds_its_backups_name_taken_leaves_the_other_backup_alone() {
    let (first, second) = (Bench::sample(), Bench::sample());
    let shared = first.beside("shared");
    let request = |bench: &Bench| {
        let path = bench.hive("SYSTEM");
        let mut content = fs::read(&path).unwrap();
        let before_sha256 = Sha256::digest(&content).into();
        *content.last_mut().unwrap() ^= 1;
        let hive = NewHive {
            name: "SYSTEM".into(),
            path,
            before_sha256,
            content,
        };
        Request {
            config: Folder::named(&bench.config()).unwrap(),
            hives: vec![hive],
            backup_dir: Some(shared.clone()),
            scope: BackupScope::Hives,
            changes: (&json!([])).try_into().unwrap(),
            undoes: None,
            now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            version: "test".to_owned(),
        }
    };
    let original = sha256(&first.hive("SYSTEM"));
    let untouched = second.snapshot();
    let store = Store::new(&Disk);
    let (of_first, of_second) = (request(&first), request(&second));
    let one = store.prepare(&of_first).unwrap();
    let two = store.prepare(&of_second).unwrap();
    let outcome = store.publish(one).unwrap();
    let other = store.publish(two).unwrap();
    assert_ne!(second.snapshot(), untouched);
    // Each has its own: the second took the next name.
    assert_ne!(other.backup, outcome.backup);
    assert!(other.backup.join("manifest.json").exists());
    assert_eq!(sha256(&outcome.backup.join("SYSTEM")), original);
    let backups = store
        .list(&Folder::named(&first.config()).unwrap(), Some(&shared))
        .unwrap();
    assert!(backups[0].manifest.is_ok(), "{backups:?}");
}

#[test]
fn a_system_hive_is_not_taken_for_software() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let system = bench.hive("SYSTEM").display().to_string();
    let mut args = vec!["apply", "--software", &system];
    args.extend(APPLY);
    let ended = hivemend(&args).expect(3);
    assert!(ended.stderr.contains("this is a SYSTEM hive"), "{ended:?}");
    args.extend(["--system", &system]);
    hivemend(&args).expect(3);
    assert_eq!(bench.snapshot(), before);
}

/// Half a JSON document on a full disk must not look like a success.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let bench = Bench::sample();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_hivemend"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(full())
            .output()
            .unwrap()
    };
    let disk = bench.disk().display().to_string();
    for format in ["text", "json"] {
        let plan = ["plan", &disk, APPLY[0], APPLY[1], "--format", format];
        let output = run(&plan);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
    }
    // What is to be done cannot be shown, so it is not done.
    let before = bench.snapshot();
    let output = run(&["apply", &disk, APPLY[0], APPLY[1], APPLY[2]]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert_eq!(bench.snapshot(), before);
    // The hives are repaired, and 4 would say that they are untouched.
    let json = [
        "apply", &disk, APPLY[0], APPLY[1], APPLY[2], "--format", "json",
    ];
    let output = run(&json);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("could not be printed"), "{said}");
}

/// A warning of several lines shows the profile's line below it, and no escaped line breaks.
#[test]
fn warnings_about_a_profile_keep_their_lines() {
    let bench = Bench::sample();
    let keys = PORT.replace("CurrentControlSet", "ControlSet001");
    let profile = bench.profile("one-set", &keys);
    let ended = bench.run("plan", &["-p", &profile]).expect(0);
    assert!(ended.stderr.contains("one-control-set"), "{ended:?}");
    assert!(!ended.stderr.contains("u{a}"), "{ended:?}");
}

/// To take values back twice is not to bring them on again, security lowered and all.
#[test]
fn values_are_taken_back_once() {
    let bench = Bench::sample();
    bench.run("apply", &APPLY).expect(0);
    bench.run("restore", &["--values", "--yes"]).expect(0);
    let after = bench.snapshot();
    let ended = bench.run("restore", &["--values", "--yes"]).expect(0);
    assert!(ended.stderr.contains("nothing to take back"), "{ended:?}");
    assert_eq!(bench.snapshot(), after);
}

/// Two disks with one backup folder: the newest backup there is the other disk's, and its values
/// are not to be written here.
#[test]
fn of_a_shared_backup_folder_the_own_backup_is_taken() {
    for values in [&[][..], &["--values"][..]] {
        let (first, second) = (Bench::sample(), Bench::sample());
        let listener = r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
        let port = || {
            let shown = first.run("show", &[listener, "PortNumber", "--format", "json"]);
            shown.expect(0).json()["values"][0]["data"].clone()
        };
        let was = port();
        let shared = first.beside("shared").display().to_string();
        let profile = first.profile("port", PORT);
        let other = second.profile("other", &PORT.replace("3390", "4444"));
        second.run("apply", &["-p", &other, "--yes"]).expect(0);
        for bench in [&first, &second] {
            let args = ["-p", &profile, "--yes", "--backup-dir", &shared];
            bench.run("apply", &args).expect(0);
        }
        let mut args = vec!["--yes", "--backup-dir", &shared];
        args.extend(values);
        first.run("restore", &args).expect(0);
        assert_eq!(port(), was, "{values:?}");
        if !values.is_empty() {
            first.run("restore", &args).expect(0);
            assert_eq!(port(), was, "a second time");
        }
    }
}
