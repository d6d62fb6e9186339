// SPDX-License-Identifier: GPL-3.0-or-later
//! The file stays the file, on a real NTFS volume: what Windows keeps with a hive besides its bytes
//! is what it was after `apply` and after `restore`, or nothing is written.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

#[path = "common/bench.rs"]
mod bench;
#[path = "common/ntfs_volume.rs"]
mod ntfs_volume;

use bench::sha256;
use ntfs_volume::{
    ARCHIVE, CREATED, NtfsVolume, READ_ONLY_ARCHIVE, Traits, get, hive_descriptor, set_attributes,
};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
const HIVES: [&str; 2] = ["SYSTEM", "SOFTWARE"];

/// Each hive's bytes and what else it has.
fn hives(volume: &NtfsVolume) -> Vec<(String, Traits)> {
    let paths = HIVES.map(|name| volume.config().join(name));
    paths.map(|path| (sha256(&path), Traits::of(&path))).to_vec()
}

fn traits(hives: &[(String, Traits)]) -> Vec<&Traits> {
    hives.iter().map(|(_, traits)| traits).collect()
}

/// apply and restore; every hive's descriptor, attributes, owner, mode and times stay.
fn whole_job(volume: &mut NtfsVolume) {
    let before = hives(volume);
    volume.hivemend("apply", &APPLY).expect(0);
    let after = hives(volume);
    assert_eq!(traits(&after), traits(&before));
    for (old, new) in before.iter().zip(&after) {
        assert_ne!(old.0, new.0, "the hive was not changed");
    }
    backups_are_no_wider(volume);
    volume.nothing_is_everyones();

    // What counts is what the image holds, not what ntfs-3g remembers.
    volume.sound();
    volume.mount("streams_interface=xattr");
    assert_eq!(hives(volume), after);
    volume.hivemend("restore", &["--yes"]).expect(0);
    assert_eq!(hives(volume), before);
    volume.nothing_is_everyones();
    volume.sound();
    volume.mount("streams_interface=xattr");
    assert_eq!(hives(volume), before);
}

fn backups_are_no_wider(volume: &NtfsVolume) {
    let backups = volume.config().join("hivemend");
    let backup = fs::read_dir(&backups).unwrap().next().unwrap().unwrap().path();
    let config = get(&volume.config(), "system.ntfs_acl");
    for folder in [&backups, &backup] {
        assert_eq!(get(folder, "system.ntfs_acl"), config, "{folder:?}");
    }
    let files: Vec<PathBuf> = fs::read_dir(&backup).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let found = get(&file, "system.ntfs_acl");
        assert_eq!(found, Some(hive_descriptor()), "{file:?}");
    }
}

#[test]
fn a_hive_keeps_what_windows_gave_it() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let system = Traits::of(&volume.config().join("SYSTEM"));
    assert_eq!(system.ntfs["system.ntfs_acl"], hive_descriptor());
    assert_eq!(system.ntfs["system.ntfs_attrib_be"], ARCHIVE.to_be_bytes());
    assert_eq!(system.times[0], CREATED);
    whole_job(&mut volume);
}

#[test]
fn a_read_only_hive_is_changed_and_stays_read_only() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    for hive in HIVES {
        set_attributes(&volume.config().join(hive), READ_ONLY_ARCHIVE);
    }
    volume.remount();
    whole_job(&mut volume);
}
