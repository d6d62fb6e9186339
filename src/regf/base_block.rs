// SPDX-License-Identifier: GPL-3.0-or-later
//! The base block: the first 4096 bytes of a primary file.

use super::bytes::u32_at;
use super::structures::{self, BaseBlockHead};
use super::{BASE_BLOCK_SIZE, CellOffset, Fault, FileOffset, Record, RegfError, field};

/// The fields of a base block that matter to a reader or a writer.
///
/// Spec: regf, *Format of primary files > Base block*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaseBlock {
    /// Incremented when a write to the primary file begins.
    pub primary_sequence: u32,
    /// Set to the primary sequence number when the write is complete.
    pub secondary_sequence: u32,
    /// FILETIME of the last write; not kept up to date since Windows 8.1.
    pub last_written: u64,
    /// Format version before the dot; 1 in every hive.
    pub major: u32,
    /// Format version behind the dot; 3 to 6.
    pub minor: u32,
    /// 0 for a primary file, 1, 2 or 6 for a transaction log.
    pub file_type: u32,
    /// 1: direct memory load.
    pub file_format: u32,
    /// The root key node.
    pub root: CellOffset,
    /// Bytes of all hive bins.
    pub bins_size: u32,
    /// Logical sector size divided by 512.
    pub clustering_factor: u32,
    /// Bit 0: the kernel transaction manager has locked the hive, transactions may be pending.
    pub flags: u32,
    /// The checksum as stored.
    pub stored_checksum: u32,
    /// The checksum as computed.
    pub checksum: u32,
}

impl BaseBlock {
    /// Reads a base block from the first 512 bytes of a file; only the signature is judged.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`] below 512 bytes, [`Fault::BadSignature`] where it is no `regf` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, RegfError> {
        Self::with_head(bytes).map(|(base, _)| base)
    }

    /// As [`BaseBlock::parse`], with all fields as they are stored.
    pub(crate) fn with_head(bytes: &[u8]) -> Result<(Self, BaseBlockHead), RegfError> {
        match bytes.first_chunk() {
            Some(&found) if found != BaseBlockHead::SIGNATURE => {
                let expected = "regf";
                return Err(fault(Fault::BadSignature { found, expected }));
            }
            _ => {}
        }
        let head = structures::read::<BaseBlockHead>(bytes);
        let (Some(head), Some(checksum)) = (head, checksum(bytes)) else {
            let have = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            return Err(fault(Fault::Truncated { need: 512, have }));
        };
        Ok((Self::of(&head, checksum), head))
    }

    fn of(head: &BaseBlockHead, checksum: u32) -> Self {
        Self {
            primary_sequence: head.primary_sequence.get(),
            secondary_sequence: head.secondary_sequence.get(),
            last_written: head.last_written.get(),
            major: head.major.get(),
            minor: head.minor.get(),
            file_type: head.file_type.get(),
            file_format: head.file_format.get(),
            root: head.root.get(),
            bins_size: head.bins_size.get(),
            clustering_factor: head.clustering_factor.get(),
            flags: head.flags.get(),
            stored_checksum: head.checksum.get(),
            checksum,
        }
    }

    /// Whether the last write to the primary file was completed.
    pub fn is_clean(&self) -> bool {
        self.primary_sequence == self.secondary_sequence && self.stored_checksum == self.checksum
    }

    /// Judges what a reader relies on: type, format, version and the size of the bins.
    ///
    /// Says nothing about being clean.
    ///
    /// # Errors
    ///
    /// The first field that a supported primary file of `file_size` bytes cannot have.
    pub fn validate(&self, file_size: u64) -> Result<(), RegfError> {
        if self.file_type != 0 {
            return Err(field("file type", self.file_type));
        }
        if self.file_format != 1 {
            return Err(field("file format", self.file_format));
        }
        if self.major != 1 || !(3..=6).contains(&self.minor) {
            let (major, minor) = (self.major, self.minor);
            return Err(fault(Fault::Version { major, minor }));
        }
        if self.bins_size == 0 || !self.bins_size.is_multiple_of(4096) {
            return Err(field("hive bins data size", self.bins_size));
        }
        let need = u64::from(self.bins_size).saturating_add(BASE_BLOCK_SIZE);
        if need > file_size {
            let have = file_size;
            return Err(fault(Fault::Truncated { need, have }));
        }
        Ok(())
    }
}

/// The XOR-32 checksum over the first 508 bytes of a base block.
///
/// Spec: regf, *Base block*, note 2.
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    let words = bytes.get(..field!(BaseBlockHead.checksum).offset())?;
    let words = words.chunks_exact(4);
    let sum = words.fold(0, |sum, word| sum ^ u32_at(word, 0).unwrap_or(0));
    Some(match sum {
        0 => 1,
        0xFFFF_FFFF => 0xFFFF_FFFE,
        other => other,
    })
}

fn fault(fault: Fault) -> RegfError {
    RegfError::new(FileOffset(0), Record::BaseBlock, fault)
}

fn field(field: &'static str, found: u32) -> RegfError {
    let found = u64::from(found);
    fault(Fault::BadField { field, found })
}
