// SPDX-License-Identifier: GPL-3.0-or-later
//! What a lock on a config folder comes to.

/// The file that is the lock, where locking a folder takes one: Windows.
pub(crate) const LOCK_FILE: &str = "hivemend.lock";

/// What a lock that is not free means.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has it.
    Taken,
    /// It cannot be had at all.
    Io(std::io::Error),
}
