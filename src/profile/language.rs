// SPDX-License-Identifier: GPL-3.0-or-later
//! The names of the language, for whoever compares a description of it with the parser.

use super::data::TYPE_FIELDS;
use super::read_choice::PATTERN_FIELDS;
use super::read_parameter::PARAMETER_FIELDS;
use super::read_want::WANT_FIELDS;
use super::read_when::WHEN_FIELDS;
use super::schema::{KEY_FIELDS, PROFILE_FIELDS, VALUE_FIELDS};

/// The fields of each kind of entry: a profile, a key entry, a value entry, a parameter, a
/// condition, a choice of `one-of`, and a choice of `is`.
pub fn fields_of_the_language() -> [(&'static str, Vec<&'static str>); 7] {
    [
        ("profile", PROFILE_FIELDS.to_vec()),
        ("key", KEY_FIELDS.to_vec()),
        ("value", [VALUE_FIELDS, &TYPE_FIELDS, WANT_FIELDS].concat()),
        ("parameter", PARAMETER_FIELDS.to_vec()),
        ("condition", WHEN_FIELDS.to_vec()),
        ("choice", [&TYPE_FIELDS[..], &["type", "data"]].concat()),
        (
            "pattern",
            [&TYPE_FIELDS[..], &["type", "data"], PATTERN_FIELDS].concat(),
        ),
    ]
}
