// SPDX-License-Identifier: GPL-3.0-or-later
//! A disk on which a run was cut short, and all that must be so then.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::bench::{Bench, sha256};

pub(crate) const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
pub(crate) const MEND: [&str; 1] = ["--yes"];
const KEY: &str = r"SYSTEM\Select";
const HIVES: [&str; 2] = ["SYSTEM", "SOFTWARE"];

/// A hive's hash, mode, owner, group and time of last write.
type Hive = (String, u32, u32, u32, SystemTime);

/// What was being done to the disk, and is done again to settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    /// `apply` of a profile.
    Apply,
    /// `mend` of two damaged hives.
    Mend,
}

/// Knows the disk as it was before anything was done to it.
pub(crate) struct Witness {
    job: Job,
    old: [Hive; 2],
    names: BTreeSet<String>,
}

/// What was seen over all interruptions.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) points: usize,
    pub(crate) old: usize,
    pub(crate) new: usize,
    pub(crate) mixed: usize,
    pub(crate) reported: usize,
    pub(crate) nothing_pending: usize,
}

/// A sample disk whose hives have modes and times of their own, and a log beside one of them.
pub(crate) fn patient() -> (Bench, Witness) {
    patient_with(None)
}

/// As [`patient`], with this hive for its SYSTEM.
pub(crate) fn patient_with(system: Option<&[u8]>) -> (Bench, Witness) {
    witnessed(Bench::in_memory(), system, Job::Apply)
}

/// As [`patient`], but both hives have damage that `mend` makes good without a loss.
pub(crate) fn damaged_patient() -> (Bench, Witness) {
    let bench = Bench::in_memory();
    for name in HIVES {
        let mut image = fs::read(bench.hive(name)).unwrap();
        // The first bin does not say where it is.
        image[4096 + 4] ^= 0x10;
        fs::write(bench.hive(name), image).unwrap();
    }
    witnessed(bench, None, Job::Mend)
}

fn witnessed(bench: Bench, system: Option<&[u8]>, job: Job) -> (Bench, Witness) {
    let config = bench.config();
    if let Some(system) = system {
        fs::write(config.join("SYSTEM"), system).unwrap();
    }
    fs::write(config.join("SYSTEM.LOG1"), [0; 700]).unwrap();
    for (name, mode, seconds) in [("SYSTEM", 0o640, 1_100_000_000), ("SOFTWARE", 0o604, 7)] {
        let file = fs::File::options().write(true).open(config.join(name));
        let file = file.unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, 123_456_700);
        file.set_modified(time).unwrap();
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
            .unwrap();
    }
    let old = HIVES.map(|name| hive(&config.join(name)));
    let names = names(&config);
    (bench, Witness { job, old, names })
}

fn hive(path: &Path) -> Hive {
    let found = fs::symlink_metadata(path).unwrap();
    let mode = found.mode() & 0o7777;
    let time = found.modified().unwrap();
    (sha256(path), mode, found.uid(), found.gid(), time)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The hashes of everything that runs have written or were to write, by their own records.
fn hashes_of_new_hives(config: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut take = |hash: &Json| {
        found.insert(hash["sha256"].as_str().unwrap_or_default().to_owned());
    };
    let read = |path: &Path| {
        fs::read(path)
            .ok()
            .map(|bytes| serde_json::from_slice(&bytes))
    };
    if let Some(Ok::<Json, _>(journal)) = read(&config.join("hivemend.journal")) {
        let new = match journal["operation"].as_str() {
            Some("apply") => "to",
            _ => "from",
        };
        let swaps = journal["swaps"].as_array().unwrap().iter();
        swaps.for_each(|swap| take(&swap[new]));
    }
    for backup in fs::read_dir(config.join("hivemend")).into_iter().flatten() {
        let manifest = read(&backup.unwrap().path().join("manifest.json"));
        if let Some(Ok(manifest)) = manifest {
            let hives = manifest["hives"].as_array().unwrap().iter();
            hives.for_each(|hive| take(&hive["after"]));
        }
    }
    found
}

impl Witness {
    /// Whether each hive is the new one; one that is neither, or has lost its metadata, fails.
    pub(crate) fn stands(&self, bench: &Bench, context: &str) -> [bool; 2] {
        let config = bench.config();
        let known = hashes_of_new_hives(&config);
        [0, 1].map(|index| {
            let (name, old) = (HIVES[index], &self.old[index]);
            let now = hive(&config.join(name));
            let metadata = |hive: &Hive| (hive.1, hive.2, hive.3, hive.4);
            assert_eq!(metadata(&now), metadata(old), "{name}: metadata, {context}");
            let is_new = now.0 != old.0;
            assert!(
                !is_new || known.contains(&now.0),
                "{name} is neither old nor new, {context}"
            );
            is_new
        })
    }

    /// All that must be so on a disk on which a run was cut short.
    pub(crate) fn check(&self, bench: &Bench, seen: &mut Seen, context: &str) {
        let stands = self.stands(bench, context);
        let is_pending = bench.config().join("hivemend.journal").exists();
        seen.points += 1;
        match stands {
            [false, false] => seen.old += 1,
            [true, true] => seen.new += 1,
            _ => seen.mixed += 1,
        }
        match is_pending {
            true => seen.reported += 1,
            false => seen.nothing_pending += 1,
        }
        assert!(is_pending || stands[0] == stands[1], "{context}");
        self.commands_that_look(bench, is_pending, context);
        self.apply_settles(&bench.twin(), is_pending, context);
        self.restore_settles(&bench.twin(), is_pending, context);
    }

    fn commands_that_look(&self, bench: &Bench, is_pending: bool, context: &str) {
        let before = bench.snapshot();
        let commands: [(&str, &[&str]); 4] = [
            ("plan", &APPLY[..2]),
            ("show", &[KEY]),
            ("check", &[]),
            ("backups", &[]),
        ];
        let is_damaged = self.job == Job::Mend && self.stands(bench, context) != [true, true];
        for (command, args) in commands {
            let ended = bench.run(command, args);
            let says = ended.stderr.contains("was interrupted");
            assert_eq!(says, is_pending, "{command}: {ended:?}, {context}");
            let code = match command {
                "check" if is_damaged => 1,
                _ => 0,
            };
            assert_eq!(ended.code, code, "{command}: {ended:?}, {context}");
        }
        assert_eq!(bench.snapshot(), before, "{context}");
    }

    fn apply_settles(&self, bench: &Bench, is_pending: bool, context: &str) {
        let ended = match self.job {
            Job::Apply => bench.run("apply", &APPLY),
            Job::Mend => bench.run("mend", &MEND),
        };
        let says = ended.stderr.contains("was interrupted");
        assert_eq!((ended.code, says), (0, is_pending), "{ended:?}, {context}");
        assert_eq!(self.stands(bench, context), [true, true], "{context}");
        let drift = match self.job {
            Job::Apply => bench.run("plan", &["-p", "rdp-disconnects", "--exit-code"]),
            Job::Mend => bench.run("check", &[]),
        };
        assert_eq!(drift.code, 0, "{drift:?}, {context}");
        self.nothing_is_left(bench, context);
    }

    fn restore_settles(&self, bench: &Bench, is_pending: bool, context: &str) {
        let was_old = self.stands(bench, context) == [false, false];
        let ended = bench.run("restore", &["--yes"]);
        let says = ended.stderr.contains("was interrupted");
        assert_eq!(says, is_pending, "{ended:?}, {context}");
        // Before a run has begun there may be nothing to go back to.
        let is_fine = ended.code == 0 || ended.code == 3 && was_old && !is_pending;
        assert!(is_fine, "{ended:?}, {context}");
        assert_eq!(self.stands(bench, context), [false, false], "{context}");
        self.nothing_is_left(bench, context);
    }

    fn nothing_is_left(&self, bench: &Bench, context: &str) {
        let config = bench.config();
        let mut names = names(&config);
        names.remove("hivemend");
        assert_eq!(names, self.names, "{context}");
        let listed = bench.run("backups", &["--format", "json"]).json();
        for backup in listed["backups"].as_array().unwrap() {
            let state = backup["state"].as_str().unwrap_or_default();
            let is_whole = state == "applied" || state == "restored";
            assert!(is_whole, "{backup}, {context}");
            let folder = Path::new(backup["path"].as_str().unwrap());
            for hive in backup["hives"].as_array().unwrap() {
                let kept = sha256(&folder.join(hive["name"].as_str().unwrap()));
                assert_eq!(hive["before"]["sha256"], kept, "{context}");
            }
        }
        let backups = fs::read_dir(config.join("hivemend"));
        let backups = backups.map_or(0, |entries| entries.count());
        assert_eq!(listed["backups"].as_array().unwrap().len(), backups);
        assert!(!bench.snapshot().keys().any(|path| path.ends_with(".new")));
    }
}
