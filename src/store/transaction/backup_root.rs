// SPDX-License-Identifier: GPL-3.0-or-later
//! The folder that holds the backups, and the folder of one backup.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::disk::{DiskError, Folder, Spot};
use crate::store::error::StoreFault;
use crate::store::files;
use crate::store::medium::Medium;
use crate::store::terms::BackupId;

/// The folder beside the hives that holds the backups.
const BACKUP_FOLDER: &str = "hivemend";
/// Runs in one second that get names of their own.
const RUNS_A_SECOND: u32 = 100;
/// What a backup's folder is called from the moment on in which it is no backup any more.
pub(crate) const REMAINS: &str = ".removed";

/// Where the backups of a config folder are.
#[derive(Clone, Debug)]
pub(crate) struct BackupRoot {
    /// Its name in the folder above; `None` for a named folder that is there.
    spot: Option<Spot>,
    /// The folder itself, where it is there.
    folder: Option<Folder>,
    /// Whether it lies beside the hives.
    pub(crate) beside: bool,
    pub(crate) path: PathBuf,
}

/// A backup's folder, and its name in the folder that holds the backups.
#[derive(Clone, Debug)]
pub(crate) struct BackupFolder {
    pub(crate) spot: Spot,
    pub(crate) open: Folder,
}

impl BackupRoot {
    /// `<config>/hivemend`, or the folder that the user named instead.
    pub(crate) fn find(config: &Folder, backup_dir: Option<&Path>) -> Result<Self, StoreFault> {
        let Some(named) = backup_dir else {
            let spot = config.at(BACKUP_FOLDER);
            let folder = files::folder(&spot)?;
            if let Some(folder) = &folder {
                on_one_volume(config, folder)?;
            }
            return Ok(Self {
                path: spot.path().to_path_buf(),
                spot: Some(spot),
                folder,
                beside: true,
            });
        };
        // A folder that the user named may be reached through a link: that is the user's will.
        let (spot, folder) = match Folder::named(named) {
            Ok(folder) => (None, Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let above = parent_of(named);
                let path = above.to_path_buf();
                let above = Folder::named(above).map_err(|_| DiskError::Missing { path })?;
                let spot = above.at(named);
                // A link that leads nowhere is there and is no folder.
                files::folder(&spot)?;
                (Some(spot), None)
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let why = "the backup folder is not a folder";
                return Err(StoreFault::damaged(named, why));
            }
            Err(error) => return Err(StoreFault::io("open", named)(error)),
        };
        Ok(Self {
            spot,
            folder,
            beside: false,
            path: named.to_path_buf(),
        })
    }

    /// The folder, where it is there.
    pub(crate) fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// A folder on the volume where the backups will be.
    pub(crate) fn existing(&self) -> Option<&Folder> {
        let above = self.spot.as_ref().map(Spot::folder);
        self.folder.as_ref().or(above)
    }

    /// Makes the folder where it is not there, and opens it. `like` has the descriptor it gets.
    pub(crate) fn make(
        &mut self,
        medium: &dyn Medium,
        like: Option<&Folder>,
    ) -> Result<Folder, StoreFault> {
        if let Some(folder) = &self.folder {
            return Ok(folder.clone());
        }
        let gone = || StoreFault::damaged(&self.path, "it is gone");
        let spot = self.spot.as_ref().ok_or_else(gone)?;
        match medium.create_dir(spot, like) {
            // A run on another disk made it in the meantime: the folder is shared.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(StoreFault::io("create", spot.path()))?,
        }
        files::sync_dir(medium, spot.folder())?;
        let folder = files::folder(spot)?.ok_or_else(gone)?;
        on_one_volume(spot.folder(), &folder)?;
        self.folder = Some(folder.clone());
        Ok(folder)
    }

    /// Removes the folder, if it is empty.
    pub(crate) fn remove(&self, medium: &dyn Medium) -> Result<(), StoreFault> {
        let Some(spot) = &self.spot else {
            return Ok(());
        };
        if let Some(folder) = &self.folder {
            folder.let_go();
        }
        match medium.remove_dir(spot) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            result => result.map_err(StoreFault::io("remove", spot.path())),
        }
    }

    /// The names of the second of `now` that no backup has.
    pub(crate) fn free_ids(&self, now: SystemTime) -> impl Iterator<Item = BackupId> {
        let is_free = |id: &BackupId| {
            let found = self.folder().map(|holder| holder.at(id.as_str()).look());
            matches!(found, None | Some(Ok(None)))
        };
        let ids = (0..RUNS_A_SECOND).map(move |again| BackupId::at(now, again));
        ids.filter(is_free)
    }

    /// That no such name is left.
    pub(crate) fn no_name(&self) -> StoreFault {
        StoreFault::damaged(&self.path, "no name is free for another backup")
    }

    /// The folder of the backup `id`, where it is there.
    pub(crate) fn backup(&self, id: &BackupId) -> Result<Option<BackupFolder>, StoreFault> {
        let Some(root) = &self.folder else {
            return Ok(None);
        };
        BackupFolder::find(root.at(id.as_str()))
    }
}

impl BackupFolder {
    /// The folder of this name, opened; `None` where it is not there.
    pub(crate) fn find(spot: Spot) -> Result<Option<Self>, StoreFault> {
        let Some(open) = files::folder(&spot)? else {
            return Ok(None);
        };
        on_one_volume(spot.folder(), &open)?;
        Ok(Some(Self { spot, open }))
    }

    /// The folder that holds the backups.
    pub(crate) fn root(&self) -> &Folder {
        self.spot.folder()
    }

    /// Removes the folder. Where somebody has put something into it, it stays under a name that no
    /// backup has.
    pub(crate) fn remove(&self, medium: &dyn Medium) -> Result<(), StoreFault> {
        self.open.let_go();
        match medium.remove_dir(&self.spot) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                let mut name = self.spot.name().to_owned();
                name.push(REMAINS);
                let renamed = medium.rename(&self.spot, &self.spot.beside(name));
                renamed.map_err(StoreFault::io("rename", self.spot.path()))
            }
            removed => removed.map_err(StoreFault::io("remove", self.spot.path())),
        }
    }
}

/// Refuses a folder that another volume is mounted on.
fn on_one_volume(above: &Folder, below: &Folder) -> Result<(), StoreFault> {
    let same = below.on_volume_of(above);
    match same.map_err(StoreFault::io("look at", below.path()))? {
        true => Ok(()),
        false => {
            let why = "another volume is mounted here; hivemend's own folders lie on one";
            Err(StoreFault::damaged(below.path(), why))
        }
    }
}

/// The folder that holds `path`; a bare name is held by the current folder.
fn parent_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
}
