// SPDX-License-Identifier: GPL-3.0-or-later
//! The words of records and messages: names, contents, what a file has besides. They use nothing
//! else of this room.

mod content;
pub mod limits;
mod metadata;
mod names;
mod operation;
mod remembered;

pub use content::{Content, Sha256Sum};
pub(crate) use content::{hex, unhex};
pub use metadata::{FileMetadata, Kept, Stamp};
pub use names::{BackupId, FileName};
pub(crate) use names::{BadName, MANIFEST, utc_text};
pub use operation::Operation;
pub use remembered::Remembered;
