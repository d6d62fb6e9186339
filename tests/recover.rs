// SPDX-License-Identifier: GPL-3.0-or-later
//! `recover` from outside, on made hives: the logs are applied, or the hive is refused with what was
//! found in each log. What the log room does in detail is in `tests/recovery.rs`.

use std::fs;
use std::path::PathBuf;

use hivemend::edit::Editor;
use hivemend::regf::{Hive, Name};

use crate::bench::{Bench, hivemend};
use crate::jury;
use crate::transaction_log::{NewLog, dirty};

/// The sample disk with a SOFTWARE hive whose last write is only in its log.
pub(crate) fn dirty_bench() -> (Bench, PathBuf) {
    let bench = Bench::sample();
    let file = bench.hive("SOFTWARE");
    let before = fs::read(&file).unwrap();
    let mut editor = Editor::open(before.clone(), 1).unwrap();
    let key = [Name::from("Microsoft"), Name::from("in the log")];
    editor.create_key(&key).unwrap();
    editor
        .set_value(&key, &Name::from("v"), 4, &[7, 0, 0, 0])
        .unwrap();
    let after = editor.seal(0).unwrap().image;
    let log = NewLog::new(&before, 40).entry(&before, &after, 40);
    fs::write(file.with_extension("LOG1"), log.bytes).unwrap();
    fs::write(&file, dirty(&before, 2, 1)).unwrap();
    (bench, file)
}

#[test]
fn recovered_in_place_with_a_backup_and_back() {
    let (bench, file) = dirty_bench();
    let before = bench.snapshot();
    let value = r"SOFTWARE\Microsoft\in the log";
    let shown = bench
        .run("show", &[value, "v", "--format", "json"])
        .expect(0);
    assert_eq!(shown.json()["values"][0]["data"], 7);
    assert!(shown.stderr.contains("recovered: "), "{shown:?}");
    assert_eq!(bench.snapshot(), before, "show wrote something");

    bench.run("recover", &[]).expect(2);
    assert_eq!(bench.snapshot(), before);
    let ended = bench
        .run("recover", &["--yes", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(ended["outcome"]["status"], "applied");
    jury::judges_accept(&file).unwrap();
    let image = fs::read(&file).unwrap();
    let hive = Hive::open(&image).unwrap();
    assert!(hive.base().is_clean());
    let again = bench
        .run("recover", &["--yes", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(again["outcome"]["status"], "unchanged");
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), before);
}

#[test]
fn recovered_into_a_file_of_its_own() {
    let (bench, file) = dirty_bench();
    let before = bench.snapshot();
    let file = file.display().to_string();
    let out = bench.beside("recovered");
    let to = out.display().to_string();
    hivemend(&["recover", &file, "-o", &to]).expect(0);
    jury::judges_accept(&out).unwrap();
    hivemend(&["recover", &file, "-o", &to]).expect(3);
    hivemend(&["recover", &file, "-o", &file]).expect(3);
    assert_eq!(
        bench.snapshot(),
        before,
        "something was written near the target"
    );
}

/// Whoever names a file finds the hive in it, also where there was nothing to recover.
#[test]
fn a_clean_hive_is_written_as_it_is() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let file = bench.hive("SYSTEM");
    let out = bench.beside("out");
    let (from, to) = (file.display().to_string(), out.display().to_string());
    let ended = hivemend(&["recover", &from, "-o", &to]).expect(0);
    assert!(ended.stdout.contains("clean"), "{ended:?}");
    assert!(ended.stderr.contains("unchanged"), "{ended:?}");
    assert!(fs::read(&out).unwrap() == fs::read(&file).unwrap());
    hivemend(&["recover", &from, "-o", &to]).expect(3);
    // Of a target with two clean hives neither is meant.
    let other = bench.beside("other").display().to_string();
    let ended = bench.run("recover", &["-o", &other]).expect(2);
    assert!(ended.stderr.contains("2 hives are clean"), "{ended:?}");
    fs::rename(bench.hive("SOFTWARE"), bench.beside("SOFTWARE")).unwrap();
    bench.run("recover", &["-o", &other]).expect(0);
    fs::rename(bench.beside("SOFTWARE"), bench.config().join("SOFTWARE")).unwrap();
    assert_eq!(bench.snapshot(), before);

    // Of one dirty and one clean hive the dirty one is meant.
    let (bench, _) = dirty_bench();
    let out = bench.beside("dirty");
    bench
        .run("recover", &["-o", &out.display().to_string()])
        .expect(0);
    jury::judges_accept(&out).unwrap();
}

#[test]
fn without_a_usable_log_the_loss_must_be_accepted_in_words() {
    let (bench, file) = dirty_bench();
    let log = PathBuf::from(format!("{}.LOG1", file.display()));
    let mut bytes = fs::read(&log).unwrap();
    bytes[600..900].fill(0x5A);
    fs::write(&log, bytes).unwrap();
    let before = bench.snapshot();
    let ended = bench.run("recover", &["--yes"]).expect(3);
    assert!(ended.stderr.contains("SOFTWARE.LOG1"), "{ended:?}");
    assert!(ended.stderr.contains("--accept-unrecovered"), "{ended:?}");
    let ended = bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(3);
    assert!(ended.stderr.contains("SOFTWARE"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);

    let accepted = [
        "-p",
        "rdp-disconnects",
        "--yes",
        "--accept-unrecovered",
        "--format",
        "json",
    ];
    let plan = bench.run("apply", &accepted).expect(0).json();
    assert_eq!(plan["hives"][1]["state"], "unrecovered");
    assert!(
        plan["warnings"][0].as_str().unwrap().contains("missing"),
        "{plan}"
    );
    jury::judges_accept(&file).unwrap();
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), before);
}

/// What is wrong with SOFTWARE is no reason to leave SYSTEM alone.
#[test]
fn another_hive_in_trouble_does_not_stand_in_the_way() {
    let (bench, file) = dirty_bench();
    fs::remove_file(file.with_extension("LOG1")).unwrap();
    let only_system = bench.profile(
        "system",
        "  - key: HKLM\\SYSTEM\\Setup\n    values: [ { name: X, dword: 1, why: w } ]\n",
    );
    let applied = bench.run("apply", &["-p", &only_system, "--yes", "--format", "json"]);
    assert_eq!(
        applied.expect(0).json()["hives"].as_array().unwrap().len(),
        1
    );
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(3);
}
