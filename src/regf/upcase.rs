// SPDX-License-Identifier: GPL-3.0-or-later
//! Upper case as the Windows kernel knows it: one UTF-16 unit to one UTF-16 unit.

use std::sync::LazyLock;

/// The upper case of one UTF-16 unit; a unit without a simple upper case is its own.
pub fn upcase(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit.saturating_sub(0x20),
        0..=0x7F => unit,
        _ => TABLE.get(usize::from(unit)).copied().unwrap_or(unit),
    }
}

static TABLE: LazyLock<Vec<u16>> = LazyLock::new(|| (0..=u16::MAX).map(simple_upcase).collect());

fn simple_upcase(unit: u16) -> u16 {
    let Some(char) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => u16::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}
