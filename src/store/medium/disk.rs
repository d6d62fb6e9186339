// SPDX-License-Identifier: GPL-3.0-or-later
//! The seam: every disk operation of this room, so that a test can count, fail and stop them.

use std::fs::File;
use std::io::{self, Read, Write};

use super::platform;
use crate::disk::{Folder, Spot};
use crate::store::terms::FileMetadata;

/// An open file, with the name it was opened by.
#[derive(Debug)]
pub struct Handle {
    /// The name it was opened by, in its open folder.
    pub spot: Spot,
    /// The file.
    pub file: File,
}

/// What the store asks of a disk. Each method is one operation that can fail or be the last.
///
/// Names are names in open folders: no operation resolves a path.
pub trait Medium {
    /// Opens a file for reading, never through a symbolic link.
    ///
    /// # Errors
    ///
    /// As every method here: what the operating system says.
    fn open(&self, spot: &Spot) -> io::Result<Handle>;

    /// Reads some bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn read(&self, handle: &mut Handle, buffer: &mut [u8]) -> io::Result<usize>;

    /// Creates a file that was not there, readable by its owner only.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn create_new(&self, spot: &Spot) -> io::Result<Handle>;

    /// Gives the new, empty file `new` what `like` has and no list names: the alternate streams of
    /// NTFS, under Windows. It stays empty.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn seed(&self, new: Handle, like: &Spot) -> io::Result<Handle> {
        let file = platform::seed(new.file, new.spot.path(), like.path())?;
        let spot = new.spot;
        Ok(Handle { spot, file })
    }

    /// Writes some of `bytes` and tells how many.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn write(&self, handle: &mut Handle, bytes: &[u8]) -> io::Result<usize>;

    /// Makes a file's content and metadata durable.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn sync(&self, handle: &Handle) -> io::Result<()>;

    /// What a file has besides its bytes.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn metadata(&self, handle: &Handle) -> io::Result<FileMetadata>;

    /// Sets what a file has besides its bytes; a failure is judged by comparing afterwards.
    ///
    /// # Errors
    ///
    /// The first part that could not be set.
    fn set_metadata(&self, handle: &Handle, wanted: &FileMetadata) -> io::Result<()>;

    /// Gives a new, empty file or folder the security descriptor of `like`.
    ///
    /// # Errors
    ///
    /// What the operating system says, or that the descriptor was not taken over.
    fn protect(&self, handle: &Handle, like: &FileMetadata) -> io::Result<()>;

    /// Gives `file` the second name `link`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn link(&self, file: &Spot, link: &Spot) -> io::Result<()>;

    /// Gives the file `from` the name `to`, in place of the file that has it.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn rename(&self, from: &Spot, to: &Spot) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn remove_file(&self, spot: &Spot) -> io::Result<()>;

    /// Creates a folder for its owner only, with the security descriptor of the folder `like`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn create_dir(&self, spot: &Spot, like: Option<&Folder>) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn remove_dir(&self, spot: &Spot) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn sync_dir(&self, folder: &Folder) -> io::Result<()>;

    /// Bytes free on the volume that holds `folder`; `None` where it cannot be told.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn free_space(&self, folder: &Folder) -> io::Result<Option<u64>>;
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Medium for Disk {
    fn open(&self, spot: &Spot) -> io::Result<Handle> {
        let file = spot.open()?;
        let spot = spot.clone();
        Ok(Handle { spot, file })
    }

    fn read(&self, handle: &mut Handle, buffer: &mut [u8]) -> io::Result<usize> {
        handle.file.read(buffer)
    }

    fn create_new(&self, spot: &Spot) -> io::Result<Handle> {
        let file = platform::create_new(spot)?;
        let spot = spot.clone();
        Ok(Handle { spot, file })
    }

    fn write(&self, handle: &mut Handle, bytes: &[u8]) -> io::Result<usize> {
        handle.file.write(bytes)
    }

    fn sync(&self, handle: &Handle) -> io::Result<()> {
        platform::sync(&handle.file, handle.spot.path())
    }

    fn metadata(&self, handle: &Handle) -> io::Result<FileMetadata> {
        let mut found = platform::metadata(&handle.file)?;
        platform::add_by_name(handle.spot.path(), &mut found)?;
        Ok(found)
    }

    fn set_metadata(&self, handle: &Handle, wanted: &FileMetadata) -> io::Result<()> {
        platform::set_metadata(&handle.file, handle.spot.path(), wanted)
    }

    fn protect(&self, handle: &Handle, like: &FileMetadata) -> io::Result<()> {
        platform::protect(&handle.file, like)
    }

    fn link(&self, file: &Spot, link: &Spot) -> io::Result<()> {
        platform::link(file, link)
    }

    fn rename(&self, from: &Spot, to: &Spot) -> io::Result<()> {
        platform::rename(from, to)
    }

    fn remove_file(&self, spot: &Spot) -> io::Result<()> {
        platform::remove_file(spot)
    }

    fn create_dir(&self, spot: &Spot, like: Option<&Folder>) -> io::Result<()> {
        platform::create_dir(spot, like)
    }

    fn remove_dir(&self, spot: &Spot) -> io::Result<()> {
        platform::remove_dir(spot)
    }

    fn sync_dir(&self, folder: &Folder) -> io::Result<()> {
        platform::sync_dir(folder)
    }

    fn free_space(&self, folder: &Folder) -> io::Result<Option<u64>> {
        Ok(folder.volume()?.free)
    }
}
