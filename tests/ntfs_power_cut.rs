// SPDX-License-Identifier: GPL-3.0-or-later
//! A power cut under ntfs-3g, which renames in steps and keeps no journal.
//!
//! Pass 1 runs the real program on a real volume and records every write that ntfs-3g makes to the
//! image, in order. Pass 2 takes the image as it was after each of them, mounts it, and asks: has
//! each hive a name that Windows would find, and is it wholly the old or wholly the new one, with
//! its metadata; does `plan` say what happened; do `apply` and `restore` bring both hives to the
//! same state, with no litter and a sound volume?
//!
//! A sample of the points is taken, always the same; all of them with `HIVEMEND_EXHAUSTIVE=1`.
//! The reasons are in `docs/decisions/0001-ntfs-3g-rename.md`.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::bench::sha256;
use crate::ntfs_volume::{NtfsVolume, Traits};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
const HIVES: [&str; 2] = ["SYSTEM", "SOFTWARE"];
/// Points taken where not all are.
const SAMPLE: usize = 40;
const SEED: u64 = 0x6869_7665_6d65_6e64;

/// What ntfs-3g did to the image, in order.
enum Op {
    Write { at: usize, bytes: Vec<u8> },
    Sync,
}

/// A run as the image saw it.
struct Recording {
    before: Vec<u8>,
    ops: Vec<Op>,
}

/// The two states that a hive may be in.
struct Sides {
    old: [String; 2],
    new: [String; 2],
    traits: [Traits; 2],
}

/// How the points ended, for the table in the decision.
#[derive(Default, Debug)]
struct Tally {
    points: usize,
    waiting: usize,
    old: usize,
    new: usize,
    mixed: usize,
    two_names: usize,
    other_case_only: usize,
    dangling: usize,
    not_mountable: usize,
    half_made: usize,
}

fn state(volume: &NtfsVolume) -> [(String, Traits); 2] {
    HIVES.map(|name| {
        let path = volume.config().join(name);
        (sha256(&path), Traits::of(&path))
    })
}

impl Recording {
    /// Runs `hivemend COMMAND`, as `volume` saw it; the volume is unmounted then.
    fn of(volume: &mut NtfsVolume, command: &str, args: &[&str]) -> Self {
        volume.unmount();
        let before = fs::read(volume.image()).unwrap();
        let trace = volume.beside("trace");
        volume.mount_traced(&trace);
        volume.hivemend(command, args).expect(0);
        volume.unmount();
        let text = fs::read_to_string(&trace).unwrap();
        let ops: Vec<Op> = text.lines().filter_map(op).collect();
        let recording = Self { before, ops };
        // What was recorded is what happened.
        let replayed = recording.image_after(recording.ops.len());
        assert!(replayed == fs::read(volume.image()).unwrap());
        recording
    }

    fn image_after(&self, count: usize) -> Vec<u8> {
        let mut image = self.before.clone();
        for op in &self.ops[..count] {
            if let Op::Write { at, bytes } = op {
                image[*at..*at + bytes.len()].copy_from_slice(bytes);
            }
        }
        image
    }

    /// The numbers of operations after which the image is another than before.
    fn points(&self) -> Vec<usize> {
        let mut image = self.before.clone();
        let mut points = vec![0];
        for (number, op) in self.ops.iter().enumerate() {
            let Op::Write { at, bytes } = op else {
                continue;
            };
            let place = &mut image[*at..*at + bytes.len()];
            if place != bytes.as_slice() {
                place.copy_from_slice(bytes);
                points.push(number + 1);
            }
        }
        points
    }

    fn syncs(&self) -> usize {
        self.ops.iter().filter(|op| matches!(op, Op::Sync)).count()
    }
}

/// One line of strace.
fn op(line: &str) -> Option<Op> {
    let (_, call) = line.split_once(' ').unwrap();
    let call = call.trim_start();
    if call.starts_with("fsync(") || call.starts_with("fdatasync(") {
        return Some(Op::Sync);
    }
    let call = call.strip_prefix("pwrite64(")?;
    let (_, rest) = call.split_once('"').unwrap();
    let (bytes, rest) = rest.split_once('"').unwrap();
    let bytes = hex::decode(bytes.replace("\\x", "")).unwrap();
    let mut numbers = rest
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<usize>().unwrap());
    let (length, at, written) = (numbers.next(), numbers.next().unwrap(), numbers.next());
    assert_eq!(
        (length, written),
        (Some(bytes.len()), Some(bytes.len())),
        "{line}"
    );
    Some(Op::Write { at, bytes })
}

/// All points, or always the same few of them: a multiplicative generator by Lehmer.
fn sampled(points: Vec<usize>) -> Vec<usize> {
    if std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some_and(|set| set == "1") {
        return points;
    }
    let mut chosen: BTreeMap<usize, ()> = BTreeMap::new();
    let mut random = SEED | 1;
    while chosen.len() < SAMPLE.min(points.len()) {
        random = random.wrapping_mul(0xda94_2042_e4dd_58b5);
        let number = usize::try_from(random >> 33).unwrap() % points.len();
        chosen.insert(points[number], ());
    }
    chosen.into_keys().collect()
}

/// The contents that Windows may find under the name of hive `number`.
fn seen_by_windows(volume: &NtfsVolume, number: usize) -> BTreeMap<String, String> {
    let names = volume.names().into_iter();
    let same = names.filter(|name| name.eq_ignore_ascii_case(HIVES[number]));
    same.map(|name| {
        let content = sha256(&volume.config().join(&name));
        (name, content)
    })
    .collect()
}

impl Sides {
    /// Judges one image, then settles it with `command`.
    fn judge(&self, image: &[u8], command: &str, tally: &mut Tally) {
        let mut volume = NtfsVolume::from_image(image);
        if !volume.try_mount("streams_interface=xattr", None) {
            // ntfs-3g wrote the MFT's own record and not yet its mirror; ntfsfix does that.
            tally.not_mountable += 1;
            volume.tool("ntfsfix", &["-d"]);
            volume.mount("streams_interface=xattr");
        }
        let waits = volume.config().join("hivemend.journal").exists();
        let mut found = Vec::new();
        let seen = [0, 1].map(|number| seen_by_windows(&volume, number));
        for number in 0..HIVES.len() {
            let names = seen[number].clone();
            assert!(!names.is_empty(), "{} has no name", HIVES[number]);
            for content in names.values() {
                let whole = [&self.old[number], &self.new[number]].contains(&content);
                assert!(whole, "{} is neither old nor new", HIVES[number]);
            }
            tally.two_names += usize::from(names.len() > 1);
            tally.other_case_only += usize::from(!names.contains_key(HIVES[number]));
            for name in names.keys() {
                let path = volume.config().join(name);
                assert_eq!(Traits::of(&path), self.traits[number], "{name}");
            }
            found.push(names.into_values().next().unwrap());
        }
        tally.count(&found, self, waits);
        assert_eq!(
            fs::read_dir(volume.config()).unwrap().count() - volume.names().len(),
            40
        );
        let dangling = volume.dangling();
        if !dangling.is_empty() {
            tally.dangling += 1;
            self.with_dangling(&volume, command);
            return;
        }
        volume.no_content_is_everyones(&volume.empty());

        let plan = volume.hivemend("plan", &APPLY[..2]).expect(0);
        assert_eq!(plan.stderr.contains("was interrupted"), waits, "{plan:?}");
        if waits || command == "apply" {
            let args: &[&str] = if command == "apply" {
                &APPLY
            } else {
                &["--yes"]
            };
            let ended = volume.hivemend(command, args);
            if ended.code != 0 {
                // A name that ntfs-3g had half made: nothing is touched before chkdsk has run.
                tally.half_made += 1;
                assert_eq!(ended.code, 3, "{ended:#?}");
                assert!(ended.stderr.contains("only half made"), "{ended:#?}");
                let names = [0, 1].map(|number| seen_by_windows(&volume, number));
                assert_eq!(names, seen);
                return;
            }
            let now = state(&volume).map(|(content, _)| content);
            if command == "restore" {
                assert_eq!(now, self.old);
            } else if now != self.new {
                // Undone and then done again: the same but for the times of the changed keys.
                volume
                    .hivemend("plan", &["-p", "rdp-disconnects", "--exit-code"])
                    .expect(0);
                volume.hivemend("check", &[]).expect(0);
                assert!((0..2).all(|number| now[number] != self.old[number]));
            }
        }
        assert_eq!(state(&volume).map(|(_, traits)| traits), self.traits);
        let names = volume.names();
        let litter = names.iter().filter(|name| {
            let known = HIVES.iter().any(|hive| {
                name.strip_prefix(hive)
                    .is_some_and(|rest| ["", ".LOG1", ".LOG2"].contains(&rest))
            });
            !known && *name != "hivemend"
        });
        let litter: Vec<&String> = litter.collect();
        // A journal that never became one is cleared by the next run that writes.
        let unborn = litter.iter().all(|name| *name == "hivemend.journal.new");
        assert!(
            litter.is_empty() || unborn && !waits && (command != "apply" || found[..] == self.new),
            "{litter:?}"
        );
        volume.no_content_is_everyones(&volume.empty());
        volume.sound();
    }
}

impl Sides {
    /// A name leads to nothing, as ntfs-3g leaves it, and only chkdsk removes such a name. The
    /// command does its work or says so, and the hives stay what they are.
    fn with_dangling(&self, volume: &NtfsVolume, command: &str) {
        volume.hivemend("plan", &APPLY[..2]).expect(0);
        let args: &[&str] = if command == "apply" {
            &APPLY
        } else {
            &["--yes"]
        };
        let ended = volume.hivemend(command, args);
        let said = ended.stderr.contains("chkdsk") || ended.stderr.contains("no backup");
        assert!(ended.code == 0 || said, "{ended:#?}");
        if command == "apply" && ended.code == 0 {
            volume
                .hivemend("plan", &["-p", "rdp-disconnects", "--exit-code"])
                .expect(0);
            volume.hivemend("check", &[]).expect(0);
        }
        for (number, (content, traits)) in state(volume).into_iter().enumerate() {
            // Undone and done again, the hive is a new one with other times in it.
            let redone = command == "apply" && ended.code == 0;
            assert!(redone || [&self.old[number], &self.new[number]].contains(&&content));
            assert_eq!(traits, self.traits[number]);
        }
    }
}

impl Tally {
    fn count(&mut self, found: &[String], sides: &Sides, waits: bool) {
        self.points += 1;
        self.waiting += usize::from(waits);
        match (found[..] == sides.old, found[..] == sides.new) {
            (true, _) => self.old += 1,
            (_, true) => self.new += 1,
            _ => self.mixed += 1,
        }
    }
}

/// Cuts the recorded run short everywhere, and settles it with `command`.
fn cut(what: &str, recording: &Recording, sides: &Sides, command: &str) {
    let all = recording.points();
    let (count, syncs) = (all.len(), recording.syncs());
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for point in sampled(all) {
        let image = recording.image_after(point);
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            sides.judge(&image, command, &mut tally);
        }));
        if judged.is_err() {
            keep(&image, what, command, point);
            eprintln!("^ {what} cut after operation {point}, then {command}");
            failed.push(point);
        }
    }
    let said = format!("{what}, {count} images, {syncs} syncs, then {command}: {tally:?}\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(
        failed.is_empty(),
        "{what} cut after {failed:?}, then {command}"
    );
}

/// Keeps a failing image for a look at it.
fn keep(image: &[u8], what: &str, command: &str, point: usize) {
    if let Some(folder) = std::env::var_os("HIVEMEND_KEEP_IMAGES") {
        let name = format!("{what}-{point}-{command}.img");
        fs::write(Path::new(&folder).join(name), image).unwrap();
    }
}

#[test]
fn apply_and_restore_survive_a_power_cut_after_any_write() {
    let Some(mut volume) = NtfsVolume::windows() else {
        return;
    };
    let before = state(&volume);
    let apply = Recording::of(&mut volume, "apply", &APPLY);
    volume.mount("streams_interface=xattr");
    let after = state(&volume);
    let restore = Recording::of(&mut volume, "restore", &["--yes"]);
    volume.mount("streams_interface=xattr");
    assert_eq!(state(&volume), before);

    let contents = |state: &[(String, Traits); 2]| [state[0].0.clone(), state[1].0.clone()];
    let sides = Sides {
        old: contents(&before),
        new: contents(&after),
        traits: before.map(|(_, traits)| traits),
    };
    let runs = [("apply", &apply), ("restore", &restore)];
    let jobs = runs.map(|run| [(run, "apply"), (run, "restore")]);
    std::thread::scope(|scope| {
        for ((what, recording), command) in jobs.into_iter().flatten() {
            let sides = &sides;
            scope.spawn(move || cut(what, recording, sides, command));
        }
    });
}
