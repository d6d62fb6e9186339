// SPDX-License-Identifier: GPL-3.0-or-later
//! Undo: exact where nothing else happened, careful where something did.

use std::fs;

use crate::bench::{Bench, sha256};
use crate::jury;

const PROFILE: [&str; 2] = ["-p", "rdp-disconnects"];

fn show(bench: &Bench, key: &str, value: &str) -> Option<serde_json::Value> {
    let ended = bench.run("show", &[key, value, "--format", "json"]);
    (ended.code == 0).then(|| ended.json()["values"][0].clone())
}

const LISTENER: &str = r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// Applies a profile with its backup in another folder, of which the backups beside the hives know
/// nothing: as if Windows had made the change.
fn apply_elsewhere(bench: &Bench, profile: &str) {
    let elsewhere = bench.beside("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let elsewhere = elsewhere.display().to_string();
    let args = ["-p", profile, "--yes", "--backup-dir", &elsewhere];
    bench.run("apply", &args).expect(0);
}

/// Somebody changes another value of the same key after the repair: here, with hivemend itself and
/// a backup folder elsewhere, so that the first backup knows nothing of it.
fn change_something_else(bench: &Bench) {
    let other = bench.profile("other", &format!(
        "  - key: HKLM\\{LISTENER}\n    values: [ {{ name: PortNumber, dword: 3390, why: w }} ]\n"
    ));
    let elsewhere = bench.beside("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let elsewhere = elsewhere.display().to_string();
    bench
        .run(
            "apply",
            &["-p", &other, "--yes", "--backup-dir", &elsewhere],
        )
        .expect(0);
}

#[test]
fn restore_refuses_to_lose_what_changed_since_and_values_keeps_it() {
    let bench = Bench::sample();
    let before = show(&bench, LISTENER, "SecurityLayer");
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
    change_something_else(&bench);
    let changed = bench.snapshot();
    let ended = bench.run("restore", &["--yes"]).expect(3);
    assert!(ended.stderr.contains("--values"), "{ended:?}");
    assert_eq!(
        bench.snapshot(),
        changed,
        "a refused restore wrote something"
    );

    bench.run("restore", &["--values", "--yes"]).expect(0);
    assert_eq!(show(&bench, LISTENER, "SecurityLayer"), before);
    assert_eq!(show(&bench, LISTENER, "PortNumber").unwrap()["data"], 3390);
    assert_eq!(
        show(&bench, LISTENER, "fQueryUserConfigFromLocalMachine"),
        None
    );
    jury::judges_accept(&bench.hive("SYSTEM")).unwrap();
    jury::judges_accept(&bench.hive("SOFTWARE")).unwrap();
}

#[test]
fn a_value_that_somebody_set_since_stays() {
    let bench = Bench::sample();
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
    let other = bench.profile("other", &format!(
        "  - key: HKLM\\{LISTENER}\n    values: [ {{ name: KeepAliveTimeout, dword: 7, why: w }} ]\n"
    ));
    apply_elsewhere(&bench, &other);
    let ended = bench
        .run("restore", &["--values", "--yes", "--format", "json"])
        .expect(0);
    let left = ended.json()["left"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(left[0]["value"], "KeepAliveTimeout");
    assert!(ended.stderr.contains("KeepAliveTimeout stays"), "{ended:?}");
    assert_eq!(
        show(&bench, LISTENER, "KeepAliveTimeout").unwrap()["data"],
        7
    );
}

/// A key that was deleted as a whole comes back from the backup's hive, with all below it.
#[test]
fn a_deleted_key_comes_back_by_value() {
    let bench = Bench::sample();
    let key = r"SYSTEM\ControlSet001\Control\Terminal Server";
    let parked = bench.profile(
        "park",
        &format!("  - key: HKLM\\{key}\n    absent: true\n    why: w\n"),
    );
    let listing = |bench: &Bench| {
        bench
            .run("show", &[LISTENER, "--format", "json"])
            .expect(0)
            .json()
    };
    let before = listing(&bench);
    let plan = bench
        .run("plan", &["-p", &parked, "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(plan["changes"][0]["action"], "delete-key");
    bench.run("apply", &["-p", &parked, "--yes"]).expect(0);
    bench.run("show", &[LISTENER]).expect(2);
    let other = bench.profile(
        "other",
        "  - key: HKLM\\SYSTEM\\Setup\n    values: [ { name: X, dword: 1, why: w } ]\n",
    );
    apply_elsewhere(&bench, &other);

    bench.run("restore", &["--values", "--yes"]).expect(0);
    assert_eq!(listing(&bench), before);
    jury::judges_accept(&bench.hive("SYSTEM")).unwrap();
}

#[test]
fn keys_that_were_created_go_unless_something_came_into_them() {
    let bench = Bench::sample();
    let made = r"HKLM\SYSTEM\CurrentControlSet\Services\hivemend test\Parameters";
    let profile = bench.profile(
        "make",
        &format!("  - key: {made}\n    values: [ {{ name: A, dword: 1, why: w }} ]\n"),
    );
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
    let into_first = r"HKLM\SYSTEM\ControlSet001\Services\hivemend test";
    let other = bench.profile(
        "other",
        &format!("  - key: {into_first}\n    values: [ {{ name: B, dword: 1, why: w }} ]\n"),
    );
    apply_elsewhere(&bench, &other);
    bench.run("restore", &["--values", "--yes"]).expect(0);
    bench
        .run(
            "show",
            &[r"SYSTEM\ControlSet001\Services\hivemend test", "B"],
        )
        .expect(0);
    bench
        .run(
            "show",
            &[r"SYSTEM\ControlSet001\Services\hivemend test\Parameters"],
        )
        .expect(2);
    bench
        .run("show", &[r"SYSTEM\ControlSet002\Services\hivemend test"])
        .expect(2);
}

#[test]
fn backups_elsewhere_and_of_the_whole_folder() {
    let bench = Bench::sample();
    fs::write(
        bench.config().join("SAM"),
        b"not a hive, but part of the folder",
    )
    .unwrap();
    let before = bench.hives();
    let elsewhere = bench.beside("elsewhere");
    let dir = elsewhere.display().to_string();
    let args = [
        PROFILE[0],
        PROFILE[1],
        "--yes",
        "--backup-dir",
        &dir,
        "--backup-scope",
        "config",
        "--format",
        "json",
    ];
    let applied = bench.run("apply", &args).expect(0).json();
    let backup = std::path::PathBuf::from(applied["outcome"]["backup"]["path"].as_str().unwrap());
    assert!(backup.starts_with(&elsewhere), "{backup:?}");
    assert!(backup.join("SAM").is_file());
    assert!(
        !bench.config().join("hivemend").exists(),
        "something was left beside the hives"
    );
    let system = bench.hive("SYSTEM");
    assert_eq!(sha256(&backup.join("SYSTEM")), before[&system].0);
    bench.run("restore", &["--yes"]).expect(3);
    bench
        .run("restore", &["--yes", "--backup-dir", &dir])
        .expect(0);
    assert_eq!(bench.hives(), before);
}

#[test]
fn several_repairs_are_taken_back_one_after_the_other() {
    let bench = Bench::sample();
    let before = bench.hives();
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
    let repaired = bench.hives();
    bench
        .run("apply", &["-p", "rdp-defaults", "--yes"])
        .expect(0);
    let listed = bench.run("backups", &["--format", "json"]).expect(0).json();
    let ids: Vec<&str> = listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    bench.run("restore", &[ids[1], "--yes"]).expect(3);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), repaired);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), before);
    let again = bench.snapshot();
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.snapshot(), again, "there was nothing left to restore");
}

#[test]
fn without_a_terminal_consent_must_be_given_in_words() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let ended = bench.run("apply", &PROFILE).expect(2);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
    let after = bench.snapshot();
    bench.run("restore", &[]).expect(2);
    assert_eq!(bench.snapshot(), after);
}

/// What raised security lowers it when it is taken back, and that is said, wherever a change is.
#[cfg(unix)]
#[test]
fn taking_a_hardening_back_is_marked() {
    let bench = Bench::sample();
    let weak = bench.profile(
        "weak",
        &format!(
            "  - key: HKLM\\{LISTENER}\n    values:\n      \
             - {{ name: UserAuthentication, dword: 0, why: w }}\n      \
             - {{ name: MinEncryptionLevel, dword: 2, why: w }}\n"
        ),
    );
    apply_elsewhere(&bench, &weak);
    bench
        .run("apply", &["-p", "rdp-security-harden", "--yes"])
        .expect(0);
    let args = ["--values", "--yes", "--format", "json"];
    let twin = bench.twin();
    let text = bench
        .run("restore", &["--values", "--yes"])
        .expect(0)
        .stdout;
    assert!(text.contains("LOWERS SECURITY. takes back"), "{text}");
    let undone = twin.run("restore", &args).expect(0).json();
    let mut lowering = 0;
    for change in undone["changes"].as_array().unwrap() {
        let lowers = match change["value"].as_str() {
            Some("UserAuthentication" | "MinEncryptionLevel") => {
                change["key"].as_str().unwrap().contains("ControlSet001")
            }
            _ => continue,
        };
        if lowers {
            lowering += 1;
            assert_eq!(change["lowers_security"], true, "{change}");
        }
    }
    assert_eq!(lowering, 2, "{undone}");
    // What was lowered and comes back is not marked.
    let bench = Bench::sample();
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    let undone = bench.run("restore", &args).expect(0).json();
    let changes = undone["changes"].as_array().unwrap();
    assert!(
        changes
            .iter()
            .any(|change| change["value"] == "SecurityLayer")
    );
    assert!(
        changes
            .iter()
            .all(|change| change["lowers_security"] == false)
    );
}
