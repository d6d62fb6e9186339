// SPDX-License-Identifier: GPL-3.0-or-later
//! The seam: every disk operation of this room, so that a test can count, fail and stop them.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::metadata::FileMetadata;
use super::platform;

/// An open file, with the name it was opened by.
#[derive(Debug)]
pub struct Handle {
    /// The name it was opened by.
    pub path: PathBuf,
    /// The file.
    pub file: File,
}

/// What the store asks of a disk. Each method is one operation that can fail or be the last.
pub trait Medium {
    /// Opens a file for reading, never through a symbolic link.
    ///
    /// # Errors
    ///
    /// As every method here: what the operating system says.
    fn open(&self, path: &Path) -> io::Result<Handle>;

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
    fn create_new(&self, path: &Path) -> io::Result<Handle>;

    /// Gives the new, empty file `new` what `like` has and no list names: the alternate streams of
    /// NTFS, under Windows. It stays empty.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn seed(&self, new: Handle, like: &Path) -> io::Result<Handle> {
        let file = platform::seed(new.file, &new.path, like)?;
        let path = new.path;
        Ok(Handle { path, file })
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
    fn link(&self, file: &Path, link: &Path) -> io::Result<()>;

    /// Gives the file `from` the name `to`, in place of the file that has it.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder for its owner only, with the security descriptor of the folder `like`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn create_dir(&self, path: &Path, like: Option<&Path>) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Bytes free on the volume that holds `folder`; `None` where it cannot be told.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn free_space(&self, folder: &Path) -> io::Result<Option<u64>>;
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Medium for Disk {
    fn open(&self, path: &Path) -> io::Result<Handle> {
        let file = crate::disk::platform::open_plain(path)?;
        Ok(Handle {
            path: path.to_path_buf(),
            file,
        })
    }

    fn read(&self, handle: &mut Handle, buffer: &mut [u8]) -> io::Result<usize> {
        handle.file.read(buffer)
    }

    fn create_new(&self, path: &Path) -> io::Result<Handle> {
        let file = platform::create_new(path)?;
        Ok(Handle {
            path: path.to_path_buf(),
            file,
        })
    }

    fn write(&self, handle: &mut Handle, bytes: &[u8]) -> io::Result<usize> {
        handle.file.write(bytes)
    }

    fn sync(&self, handle: &Handle) -> io::Result<()> {
        platform::sync(&handle.file, &handle.path)
    }

    fn metadata(&self, handle: &Handle) -> io::Result<FileMetadata> {
        let mut found = platform::metadata(&handle.file)?;
        platform::add_by_name(&handle.path, &mut found)?;
        Ok(found)
    }

    fn set_metadata(&self, handle: &Handle, wanted: &FileMetadata) -> io::Result<()> {
        platform::set_metadata(&handle.file, &handle.path, wanted)
    }

    fn protect(&self, handle: &Handle, like: &FileMetadata) -> io::Result<()> {
        platform::protect(&handle.file, like)
    }

    fn link(&self, file: &Path, link: &Path) -> io::Result<()> {
        fs::hard_link(file, link)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        platform::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        platform::remove_file(path)
    }

    fn create_dir(&self, path: &Path, like: Option<&Path>) -> io::Result<()> {
        platform::create_dir(path, like)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        platform::sync_dir(path)
    }

    fn free_space(&self, folder: &Path) -> io::Result<Option<u64>> {
        Ok(crate::disk::platform::volume(folder)?.free)
    }
}
