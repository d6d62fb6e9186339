// SPDX-License-Identifier: GPL-3.0-or-later
//! The names of the language, for whoever compares a description of it with the parser.

use super::choices::pattern_fields;
use super::data::data_fields;
use super::key::KEY_FIELDS;
use super::parameters::PARAMETER_FIELDS;
use super::profile::PROFILE_FIELDS;
use super::value::value_fields;
use super::when::WHEN_FIELDS;

/// The fields of each kind of entry: a profile, a key entry, a value entry, a parameter, a
/// condition, a choice of `one-of`, and a choice of `is`.
pub fn fields_of_the_language() -> [(&'static str, Vec<&'static str>); 7] {
    [
        ("profile", PROFILE_FIELDS.to_vec()),
        ("key", KEY_FIELDS.to_vec()),
        ("value", value_fields()),
        ("parameter", PARAMETER_FIELDS.to_vec()),
        ("condition", WHEN_FIELDS.to_vec()),
        ("choice", data_fields()),
        ("pattern", pattern_fields()),
    ]
}
