// SPDX-License-Identifier: GPL-3.0-or-later
//! What the operating system tells: folders and files by their handles, volumes, who holds what.
//!
//! The reads that each system spells differently have the same names in `unix` and in `windows`.

mod facts;
mod folder;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use facts::{Identity, Place, Volume};
pub(crate) use facts::{Mount, NoList};
pub use folder::{Folder, Spot};
#[cfg(unix)]
pub(crate) use unix::{
    advice, held_by, holder, identity, identity_at, is_no_name, is_root, is_same, missing, mount,
    not_allowed, open_plain, parent_program, places, read_at, running_config, typed, volume,
    writable,
};
#[cfg(windows)]
pub(crate) use windows::{
    advice, held_by, holder, identity, identity_at, is_no_name, is_root, is_same, missing, mount,
    not_allowed, open_plain, os_error, parent_program, places, read_at, running_config, typed,
    volume, writable,
};
