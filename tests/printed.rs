// SPDX-License-Identifier: GPL-3.0-or-later
//! A command whose result nobody could see does not end as if all were well.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Command, Stdio};

use crate::bench::{Bench, hivemend};

/// Where standard output goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    /// Nowhere: the descriptor is closed.
    Closed,
    /// Nowhere: the descriptor is open for reading.
    ReadOnly,
    /// A device that is full.
    Full,
    /// A pipe that nobody reads any more.
    Gone,
    /// Where everything is welcome; opened for reading and writing, as many programs do.
    Null,
}

const LOST: [To; 3] = [To::Closed, To::ReadOnly, To::Full];

fn code(args: &[&str], to: To) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_hivemend");
    let mut command = match to {
        To::Closed => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "exec \"$@\" >&-", "sh", program]);
            shell
        }
        _ => Command::new(program),
    };
    command
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let null = || {
        fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .unwrap()
    };
    match to {
        To::Closed => command.stdout(Stdio::inherit()),
        To::ReadOnly => command.stdout(fs::File::open("/dev/null").unwrap()),
        To::Full => command.stdout(fs::File::options().write(true).open("/dev/full").unwrap()),
        To::Gone => command.stdout(std::io::pipe().unwrap().1),
        To::Null => command.stdout(null()),
    };
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), stderr)
}

#[test]
fn every_command_that_only_looks_ends_with_4() {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let unsound = bench.profile("unsound", "  - { key: 'HKLM\\SOFTWARE\\A' }\n");
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    let before = bench.snapshot();
    let key = r"SYSTEM\ControlSet001\Control\Terminal Server";
    let commands: &[&[&str]] = &[
        &["plan", &disk, "-p", "rdp-defaults"],
        &["diff", &disk, "-p", "rdp-defaults", "--exit-code"],
        &["plan", &disk, "-p", "rdp-defaults", "--verbose"],
        &["show", &disk, key],
        &["check", &disk],
        &["diagnose", &disk],
        &["disks", &disk],
        &["backups", &disk],
        &["explain", "516"],
        &["profile", "list"],
    ];
    let text_only: &[&[&str]] = &[
        &["profile", "show", "rdp-defaults"],
        &["profile", "check", &unsound],
        &["profile", "new"],
        &["profile", "capture", &disk, "--from", "rdp-defaults"],
        &["--help"],
        &["help", "plan"],
        &["--version"],
    ];
    let mut all: Vec<Vec<&str>> = text_only.iter().map(|args| args.to_vec()).collect();
    for args in commands {
        all.push(args.to_vec());
        all.push([args, &["--format", "json"][..]].concat());
    }
    for args in &all {
        for to in LOST {
            let (code, said) = code(args, to);
            assert_eq!(code, 4, "{args:?} to {to:?}: {said}");
        }
        let seen = hivemend(args).code;
        for to in [To::Gone, To::Null] {
            let (code, said) = code(args, to);
            assert_eq!(code, seen, "{args:?} to {to:?}: {said}");
        }
    }
    assert_eq!(bench.snapshot(), before);
}

/// What a command that writes made of a disk, and how it ended.
fn written(prepare: &[&str], args: &[&str], to: To) -> (i32, bool, String) {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    if !prepare.is_empty() {
        bench.run(prepare[0], &prepare[1..]).expect(0);
    }
    let before = bench.snapshot();
    let args = [&[args[0], &disk], &args[1..]].concat();
    let (code, said) = code(&args, to);
    (code, bench.snapshot() != before, said)
}

#[test]
fn a_command_that_writes_never_says_untouched_where_it_has_written() {
    let apply: &[&str] = &["apply", "-p", "rdp-disconnects", "--yes"];
    let cases: &[(&[&str], &[&str])] = &[
        (&[], apply),
        (apply, &["restore", "--yes"]),
        (apply, &["restore", "--values", "--yes"]),
    ];
    for (prepare, args) in cases {
        for json in [&[][..], &["--format", "json"][..]] {
            let args = [args, json].concat();
            for to in LOST {
                let (code, changed, said) = written(prepare, &args, to);
                let expected = if changed { 5 } else { 4 };
                assert_eq!(code, expected, "{args:?} to {to:?}: {said}");
                // What cannot be shown from the beginning is not done.
                assert!(!(changed && to != To::Full), "{args:?} to {to:?}: {said}");
                assert!(!(changed && json.is_empty()), "{args:?} to {to:?}: {said}");
            }
            for to in [To::Gone, To::Null] {
                let (code, changed, said) = written(prepare, &args, to);
                assert_eq!((code, changed), (0, true), "{args:?} to {to:?}: {said}");
            }
        }
        // Nothing is to be printed.
        let quiet = [args, &["--quiet"][..]].concat();
        for to in LOST {
            let (code, changed, said) = written(prepare, &quiet, to);
            assert_eq!((code, changed), (0, true), "{quiet:?} to {to:?}: {said}");
        }
    }
}

#[test]
fn the_same_command_again_finds_all_done() {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let apply = [
        "apply",
        &disk,
        "-p",
        "rdp-disconnects",
        "--yes",
        "--format",
        "json",
    ];
    assert_eq!(code(&apply, To::Full).0, 5);
    let ended = hivemend(&apply).expect(0);
    assert_eq!(ended.json()["outcome"]["status"], "unchanged");
    bench.run("restore", &["--yes"]).expect(0);
    let prune = [
        "backups", &disk, "--prune", "1", "--yes", "--format", "json",
    ];
    for _ in 0..2 {
        bench
            .run("apply", &["-p", "rdp-disconnects", "--yes"])
            .expect(0);
        bench.run("restore", &["--yes"]).expect(0);
    }
    assert_eq!(code(&prune, To::Full).0, 5);
    hivemend(&prune).expect(0);
}
