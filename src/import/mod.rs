// SPDX-License-Identifier: GPL-3.0-or-later
//! What others wrote about a registry, read as operations, and a draft of a profile made of them.
//!
//! Four languages, told apart by what stands in a file: `.reg` files, command lines (REG ADD and
//! PowerShell, also in the middle of an article), DSC documents and `Registry.pol`. Nothing is
//! dropped: what a language can say and a profile cannot is an error with its place. Mistakes that
//! articles are known to make are named, and what they meant is taken only where that is asked for.
//!
//! Pure: bytes in, operations out. What is kept grows with the file and no faster.

mod collector;
mod commands;
mod decode;
mod draft;
mod dsc;
mod key;
mod known;
mod merge;
mod mistake;
mod mounts;
mod number;
mod operation;
mod place;
mod policy_file;
mod read;
mod recognise;
mod reg_file;
mod reg_value;
mod trouble;

pub use decode::CodePage;
pub use draft::{Draft, DraftKey, DraftValue, DraftWant, draft};
pub use known::undo_of;
pub use mistake::{Mistake, MistakeKind};
pub use mounts::Mounts;
pub use operation::{Deed, Operation};
pub use place::Place;
pub use read::{Import, Options, read};
pub use recognise::{Format, recognise};
pub use trouble::{ImportErrors, Trouble};
