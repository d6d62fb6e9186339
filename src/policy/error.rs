// SPDX-License-Identifier: GPL-3.0-or-later
//! Why a file is no `Registry.pol` that can be read to its end.

/// Where a file cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Registry.pol at {at:#010x} (after {entries} entries): {fault}")]
pub struct PolicyError {
    /// In bytes from the start of the file.
    pub at: u64,
    /// How many entries before it were read; Windows carries those out.
    pub entries: usize,
    /// What is wrong.
    pub fault: PolicyFault,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// The first four bytes are others.
    #[error("the file begins with {} and should with PReg; Windows ignores it", hex::encode(.0))]
    Signature(Vec<u8>),
    /// The version is another.
    #[error("version {0}, expected 1")]
    Version(u32),
    /// The file ends too early.
    #[error("the file ends in {0}")]
    Truncated(&'static str),
    /// Another character is there.
    #[error("found U+{found:04X}, expected {expected}")]
    Separator {
        /// The UTF-16 unit that is there.
        found: u16,
        /// What should be.
        expected: &'static str,
    },
    /// The data is longer than the file.
    #[error("{size} bytes of data, and the file has {have} more")]
    DataSize {
        /// As the entry says.
        size: u32,
        /// Bytes that are left.
        have: usize,
    },
}
