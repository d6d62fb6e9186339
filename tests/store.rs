// SPDX-License-Identifier: GPL-3.0-or-later
//! Promises 5, 6 and 7: old or new and never neither; undo is exact; the file stays the file.
//!
//! A run is first done on a medium that counts its operations, then once for each operation,
//! which fails, or after which everything stops as if the machine had lost its power (what was
//! written stays: unsynced writes are not dropped here).

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

fn refused(target: &Target, request: Request, medium: &dyn Medium) -> StoreFault {
    let before = target.state();
    let error = apply_request(request, medium).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    same(&before, &target.state());
    error.fault
}

#[test]
fn a_hive_that_changed_since_it_was_read() {
    let target = Target::new();
    let request = target.request();
    overwrite(&target.path("SOFTWARE"), b"Windows was here");
    let fault = refused(&target, request, &Disk);
    assert!(matches!(fault, StoreFault::Changed { path } if path.ends_with("SOFTWARE")));
}

#[test]
fn a_hive_that_changes_while_the_run_is_going_on() {
    let target = Target::new();
    let (software, touched) = (target.path("SOFTWARE"), Cell::new(false));
    let change = move |name: &str, path: &Path| {
        if name == "set_metadata" && path.to_string_lossy().contains("SOFTWARE") && !touched.get() {
            touched.set(true);
            // In place, as Windows does it: the kept and backed up links see it too.
            overwrite(&software, b"somebody else was here");
        }
    };
    let medium = Faulty {
        before: Some(Box::new(change)),
        ..Faulty::new(Trouble::None)
    };
    let error = apply(&target, &medium).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Changed { .. }), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    assert!(!target.is_new("SYSTEM"));
    assert_eq!(
        fs::read(target.path("SOFTWARE")).unwrap(),
        b"somebody else was here"
    );
    assert_eq!(target.names().len(), OLD.len());
}

/// Somebody writes to a hive at any moment of the run, in place, as Windows does it: before it is
/// replaced that stops the run, and between the last look and the rename it brings it back.
#[test]
fn a_hive_that_changes_at_any_operation_is_not_lost() {
    let counter = Faulty::new(Trouble::None);
    apply(&Target::new(), &counter).unwrap();
    let replaced = counter.number_of("rename", "config/SOFTWARE");
    // The first operations are the looking; before them the caller's hash tells.
    for at in (1..=replaced).rev().step_by(stride()) {
        let target = Target::new();
        let (software, step) = (target.path("SOFTWARE"), Cell::new(0));
        let change = move |_: &str, _: &Path| {
            step.set(step.get() + 1);
            if step.get() == at {
                // Of the same size, so that only time or content can tell.
                overwrite(&software, &[9; 900]);
            }
        };
        let medium = Faulty {
            before: Some(Box::new(change)),
            ..Faulty::new(Trouble::None)
        };
        let error = apply(&target, &medium).unwrap_err();
        let is_seen = matches!(error.fault, StoreFault::Changed { .. });
        assert!(is_seen, "{at}: {error}");
        assert_eq!(error.touched, Touched::Untouched, "{at}: {error}");
        assert_eq!(fs::read(target.path("SOFTWARE")).unwrap(), [9; 900], "{at}");
        assert!(!target.is_new("SYSTEM"), "{at}");
        assert_eq!(pending(&target), None);
        assert_eq!(target.names().len(), OLD.len(), "{at}");
    }
}

/// Names that a run will use, known in advance, lead to somebody's file: it is not written to.
#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn links_in_the_place_of_a_runs_own_files_are_not_followed() {
    let id = "2026-11-20T10-31-05Z";
    let names = [
        "hivemend.journal.new".to_owned(),
        format!("SYSTEM.hivemend-{id}.new"),
        format!("SYSTEM.hivemend-{id}.old"),
        format!("SOFTWARE.hivemend-{id}.new"),
        format!("hivemend/{id}"),
    ];
    for name in names {
        let elsewhere = tempfile::tempdir().unwrap();
        let precious = elsewhere.path().join("precious");
        fs::write(&precious, b"precious").unwrap();
        let target = Target::new();
        fs::create_dir(target.path("hivemend")).unwrap();
        symlink(&precious, target.path(&name)).unwrap();
        match apply(&target, &Disk) {
            // The name of a backup was taken; the next one was used.
            Ok(outcome) => assert!(outcome.id.as_str() != id || name.starts_with("hivemend.j")),
            Err(error) => {
                assert_eq!(error.touched, Touched::Untouched, "{name}: {error}");
                target.hives_are(false);
            }
        }
        assert_eq!(fs::read(&precious).unwrap(), b"precious", "{name}");
        assert!(fs::symlink_metadata(&precious).unwrap().is_file());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    }
}

#[test]
fn too_little_space_is_found_before_the_first_write() {
    let target = Target::new();
    let medium = Faulty {
        free: Some(100_000),
        ..Faulty::new(Trouble::None)
    };
    let fault = refused(&target, target.request(), &medium);
    assert!(matches!(
        fault,
        StoreFault::Disk(DiskError::NoSpace { free: 100_000, .. })
    ));
    let log = medium.log.borrow();
    let reads = ["open", "read", "metadata", "free_space"];
    assert!(
        log.iter()
            .all(|line| reads.iter().any(|read| line.contains(&format!(" {read} "))))
    );
}

#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn links_are_never_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = Target::on_disk();
    symlink(elsewhere.path(), target.path("hivemend")).unwrap();
    let error = apply(&target, &Disk).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Damaged { .. }), "{error}");
    assert!(Store::new(&Disk).list(&target.folder(), None).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    for name in ["SYSTEM", "SYSTEM.LOG1"] {
        let target = Target::on_disk();
        let request = target.request();
        let real = elsewhere.path().join(name);
        fs::rename(target.path(name), &real).unwrap();
        symlink(&real, target.path(name)).unwrap();
        let error = apply_request(request, &Disk).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(error.is_refusal());
    }

    let target = Target::on_disk();
    symlink(elsewhere.path().join("x"), target.path("hivemend.journal")).unwrap();
    assert!(apply(&target, &Disk).is_err());
    target.hives_are(false);
}

#[test]
fn hives_in_two_folders_are_not_one_transaction() {
    let (target, other) = (Target::new(), Target::new());
    let mut request = target.request();
    request.hives[1] = other.new_hive("SOFTWARE", 9, 9);
    let fault = refused(&target, request, &Disk);
    assert!(matches!(fault, StoreFault::OtherFolder { .. }));
    other.hives_are(false);
}

#[test]
fn two_runs_do_not_interleave() {
    let target = Target::new();
    let store = Store::new(&Disk);
    let request = target.request();
    let first = store.prepare(&request).unwrap();
    let mut second = target.request();
    second.backup_dir = Some(target.path("elsewhere"));
    let fault = refused(&target, second, &Disk);
    assert!(matches!(fault, StoreFault::Locked { .. }));
    store.publish(first).unwrap();
    assert!(
        restore_newest(&target, &Disk).is_ok(),
        "the lock is free again"
    );
    drop(store.prepare(&target.request()).unwrap());
    assert!(store.prepare(&target.request()).is_ok());
}

#[test]
fn a_read_only_folder_is_refused() {
    // The user here may be root, for whom mode bits are no obstacle: an immutable folder is one.
    let target = Target::on_disk();
    let done = std::process::Command::new("chattr")
        .arg("+i")
        .arg(&target.config)
        .status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("skipped: chattr +i is not possible here");
        return;
    }
    let result = apply(&target, &Disk);
    let undone = std::process::Command::new("chattr")
        .arg("-i")
        .arg(&target.config)
        .status();
    assert!(undone.unwrap().success());
    let error = result.unwrap_err();
    assert_eq!(error.touched, Touched::Untouched, "{error}");
    target.hives_are(false);
    assert_eq!(target.names().len(), OLD.len());
}

#[test]
fn a_lying_disk_is_caught_before_anything_is_replaced() {
    let target = Target::new();
    let before = target.state();
    for (corrupt, forgetful) in [(Some("Z.new"), false), (Some("LOG1"), false), (None, true)] {
        let medium = Faulty {
            corrupt,
            forgetful,
            ..Faulty::new(Trouble::None)
        };
        let error = apply(&target, &medium).unwrap_err();
        match forgetful {
            true => assert!(
                matches!(error.fault, StoreFault::Metadata { .. }),
                "{error}"
            ),
            false => assert!(
                matches!(error.fault, StoreFault::ReadBack { .. }),
                "{error}"
            ),
        }
        assert_eq!(error.touched, Touched::Untouched);
        assert!(!error.is_refusal());
        same(&before, &target.state());
    }
}

// ---------------------------------------------------------------- restore

#[test]
fn restore_refuses_to_lose_what_windows_wrote() {
    for name in ["SOFTWARE", "SYSTEM.LOG1", "SYSTEM.LOG"] {
        let target = Target::new();
        apply(&target, &Disk).unwrap();
        fs::write(target.path(name), b"Windows has run").unwrap();
        let before = target.state();
        let error = restore_newest(&target, &Disk).unwrap_err();
        let StoreFault::ChangedSince { files } = &error.fault else {
            panic!("{error}");
        };
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].file.as_str(), name);
        assert!(error.is_refusal());
        same(&before, &target.state());
    }
}

#[test]
fn a_missing_log_comes_back_and_a_missing_hive_is_a_change() {
    let target = Target::new();
    let before = target.state();
    apply(&target, &Disk).unwrap();
    fs::remove_file(target.path("SYSTEM.LOG1")).unwrap();
    restore_newest(&target, &Disk).unwrap();
    let mut after = target.state();
    after.retain(|path, _| !path.starts_with(target.path("hivemend")));
    same(&before, &after);

    let target = Target::new();
    apply(&target, &Disk).unwrap();
    fs::remove_file(target.path("SYSTEM")).unwrap();
    let error = restore_newest(&target, &Disk).unwrap_err();
    assert!(
        matches!(error.fault, StoreFault::ChangedSince { .. }),
        "{error}"
    );
}

#[test]
fn of_two_backups_the_later_must_be_restored_first() {
    let target = Target::new();
    let before = target.state();
    let first = apply(&target, &Disk).unwrap();
    let mut request = target.request();
    request.hives = vec![target.new_hive("SYSTEM", 55, 4096)];
    request.now += Duration::from_secs(60);
    let second = apply_request(request, &Disk).unwrap();
    let store = Store::new(&Disk);
    let backups = store.list(&target.folder(), None).unwrap();
    let plan = store.prepare_restore(&target.site(), &backups[1]).unwrap();
    assert_eq!(plan.manifest().id, first.id);
    assert_eq!(plan.changed[0].by.as_ref(), Some(&second.id));
    let error = store.restore(plan).unwrap_err();
    assert!(error.to_string().contains(second.id.as_str()), "{error}");
    for backup in &backups {
        let plan = store.prepare_restore(&target.site(), backup).unwrap();
        store.restore(plan).unwrap();
    }
    let mut after = target.state();
    after.retain(|path, _| !path.starts_with(target.path("hivemend")));
    same(&before, &after);
}

#[test]
fn restoring_twice_writes_nothing() {
    let target = Target::new();
    apply(&target, &Disk).unwrap();
    restore_newest(&target, &Disk).unwrap();
    let (before, inode_before) = (target.state(), inode(&target.path("SYSTEM")));
    let outcome = restore_newest(&target, &Disk).unwrap();
    assert!(
        outcome
            .items
            .iter()
            .all(|item| item.action == RestoreAction::Same)
    );
    same(&before, &target.state());
    assert_eq!(inode(&target.path("SYSTEM")), inode_before);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let mut bytes = fs::read(outcome.backup.join("SYSTEM")).unwrap();
    bytes[77] ^= 1;
    fs::write(outcome.backup.join("SYSTEM"), bytes).unwrap();
    let before = target.state();
    let error = restore_newest(&target, &Disk).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Damaged { .. }), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    same(&before, &target.state());
}

/// What is written can be read back: up to the limit, and no run begins beyond it.
#[test]
fn a_run_whose_record_could_not_be_read_back_is_refused() {
    let limit = hivemend::store::limits::MANIFEST;
    let request = |target: &Target, length: u64| {
        let mut request = target.request();
        let long = "x".repeat(usize::try_from(length).unwrap());
        request.changes = (&serde_json::json!([long])).try_into().unwrap();
        request
    };
    // What else is in it: found by a short one.
    let probe = Target::new();
    let outcome = apply_request(request(&probe, 0), &Disk).unwrap();
    let rest = fs::metadata(outcome.backup.join("manifest.json"))
        .unwrap()
        .len();

    let target = Target::new();
    let before = target.state();
    let error = apply_request(request(&target, limit - rest + 100), &Disk).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert!(error.to_string().contains(&limit.to_string()), "{error}");
    assert_eq!(target.state(), before);

    apply_request(request(&target, limit - rest - 5_000), &Disk).unwrap();
    target.hives_are(true);
    restore_newest(&target, &Disk).unwrap();
    target.hives_are(false);
}

// ---------------------------------------------------------------- hostile manifests

#[test]
fn manifests_that_lie_are_reported_and_not_followed() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let path = outcome.backup.join("manifest.json");
    let good = fs::read_to_string(&path).unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1)
    };
    let secret = target.config.parent().unwrap().join("secret");
    fs::write(&secret, b"secret").unwrap();
    let cases = [
        (
            "../secret",
            replaced("\"file\":\"SYSTEM\"", "\"file\":\"../../../secret\""),
        ),
        (
            "absolute",
            replaced("\"file\":\"SYSTEM\"", "\"file\":\"/etc/passwd\""),
        ),
        ("schema", replaced("hivemend.backup/1", "hivemend.backup/2")),
        (
            "other id",
            replaced("2026-11-20T10-31-05Z", "2025-11-20T10-31-05Z"),
        ),
        (
            "twice",
            replaced("\"file\":\"SOFTWARE\"", "\"file\":\"system\""),
        ),
        ("cut off", good[..good.len() / 2].to_owned()),
        ("deep", "[".repeat(1_000_000)),
        ("empty", String::new()),
    ];
    let store = Store::new(&Disk);
    for (name, text) in cases {
        fs::write(&path, text).unwrap();
        let backups = store.list(&target.folder(), None).unwrap();
        assert_eq!(backups.len(), 1, "{name}");
        assert!(backups[0].manifest.is_err(), "{name}");
        let before = target.state();
        assert!(
            store.prepare_restore(&target.site(), &backups[0]).is_err(),
            "{name}"
        );
        same(&before, &target.state());
    }
    fs::remove_file(&path).unwrap();
    #[cfg(unix)]
    {
        symlink(&secret, &path).unwrap();
        let backups = store.list(&target.folder(), None).unwrap();
        assert!(backups[0].manifest.is_err());
        fs::remove_file(&path).unwrap();
    }
    File::create(&path)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let manifest = &store.list(&target.folder(), None).unwrap()[0].manifest;
    assert!(
        manifest
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("longer")
    );
    assert_eq!(fs::read(secret).unwrap(), b"secret");
}

#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn a_backup_folder_that_is_a_link_is_reported() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let elsewhere = target.config.parent().unwrap().join("moved");
    fs::rename(&outcome.backup, &elsewhere).unwrap();
    symlink(&elsewhere, &outcome.backup).unwrap();
    let backups = Store::new(&Disk).list(&target.folder(), None).unwrap();
    assert!(backups[0].manifest.is_err());
}

#[test]
fn a_journal_that_lies_destroys_no_backup() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    // A journal that claims the finished run is not finished, and that its backup is its litter.
    let manifest = fs::read_to_string(outcome.backup.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let hive = &manifest["hives"][0];
    let journal = serde_json::json!({
        "schema": "hivemend.journal/1", "id": outcome.id.as_str(), "run": manifest["run"],
        "operation": "apply",
        "beside": true, "made_root": true, "swaps": [{ "name": "SYSTEM", "file": "SYSTEM",
        "from": hive["after"], "to": hive["before"], "metadata": hive["metadata"] }] });
    fs::write(target.path("hivemend.journal"), journal.to_string()).unwrap();
    // It is about other changes than the backup's manifest: the backup is none of its business.
    let found = pending(&target).unwrap();
    Store::new(&Disk).undo(&found).unwrap();
    assert_eq!(pending(&target), None);
    assert!(outcome.backup.join("SYSTEM").exists());
    target.hives_are(true);

    // And one that says the same as the manifest, which says that the run is over.
    let swaps = manifest["hives"].as_array().unwrap().iter().map(|hive| {
        serde_json::json!({ "name": hive["name"], "file": hive["file"], "from": hive["before"],
            "to": hive["after"], "metadata": hive["metadata"] })
    });
    let mut journal = journal;
    journal["swaps"] = swaps.collect();
    fs::write(target.path("hivemend.journal"), journal.to_string()).unwrap();
    let found = pending(&target).unwrap();
    assert!(found.cannot_undo.is_some());
    assert!(Store::new(&Disk).undo(&found).is_err());
    assert!(outcome.backup.join("SYSTEM").exists());
    target.hives_are(true);
    Store::new(&Disk).finish(&found).unwrap();
    assert!(outcome.backup.join("SYSTEM").exists());
}

/// Two disks with one backup folder chose one name in one second, and this run stopped between
/// its journal and its folder: what is there is the other disk's, finished or not.
#[test]
fn another_runs_backup_of_the_same_name_is_left_alone() {
    for other_is_finished in [false, true] {
        let shared = tempfile::tempdir().unwrap();
        let (first, second) = (Target::new(), Target::new());
        fs::write(second.path("SYSTEM"), b"another disk's").unwrap();
        let request = |target: &Target| {
            let mut request = target.request();
            request.backup_dir = Some(shared.path().to_path_buf());
            request
        };
        let counter = Faulty::new(Trouble::None);
        apply_request(request(&Target::new()), &counter).unwrap();
        let made = counter.number_of("create_dir", "2026-11-20T10-31-05Z");
        let swap = counter.number_of("rename", "config/SYSTEM");
        fs::remove_dir_all(shared.path().join("2026-11-20T10-31-05Z")).unwrap();

        let before = first.state();
        apply_request(request(&first), &Faulty::new(Trouble::Stop(made))).unwrap_err();
        let trouble = match other_is_finished {
            true => Trouble::None,
            false => Trouble::Stop(swap),
        };
        let other = apply_request(request(&second), &Faulty::new(trouble));
        assert_eq!(other.is_ok(), other_is_finished);
        let backup = shared.path().join("2026-11-20T10-31-05Z");
        let held = fs::read(backup.join("SYSTEM")).unwrap();

        let store = Store::new(&Disk);
        let found = store
            .pending(&first.site(), Some(shared.path()))
            .unwrap()
            .unwrap();
        assert!(
            found.cannot_finish.is_some() && found.cannot_undo.is_none(),
            "{found:?}"
        );
        store.undo(&found).unwrap();
        same(&before, &first.state());
        assert_eq!(fs::read(backup.join("SYSTEM")).unwrap(), held);
        if let Some(found) = store.pending(&second.site(), Some(shared.path())).unwrap() {
            store.finish(&found).unwrap();
        }
        let backups = store.list(&second.folder(), Some(shared.path())).unwrap();
        assert_eq!(
            backups[0].manifest.as_ref().unwrap().state,
            BackupState::Applied
        );
    }
}

// ---------------------------------------------------------------- every operation in turn

/// The kinds of run that are tried at every operation.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    operation: Operation,
    link: Option<i32>,
    /// What the volume says is free.
    free: Option<u64>,
}

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

#[test]
fn stopped_at_every_operation() {
    for scenario in SCENARIOS {
        let operations = scenario.operations();
        let mut seen = [0_usize; 4];
        for (before, operation) in operations.iter().enumerate().rev().step_by(stride()) {
            let at = before + 1;
            // Only a write can be torn.
            let torn = operation.contains(" write ").then_some(Trouble::Tear(at));
            for trouble in [Trouble::Stop(at)].into_iter().chain(torn) {
                for undo in [false, true] {
                    stopped(scenario, trouble, undo, &mut seen);
                }
            }
        }
        println!(
            "{scenario:?}: {} operations; {} stops found nothing to settle, {} were finished, \
             {} undone, {} could be settled one way only",
            operations.len(),
            seen[0],
            seen[1],
            seen[2],
            seen[3],
        );
        assert!((seen[1] > 0 && seen[2] > 0) || stride() > 1);
    }
}

fn stopped(scenario: Scenario, trouble: Trouble, undo: bool, seen: &mut [usize; 4]) {
    let target = scenario.target();
    let before = target.state();
    let medium = scenario.medium(trouble);
    let result = scenario.run(&target, &medium);
    let context = format!(
        "{scenario:?} {trouble:?} undo {undo}: {:?}",
        medium.log.borrow().last()
    );
    // Fails the test if a hive is neither, or has lost its metadata.
    let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
    let error = result.expect_err(&context);
    let started_new = scenario.operation == Operation::Restore;
    if error.touched == Touched::Untouched {
        assert_eq!(new, [started_new; 2], "{context}: said to be untouched");
    }
    let Some(found) = pending(&target) else {
        seen[0] += 1;
        assert_eq!(new[0], new[1], "{context}");
        if new[0] == started_new {
            fs::remove_file(target.path("hivemend.journal.new")).ok();
            same(&before, &target.state());
        } else {
            scenario.check_done(&target);
        }
        return;
    };
    assert_eq!(found.operation, scenario.operation);
    for (hive, new) in found
        .hives
        .iter()
        .filter(|hive| hive.name.raw() != "SOFTWARE.LOG")
        .zip(new)
    {
        let expected = if new != started_new {
            HiveStands::New
        } else {
            HiveStands::Old
        };
        assert_eq!(hive.stands, expected, "{context}");
    }
    // Until it is settled nothing else is done.
    let refused = Store::new(&Disk).prepare(&target.request()).unwrap_err();
    assert!(
        matches!(
            refused.fault,
            StoreFault::Interrupted { .. } | StoreFault::Changed { .. }
        ),
        "{refused}"
    );
    assert!(
        found.cannot_undo.is_none() || found.cannot_finish.is_none(),
        "{context} {found:?}"
    );
    let both = found.cannot_undo.is_none() && found.cannot_finish.is_none();
    seen[3] += usize::from(!both);
    let undo = match both {
        true => undo,
        false => found.cannot_undo.is_none(),
    };
    let store = Store::new(&Disk);
    if undo {
        seen[2] += 1;
        store.undo(&found).expect(&context);
        same(&before, &target.state());
    } else {
        seen[1] += 1;
        store.finish(&found).expect(&context);
        scenario.check_done(&target);
    }
    assert_eq!(pending(&target), None);
}

/// Settling is itself a run that can be stopped, and settled again.
///
/// Every eleventh stop of the run, and of settling every third, shifting by one each time;
/// HIVEMEND_EXHAUSTIVE=1 does all of them.
#[test]
fn stopped_while_settling() {
    let (stops, steps) = if exhaustive() {
        (1, 1)
    } else {
        (10 + stride(), 2 + stride())
    };
    for scenario in SCENARIOS {
        let total = scenario.count();
        for (shift, at) in (1..=total).rev().step_by(stops).enumerate() {
            for undo in [false, true] {
                stopped_while(scenario, at, undo, (1 + shift % steps, steps));
            }
        }
    }
}

fn stopped_while(scenario: Scenario, at: usize, undo: bool, (first, steps): (usize, usize)) {
    for again in (first..).step_by(steps) {
        let target = scenario.target();
        let before = target.state();
        let _ = scenario.run(&target, &scenario.medium(Trouble::Stop(at)));
        let Some(found) = pending(&target) else {
            return;
        };
        let undo = if found.cannot_finish.is_some() {
            true
        } else {
            undo
        };
        let undo = if found.cannot_undo.is_some() {
            false
        } else {
            undo
        };
        let medium = scenario.medium(Trouble::Stop(again));
        let store = Store::new(&medium);
        let result = if undo {
            store.undo(&found)
        } else {
            store.finish(&found)
        };
        if result.is_ok() {
            return;
        }
        for name in ["SYSTEM", "SOFTWARE"] {
            target.is_new(name);
        }
        let context = format!(
            "{scenario:?} {at} {undo} {again}: {:?}",
            medium.log.borrow().last()
        );
        let store = Store::new(&Disk);
        if let Some(found) = pending(&target) {
            let settled = match undo && found.cannot_undo.is_none() {
                true => store.undo(&found),
                false if found.cannot_finish.is_none() => store.finish(&found),
                false => store.undo(&found),
            };
            settled.expect(&context);
        }
        assert_eq!(pending(&target), None, "{context}");
        let new = ["SYSTEM", "SOFTWARE"].map(|name| target.is_new(name));
        assert_eq!(new[0], new[1], "{context}");
        match new[0] == (scenario.operation == Operation::Restore) {
            true => same(&before, &target.state()),
            false => scenario.check_done(&target),
        }
    }
}

#[test]
fn every_operation_fails_once() {
    for scenario in SCENARIOS {
        let total = scenario.count();
        let mut open = 0;
        for at in (1..=total).rev().step_by(stride()) {
            // Two of them each, for time's sake; HIVEMEND_EXHAUSTIVE=1 tries all.
            for number in [EIO, ENOSPC, EACCES, EROFS] {
                if !exhaustive() && [EIO, EROFS].contains(&number) != (at % 2 == 0) {
                    continue;
                }
                let target = scenario.target();
                let before = target.state();
                let medium = scenario.medium(Trouble::Once(at, number));
                let result = scenario.run(&target, &medium);
                let step = medium.log.borrow()[at - 1].clone();
                let Err(error) = result else {
                    // A failed set_metadata that had nothing left to set.
                    scenario.check_done(&target);
                    assert!(step.contains("metadata") || step.contains("link"), "{step}");
                    continue;
                };
                assert!(!error.is_refusal(), "{step}: {error}");
                // The message names the file, and what the system said.
                let path = step.rsplit(' ').next().unwrap();
                let said = error.to_string();
                let names = said.contains(path) || step.contains(" link ");
                assert!(
                    names && said.contains(&format!("os error {number}")),
                    "{step}: {said}"
                );
                if error.touched == Touched::Untouched {
                    same(&before, &target.state());
                    assert_eq!(pending(&target), None, "{step}");
                    continue;
                }
                open += 1;
                assert!(
                    matches!(error.fault, StoreFault::NotClosed { .. }),
                    "{step}: {error}"
                );
                if let Some(found) = pending(&target) {
                    Store::new(&Disk).finish(&found).unwrap();
                }
                scenario.check_done(&target);
            }
        }
        println!("{scenario:?}: {total} operations failed, {open} after the hives were written");
    }
}

#[test]
fn a_disk_that_fills_up_at_any_operation() {
    for scenario in SCENARIOS {
        let total = scenario.count();
        let mut survived = 0;
        for at in (1..=total).rev().step_by(stride()) {
            let target = scenario.target();
            let before = target.state();
            let medium = scenario.medium(Trouble::Full(at));
            match scenario.run(&target, &medium) {
                Ok(()) => {
                    survived += 1;
                    scenario.check_done(&target);
                }
                // The room that the replaced files gave back was taken by somebody else.
                Err(StoreError {
                    fault: StoreFault::NotClosed { .. },
                    ..
                }) if scenario.free.is_some() => {
                    let found = pending(&target).unwrap();
                    Store::new(&Disk).finish(&found).unwrap();
                    scenario.check_done(&target);
                }
                Err(error) => {
                    assert_eq!(error.touched, Touched::Untouched, "{at}: {error}");
                    same(&before, &target.state());
                    assert_eq!(pending(&target), None);
                }
            }
        }
        assert!(survived < total / 2, "{survived} of {total}");
    }
}

#[test]
fn an_interrupted_run_with_its_backup_elsewhere_is_found_without_naming_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    let request = |target: &Target, day: u64| {
        let mut request = target.request();
        request.backup_dir = Some(elsewhere.path().to_path_buf());
        request.now += Duration::from_secs(day * 86_400);
        request
    };
    let counter = Faulty::new(Trouble::None);
    apply_request(request(&Target::new(), 0), &counter).unwrap();
    let at = counter.number_of("rename", "config/SOFTWARE");
    // Each backup that is there is looked at, which takes operations.
    let forget_backups = || {
        for backup in fs::read_dir(elsewhere.path()).unwrap() {
            fs::remove_dir_all(backup.unwrap().path()).unwrap();
        }
    };
    forget_backups();

    let target = Target::new();
    let before = target.state();
    apply_request(request(&target, 1), &Faulty::new(Trouble::Stop(at))).unwrap_err();
    assert!(target.is_new("SYSTEM") && !target.is_new("SOFTWARE"));
    let store = Store::new(&Disk);
    let found = pending(&target).unwrap();
    assert!(
        found
            .cannot_finish
            .as_ref()
            .unwrap()
            .contains("--backup-dir")
    );
    let named = store
        .pending(&target.site(), Some(elsewhere.path()))
        .unwrap()
        .unwrap();
    assert_eq!(named.cannot_finish, None);
    let settled = store.undo(&found).unwrap();
    assert!(settled.left, "the backup folder was not named and stays");
    same(&before, &target.state());

    forget_backups();
    let target = Target::new();
    apply_request(request(&target, 2), &Faulty::new(Trouble::Stop(at))).unwrap_err();
    let named = store
        .pending(&target.site(), Some(elsewhere.path()))
        .unwrap()
        .unwrap();
    assert!(!store.finish(&named).unwrap().left);
    target.hives_are(true);
    let backups = store
        .list(&target.folder(), Some(elsewhere.path()))
        .unwrap();
    assert_eq!(
        backups[0].manifest.as_ref().unwrap().state,
        BackupState::Applied
    );
}

#[test]
fn windows_that_ran_after_an_interruption_is_not_overwritten() {
    let target = Target::new();
    let counter = Faulty::new(Trouble::None);
    apply(&target, &counter).unwrap();
    let at = counter.number_of("rename", "config/SOFTWARE");
    let target = Target::new();
    apply(&target, &Faulty::new(Trouble::Stop(at))).unwrap_err();
    fs::write(target.path("SYSTEM"), b"Windows ran").unwrap();
    let found = pending(&target).unwrap();
    assert_eq!(found.hives[0].stands, HiveStands::Neither);
    assert!(found.cannot_finish.is_some() && found.cannot_undo.is_some());
    let store = Store::new(&Disk);
    assert!(store.finish(&found).is_err() && store.undo(&found).is_err());
    assert_eq!(fs::read(target.path("SYSTEM")).unwrap(), b"Windows ran");
}

// ---------------------------------------------------------------- with the rest

#[test]
#[cfg(unix)] // Wine replaces no file that is open.
fn a_hive_file_notices_that_the_store_replaced_it() {
    let target = Target::new();
    let mut hive = b"regf".to_vec();
    hive.resize(8192, 0);
    fs::write(target.path("SYSTEM"), &hive).unwrap();
    let open = hivemend::disk::HiveFile::open(&target.path("SYSTEM")).unwrap();
    let whole = open.read_whole().unwrap();
    let mut request = target.request();
    request.hives.truncate(1);
    request.hives[0].before_sha256 = whole.sha256;
    request.hives[0].content = whole.content;
    request.hives[0].content[600] = 1;
    apply_request(request, &Disk).unwrap();
    assert!(matches!(open.unchanged(), Err(DiskError::Changed { .. })));
}
