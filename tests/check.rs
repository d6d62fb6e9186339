// SPDX-License-Identifier: GPL-3.0-or-later
//! The command `check`: what it says of sound, dirty, damaged and foreign files, and how it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::{Bench, hivemend};
use hivemend::regf::{self, FINDING_CODES, Severity};
use serde_json::json;

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Changes a file's bytes and makes the base block's checksum right.
fn damage(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut image = fs::read(file).unwrap();
    change(&mut image);
    let sum = regf::checksum(&image).unwrap();
    image[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(file, image).unwrap();
}

#[test]
fn a_sound_target_ends_with_0_and_nothing_is_written() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let ended = bench.run("check", &[]).expect(0);
    assert_eq!(ended.stdout.matches("sound: 0 errors").count(), 2);
    assert!(
        ended
            .stdout
            .contains("format 1.5, clean, 73728 bytes, 93 keys, 359 values")
    );
    let json = bench.run("check", &["--format", "json"]).expect(0).json();
    assert_eq!(json["schema"], "hivemend.check/1");
    assert_eq!(json["hives"].as_array().unwrap().len(), 2);
    assert_eq!(json["hives"][0]["findings"], json!([]));
    assert_eq!(json["hives"][0]["state"], "clean");
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn an_error_ends_with_1_and_is_told_in_text_and_json() {
    let bench = Bench::sample();
    let system = bench.hive("SYSTEM");
    // The root's number of subkeys: behind the root cell's size, 20 bytes into the key node.
    damage(&system, |image| image[4096 + 32 + 4 + 20] += 1);
    let ended = bench.run("check", &[]).expect(1);
    assert!(ended.stdout.contains("error subkey-count (1)"), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("damaged: 1 error, 0 warnings, 0 notes")
    );
    let brief = bench.run("check", &["--quiet"]).expect(1);
    assert_eq!(brief.stdout.lines().count(), 2, "{brief:?}");
    let json = bench.run("check", &["--format", "json"]).expect(1).json();
    let hive = &json["hives"][0];
    let finding = &hive["findings"][0];
    assert_eq!(finding["code"], "subkey-count");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["offset"], 4096 + 32);
    assert_eq!(finding["key"], "\\");
    assert_eq!(hive["counts"], json!({ "subkey-count": 1 }));
    assert_eq!((&json["errors"], &hive["errors"]), (&json!(1), &json!(1)));
}

#[test]
fn a_warning_alone_ends_with_0() {
    let bench = Bench::sample();
    damage(&bench.hive("SYSTEM"), |image| image[44] = 3);
    let ended = bench.run("check", &[]).expect(0);
    assert!(
        ended
            .stdout
            .contains("warning base-block-clustering-factor (1)")
    );
}

#[test]
fn a_dirty_hive_is_checked_as_it_is_and_its_logs_are_named() {
    let bench = Bench::sample();
    let system = bench.hive("SYSTEM");
    damage(&system, |image| image[4] ^= 0x40);
    fs::write(system.with_extension("LOG1"), [1; 512]).unwrap();
    fs::write(system.with_extension("log2"), []).unwrap();
    let ended = bench.run("check", &[]).expect(1);
    assert!(ended.stdout.contains("format 1.5, dirty, "), "{ended:?}");
    assert!(ended.stdout.contains("no log applies"), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("log SYSTEM.LOG1 (512 bytes): base block")
    );
    assert!(ended.stdout.contains("log SYSTEM.log2 (0 bytes): empty\n"));
    assert!(ended.stdout.contains("error sequence-numbers (1)"));
    let json = bench.run("check", &["--format", "json"]).expect(1).json();
    let hive = &json["hives"][0];
    assert_eq!(hive["state"], "dirty");
    assert_eq!(hive["logs"][0]["size"], 512);
    assert_eq!(hive["logs"][1]["state"], "empty");
    assert_ne!(hive["sequence_numbers"][0], hive["sequence_numbers"][1]);
}

#[test]
fn targets_and_files_may_be_mixed_and_one_bad_name_stops_nothing() {
    let bench = Bench::sample();
    let disk = text(bench.disk());
    let small = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/hives/v1.3");
    let missing = text(&bench.beside("missing"));
    let foreign = bench.beside("notes.txt");
    fs::write(&foreign, "not a hive").unwrap();
    let foreign = text(&foreign);
    let all = ["check", small, &missing, &disk, &foreign];
    let ended = hivemend(&all).expect(3);
    assert_eq!(ended.stdout.matches("sound: ").count(), 3, "{ended:?}");
    assert!(ended.stderr.contains("there is no such file or folder"));
    assert!(ended.stderr.contains("this is not a hive"));
    let json = hivemend(&[&all[..], &["--format", "json"]].concat())
        .expect(3)
        .json();
    let hives = json["hives"].as_array().unwrap();
    assert_eq!(hives.len(), 5);
    assert!(hives[1]["error"].as_str().unwrap().contains("no such file"));
    assert_eq!(hives[2]["errors"], 0);
    hivemend(&["check"]).expect(2);
}

#[test]
fn a_hive_without_its_header_is_checked_all_the_same() {
    let bench = Bench::sample();
    let system = bench.hive("SYSTEM");
    let file = text(&system);
    damage(&system, |image| image[..4].fill(0));
    let ended = hivemend(&["check", &file]).expect(1);
    assert!(
        ended.stdout.contains("no header of a hive, damaged, "),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("error base-block-signature (1)"));
    assert!(ended.stdout.contains("93 keys"), "{ended:?}");
    damage(&system, |image| image[..4096].fill(0));
    let json = hivemend(&["check", &file, "--format", "json"])
        .expect(1)
        .json();
    let hive = &json["hives"][0];
    assert_eq!(
        (&hive["keys"], &hive["version"]),
        (&json!(93), &json!(null))
    );
    fs::write(&system, [0; 20_000]).unwrap();
    let ended = hivemend(&["check", &file]).expect(3);
    assert!(ended.stderr.contains("zeros only"), "{ended:?}");
}

#[test]
fn names_of_keys_cannot_speak_to_the_terminal() {
    let bench = Bench::sample();
    let system = bench.hive("SYSTEM");
    damage(&system, |image| {
        let name = b"MountedDevices";
        let at = image.windows(name.len()).position(|bytes| bytes == name);
        image[at.unwrap()] = 0x1B;
    });
    let ended = bench.run("check", &[]).expect(1);
    assert!(ended.stdout.contains("\\u{1b}ountedDevices"), "{ended:?}");
    assert!(!ended.stdout.contains('\u{1b}'));
}

/// Each `### code` of the document with the severity in its first line, and how often it says what
/// Windows does and what to do.
fn documented() -> BTreeMap<String, (String, usize, usize)> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
    let document = fs::read_to_string(document).unwrap();
    let mut entries = BTreeMap::new();
    for entry in document.split("\n### `").skip(1) {
        let (code, rest) = entry.split_once('`').unwrap();
        let rest = rest.split("\n## ").next().unwrap();
        let severity = rest.trim_start().strip_prefix("Severity: ").expect(code);
        let severity = severity.split('.').next().unwrap().to_owned();
        let windows = rest.matches("\n- Windows: ").count();
        let old = entries.insert(
            code.to_owned(),
            (severity, windows, rest.matches("\n- Do: ").count()),
        );
        assert_eq!(old, None, "{code} twice");
    }
    entries
}

#[test]
fn the_document_has_an_entry_for_each_code() {
    let codes = FINDING_CODES.iter();
    let known: BTreeMap<_, _> = codes
        .map(|code| (code.name.to_owned(), (code.severity.to_string(), 1, 1)))
        .collect();
    assert_eq!(documented(), known);
    assert_eq!(known.len(), FINDING_CODES.len(), "a code twice");
}

#[test]
fn no_hive_that_windows_wrote_has_an_error() {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from) else {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS is not set, no hives that Windows wrote\n",
        );
        return;
    };
    let hives = [
        ("disks/nt4-sp3/WINNT/system32/config/system", 0),
        // NT 4 leaves lists without values behind.
        ("disks/nt4-sp3/WINNT/system32/config/software", 2),
        // XP leaves the longest name of two keys too short.
        ("disks/xp-sp3/WINDOWS/system32/config/system", 2),
        ("disks/win7-sp1/Windows/System32/config/SYSTEM", 0),
        ("disks/win7-sp1/Windows/System32/config/SOFTWARE", 0),
        ("disks/win10-2004/Windows/System32/config/SYSTEM", 0),
        ("hives/dirty/OldDirtyHive/RecoveredHive_Windows7", 0),
        // What the recovery of a hive that was damaged on purpose leaves behind.
        ("hives/dirty/NewDirtyHive1/RecoveredHive_Windows10", 8),
        ("hives/damaged/HealedHive", 6),
        ("hives/odd/BigDataHive", 0),
        ("hives/odd/ManySubkeysHive", 0),
        ("hives/odd/System_Delta", 0),
        ("hives/odd/UnicodeHive", 0),
        ("hives/odd/UpcaseHive", 0),
    ];
    for (hive, warnings) in hives {
        let report = regf::check(&fs::read(corpus.join(hive)).unwrap());
        let first = report.first_error();
        assert_eq!(first, None, "{hive}");
        assert_eq!(report.warnings, warnings, "{hive}: {:?}", report.counts);
    }
}

#[test]
fn what_is_dirty_has_no_other_error() {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from) else {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS is not set, no dirty hives\n",
        );
        return;
    };
    for hive in [
        "disks/win10-1709-dirty/Windows/System32/config/SYSTEM",
        "hives/dirty/NewDirtyHive1/NewDirtyHive",
        "hives/dirty/OldDirtyHive/OldDirtyHive",
        "hives/dirty/NtuserNewLogs/NTUSER.DAT",
    ] {
        let report = regf::check(&fs::read(corpus.join(hive)).unwrap());
        let errors = report.findings.iter();
        let mut errors = errors.filter(|finding| finding.severity == Severity::Error);
        assert_eq!(errors.next().unwrap().code, "sequence-numbers", "{hive}");
        assert_eq!(errors.next(), None, "{hive}");
    }
}
