// SPDX-License-Identifier: GPL-3.0-or-later
//! What was written can be undone, however long the data: and what cannot be used is not passed over.

use std::fs;

use hivemend::edit::Editor;
use hivemend::regf::{Hive, Name};

use crate::bench::{Bench, sha256};

const KEY: [&str; 3] = ["ControlSet001", "Control", "Terminal Server"];
const VALUE: &str = "fDenyTSConnections";
const NOW: u64 = 132_000_000_000_000_000;

fn key() -> Vec<Name> {
    KEY.iter().map(|name| Name::from(*name)).collect()
}

/// Sets the value to this data, as somebody else would.
fn set(bench: &Bench, data: &[u8]) {
    let path = bench.hive("SYSTEM");
    let mut editor = Editor::open(fs::read(&path).unwrap(), NOW).unwrap();
    editor
        .set_value(&key(), &Name::from(VALUE), 3, data)
        .unwrap();
    fs::write(&path, editor.seal(0).unwrap().image).unwrap();
}

/// The value's type and data.
fn value(bench: &Bench) -> (u32, Vec<u8>) {
    let content = fs::read(bench.hive("SYSTEM")).unwrap();
    let hive = Hive::open(&content).unwrap();
    let key = hive.find(&key()).unwrap().unwrap();
    let value = hive.find_value(&key, &Name::from(VALUE)).unwrap().unwrap();
    (value.kind(), hive.data(&value).unwrap().into_owned())
}

fn long() -> Vec<u8> {
    let length = if std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some() {
        40 << 20
    } else {
        5 << 20
    };
    (0..length)
        .map(|at: u32| at.to_le_bytes()[0] ^ 0x5a)
        .collect()
}

/// A disk can force a record of any length, by data of any length where a number should be.
#[test]
fn a_value_of_any_length_can_be_taken_back() {
    let bench = Bench::sample();
    set(&bench, &long());
    let before = bench.hives();
    bench.run("apply", &["-p", "rdp-enable", "--yes"]).expect(0);
    assert_eq!(value(&bench), (4, vec![0; 4]));
    let listed = bench.run("backups", &["--format", "json"]).expect(0).json();
    let backup = std::path::PathBuf::from(listed["backups"][0]["path"].as_str().unwrap());
    assert_eq!(listed["backups"][0]["state"], "applied", "{listed}");
    let manifest = fs::metadata(backup.join("manifest.json")).unwrap().len();
    assert!(manifest < 64 << 10, "{manifest}");

    bench.run("restore", &["--values", "--yes"]).expect(0);
    assert_eq!(value(&bench), (3, long()));
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(value(&bench), (4, vec![0; 4]));
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), before);
}

/// Long data that a run wrote, and that somebody has changed since, is not taken for the run's own.
#[test]
fn long_data_that_was_changed_since_stays() {
    let text = "long text ".repeat(400);
    for (changed, code) in [(None, 0), (Some(Vec::new()), 0), (Some(vec![7; 5_000]), 0)] {
        let bench = Bench::sample();
        let old = value(&bench);
        let rule = format!(
            "  - key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\n    values: \
             [ {{ name: {VALUE}, sz: \"{text}\", why: w }} ]\n"
        );
        let profile = bench.profile("long", &rule);
        bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
        if let Some(data) = &changed {
            set(&bench, data);
        }
        let ended = bench.run("restore", &["--values", "--yes"]).expect(code);
        match changed {
            None => assert_eq!(value(&bench), old),
            Some(data) => {
                assert!(ended.stderr.contains("changed since"), "{ended:?}");
                assert_eq!(value(&bench), (3, data));
            }
        }
    }
}

/// The newest backup cannot be used: the one before it is not silently taken in its place, and none
/// that it may need is removed.
#[test]
fn an_unusable_newest_backup_is_not_passed_over() {
    let bench = Bench::sample();
    let port = bench.profile(
        "port",
        "  - key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\n    values: \
         [ { name: Hivemend, dword: 1, why: w } ]\n",
    );
    for profile in ["rdp-enable", "rdp-disconnects", &port] {
        bench.run("apply", &["-p", profile, "--yes"]).expect(0);
        // Names are by the second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    let listed = bench.run("backups", &["--format", "json"]).expect(0).json();
    let ids: Vec<String> = listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backup| backup["id"].as_str().unwrap().to_owned())
        .collect();
    let folder = bench.config().join("hivemend");
    let manifest = folder.join(&ids[0]).join("manifest.json");
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, &whole[..whole.len() / 2]).unwrap();
    let before = bench.snapshot();
    for args in [&["--yes"][..], &["--values", "--yes"]] {
        let ended = bench.run("restore", args).expect(3);
        assert!(ended.stderr.contains(&ids[0]), "{args:?}: {ended:?}");
        assert!(
            ended.stderr.contains("cannot be used"),
            "{args:?}: {ended:?}"
        );
    }
    let pruned = bench.run("backups", &["--prune", "1", "--yes", "--format", "json"]);
    let pruned = pruned.expect(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 0, "{pruned}");
    assert_eq!(bench.snapshot(), before);
    // Named, an older one is what was asked for.
    bench
        .run("restore", &["--values", &ids[1], "--yes"])
        .expect(0);
    fs::write(&manifest, whole).unwrap();
    bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(!sha256(&bench.hive("SYSTEM")).is_empty());
}
