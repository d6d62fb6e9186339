// SPDX-License-Identifier: GPL-3.0-or-later
//! One file takes another's name: by one rename, or on NTFS under Linux step by step.
//!
//! There a rename over an existing file is several operations and nothing makes them one, so that
//! a power cut can leave the name leading nowhere. Done here in an order of our own, the file has
//! at each instant a name under which Windows finds it. The evidence and the reasons are in
//! `docs/decisions/0001-ntfs-3g-rename.md`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind::{AlreadyExists, NotFound};
use std::path::{Path, PathBuf};

use super::error::StoreFault;
use super::files;
use super::medium::Medium;
use super::platform;
use crate::disk::is_failing;

/// How one file takes another's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By one rename, which is atomic.
    Rename,
    /// By links, on a file system whose rename is not.
    Links,
}

/// Gives the file `from` the name `to`, in place of the file that has it, if one has.
pub(super) fn replace(
    medium: &dyn Medium,
    way: Way,
    from: &Path,
    to: &Path,
) -> Result<(), StoreFault> {
    match way {
        Way::Rename => medium
            .rename(from, to)
            .map_err(StoreFault::io("put in place", from)),
        Way::Links => by_links(medium, from, to),
    }
}

fn by_links(medium: &dyn Medium, from: &Path, to: &Path) -> Result<(), StoreFault> {
    let folder = to.parent().unwrap_or(to);
    let spare = match other_case(to) {
        Some(spare) => link_unless_there(medium, to, &spare)?.then_some(spare),
        None => None,
    };
    if spare.is_some() {
        files::sync_dir(medium, folder)?;
    }
    files::remove(medium, to)?;
    match medium.link(from, to) {
        // As in `files::remove`: ntfs-3g may do what it is asked and complain all the same.
        Err(error) if is_failing(&error) && is_same(from, to)? => {}
        result => result.map_err(StoreFault::io("put in place", from))?,
    }
    files::sync_dir(medium, folder)?;
    if let Some(spare) = spare {
        files::remove(medium, &spare)?;
    }
    files::remove(medium, from)
}

fn is_same(one: &Path, other: &Path) -> Result<bool, StoreFault> {
    let (one, other) = (number_of(one)?, number_of(other)?);
    Ok(one.is_some() && one == other)
}

fn number_of(path: &Path) -> Result<Option<u64>, StoreFault> {
    let found = files::plain(path)?;
    Ok(found
        .as_ref()
        .and_then(platform::links)
        .map(|(file, _)| file))
}

/// Whether `file` got the second name `link`. A mount that ignores case has it already.
fn link_unless_there(medium: &dyn Medium, file: &Path, link: &Path) -> Result<bool, StoreFault> {
    match medium.link(file, link) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), AlreadyExists | NotFound) => Ok(false),
        Err(error) if is_failing(&error) && is_same(file, link)? => Ok(true),
        Err(error) => Err(StoreFault::io("link", file)(error)),
    }
}

/// The name beside `path` that differs from it in the case of every letter: for Windows the same
/// name, for NTFS another. `None` where there is no letter.
pub(super) fn other_case(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let swapped: String = name
        .chars()
        .map(|c| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        })
        .collect();
    (swapped != name).then(|| path.with_file_name(swapped))
}

/// The second name of `path` that an interrupted replacement left.
///
/// Only if the folder lists both names: on a mount that ignores case they are one, and removing
/// the one would remove the other.
pub(super) fn left_over(path: &Path) -> Result<Option<PathBuf>, StoreFault> {
    let Some(spare) = other_case(path) else {
        return Ok(None);
    };
    Ok((is_listed(path)? && is_listed(&spare)?).then_some(spare))
}

/// A name among `paths` that only half exists: ntfs-3g has written it into its folder, and the
/// power went before the file knew of it. Seen by a file that counts fewer links than it has names.
///
/// Nothing may be removed then: the name cannot be, and removing the file's other name would remove
/// the file. `paths` are all in folders that list each name as it is.
pub(super) fn half_made(paths: &[PathBuf]) -> Result<Option<PathBuf>, StoreFault> {
    let mut files: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for path in paths {
        if !is_listed(path)? {
            continue;
        }
        let Some((file, links)) = files::plain(path)?.as_ref().and_then(platform::links) else {
            continue;
        };
        let (names, _) = files.entry(file).or_insert((0, links));
        *names = names.saturating_add(1);
        if *names > links {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// Whether the folder of `path` lists it in these very letters.
fn is_listed(path: &Path) -> Result<bool, StoreFault> {
    let folder = path.parent().unwrap_or(path);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == NotFound => return Ok(false),
        entries => entries.map_err(StoreFault::io("list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(StoreFault::io("list", folder))?;
        if Some(entry.file_name().as_os_str()) == path.file_name() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_changes_its_case() {
        let other = |name: &str| other_case(Path::new(name));
        assert_eq!(other("c/SYSTEM"), Some(PathBuf::from("c/system")));
        assert_eq!(other("c/System.bak"), Some(PathBuf::from("c/sYSTEM.BAK")));
        assert_eq!(other("c/12"), None);
    }

    #[test]
    fn a_leftover_is_another_file_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("SYSTEM");
        fs::write(&file, b"new").unwrap();
        assert_eq!(left_over(&file).unwrap(), None);
        let other = folder.path().join("system");
        if fs::metadata(&other).is_err() {
            fs::write(&other, b"old").unwrap();
            assert_eq!(left_over(&file).unwrap(), Some(other));
            fs::remove_file(&file).unwrap();
            assert_eq!(left_over(&file).unwrap(), None);
        }
    }

    #[test]
    fn links_end_where_a_rename_does() {
        for there in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (
                folder.path().join("SYSTEM.new"),
                folder.path().join("SYSTEM"),
            );
            fs::write(&from, b"new").unwrap();
            if there {
                fs::write(&to, b"old").unwrap();
            }
            replace(&super::super::Disk, Way::Links, &from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"new");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
