// SPDX-License-Identifier: GPL-3.0-or-later
//! Power cuts: what was not synced is lost, torn, or there all the same.
//!
//! A run is recorded operation by operation. Then, for every prefix of the operations, disks are
//! made as a power cut there may leave them, after the model of `docs/crash-safety.md` ("What is
//! assumed of the medium"): of the bytes written since a file's last sync any subset of sectors of
//! 512 bytes is there, and of the changes of names since a folder's last sync any subset, each of
//! them wholly or not at all. On each such disk every hive must be old or new, and the next run
//! must settle what is left.

use std::collections::HashMap;

use super::*;

/// Bytes that a disk writes wholly or not at all.
const SECTOR: usize = 512;
/// Most disks that are made of one prefix where all are asked for: up to six changes that were not
/// synced are tried in every subset, of more of them this many subsets.
const MOST: u64 = 64;
/// What a sector has that was never written: an older file's bytes.
const GARBAGE: u8 = 0xA5;

type Id = usize;

/// One operation that changes the medium, and nothing that only reads.
#[derive(Clone, Debug)]
enum Op {
    Create(PathBuf, Id, FileMetadata),
    Write(Id, usize, Vec<u8>),
    Metadata(Id, FileMetadata),
    Sync(Id),
    Link(PathBuf, Id),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    CreateDir(PathBuf),
    RemoveDir(PathBuf),
    SyncDir(PathBuf),
}

/// What a file has on the disk.
#[derive(Clone, Debug)]
struct Stored {
    bytes: Vec<u8>,
    metadata: FileMetadata,
}

/// A file or folder that a name leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    File(Id),
    Folder,
}

type Names = BTreeMap<PathBuf, Entry>;

/// Files and names as they are at one time.
#[derive(Clone, Default)]
struct Tree {
    files: BTreeMap<Id, Stored>,
    names: Names,
}

/// The real disk, with every change recorded.
struct Recorder<'m> {
    below: &'m Faulty,
    names: RefCell<BTreeMap<PathBuf, Id>>,
    open: RefCell<HashMap<u64, Id>>,
    lengths: RefCell<HashMap<Id, usize>>,
    ops: RefCell<Vec<Op>>,
    /// How many of them came before the operation that fails.
    before_trouble: Cell<usize>,
    next: Cell<Id>,
}

impl<'m> Recorder<'m> {
    /// A recorder, and the disk as it is before the run: durable as a whole.
    fn new(below: &'m Faulty, config: &Path) -> (Self, Tree) {
        let recorder = Self {
            below,
            names: RefCell::default(),
            open: RefCell::default(),
            lengths: RefCell::default(),
            ops: RefCell::default(),
            before_trouble: Cell::new(0),
            next: Cell::new(0),
        };
        let mut tree = Tree::default();
        recorder.take_in(config, &mut tree);
        (recorder, tree)
    }

    fn take_in(&self, folder: &Path, tree: &mut Tree) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                tree.names.insert(path.clone(), Entry::Folder);
                self.take_in(&path, tree);
                continue;
            }
            let number = inode(&path);
            let known = self.open.borrow().get(&number).copied();
            let id = known.unwrap_or_else(|| self.new_id());
            self.open.borrow_mut().insert(number, id);
            self.names.borrow_mut().insert(path.clone(), id);
            tree.names.insert(path.clone(), Entry::File(id));
            let bytes = fs::read(&path).unwrap();
            let metadata = Disk.metadata(&Disk.open(&spot(&path)).unwrap()).unwrap();
            tree.files.insert(id, Stored { bytes, metadata });
        }
    }

    fn new_id(&self) -> Id {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    fn record(&self, op: Op) {
        self.ops.borrow_mut().push(op);
        if matches!(self.below.trouble, Trouble::Once(at, _) if self.below.count.get() < at) {
            self.before_trouble.set(self.ops.borrow().len());
        }
    }

    fn id_of(&self, handle: &Handle) -> Id {
        let number = number_of(&handle.file);
        self.open.borrow()[&number]
    }

    fn done(self, scenario: Scenario, target: Target, before: Tree) -> Recorded {
        Recorded {
            scenario,
            target,
            before,
            first: self.before_trouble.get(),
            ops: self.ops.take(),
        }
    }

    fn id_at(&self, path: &Path) -> Id {
        self.names.borrow()[path]
    }
}

impl Medium for Recorder<'_> {
    fn open(&self, spot: &Spot) -> io::Result<Handle> {
        self.below.open(spot)
    }

    fn read(&self, handle: &mut Handle, buffer: &mut [u8]) -> io::Result<usize> {
        self.below.read(handle, buffer)
    }

    fn create_new(&self, spot: &Spot) -> io::Result<Handle> {
        let handle = self.below.create_new(spot)?;
        let path = spot.path();
        let id = self.new_id();
        let number = number_of(&handle.file);
        self.open.borrow_mut().insert(number, id);
        self.names.borrow_mut().insert(path.to_path_buf(), id);
        let metadata = Disk.metadata(&handle).unwrap();
        self.record(Op::Create(path.to_path_buf(), id, metadata));
        Ok(handle)
    }

    fn write(&self, handle: &mut Handle, bytes: &[u8]) -> io::Result<usize> {
        let count = self.below.write(handle, bytes)?;
        let id = self.id_of(handle);
        let mut lengths = self.lengths.borrow_mut();
        let at = lengths.entry(id).or_default();
        self.record(Op::Write(id, *at, bytes[..count].to_vec()));
        *at += count;
        Ok(count)
    }

    fn sync(&self, handle: &Handle) -> io::Result<()> {
        self.below.sync(handle)?;
        self.record(Op::Sync(self.id_of(handle)));
        Ok(())
    }

    fn metadata(&self, handle: &Handle) -> io::Result<FileMetadata> {
        self.below.metadata(handle)
    }

    fn set_metadata(&self, handle: &Handle, wanted: &FileMetadata) -> io::Result<()> {
        let result = self.below.set_metadata(handle, wanted);
        let now = Disk.metadata(handle).unwrap();
        self.record(Op::Metadata(self.id_of(handle), now));
        result
    }

    fn protect(&self, handle: &Handle, like: &FileMetadata) -> io::Result<()> {
        self.below.protect(handle, like)
    }

    fn link(&self, file: &Spot, link: &Spot) -> io::Result<()> {
        self.below.link(file, link)?;
        let (file, link) = (file.path(), link.path());
        let id = self.id_at(file);
        self.names.borrow_mut().insert(link.to_path_buf(), id);
        self.record(Op::Link(link.to_path_buf(), id));
        Ok(())
    }

    fn rename(&self, from: &Spot, to: &Spot) -> io::Result<()> {
        self.below.rename(from, to)?;
        let (from, to) = (from.path(), to.path());
        let id = self.names.borrow_mut().remove(from).unwrap();
        self.names.borrow_mut().insert(to.to_path_buf(), id);
        self.record(Op::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove_file(&self, spot: &Spot) -> io::Result<()> {
        self.below.remove_file(spot)?;
        let path = spot.path();
        self.names.borrow_mut().remove(path);
        self.record(Op::Remove(path.to_path_buf()));
        Ok(())
    }

    fn create_dir(&self, spot: &Spot, like: Option<&Folder>) -> io::Result<()> {
        self.below.create_dir(spot, like)?;
        self.record(Op::CreateDir(spot.path().to_path_buf()));
        Ok(())
    }

    fn remove_dir(&self, spot: &Spot) -> io::Result<()> {
        self.below.remove_dir(spot)?;
        self.record(Op::RemoveDir(spot.path().to_path_buf()));
        Ok(())
    }

    fn sync_dir(&self, folder: &Folder) -> io::Result<()> {
        self.below.sync_dir(folder)?;
        self.record(Op::SyncDir(folder.path().to_path_buf()));
        Ok(())
    }

    fn free_space(&self, folder: &Folder) -> io::Result<Option<u64>> {
        self.below.free_space(folder)
    }
}

/// A change that a power cut may or may not have let through.
#[derive(Clone, Debug)]
enum Change {
    /// One sector's part of a write.
    Sector(Id, usize, Vec<u8>),
    Metadata(Id, FileMetadata),
    /// Names of one folder: each leads there from now on, or nowhere.
    Names(PathBuf, Vec<(PathBuf, Option<Entry>)>),
}

impl Change {
    fn is_of_file(&self, id: Id) -> bool {
        matches!(self, Self::Sector(of, ..) | Self::Metadata(of, _) if *of == id)
    }
}

/// What is on the medium for certain, and what may be.
#[derive(Clone)]
struct Cut {
    tree: Tree,
    pending: Vec<Change>,
}

impl Cut {
    fn new(tree: Tree) -> Self {
        let pending = Vec::new();
        Self { tree, pending }
    }

    /// What this operation leaves behind, if the power fails right after it.
    fn after(&mut self, op: &Op) {
        let parent = |path: &Path| path.parent().unwrap().to_path_buf();
        let mut names = |of: &Path, changes: Vec<(PathBuf, Option<Entry>)>| {
            self.pending.push(Change::Names(parent(of), changes));
        };
        match op {
            Op::Create(path, id, metadata) => {
                names(path, vec![(path.clone(), Some(Entry::File(*id)))]);
                let (bytes, metadata) = (Vec::new(), metadata.clone());
                self.tree.files.insert(*id, Stored { bytes, metadata });
            }
            Op::Write(id, at, bytes) => self.write(*id, *at, bytes),
            Op::Metadata(id, now) => self.pending.push(Change::Metadata(*id, now.clone())),
            Op::Link(path, id) => names(path, vec![(path.clone(), Some(Entry::File(*id)))]),
            Op::Rename(from, to) => {
                assert_eq!(
                    from.parent(),
                    to.parent(),
                    "the model knows no other rename"
                );
                let moved = self.volatile_name(from);
                let changes = vec![(from.clone(), None), (to.clone(), moved)];
                self.pending.push(Change::Names(parent(to), changes));
            }
            Op::Remove(path) | Op::RemoveDir(path) => names(path, vec![(path.clone(), None)]),
            Op::CreateDir(path) => names(path, vec![(path.clone(), Some(Entry::Folder))]),
            Op::Sync(id) => self.settle(|change| change.is_of_file(*id)),
            Op::SyncDir(folder) => {
                self.settle(|change| matches!(change, Change::Names(of, _) if of == folder));
            }
        }
    }

    fn write(&mut self, id: Id, at: usize, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let to_end = SECTOR - (at + done) % SECTOR;
            let piece = &bytes[done..bytes.len().min(done + to_end)];
            self.pending
                .push(Change::Sector(id, at + done, piece.to_vec()));
            done += piece.len();
        }
    }

    fn volatile_name(&self, path: &Path) -> Option<Entry> {
        let changes = self.pending.iter().rev().flat_map(|change| match change {
            Change::Names(_, names) => names.iter().rev().collect(),
            _ => Vec::new(),
        });
        let mut changes = changes.filter(|(name, _)| name == path);
        let durable = self.tree.names.get(path).copied();
        changes.next().map_or(durable, |(_, entry)| *entry)
    }

    fn settle(&mut self, is_synced: impl Fn(&Change) -> bool) {
        let pending = std::mem::take(&mut self.pending);
        for change in pending {
            match is_synced(&change) {
                true => self.tree.take(&change),
                false => self.pending.push(change),
            }
        }
    }

    /// The disk with the pending changes that `keeps` picks.
    fn disk(&self, keeps: impl Fn(usize) -> bool) -> Tree {
        let mut tree = self.tree.clone();
        let kept = self.pending.iter().enumerate();
        for (_, change) in kept.filter(|(number, _)| keeps(*number)) {
            tree.take(change);
        }
        tree
    }
}

impl Tree {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Sector(id, at, bytes) => {
                let file = &mut self.files.get_mut(id).unwrap().bytes;
                if file.len() < at + bytes.len() {
                    // What lies before it and was not written is whatever was there.
                    file.resize(at + bytes.len(), GARBAGE);
                }
                file[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Metadata(id, now) => {
                self.files.get_mut(id).unwrap().metadata = now.clone();
            }
            Change::Names(_, names) => {
                for (name, entry) in names {
                    match entry {
                        Some(entry) => self.names.insert(name.clone(), *entry),
                        None => self.names.remove(name),
                    };
                }
            }
        }
    }

    /// Makes this disk in `config`, which is emptied first.
    fn put_on(&self, config: &Path) {
        empty(config);
        let mut made: HashMap<Id, PathBuf> = HashMap::new();
        // Sorted: a folder comes before what is in it. What is in a folder that is not there is
        // not there.
        for (path, entry) in &self.names {
            if !path.parent().unwrap().is_dir() {
                continue;
            }
            match entry {
                Entry::Folder => Disk.create_dir(&spot(path), None).unwrap(),
                Entry::File(id) => match made.get(id) {
                    Some(other) => fs::hard_link(other, path).unwrap(),
                    None => {
                        self.put_file(*id, path);
                        made.insert(*id, path.clone());
                    }
                },
            }
        }
    }

    fn put_file(&self, id: Id, path: &Path) {
        let Stored { bytes, metadata } = &self.files[&id];
        fs::write(path, bytes).unwrap();
        Disk.set_metadata(&Disk.open(&spot(path)).unwrap(), metadata)
            .unwrap();
    }
}

/// Removes all that is in a folder as the store would: Windows keeps a read-only file at first.
fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            empty(&path);
            fs::remove_dir(path).unwrap();
        } else {
            Disk.remove_file(&spot(&path)).unwrap();
        }
    }
}

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// What was seen over all disks.
#[derive(Debug, Default)]
struct Seen {
    operations: usize,
    disks: usize,
    old: usize,
    new: usize,
    mixed: usize,
    nothing_to_settle: usize,
    finished: usize,
    undone: usize,
}

impl Seen {
    fn settled_both_ways(&self) -> bool {
        self.finished > 0 && self.undone > 0
    }
}

/// A recorded run, and the disk that it began on.
struct Recorded {
    scenario: Scenario,
    target: Target,
    before: Tree,
    ops: Vec<Op>,
    /// The power is not cut before this many of them.
    first: usize,
}

impl Recorded {
    /// Cuts the power after every operation, in ways chosen by `dice`; `sample` of each.
    fn cut_everywhere(&self, sample: u64, dice: &mut Dice, seen: &mut Seen) {
        let mut cut = Cut::new(self.before.clone());
        if self.first == 0 {
            self.cuts(&cut, sample, dice, seen);
        }
        for (number, op) in self.ops.iter().enumerate() {
            cut.after(op);
            if number >= self.first && number.is_multiple_of(stride()) {
                seen.operations += 1;
                self.cuts(&cut, sample, dice, seen);
            }
        }
    }

    fn cuts(&self, cut: &Cut, sample: u64, dice: &mut Dice, seen: &mut Seen) {
        let bits = u32::try_from(cut.pending.len()).unwrap();
        let all = 1_u64.checked_shl(bits).unwrap_or(u64::MAX);
        if all <= sample {
            for mask in 0..all {
                self.check(cut, mask, dice, seen);
            }
            return;
        }
        // Nothing of it and all of it are always tried.
        self.check(cut, 0, dice, seen);
        self.check(cut, u64::MAX, dice, seen);
        for _ in 2..sample {
            self.check(cut, dice.roll(), dice, seen);
        }
    }

    fn check(&self, cut: &Cut, mask: u64, dice: &mut Dice, seen: &mut Seen) {
        // Beyond 64 pending changes the mask repeats.
        let keeps = |number: usize| mask >> (number % 64) & 1 == 1;
        let ways: &[bool] = match exhaustive() {
            true => &[false, true],
            false => &[dice.roll() & 1 == 0],
        };
        for undo in ways {
            cut.disk(keeps).put_on(&self.target.config);
            seen.disks += 1;
            let lost = cut.pending.iter().enumerate();
            let lost: Vec<_> = lost.filter(|(number, _)| !keeps(*number)).collect();
            let context = || format!("{:?}, lost: {lost:#?}", self.scenario);
            self.settles(*undo, seen, &context);
        }
    }

    fn settles(&self, undo: bool, seen: &mut Seen, context: &dyn Fn() -> String) {
        let target = &self.target;
        // Fails the test if a hive is neither, or has lost its metadata.
        let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
        match new {
            [false, false] => seen.old += 1,
            [true, true] => seen.new += 1,
            _ => seen.mixed += 1,
        }
        let store = Store::new(&Disk);
        match store.pending(&target.site(), None) {
            Ok(None) => {
                assert_eq!(new[0], new[1], "nothing is pending: {}", context());
                seen.nothing_to_settle += 1;
            }
            Ok(Some(found)) => {
                let undo = match (&found.cannot_undo, &found.cannot_finish) {
                    (None, None) => undo,
                    (undo, finish) => {
                        assert!(
                            undo.is_none() || finish.is_none(),
                            "{found:#?} {}",
                            context()
                        );
                        undo.is_none()
                    }
                };
                let settled = match undo {
                    true => store.undo(&found),
                    false => store.finish(&found),
                };
                settled.unwrap_or_else(|error| panic!("{error} {}", context()));
                match undo {
                    true => seen.undone += 1,
                    false => seen.finished += 1,
                }
            }
            Err(error) => panic!("{error} {}", context()),
        }
        self.check_end(context);
    }

    /// Both hives the same, and nothing left that does not belong there.
    fn check_end(&self, context: &dyn Fn() -> String) {
        let target = &self.target;
        assert_eq!(pending(target), None, "{}", context());
        let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
        assert_eq!(new[0], new[1], "{}", context());
        let known = |name: &String| {
            OLD.iter().any(|old| old.0 == name.as_str()) || *name == "hivemend"
                // A run that had not begun: the next one begins by removing it.
                || *name == "hivemend.journal.new"
        };
        let names = target.names();
        assert!(names.iter().all(known), "litter: {names:?} {}", context());
        let backups = Store::new(&Disk).list(&target.folder(), None);
        let backups = backups.unwrap_or_else(|error| panic!("{error} {}", context()));
        let newest = backups.iter().find(|backup| backup.id.as_str() != EARLIER);
        let state = newest.map(|backup| match &backup.manifest {
            Ok(manifest) => manifest.state,
            Err(error) => panic!("{error} {}", context()),
        });
        let expected: &[_] = match new[0] {
            true => &[Some(BackupState::Applied)],
            false => &[None, Some(BackupState::Restored)],
        };
        assert!(expected.contains(&state), "{new:?} {state:?} {}", context());
        for backup in &backups {
            for name in ["SYSTEM", "SOFTWARE"] {
                let file = backup.folder.join(name);
                let old = OLD.iter().find(|old| old.0 == name).unwrap();
                if file.exists() {
                    let bytes = fs::read(file).unwrap();
                    assert!(
                        bytes
                            .iter()
                            .all(|byte| *byte == old.1 || backup.id.as_str() == EARLIER)
                    );
                }
            }
        }
    }
}

/// The name of the backup that is there before the run, in the scenarios that have one.
const EARLIER: &str = "2026-11-19T10-31-05Z";

/// A disk with an earlier backup on it: the folder of backups then stays whatever happens.
fn with_an_earlier_backup(target: &Target) {
    let mut request = target.request();
    request.now -= Duration::from_secs(86_400);
    let folder = apply_request(request, &Disk).unwrap().backup;
    assert!(folder.ends_with(EARLIER));
    restore_newest(target, &Disk).unwrap();
}

/// Records one run of `scenario`, on a medium with this trouble.
fn record(scenario: Scenario, target: Target, trouble: Trouble) -> Recorded {
    let faulty = scenario.medium(trouble);
    let (recorder, before) = Recorder::new(&faulty, &target.config);
    let result = run(scenario, &target, &recorder);
    assert!(result.is_ok() || trouble != Trouble::None, "{result:?}");
    recorder.done(scenario, target, before)
}

fn run(scenario: Scenario, target: &Target, medium: &dyn Medium) -> Result<(), StoreError> {
    match scenario.operation {
        Operation::Apply => apply(target, medium).map(drop),
        Operation::Restore => restore_newest(target, medium).map(drop),
    }
}

fn target(scenario: Scenario, earlier: bool) -> Target {
    let target = Target::new();
    if earlier {
        with_an_earlier_backup(&target);
    }
    if scenario.operation == Operation::Restore {
        apply(&target, &Disk).unwrap();
    }
    target
}

#[test]
fn the_power_fails_at_every_operation() {
    let sample = if exhaustive() { MOST } else { 8 };
    for scenario in SCENARIOS {
        for earlier in [false, true] {
            let mut dice = Dice(0x6869_7665);
            let mut seen = Seen::default();
            let run = record(scenario, target(scenario, earlier), Trouble::None);
            run.cut_everywhere(sample, &mut dice, &mut seen);
            println!("power cut: {scenario:?}, earlier backup {earlier}: {seen:?}");
            assert!((seen.old > 0 && seen.new > 0) || stride() > 1);
            assert!(seen.settled_both_ways() || stride() > 1);
        }
    }
}

/// A run that fails puts everything back itself; the power fails while it does.
#[test]
fn the_power_fails_while_a_failed_run_is_undone() {
    let sample = if exhaustive() { 8 } else { 4 };
    let steps = if exhaustive() { 1 } else { 10 + stride() };
    for scenario in SCENARIOS {
        let mut dice = Dice(0x6d65_6e64);
        let mut seen = Seen::default();
        for at in (1..=scenario.count()).step_by(steps) {
            let target = target(scenario, at.is_multiple_of(2));
            let run = record(scenario, target, Trouble::Once(at, ENOSPC));
            run.cut_everywhere(sample, &mut dice, &mut seen);
        }
        println!("power cut while undoing a failed run: {scenario:?}: {seen:?}");
    }
}

/// Settling an interrupted run is a run of its own; the power fails during that too.
#[test]
fn the_power_fails_while_an_interrupted_run_is_settled() {
    let sample = if exhaustive() { 8 } else { 4 };
    let steps = if exhaustive() { 1 } else { 12 + stride() };
    for scenario in SCENARIOS {
        let mut dice = Dice(0x7365_7474);
        let mut seen = Seen::default();
        for at in (1..=scenario.count()).step_by(steps) {
            for undo in [false, true] {
                settle_and_cut(scenario, at, undo, sample, &mut dice, &mut seen);
            }
        }
        println!("power cut while settling: {scenario:?}: {seen:?}");
        assert!(seen.settled_both_ways() || stride() > 1);
    }
}

fn settle_and_cut(
    scenario: Scenario,
    at: usize,
    undo: bool,
    sample: u64,
    dice: &mut Dice,
    seen: &mut Seen,
) {
    let target = target(scenario, at.is_multiple_of(2));
    let stopped = scenario.medium(Trouble::Stop(at));
    let _ = run(scenario, &target, &stopped);
    let Some(found) = pending(&target) else {
        return;
    };
    let undo = match (&found.cannot_undo, &found.cannot_finish) {
        (None, None) => undo,
        (undo, _) => undo.is_none(),
    };
    let faulty = scenario.medium(Trouble::None);
    let (recorder, before) = Recorder::new(&faulty, &target.config);
    let store = Store::new(&recorder);
    let settled = match undo {
        true => store.undo(&found),
        false => store.finish(&found),
    };
    settled.unwrap();
    let run = recorder.done(scenario, target, before);
    run.cut_everywhere(sample, dice, seen);
}

/// The model itself: without the syncs of files, or of folders, these tests fail.
#[test]
fn a_missing_sync_is_seen() {
    let is_sync: [fn(&Op) -> bool; 2] = [
        |op| matches!(op, Op::Sync(_)),
        |op| matches!(op, Op::SyncDir(_)),
    ];
    for is_sync in is_sync {
        let scenario = SCENARIOS[0];
        let mut run = record(scenario, target(scenario, false), Trouble::None);
        run.ops.retain(|op| !is_sync(op));
        let cut = std::panic::AssertUnwindSafe(|| {
            run.cut_everywhere(64, &mut Dice(1), &mut Seen::default());
        });
        assert!(std::panic::catch_unwind(cut).is_err());
    }
}
