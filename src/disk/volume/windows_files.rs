// SPDX-License-Identifier: GPL-3.0-or-later
//! The files that a Windows names in its registry, looked up on its own disk and nowhere else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::target::Target;

/// Whether a file is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDisk {
    /// It is there.
    There,
    /// It is not.
    Missing,
    /// That cannot be told; why.
    Unknown(String),
}

/// The files of a Windows. Folders are listed once, in any case of their names, and links are not
/// followed: one could lead out of the disk.
pub struct WindowsFiles {
    root: PathBuf,
    windows: PathBuf,
    /// The letter that this Windows gives to its own volume.
    letter: char,
    listed: RefCell<HashMap<PathBuf, HashMap<String, Entry>>>,
    /// Why nothing is looked up.
    nothing: Option<String>,
}

#[derive(Clone)]
struct Entry {
    path: PathBuf,
    is_folder: bool,
    is_link: bool,
}

/// One of these is in System32 of every Windows.
const OF_EVERY_WINDOWS: &[&str] = &["ntoskrnl.exe", "ntdll.dll", "kernel32.dll", "smss.exe"];

/// Blanks in a command at which its program may end.
const MOST_WORDS: usize = 16;

impl WindowsFiles {
    /// The files of the Windows at `target`, whose volume it calls `letter`.
    pub fn of(target: &Target, letter: Option<char>) -> Self {
        let windows = target.windows.clone();
        let root = target.root.clone();
        let nothing = match (&windows, &root) {
            (Some(_), Some(_)) => None,
            _ => Some("only hives were named, not a disk".to_owned()),
        };
        let mut files = Self {
            root: root.unwrap_or_default(),
            windows: windows.unwrap_or_default(),
            letter: letter.unwrap_or('C').to_ascii_uppercase(),
            listed: RefCell::default(),
            nothing,
        };
        let mut known = OF_EVERY_WINDOWS.iter();
        let is_there = |name: &&str| {
            let way = ["System32".to_owned(), (**name).to_owned()];
            files.walk(&files.windows, &way) == OnDisk::There
        };
        if files.nothing.is_none() && !known.any(is_there) {
            let why = "the files of Windows are not on this disk, only its hives";
            files.nothing = Some(why.to_owned());
        }
        files
    }

    /// Looks up what a value names: a file, or a command that begins with one.
    pub fn find(&self, text: &str) -> OnDisk {
        if let Some(why) = &self.nothing {
            return OnDisk::Unknown(why.clone());
        }
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('"') {
            return self.find_file(rest.split('"').next().unwrap_or(rest));
        }
        // Windows tries every blank as the end of the program.
        let ends = text.match_indices(' ').map(|(end, _)| end).take(MOST_WORDS);
        let mut first = None;
        for end in ends.chain([text.len()]) {
            let found = self.find_file(text.get(..end).unwrap_or(text));
            match found {
                OnDisk::There => return found,
                found => first = first.or(Some(found)),
            }
        }
        first.unwrap_or(OnDisk::Missing)
    }

    fn find_file(&self, text: &str) -> OnDisk {
        let (start, rest) = match self.start(text) {
            Ok(start) => start,
            Err(found) => return found,
        };
        let mut way: Vec<String> = Vec::new();
        for part in rest.split(['\\', '/']).filter(|part| !part.is_empty()) {
            match part {
                "." => {}
                ".." => drop(way.pop()),
                part => way.push(part.to_owned()),
            }
        }
        let Some(last) = way.last().cloned() else {
            return OnDisk::Missing;
        };
        let found = self.walk(&start, &way);
        if found != OnDisk::Missing || last.contains('.') {
            return found;
        }
        let mut endings = [".exe", ".dll", ".sys"].iter();
        let is_there = |ending: &&str| {
            let mut way = way.clone();
            way.pop();
            way.push(format!("{last}{ending}"));
            self.walk(&start, &way) == OnDisk::There
        };
        match endings.any(is_there) {
            true => OnDisk::There,
            false => OnDisk::Missing,
        }
    }

    /// The folder that a text begins with, and the rest of it.
    fn start<'t>(&self, text: &'t str) -> Result<(PathBuf, &'t str), OnDisk> {
        let unknown = |why: &str| Err(OnDisk::Unknown(why.to_owned()));
        let text = ["\\??\\", "\\\\?\\", "\\DosDevices\\"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        let places = [
            ("%SystemRoot%", self.windows.clone()),
            ("%windir%", self.windows.clone()),
            ("\\SystemRoot", self.windows.clone()),
            ("%SystemDrive%", self.root.clone()),
            ("%ProgramFiles%", self.root.join("Program Files")),
            ("%ProgramFiles(x86)%", self.root.join("Program Files (x86)")),
            ("%ProgramData%", self.root.join("ProgramData")),
            ("%ALLUSERSPROFILE%", self.root.join("ProgramData")),
            (
                "%CommonProgramFiles%",
                self.root.join("Program Files").join("Common Files"),
            ),
        ];
        for (word, folder) in places {
            let is_it = text
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word));
            let rest = text.get(word.len()..).unwrap_or_default();
            if is_it && (rest.is_empty() || rest.starts_with(['\\', '/'])) {
                // The names of these folders are looked up too.
                return match folder.strip_prefix(&self.root) {
                    Ok(below) if folder != self.windows && !below.as_os_str().is_empty() => {
                        self.folder(below).map(|folder| (folder, rest))
                    }
                    _ => Ok((folder, rest)),
                };
            }
        }
        if text.contains('%') {
            return unknown("a variable in a path is not known offline");
        }
        if text.starts_with("\\\\") {
            return unknown("a path leads to another machine");
        }
        if text.to_ascii_lowercase().starts_with("\\device\\") {
            return unknown("a path names a device");
        }
        let mut characters = text.chars();
        if let (Some(letter), Some(':')) = (characters.next(), characters.next()) {
            let rest = text.get(2..).unwrap_or_default();
            return match letter.to_ascii_uppercase() {
                letter if letter == self.letter => Ok((self.root.clone(), rest)),
                // The drive of Windows PE, which is gone with it.
                'X' => Err(OnDisk::Missing),
                letter => Err(OnDisk::Unknown(format!(
                    "drive {letter}: is not this volume"
                ))),
            };
        }
        match text.strip_prefix('\\') {
            Some(rest) => Ok((self.root.clone(), rest)),
            None => Ok((self.windows.clone(), text)),
        }
    }

    fn folder(&self, below: &Path) -> Result<PathBuf, OnDisk> {
        let names = below
            .iter()
            .map(|name| name.to_string_lossy().to_lowercase());
        let mut place = self.root.clone();
        for name in names {
            match self.entry(&place, &name) {
                Some(entry) if entry.is_folder => place = entry.path,
                _ => return Err(OnDisk::Missing),
            }
        }
        Ok(place)
    }

    fn walk(&self, start: &Path, way: &[String]) -> OnDisk {
        let mut place = start.to_path_buf();
        let last = way.len().saturating_sub(1);
        for (depth, name) in way.iter().enumerate() {
            match self.entry(&place, &name.to_lowercase()) {
                // A file that Windows compresses looks like a link to other systems.
                Some(entry) if depth == last && !entry.is_folder => return OnDisk::There,
                Some(entry) if entry.is_link => {
                    return OnDisk::Unknown("a folder on the way is a link".to_owned());
                }
                Some(entry) if entry.is_folder && depth != last => place = entry.path,
                None if name.contains('~') => {
                    return OnDisk::Unknown("a path has short names".to_owned());
                }
                _ => return OnDisk::Missing,
            }
        }
        OnDisk::Missing
    }

    fn entry(&self, folder: &Path, name: &str) -> Option<Entry> {
        if let Some(listed) = self.listed.borrow().get(folder) {
            return listed.get(name).cloned();
        }
        let mut entries = HashMap::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = entry.file_name().to_string_lossy().to_lowercase();
            entries.insert(
                name,
                Entry {
                    path: entry.path(),
                    is_folder: kind.is_dir(),
                    is_link: kind.is_symlink(),
                },
            );
        }
        let found = entries.get(name).cloned();
        self.listed
            .borrow_mut()
            .insert(folder.to_path_buf(), entries);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_every_spelling_and_never_outside() {
        let disk = tempfile::tempdir().unwrap();
        let windows = disk.path().join("WINDOWS");
        for folder in ["system32/config", "System32/drivers"] {
            fs::create_dir_all(windows.join(folder)).ok();
        }
        let system32 = windows.join("system32");
        fs::create_dir_all(system32.join("Drivers")).unwrap();
        for file in [
            "ntdll.dll",
            "Termsrv.dll",
            "svchost.exe",
            "Drivers/disk.sys",
        ] {
            fs::write(system32.join(file), "").unwrap();
        }
        let programs = disk.path().join("Program Files/A B");
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("c.exe"), "").unwrap();
        let target = Target::find(disk.path()).unwrap();
        let files = WindowsFiles::of(&target, Some('C'));
        for there in [
            r"%SystemRoot%\System32\termsrv.dll",
            r"\SystemRoot\system32\DRIVERS\disk.sys",
            r"system32\drivers\disk.sys",
            r"\??\C:\Windows\System32\svchost.exe",
            r"%SystemRoot%\System32\svchost.exe -k NetworkService -p",
            r"%systemroot%\system32\svchost -k rpcss",
            r"C:\Program Files\A B\c.exe /x",
            r#""C:\Program Files\A B\c.exe" /x"#,
            r"%ProgramFiles%\a b\C.EXE",
        ] {
            assert_eq!(files.find(there), OnDisk::There, "{there}");
        }
        for missing in [
            r"%SystemRoot%\System32\rdpwrap.dll",
            r"X:\Windows\System32\termsrv.dll",
            r"C:\Windows\System32\..\..\termsrv.dll",
            r"C:\..\..\..\..\..\..\..\..\etc\passwd",
            "",
        ] {
            assert_eq!(files.find(missing), OnDisk::Missing, "{missing}");
        }
        for unknown in [
            r"D:\x.dll",
            r"%ElseWhere%\x.dll",
            r"\\server\x.dll",
            r"C:\PROGRA~1\c.exe",
        ] {
            assert!(
                matches!(files.find(unknown), OnDisk::Unknown(_)),
                "{unknown}"
            );
        }
    }

    #[test]
    fn where_only_hives_are_nothing_is_missing() {
        let disk = tempfile::tempdir().unwrap();
        fs::create_dir_all(disk.path().join("Windows/System32/config")).unwrap();
        let target = Target::find(disk.path()).unwrap();
        let files = WindowsFiles::of(&target, None);
        assert!(matches!(
            files.find(r"%SystemRoot%\x.dll"),
            OnDisk::Unknown(_)
        ));
    }
}
