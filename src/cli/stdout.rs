// SPDX-License-Identifier: GPL-3.0-or-later
//! Standard output as this program was given it: closed, or open for reading only, takes nothing.
//!
//! Rust opens `/dev/null` in the place of a closed descriptor before `main` begins, and writing to
//! it succeeds. So it is looked at earlier, which is all that is done there.

use std::io;

#[cfg(unix)]
mod given {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use rustix::fs::{OFlags, fcntl_getfl};

    static IS_WRITABLE: AtomicBool = AtomicBool::new(true);

    /// Runs before `main`, and before Rust has looked at the descriptors.
    #[ctor::ctor]
    fn look() {
        let flags = fcntl_getfl(rustix::stdio::stdout());
        let is_writable = flags.is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
        IS_WRITABLE.store(is_writable, Relaxed);
    }

    pub(super) fn is_writable() -> bool {
        IS_WRITABLE.load(Relaxed)
    }
}

#[cfg(windows)]
mod given {
    use std::os::windows::io::AsRawHandle;

    /// Rust takes what is written to no handle for written.
    pub(super) fn is_writable() -> bool {
        !std::io::stdout().as_raw_handle().is_null()
    }
}

/// Fails where nothing that is written to standard output gets anywhere.
pub(super) fn expect_writable() -> io::Result<()> {
    match given::is_writable() {
        true => Ok(()),
        false => Err(io::Error::other("standard output is closed")),
    }
}
