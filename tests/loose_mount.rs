// SPDX-License-Identifier: GPL-3.0-or-later
//! A disk that is mounted so that what lies on it can have rights here: root is told, with the
//! command that mends it, and the command does.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, Ended, hivemend};

/// A mount that goes with the test.
struct Mounted(PathBuf);

impl Mounted {
    fn new(point: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir(point).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "hivemend-test"])
            .arg(point);
        if mount.output().is_ok_and(|ended| ended.status.success()) {
            return Some(Self(point.to_path_buf()));
        }
        let said = "SKIPPED: nothing can be mounted here, no mount was judged\n";
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn root_is_told_of_a_loose_mount_and_what_mends_it() {
    let bench = Bench::sample();
    let point = bench.beside("os disk");
    let Some(_mounted) = Mounted::new(&point, "size=16m,suid,dev") else {
        return;
    };
    let copied = Command::new("cp")
        .arg("-a")
        .arg(bench.disk())
        .arg(&point)
        .status();
    assert!(copied.unwrap().success());
    let disk = point.join("disk").display().to_string();
    let plan = |more: &[&str]| -> Ended {
        let words = [&["plan", &disk, "-p", "rdp-disconnects"], more].concat();
        hivemend(&words).expect(0)
    };
    let disks = || {
        hivemend(&["disks", &disk, "--format", "json"])
            .expect(0)
            .json()
    };
    let told = plan(&["--verbose"]).stderr;
    assert!(told.contains("without nosuid and nodev"), "{told}");
    assert!(!plan(&[]).stderr.contains("nosuid"));
    let json = disks();
    let mount = json["disks"][0]["mount"].as_str().unwrap();
    let (_, command) = mount.split_once("Better: ").unwrap();
    assert!(told.contains(command), "{told}");
    let text = hivemend(&["disks", &disk]).expect(0).stdout;
    assert!(text.contains(command), "{text}");

    let mended = Command::new("sh").args(["-c", command]).status();
    assert!(mended.unwrap().success(), "{command}");
    assert!(!plan(&["--verbose"]).stderr.contains("nosuid"));
    assert!(disks()["disks"][0]["mount"].is_null());

    let one = format!("mount -o remount,bind,suid,nodev '{}'", point.display());
    assert!(
        Command::new("sh")
            .args(["-c", &one])
            .status()
            .unwrap()
            .success()
    );
    assert!(plan(&["--verbose"]).stderr.contains("without nosuid,"));
}
