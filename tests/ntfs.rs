// SPDX-License-Identifier: GPL-3.0-or-later
//! The file stays the file, on a real NTFS volume: what Windows keeps with a hive besides its bytes
//! is what it was after `apply` and after `restore`, or nothing is written.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bench::{self, sha256};
use crate::ntfs_volume::{
    self, ARCHIVE, CREATED, NtfsVolume, READ_ONLY_ARCHIVE, Traits, get, hive_descriptor, set,
    set_attributes,
};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
const HIVES: [&str; 2] = ["SYSTEM", "SOFTWARE"];

/// Each hive's bytes and what else it has.
fn hives(volume: &NtfsVolume) -> Vec<(String, Traits)> {
    let paths = HIVES.map(|name| volume.config().join(name));
    paths
        .map(|path| (sha256(&path), Traits::of(&path)))
        .to_vec()
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
    let backup = fs::read_dir(&backups)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let config = get(&volume.config(), "system.ntfs_acl");
    for folder in [&backups, &backup] {
        assert_eq!(get(folder, "system.ntfs_acl"), config, "{folder:?}");
    }
    let files: Vec<PathBuf> = fs::read_dir(&backup)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
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

/// Refused with exit 3 and these words; nothing was written.
fn refused(volume: &NtfsVolume, words: &str) {
    let before = (
        volume.names(),
        HIVES.map(|name| sha256(&volume.config().join(name))),
    );
    let ended = volume.hivemend("apply", &APPLY).expect(3);
    assert!(ended.stderr.contains(words), "{ended:#?}");
    let after = (
        volume.names(),
        HIVES.map(|name| sha256(&volume.config().join(name))),
    );
    assert_eq!(after, before);
}

#[test]
fn alternate_data_streams_are_carried_over_or_the_hive_is_left_alone() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let system = volume.config().join("SYSTEM");
    let stream = b"[ZoneTransfer]\r\nZoneId=3\r\n";
    set(&system, "user.Zone.Identifier", stream);
    for (options, words) in [
        ("streams_interface=windows", "Zone.Identifier"),
        ("streams_interface=none", "streams_interface=none"),
    ] {
        volume.unmount();
        volume.mount(options);
        refused(&volume, words);
    }
    volume.remount();
    whole_job(&mut volume);
    assert_eq!(get(&system, "user.Zone.Identifier").unwrap(), stream);
    volume.hivemend("apply", &APPLY).expect(0);
    volume.remount();
    assert_eq!(get(&system, "user.Zone.Identifier").unwrap(), stream);

    volume.unmount();
    volume.mount("streams_interface=windows");
    fs::write(volume.config().join("SOFTWARE:long"), vec![7; 70_000]).unwrap();
    volume.remount();
    let ended = volume.hivemend("restore", &["--yes"]).expect(3);
    assert!(ended.stderr.contains("64 KiB"), "{ended:#?}");
    volume.sound();
}

#[test]
fn extended_attributes_of_windows_are_carried_over() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let mut attributes = vec![20, 0, 0, 0, 0, 6, 4, 0];
    attributes.extend(b"$LXUID\0\xE8\x03\0\0\0");
    set(
        &volume.config().join("SYSTEM"),
        "system.ntfs_ea",
        &attributes,
    );
    volume.remount();
    let found = Traits::of(&volume.config().join("SYSTEM"));
    assert_eq!(found.ntfs["system.ntfs_ea"], attributes);
    whole_job(&mut volume);
}

#[test]
fn a_hive_with_another_name_is_left_alone() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let other = volume.root().join("WINDOWS/other name of SYSTEM");
    fs::hard_link(volume.config().join("SYSTEM"), &other).unwrap();
    refused(&volume, "2 names (hard links)");
    fs::remove_file(&other).unwrap();
    whole_job(&mut volume);
    // A long name has a short one besides, which counts as a link and is none.
    let named = volume.config().join("OldSystemHive.dat");
    let bytes = fs::read(volume.config().join("SYSTEM")).unwrap();
    volume.windows_file(&named, &bytes, ARCHIVE);
    set(&named, "system.ntfs_dos_name", b"OLDSYS~1.DAT");
    volume.remount();
    let file = named.display().to_string();
    let apply = ["apply", "--system", &file, "-p", "rdp-disconnects", "--yes"];
    bench::hivemend(&apply).expect(0);
    volume.sound();
}

#[test]
fn a_volume_that_needs_a_check_is_left_alone() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    volume.unmount();
    // ntfsfix asks Windows for a check, by the flag that Windows itself sets.
    volume.tool("ntfsfix", &[]);
    volume.mount("streams_interface=xattr");
    refused(&volume, "chkdsk");
    volume.hivemend("plan", &APPLY[..2]).expect(0);
    volume.unmount();
    volume.tool("ntfsfix", &["-d"]);
    volume.mount("streams_interface=xattr");
    whole_job(&mut volume);
}

#[test]
fn a_hibernated_windows_is_left_alone() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let mut memory = b"HIBR".to_vec();
    memory.resize(8192, 0);
    fs::write(volume.root().join("hiberfil.sys"), &memory).unwrap();
    refused(&volume, "Fast Startup");
    // ntfs-3g itself mounts such a volume read-only.
    volume.remount();
    refused(&volume, "mounted read-only");
    volume.unmount();
    volume.mount("streams_interface=xattr,remove_hiberfile");
    whole_job(&mut volume);
}

/// ntfs-3g gives a new file "Everyone: full control"; where the hive's own descriptor, or anything
/// else that belongs to it, cannot be given to it, it must not become the hive.
#[test]
fn what_cannot_be_set_stops_everything() {
    let Some(volume) = NtfsVolume::windows() else {
        return;
    };
    let before = hives(&volume);
    let root = volume.root().display().to_string();
    let mut refused = Vec::new();
    loop {
        // From the Nth on, for a call that is tried again would hide what the first one did.
        let inject = format!("inject=fsetxattr:error=EPERM:when={}+", refused.len() + 1);
        let ended = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null"])
            .args(["-e", "trace=fsetxattr", "-e", &inject])
            .args([env!("CARGO_BIN_EXE_hivemend"), "apply", &root])
            .args(APPLY)
            .output();
        let Ok(ended) = ended else {
            ntfs_volume::say("no strace here, nothing was made to fail to be set");
            assert!(std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_none());
            return;
        };
        if ended.status.success() {
            break;
        }
        // A lack of permission is a refusal (3), a setting that cannot be made a failure (4).
        let code = ended.status.code();
        assert!(matches!(code, Some(3 | 4)), "{inject}: {ended:?}");
        assert_eq!(hives(&volume), before, "{inject}");
        let names = volume.names();
        let is_litter = |name: &&String| name.contains(".hivemend-") || name.contains("journal");
        assert_eq!(names.iter().find(is_litter), None, "{inject}");
        refused.push(String::from_utf8(ended.stderr).unwrap());
    }
    let about = |name: &str| refused.iter().any(|said| said.contains(name));
    assert!(
        about("SYSTEM.hivemend-") && about("SOFTWARE.hivemend-"),
        "{refused:?}"
    );
}

/// Such a mount lists all names in lower case, refuses a second name that differs in case only, and
/// so leaves a hive without a name for a moment.
#[test]
fn a_mount_that_ignores_case_loses_no_hive_and_no_backup() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    volume.unmount();
    volume.mount("ignore_case");
    let before = hives(&volume);
    let root = volume.root().display().to_string();
    let calls = "link,linkat,unlink,unlinkat,rename,renameat,renameat2";
    let mut nameless = 0;
    for at in 1.. {
        let ended = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e"])
            .args([format!("trace={calls}"), "-e".to_owned()])
            .arg(format!("inject={calls}:signal=KILL:when={at}"))
            .args([env!("CARGO_BIN_EXE_hivemend"), "apply", &root])
            .args(APPLY)
            .output();
        let Ok(ended) = ended else {
            ntfs_volume::say("no strace here, no run was killed on a mount that ignores case");
            assert!(std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_none());
            return;
        };
        match volume.hivemend("plan", &APPLY[..2]) {
            plan if plan.code == 3 && plan.stderr.contains("no name") => nameless += 1,
            plan => assert_eq!(plan.code, 0, "{at}: {plan:?}"),
        }
        volume.hivemend("apply", &APPLY).expect(0);
        assert_ne!(hives(&volume), before, "{at}");
        volume.hivemend("restore", &["--yes"]).expect(0);
        assert_eq!(hives(&volume), before, "{at}");
        assert!(!volume.names().iter().any(|name| name.contains(".hivemend")));
        if ended.status.success() {
            break;
        }
    }
    assert_eq!(nameless, 2, "each hive was once without a name");
}

#[test]
fn the_plan_says_once_what_stays_with_the_hives() {
    if let Some(volume) = NtfsVolume::windows() {
        said_once(
            &volume.root().display().to_string(),
            "NTFS (ntfs-3g)",
            "alternate data streams",
        );
    }
    let plain = bench::Bench::sample();
    said_once(&plain.disk().display().to_string(), "", "owner");
}

fn said_once(disk: &str, file_system: &str, kept: &str) {
    let text = bench::hivemend(&["plan", disk, "-p", "rdp-disconnects", "-v"])
        .expect(0)
        .stdout;
    assert_eq!(text.matches("metadata: ").count(), 1, "{text}");
    let json = bench::hivemend(&["plan", disk, "-p", "rdp-disconnects", "--format", "json"]);
    let json = json.expect(0).json();
    let metadata = &json["metadata"];
    let said = metadata["file_system"].as_str().unwrap();
    assert!(
        said.contains(file_system) && text.contains(said),
        "{metadata}"
    );
    let has = |list: &str| {
        metadata[list]
            .as_array()
            .unwrap()
            .iter()
            .any(|what| what == kept)
    };
    assert!(has("kept"), "{metadata}");
    assert!(!has("not_kept"), "{metadata}");
}
