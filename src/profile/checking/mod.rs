// SPDX-License-Identifier: GPL-3.0-or-later
//! What a profile that could be read hardly means, and profiles that disagree.

mod conflict;
mod lint;
mod lint_names;
mod lint_settings;
mod linter;
mod security;

pub use conflict::{Conflict, Conflicts, Entry, conflicts};
pub(crate) use lint::lint;
pub use linter::{Level, Lint};
pub use security::{is_known_safer, is_known_to_lower, is_known_to_raise};
