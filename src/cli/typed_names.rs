// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys and values as they were typed.

use std::ffi::OsStr;
use std::path::Path;

use super::failure::Failure;
use crate::disk::shown;
use crate::profile::KeyPath;
use crate::text::unescape;

/// A key's path or a value's name, which are text; only what a target is called need not be.
pub(super) fn text(word: &OsStr) -> Result<&str, Failure> {
    word.to_str().ok_or_else(|| {
        let word = shown(Path::new(word));
        Failure::usage(format!(
            "{word}: the name of a key or value is Unicode text"
        ))
    })
}

/// A key as people have it; what this program shows escaped in it may be typed so.
pub(super) fn key(text: &str) -> Result<KeyPath, Failure> {
    KeyPath::from_typed(&unescape(text))
        .map_err(|error| Failure::usage(format!("{}; {}", error.message, error.hint)))
}
