// SPDX-License-Identifier: GPL-3.0-or-later
//! The disk: every operation on it that this room asks for, and how each system does it.

mod disk;
mod loss;
pub(crate) mod platform;

pub use disk::{Disk, Handle, Medium};
pub(crate) use loss::nothing_lost;
