// SPDX-License-Identifier: GPL-3.0-or-later
//! What names may be.

use super::codes::*;
use crate::regf::StoredName;

/// The most characters in a key's name.
const KEY_NAME_LIMIT: usize = 255;
/// The most characters in a value's name.
const VALUE_NAME_LIMIT: usize = 16_383;
/// The most characters of a name that a finding repeats.
const SHOWN: usize = 64;

/// A rule that a name breaks: what was found, what was expected.
pub(super) type Flaw = (FindingCode, String, &'static str);

/// Everything that is wrong with a key's name.
pub(super) fn key_flaws(name: StoredName<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if name.bytes.is_empty() {
        flaws.push((KEY_NAME_EMPTY, "no name".to_owned(), "a name"));
    }
    flaws.extend(odd(name, KEY_NAME_ODD));
    flaws.extend(long(
        name,
        KEY_NAME_LIMIT,
        KEY_NAME_LONG,
        "at most 255 characters",
    ));
    flaws.extend(needlessly_wide(name, KEY_NAME_WIDE));
    flaws.extend(nul(name, KEY_NAME_NUL));
    if name.bytes.contains(&b'\\') && name.units().any(|unit| unit == u16::from(b'\\')) {
        let found = shown(name);
        let expected = "no backslash, which separates names";
        flaws.push((KEY_NAME_BACKSLASH, found, expected));
    }
    flaws
}

/// Everything that is wrong with a value's name.
pub(super) fn value_flaws(name: StoredName<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    flaws.extend(odd(name, VALUE_NAME_ODD));
    let expected = "at most 16383 characters";
    flaws.extend(long(name, VALUE_NAME_LIMIT, VALUE_NAME_LONG, expected));
    flaws.extend(needlessly_wide(name, VALUE_NAME_WIDE));
    flaws.extend(nul(name, VALUE_NAME_NUL));
    flaws
}

fn odd(name: StoredName<'_>, code: FindingCode) -> Option<Flaw> {
    let is_odd = !name.narrow && !name.bytes.len().is_multiple_of(2);
    let found = || format!("{} bytes of UTF-16", name.bytes.len());
    is_odd.then(|| (code, found(), "an even number of bytes"))
}

fn long(
    name: StoredName<'_>,
    limit: usize,
    code: FindingCode,
    expected: &'static str,
) -> Option<Flaw> {
    let length = name.utf16_size().checked_div(2).unwrap_or(0);
    (length > limit).then(|| (code, format!("{length} characters"), expected))
}

fn needlessly_wide(name: StoredName<'_>, code: FindingCode) -> Option<Flaw> {
    let is_needless = !name.narrow && !name.bytes.is_empty() && name.units().all(|unit| unit < 256);
    let expected = "one byte a character, and the flag for it";
    is_needless.then(|| (code, format!("{} as UTF-16", shown(name)), expected))
}

fn nul(name: StoredName<'_>, code: FindingCode) -> Option<Flaw> {
    let has_nul = name.bytes.contains(&0) && name.units().any(|unit| unit == 0);
    let expected = "no NUL character, which hides the name from most programs";
    has_nul.then(|| (code, shown(name), expected))
}

/// A name as a finding repeats it: in quotation marks, escaped, cut off where it is long.
pub(super) fn shown(name: StoredName<'_>) -> String {
    let units: Vec<u16> = name.units().take(SHOWN).collect();
    let cut = if name.units().nth(SHOWN).is_some() {
        "..."
    } else {
        ""
    };
    format!("{:?}{cut}", String::from_utf16_lossy(&units))
}
