// SPDX-License-Identifier: GPL-3.0-or-later
//! The Marvin32 hash, which guards the entries of a transaction log.

use crate::regf::u32_at;

/// What Windows starts from when it hashes log entries.
///
/// Spec: regf, *Log entries*, note 3.
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// The Marvin32 hash of `bytes` with the seed of log entries.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    seeded(bytes, SEED)
}

fn seeded(bytes: &[u8], seed: u64) -> u64 {
    let [a, b, c, d, e, f, g, h] = seed.to_le_bytes();
    let mut low = u32::from_le_bytes([a, b, c, d]);
    let mut high = u32::from_le_bytes([e, f, g, h]);
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    words.for_each(|word| mix(u32_at(word, 0).unwrap_or(0)));
    mix(match *rest {
        [a] => u32::from_le_bytes([a, 0x80, 0, 0]),
        [a, b] => u32::from_le_bytes([a, b, 0x80, 0]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 0x80]),
        _ => 0x80,
    });
    mix(0);
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_published_vectors() {
        let vectors: [(&[u8], u64); 8] = [
            (&[], 0x30ED_35C1_00CD_3C7D),
            (&[0xAF], 0x48E7_3FC7_7D75_DDC1),
            (&[0xE7, 0x0F], 0xB5F6_E1FC_485D_BFF8),
            (&[0x37, 0xF4, 0x95], 0xF0B0_7C78_9B8C_F7E8),
            (&[0x86, 0x42, 0xDC, 0x59], 0x7008_F2E8_7E9C_F556),
            (&[0x15, 0x3F, 0xB7, 0x98, 0x26], 0xE6C0_8C6D_A2AF_A997),
            (&[0x09, 0x32, 0xE6, 0x24, 0x6C, 0x47], 0x6F04_BF1A_5EA2_4060),
            (
                &[0xAB, 0x42, 0x7E, 0xA8, 0xD1, 0x0F, 0xC7],
                0xE118_47E4_F067_8C41,
            ),
        ];
        for (bytes, hash) in vectors {
            assert_eq!(seeded(bytes, 0x004F_B61A_001B_DBCC), hash, "{bytes:02X?}");
        }
    }
}
