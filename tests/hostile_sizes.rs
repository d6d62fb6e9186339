// SPDX-License-Identifier: GPL-3.0-or-later
//! Files on a disk that are not as long as its records say are not read, however long they are.

#![cfg(unix)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::bench::{Bench, Ended, sha256};

/// Reading this takes minutes; it costs a disk nothing to have it.
const HUGE: u64 = 400 << 30;
const AT_ONCE: Duration = Duration::from_secs(30);

/// A disk that was repaired once, and the backup of that.
fn repaired(bench: &Bench) -> PathBuf {
    bench
        .run("apply", &["-p", "rdp-disconnects", "--yes"])
        .expect(0);
    let mut backups = fs::read_dir(bench.config().join("hivemend")).unwrap();
    backups.next().unwrap().unwrap().path()
}

/// Puts a file of this length, of which nothing is on the disk, in place of another.
fn inflate(path: &Path, length: u64) {
    let _ = fs::remove_file(path);
    File::create(path).unwrap().set_len(length).unwrap();
}

fn at_once(bench: &Bench, command: &str, args: &[&str]) -> Ended {
    let begun = Instant::now();
    let ended = bench.run(command, args);
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{command} {args:?} took {took:?}");
    ended
}

#[test]
fn a_backup_file_of_another_size_is_not_read() {
    for length in [0, 4096, HUGE] {
        let bench = Bench::in_memory();
        let backup = repaired(&bench);
        inflate(&backup.join("SYSTEM"), length);
        let before = sha256(&bench.hive("SYSTEM"));
        let ended = at_once(&bench, "restore", &["--yes"]).expect(3);
        assert!(ended.stderr.contains("not those that"), "{ended:?}");
        assert_eq!(sha256(&bench.hive("SYSTEM")), before, "{length}");
    }
}

/// A key that comes back comes out of the backup's hive.
#[test]
fn a_key_does_not_come_back_out_of_a_file_of_another_size_or_hash() {
    let key = r"HKLM\SYSTEM\ControlSet001\Control\CrashControl";
    let rule = format!("  - key: {key}\n    absent: true\n    why: w\n");
    for change in ["huge", "short", "other", "none"] {
        let bench = Bench::in_memory();
        let profile = bench.profile("gone", &rule);
        bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
        let mut backups = fs::read_dir(bench.config().join("hivemend")).unwrap();
        let kept = backups.next().unwrap().unwrap().path().join("SYSTEM");
        let whole = fs::read(&kept).unwrap();
        // A hive as good as the one that was kept, with another time in it.
        let mut other = whole.clone();
        other[12] ^= 1;
        let sum = hivemend::regf::checksum(&other).unwrap();
        other[508..512].copy_from_slice(&sum.to_le_bytes());
        fs::remove_file(&kept).unwrap();
        match change {
            "huge" => {
                fs::write(&kept, &whole).unwrap();
                let file = File::options().write(true).open(&kept).unwrap();
                file.set_len(HUGE).unwrap();
            }
            "short" => fs::write(&kept, &whole[..whole.len() - 4096]).unwrap(),
            "other" => fs::write(&kept, &other).unwrap(),
            _ => fs::write(&kept, &whole).unwrap(),
        }
        let before = sha256(&bench.hive("SYSTEM"));
        let ended = at_once(&bench, "restore", &["--values", "--yes"]);
        if change == "none" {
            ended.expect(0);
            continue;
        }
        let ended = ended.expect(3);
        assert!(ended.stderr.contains("not those of"), "{change}: {ended:?}");
        assert_eq!(sha256(&bench.hive("SYSTEM")), before, "{change}");
    }
}

/// What the disk has now is compared by its size first too.
#[test]
fn a_log_that_grew_since_is_not_read() {
    let bench = Bench::in_memory();
    let log = bench.config().join("SYSTEM.LOG1");
    fs::write(&log, [7; 512]).unwrap();
    repaired(&bench);
    inflate(&log, HUGE);
    let ended = at_once(&bench, "restore", &["--yes"]).expect(3);
    assert!(ended.stderr.contains("changed since"), "{ended:?}");
    at_once(&bench, "backups", &["--prune", "1", "--yes"]).expect(0);
}

/// Of an interrupted run: neither content is there, and that is seen without reading.
#[test]
fn the_files_of_an_interrupted_run_are_not_read_where_their_size_is_another() {
    for part in ["SYSTEM", "new", "old", "backup"] {
        let bench = Bench::in_memory();
        let backup = repaired(&bench);
        let config = bench.config();
        let id = backup.file_name().unwrap().to_str().unwrap().to_owned();
        let path = backup.join("manifest.json");
        let mut manifest: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        manifest["state"] = json!("applying");
        fs::write(&path, manifest.to_string()).unwrap();
        let hive = &manifest["hives"][0];
        let journal = json!({ "schema": "hivemend.journal/1", "id": id, "run": manifest["run"],
            "operation": "apply", "beside": true, "made_root": true, "swaps": [{
            "name": "SYSTEM", "file": "SYSTEM", "from": hive["before"], "to": hive["after"],
            "metadata": hive["metadata"] }] });
        fs::write(config.join("hivemend.journal"), journal.to_string()).unwrap();
        let (new, old) = (
            config.join(format!("SYSTEM.hivemend-{id}.new")),
            config.join(format!("SYSTEM.hivemend-{id}.old")),
        );
        fs::copy(backup.join("SYSTEM"), &old).unwrap();
        match part {
            "SYSTEM" => inflate(&config.join("SYSTEM"), HUGE),
            "old" => inflate(&old, HUGE),
            "backup" => inflate(&backup.join("SYSTEM"), HUGE),
            _ => {
                fs::copy(backup.join("SYSTEM"), config.join("SYSTEM")).unwrap();
                inflate(&new, HUGE);
            }
        }
        for command in ["restore", "recover"] {
            let ended = at_once(&bench, command, &["--yes"]);
            assert!(
                (0..=5).contains(&ended.code),
                "{part}, {command}: {ended:?}"
            );
        }
    }
}

/// Backups are listed by every command that writes, and a disk may hold any number: what their runs
/// changed is not kept in memory. One of these takes more than a gigabyte there.
#[cfg(target_os = "linux")]
#[test]
fn many_long_manifests_do_not_fill_the_memory() {
    use std::process::{Command, Stdio};
    let bench = Bench::in_memory();
    let backup = repaired(&bench);
    let genuine = fs::read(backup.join("manifest.json")).unwrap();
    let mut manifest: Json = serde_json::from_slice(&genuine).unwrap();
    let long = format!("[{}0]", "0,".repeat(30 << 20));
    for number in 0..3 {
        let id = format!("2001-01-01T00-00-0{number}Z");
        manifest["id"] = json!(id);
        manifest["sequence"] = json!(0);
        manifest["changes"] = json!("LONG");
        let planted = bench.config().join("hivemend").join(id);
        fs::create_dir(&planted).unwrap();
        let text = manifest.to_string().replace("\"LONG\"", &long);
        fs::write(planted.join("manifest.json"), text).unwrap();
    }
    let port = bench.profile(
        "port",
        "  - key: HKLM\\SYSTEM\\CurrentControlSet\\Control\n    values: [ { name: X, dword: 1, why: w } ]\n",
    );
    for command in [
        &["backups"][..],
        &["apply", "-p", &port, "--yes"],
        &["restore", "--yes"],
        &["backups", "--prune", "1", "--yes"],
    ] {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -v 700000; exec \"$@\"", "sh"]);
        limited.arg(env!("CARGO_BIN_EXE_hivemend")).arg(command[0]);
        limited.arg(bench.disk()).args(&command[1..]);
        let ended = limited.stdin(Stdio::null()).output().unwrap();
        assert!(ended.status.success(), "{command:?}: {ended:?}");
    }
}

/// A manifest that a hostile disk made names any file, and says that it is as long as it is.
#[test]
fn pruning_reads_no_file_that_no_hive_can_be_as_long_as() {
    let bench = Bench::in_memory();
    let backup = repaired(&bench);
    inflate(&bench.config().join("pagefile"), HUGE);
    let path = backup.join("manifest.json");
    let mut manifest: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["hives"][0]["file"] = json!("pagefile");
    manifest["hives"][0]["after"]["size"] = json!(HUGE);
    let id = "2001-01-01T00-00-00Z";
    manifest["id"] = json!(id);
    manifest["sequence"] = json!(0);
    let planted = bench.config().join("hivemend").join(id);
    fs::create_dir(&planted).unwrap();
    fs::write(planted.join("manifest.json"), manifest.to_string()).unwrap();
    at_once(&bench, "backups", &["--prune", "1", "--yes"]).expect(0);
}

/// What is longer than any hive is not read, and a policy file that is too long is said to be.
#[test]
fn a_hive_or_policy_file_of_any_length_is_refused_or_left() {
    let bench = Bench::in_memory();
    let grow = |path: &Path| {
        let file = File::options().append(true).create(true).open(path);
        file.unwrap().set_len(HUGE).unwrap();
    };
    let windows = bench.config().parent().unwrap().to_path_buf();
    let policy = windows.join("GroupPolicy/Machine");
    fs::create_dir_all(&policy).unwrap();
    grow(&policy.join("Registry.pol"));
    at_once(&bench, "diagnose", &[]).expect(0);
    at_once(&bench, "plan", &["-p", "rdp-disconnects"]).expect(0);
    let apply = ["-p", "rdp-disconnects", "--yes"];
    at_once(&bench, "apply", &apply).expect(0);
    at_once(&bench, "restore", &["--yes"]).expect(0);
    grow(&bench.hive("SYSTEM"));
    let commands: [(&str, &[&str]); 3] =
        [("check", &[]), ("apply", &apply), ("recover", &["--yes"])];
    for (command, args) in commands {
        let ended = at_once(&bench, command, args).expect(4);
        assert!(ended.stderr.contains("too large"), "{command}: {ended:?}");
    }
}
