// SPDX-License-Identifier: GPL-3.0-or-later
//! A folder that was opened once, and the names in it.
//!
//! The owner of a disk can swap a folder for a link between two operations of ours. So a folder
//! that is written to is opened once, and everything in it is reached through that handle: no path
//! is resolved twice, and the last component of none is followed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::facts::{Identity, Volume};
#[cfg(unix)]
use super::unix::OpenFolder;
#[cfg(windows)]
use super::windows::OpenFolder;

/// An open folder; clones share the handle.
#[derive(Clone)]
pub struct Folder(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: OpenFolder,
}

/// A name in an open folder, whether something has it or not.
#[derive(Clone)]
pub struct Spot {
    folder: Folder,
    /// One component, or nothing where none can be: then nothing has the name.
    name: OsString,
    /// The folder's path and the name, for messages.
    path: PathBuf,
}

impl Folder {
    /// Opens the folder that a user named; links on the way are the user's.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::NotADirectory`] for something else.
    pub fn named(path: &Path) -> io::Result<Self> {
        let open = OpenFolder::named(match path {
            empty if empty == Path::new("") => Path::new("."),
            path => path,
        })?;
        Ok(Self::new(path, open))
    }

    fn new(path: &Path, open: OpenFolder) -> Self {
        let path = path.to_path_buf();
        Self(Arc::new(Inner { path, open }))
    }

    /// The path under which it was opened, for messages and for comparing; it may lead elsewhere by now.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The name `name` in this folder. Of a longer path the last component counts.
    pub fn at(&self, name: impl AsRef<OsStr>) -> Spot {
        let name = Path::new(name.as_ref()).file_name().unwrap_or_default();
        Spot {
            folder: self.clone(),
            name: name.to_owned(),
            path: self.path().join(name),
        }
    }

    /// The names in this folder, sorted.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = self.0.open.names(self.path())?;
        names.sort();
        Ok(names)
    }

    /// Whether both are one folder.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn is(&self, other: &Self) -> io::Result<bool> {
        let (one, other) = (self.identity()?, other.identity()?);
        Ok((one.device, one.file) == (other.device, other.file))
    }

    /// Whether both lie on one volume.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn on_volume_of(&self, other: &Self) -> io::Result<bool> {
        Ok(self.identity()?.device == other.identity()?.device)
    }

    /// What tells this folder from others.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn identity(&self) -> io::Result<Identity> {
        self.0.open.identity(self.path())
    }

    /// The volume that holds this folder.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn volume(&self) -> io::Result<Volume> {
        self.0.open.volume(self.path())
    }

    /// Gives the handle up where it would keep the folder from being removed: under Windows.
    pub(crate) fn let_go(&self) {
        self.0.open.let_go();
    }

    #[cfg(unix)]
    pub(crate) fn handle(&self) -> &OpenFolder {
        &self.0.open
    }
}

impl Spot {
    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The whole path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Another name in the same folder.
    pub fn beside(&self, name: impl AsRef<OsStr>) -> Self {
        self.folder.at(name)
    }

    /// What has this name, a link itself and not what it leads to; `None` for nothing.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn look(&self) -> io::Result<Option<Metadata>> {
        match self.above().look_at(&self.name, &self.path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What tells the file of this name, which is not followed, from another.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn identity(&self) -> io::Result<Identity> {
        self.above().identity_of(&self.name, &self.path)
    }

    /// Opens the file of this name for reading; never through a link, never waiting for a pipe.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(&self) -> io::Result<File> {
        self.above().open(&self.name, &self.path)
    }

    /// Opens the folder of this name, which may be no link.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::NotADirectory`] for a link or a file.
    pub fn open_folder(&self) -> io::Result<Folder> {
        let open = self.above().below(&self.name, &self.path)?;
        Ok(Folder::new(&self.path, open))
    }

    fn above(&self) -> &OpenFolder {
        &self.folder.0.open
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Folder({:?})", self.path())
    }
}

impl fmt::Debug for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spot({:?})", self.path)
    }
}

/// By path: what two targets found in one place are compared by.
impl PartialEq for Folder {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for Folder {}

impl PartialEq for Spot {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Spot {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_name_stays_in_its_folder() {
        let disk = tempfile::tempdir().unwrap();
        let folder = Folder::named(disk.path()).unwrap();
        fs::write(disk.path().join("SYSTEM"), b"x").unwrap();
        assert!(folder.at("SYSTEM").look().unwrap().is_some());
        for name in ["../SYSTEM", "a/../../SYSTEM", "/SYSTEM"] {
            assert_eq!(folder.at(name).path(), disk.path().join("SYSTEM"));
        }
        for name in ["..", ".", "", "/"] {
            assert_eq!(folder.at(name).name(), "", "{name}");
            #[cfg(unix)]
            assert!(folder.at(name).look().unwrap().is_none(), "{name}");
        }
        assert_eq!(folder.names().unwrap(), ["SYSTEM"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_was_opened_stays_although_the_path_leads_elsewhere() {
        let disk = tempfile::tempdir().unwrap();
        let (config, away, other) = (
            disk.path().join("config"),
            disk.path().join("away"),
            disk.path().join("other"),
        );
        fs::create_dir(&config).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(config.join("SYSTEM"), b"ours").unwrap();
        let folder = Folder::named(&config).unwrap();
        fs::rename(&config, &away).unwrap();
        std::os::unix::fs::symlink(&other, &config).unwrap();
        assert!(folder.at("SYSTEM").open().is_ok());
        let root = Folder::named(disk.path()).unwrap();
        assert!(root.at("config").open_folder().is_err());
        assert!(root.at("away").open_folder().unwrap().is(&folder).unwrap());
    }
}
