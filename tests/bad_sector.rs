// SPDX-License-Identifier: GPL-3.0-or-later
//! One region of a hive cannot be read: who does not need it goes on, who does says where it is.
//!
//! The real program reads through a small library (`common/bad_sector.c`, preloaded) that fails
//! the reads of that region with EIO, as a disk with a bad sector does.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::{Bench, Ended};
use hivemend::regf::{Hive, Name};

const PROFILE: [&str; 2] = ["-p", "rdp-disconnects"];
/// Where the listener is, whose values the profile is about.
const NEEDED: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// The library, built beside the disk; or a word that there is no compiler.
fn library(bench: &Bench) -> Option<PathBuf> {
    let library = bench.beside("bad_sector.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/bad_sector.c");
    let mut build = Command::new("cc");
    build
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl");
    if build.status().is_ok_and(|status| status.success()) {
        return Some(library);
    }
    assert!(std::env::var_os("CI").is_none(), "a C compiler is missing");
    let said = "SKIPPED: no C compiler here, the disk had no bad sector\n";
    // Past the harness, which keeps what a passing test prints.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    None
}

/// Runs a command on a disk of which one sector of `file` is bad.
fn run(bench: &Bench, library: &Path, (file, at): (&str, u64), args: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .arg(args[0])
        .arg(bench.disk())
        .args(&args[1..])
        .env("LD_PRELOAD", library)
        .env("BAD_FILE", format!("/{file}"))
        .env("BAD_FROM", at.to_string())
        .env("BAD_TO", (at + 512).to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The sector that holds the key node of the listener.
fn needed_sector(bench: &Bench) -> u64 {
    let image = fs::read(bench.hive("SYSTEM")).unwrap();
    let hive = Hive::open(&image).unwrap();
    let path: Vec<Name> = NEEDED.split('\\').map(Name::from).collect();
    let key = hive.find(&path).unwrap().unwrap();
    key.at().in_file().0 / 512 * 512
}

/// The plan without its paragraphs of warnings.
fn without_warnings(plan: &str) -> String {
    // What machine it is stands in front of the verdict, and is not known where it cannot be read.
    let plan = plan.split_once("\nPlan: ").map_or(plan, |(_, plan)| plan);
    let mut is_warning = false;
    let kept = plan.lines().filter(|line| {
        is_warning = line.starts_with("! ") || (is_warning && line.starts_with("  "));
        !is_warning
    });
    kept.collect::<Vec<&str>>().join("\n")
}

#[test]
fn a_plan_that_does_not_need_the_sector_does_not_notice() {
    let bench = Bench::sample();
    let Some(library) = library(&bench) else {
        return;
    };
    let sound = bench.run("plan", &[PROFILE[0], PROFILE[1]]).expect(0);
    let size = fs::metadata(bench.hive("SYSTEM")).unwrap().len();
    let (mut same, mut failed) = (0, Vec::new());
    for at in (0..size).step_by(512) {
        let ended = run(
            &bench,
            &library,
            ("SYSTEM", at),
            &["plan", PROFILE[0], PROFILE[1]],
        );
        match ended.code {
            0 => {
                // What is looked at besides, such as debris, is a warning where it cannot be read.
                let plan = without_warnings(&ended.stdout);
                assert_eq!(plan, without_warnings(&sound.stdout), "bad sector at {at}");
                same += 1;
            }
            4 => {
                assert!(ended.stderr.contains("SYSTEM"), "{ended:?}");
                assert!(ended.stderr.contains("could not"), "{ended:?}");
                failed.push(at);
            }
            _ => panic!("bad sector at {at}: {ended:?}"),
        }
    }
    println!("plan: {same} of {} sectors are not needed", size / 512);
    assert!(failed.contains(&needed_sector(&bench)));
    assert!(same > failed.len(), "{failed:?}");
}

#[test]
fn apply_says_what_could_not_be_read_and_where() {
    let bench = Bench::sample();
    let Some(library) = library(&bench) else {
        return;
    };
    let before = bench.snapshot();
    let size = fs::metadata(bench.hive("SYSTEM")).unwrap().len();
    for at in [0, 4096, needed_sector(&bench), size - 512] {
        let args = ["apply", PROFILE[0], PROFILE[1], "--yes"];
        let ended = run(&bench, &library, ("SYSTEM", at), &args).expect(4);
        assert!(ended.stderr.contains("config/SYSTEM"), "{ended:?}");
        assert!(
            at == 0 || ended.stderr.contains(&format!("offset {at} ")),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("copy it first"), "{ended:?}");
        assert_eq!(bench.snapshot(), before);
    }
}

/// A log is part of the backup: without it the undo would not be exact.
#[test]
fn a_log_that_cannot_be_read_is_named_too() {
    let bench = Bench::sample();
    let Some(library) = library(&bench) else {
        return;
    };
    fs::write(bench.config().join("SYSTEM.LOG1"), [0; 4096]).unwrap();
    let before = bench.snapshot();
    let args = ["apply", PROFILE[0], PROFILE[1], "--yes"];
    let ended = run(&bench, &library, ("SYSTEM.LOG1", 1024), &args).expect(4);
    assert!(
        ended.stderr.contains("SYSTEM.LOG1: could not read at"),
        "{ended:?}"
    );
    assert_eq!(bench.snapshot(), before);
}

/// A sector of the backup: the hives stay as they are, and the message says which file is bad.
#[test]
fn a_backup_that_cannot_be_read_is_not_restored() {
    let bench = Bench::sample();
    let Some(library) = library(&bench) else {
        return;
    };
    let applied = bench.run(
        "apply",
        &[PROFILE[0], PROFILE[1], "--yes", "--format", "json"],
    );
    let backup = applied.expect(0).json()["outcome"]["backup"]["id"].clone();
    let before = bench.hives();
    let file = format!("{}/SOFTWARE", backup.as_str().unwrap());
    let ended = run(&bench, &library, (&file, 1024), &["restore", "--yes"]).expect(4);
    assert!(ended.stderr.contains(&file), "{ended:?}");
    assert_eq!(bench.hives(), before);
    bench.run("restore", &["--yes"]).expect(0);
}

/// What cannot be read counts as zeros and is named; the rest is checked, and mended elsewhere.
#[test]
fn check_and_mend_read_around_the_sector() {
    let bench = Bench::sample();
    let Some(library) = library(&bench) else {
        return;
    };
    let before = bench.snapshot();
    let size = fs::metadata(bench.hive("SYSTEM")).unwrap().len();
    for at in [0, 4096, needed_sector(&bench), size - 512] {
        let place = format!("bytes {at:#x} to {:#x}", at + 512);
        let ended = run(&bench, &library, ("SYSTEM", at), &["check"]).expect(1);
        assert!(ended.stdout.contains(&place), "{ended:?}");
        let refused = ["mend", "--yes", "--accept-loss=essential"];
        let refused = run(&bench, &library, ("SYSTEM", at), &refused).expect(3);
        assert!(refused.stderr.contains("cannot be read"), "{refused:?}");
        let out = bench.beside(&format!("mended.{at}"));
        let args = [
            "mend",
            "--accept-loss=essential",
            "-o",
            out.to_str().unwrap(),
        ];
        let ended = run(&bench, &library, ("SYSTEM", at), &args).expect(0);
        assert!(ended.stdout.contains(&place), "{ended:?}");
        let report = hivemend::regf::check(&fs::read(out).unwrap());
        assert_eq!(report.first_error(), None);
        assert!(report.keys > 80, "{}", report.keys);
    }
    assert_eq!(bench.snapshot(), before);
}
