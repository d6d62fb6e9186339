// SPDX-License-Identifier: GPL-3.0-or-later
//! How long a transaction log of a hive can be.

/// Bytes after which Windows goes on in the other log, whatever the size of hive and volume.
///
/// Windows 10 computes it anew for each hive: eight times the hive's first 8 KiB and a quarter of the
/// rest (a real SYSTEM of 12,845,056 bytes has logs of 3,163,136 and 3,211,264), never more than 1/2048
/// of the volume, and never more than this.
const GOES_ON: u64 = 32 << 20;

/// The most bytes that a transaction log of a hive of `hive_size` bytes is believed to have.
///
/// The last entry may begin in front of the place where Windows goes on in the other log, and one entry
/// may hold every page of the hive; a log of the old format holds every page at the most. All of that
/// is doubled: in memory the hive may have grown beyond its file, references and hashes take room too,
/// and other versions may reckon otherwise (the longest of the real logs measured, in proportion, has
/// 1.07 times the bytes of its hive).
pub const fn longest_log(hive_size: u64) -> u64 {
    GOES_ON.saturating_add(hive_size).saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_may_hold_the_whole_hive() {
        assert_eq!(longest_log(0), 64 << 20);
        assert!(longest_log(100 << 20) > 200 << 20);
        assert_eq!(longest_log(u64::MAX), u64::MAX);
    }
}
