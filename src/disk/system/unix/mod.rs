// SPDX-License-Identifier: GPL-3.0-or-later
//! The reads as Unix spells them.

mod files;
mod holder;
mod mountinfo;
mod open_folder;
mod volumes;

pub(crate) use files::{
    advice, held_by, identity, identity_at, is_no_name, is_root, is_same, missing, not_allowed,
    open_plain, parent_program, read_at, running_config, typed, writable,
};
pub(crate) use holder::holder;
pub(crate) use open_folder::OpenFolder;
pub(crate) use volumes::{mount, places, volume};
