// SPDX-License-Identifier: GPL-3.0-or-later
//! What would be lost if a new file took a hive's place.

use super::disk::Handle;
use super::platform;
use crate::store::error::StoreFault;

/// Refuses a hive that has something which would be lost.
pub(crate) fn nothing_lost(handle: &Handle) -> Result<(), StoreFault> {
    let path = handle.spot.path();
    let found = platform::would_lose(&handle.file).map_err(StoreFault::io("look at", path))?;
    match found {
        Some(what) => Err(StoreFault::WouldLose {
            path: path.to_path_buf(),
            what,
        }),
        None => Ok(()),
    }
}
