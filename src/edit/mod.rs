// SPDX-License-Identifier: GPL-3.0-or-later
//! The only room that changes hive bytes, in memory.
//!
//! An [`Editor`] takes a whole sound image, edits it, and gives back a sealed one that was checked
//! again. It changes only the cells it must, and nothing at all where nothing is to change.

#![deny(clippy::arithmetic_side_effects)]

mod allocate;
mod damage;
mod editor;
mod error;
mod free_cells;
mod image;
mod inheritance;
mod keys;
mod open_values;
mod ring;
mod search;
mod security;
mod subkeys;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
mod values;
mod values_list;
mod way;

pub use editor::{Editor, Sealed};
pub use error::{EditError, Refusal};
// For the tests, which are a crate of their own; nothing is promised.
#[doc(hidden)]
pub use inheritance::{AclKind, Creator, ListRule, inherit, inherit_list};
