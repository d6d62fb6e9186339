// SPDX-License-Identifier: GPL-3.0-or-later
//! The Windows program under Wine, seen from Linux: disks at drive letters, what it writes judged by
//! the readers of this side, its answers compared with those of the Linux program.
//!
//! `HIVEMEND_WINDOWS_EXE` names the program and `HIVEMEND_WINE` the folder that `.ci/windows setup`
//! made; without them every test here says that it was skipped.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value as Json, json};

use crate::bench::{Bench, Ended, hivemend};
use crate::jury;

const PROFILE: [&str; 2] = ["-p", "rdp-disconnects"];

/// Letters that tests have taken; each takes its own.
static LETTERS: AtomicU8 = AtomicU8::new(0);

/// A folder at a drive letter of the Wine prefix, and the program to use it.
struct Drive {
    program: PathBuf,
    wine: PathBuf,
    letter: char,
}

impl Drive {
    /// `folder` at the next free letter; `None`, said aloud, where there is no Windows program.
    fn map(folder: &Path) -> Option<Self> {
        let set = |name| std::env::var_os(name).map(PathBuf::from);
        let (Some(program), Some(wine)) = (set("HIVEMEND_WINDOWS_EXE"), set("HIVEMEND_WINE"))
        else {
            let said = "SKIPPED: HIVEMEND_WINDOWS_EXE or HIVEMEND_WINE is not set\n";
            // Past the harness, which keeps what a passing test prints.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            return None;
        };
        let letter = char::from(b'f' + LETTERS.fetch_add(1, Ordering::Relaxed));
        assert!(letter < 'z', "no drive letter left");
        Some(Self::at(letter, folder, program, wine))
    }

    /// `folder` at E:, which Wine knows from its start, and so lists.
    fn map_listed(folder: &Path) -> Option<Self> {
        let Self { program, wine, .. } = &Self::map(folder)?;
        Some(Self::at('e', folder, program.clone(), wine.clone()))
    }

    fn at(letter: char, folder: &Path, program: PathBuf, wine: PathBuf) -> Self {
        let drive = Self {
            program,
            wine,
            letter,
        };
        let _ = fs::remove_file(drive.link());
        symlink(folder, drive.link()).unwrap();
        drive
    }

    fn link(&self) -> PathBuf {
        if self.letter == 'e' {
            return self.wine.join("disk");
        }
        let devices = self.wine.join("prefix/dosdevices");
        devices.join(format!("{}:", self.letter))
    }

    /// `F:` and `rest` behind it.
    fn path(&self, rest: &str) -> String {
        format!("{}:{rest}", self.letter.to_ascii_uppercase())
    }

    fn command(&self, args: &[&str]) -> Command {
        let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/wine");
        let mut command = Command::new(runner);
        command
            .arg(&self.program)
            .args(args)
            .env("HIVEMEND_WINE", &self.wine)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.link());
    }
}

fn with_profile<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let mut all = args.to_vec();
    all.extend(PROFILE);
    all
}

/// A plan without what depends on the machine: the names of the target and of the files below it,
/// and what its file system keeps with a file.
fn without_paths(mut plan: Json) -> Json {
    plan["target"] = json!("");
    assert!(plan["metadata"].is_object(), "{plan:#}");
    plan["metadata"] = json!({});
    for hive in plan["hives"].as_array_mut().unwrap() {
        let name = hive["path"].as_str().unwrap().rsplit(['/', '\\']).next();
        hive["path"] = json!(name.unwrap());
    }
    plan
}

/// The hives' hashes.
fn sums(bench: &Bench) -> Vec<(PathBuf, String)> {
    let hives = bench.hives().into_iter();
    hives.map(|(file, (sum, _))| (file, sum)).collect()
}

/// plan, apply, plan, apply again, restore; the same as the Linux program's at every step.
fn whole_job(bench: &Bench) {
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let root = drive.path("\\");
    let before = bench.snapshot();
    let linux = bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--format", "json"])
        .expect(0);
    let plan = drive
        .run(&with_profile(&["plan", &root, "--format", "json"]))
        .expect(0);
    assert!(!plan.stdout.contains('\r'), "JSON has Unix line ends");
    assert_eq!(without_paths(plan.json()), without_paths(linux.json()));
    assert_eq!(bench.snapshot(), before, "plan wrote something");

    let originals = bench.beside("originals");
    fs::create_dir_all(&originals).unwrap();
    let hives = plan.json()["hives"].as_array().unwrap().clone();
    let names: Vec<&str> = hives
        .iter()
        .map(|hive| hive["name"].as_str().unwrap())
        .collect();
    for name in &names {
        fs::copy(bench.hive(name), originals.join(name)).unwrap();
    }
    let apply = ["apply", &root, "--yes", "--format", "json"];
    let applied = drive.run(&with_profile(&apply)).expect(0).json();
    assert_eq!(applied["outcome"]["status"], "applied");
    for hive in applied["outcome"]["hives"].as_array().unwrap() {
        assert_eq!(hive["kept_as"], "link", "{hive}");
    }
    // Either program sees that nothing is left to do.
    drive
        .run(&with_profile(&["plan", &root, "--exit-code"]))
        .expect(0);
    bench
        .run("plan", &[PROFILE[0], PROFILE[1], "--exit-code"])
        .expect(0);
    for (name, hive) in names.iter().zip(&hives) {
        match hive["state"].as_str().unwrap() {
            "clean" => {
                jury::judges_accept_beside(&bench.hive(name), &originals.join(name)).unwrap();
            }
            _ => jury::judges_accept(&bench.hive(name)).unwrap(),
        }
    }
    let again = drive.run(&with_profile(&apply)).expect(0).json();
    assert_eq!(again["outcome"]["status"], "unchanged");
    drive.run(&["restore", &root, "--yes"]).expect(0);
    let bytes = |state: std::collections::BTreeMap<PathBuf, (String, _)>| {
        let sums = state.into_iter().map(|(file, (sum, _))| (file, sum));
        sums.collect::<Vec<_>>()
    };
    assert_eq!(bytes(bench.hives()), bytes(before), "bytes differ");
}

#[test]
fn the_bundled_disk() {
    whole_job(&Bench::sample());
}

#[test]
fn real_disks() {
    for name in ["win10-1709-dirty", "win7-sp1", "xp-sp3"] {
        if let Some(bench) = Bench::corpus(name) {
            whole_job(&bench);
        }
    }
}

/// The Linux program undoes what the Windows program did, and the other way round: the disk moves
/// from one recovery machine to another.
#[test]
fn each_program_restores_what_the_other_applied() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let root = drive.path("\\");
    let before = sums(&bench);
    drive
        .run(&with_profile(&["apply", &root, "--yes"]))
        .expect(0);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(sums(&bench), before);
    bench
        .run("apply", &[PROFILE[0], PROFILE[1], "--yes"])
        .expect(0);
    drive.run(&["restore", &root, "--yes"]).expect(0);
    assert_eq!(sums(&bench), before);
}

#[test]
fn every_spelling_of_a_target() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let wanted = drive.run(&with_profile(&[
        "plan",
        &drive.path("\\"),
        "--format",
        "json",
    ]));
    let wanted = wanted.expect(0).json()["changes"].clone();
    let lower = drive.path("\\windows\\SYSTEM32\\CONFIG").to_lowercase();
    for target in [
        drive.path(""),
        drive.path("/"),
        drive.path("\\Windows"),
        drive.path("\\Windows\\"),
        drive.path("\\WINDOWS\\..\\windows\\system32\\config"),
        lower,
        format!("\\\\?\\{}", drive.path("")),
        format!("\\\\?\\{}", drive.path("\\")),
        format!("\\\\?\\{}", drive.path("\\Windows")),
        format!("\\\\.\\{}", drive.path("\\Windows")),
        // A share; Wine has the machine's own files as one.
        format!("\\\\?\\unix{}", bench.disk().display()),
    ] {
        let plan = drive.run(&with_profile(&["plan", &target, "--format", "json"]));
        assert_eq!(plan.code, 0, "{target}: {plan:?}");
        assert_eq!(plan.json()["changes"], wanted, "{target}");
    }
}

/// What Wine has instead of a network, and of a volume mounted in a folder: links of this side.
#[test]
fn a_share_and_a_mounted_folder() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let servers = bench.beside("servers");
    fs::create_dir(&servers).unwrap();
    symlink(bench.disk().parent().unwrap(), servers.join("rescue")).unwrap();
    let mounts = drive.wine.join("prefix/drive_c/mnt");
    fs::create_dir_all(&mounts).unwrap();
    for (link, folder) in [
        (drive.wine.join("prefix/dosdevices/unc"), &*servers),
        (mounts.join("osdisk"), bench.disk()),
    ] {
        let _ = fs::remove_file(&link);
        symlink(folder, &link).unwrap();
    }
    let before = sums(&bench);
    let share = bench.disk().file_name().unwrap().to_str().unwrap();
    for target in [format!("\\\\rescue\\{share}"), "C:\\mnt\\osdisk".to_owned()] {
        drive
            .run(&with_profile(&["apply", &target, "--yes"]))
            .expect(0);
        assert_ne!(sums(&bench), before, "{target}");
        drive
            .run(&with_profile(&["plan", &target, "--exit-code"]))
            .expect(0);
        drive.run(&["restore", &target, "--yes"]).expect(0);
        assert_eq!(sums(&bench), before, "{target}");
    }
    for target in [
        format!("\\\\rescue\\{share}\\Windows\\"),
        format!("\\\\?\\UNC\\rescue\\{share}\\"),
        "\\\\?\\C:\\mnt\\osdisk\\Windows".to_owned(),
    ] {
        drive
            .run(&with_profile(&["plan", &target, "--exit-code"]))
            .expect(1);
    }
}

/// The attribute that the system replaces no file with is carried over, and comes back.
#[test]
fn a_read_only_hive() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let root = drive.path("\\");
    let hive = bench.hive("SYSTEM");
    let is_read_only = || fs::metadata(&hive).unwrap().permissions().readonly();
    let mut permissions = fs::metadata(&hive).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&hive, permissions).unwrap();
    drive
        .run(&with_profile(&["apply", &root, "--yes"]))
        .expect(0);
    assert!(is_read_only(), "apply lost the attribute");
    drive.run(&["restore", &root, "--yes"]).expect(0);
    assert!(is_read_only(), "restore lost the attribute");
}

/// Beyond 260 characters, where the old calls of Windows end.
#[test]
fn a_long_path() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk().parent().unwrap()) else {
        return;
    };
    let deep: Vec<String> = (0..6)
        .map(|level| format!("{level}{}", "x".repeat(60)))
        .collect();
    let folder = bench.beside(&deep.join("/"));
    fs::create_dir_all(&folder).unwrap();
    fs::rename(bench.disk(), folder.join("disk")).unwrap();
    let root = drive.path(&format!("\\{}\\disk", deep.join("\\")));
    drive
        .run(&with_profile(&["apply", &root, "--yes"]))
        .expect(0);
    drive
        .run(&with_profile(&["plan", &root, "--exit-code"]))
        .expect(0);
    drive.run(&["restore", &root, "--yes"]).expect(0);
}

#[test]
fn a_missing_drive_says_how_to_bring_it_online() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    for target in ["B:\\", "b:", "\\\\?\\B:\\Windows"] {
        let ended = drive.run(&with_profile(&["plan", target])).expect(3);
        assert!(
            ended.stderr.contains("no volume has the letter"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("IsOffline"), "{ended:?}");
    }
}

/// The prefix's own Windows is the running one, under whatever letter.
#[test]
fn the_running_windows_is_refused_by_what_it_is() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let own = drive.wine.join("prefix/drive_c");
    let config = own.join("windows/system32/config");
    fs::create_dir_all(&config).unwrap();
    for name in ["SYSTEM", "SOFTWARE"] {
        fs::copy(bench.hive(name), config.join(name)).unwrap();
    }
    let _ = fs::remove_file(drive.link());
    symlink(&own, drive.link()).unwrap();
    for target in [
        "C:\\",
        &drive.path("\\"),
        &drive.path("\\Windows\\System32\\config"),
    ] {
        let ended = drive
            .run(&with_profile(&["apply", target, "--yes"]))
            .expect(3);
        assert!(ended.stderr.contains("running now"), "{target}: {ended:?}");
    }
    let listed = drive.run(&["disks", "--format", "json"]).expect(0).json();
    let paths: Vec<&Json> = listed["disks"].as_array().unwrap().iter().collect();
    let is_own = |row: &&&Json| row["path"] == "C:\\" || row["path"] == drive.path("\\").as_str();
    assert!(!paths.iter().any(|row| is_own(&row)), "{listed:#}");
}

#[test]
fn disks_finds_the_drive_and_says_what_it_is() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map_listed(bench.disk()) else {
        return;
    };
    let root = drive.path("\\");
    let listed = drive.run(&["disks", "--format", "json"]).expect(0).json();
    let disks = listed["disks"].as_array().unwrap();
    let found = disks.iter().find(|disk| disk["path"] == root.as_str());
    let found = found.unwrap_or_else(|| panic!("{listed:#}"));
    let disk = bench.disk().display().to_string();
    let linux = hivemend(&["disks", &disk, "--format", "json"])
        .expect(0)
        .json();
    for part in [
        "windows",
        "computer_name",
        "control_sets",
        "hibernation",
        "problems",
    ] {
        assert_eq!(found[part], linux["disks"][0][part], "{part}");
    }
    assert_eq!(found["hives"][0]["state"], "clean");
    let text = drive.run(&["disks", &root]).expect(0).stdout;
    assert!(
        text.contains(&root) && text.contains("ControlSet001"),
        "{text}"
    );
}

#[test]
fn text_is_utf_8_also_into_a_file() {
    let bench = Bench::sample();
    let Some(drive) = Drive::map(bench.disk()) else {
        return;
    };
    let profile = bench.profile(
        "umlaut",
        "  - key: HKLM\\SOFTWARE\\Schlüssel\n    values: [ { name: Größe, dword: 1, why: für alle } ]\n",
    );
    let text = fs::read_to_string(&profile).unwrap().replace('\n', "\r\n");
    fs::write(bench.disk().join("crlf.yaml"), text).unwrap();
    let (root, profile) = (drive.path("\\"), drive.path("\\crlf.yaml"));
    let out = bench.beside("out.txt");
    let status = drive
        .command(&["plan", &root, "-p", &profile])
        .stdout(File::create(&out).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("Schlüssel") && text.contains("Größe"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "a file gets no colours: {text}");
    drive
        .run(&["plan", &root, "-p", &profile, "--color", "always"])
        .expect(0)
        .stdout
        .contains('\u{1b}')
        .then_some(())
        .unwrap();
}
