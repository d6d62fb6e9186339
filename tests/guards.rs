// SPDX-License-Identifier: GPL-3.0-or-later
//! What hivemend refuses to touch, and what it says then.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::bench::{Bench, hivemend};

const PROFILE: [&str; 2] = ["-p", "rdp-disconnects"];

fn refused(bench: &Bench, word: &str) {
    let before = bench.snapshot();
    for command in ["plan", "apply"] {
        let ended = bench.run(command, &[PROFILE[0], PROFILE[1]]).expect(3);
        assert!(ended.stderr.contains(word), "{ended:?}");
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_reg_text_file_is_called_that() {
    for text in [
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM]\r\n",
        "REGEDIT4\n",
    ] {
        let bench = Bench::sample();
        fs::write(bench.hive("SYSTEM"), text).unwrap();
        refused(&bench, ".reg");
    }
}

#[test]
fn an_empty_or_foreign_file_is_no_hive() {
    for content in [&b""[..], b"SQLite format 3\0", &[0; 8192]] {
        let bench = Bench::sample();
        fs::write(bench.hive("SYSTEM"), content).unwrap();
        refused(&bench, "SYSTEM");
    }
}

/// Damage that cannot be mended without a log: nothing is laundered behind a valid checksum.
#[test]
fn a_wrong_checksum_or_sequence_is_refused() {
    for (at, word) in [(60, "checksum"), (4, "checksum")] {
        let bench = Bench::sample();
        let mut image = fs::read(bench.hive("SYSTEM")).unwrap();
        image[at] ^= 0x40;
        fs::write(bench.hive("SYSTEM"), image).unwrap();
        refused(&bench, word);
    }
}

/// A cell that two values share: an edit of one would change the other.
#[test]
fn a_damaged_hive_is_shown_but_not_edited() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let mut image = fs::read(&file).unwrap();
    // The reference count of the first security record, which no reader needs.
    let at = image
        .windows(4)
        .position(|bytes| &bytes[..2] == b"sk" && bytes[2..] == [0, 0])
        .unwrap();
    image[at + 12..at + 16].copy_from_slice(&1_u32.to_le_bytes());
    fs::write(&file, image).unwrap();
    let before = bench.snapshot();
    bench.run("plan", &PROFILE).expect(0);
    let ended = bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(3);
    assert!(ended.stderr.contains("security-count-low"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_hive_that_is_missing_is_never_created() {
    let bench = Bench::sample();
    let system = bench.hive("SYSTEM");
    fs::remove_file(bench.hive("SOFTWARE")).unwrap();
    let plan = bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--format", "json"])
        .expect(0)
        .json();
    // Three policies, and SecurityLayer in two control sets: this SYSTEM does not tell its Windows.
    assert_eq!(plan["summary"]["skipped"], 5);
    let software = system.with_file_name("SOFTWARE").display().to_string();
    hivemend(&["plan", "--software", &software, PROFILE[0], PROFILE[1]]).expect(3);
    fs::remove_file(system).unwrap();
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(3);
    assert!(bench.snapshot().is_empty(), "something was created");
}

#[test]
fn a_folder_without_windows_says_what_was_looked_for() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().display().to_string();
    let ended = hivemend(&["plan", &path, PROFILE[0], PROFILE[1]]).expect(3);
    assert!(ended.stderr.contains("System32"), "{ended:?}");
    let gone = empty.path().join("gone").display().to_string();
    hivemend(&["plan", &gone, PROFILE[0], PROFILE[1]]).expect(3);
}

#[cfg(unix)]
#[test]
fn a_hive_that_is_a_symbolic_link_is_refused() {
    let bench = Bench::sample();
    let elsewhere = bench.beside("elsewhere");
    fs::rename(bench.hive("SYSTEM"), &elsewhere).unwrap();
    let link = bench.hive("SOFTWARE").parent().unwrap().join("SYSTEM");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    let ended = bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(3);
    assert!(ended.stderr.contains("link"), "{ended:?}");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_hive_that_another_process_writes_is_refused() {
    let bench = Bench::sample();
    let held = fs::OpenOptions::new()
        .write(true)
        .open(bench.hive("SYSTEM"))
        .unwrap();
    let ended = bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(3);
    assert!(ended.stderr.contains("in use"), "{ended:?}");
    drop(held);
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
}

/// Open for reading, and not to be removed or renamed meanwhile: a swap would fail half-way.
#[cfg(windows)]
#[test]
fn a_hive_that_another_program_keeps_from_being_replaced_is_refused() {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    for (name, mount) in [("SYSTEM", "BROKENSYSTEM"), ("SOFTWARE", "BROKENSOFTWARE")] {
        let bench = Bench::sample();
        let before = bench.snapshot();
        let mut options = fs::OpenOptions::new();
        let options = options.read(true).share_mode(FILE_SHARE_READ);
        let held = options.open(bench.hive(name)).unwrap();
        let ended = bench
            .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
            .expect(3);
        let says = |word: &str| ended.stderr.contains(word);
        assert!(says("in use") && says(mount), "{ended:?}");
        assert_eq!(bench.snapshot(), before);
        drop(held);
        bench
            .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
            .expect(0);
    }
}

#[test]
fn failures_are_json_where_json_was_asked_for() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().display().to_string();
    let ended = hivemend(&["plan", &path, PROFILE[0], PROFILE[1], "--format", "json"]).expect(3);
    let error = ended.json();
    assert_eq!(error["schema"], "hivemend.error/1");
    assert_eq!(error["exit_code"], 3);
}

/// Names from a hive must not reach the terminal as they are.
#[test]
fn escape_sequences_in_names_are_shown_not_obeyed() {
    let bench = Bench::sample();
    let profile = bench.profile("esc", "  - key: \"HKLM\\\\SOFTWARE\\\\a\\u001b[2Jb\"\n    values: [ { name: \"x\\u202e\", sz: \"\\u001b]0;t\\u0007\", why: w } ]\n");
    let ended = bench.run("apply", &["-p", &profile, "--yes", "--color", "never"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        !said.contains('\u{1b}') && !said.contains('\u{202e}') && !said.contains('\u{7}'),
        "{said:?}"
    );
    if ended.code == 0 {
        let shown = bench
            .run("show", &["SOFTWARE", "--color", "never"])
            .expect(0);
        assert!(!shown.stdout.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_hibernated_windows_is_refused_and_the_plan_says_so() {
    for signature in [&b"hibr"[..], b"HIBR", b"RSTR", b"WAKE"] {
        let bench = Bench::sample();
        fs::write(bench.disk().join("hiberfil.sys"), signature).unwrap();
        let before = bench.snapshot();
        let plan = bench
            .run("plan", &[PROFILE[0], PROFILE[1], "--format", "json"])
            .expect(0)
            .json();
        assert!(
            plan["warnings"][0].as_str().unwrap().contains("hiberna"),
            "{plan}"
        );
        let ended = bench
            .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
            .expect(3);
        assert!(ended.stderr.contains("powercfg /h off"), "{ended:?}");
        assert!(ended.stderr.contains("--accept-hibernated"), "{ended:?}");
        assert_eq!(bench.snapshot(), before);
        bench
            .run(
                "apply",
                &[PROFILE[0], PROFILE[1], "--yes", "--accept-hibernated"],
            )
            .expect(0);
        bench.run("restore", &["--yes"]).expect(3);
        bench
            .run("restore", &["--yes", "--accept-hibernated"])
            .expect(0);
    }
    let bench = Bench::sample();
    fs::write(bench.disk().join("hiberfil.sys"), [0; 4096]).unwrap();
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
}

#[test]
fn transactions_that_were_left_are_a_warning_and_the_flag_alone_is_none() {
    let bench = Bench::sample();
    let mut image = fs::read(bench.hive("SYSTEM")).unwrap();
    image[144] |= 1;
    image[508] ^= 1;
    fs::write(bench.hive("SYSTEM"), image).unwrap();
    let warnings = || {
        let arguments = [PROFILE[0], PROFILE[1], "--format", "json"];
        let plan = bench.run("plan", &arguments).expect(0).json();
        plan["warnings"].to_string()
    };
    // Nearly every Windows has the flag, and logs from before the hives were written last.
    assert!(!warnings().contains("transactions"), "{}", warnings());
    let logs = bench.hive("SYSTEM").with_file_name("TxR");
    fs::create_dir(&logs).unwrap();
    let log = logs.join("{0}.TxR.0.regtrans-ms");
    fs::write(&log, [0; 512]).unwrap();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let set = |file: &Path, seconds| {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(at(seconds)).unwrap();
    };
    set(&bench.hive("SYSTEM"), 1_700_000_100);
    set(&log, 1_700_000_000);
    assert!(!warnings().contains("transactions"), "{}", warnings());
    set(&log, 1_700_000_200);
    assert!(
        warnings().contains("transactions that were not finished"),
        "{}",
        warnings()
    );
}
