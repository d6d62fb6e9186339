// SPDX-License-Identifier: GPL-3.0-or-later
//! A volume that is really full: of bytes, and of files.

use std::process::Command;

use super::*;
use crate::bench::Bench;

/// A small file system in memory, unmounted when dropped.
struct Volume {
    folder: TempDir,
}

impl Volume {
    /// `None`, and a word, where nothing can be mounted.
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "hivemend-test"]);
        let mounted = mount.arg(folder.path()).output();
        if mounted.is_ok_and(|ended| ended.status.success()) {
            return Some(Self { folder });
        }
        let said = "SKIPPED: nothing can be mounted here, no volume was really full\n";
        // Past the harness, which keeps what a passing test prints.
        let _ = io::Write::write_all(&mut io::stderr(), said.as_bytes());
        None
    }

    /// Fills the volume but for this many bytes, in pages of 4096.
    fn fill(&self, leave: usize) {
        let free = Disk
            .free_space(&folder(self.folder.path()))
            .unwrap()
            .unwrap();
        let size = usize::try_from(free).unwrap().saturating_sub(leave);
        fs::write(self.folder.path().join("filler"), vec![7; size]).unwrap();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Lazily: a process that another test is just starting may hold a file of it.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.folder.path())
            .status();
    }
}

/// The disk under test on that volume; it is the volume that goes, not the folder.
fn target_on(volume: &Volume) -> Target {
    let disk = tempfile::tempdir_in(volume.folder.path()).unwrap();
    Target::in_folder(disk)
}

/// A medium that does not say how little is free, so that the writes find out.
fn unsuspecting() -> Faulty {
    Faulty {
        free: Some(u64::MAX),
        ..Faulty::new(Trouble::None)
    }
}

fn runs_out(operation: Operation, prepare: impl Fn(&Volume, usize), options: &str) {
    let (mut failed, mut done) = (0, 0);
    for left in 0..24 {
        let Some(volume) = Volume::new(options) else {
            return;
        };
        let target = target_on(&volume);
        if operation == Operation::Restore {
            apply(&target, &Disk).unwrap();
        }
        prepare(&volume, left);
        let before = target.state();
        let medium = unsuspecting();
        let result = match operation {
            Operation::Apply => apply(&target, &medium).map(drop),
            Operation::Restore => restore_newest(&target, &medium).map(drop),
        };
        match result {
            Ok(()) => {
                target.hives_are(operation == Operation::Apply);
                done += 1;
            }
            Err(error) => {
                assert_eq!(error.touched, Touched::Untouched, "{left}: {error}");
                assert!(error.to_string().contains("os error 28"), "{left}: {error}");
                assert!(error.to_string().contains("config"), "{left}: {error}");
                same(&before, &target.state());
                failed += 1;
            }
        }
        assert_eq!(pending(&target), None);
    }
    println!("{operation} on a full volume ({options}): {failed} failed, {done} done");
    assert!(failed > 3 && done > 0);
}

#[test]
fn a_volume_without_room_for_bytes() {
    for operation in [Operation::Apply, Operation::Restore] {
        runs_out(
            operation,
            |volume, pages| volume.fill(pages * 4096),
            "size=2m",
        );
    }
}

#[test]
fn a_volume_without_room_for_files() {
    // tmpfs counts every file and folder, and links too.
    for operation in [Operation::Apply, Operation::Restore] {
        let fill = |volume: &Volume, left: usize| {
            let mut made = Vec::new();
            for number in 0.. {
                let path = volume.folder.path().join(format!("filler{number}"));
                match File::create(&path) {
                    Ok(_) => made.push(path),
                    Err(_) => break,
                }
            }
            made.iter()
                .take(left)
                .for_each(|path| fs::remove_file(path).unwrap());
        };
        runs_out(operation, fill, "size=2m,nr_inodes=64");
    }
}

/// The program itself looks before it writes, and says how much is needed.
#[test]
fn the_program_refuses_a_full_volume_before_it_writes() {
    let Some(volume) = Volume::new("size=2m") else {
        return;
    };
    let sample = Bench::in_memory();
    let mut copy = Command::new("cp");
    let copied = copy
        .arg("-a")
        .arg(sample.disk())
        .arg(volume.folder.path().join("disk"));
    assert!(copied.status().unwrap().success());
    volume.fill(64 << 10);
    let disk = volume.folder.path().join("disk").display().to_string();
    let config = volume.folder.path().join("disk/Windows/System32/config");
    let mut before = BTreeMap::new();
    walk(&config, &mut before);
    let args = ["apply", disk.as_str(), "-p", "rdp-disconnects", "--yes"];
    let ended = crate::bench::hivemend(&args).expect(3);
    assert!(ended.stderr.contains("bytes are needed"), "{ended:?}");
    let mut after = BTreeMap::new();
    walk(&config, &mut after);
    assert!(before == after);
}
