// SPDX-License-Identifier: GPL-3.0-or-later
//! From a code, an event, a name or the words of an error to what they mean and what can be done.
//!
//! Pure data and look-up: the room knows no hive and no profile, only the names of profiles. The
//! data is `data/explain.json` and `data/windows-codes.txt`, part of the program. JSON, because the
//! one YAML reader belongs to the profiles, and because a table of lines cannot hold lists; one
//! entry stands on one line, so that a change of the data is read as a change of lines.
//!
//! Codes come first: `codes` finds every number of the text with what is said of it, `said`,
//! and `readings` says what it can be. Words come behind: those of the data's own texts
//! (`words`), and key words in other languages (`languages` in the data).

mod codes;
mod data;
mod entry;
mod fold;
mod look_up;
mod names;
mod nearest;
mod question;
mod readings;
mod said;
mod texts;
mod words;

pub use data::{DataError, Library};
pub use entry::{Entry, Kind, ProfileHint};
pub use look_up::{Answer, NotKnown};
pub use nearest::Nearest;
pub use readings::{CodeRead, Found, Reading};
