// SPDX-License-Identifier: GPL-3.0-or-later
//! What can be wrong with a hive: where, in which structure, what was found.

use std::fmt;
use std::io::ErrorKind;

use super::FileOffset;

/// A structure of the hive format that could not be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegfError {
    /// Where the structure (for a cell: its size field) begins.
    pub at: FileOffset,
    /// Which structure was being read.
    pub record: Record,
    /// What is wrong with it.
    pub fault: Fault,
}

impl RegfError {
    /// An error about the `record` that begins at `at`.
    pub fn new(at: FileOffset, record: Record, fault: Fault) -> Self {
        Self { at, record, fault }
    }
}

impl fmt::Display for RegfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.record, self.at, self.fault)
    }
}

impl std::error::Error for RegfError {}

/// The structures of the specification, as error messages name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is its own explanation")]
#[non_exhaustive]
pub enum Record {
    BaseBlock,
    HiveBin,
    Cell,
    KeyNode,
    KeyValue,
    KeyValuesList,
    SubkeysList,
    IndexRoot,
    BigData,
    SegmentsList,
    ValueData,
    ClassName,
    KeySecurity,
    DirtyVector,
    LogEntry,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaseBlock => "base block",
            Self::HiveBin => "hive bin",
            Self::Cell => "cell",
            Self::KeyNode => "key node",
            Self::KeyValue => "key value",
            Self::KeyValuesList => "key values list",
            Self::SubkeysList => "subkeys list",
            Self::IndexRoot => "index root",
            Self::BigData => "big data",
            Self::SegmentsList => "big data segments list",
            Self::ValueData => "value data",
            Self::ClassName => "class name",
            Self::KeySecurity => "key security",
            Self::DirtyVector => "dirty vector",
            Self::LogEntry => "log entry",
        })
    }
}

/// What is wrong with a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It needs more bytes than its cell, or the file, has.
    Truncated {
        /// Bytes that it needs.
        need: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// The bytes could not be read from the disk.
    Unreadable(ErrorKind),
    /// It does not begin with the signature it must have.
    BadSignature {
        /// The bytes found, as text where printable.
        found: [u8; 4],
        /// What stands there in a sound hive.
        expected: &'static str,
    },
    /// A cell whose size is zero, not a multiple of 8, or leaves the bins.
    BadCellSize(i32),
    /// A cell that is referenced but not in use.
    FreeCell,
    /// An offset that leaves the hive bins data or is not a multiple of 8.
    BadOffset(u32),
    /// The checksum stored in the base block is not that of its bytes.
    BadChecksum {
        /// As stored.
        found: u32,
        /// As computed.
        expected: u32,
    },
    /// The format version is one this program does not handle.
    Version {
        /// Major version.
        major: u32,
        /// Minor version.
        minor: u32,
    },
    /// A field has a value that the structure cannot have.
    BadField {
        /// The field, as the specification names it.
        field: &'static str,
        /// Its value.
        found: u64,
    },
    /// Two counts that must agree do not.
    CountMismatch {
        /// What is counted.
        field: &'static str,
        /// As stored.
        stored: u64,
        /// As counted.
        counted: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { need, have } => {
                write!(f, "needs {need} bytes, only {have} are there")
            }
            Self::Unreadable(kind) => write!(f, "could not be read: {kind}"),
            Self::BadSignature { found, expected } => {
                write!(
                    f,
                    "begins with \"{}\", not \"{expected}\"",
                    found.escape_ascii()
                )
            }
            Self::BadCellSize(size) => write!(f, "cell size {size} is impossible here"),
            Self::FreeCell => f.write_str("is referenced, but the cell is marked free"),
            Self::BadOffset(offset) => {
                write!(f, "offset {offset:#010x} does not lead to a cell")
            }
            Self::BadChecksum { found, expected } => {
                write!(f, "checksum is {found:#010x}, should be {expected:#010x}")
            }
            Self::Version { major, minor } => {
                write!(
                    f,
                    "format version {major}.{minor} is not supported (1.3 to 1.6 are)"
                )
            }
            Self::BadField { field, found } => write!(f, "{field} cannot be {found} ({found:#x})"),
            Self::CountMismatch {
                field,
                stored,
                counted,
            } => write!(f, "{field} is {stored}, but {counted} are there"),
        }
    }
}
