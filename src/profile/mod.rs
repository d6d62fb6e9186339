// SPDX-License-Identifier: GPL-3.0-or-later
//! Baseline profiles: what a value should be, and why. Knows no hive.
//!
//! The language is described in `docs/profiles.md`. The room has four floors, and each uses only
//! those below it: the `model` of what a profile says, `reading` it from YAML, `checking` what was
//! read, and the `library` that finds profiles by their names. A [`Profile`] is read with all its
//! errors, not only the first.

mod checking;
mod library;
mod model;
mod reading;

pub use checking::{
    Conflict, Conflicts, Entry, Level, Lint, conflicts, is_known_safer, is_known_to_lower,
    is_known_to_raise,
};
pub use library::{
    BuiltIn, Group, Library, builtin, group_of, groups, lint, load, load_all, skeleton,
};
pub(crate) use model::TYPE_FIELDS;
pub use model::{
    Boot, Cause, Choice, ControlSet, Data, Deed, Forbidden, HiveName, Impact, Include, KeyPath,
    KeyPathError, KeyRule, Location, Parameter, ParameterKind, ParameterUse, Part, Profile,
    Setting, SettingError, Token, TokenTest, ValueRule, Verdict, Versions, Want, When, Wildcard,
    WindowsVersion, forbidden, kind_name, set_parameters, upcase, wildcard,
};
pub use reading::{ProfileError, ProfileErrors, fields_of_the_language, parse};
