// SPDX-License-Identifier: GPL-3.0-or-later
//! A real NTFS volume: an image file, made with mkntfs and mounted with ntfs-3g, that holds a
//! Windows-like tree with the security descriptors, attributes and times that Windows gives.
//!
//! Everything is read and set through `system.ntfs_*` by the code here, not by the store's. Where
//! a program is not installed it says `SKIPPED` aloud, and with `HIVEMEND_REQUIRE_JUDGES=1` that is
//! a failure; a machine that does not let this user mount anything is only said.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::io::Errno;

/// Megabytes of a volume.
const SIZE: u64 = 16;
/// How long a mount may take to appear or to go.
const PATIENCE: Duration = Duration::from_secs(30);
/// The folder of the hives, below the root; not Windows' usual spelling.
pub(crate) const CONFIG: &str = "WINDOWS/system32/Config";
/// Files beside the hives, enough for the folder's index to need blocks of its own.
const NEIGHBOURS: usize = 40;

/// `READONLY | ARCHIVE`.
pub(crate) const READ_ONLY_ARCHIVE: u32 = 0x21;
/// `ARCHIVE`.
pub(crate) const ARCHIVE: u32 = 0x20;
/// 2016-07-16 11:23:21.9500123 as Windows counts time.
pub(crate) const CREATED: u64 = 131_131_274_019_500_123;
/// A year later.
const WRITTEN: u64 = CREATED + 315_360_000_000_001;

const SYSTEM: &[u32] = &[18];
const ADMINISTRATORS: &[u32] = &[32, 544];
const USERS: &[u32] = &[32, 545];
const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
const FULL: u32 = 0x001F_01FF;
const READ_EXECUTE: u32 = 0x0012_00A9;
/// Inherited by files and folders.
const PASSED_ON: u8 = 0x03;
const INHERITED: u8 = 0x10;

/// A volume, mounted or not.
pub(crate) struct NtfsVolume {
    folder: tempfile::TempDir,
    mounted: Option<Child>,
}

/// What a file has besides its bytes, as `system.ntfs_*` and `stat` tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Every `system.ntfs_*` that the file has, but for the times that reading changes.
    pub(crate) ntfs: BTreeMap<&'static str, Vec<u8>>,
    pub(crate) owner: (u32, u32),
    pub(crate) mode: u32,
    /// 100-nanosecond steps since 1601: creation, last write.
    pub(crate) times: [u64; 2],
}

impl NtfsVolume {
    /// An empty volume, not mounted; `None` where this machine cannot have one, which is said.
    pub(crate) fn make() -> Option<Self> {
        if !can_mount() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let volume = Self {
            folder,
            mounted: None,
        };
        let image = File::create(volume.image()).unwrap();
        image.set_len(SIZE << 20).unwrap();
        let image = volume.image();
        let made = run("mkntfs", &["-F", "-Q", "-q", "-s", "512"], &image);
        assert!(made.status.success(), "{made:?}");
        fs::create_dir(volume.root()).unwrap();
        Some(volume)
    }

    /// A mounted volume with a Windows-like tree and the bundled hives in it.
    pub(crate) fn windows() -> Option<Self> {
        let mut volume = Self::make()?;
        volume.mount("streams_interface=xattr");
        volume.fill();
        // The kernel remembers for a second what times a file had before `system.ntfs_times`.
        volume.remount();
        Some(volume)
    }

    /// A volume in a file that has these bytes, not mounted.
    pub(crate) fn from_image(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let volume = Self {
            folder,
            mounted: None,
        };
        fs::write(volume.image(), bytes).unwrap();
        fs::create_dir(volume.root()).unwrap();
        volume
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.path().join("ntfs.img")
    }

    /// Where it is mounted.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// A place beside the volume.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root().join(CONFIG)
    }

    pub(crate) fn remount(&mut self) {
        self.unmount();
        self.mount("streams_interface=xattr");
    }

    pub(crate) fn mount(&mut self, options: &str) {
        let mounted = self.try_mount(options, None);
        assert!(mounted, "ntfs-3g does not mount with {options}");
    }

    /// Mounts with every write to the image traced into a file.
    pub(crate) fn mount_traced(&mut self, trace: &Path) {
        assert!(self.try_mount("streams_interface=xattr", Some(trace)));
    }

    /// Whether ntfs-3g took the volume.
    pub(crate) fn try_mount(&mut self, options: &str, trace: Option<&Path>) -> bool {
        assert!(self.mounted.is_none());
        let mut command = match trace {
            // Only its twin can ignore case.
            None if options.contains("ignore_case") => Command::new("lowntfs-3g"),
            None => Command::new("ntfs-3g"),
            Some(trace) => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-qq", "-xx", "-s", "2000000", "-o"]);
                strace.arg(trace);
                strace.args(["-e", "trace=pwrite64,fsync,fdatasync", "ntfs-3g"]);
                strace
            }
        };
        let command = command
            .args(["-o", &format!("{options},no_detach")])
            .args([self.image(), self.root()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let outside = fs::metadata(self.folder.path()).unwrap().dev();
        let start = Instant::now();
        while fs::metadata(self.root()).is_ok_and(|root| root.dev() == outside) {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "ntfs-3g hangs");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.mounted = Some(child);
        true
    }

    pub(crate) fn unmount(&mut self) {
        let Some(mut child) = self.mounted.take() else {
            return;
        };
        let start = Instant::now();
        loop {
            let done = run("umount", &[], &self.root());
            if done.status.success() {
                break;
            }
            // Somebody who looks at every mount may be in it for a moment.
            assert!(start.elapsed() < PATIENCE, "{done:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.wait().unwrap();
    }

    /// Runs a tool of ntfs-3g on the volume, which is not mounted.
    pub(crate) fn tool(&self, program: &str, options: &[&str]) {
        assert!(self.mounted.is_none());
        let said = run(program, options, &self.image());
        assert!(said.status.success(), "{said:?}");
    }

    /// Unmounts, and fails unless ntfsfix and ntfsinfo find the volume sound.
    pub(crate) fn sound(&mut self) {
        self.unmount();
        for (program, options) in [("ntfsfix", &["-n"][..]), ("ntfsinfo", &["-m"])] {
            let said = run(program, options, &self.image());
            let text = String::from_utf8_lossy(&said.stdout).into_owned()
                + &String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{program}: {text}");
            for bad in ["corrupt", "orrupted", "FAILED", "dirty", "ERROR"] {
                assert!(!text.contains(bad), "{program}: {text}");
            }
        }
    }

    /// The Windows-like tree: descriptors as Windows has them, hives with old times.
    pub(crate) fn fill(&self) {
        let root = self.root();
        let config = self.config();
        fs::create_dir_all(&config).unwrap();
        let public = [
            ace(SYSTEM, FULL, PASSED_ON),
            ace(ADMINISTRATORS, FULL, PASSED_ON),
            ace(USERS, READ_EXECUTE, PASSED_ON),
        ];
        for folder in [
            root.clone(),
            root.join("WINDOWS"),
            root.join("WINDOWS/system32"),
        ] {
            set(&folder, "system.ntfs_acl", &descriptor(&public));
        }
        let private = [
            ace(SYSTEM, FULL, PASSED_ON),
            ace(ADMINISTRATORS, FULL, PASSED_ON),
        ];
        set(&config, "system.ntfs_acl", &descriptor(&private));
        let sample =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/osdisk/Windows/System32/config");
        for hive in ["SYSTEM", "SOFTWARE"] {
            let bytes = fs::read(sample.join(hive)).unwrap();
            self.windows_file(&config.join(hive), &bytes, ARCHIVE);
            for log in ["LOG1", "LOG2"] {
                self.windows_file(&config.join(format!("{hive}.{log}")), &[], ARCHIVE);
            }
        }
        for number in 0..NEIGHBOURS {
            let name = format!("TMContainer{number:020}.regtrans-ms");
            self.windows_file(&config.join(name), b"neighbour", ARCHIVE);
        }
    }

    /// A file as Windows would have made it in the config folder.
    pub(crate) fn windows_file(&self, path: &Path, bytes: &[u8], attributes: u32) {
        fs::write(path, bytes).unwrap();
        set(path, "system.ntfs_acl", &hive_descriptor());
        // Where the name is a valid 8.3 name, Windows stores it as both names in one.
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.len() <= 8 {
            set(path, "system.ntfs_dos_name", name.as_bytes());
        }
        set_attributes(path, attributes);
        set_times(path, CREATED, WRITTEN);
    }

    /// Fails if anything on the volume may be read by everyone, or carries no descriptor.
    pub(crate) fn nothing_is_everyones(&self) {
        self.no_content_is_everyones(&[]);
    }

    /// As [`Self::nothing_is_everyones`], but for what is empty: a new file gets its descriptor
    /// before its content, and a power cut can come in between.
    pub(crate) fn no_content_is_everyones(&self, but_for: &[PathBuf]) {
        for path in below(&self.root()) {
            if but_for.contains(&path) {
                continue;
            }
            let descriptor = get(&path, "system.ntfs_acl").unwrap();
            let open = descriptor.windows(EVERYONE.len()).any(|at| at == EVERYONE);
            assert!(!open, "{}: Everyone", path.display());
            let dacl = u32::from_le_bytes(descriptor[16..20].try_into().unwrap());
            assert_ne!(dacl, 0, "{}: no DACL", path.display());
        }
    }

    /// Runs `hivemend COMMAND DISK ARGS`.
    pub(crate) fn hivemend(&self, command: &str, args: &[&str]) -> crate::bench::Ended {
        let root = self.root().display().to_string();
        let mut all = vec![command, root.as_str()];
        all.extend(args);
        crate::bench::hivemend(&all)
    }

    /// Files and folders with nothing in them.
    pub(crate) fn empty(&self) -> Vec<PathBuf> {
        let is_empty = |path: &PathBuf| match fs::read_dir(path) {
            Ok(mut inside) => inside.next().is_none(),
            Err(_) => fs::metadata(path).is_ok_and(|found| found.len() == 0),
        };
        below(&self.root()).into_iter().filter(is_empty).collect()
    }

    /// Names that lead to nothing: ntfs-3g writes a new file's name before the file itself.
    pub(crate) fn dangling(&self) -> Vec<PathBuf> {
        let is_gone = |path: &PathBuf| match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => {
                let listed = fs::read_dir(path);
                listed.is_err() || listed.is_ok_and(|mut inside| inside.any(|one| one.is_err()))
            }
            looked => looked.is_err(),
        };
        below(&self.root()).into_iter().filter(is_gone).collect()
    }

    /// The names in the config folder that are not the neighbours'.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.config()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("TMC")).collect();
        names.sort();
        names
    }
}

impl Drop for NtfsVolume {
    fn drop(&mut self) {
        if let Some(mut child) = self.mounted.take() {
            // A failing test may have files open there: lazily.
            let _ = Command::new("umount").arg("-l").arg(self.root()).output();
            let _ = child.wait();
        }
    }
}

impl Traits {
    pub(crate) fn of(path: &Path) -> Self {
        const NAMES: [&str; 6] = [
            "system.ntfs_acl",
            "system.ntfs_attrib",
            "system.ntfs_attrib_be",
            "system.ntfs_crtime",
            "system.ntfs_ea",
            "system.ntfs_reparse_data",
        ];
        let values = NAMES
            .iter()
            .filter_map(|name| Some((*name, get(path, name)?)));
        let found = fs::symlink_metadata(path).unwrap();
        Self {
            ntfs: values.collect(),
            owner: (found.uid(), found.gid()),
            mode: found.mode(),
            times: [time(path, 0), time(path, 1)],
        }
    }
}

/// Whether NTFS volumes can be made and mounted here; says why not.
fn can_mount() -> bool {
    let required = std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_some_and(|set| set == "1");
    for program in [
        "mkntfs", "ntfs-3g", "ntfsfix", "ntfsinfo", "strace", "umount",
    ] {
        if Command::new(program).arg("--version").output().is_err() {
            say(&format!(
                "{program} is not installed (apt: ntfs-3g, strace)"
            ));
            assert!(!required, "{program} is required and not installed");
            return false;
        }
    }
    let fuse = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    if let Err(error) = &fuse {
        say(&format!(
            "/dev/fuse: {error}; no NTFS volume can be mounted"
        ));
    }
    let root = rustix::process::geteuid().is_root();
    if !root {
        say("only root may mount an NTFS volume with ntfs-3g's own FUSE");
    }
    fuse.is_ok() && root
}

/// Says past the harness, which keeps what a passing test prints.
pub(crate) fn say(what: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes());
}

fn run(program: &str, options: &[&str], path: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(options).arg(path).output().unwrap()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    // A folder of which a power cut left the name only cannot be listed.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match fs::symlink_metadata(entry.path()).is_ok_and(|found| found.is_dir()) {
            true => found.extend(below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

/// The value of an extended attribute, `None` if there is none of this name.
pub(crate) fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 65_536];
    match getxattr(path, name, &mut value) {
        Ok(length) => {
            value.truncate(length);
            Some(value)
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => None,
        Err(error) => panic!("{}: {name}: {error}", path.display()),
    }
}

pub(crate) fn set(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{}: {name}: {error}", path.display()));
}

pub(crate) fn set_attributes(path: &Path, attributes: u32) {
    set(path, "system.ntfs_attrib_be", &attributes.to_be_bytes());
}

/// Sets creation, last write and last access.
fn set_times(path: &Path, created: u64, written: u64) {
    let times = [created, written, written].map(u64::to_be_bytes);
    set(path, "system.ntfs_times_be", &times.concat());
}

/// The time of this number in `system.ntfs_times`: creation, last write, last access, last change.
fn time(path: &Path, number: usize) -> u64 {
    let times = get(path, "system.ntfs_times_be").unwrap();
    u64::from_be_bytes(times[8 * number..8 * number + 8].try_into().unwrap())
}

/// What a hive in the config folder has: SYSTEM and Administrators full control, inherited.
pub(crate) fn hive_descriptor() -> Vec<u8> {
    descriptor(&[
        ace(SYSTEM, FULL, INHERITED),
        ace(ADMINISTRATORS, FULL, INHERITED),
    ])
}

/// A self-relative descriptor: owner Administrators, group SYSTEM, no SACL.
fn descriptor(aces: &[Vec<u8>]) -> Vec<u8> {
    const HEADER: usize = 20;
    // Self-relative, the DACL is there and came by inheritance.
    const CONTROL: u16 = 0x8000 | 0x0400 | 0x0004;
    let (owner, group) = (sid(ADMINISTRATORS), sid(SYSTEM));
    let dacl = acl(aces);
    let dacl_at = HEADER;
    let owner_at = dacl_at + dacl.len();
    let group_at = owner_at + owner.len();
    let mut bytes = vec![1, 0];
    bytes.extend(CONTROL.to_le_bytes());
    for offset in [owner_at, group_at, 0, dacl_at] {
        bytes.extend(u32::try_from(offset).unwrap().to_le_bytes());
    }
    bytes.extend([dacl, owner, group].concat());
    bytes
}

fn acl(aces: &[Vec<u8>]) -> Vec<u8> {
    let size: usize = aces.iter().map(Vec::len).sum();
    let mut bytes = vec![2, 0];
    for number in [8 + size, aces.len(), 0] {
        bytes.extend(u16::try_from(number).unwrap().to_le_bytes());
    }
    bytes.extend(aces.concat());
    bytes
}

/// An access-allowed entry.
fn ace(who: &[u32], rights: u32, flags: u8) -> Vec<u8> {
    let who = sid(who);
    let mut bytes = vec![0, flags];
    bytes.extend(u16::try_from(8 + who.len()).unwrap().to_le_bytes());
    bytes.extend(rights.to_le_bytes());
    bytes.extend(who);
    bytes
}

/// A SID of the NT authority.
fn sid(parts: &[u32]) -> Vec<u8> {
    let mut bytes = vec![1, u8::try_from(parts.len()).unwrap(), 0, 0, 0, 0, 0, 5];
    bytes.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
    bytes
}
