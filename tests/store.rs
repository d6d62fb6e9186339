// SPDX-License-Identifier: GPL-3.0-or-later
//! Promises 5, 6 and 7: old or new and never neither; undo is exact; the file stays the file.
//!
//! A run is first done on a medium that counts its operations, then once for each operation,
//! which fails, or after which everything stops as if the machine had lost its power (what was
//! written stays: unsynced writes are not dropped here).

mod interrupted;
mod refusals;
mod restoring;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hivemend::disk::{DiskError, Folder, Spot};
use hivemend::store::{
    BackupScope, BackupState, Disk, FileMetadata, Handle, HiveStands, KeptAs, Medium, NewHive,
    Operation, Pending, Request, RestoreAction, Site, Store, StoreError, StoreFault, Touched,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
mod full_volume;
#[cfg(unix)]
mod next_command;
mod power_cut;
mod system;

use system::{
    EACCES, EIO, ENOSPC, EPERM, EROFS, NO_LINKS, as_kept, expect_private, number_of, overwrite,
    rights_of, set_mode, tag, tag_of, volume_of,
};

// ---------------------------------------------------------------- the medium that fails

/// What goes wrong, and from which operation on (the first is 1).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    /// This operation fails once.
    Once(usize, i32),
    /// Everything stops before this operation.
    Stop(usize),
    /// As [`Trouble::Stop`], but a write gets half of its bytes to the disk.
    Tear(usize),
    /// From this operation on nothing can be created or grow; the rest works.
    Full(usize),
}

type Before = Box<dyn Fn(&str, &Path)>;

fn exhaustive() -> bool {
    std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some()
}

/// Which operations are tried: all of them; under Wine, where each takes a hundred times as long,
/// some, from the end on. HIVEMEND_EXHAUSTIVE=1: all of them there too.
fn stride() -> usize {
    match cfg!(windows) && !exhaustive() {
        true => 29,
        false => 1,
    }
}

struct Faulty {
    trouble: Trouble,
    count: Cell<usize>,
    stopped: Cell<bool>,
    /// What every `link` answers.
    link: Option<i32>,
    /// A byte of the file with this suffix is written wrong.
    corrupt: Option<&'static str>,
    /// `set_metadata` says yes and does nothing.
    forgetful: bool,
    free: Option<u64>,
    log: RefCell<Vec<String>>,
    /// Called before each operation.
    before: Option<Before>,
}

impl Faulty {
    fn new(trouble: Trouble) -> Self {
        Self {
            trouble,
            count: Cell::new(0),
            stopped: Cell::new(false),
            link: None,
            corrupt: None,
            forgetful: false,
            free: None,
            log: RefCell::default(),
            before: None,
        }
    }

    /// The number of the operation `name` on the path that ends so.
    fn number_of(&self, name: &str, path: &str) -> usize {
        let log = self.log.borrow();
        let is = |line: &String| {
            line.contains(&format!(" {name} ")) && line.replace('\\', "/").ends_with(path)
        };
        log.iter().position(is).unwrap() + 1
    }

    fn step(&self, name: &str, path: &Path) -> io::Result<()> {
        if let Some(before) = &self.before {
            before(name, path);
        }
        let number = self.count.get() + 1;
        self.count.set(number);
        self.log
            .borrow_mut()
            .push(format!("{number} {name} {}", path.display()));
        let grows = ["create_new", "write", "link", "create_dir"].contains(&name);
        let error = match self.trouble {
            Trouble::Once(at, error) if number == at => Some(error),
            Trouble::Stop(at) | Trouble::Tear(at) if number >= at => {
                self.stopped.set(true);
                Some(EIO)
            }
            Trouble::Full(at) if number >= at && grows => Some(ENOSPC),
            _ => None,
        };
        error.map_or(Ok(()), |error| Err(io::Error::from_raw_os_error(error)))
    }
}

impl Medium for Faulty {
    fn open(&self, spot: &Spot) -> io::Result<Handle> {
        self.step("open", spot.path())?;
        Disk.open(spot)
    }

    fn read(&self, handle: &mut Handle, buffer: &mut [u8]) -> io::Result<usize> {
        self.step("read", handle.spot.path())?;
        Disk.read(handle, buffer)
    }

    fn create_new(&self, spot: &Spot) -> io::Result<Handle> {
        self.step("create_new", spot.path())?;
        Disk.create_new(spot)
    }

    fn write(&self, handle: &mut Handle, bytes: &[u8]) -> io::Result<usize> {
        let stopped = self.stopped.get();
        let result = self.step("write", handle.spot.path());
        if !stopped && self.stopped.get() && matches!(self.trouble, Trouble::Tear(_)) {
            Disk.write(handle, &bytes[..bytes.len() / 2])?;
        }
        result?;
        let mut bytes = bytes.to_vec();
        let name = handle.spot.path().to_string_lossy().into_owned();
        if self.corrupt.is_some_and(|suffix| name.ends_with(suffix)) {
            bytes[0] ^= 1;
        }
        // A short write, as a real disk may do.
        let most = (bytes.len() / 2).max(1);
        Disk.write(handle, &bytes[..most])
    }

    fn sync(&self, handle: &Handle) -> io::Result<()> {
        self.step("sync", handle.spot.path())?;
        Disk.sync(handle)
    }

    fn metadata(&self, handle: &Handle) -> io::Result<FileMetadata> {
        self.step("metadata", handle.spot.path())?;
        Disk.metadata(handle)
    }

    fn set_metadata(&self, handle: &Handle, wanted: &FileMetadata) -> io::Result<()> {
        self.step("set_metadata", handle.spot.path())?;
        match self.forgetful {
            true => Ok(()),
            false => Disk.set_metadata(handle, wanted),
        }
    }

    fn protect(&self, handle: &Handle, like: &FileMetadata) -> io::Result<()> {
        self.step("protect", handle.spot.path())?;
        Disk.protect(handle, like)
    }

    fn link(&self, file: &Spot, link: &Spot) -> io::Result<()> {
        self.step("link", link.path())?;
        match self.link {
            Some(error) => Err(io::Error::from_raw_os_error(error)),
            None => Disk.link(file, link),
        }
    }

    fn rename(&self, from: &Spot, to: &Spot) -> io::Result<()> {
        self.step("rename", to.path())?;
        Disk.rename(from, to)
    }

    fn remove_file(&self, spot: &Spot) -> io::Result<()> {
        self.step("remove_file", spot.path())?;
        Disk.remove_file(spot)
    }

    fn create_dir(&self, spot: &Spot, like: Option<&Folder>) -> io::Result<()> {
        self.step("create_dir", spot.path())?;
        Disk.create_dir(spot, like)
    }

    fn remove_dir(&self, spot: &Spot) -> io::Result<()> {
        self.step("remove_dir", spot.path())?;
        Disk.remove_dir(spot)
    }

    fn sync_dir(&self, folder: &Folder) -> io::Result<()> {
        self.step("sync_dir", folder.path())?;
        Disk.sync_dir(folder)
    }

    fn free_space(&self, folder: &Folder) -> io::Result<Option<u64>> {
        self.step("free_space", folder.path())?;
        self.free
            .map_or_else(|| Disk.free_space(folder), |free| Ok(Some(free)))
    }
}

// ---------------------------------------------------------------- the disk under test

fn folder(path: &Path) -> Folder {
    Folder::named(path).unwrap()
}

/// A name in its folder, opened.
fn spot(path: &Path) -> Spot {
    folder(path.parent().unwrap()).at(path)
}

/// A config folder whose files pass for hives and logs.
fn site(config: &Path) -> Site {
    let target = hivemend::disk::Target {
        root: None,
        windows: None,
        config: config.to_path_buf(),
        folder: folder(config),
        system: None,
        software: None,
    };
    Site::of(&target, |_, _| Ok(()))
}

struct Target {
    _disk: TempDir,
    config: PathBuf,
}

/// What a file is, for comparing: bytes, mode, owner, time, attribute.
type State = (Vec<u8>, u32, u32, SystemTime, Option<Vec<u8>>);

const OLD: [(&str, u8, usize, u32); 6] = [
    ("SYSTEM", 1, 2_000, 0o640),
    ("SYSTEM.LOG1", 2, 700, 0o600),
    ("SYSTEM.LOG2", 3, 0, 0o600),
    ("SOFTWARE", 4, 900, 0o444),
    ("SOFTWARE.LOG", 5, 512, 0o644),
    ("SAM", 6, 100, 0o600),
];

impl Target {
    /// In memory where that is possible: thousands of real syncs would take an hour.
    fn new() -> Self {
        Self::in_folder(
            tempfile::tempdir_in("/dev/shm")
                .or_else(|_| tempfile::tempdir())
                .unwrap(),
        )
    }

    /// Where temporary files go, as a rule a real disk.
    fn on_disk() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    fn in_folder(disk: TempDir) -> Self {
        let config = disk.path().join("config");
        fs::create_dir(&config).unwrap();
        for (name, byte, size, mode) in OLD {
            let path = config.join(name);
            fs::write(&path, vec![byte; size]).unwrap();
            let time = SystemTime::UNIX_EPOCH
                + Duration::new(1_000_000_000 + u64::from(byte), 123_456_700);
            let file = File::options().write(true).open(&path).unwrap();
            tag(&file, &[byte; 9]);
            file.set_times(FileTimes::new().set_modified(time).set_accessed(time))
                .unwrap();
            set_mode(&path, mode);
        }
        Self {
            _disk: disk,
            config,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.config.join(name)
    }

    fn folder(&self) -> Folder {
        folder(&self.config)
    }

    fn site(&self) -> Site {
        site(&self.config)
    }

    fn new_hive(&self, name: &str, byte: u8, size: usize) -> NewHive {
        let path = self.path(name);
        let before_sha256 = Sha256::digest(fs::read(&path).unwrap()).into();
        NewHive {
            name: name.into(),
            path,
            before_sha256,
            content: vec![byte; size],
        }
    }

    fn request(&self) -> Request {
        let hives = vec![
            self.new_hive("SYSTEM", 101, 2_457),
            self.new_hive("SOFTWARE", 104, 819),
        ];
        Request {
            config: self.folder(),
            hives,
            backup_dir: None,
            scope: BackupScope::Hives,
            changes: (&serde_json::json!([{ "key": "ControlSet001\\Control" }]))
                .try_into()
                .unwrap(),
            undoes: None,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_170_665),
            version: "0.1.0".to_owned(),
        }
    }

    /// Everything in the config folder, subfolders included.
    fn state(&self) -> BTreeMap<PathBuf, State> {
        let mut found = BTreeMap::new();
        walk(&self.config, &mut found);
        found
    }

    fn hives_are(&self, new: bool) {
        for name in ["SYSTEM", "SOFTWARE"] {
            assert_eq!(self.is_new(name), new, "{name}");
        }
    }

    /// Whether a hive is the new one; neither fails the test, and so do lost metadata.
    fn is_new(&self, name: &str) -> bool {
        let (bytes, mode, _, modified, xattr) = file_state(&self.path(name));
        let (_, byte, size, old_mode) = OLD.into_iter().find(|old| old.0 == name).unwrap();
        assert_eq!(mode, as_kept(old_mode), "{name}: mode");
        let seconds = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            seconds,
            Duration::new(1_000_000_000 + u64::from(byte), 123_456_700)
        );
        assert!(
            xattr.is_none_or(|value| value == [byte; 9]),
            "{name}: extended attribute"
        );
        let new = match name {
            "SYSTEM" => vec![101; 2_457],
            _ => vec![104; 819],
        };
        if bytes == new {
            return true;
        }
        assert!(bytes == vec![byte; size], "{name} is neither old nor new");
        false
    }

    /// Names in the config folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.config).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn file_state(path: &Path) -> State {
    let modified = fs::symlink_metadata(path).unwrap().modified().unwrap();
    let (mode, owner) = rights_of(path);
    let bytes = fs::read(path).unwrap();
    (bytes, mode, owner, modified, tag_of(path))
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, State>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("hivemend.lock") {
            continue; // Nobody can read it, and it goes with its run: Windows.
        }
        if path.is_dir() {
            walk(&path, found);
            let (mode, owner) = rights_of(&path);
            let state = (Vec::new(), mode, owner, SystemTime::UNIX_EPOCH, None);
            found.insert(path, state);
        } else {
            let state = file_state(&path);
            found.insert(path, state);
        }
    }
}

fn apply(target: &Target, medium: &dyn Medium) -> Result<hivemend::store::Outcome, StoreError> {
    apply_request(target.request(), medium)
}

fn apply_request(
    request: Request,
    medium: &dyn Medium,
) -> Result<hivemend::store::Outcome, StoreError> {
    let store = Store::new(medium);
    store.publish(store.prepare(&request)?)
}

fn restore_newest(
    target: &Target,
    medium: &dyn Medium,
) -> Result<hivemend::store::RestoreOutcome, StoreError> {
    let backups = Store::new(&Disk).list(&target.folder(), None)?;
    let store = Store::new(medium);
    let plan = store.prepare_restore(&target.site(), &backups[0])?;
    store.restore(plan)
}

fn pending(target: &Target) -> Option<Pending> {
    Store::new(&Disk).pending(&target.site(), None).unwrap()
}

fn inode(path: &Path) -> u64 {
    number_of(&File::open(path).unwrap())
}

// ---------------------------------------------------------------- the happy path

#[test]
fn two_hives_are_published_and_put_back_exactly() {
    let target = Target::on_disk();
    let before = target.state();
    let original = inode(&target.path("SYSTEM"));
    let outcome = apply(&target, &Disk).unwrap();
    target.hives_are(true);
    assert_eq!(outcome.id.as_str(), "2026-11-20T10-31-05Z");
    assert_eq!(
        outcome.backup,
        target.config.join("hivemend/2026-11-20T10-31-05Z")
    );
    assert!(
        outcome
            .hives
            .iter()
            .all(|hive| hive.kept_as == KeptAs::Link)
    );
    assert_eq!(
        inode(&outcome.backup.join("SYSTEM")),
        original,
        "the backup is the original"
    );
    assert_ne!(inode(&target.path("SYSTEM")), original);
    for folder in [outcome.backup.as_path(), &target.path("hivemend")] {
        expect_private(folder);
    }
    for (name, byte, size, _) in OLD.into_iter().filter(|old| old.0 != "SAM") {
        assert_eq!(
            fs::read(outcome.backup.join(name)).unwrap(),
            vec![byte; size],
            "{name}"
        );
    }
    expect_private(&outcome.backup.join("SOFTWARE.LOG"));
    assert_eq!(target.names().len(), OLD.len() + 1);
    assert_eq!(pending(&target), None);

    let restored = restore_newest(&target, &Disk).unwrap();
    let put_back = restored
        .items
        .iter()
        .filter(|item| item.action == RestoreAction::PutBack);
    assert_eq!(put_back.count(), 2);
    let mut after = target.state();
    after.retain(|path, _| !path.starts_with(target.path("hivemend")));
    same(&before, &after);
    let backups = Store::new(&Disk).list(&target.folder(), None).unwrap();
    assert_eq!(
        backups[0].manifest.as_ref().unwrap().state,
        BackupState::Restored
    );
    assert_ne!(
        inode(&target.path("SYSTEM")),
        inode(&outcome.backup.join("SYSTEM")),
        "Windows writes hives in place: the backup must not be the same file"
    );
}

#[test]
fn one_hive_alone_leaves_the_other_and_its_logs_alone() {
    let target = Target::new();
    let mut request = target.request();
    request.hives.remove(1);
    let software = inode(&target.path("SOFTWARE"));
    let outcome = apply_request(request, &Disk).unwrap();
    assert!(target.is_new("SYSTEM") && !target.is_new("SOFTWARE"));
    assert_eq!(inode(&target.path("SOFTWARE")), software);
    let mut names: Vec<_> = fs::read_dir(&outcome.backup).unwrap().collect();
    names.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    let names: Vec<_> = names
        .into_iter()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        names,
        ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", "manifest.json"]
    );
}

#[test]
fn the_manifest_says_what_was_done() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let text = fs::read_to_string(outcome.backup.join("manifest.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["schema"], "hivemend.backup/1");
    assert_eq!(json["created"], "2026-11-20T10:31:05Z");
    assert_eq!(json["state"], "applied");
    assert_eq!(json["hives"][0]["name"], "SYSTEM");
    assert_eq!(json["hives"][0]["kept_as"], "link");
    assert_eq!(json["hives"][0]["before"]["size"], 2_000);
    #[cfg(unix)]
    assert_eq!(json["hives"][0]["metadata"]["mode"], 0o640);
    let sum: String = Sha256::digest(vec![101; 2_457])
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(json["hives"][0]["after"]["sha256"], sum);
    assert_eq!(json["changes"][0]["key"], "ControlSet001\\Control");
    assert_eq!(json["companions"].as_array().unwrap().len(), 3);
}

#[test]
fn where_links_are_impossible_the_backup_is_a_copy() {
    for error in NO_LINKS {
        let target = Target::new();
        let before = target.state();
        let medium = Faulty {
            link: Some(error),
            ..Faulty::new(Trouble::None)
        };
        let outcome = apply(&target, &medium).unwrap();
        assert!(
            outcome
                .hives
                .iter()
                .all(|hive| hive.kept_as == KeptAs::Copy)
        );
        expect_private(&outcome.backup.join("SYSTEM"));
        target.hives_are(true);
        restore_newest(&target, &medium).unwrap();
        let mut after = target.state();
        after.retain(|path, _| !path.starts_with(target.path("hivemend")));
        same(&before, &after);
    }
}

#[test]
fn a_backup_folder_elsewhere() {
    let target = Target::new();
    let before = target.state();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("backups");
    let mut request = target.request();
    request.backup_dir = Some(folder.clone());
    let outcome = apply_request(request, &Disk).unwrap();
    assert_eq!(outcome.backup.parent(), Some(folder.as_path()));
    expect_private(&folder);
    assert_eq!(target.names().len(), OLD.len());
    let store = Store::new(&Disk);
    assert!(store.list(&target.folder(), None).unwrap().is_empty());
    let backups = store.list(&target.folder(), Some(&folder)).unwrap();
    let plan = store.prepare_restore(&target.site(), &backups[0]).unwrap();
    store.restore(plan).unwrap();
    same(&before, &target.state());
}

#[test]
fn a_backup_folder_on_another_volume() {
    let (target, elsewhere) = (Target::new(), tempfile::tempdir().unwrap());
    if volume_of(elsewhere.path()) == volume_of(&target.config) {
        eprintln!("skipped: there is no second volume here (/dev/shm and the temporary folder)");
        return;
    }
    let before = target.state();
    let mut request = target.request();
    request.backup_dir = Some(elsewhere.path().to_path_buf());
    let outcome = apply_request(request, &Disk).unwrap();
    assert!(
        outcome
            .hives
            .iter()
            .all(|hive| hive.kept_as == KeptAs::Copy)
    );
    let store = Store::new(&Disk);
    let backups = store
        .list(&target.folder(), Some(elsewhere.path()))
        .unwrap();
    let plan = store.prepare_restore(&target.site(), &backups[0]).unwrap();
    store.restore(plan).unwrap();
    same(&before, &target.state());
}

#[test]
fn the_whole_config_folder_is_backed_up_on_request() {
    let target = Target::new();
    let mut request = target.request();
    request.scope = BackupScope::Config;
    request.hives.remove(1);
    let outcome = apply_request(request, &Disk).unwrap();
    for (name, byte, size, _) in OLD {
        assert_eq!(
            fs::read(outcome.backup.join(name)).unwrap(),
            vec![byte; size],
            "{name}"
        );
    }
    // What was only copied for safety is not put back, and its change stops nothing.
    fs::write(target.path("SAM"), b"changed").unwrap();
    restore_newest(&target, &Disk).unwrap();
    assert_eq!(fs::read(target.path("SAM")).unwrap(), b"changed");
}

#[test]
fn backups_are_listed_newest_first_and_of_one_second_apart() {
    let target = Target::new();
    apply(&target, &Disk).unwrap();
    let mut request = target.request();
    request.hives = vec![target.new_hive("SYSTEM", 55, 4096)];
    let second = apply_request(request.clone(), &Disk).unwrap();
    assert_eq!(second.id.as_str(), "2026-11-20T10-31-05Z-01");
    request.hives = vec![target.new_hive("SYSTEM", 56, 4096)];
    request.now += Duration::from_secs(86_400);
    let third = apply_request(request, &Disk).unwrap();
    let backups = Store::new(&Disk).list(&target.folder(), None).unwrap();
    let ids: Vec<_> = backups.iter().map(|backup| backup.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            third.id.as_str(),
            second.id.as_str(),
            "2026-11-20T10-31-05Z"
        ]
    );
}

#[test]
fn a_hive_that_stays_the_same_is_left_out() {
    let target = Target::new();
    let mut request = target.request();
    request.hives[1].content = fs::read(target.path("SOFTWARE")).unwrap();
    let outcome = apply_request(request.clone(), &Disk).unwrap();
    assert_eq!(outcome.hives.len(), 1);
    let target = Target::new();
    let mut request = target.request();
    request.hives.remove(1);
    request.hives[0].content = fs::read(target.path("SYSTEM")).unwrap();
    let before = target.state();
    let error = apply_request(request, &Disk).unwrap_err();
    assert!(matches!(error.fault, StoreFault::NothingToDo));
    same(&before, &target.state());
}

// ---------------------------------------------------------------- refusals

const SCENARIOS: [Scenario; if cfg!(windows) { 4 } else { 5 }] = [
    Scenario::new(Operation::Apply, None),
    Scenario::new(Operation::Apply, Some(EPERM)),
    Scenario::new(Operation::Restore, None),
    Scenario::new(Operation::Restore, Some(EPERM)),
    // Room for what a run needs besides, and for no copy.
    #[cfg(not(windows))]
    Scenario {
        free: Some((1 << 20) + 1_000),
        ..Scenario::new(Operation::Restore, None)
    },
];

/// Backup files aside whose link count or manifest time a run may touch, nothing has changed.
fn same(before: &BTreeMap<PathBuf, State>, after: &BTreeMap<PathBuf, State>) {
    let plain = |state: &BTreeMap<PathBuf, State>| -> BTreeMap<PathBuf, State> {
        let mut state = state.clone();
        for (path, found) in &mut state {
            if path.ends_with("manifest.json") {
                found.3 = SystemTime::UNIX_EPOCH;
            }
        }
        state
    };
    let (before, after) = (plain(before), plain(after));
    let names = |state: &BTreeMap<PathBuf, State>| state.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    for (path, before) in &before {
        assert!(
            after[path] == *before,
            "{}: content or metadata differ",
            path.display()
        );
    }
}

/// The kinds of run that are tried at every operation.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    operation: Operation,
    link: Option<i32>,
    /// What the volume says is free.
    free: Option<u64>,
}

impl Scenario {
    const fn new(operation: Operation, link: Option<i32>) -> Self {
        Self {
            operation,
            link,
            free: None,
        }
    }

    /// A disk on which the operation can be done.
    fn target(self) -> Target {
        let target = Target::new();
        if self.operation == Operation::Restore {
            apply(&target, &Disk).unwrap();
            // A log to bring back, so that "was absent" is part of it.
            fs::remove_file(target.path("SOFTWARE.LOG")).unwrap();
        }
        target
    }

    fn run(self, target: &Target, medium: &Faulty) -> Result<(), StoreError> {
        match self.operation {
            Operation::Apply => apply(target, medium).map(drop),
            Operation::Restore => restore_newest(target, medium).map(drop),
        }
    }

    fn medium(self, trouble: Trouble) -> Faulty {
        Faulty {
            link: self.link,
            free: self.free,
            ..Faulty::new(trouble)
        }
    }

    fn count(self) -> usize {
        self.operations().len()
    }

    fn operations(self) -> Vec<String> {
        let medium = self.medium(Trouble::None);
        self.run(&self.target(), &medium).unwrap();
        medium.log.into_inner()
    }

    /// The end state of a run: hives as wanted, a backup that says so, nothing else.
    fn check_done(self, target: &Target) {
        let applied = self.operation == Operation::Apply;
        target.hives_are(applied);
        assert!(target.path("SOFTWARE.LOG").exists());
        self.check_no_litter(target, OLD.len() + 1);
        let backups = Store::new(&Disk).list(&target.folder(), None).unwrap();
        let manifest = backups[0].manifest.as_ref().unwrap();
        let expected = if applied {
            BackupState::Applied
        } else {
            BackupState::Restored
        };
        assert_eq!(manifest.state, expected);
        assert!(applied || backups.len() == 1);
        if !applied {
            // Windows writes the hive in place, which must not reach the backup.
            for name in ["SYSTEM", "SOFTWARE"] {
                let backed_up = backups[0].folder.join(name);
                assert_ne!(inode(&target.path(name)), inode(&backed_up), "{name}");
                assert_eq!(
                    fs::read(target.path(name)).unwrap(),
                    fs::read(backed_up).unwrap()
                );
            }
        }
    }

    fn check_no_litter(self, target: &Target, names: usize) {
        assert_eq!(target.names().len(), names, "{:?}", target.names());
        let state = target.state();
        let litter = |path: &&PathBuf| path.to_string_lossy().contains(".new");
        assert_eq!(state.keys().find(litter), None);
    }
}
