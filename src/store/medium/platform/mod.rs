// SPDX-License-Identifier: GPL-3.0-or-later
//! The writes that each operating system spells differently, under the same names.

mod lock;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use lock::{LOCK_FILE, LockError};
#[cfg(unix)]
pub(crate) use unix::{
    Lock, NO_LINKS, add_by_name, create_dir, create_new, kept, link, links, metadata, protect,
    remove_dir, remove_file, rename, seed, set_metadata, sync, sync_dir, would_lose,
};
#[cfg(windows)]
pub(crate) use windows::{
    Lock, NO_LINKS, add_by_name, create_dir, create_new, kept, link, links, metadata, protect,
    remove_dir, remove_file, rename, seed, set_metadata, sync, sync_dir, would_lose,
};
