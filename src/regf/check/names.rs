// SPDX-License-Identifier: GPL-3.0-or-later
//! What names may be.

use super::codes::*;
use crate::regf::{KEY_NAME_LIMIT, StoredName, VALUE_NAME_LIMIT, upcase};
use crate::text::quoted;

/// The most characters of a name that a finding repeats.
const SHOWN: usize = 64;

/// A rule that a name breaks: what was found, what was expected.
pub(super) type Flaw = (FindingCode, String, &'static str);

/// Everything that is wrong with a key's name.
pub(super) fn key_flaws(name: StoredName<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let is_short = name.narrow && (1..=KEY_NAME_LIMIT).contains(&name.bytes.len());
    if is_short && !words(name.bytes).any(|word| has_byte(word, 0) || has_byte(word, b'\\')) {
        return flaws; // as nearly all names are
    }
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
    let is_short = name.narrow && name.bytes.len() <= VALUE_NAME_LIMIT;
    if is_short && !words(name.bytes).any(|word| has_byte(word, 0)) {
        return flaws; // as nearly all names are
    }
    flaws.extend(odd(name, VALUE_NAME_ODD));
    let expected = "at most 16383 characters";
    flaws.extend(long(name, VALUE_NAME_LIMIT, VALUE_NAME_LONG, expected));
    flaws.extend(needlessly_wide(name, VALUE_NAME_WIDE));
    flaws.extend(nul(name, VALUE_NAME_NUL));
    flaws
}

/// A number that is the same for all names which the registry takes for one.
///
/// Others that it is the same for are told apart by whoever compares the names themselves.
pub(super) fn likeness(name: StoredName<'_>) -> u64 {
    if name.narrow {
        return narrow_likeness(name.bytes);
    }
    let narrow = name.units().map(|unit| match upcase(unit) {
        0x178 => Some(0xFF), // the one upper case that is wide though its lower case is not
        upper => u8::try_from(upper).ok(),
    });
    match narrow.collect::<Option<Vec<u8>>>() {
        Some(bytes) => narrow_likeness(&bytes),
        None => u64::from(name.hash()),
    }
}

/// In a narrow character the bit for lower case is the same one wherever there is an upper case.
fn narrow_likeness(bytes: &[u8]) -> u64 {
    const CASE: u64 = u64::from_le_bytes([0x20; 8]);
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let length = u64::try_from(bytes.len()).unwrap_or(0);
    words(bytes).fold(length, |mark, word| {
        (mark.rotate_left(23) ^ (word & !CASE)).wrapping_mul(SPREAD)
    })
}

/// The bytes eight by eight; the last word has ones in front of what is left.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (whole, rest) = bytes.as_chunks::<8>();
    let rest = rest
        .iter()
        .fold(u64::MAX, |word, &byte| (word << 8) | u64::from(byte));
    let whole = whole.iter().map(|word| u64::from_le_bytes(*word));
    whole.chain([rest])
}

/// Whether one of the eight bytes of `word` is `byte`.
fn has_byte(word: u64, byte: u8) -> bool {
    const LOWEST: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    let zero_where_equal = word ^ u64::from_le_bytes([byte; 8]);
    zero_where_equal.wrapping_sub(LOWEST) & !zero_where_equal & HIGHEST != 0
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
    format!("{}{cut}", quoted(&String::from_utf16_lossy(&units)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_is_in_a_name() {
        for length in 0..20 {
            for at in 0..length {
                let mut name = vec![b'x'; length];
                name[at] = b'\\';
                assert!(words(&name).any(|word| has_byte(word, b'\\')));
                assert!(!words(&name).any(|word| has_byte(word, 0)));
                name[at] = 0;
                assert!(words(&name).any(|word| has_byte(word, 0)));
            }
        }
    }

    #[test]
    fn names_that_are_one_are_alike() {
        fn narrow(bytes: &[u8]) -> u64 {
            let narrow = true;
            likeness(StoredName { bytes, narrow })
        }
        for unit in 0..=u16::MAX {
            let bytes = unit.to_le_bytes();
            let wide = likeness(StoredName {
                bytes: &bytes,
                narrow: false,
            });
            for byte in 0..=u8::MAX {
                if upcase(unit) == upcase(u16::from(byte)) {
                    let byte = [byte];
                    assert_eq!(narrow(&byte), wide, "{unit:#x} {byte:?}");
                }
            }
        }
        assert_eq!(
            narrow(b"ServiceDll and more"),
            narrow(b"SERVICEDLL AND MORE")
        );
        assert_ne!(narrow(b"ServiceDll1"), narrow(b"ServiceDll2"));
        assert_ne!(narrow(b""), narrow(b"\xFF"));
    }
}
