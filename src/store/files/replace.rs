// SPDX-License-Identifier: GPL-3.0-or-later
//! One file takes another's name: by one rename, or on NTFS under Linux step by step.
//!
//! There a rename over an existing file is several operations and nothing makes them one, so that
//! a power cut can leave the name leading nowhere. Done here in an order of our own, the file has
//! at each instant a name under which Windows finds it. The evidence and the reasons are in
//! `docs/decisions/0001-ntfs-3g-rename.md`.

use std::collections::BTreeMap;
use std::io::ErrorKind::{AlreadyExists, NotFound};

use crate::disk::{Spot, is_failing};
use crate::store::error::StoreFault;
use crate::store::files;
use crate::store::medium::{Medium, platform};

/// How one file takes another's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By one rename, which is atomic.
    Rename,
    /// By links, on a file system whose rename is not.
    Links,
}

/// Gives the file `from` the name `to`, in place of the file that has it, if one has.
pub(crate) fn replace(
    medium: &dyn Medium,
    way: Way,
    from: &Spot,
    to: &Spot,
) -> Result<(), StoreFault> {
    match way {
        Way::Rename => medium
            .rename(from, to)
            .map_err(StoreFault::io("put in place", from.path())),
        Way::Links => by_links(medium, from, to),
    }
}

fn by_links(medium: &dyn Medium, from: &Spot, to: &Spot) -> Result<(), StoreFault> {
    let folder = to.folder();
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
        result => result.map_err(StoreFault::io("put in place", from.path()))?,
    }
    files::sync_dir(medium, folder)?;
    if let Some(spare) = spare {
        files::remove(medium, &spare)?;
    }
    files::remove(medium, from)
}

fn is_same(one: &Spot, other: &Spot) -> Result<bool, StoreFault> {
    let (one, other) = (number_of(one)?, number_of(other)?);
    Ok(one.is_some() && one == other)
}

fn number_of(spot: &Spot) -> Result<Option<u64>, StoreFault> {
    let found = files::plain(spot)?;
    Ok(found
        .as_ref()
        .and_then(platform::links)
        .map(|(file, _)| file))
}

/// Whether `file` got the second name `link`. A mount that ignores case has it already.
fn link_unless_there(medium: &dyn Medium, file: &Spot, link: &Spot) -> Result<bool, StoreFault> {
    match medium.link(file, link) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), AlreadyExists | NotFound) => Ok(false),
        Err(error) if is_failing(&error) && is_same(file, link)? => Ok(true),
        Err(error) => Err(StoreFault::io("link", file.path())(error)),
    }
}

/// The name beside `spot` that differs from it in the case of every letter: for Windows the same
/// name, for NTFS another. `None` where there is no letter.
pub(crate) fn other_case(spot: &Spot) -> Option<Spot> {
    let name = spot.name().to_str()?;
    let swapped: String = name
        .chars()
        .map(|c| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        })
        .collect();
    (swapped != name).then(|| spot.beside(swapped))
}

/// The second name of `spot` that an interrupted replacement left.
///
/// Only if the folder lists both names: on a mount that ignores case they are one, and removing
/// the one would remove the other.
pub(crate) fn left_over(spot: &Spot) -> Result<Option<Spot>, StoreFault> {
    let Some(spare) = other_case(spot) else {
        return Ok(None);
    };
    Ok((is_listed(spot)? && is_listed(&spare)?).then_some(spare))
}

/// A name among `spots` that only half exists: ntfs-3g has written it into its folder, and the
/// power went before the file knew of it. Seen by a file that counts fewer links than it has names.
///
/// Nothing may be removed then: the name cannot be, and removing the file's other name would remove
/// the file. `spots` are all in folders that list each name as it is.
pub(crate) fn half_made(spots: &[Spot]) -> Result<Option<Spot>, StoreFault> {
    let mut files: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for spot in spots {
        if !is_listed(spot)? {
            continue;
        }
        let Some((file, links)) = files::plain(spot)?.as_ref().and_then(platform::links) else {
            continue;
        };
        let (names, _) = files.entry(file).or_insert((0, links));
        *names = names.saturating_add(1);
        if *names > links {
            return Ok(Some(spot.clone()));
        }
    }
    Ok(None)
}

/// Whether the folder lists this name in these very letters.
fn is_listed(spot: &Spot) -> Result<bool, StoreFault> {
    let folder = spot.folder();
    let names = folder.names();
    let names = names.map_err(StoreFault::io("list", folder.path()))?;
    Ok(names.iter().any(|name| name == spot.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Folder;
    use std::fs;

    fn folder() -> (tempfile::TempDir, Folder) {
        let disk = tempfile::tempdir().unwrap();
        let folder = Folder::named(disk.path()).unwrap();
        (disk, folder)
    }

    #[test]
    fn every_letter_changes_its_case() {
        let (_disk, folder) = folder();
        let other = |name: &str| other_case(&folder.at(name)).map(|spot| spot.name().to_owned());
        assert_eq!(other("SYSTEM"), Some("system".into()));
        assert_eq!(other("System.bak"), Some("sYSTEM.BAK".into()));
        assert_eq!(other("12"), None);
    }

    #[test]
    fn a_leftover_is_another_file_of_the_folder() {
        let (_disk, folder) = folder();
        let (file, other) = (folder.at("SYSTEM"), folder.at("system"));
        fs::write(file.path(), b"new").unwrap();
        assert_eq!(left_over(&file).unwrap(), None);
        if fs::metadata(other.path()).is_err() {
            fs::write(other.path(), b"old").unwrap();
            assert_eq!(left_over(&file).unwrap(), Some(other));
            fs::remove_file(file.path()).unwrap();
            assert_eq!(left_over(&file).unwrap(), None);
        }
    }

    #[test]
    fn links_end_where_a_rename_does() {
        for there in [true, false] {
            let (disk, folder) = folder();
            let (from, to) = (folder.at("SYSTEM.new"), folder.at("SYSTEM"));
            fs::write(from.path(), b"new").unwrap();
            if there {
                fs::write(to.path(), b"old").unwrap();
            }
            replace(&crate::store::medium::Disk, Way::Links, &from, &to).unwrap();
            assert_eq!(fs::read(to.path()).unwrap(), b"new");
            assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
        }
    }
}
