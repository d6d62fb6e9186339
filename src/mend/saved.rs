// SPDX-License-Identifier: GPL-3.0-or-later
//! What was saved of a hive, before it is written.

use std::ops::Range;

use super::base::Base;
use super::bins::Bins;
use super::model::Tree;
use super::notes::Notes;
use super::orphans::Orphans;
use super::page_moves::PageMove;

/// What was saved, before it is written.
pub(super) struct Saved {
    pub(super) bins: Bins,
    pub(super) base: Base,
    pub(super) minor: u32,
    pub(super) tree: Tree,
    pub(super) notes: Notes,
    pub(super) moves: Vec<PageMove>,
    pub(super) orphans: Option<Orphans>,
    /// Where nothing says that what stands there is this hive's.
    pub(super) strange: Vec<Range<usize>>,
}
