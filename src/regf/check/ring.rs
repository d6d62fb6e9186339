// SPDX-License-Identifier: GPL-3.0-or-later
//! The ring of key security records while it is checked.

use std::collections::BTreeMap;

use crate::regf::CellOffset;

/// The records of the ring by their cells.
#[derive(Default)]
pub(super) struct Ring {
    pub(super) uses: BTreeMap<CellOffset, Use>,
}

/// How often a record is used.
pub(super) struct Use {
    pub(super) stored: u32,
    pub(super) counted: u32,
}
