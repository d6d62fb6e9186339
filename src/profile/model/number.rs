// SPDX-License-Identifier: GPL-3.0-or-later
//! Numbers as people write them.

/// `None` if this is not a number; more digits than fit give the largest one there is.
pub(crate) fn parse_number(text: &str) -> Option<u128> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => return None,
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some(u128::from_str_radix(digits, radix).unwrap_or(u128::MAX))
}
