// SPDX-License-Identifier: GPL-3.0-or-later
//! The main job from outside: plan, apply, plan, apply again, restore; on the bundled disk and on
//! real ones. What was written is read back and judged by readers that share no code with us.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::bench::{Bench, hivemend};
use crate::{drift, jury};

const PROFILE: [&str; 2] = ["-p", "rdp-disconnects"];

/// plan shows drift, apply removes it, the second apply writes nothing, restore brings all back.
fn whole_job(bench: &Bench, changes: usize) {
    whole_job_of(PROFILE, bench, changes);
}

fn whole_job_of(profile: [&str; 2], bench: &Bench, changes: usize) {
    let before = bench.snapshot();
    let plan = bench.run(
        "plan",
        &[profile[0], profile[1], "--exit-code", "--format", "json"],
    );
    let plan = plan.expect(1).json();
    assert_eq!(plan["summary"]["changes"], changes);
    assert_eq!(bench.snapshot(), before, "plan wrote something");

    let originals = bench.beside("originals");
    fs::create_dir_all(&originals).unwrap();
    for name in ["SYSTEM", "SOFTWARE"] {
        if plan["hives"]
            .as_array()
            .unwrap()
            .iter()
            .any(|hive| hive["name"] == name)
        {
            fs::copy(bench.hive(name), originals.join(name)).unwrap();
        }
    }
    let applied = bench.run(
        "apply",
        &[profile[0], profile[1], "--yes", "--format", "json"],
    );
    let applied = applied.expect(0).json();
    assert_eq!(applied["changes"], plan["changes"]);
    assert_eq!(applied["outcome"]["status"], "applied");
    bench
        .run("plan", &[profile[0], profile[1], "--exit-code"])
        .expect(0);
    judge(bench, &plan, &originals);

    let after = bench.snapshot();
    let again = bench.run(
        "apply",
        &[profile[0], profile[1], "--yes", "--format", "json"],
    );
    assert_eq!(again.expect(0).json()["outcome"]["status"], "unchanged");
    assert_eq!(bench.snapshot(), after, "the second apply wrote something");

    bench.run("restore", &["--yes"]).expect(0);
    let restored = bench.hives();
    assert_eq!(restored, before, "bytes or times differ");
}

fn judge(bench: &Bench, plan: &Json, originals: &Path) {
    for hive in plan["hives"].as_array().unwrap() {
        let name = hive["name"].as_str().unwrap();
        let file = PathBuf::from(hive["path"].as_str().unwrap());
        assert_eq!(file, bench.hive(name));
        match hive["state"].as_str().unwrap() {
            "clean" => jury::judges_accept_beside(&file, &originals.join(name)).unwrap(),
            _ => jury::judges_accept(&file).unwrap(),
        }
        for change in plan["changes"].as_array().unwrap() {
            if change["hive"] == name && change["action"] == "set" {
                let key = change["key"].as_str().unwrap();
                let value = change["value"].as_str().unwrap();
                let number = u32::try_from(change["after"]["data"].as_u64().unwrap()).unwrap();
                let data = number.to_le_bytes();
                jury::assert_reads_back(&file, key, value, Some((4, &data)));
            }
        }
    }
}

#[test]
fn the_bundled_disk() {
    let bench = Bench::sample();
    let plan = bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--format", "json"])
        .expect(0)
        .json();
    let changes = plan["summary"]["changes"].as_u64().unwrap();
    assert!(
        changes >= 12,
        "the sample disk should show drift in both control sets"
    );
    whole_job(&bench, usize::try_from(changes).unwrap());
}

#[test]
fn windows_10_with_one_control_set() {
    if let Some(bench) = Bench::corpus("win10-2004") {
        whole_job(&bench, 6);
    }
}

#[test]
fn windows_7_with_two_hives_and_two_control_sets() {
    if let Some(bench) = Bench::corpus("win7-sp1") {
        whole_job(&bench, 15);
    }
}

#[test]
fn windows_xp_with_lower_case_names() {
    if let Some(bench) = Bench::corpus("xp-sp3") {
        // XP does not know SecurityLayer.
        whole_job(&bench, 10);
    }
}

/// NT 4 has no Remote Desktop, so the profile itself leaves it alone; without its conditions it
/// makes keys there.
#[test]
fn windows_nt_4_where_keys_are_created() {
    if let Some(bench) = Bench::corpus("nt4-sp3") {
        bench
            .run("plan", &[PROFILE[0], PROFILE[1], "--exit-code"])
            .expect(0);
        let (_folder, unguarded) = drift::unguarded("rdp-disconnects");
        let profile = ["-p", unguarded.as_str()];
        let plan = bench
            .run("plan", &[profile[0], profile[1], "--format", "json"])
            .json();
        let actions = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| &change["action"]);
        assert!(actions.filter(|action| *action == "create-key").count() > 0);
        whole_job_of(profile, &bench, 39);
    }
}

/// A dirty hive's newest data is in its logs: they are applied before anything is looked at, and
/// stay beside the hive, where no loader can apply them any more.
#[test]
fn windows_10_with_a_dirty_hive_and_two_logs() {
    let Some(bench) = Bench::corpus("win10-1709-dirty") else {
        return;
    };
    let plan = bench.run("plan", &PROFILE).expect(0);
    let recovered = "recovered: 24 entries from SYSTEM.LOG1, SYSTEM.LOG2 (2107..2130)";
    assert!(plan.stdout.contains(recovered), "{plan:?}");
    let mut originals = bench.snapshot();
    whole_job(&bench, 6);
    originals.retain(|file, _| !file.ends_with("hivemend"));
    assert_eq!(bench.hives(), originals);
}

#[test]
fn a_dirty_hive_without_its_logs_is_refused() {
    let Some(bench) = Bench::corpus("win10-1709-dirty") else {
        return;
    };
    for log in ["SYSTEM.LOG1", "SYSTEM.LOG2"] {
        fs::remove_file(bench.hive(log)).unwrap();
    }
    let before = bench.snapshot();
    for command in ["plan", "apply"] {
        let ended = bench.run(command, &PROFILE).expect(3);
        assert!(ended.stderr.contains("write 1622 was begun"), "{ended:?}");
        assert!(ended.stderr.contains("--accept-unrecovered"), "{ended:?}");
    }
    assert_eq!(bench.snapshot(), before);
    let ended = bench.run("plan", &[PROFILE[0], PROFILE[1], "--accept-unrecovered"]);
    assert!(ended.expect(0).stdout.contains("not recovered"));
}

#[test]
fn a_damaged_hive_is_not_touched() {
    let Some(bench) = Bench::corpus("xp-damaged") else {
        return;
    };
    let before = bench.snapshot();
    let ended = bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(4);
    assert!(ended.stderr.contains("key node at 0x"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

/// Every type and size class, through the program, read back by others.
#[test]
fn every_type_reads_back() {
    let bench = Bench::sample();
    let long = "ab".repeat(20_000);
    let profile = bench.profile(
        "types",
        &format!(
            r"
  - key: HKLM\SOFTWARE\hivemend test\Schlüssel
    values:
      - {{ name: sz, sz: 'a\b', why: w }}
      - {{ name: expand, expand-sz: '%SystemRoot%', why: w }}
      - {{ name: multi, multi-sz: [one, two], why: w }}
      - {{ name: dword, dword: 0xFFFFFFFF, why: w }}
      - {{ name: qword, qword: 1, why: w }}
      - {{ name: Größe, binary: '0102030405', why: w }}
      - {{ name: big, binary: '{long}', why: w }}
      - {{ name: '', sz: default, why: w }}
"
        ),
    );
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
    let hive = bench.hive("SOFTWARE");
    jury::judges_accept(&hive).unwrap();
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let big = vec![0xab; 20_000];
    let expected: [(&str, u32, Vec<u8>); 8] = [
        ("sz", 1, utf16("a\\b\0")),
        ("expand", 2, utf16("%SystemRoot%\0")),
        ("multi", 7, utf16("one\0two\0\0")),
        ("dword", 4, vec![0xFF; 4]),
        ("qword", 11, 1_u64.to_le_bytes().to_vec()),
        ("Größe", 3, vec![1, 2, 3, 4, 5]),
        ("big", 3, big),
        ("", 1, utf16("default\0")),
    ];
    for (name, kind, data) in expected {
        jury::assert_reads_back(&hive, "hivemend test\\Schlüssel", name, Some((kind, &data)));
    }
    let shown = bench.run(
        "show",
        &[
            "SOFTWARE\\hivemend test\\SCHLÜSSEL",
            "größe",
            "--format",
            "json",
        ],
    );
    assert_eq!(shown.expect(0).json()["values"][0]["data"], "0102030405");
    bench
        .run("plan", &["-p", &profile, "--exit-code"])
        .expect(0);
}

#[test]
fn a_wrong_type_with_the_right_number_is_drift() {
    let bench = Bench::sample();
    let key = r"HKLM\SYSTEM\ControlSet001\Control\Terminal Server";
    let wrong = bench.profile(
        "wrong",
        &format!("  - key: {key}\n    values: [ {{ name: T, sz: '0', why: w }} ]\n"),
    );
    let right = bench.profile(
        "right",
        &format!("  - key: {key}\n    values: [ {{ name: T, dword: 0, why: w }} ]\n"),
    );
    bench.run("apply", &["-p", &wrong, "--yes"]).expect(0);
    let plan = bench
        .run("plan", &["-p", &right, "--exit-code", "--format", "json"])
        .expect(1)
        .json();
    assert_eq!(plan["changes"][0]["before"]["type"], "REG_SZ");
    assert_eq!(plan["changes"][0]["after"]["type"], "REG_DWORD");
}

/// Microsoft's procedure makes such values when its quotes are typed into cmd.exe.
#[test]
fn debris_of_the_published_procedure_is_reported() {
    let bench = Bench::sample();
    let debris = bench.profile(
        "debris",
        r#"
  - key: HKLM\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp
    values:
      - { name: "'SecurityLayer'", dword: 0, why: w }
      - { name: " MaxIdleTime", dword: 0, why: w }
"#,
    );
    bench.run("apply", &["-p", &debris, "--yes"]).expect(0);
    let plan = bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(
        plan["warnings"].as_array().unwrap().len(),
        2,
        "{}",
        plan["warnings"]
    );
}

#[test]
fn control_sets_can_be_chosen() {
    let bench = Bench::sample();
    let sets = |which: &str| {
        let args = [
            PROFILE[0],
            PROFILE[1],
            "--control-set",
            which,
            "--format",
            "json",
        ];
        let plan = bench.run("plan", &args).expect(0).json();
        let changes = plan["changes"].as_array().unwrap().iter();
        let sets = changes.filter_map(|change| change["control_set"].as_str().map(str::to_owned));
        sets.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        Vec::from_iter(sets("each")),
        ["ControlSet001", "ControlSet002"]
    );
    assert_eq!(Vec::from_iter(sets("current")), ["ControlSet001"]);
    assert_eq!(Vec::from_iter(sets("002")), ["ControlSet002"]);
    bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--control-set", "7"])
        .expect(2);
    bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--control-set", "last"])
        .expect(2);
}

#[test]
fn hives_named_one_by_one_and_windows_folders() {
    let bench = Bench::sample();
    let windows = bench.disk().join("Windows").display().to_string();
    let config = bench.config().display().to_string();
    let (system, software) = (bench.hive("SYSTEM"), bench.hive("SOFTWARE"));
    let (system, software) = (system.display().to_string(), software.display().to_string());
    let changes = |args: &[&str]| {
        let mut all = vec!["plan"];
        all.extend(args);
        all.extend(["-p", "rdp-disconnects", "--format", "json"]);
        hivemend(&all).expect(0).json()["changes"].clone()
    };
    let whole = changes(&[&bench.disk().display().to_string()]);
    assert_eq!(changes(&[&windows]), whole);
    assert_eq!(changes(&[&config]), whole);
    assert_eq!(
        changes(&["--system", &system, "--software", &software]),
        whole
    );
    let part = changes(&["--software", &software]);
    assert!(
        part.as_array()
            .unwrap()
            .iter()
            .all(|change| change["hive"] == "SOFTWARE")
    );

    hivemend(&[
        "apply",
        "--system",
        &system,
        "-p",
        "rdp-disconnects",
        "--yes",
    ])
    .expect(0);
    hivemend(&["restore", "--system", &system, "--yes"]).expect(0);
    assert_eq!(changes(&[&windows]), whole);
}
