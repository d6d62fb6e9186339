// SPDX-License-Identifier: GPL-3.0-or-later
//! What there is to mend from.

use std::ops::Range;

use super::donor::Donor;

/// What there is to mend from.
#[derive(Default)]
pub struct Input<'a> {
    /// The primary file, with what its logs hold already laid over it; zeros where it could not be read.
    pub image: &'a [u8],
    /// The first 512 bytes of its logs, for a base block that is lost.
    pub log_heads: &'a [Vec<u8>],
    /// The greatest sequence number in any log.
    pub beyond: u32,
    /// Other hives that may have what is lost here.
    pub donors: &'a [Donor<'a>],
    /// What is known to be destroyed, in bytes of the file.
    pub destroyed: &'a [Range<u64>],
}
