// SPDX-License-Identifier: GPL-3.0-or-later
//! Upper case as Windows knows it since Vista: one UTF-16 unit to one UTF-16 unit.
//!
//! The table is frozen at Unicode 5: it is the `$UpCase` of every NTFS volume, where it is the same
//! table. Letters that got an upper case later have none here, and a letter whose upper case has
//! another lower case (`µ`, `ſ`, `ς`) keeps itself.

use std::sync::LazyLock;

/// The upper case of one UTF-16 unit; a unit without a simple upper case is its own.
pub fn upcase(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit.saturating_sub(0x20),
        0..=0x7F => unit,
        _ => TABLE.get(usize::from(unit)).copied().unwrap_or(unit),
    }
}

/// The upper case of a unit below 256.
pub(super) fn upcase_narrow(byte: u8) -> u16 {
    NARROW.get(usize::from(byte)).copied().unwrap_or(0)
}

const NARROW: [u16; 256] = narrow_table();

/// Written down apart from the table, which takes a while to make, and compared with it in a test.
const fn narrow_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut unit = 0_u16;
    while let Some((slot, behind)) = rest.split_first_mut() {
        *slot = match unit {
            0x61..=0x7A | 0xE0..=0xF6 | 0xF8..=0xFE => unit.saturating_sub(0x20),
            0xFF => 0x178,
            _ => unit,
        };
        rest = behind;
        unit = unit.saturating_add(1);
    }
    table
}

static TABLE: LazyLock<Vec<u16>> = LazyLock::new(|| (0..=u16::MAX).map(windows_upcase).collect());

/// Ranges in which no letter has an upper case in Windows, though some have one in Unicode.
const WITHOUT_UPPER_CASE: &[(u16, u16)] = &[
    (0x00B5, 0x00B5),
    (0x0131, 0x0131),
    (0x017F, 0x017F),
    (0x019B, 0x019B),
    (0x01C5, 0x01C5),
    (0x01C8, 0x01C8),
    (0x01CB, 0x01CB),
    (0x01F2, 0x01F2),
    (0x023F, 0x0240),
    (0x0252, 0x0252),
    (0x025C, 0x025C),
    (0x0261, 0x0261),
    (0x0264, 0x0266),
    (0x026A, 0x026A),
    (0x026C, 0x026C),
    (0x0282, 0x0282),
    (0x0287, 0x0287),
    (0x029D, 0x0345),
    (0x03C2, 0x03C2),
    (0x03D0, 0x03D6),
    (0x03F0, 0x03F1),
    (0x03F3, 0x03F5),
    (0x0525, 0x052F),
    (0x10D0, 0x1C8A),
    (0x1D8E, 0x1D8E),
    (0x1E9B, 0x1E9B),
    (0x1FBE, 0x1FBE),
    (0x2C5F, 0x2C5F),
    (0x2CEC, 0x2CF3),
    (0x2D27, 0x2D2D),
    (0xA661, 0xA661),
    (0xA699, 0xA69B),
    (0xA791, 0xABBF),
];

fn windows_upcase(unit: u16) -> u16 {
    match unit {
        // Greek letters with iota: Unicode maps them to two characters, Windows to the title case.
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => unit.saturating_add(8),
        0x1FB3 | 0x1FC3 | 0x1FF3 => unit.saturating_add(9),
        _ if is_without_upper_case(unit) => unit,
        _ => unicode_upcase(unit),
    }
}

fn is_without_upper_case(unit: u16) -> bool {
    let mut ranges = WITHOUT_UPPER_CASE.iter();
    ranges.any(|&(first, last)| (first..=last).contains(&unit))
}

/// Unicode's upper case, where it is a single unit.
fn unicode_upcase(unit: u16) -> u16 {
    let Some(char) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => u16::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn narrow_units_have_the_same_upper_case() {
        for byte in 0..=u8::MAX {
            assert_eq!(upcase_narrow(byte), upcase(u16::from(byte)), "{byte:#04x}");
        }
    }

    #[test]
    fn is_the_table_of_an_ntfs_volume() {
        // SHA-256 of `ntfscat -i 10` on a volume that mkntfs 2022.10.3 made.
        let table: Vec<u8> = (0..=u16::MAX)
            .flat_map(|u| upcase(u).to_le_bytes())
            .collect();
        let digest = Sha256::digest(&table);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "41c26bc7a12bdaeb26025c93118697c7e3ef81ee048b00fe5cce2a472e0e0742";
        assert_eq!(
            hex, expected,
            "did a new Unicode version give a letter an upper case?"
        );
    }
}
