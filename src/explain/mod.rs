// SPDX-License-Identifier: GPL-3.0-or-later
//! From a code, an event, a name or the words of an error to what they mean and what can be done.
//!
//! Pure data and look-up: the room knows no hive and no profile, only the names of profiles. The
//! data is `data/explain.json`, part of the program. JSON, because the one YAML reader belongs to
//! the profiles, and because a table of lines cannot hold lists; one entry stands on one line, so
//! that a change of the data is read as a change of lines.

mod data;
mod entry;
mod look_up;
mod question;
mod words;

pub use data::{DataError, Library};
pub use entry::{Entry, Kind, ProfileHint};
pub use look_up::{Answer, NotKnown};
