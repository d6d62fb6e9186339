// SPDX-License-Identifier: GPL-3.0-or-later
//! A disk, a backup folder and files whose names are no Unicode: every command takes them.

#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bench::{Bench, Ended};

fn run(words: &[&OsStr]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    let output = command.args(words).stdin(Stdio::null()).output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn every_command_takes_a_name_that_is_no_text() {
    let bench = Bench::sample();
    let name = |bytes: &[u8]| -> PathBuf { bench.beside("").join(OsStr::from_bytes(bytes)) };
    let disk = name(b"d\xe9sk \xff");
    fs::rename(bench.disk(), &disk).unwrap();
    let config = disk.join("Windows/System32/config");
    let hive = config.join("SYSTEM");
    let before = fs::read(&hive).unwrap();
    let backups = name(b"b\xfc");
    let files = ["plan", "profile", "hive"].map(|file| name(&[file.as_bytes(), b"\xff"].concat()));
    let [plan, profile, copy] = &files;
    let word = |text: &'static str| OsString::from(text);
    let expect = |code: i32, words: &[&OsStr]| run(words).expect(code);
    macro_rules! words {
        ($($word:expr),*) => { &[$($word.as_ref()),*] }
    }
    expect(0, words!["plan", disk, "-p", "rdp-disconnects", "-o", plan]);
    let args = words![
        "apply",
        disk,
        "--plan",
        plan,
        "--yes",
        "--backup-dir",
        backups
    ];
    expect(0, args);
    assert!(fs::read(&hive).unwrap() != before);
    let listed = expect(
        0,
        words!["backups", disk, "--backup-dir", backups, "--format", "json"],
    );
    let id = OsString::from(listed.json()["backups"][0]["id"].as_str().unwrap());
    let args = words![
        "restore",
        disk,
        id,
        "--values",
        "--backup-dir",
        backups,
        "--yes"
    ];
    expect(0, args);
    expect(0, words!["restore", disk, "--backup-dir", backups, "--yes"]);
    expect(
        0,
        words!["restore", disk, id, "--backup-dir", backups, "--yes"],
    );
    assert!(fs::read(&hive).unwrap() == before);

    let key = word("SYSTEM\\Select");
    for target in [words![disk][..].to_vec(), words!["--system", hive].to_vec()] {
        let with = |command: &'static str, args: &[&'static str]| {
            let mut words: Vec<&OsStr> = vec![OsStr::new(command)];
            words.extend(&target);
            words.extend(args.iter().map(OsStr::new));
            run(&words)
        };
        with("apply", &["-p", "rdp-disconnects", "--yes"]).expect(0);
        with("restore", &["--yes"]).expect(0);
        assert!(fs::read(&hive).unwrap() == before);
        let shown = with("show", &[r"SYSTEM\Select", "Current", "--format", "json"]).expect(0);
        assert_eq!(shown.json()["values"][0]["data"], 1);
        let diagnosed = with("diagnose", &[]).expect(0).stdout;
        // A command with another name in it than the disk's is worse than none.
        assert!(diagnosed.contains("hivemend apply"), "{diagnosed}");
        for line in diagnosed
            .lines()
            .filter(|line| line.contains("hivemend apply"))
        {
            assert!(line.contains("TARGET") || line.contains("FILE"), "{line}");
        }
        let plan = with("plan", &["-p", "rdp-disconnects", "--format", "json"]).expect(0);
        assert!(plan.json()["metadata"]["kept"].is_array(), "{plan:?}");
    }
    expect(0, words!["check", disk, hive]);
    expect(0, words!["disks", disk]);
    expect(0, words!["recover", disk, "--yes"]);
    expect(0, words!["recover", hive, "-o", copy]);
    assert!(fs::read(copy).unwrap() == before);
    expect(0, words!["backups", disk, "--prune", "1", "--yes"]);
    let args = words![
        "profile",
        "capture",
        disk,
        "--from",
        "rdp-disconnects",
        "-o",
        profile
    ];
    expect(0, args);
    expect(0, words!["show", disk, key]);

    // What names something in a hive is text.
    let broken = OsStr::from_bytes(b"SYSTEM\\\xff");
    let refused = expect(2, words!["show", disk, broken]);
    assert!(refused.stderr.contains("Unicode"), "{refused:?}");
    expect(2, words!["show", disk, key, broken]);
    expect(3, words!["restore", disk, broken, "--yes"]);
}

/// The logs of a hive belong to it whatever it is called.
#[test]
fn a_hive_whose_name_is_no_text_has_its_logs() {
    let bench = Bench::sample();
    let before = fs::read(bench.hive("SYSTEM")).unwrap();
    let mut after = before.clone();
    let end = after.len() - 1;
    after[end] ^= 1;
    let log = crate::transaction_log::NewLog::new(&before, 40).entry(&before, &after, 40);
    let hive = bench.beside("").join(OsStr::from_bytes(b"SYS\xff"));
    let mut beside = hive.clone().into_os_string();
    beside.push(".LOG1");
    fs::write(&hive, crate::transaction_log::dirty(&before, 41, 40)).unwrap();
    fs::write(&beside, log.bytes).unwrap();
    let out = bench.beside("out");
    let words = [
        OsStr::new("recover"),
        hive.as_os_str(),
        OsStr::new("-o"),
        out.as_os_str(),
    ];
    let ended = run(&words).expect(0);
    assert!(ended.stdout.contains("1 entry from"), "{ended:?}");
    assert_eq!(fs::read(&out).unwrap()[end], after[end]);
}
