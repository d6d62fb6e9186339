// SPDX-License-Identifier: GPL-3.0-or-later
//! A disk to work on and the program to do it with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// A private copy of a disk.
pub(crate) struct Bench {
    _folder: tempfile::TempDir,
    disk: PathBuf,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails with all that was said where the exit code is another.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

impl Bench {
    /// A copy of the bundled sample disk.
    pub(crate) fn sample() -> Self {
        Self::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/osdisk"))
    }

    /// A copy of a disk of the corpus, or a word that there is none.
    pub(crate) fn corpus(name: &str) -> Option<Self> {
        let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS") else {
            let said = format!("SKIPPED: HIVEMEND_CORPUS is not set, no disk {name}\n");
            // Past the harness, which keeps what a passing test prints.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            return None;
        };
        Some(Self::copy(&PathBuf::from(corpus).join("disks").join(name)))
    }

    /// As [`Bench::sample`], in memory where that is possible: for tests with thousands of syncs.
    #[cfg(unix)]
    pub(crate) fn in_memory() -> Self {
        let bench = Self::empty_in_memory();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/osdisk");
        copy_tree(&sample, &bench.disk);
        bench
    }

    #[cfg(unix)]
    fn empty_in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let disk = folder.path().join("disk");
        Self {
            _folder: folder,
            disk,
        }
    }

    /// A copy with all that `cp -a` keeps: links among the files, modes, times.
    #[cfg(unix)]
    pub(crate) fn twin(&self) -> Self {
        let twin = Self::empty_in_memory();
        let mut copy = Command::new("cp");
        let copied = copy.arg("-a").arg(&self.disk).arg(&twin.disk).status();
        assert!(copied.unwrap().success());
        twin
    }

    fn copy(from: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk");
        copy_tree(from, &disk);
        Self {
            _folder: folder,
            disk,
        }
    }

    pub(crate) fn disk(&self) -> &Path {
        &self.disk
    }

    /// A place beside the disk.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.disk.parent().unwrap().join(name)
    }

    /// A file of the disk by its name, in whatever case, outside of backups.
    pub(crate) fn hive(&self, name: &str) -> PathBuf {
        let files = files_below(&self.disk);
        let is_hive = |file: &&PathBuf| {
            let same = file.file_name().unwrap().eq_ignore_ascii_case(name);
            same && !file.components().any(|part| part.as_os_str() == "hivemend")
        };
        files
            .iter()
            .find(is_hive)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.hive("SYSTEM").parent().unwrap().to_path_buf()
    }

    /// Writes a profile beside the disk.
    pub(crate) fn profile(&self, name: &str, keys: &str) -> String {
        let path = self.beside(&format!("{name}.yaml"));
        let head = format!(
            "schema: hivemend.profile/1\nid: {name}\ntitle: A test\nsource: This test\nundo: none\nkeys:\n"
        );
        fs::write(&path, head + keys).unwrap();
        path.display().to_string()
    }

    /// Runs `hivemend COMMAND DISK ARGS` with no terminal.
    pub(crate) fn run(&self, command: &str, args: &[&str]) -> Ended {
        let disk = self.disk.display().to_string();
        let mut all = vec![command, disk.as_str()];
        all.extend(args);
        hivemend(&all)
    }

    /// Every file of the disk with its content's hash and its time.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, (String, std::time::SystemTime)> {
        let files = files_below(&self.disk).into_iter();
        files
            .map(|file| {
                let modified = fs::metadata(&file).unwrap().modified().unwrap();
                let stamp = (sha256(&file), modified);
                (file, stamp)
            })
            .collect()
    }

    /// The same without backups.
    pub(crate) fn hives(&self) -> BTreeMap<PathBuf, (String, std::time::SystemTime)> {
        let backups = self.config().join("hivemend");
        let mut all = self.snapshot();
        all.retain(|file, _| !file.starts_with(&backups));
        all
    }
}

/// Runs the program.
pub(crate) fn hivemend(args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    command.args(args).stdin(Stdio::null());
    let output = output_of(command.env_remove("NO_COLOR"));
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command to its end.
///
/// Wine now and then loses a process before the first instruction of its program, and says
/// ERROR_INTERNAL_ERROR: nothing has run, so such a start is tried again.
pub(crate) fn output_of(command: &mut Command) -> Output {
    const ERROR_INTERNAL_ERROR: i32 = 1359;
    for _ in 0..3 {
        match command.output() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {
                eprintln!("not started, tried again: {error}");
            }
            output => return output.unwrap(),
        }
    }
    command.output().unwrap()
}

pub(crate) fn sha256(file: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(file).unwrap()))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Like `cp -r`, but writable: the corpus may be read-only.
fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &copy);
        } else {
            fs::write(&copy, fs::read(&path).unwrap()).unwrap();
        }
    }
}
