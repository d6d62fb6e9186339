// SPDX-License-Identifier: GPL-3.0-or-later
//! The room's door: the medium that everything is written through, and the lock of a folder.

use std::path::Path;

use crate::disk::{Folder, guard, system};
use crate::store::error::{StoreError, StoreFault};
use crate::store::files;
use crate::store::medium::Medium;
use crate::store::medium::platform::{self, Lock, LockError};
use crate::store::record::Journal;
use crate::store::terms::Kept;

/// The room's door: every operation that writes goes through its medium.
#[derive(Clone, Copy)]
pub struct Store<'m> {
    pub(in crate::store) medium: &'m dyn Medium,
}

impl<'m> Store<'m> {
    /// A store that writes through `medium`; the real one is [`Disk`](super::Disk).
    pub fn new(medium: &'m dyn Medium) -> Self {
        Self { medium }
    }

    /// Writes a file of its own, which must not be there yet: complete, synced, read back.
    ///
    /// # Errors
    ///
    /// Where it exists, or the disk fails; what was begun is removed.
    pub fn save_new(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = Folder::named(path.parent().unwrap_or(path));
        let folder = folder.map_err(|error| StoreFault::io("open the folder of", path)(error));
        let spot = folder.map_err(StoreError::untouched)?.at(path);
        if spot.look().is_ok_and(|found| found.is_some()) {
            let why = "it exists already, and is left alone";
            return Err(StoreError::untouched(StoreFault::damaged(path, why)));
        }
        files::write_new(self.medium, &spot, bytes, None).map_err(|fault| {
            // The first failure is the one to report.
            let _ = files::remove(self.medium, &spot);
            StoreError::untouched(fault)
        })
    }

    /// What will stay with the hive at `path`; writes nothing.
    ///
    /// # Errors
    ///
    /// Where the file cannot be looked at.
    pub fn kept(&self, path: &Path) -> Result<Kept, StoreError> {
        let looked = || {
            let file = system::open_plain(path);
            let file = file.map_err(StoreFault::io("open", path))?;
            let mount = system::mount(path);
            let name = mount.map_or_else(|| "this file system".to_owned(), |m| m.file_system);
            platform::kept(&file, &name).map_err(StoreFault::io("look at", path))
        };
        looked().map_err(StoreError::untouched)
    }

    /// Locks a config folder in which no interrupted run waits.
    pub(in crate::store) fn lock(&self, config: &Folder) -> Result<Lock, StoreFault> {
        let lock = take_lock(config)?;
        match Journal::load(self.medium, config)? {
            None => Ok(lock),
            Some(journal) => {
                let (id, operation) = (journal.id, journal.operation);
                Err(StoreFault::Interrupted {
                    config: config.path().to_path_buf(),
                    id,
                    operation,
                })
            }
        }
    }

    /// Refuses a volume with less than `need` bytes free.
    pub(in crate::store) fn space(&self, folder: &Folder, need: u64) -> Result<(), StoreFault> {
        Ok(guard::space(folder.path(), need, self.free(folder)?)?)
    }

    /// Bytes that are free on the volume of `folder`, where that can be told.
    pub(in crate::store) fn free(&self, folder: &Folder) -> Result<Option<u64>, StoreFault> {
        let free = self.medium.free_space(folder);
        free.map_err(StoreFault::io("ask the free space of", folder.path()))
    }
}

/// Takes the lock of a config folder.
pub(crate) fn take_lock(config: &Folder) -> Result<Lock, StoreFault> {
    Lock::take(config).map_err(|error| match error {
        LockError::Taken => StoreFault::Locked {
            config: config.path().to_path_buf(),
        },
        LockError::Io(source) => StoreFault::io("lock", config.path())(source),
    })
}
