// SPDX-License-Identifier: GPL-3.0-or-later
//! Names as Windows compares them.

/// Returns the name as UTF-16 code units in upper case, each mapped by itself as Windows does.
///
/// Two names are the same if this is. A character whose upper case is more than one code unit
/// stays as it is, and so does every one beyond the basic plane.
pub fn upcase(name: &str) -> Vec<u16> {
    name.encode_utf16().map(upcase_unit).collect()
}

pub(super) fn upcase_unit(unit: u16) -> u16 {
    let Some(c) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => u16::try_from(u32::from(upper)).unwrap_or(unit),
        _ => unit,
    }
}
