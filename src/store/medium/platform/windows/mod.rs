// SPDX-License-Identifier: GPL-3.0-or-later
//! The writes as Windows spells them.
//!
//! A hive is replaced by a rename, which NTFS does in one journalled step; `ReplaceFileW` would
//! carry more over by itself, but takes two, and a power cut between them leaves no hive. So what
//! belongs to the file is carried over before: the descriptor by the permission calls, times and
//! attributes by name, alternate streams by letting the system copy the old file and cutting the
//! copy's content off.

mod codes;
mod files;
mod lock;
mod metadata;
mod security;
mod verbatim;

pub(crate) use files::{
    NO_LINKS, create_dir, create_new, kept, link, links, remove_dir, remove_file, rename, seed,
    sync, sync_dir, would_lose,
};
pub(crate) use lock::Lock;
pub(crate) use metadata::{metadata, set_metadata};
pub(crate) use security::{add_by_name, protect};
