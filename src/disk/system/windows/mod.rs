// SPDX-License-Identifier: GPL-3.0-or-later
//! The reads as Windows spells them, and what its errors mean at a recovery machine.

mod advice;
mod codes;
mod files;
mod holder;
mod open_folder;
mod parent;
mod volumes;

pub(crate) use advice::{advice, is_no_name, missing, not_allowed};
pub(crate) use files::{
    identity, identity_at, is_root, is_same, open_plain, os_error, read_at, running_config, typed,
    writable,
};
pub(crate) use holder::{held_by, holder};
pub(crate) use open_folder::OpenFolder;
pub(crate) use parent::parent_program;
pub(crate) use volumes::{mount, places, volume};
