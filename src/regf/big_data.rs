// SPDX-License-Identifier: GPL-3.0-or-later
//! Big data: a value's data in more than one cell.

use super::key_node::{check_signature, whole};
use super::structures::BigDataRecord;
use super::{CellOffset, DATA_SEGMENT_SIZE, Record, RegfError};

/// The record that leads to a list of data segments.
///
/// Spec: regf, *Big data*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigData {
    /// How many segments there are.
    pub segment_count: u16,
    /// The cell with the list of their offsets.
    pub segments_list: CellOffset,
}

impl BigData {
    /// Reads the record in the cell at `at`, whose payload is `bytes`.
    ///
    /// # Errors
    ///
    /// [`super::Fault::BadSignature`] or [`super::Fault::Truncated`].
    pub fn parse(at: CellOffset, bytes: &[u8]) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::BigData, fault);
        check_signature(bytes, &BigDataRecord::SIGNATURE, "db").map_err(error)?;
        let record: BigDataRecord = whole(bytes).map_err(error)?;
        Ok(Self {
            segment_count: record.segment_count.get(),
            segments_list: record.segments_list.get(),
        })
    }
}

/// Whether data of this many bytes stands in segments, in a hive of this minor version.
pub fn needs_big_data(minor: u32, size: u32) -> bool {
    minor >= 4 && size > DATA_SEGMENT_SIZE
}
