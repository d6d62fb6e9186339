// SPDX-License-Identifier: GPL-3.0-or-later
//! Reading a profile: YAML with positions, then the model.
//!
//! `marks` finds where everything stands and refuses the parts of YAML that a profile never needs,
//! then `yaml` (the only importer of serde_yaml) gives the values. `fields` reads the fields of any
//! map; on it stands a reader for each thing that a profile says, and `profile` puts them together.

mod bounds;
mod cause;
mod choices;
mod data;
mod duplicates;
mod error;
mod fields;
mod key;
mod language;
mod marks;
mod nearest;
mod parameters;
mod parse;
mod profile;
mod scalar;
mod tokens;
mod value;
mod want;
mod when;
mod yaml;

pub(crate) use error::{Excerpt, Report, lines, write_lines, write_tail};
pub use error::{ProfileError, ProfileErrors};
pub use language::fields_of_the_language;
pub(crate) use nearest::nearest;
pub use parse::parse;
pub(crate) use parse::{PROFILE, SPLIT, not_a_profile, says_that_it_is_one};
