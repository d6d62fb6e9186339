// SPDX-License-Identifier: GPL-3.0-or-later
//! Baseline profiles: what a value should be, and why. Knows no hive.
//!
//! The language is described in `docs/profiles.md`. A profile is read twice: `marks` finds where
//! everything stands and refuses the parts of YAML that a profile never needs, then `yaml`
//! (the only importer of serde_yaml) gives the values. `schema` makes a [`Profile`] of them and
//! collects every error on the way, not only the first.

mod choice;
mod conflict;
mod data;
mod elements;
mod error;
mod fields;
mod include;
mod key_path;
mod language;
mod lint;
mod lint_settings;
mod load;
mod marks;
mod model;
mod parameter;
mod read_choice;
mod read_parameter;
mod read_want;
mod read_when;
mod scalar;
mod schema;
mod security;
mod shipped;
mod skeleton;
mod tokens;
mod vital;
mod want;
mod when;
mod yaml;

pub use choice::Choice;
pub use conflict::{Conflict, Conflicts, Entry, conflicts};
pub use data::{Data, kind_name};
pub use error::{Location, ProfileError, ProfileErrors};
pub use include::{Library, load_all};
pub use key_path::{ControlSet, HiveName, KeyPath, KeyPathError, Wildcard, upcase, wildcard};
pub use language::fields_of_the_language;
pub use lint::{Level, Lint, lint};
pub use load::{MAX_PROFILE_BYTES, load, parse};
pub use model::{Boot, Cause, Impact, Include, KeyRule, Profile, ValueRule};
pub use parameter::{
    Parameter, ParameterKind, ParameterUse, Setting, SettingError, set_parameters,
};
pub use security::{is_known_safer, is_known_to_lower};
pub use shipped::{BuiltIn, builtin};
pub use skeleton::skeleton;
pub use tokens::TokenTest;
pub use vital::{Deed, Forbidden, forbidden};
pub use want::{Part, Token, Verdict, Want};
pub use when::{Versions, When, WindowsVersion};
