// SPDX-License-Identifier: GPL-3.0-or-later
//! Numbers as command lines write them.

/// What a word is as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// This one.
    Is(u64),
    /// Hexadecimal digits with a letter among them and no `0x` in front: probably this one.
    WithoutPrefix(u64),
    /// No number.
    No,
}

/// Reads decimal digits, or hexadecimal ones behind `0x`.
pub(super) fn number(word: &str) -> Number {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let is_hex = |digits: &str| {
        !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    if let Some(digits) = hex {
        return match u64::from_str_radix(digits, 16) {
            Ok(number) if is_hex(digits) => Number::Is(number),
            _ => Number::No,
        };
    }
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        return word.parse().map_or(Number::No, Number::Is);
    }
    match u64::from_str_radix(word, 16) {
        Ok(number) if is_hex(word) => Number::WithoutPrefix(number),
        _ => Number::No,
    }
}
