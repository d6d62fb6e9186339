// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive on the disk, opened for reading.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, Builder};

use sha2::{Digest, Sha256};

use super::error::DiskError;
use super::layout::{FIRST_BIN_START, LARGEST_HIVE, LOG_SIGNATURE};
use super::pages::Pages;
use super::plain_file::open_file;
use super::sniff::{NotAHive, sniff};
use crate::disk::system::{self, Identity};
use crate::regf::{BaseBlock, Fault, FileOffset, HiveBytes, Record, RegfError};

/// Bytes of the file that tell what it is.
const START: u64 = 4096;
/// Bytes read at once where the whole file is read.
const CHUNK: usize = 1 << 20;

/// A hive's primary file, opened read-only; pages are read as they are asked for.
pub struct HiveFile {
    path: PathBuf,
    identity: Identity,
    base_block: BaseBlock,
    pages: Pages<File>,
}

/// Whether the primary file alone is what Windows last wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiveState {
    /// The last write was completed.
    Clean,
    /// It was not; the transaction logs may hold the rest.
    Dirty(Dirt),
}

/// What shows that the last write to a hive was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dirt {
    /// The sequence numbers differ.
    Sequence {
        /// Set when a write begins.
        primary: u32,
        /// Set when it is complete.
        secondary: u32,
    },
    /// The base block's checksum is wrong.
    Checksum {
        /// As stored.
        stored: u32,
        /// As computed.
        computed: u32,
    },
}

/// A whole hive in memory, and the hash of what was read.
pub struct WholeHive {
    /// Every byte of the file, whatever follows the last bin included.
    pub content: Vec<u8>,
    /// SHA-256 of `content`.
    pub sha256: [u8; 32],
}

impl HiveFile {
    /// Opens a hive read-only and reads its base block.
    ///
    /// # Errors
    ///
    /// [`DiskError::NotAFile`] for a folder or link, [`DiskError::NotAHive`] with what it is
    /// instead, [`DiskError::Held`] and [`DiskError::Io`] where it cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let file = open_file(path)?;
        let identity = system::identity(&file);
        let identity = identity.map_err(|e| DiskError::io("look at", path, e))?;
        let pages = Pages::new(file, identity.size);
        let length = usize::try_from(identity.size.min(START)).unwrap_or(0);
        let start = pages
            .read(0, length)
            .map_err(|e| DiskError::io("read", path, e))?;
        let not_a_hive = |what| DiskError::NotAHive {
            path: path.to_path_buf(),
            what,
        };
        let what = sniff(&start, identity.size);
        let is_lost = matches!(what, Some(NotAHive::Zeros | NotAHive::Unknown(_)));
        let base_block = match what {
            // A base block that is lost comes from a log, or is worked out again.
            Some(_) if is_lost && bins_follow(&pages, &start) => lost_base_block(&start),
            Some(what) => return Err(not_a_hive(what)),
            None => BaseBlock::parse(&start),
        };
        let short = |_| not_a_hive(NotAHive::Short(identity.size));
        let base_block = base_block.map_err(short)?;
        let path = path.to_path_buf();
        Ok(Self {
            path,
            identity,
            base_block,
            pages,
        })
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What told this file from others when it was opened.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The base block.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base_block
    }

    /// Whether the last write to the hive was completed.
    pub fn state(&self) -> HiveState {
        let block = &self.base_block;
        if block.stored_checksum != block.checksum {
            let (stored, computed) = (block.stored_checksum, block.checksum);
            return HiveState::Dirty(Dirt::Checksum { stored, computed });
        }
        if block.primary_sequence != block.secondary_sequence {
            let (primary, secondary) = (block.primary_sequence, block.secondary_sequence);
            return HiveState::Dirty(Dirt::Sequence { primary, secondary });
        }
        HiveState::Clean
    }

    /// Tells whether the file at this path is still the one that was opened.
    ///
    /// # Errors
    ///
    /// [`DiskError::Changed`] if size, time or file differ, [`DiskError::Missing`] if it is gone.
    pub fn unchanged(&self) -> Result<(), DiskError> {
        let found = system::identity_at(&self.path);
        let found = found.map_err(|e| DiskError::io("look at", &self.path, e))?;
        if found != self.identity {
            return Err(DiskError::Changed {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// Reads the whole file once; what is read is hashed while more is being read.
    ///
    /// # Errors
    ///
    /// [`DiskError::Unreadable`] where a sector is bad, [`DiskError::Io`] where the file is larger
    /// than a hive can be, [`DiskError::Changed`] if the file changed meanwhile.
    pub fn read_whole(&self) -> Result<WholeHive, DiskError> {
        let mut content = self.room()?;
        let sha256 = thread::scope(|scope| {
            let (read, to_hash) = mpsc::channel();
            let hasher = Builder::new().spawn_scoped(scope, move || hash_of(to_hash));
            self.read_chunks(&mut content, |chunk| {
                // Nobody listens where no thread could be had.
                let _ = read.send(chunk);
            })?;
            drop(read);
            Ok(hasher.ok().and_then(|hasher| hasher.join().ok()))
        })?;
        self.unchanged()?;
        let sha256 = sha256.unwrap_or_else(|| Sha256::digest(&content).into());
        Ok(WholeHive { content, sha256 })
    }

    /// What to say of a range that could not be read: where in it the disk fails.
    fn unreadable(&self, at: u64, length: usize, error: io::Error) -> DiskError {
        let (at, source) = self
            .pages
            .first_unreadable(at, length)
            .unwrap_or((at, error));
        DiskError::Unreadable {
            path: self.path.clone(),
            at,
            source,
        }
    }

    /// Reads the whole file once.
    ///
    /// # Errors
    ///
    /// As [`HiveFile::read_whole`].
    pub fn read_content(&self) -> Result<Vec<u8>, DiskError> {
        let mut content = self.room()?;
        self.read_chunks(&mut content, |_| {})?;
        self.unchanged()?;
        Ok(content)
    }

    /// Zeros, as many as the file has bytes: the system gives them without touching memory.
    fn room(&self) -> Result<Vec<u8>, DiskError> {
        let size = Some(self.identity.size).filter(|&size| size <= LARGEST_HIVE);
        match size.and_then(|size| usize::try_from(size).ok()) {
            Some(size) => Ok(vec![0; size]),
            None => {
                let error = io::ErrorKind::FileTooLarge.into();
                Err(DiskError::io("read", &self.path, error))
            }
        }
    }

    /// Fills `content` from the file's start on, and hands over each piece.
    fn read_chunks<'c>(
        &self,
        content: &'c mut [u8],
        mut each: impl FnMut(&'c [u8]),
    ) -> Result<(), DiskError> {
        let mut at = 0_u64;
        for chunk in content.chunks_mut(CHUNK) {
            let read = self.pages.fill(at, chunk);
            read.map_err(|error| self.unreadable(at, chunk.len(), error))?;
            at = at.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            each(chunk);
        }
        Ok(())
    }
}

/// Whether a first bin stands where it must, behind what is no base block and no log's either.
fn bins_follow(pages: &Pages<File>, start: &[u8]) -> bool {
    let first = pages.read(START, FIRST_BIN_START.len());
    let is_bin = first.is_ok_and(|first| first == FIRST_BIN_START);
    is_bin && !matches!(start.get(LOG_SIGNATURE), Some(b"DIRT" | b"HvLE"))
}

/// What fields there are of a base block without its signature; its checksum is never right.
fn lost_base_block(start: &[u8]) -> Result<BaseBlock, RegfError> {
    let mut bytes = start.to_vec();
    if let Some(signature) = bytes.get_mut(..4) {
        signature.copy_from_slice(b"regf");
    }
    let base = BaseBlock::parse(&bytes)?;
    let (checksum, stored_checksum) = (base.checksum, !base.checksum);
    Ok(BaseBlock {
        stored_checksum,
        checksum,
        ..base
    })
}

fn hash_of(chunks: mpsc::Receiver<&[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for chunk in chunks {
        hash.update(chunk);
    }
    hash.finalize().into()
}

impl HiveBytes for HiveFile {
    fn size(&self) -> u64 {
        self.identity.size
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        read_pages(&self.pages, self.size(), at, length)
    }
}

/// A transaction log beside a hive, opened read-only; what it is, is for others to judge.
pub struct LogFile {
    size: u64,
    pages: Pages<File>,
}

impl LogFile {
    /// Opens a log read-only.
    ///
    /// # Errors
    ///
    /// [`DiskError::NotAFile`] for a folder or link, [`DiskError::Held`] and [`DiskError::Io`]
    /// where it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        Self::new(open_file(path)?, path)
    }

    pub(super) fn new(file: File, path: &Path) -> Result<Self, DiskError> {
        let metadata = file.metadata();
        let size = metadata
            .map_err(|e| DiskError::io("look at", path, e))?
            .len();
        let pages = Pages::new(file, size);
        Ok(Self { size, pages })
    }
}

impl HiveBytes for LogFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        read_pages(&self.pages, self.size, at, length)
    }
}

fn read_pages(
    pages: &Pages<File>,
    size: u64,
    at: FileOffset,
    length: usize,
) -> Result<Cow<'_, [u8]>, RegfError> {
    let fault = |fault| RegfError::new(at, Record::Cell, fault);
    let need = u64::try_from(length).unwrap_or(u64::MAX);
    let have = size.saturating_sub(at.0);
    if need > have {
        return Err(fault(Fault::Truncated { need, have }));
    }
    let bytes = pages.read(at.0, length);
    let bytes = bytes.map_err(|error| fault(Fault::Unreadable(error.kind())))?;
    Ok(Cow::Owned(bytes))
}

impl fmt::Debug for HiveFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("HiveFile");
        debug
            .field("path", &self.path)
            .field("identity", &self.identity);
        debug
            .field("open", self.pages.source())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for HiveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("clean"),
            Self::Dirty(dirt) => write!(f, "dirty: {dirt}"),
        }
    }
}

impl fmt::Display for Dirt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence { primary, secondary } => write!(
                f,
                "a write was begun and not completed (sequence numbers {primary} and {secondary})"
            ),
            Self::Checksum { stored, computed } => write!(
                f,
                "the header's checksum is {stored:#010x} and should be {computed:#010x}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn hive(size: usize) -> Vec<u8> {
        let mut bytes = b"regf".to_vec();
        bytes.resize(size, 7);
        bytes[4..12].copy_from_slice(&[5, 0, 0, 0, 5, 0, 0, 0]);
        bytes[28..32].fill(0);
        seal(&mut bytes);
        bytes
    }

    fn seal(bytes: &mut [u8]) {
        let sum = crate::regf::checksum(bytes).unwrap();
        bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    }

    fn on_disk(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let disk = tempfile::tempdir().unwrap();
        let path = disk.path().join("SYSTEM");
        fs::write(&path, bytes).unwrap();
        (disk, path)
    }

    #[test]
    fn state_names_what_is_wrong() {
        let mut bytes = hive(8192);
        let (_disk, path) = on_disk(&bytes);
        assert_eq!(HiveFile::open(&path).unwrap().state(), HiveState::Clean);
        bytes[4] = 6;
        fs::write(&path, &bytes).unwrap();
        let state = HiveFile::open(&path).unwrap().state();
        assert!(
            matches!(state, HiveState::Dirty(Dirt::Checksum { .. })),
            "{state}"
        );
        seal(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let state = HiveFile::open(&path).unwrap().state();
        assert!(
            state.to_string().contains("sequence numbers 6 and 5"),
            "{state}"
        );
    }

    #[test]
    fn reads_ranges_and_the_whole() {
        let mut bytes = hive(3 << 20);
        bytes[(2 << 20) + 5] = 99;
        let (_disk, path) = on_disk(&bytes);
        let file = HiveFile::open(&path).unwrap();
        let at = FileOffset((2 << 20) + 4);
        assert_eq!(HiveBytes::read(&file, at, 3).unwrap()[..], [7, 99, 7]);
        let past = HiveBytes::read(&file, FileOffset((3 << 20) - 2), 3).unwrap_err();
        assert_eq!(past.fault, Fault::Truncated { need: 3, have: 2 });
        let far = HiveBytes::read(&file, FileOffset(u64::MAX), usize::MAX).unwrap_err();
        assert!(matches!(far.fault, Fault::Truncated { .. }));
        let whole = file.read_whole().unwrap();
        assert_eq!(whole.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert!(whole.content == bytes);
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let (_disk, path) = on_disk(&hive(8192));
        let file = HiveFile::open(&path).unwrap();
        file.unchanged().unwrap();
        fs::write(&path, hive(12288)).unwrap();
        assert!(matches!(file.unchanged(), Err(DiskError::Changed { .. })));
        fs::remove_file(&path).unwrap();
        // Windows may keep the name of an open file until it is closed.
        let gone = file.unchanged().unwrap_err();
        assert!(cfg!(windows) || matches!(gone, DiskError::Missing { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn links_folders_and_pipes_are_refused_by_name() {
        let (disk, path) = on_disk(&hive(8192));
        let link = disk.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for (path, expected) in [(link.as_path(), "symbolic link"), (disk.path(), "folder")] {
            let message = HiveFile::open(path).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let message = HiveFile::open(Path::new("/dev/zero"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("device or pipe"), "{message}");
    }

    #[test]
    fn other_files_are_named() {
        let (_disk, path) = on_disk(b"REGEDIT4\r\n");
        let message = HiveFile::open(&path).unwrap_err().to_string();
        assert!(
            message.contains("this is a .reg text file, not a hive"),
            "{message}"
        );
    }
}
