// SPDX-License-Identifier: GPL-3.0-or-later
//! `backups --prune`: what goes, what stays, and that going back stays possible.

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::{Bench, hivemend};

const LISTENER: &str = r"HKLM\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// Applies a change of its own; gives the backup's name.
fn apply(bench: &Bench, number: u32) -> String {
    let rule = format!(
        "  - key: {LISTENER}\n    values: [ {{ name: PortNumber, dword: {number}, why: w }} ]\n"
    );
    let profile = bench.profile(&format!("p{number}"), &rule);
    let args = ["-p", profile.as_str(), "--yes", "--format", "json"];
    let applied = bench.run("apply", &args).expect(0).json();
    applied["outcome"]["backup"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn ids(bench: &Bench) -> Vec<String> {
    let listed = bench.run("backups", &["--format", "json"]).expect(0).json();
    let backups = listed["backups"].as_array().unwrap().iter();
    backups
        .map(|backup| backup["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Changes a backup's manifest.
fn edit(bench: &Bench, id: &str, change: impl Fn(&mut Json)) {
    let path = bench
        .config()
        .join("hivemend")
        .join(id)
        .join("manifest.json");
    let mut manifest: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.to_string()).unwrap();
}

#[test]
fn the_newest_stay_and_the_rest_goes() {
    let bench = Bench::sample();
    let made: Vec<String> = (1..=4).map(|number| apply(&bench, number)).collect();
    let hives = bench.hives();
    let before = bench.snapshot();
    let ended = bench.run("backups", &["--prune", "2"]).expect(2);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    bench.run("backups", &["--prune", "0", "--yes"]).expect(2);
    assert_eq!(bench.snapshot(), before);

    let ended = bench.run("backups", &["--prune", "2", "--yes", "--format", "json"]);
    let pruned = ended.expect(0).json();
    assert_eq!(pruned["schema"], "hivemend.prune/1");
    assert_eq!(pruned["removed"], json!([made[1], made[0]]));
    assert_eq!(pruned["kept"][0]["id"], made[3]);
    assert_eq!(ids(&bench), [made[3].clone(), made[2].clone()]);
    let folders = fs::read_dir(bench.config().join("hivemend")).unwrap();
    assert_eq!(
        folders.count(),
        2,
        "something was left of those that were removed"
    );
    assert_eq!(bench.hives(), hives);

    let ended = bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(
        ended.stdout.contains(&format!("remove  {}", made[2])),
        "{ended:?}"
    );
    let again = bench.snapshot();
    bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert_eq!(bench.snapshot(), again, "the last one stays");
    bench.run("restore", &["--yes"]).expect(0);
}

/// The clock of the recovery machine was years ahead during the first repair.
#[test]
fn a_wrong_clock_does_not_make_an_old_backup_new() {
    let bench = Bench::sample();
    let first = apply(&bench, 1);
    let late = "2099-01-01T00-00-00Z";
    let folder = bench.config().join("hivemend");
    fs::rename(folder.join(&first), folder.join(late)).unwrap();
    edit(&bench, late, |manifest| manifest["id"] = json!(late));
    let second = apply(&bench, 2);
    assert_eq!(ids(&bench), [second.as_str(), late], "newest first");
    let repaired = bench.hives();
    bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert_eq!(ids(&bench), [second]);
    bench.run("restore", &["--yes"]).expect(0);
    assert_ne!(bench.hives(), repaired);
}

#[test]
fn what_undoing_needs_stays() {
    let bench = Bench::sample();
    let other = apply(&bench, 1);
    let undone = apply(&bench, 2);
    bench
        .run("restore", &[&undone, "--values", "--yes"])
        .expect(0);
    let undoing = ids(&bench)[0].clone();
    let ended = bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(ended.stdout.contains("refers to it"), "{ended:?}");
    assert_eq!(
        ids(&bench),
        [undoing, undone],
        "{other} was none of their business"
    );
}

/// The hives are as an older backup's run left them: its exact undo is the one that works.
#[test]
fn the_backup_that_the_hives_can_go_back_by_stays() {
    let bench = Bench::sample();
    let first = apply(&bench, 1);
    let second = apply(&bench, 2);
    bench.run("restore", &["--yes"]).expect(0);
    let ended = bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(
        ended.stdout.contains("the hives are as it left them"),
        "{ended:?}"
    );
    assert_eq!(ids(&bench), [second, first]);
    bench.run("restore", &["--yes"]).expect(0);
}

#[test]
fn nothing_goes_while_a_run_is_interrupted() {
    let bench = Bench::sample();
    let made: Vec<String> = (1..=3).map(|number| apply(&bench, number)).collect();
    let path = bench
        .config()
        .join("hivemend")
        .join(&made[0])
        .join("manifest.json");
    let manifest: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let hive = &manifest["hives"][0];
    let journal = json!({ "schema": "hivemend.journal/1", "id": made[0], "operation": "restore",
        "beside": true, "made_root": false, "swaps": [{ "name": "SYSTEM", "file": "SYSTEM",
        "from": hive["after"], "to": hive["before"], "metadata": hive["metadata"] }] });
    fs::write(bench.config().join("hivemend.journal"), journal.to_string()).unwrap();
    let before = bench.snapshot();
    let ended = bench.run("backups", &["--prune", "1", "--yes"]).expect(3);
    assert!(ended.stderr.contains("was interrupted"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn what_cannot_be_judged_is_left_alone() {
    let bench = Bench::sample();
    let made: Vec<String> = (1..=5).map(|number| apply(&bench, number)).collect();
    let folder = bench.config().join("hivemend");
    fs::write(folder.join(&made[0]).join("manifest.json"), "{").unwrap();
    fs::write(folder.join(&made[1]).join("note.txt"), "mine").unwrap();
    edit(&bench, &made[2], |manifest| {
        manifest["state"] = json!("applying")
    });
    fs::create_dir(folder.join("mine")).unwrap();
    let ended = bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(
        ended.stdout.contains("left for you to look at"),
        "{ended:?}"
    );
    for kept in [&made[0], &made[1], &made[2], &made[4], &"mine".to_owned()] {
        assert!(folder.join(kept).is_dir(), "{kept}: {ended:?}");
    }
    assert!(!folder.join(&made[3]).exists());
}

/// Stopped between the rename and the last file: what is left is no backup, and goes next time.
#[test]
fn an_interrupted_prune_is_finished_by_the_next() {
    let bench = Bench::sample();
    let made: Vec<String> = (1..=2).map(|number| apply(&bench, number)).collect();
    let folder = bench.config().join("hivemend");
    let remains = folder.join(format!("{}.removed", made[0]));
    fs::rename(folder.join(&made[0]), &remains).unwrap();
    fs::remove_file(remains.join("SYSTEM")).unwrap();
    assert_eq!(ids(&bench), [made[1].clone()]);
    bench.run("backups", &["--prune", "1", "--yes"]).expect(0);
    assert!(!remains.exists());
    assert_eq!(ids(&bench), [made[1].clone()]);
}

/// A named folder may hold the backups of other disks, and nothing tells whose they are.
#[test]
fn a_named_folder_is_not_pruned() {
    let bench = Bench::sample();
    let dir = bench.beside("b").display().to_string();
    let disk = bench.disk().display().to_string();
    hivemend(&[
        "backups",
        &disk,
        "--prune",
        "1",
        "--yes",
        "--backup-dir",
        &dir,
    ])
    .expect(2);
}

/// A disk's owner, or its user, puts something into what is left of a backup.
#[cfg(unix)]
#[test]
fn what_hivemend_did_not_make_stays_and_does_not_stop_the_others() {
    let bench = Bench::sample();
    let made: Vec<String> = (1..=6).map(|number| apply(&bench, number)).collect();
    let folder = bench.config().join("hivemend");
    let outside = bench.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("SYSTEM"), "mine").unwrap();
    let removed = |id: &str| folder.join(format!("{id}.removed"));
    // A folder with files in it, a link to a folder, a file, and a backup whose way is blocked.
    for id in &made[..3] {
        fs::rename(folder.join(id), removed(id)).unwrap();
    }
    fs::create_dir_all(removed(&made[0]).join("folder/deep")).unwrap();
    fs::write(removed(&made[0]).join("folder/deep/SYSTEM"), "mine").unwrap();
    std::os::unix::fs::symlink(&outside, removed(&made[1]).join("link")).unwrap();
    let hive = removed(&made[1]).join("SYSTEM");
    fs::remove_file(&hive).unwrap();
    std::os::unix::fs::symlink(outside.join("SYSTEM"), &hive).unwrap();
    fs::write(removed(&made[2]).join("note.txt"), "mine").unwrap();
    std::os::unix::fs::symlink(&outside, removed(&made[3])).unwrap();

    let ended = bench.run("backups", &["--prune", "1", "--yes", "--format", "json"]);
    let ended = ended.expect(0);
    let pruned = ended.json();
    assert_eq!(pruned["removed"], json!([made[4]]), "{ended:?}");
    let left: Vec<&str> = pruned["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["reason"].as_str().unwrap())
        .collect();
    assert_eq!(left.len(), 4, "{left:?}");
    for what in [
        "folder was left alone: a folder",
        "SYSTEM was left alone, with 1 more: a symbolic link",
        "note.txt was left alone: a file that hivemend did not make",
        "removed was left alone: a symbolic link",
    ] {
        assert!(
            left.iter().any(|left| left.contains(what)),
            "{what}: {left:?}"
        );
        assert!(ended.stderr.contains(what), "{what}: {ended:?}");
    }
    assert_eq!(ids(&bench), [made[5].clone(), made[3].clone()]);
    // What is theirs is there, what was ours is not.
    let deep = removed(&made[0]).join("folder/deep/SYSTEM");
    for file in [
        &deep,
        &outside.join("SYSTEM"),
        &removed(&made[2]).join("note.txt"),
    ] {
        assert_eq!(fs::read(file).unwrap(), b"mine", "{file:?}");
    }
    assert!(hive.is_symlink());
    for id in &made[..3] {
        let ours = removed(id).join("manifest.json");
        assert!(!ours.exists(), "{ours:?}");
    }
    assert!(!removed(&made[2]).join("SYSTEM").exists());

    // Again: nothing to ask for, nothing gone, and it is said.
    let before = bench.snapshot();
    let again = bench.run("backups", &["--prune", "2"]).expect(0);
    assert!(
        again.stderr.contains("note.txt was left alone"),
        "{again:?}"
    );
    assert_eq!(bench.snapshot(), before);
}

/// One folder that resists is no reason to leave the others; the exit code says so.
#[cfg(target_os = "linux")]
#[test]
fn what_the_system_refuses_does_not_stop_the_others() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    const NOBODY: u32 = 65534;
    let bench = Bench::sample();
    let made: Vec<String> = (1..=3).map(|number| apply(&bench, number)).collect();
    let folder = bench.config().join("hivemend");
    let stuck = folder.join(format!("{}.removed", made[0]));
    fs::rename(folder.join(&made[0]), &stuck).unwrap();
    fs::set_permissions(&stuck, fs::Permissions::from_mode(0o555)).unwrap();
    let prune = |code| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
        command.arg("backups").arg(bench.disk());
        command.args(["--prune", "1", "--yes"]);
        // To root nothing is refused.
        if fs::metadata(&stuck).unwrap().uid() == 0 {
            let all = bench.beside("");
            let chown = Command::new("chown")
                .args(["-R", "65534:65534"])
                .arg(all)
                .status();
            assert!(chown.unwrap().success());
        }
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    };
    prune(4);
    assert_eq!(ids(&bench), [made[2].clone()]);
    fs::set_permissions(&stuck, fs::Permissions::from_mode(0o755)).unwrap();
    prune(0);
    assert!(!stuck.exists());
}
