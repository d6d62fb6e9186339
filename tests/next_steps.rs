// SPDX-License-Identifier: GPL-3.0-or-later
//! What a command says at its end: what was done or that nothing was, what can be chosen from, and what
//! is next, as commands with the target that was typed.

#![cfg(not(windows))]

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::{Bench, Ended, hivemend};
use crate::machine::{Disk, Machine, SERVICES, TERMINAL_SERVER};
use crate::recover::dirty_bench;
use hivemend::regf::Hive;

const PROFILE: [&str; 3] = ["-p", "rdp-security-harden", "--yes"];

fn broken(make: impl Fn(&mut Machine)) -> Disk {
    let mut machine = Machine::healthy();
    make(&mut machine);
    machine.write()
}

/// Everything that was said; a hint names the target where it is known.
fn said(ended: &Ended) -> String {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("TARGET"), "{said}");
    said
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word}:\n{said}");
    }
}

#[test]
fn apply_ends_with_how_to_check_and_how_to_undo() {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let said = said(&bench.run("apply", &PROFILE).expect(0));
    let check = format!("hivemend plan {disk} -p rdp-security-harden --exit-code");
    let undo = format!("hivemend restore {disk}\n");
    assert_says(&said, &[&check, &undo, "Unmount the disk"]);
    // The printed commands do what they say.
    let words: Vec<&str> = check.split(' ').skip(1).collect();
    hivemend(&words).expect(0);
    let elsewhere = bench.beside("backups").display().to_string();
    let words = [&PROFILE[..], &["--backup-dir", &elsewhere]].concat();
    let other = Bench::sample();
    let disk = other.disk().display().to_string();
    let undo = format!("hivemend restore {disk} --backup-dir {elsewhere}");
    fs::create_dir(&elsewhere).unwrap();
    assert_says(&self::said(&other.run("apply", &words).expect(0)), &[&undo]);
    let quiet = other.run("apply", &[&PROFILE[..], &["--quiet"]].concat());
    assert_eq!(quiet.expect(0).stdout, "");
}

#[test]
fn restore_says_what_happened_and_where_nothing_did() {
    let bench = Bench::sample();
    bench.run("apply", &PROFILE).expect(0);
    let first = said(&bench.run("restore", &["--yes"]).expect(0));
    assert_says(&first, &["Restored from backup", "same bytes", "Next:"]);
    let again = said(&bench.run("restore", &["--yes"]).expect(0));
    assert_says(&again, &["Nothing was to be done"]);
    assert!(!again.contains("Restored"), "{again}");
}

#[test]
fn diagnose_ends_with_one_way_to_mend_all_of_it() {
    let disk = broken(|m| {
        m.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
        m.dword(&format!(r"{SERVICES}\TermService"), "Start", 4);
    });
    let path = disk.path.display().to_string();
    let said = said(&disk.run("diagnose", &[]).expect(0));
    let fix = format!("hivemend fix {path}");
    let plan = format!("hivemend plan {path} -p rdp-enable -p rdp-services");
    assert_says(&said, &[&fix, &plan, "Windows 10"]);
    let quiet = disk.run("diagnose", &["--quiet"]).expect(0);
    assert_eq!(quiet.stdout.lines().count(), 1, "{quiet:?}");
    assert_says(&quiet.stdout, &["2 causes in the registry block"]);
    let json = disk.json("diagnose", &[]);
    let command = format!("hivemend apply {path} -p rdp-enable -p rdp-services");
    assert_eq!(json["command"], command);
}

#[test]
fn on_a_damaged_hive_mend_is_named_and_no_apply() {
    let bench = Bench::sample();
    let hive = bench.hive("SYSTEM");
    let mut image = fs::read(&hive).unwrap();
    let root = Hive::open(&image).unwrap().root().unwrap().at();
    let subkeys = usize::try_from(root.in_file().0).unwrap() + 24;
    image[subkeys] = image[subkeys].wrapping_sub(1);
    fs::write(&hive, image).unwrap();
    let disk = bench.disk().display().to_string();
    let mend = format!("hivemend mend {disk}");
    let text = said(&bench.run("diagnose", &[]).expect(0));
    assert_says(&text, &["SYSTEM is damaged", &mend]);
    assert!(!text.contains("hivemend apply"), "{text}");
    let json = bench
        .run("diagnose", &["--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["command"], Json::Null);
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["command"].is_null()));
    let damage = |finding: &&Json| finding["cause"].as_str().unwrap().contains("is damaged");
    assert_eq!(findings.iter().filter(damage).count(), 1, "{findings:#?}");
    let fixed = said(&bench.run("fix", &["--yes"]).expect(1));
    assert_says(&fixed, &["SYSTEM is damaged", &mend]);
    let refused = said(&bench.run("apply", &PROFILE).expect(3));
    assert_says(&refused, &[&mend]);
}

#[test]
fn backups_say_what_they_are_and_which_one_restore_takes() {
    let bench = Bench::sample();
    bench.run("apply", &PROFILE).expect(0);
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    let text = said(&bench.run("backups", &[]).expect(0));
    let restore = format!("Next: hivemend restore {}", bench.disk().display());
    assert_says(
        &text,
        &[" UTC: applied, ", "by rdp-disconnects", "KiB", &restore],
    );
    assert_eq!(text.matches("what restore takes").count(), 1, "{text}");
    let first = text.lines().next().unwrap();
    assert!(first.contains("what restore takes"), "{text}");
    let json = bench.run("backups", &["--format", "json"]).expect(0).json();
    let rows = json["backups"].as_array().unwrap();
    assert_eq!(rows[0]["next"], true);
    assert_eq!(rows[1]["next"], false);
    assert_eq!(rows[1]["profiles"], json!(["rdp-security-harden"]));
    assert!(rows[0]["size"].as_u64().unwrap() > 0);
    bench.run("restore", &["--yes"]).expect(0);
    let json = bench.run("backups", &["--format", "json"]).expect(0).json();
    assert_eq!(json["backups"][0]["next"], false);
    assert_eq!(json["backups"][1]["next"], true);
}

#[test]
fn profiles_are_found_by_what_they_are_about() {
    let all = hivemend(&["profile", "list"]).expect(0).stdout;
    assert_says(
        &all,
        &["Getting in\n", "Windows Firewall\n", "LOWERS SECURITY"],
    );
    let ids = |words: &[&str]| {
        let words = [&["profile", "list", "--format", "json"], words].concat();
        let json = hivemend(&words).expect(0).json();
        let rows = json["profiles"].as_array().unwrap().clone();
        rows.into_iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let by_value = ids(&["fdenytsconnections"]);
    assert!(by_value.contains(&"rdp-enable".to_owned()), "{by_value:?}");
    assert!(ids(&["firewall", "rdp"]).len() < ids(&["firewall"]).len());
    assert_eq!(ids(&[]).len(), hivemend::profile::builtin().len());
    let none = hivemend(&["profile", "list", "no-such-word"]).expect(1);
    assert!(none.stderr.contains("No built-in profile"), "{none:?}");
    let json = hivemend(&[
        "profile",
        "list",
        "rds-licensing-config",
        "--format",
        "json",
    ]);
    let row = &json.expect(0).json()["profiles"][0];
    assert_eq!(row["group"], "Licensing");
    assert_eq!(row["parameters"][0]["default"], Json::Null);
}

#[test]
fn a_disk_that_is_not_there_is_an_error_with_its_path() {
    let bench = Bench::sample();
    let nowhere = bench.beside("nowhere").display().to_string();
    let disks = hivemend(&["disks", &nowhere]);
    let plan = hivemend(&["plan", &nowhere, "-p", "rdp-enable"]);
    assert_eq!(disks.code, plan.code);
    assert!(
        disks.code > 1 && disks.stderr.contains(&nowhere),
        "{disks:?}"
    );
    let disk = bench.disk().display().to_string();
    let found = hivemend(&["disks", &disk]).expect(0).stdout;
    let next = format!("Next: hivemend diagnose {disk}");
    assert_says(&found, &["Windows 10", &next]);
}

#[test]
fn windows_is_called_what_it_is() {
    let windows = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let disk = broken(|m| {
        m.sz(windows, "ProductName", "Windows 10 Pro");
        m.dword(windows, "CurrentMajorVersionNumber", 10);
        m.dword(windows, "CurrentMinorVersionNumber", 0);
        m.sz(windows, "CurrentBuildNumber", "22631");
        m.sz(windows, "CurrentBuild", "22631");
    });
    let path = disk.path.display().to_string();
    let listed = hivemend(&["disks", &path]).expect(0).stdout;
    assert_says(&listed, &["Windows 11 Pro (build 22631)"]);
    let json = hivemend(&["disks", &path, "--format", "json"]).expect(0);
    let named = &json.json()["disks"][0]["windows"];
    assert_eq!(named["name"], "Windows 11 Pro (build 22631)");
    assert_eq!(named["product"], "Windows 10 Pro");
    let diagnosed = disk.run("diagnose", &[]).expect(0).stdout;
    assert_says(&diagnosed, &["Windows 11 Pro (build 22631)"]);
    let Some(bench) = Bench::corpus("nt4-sp3") else {
        return;
    };
    for words in [&["disks"][..], &["diagnose"]] {
        let disk = bench.disk().display().to_string();
        let said = hivemend(&[words, &[&disk]].concat()).stdout;
        assert_says(&said, &["Windows NT 4"]);
    }
}

#[test]
fn a_dirty_hive_whose_logs_apply_is_not_called_damaged() {
    let (bench, _) = dirty_bench();
    let before = bench.snapshot();
    let checked = bench.run("check", &[]).expect(1);
    let said = said(&checked);
    let recover = format!("hivemend recover {}", bench.disk().display());
    let is_plain = !cfg!(windows) || !said.contains('"');
    assert!(!is_plain || said.contains(&recover), "{recover}: {said}");
    assert_says(&said, &["dirty, recoverable"]);
    assert!(!said.contains("damaged"), "{said}");
    assert_eq!(bench.snapshot(), before);
    let words: Vec<String> = recover.split(' ').skip(1).map(str::to_owned).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push("--yes");
    hivemend(&words).expect(0);
    bench.run("check", &[]).expect(0);
    // Without the log nothing recovers it.
    let (bench, file) = dirty_bench();
    fs::remove_file(file.with_extension("LOG1")).unwrap();
    let said = self::said(&bench.run("check", &[]).expect(1));
    assert!(!said.contains("recoverable"), "{said}");
}
