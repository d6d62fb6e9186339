// SPDX-License-Identifier: GPL-3.0-or-later
//! What speaks against writing to a target.

mod loose_mount;
mod refusals;

pub use loose_mount::{LooseMount, loose_mount};
pub use refusals::{before_writing, not_held, not_hibernated, not_running, space, writable};
