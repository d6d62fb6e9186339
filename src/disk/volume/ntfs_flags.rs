// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether an NTFS volume is flagged as needing chkdsk. ntfs-3g mounts it all the same, and shows
//! the flag nowhere: it is read from the device.

use std::fs::File;
use std::path::Path;

use crate::disk::system::{self, read_at};

/// Sectors are at least this long, and so is what is read of the first.
const SECTOR: usize = 512;
/// Longest MFT record that is believed.
const LONGEST_RECORD: usize = 65_536;
/// The record of `$Volume`, in the first extent of the MFT.
const VOLUME_RECORD: u64 = 3;
/// The attribute `$VOLUME_INFORMATION`.
const VOLUME_INFORMATION: u32 = 0x70;
/// In the flags of that attribute: the volume must be checked.
const IS_DIRTY: u16 = 1;

/// Whether the volume that holds `folder` is flagged; `None` where that cannot be told: it is not
/// mounted by ntfs-3g, or its device cannot be read.
pub(crate) fn is_dirty(folder: &Path) -> Option<bool> {
    let mount = system::mount(folder)?;
    // The drivers in the kernel set the flag themselves while a volume is mounted.
    if !mount.file_system.starts_with("fuse") {
        return None;
    }
    let device = system::open_plain(&mount.source).ok()?;
    flags(&device).map(|flags| flags & IS_DIRTY != 0)
}

/// The volume's flags.
fn flags(device: &File) -> Option<u16> {
    let boot = read(device, 0, SECTOR)?;
    if boot.get(3..11)? != b"NTFS    " {
        return None;
    }
    let sector = u64::from(u16_at(&boot, 11)?);
    let cluster = sector.checked_mul(cluster_sectors(*boot.get(13)?)?)?;
    let mft = u64_at(&boot, 48)?.checked_mul(cluster)?;
    let record = record_size(*boot.get(64)?, cluster)?;
    let at = mft.checked_add(VOLUME_RECORD.checked_mul(u64::try_from(record).ok()?)?)?;
    let record = read(device, at, record)?;
    if record.get(..4)? != b"FILE" {
        return None;
    }
    volume_flags(&record)
}

/// Walks the attributes. The flags lie in the record's first sector, before the two bytes that the
/// update sequence replaces.
fn volume_flags(record: &[u8]) -> Option<u16> {
    let mut at = usize::from(u16_at(record, 20)?);
    while at < record.len() {
        let kind = u32_at(record, at)?;
        let length = usize::try_from(u32_at(record, at.checked_add(4)?)?).ok()?;
        if kind == VOLUME_INFORMATION {
            let value = usize::from(u16_at(record, at.checked_add(20)?)?);
            return u16_at(record, at.checked_add(value)?.checked_add(10)?);
        }
        if length == 0 || kind > VOLUME_INFORMATION {
            return None;
        }
        at = at.checked_add(length)?;
    }
    None
}

/// Sectors in a cluster: a number, or above 128 the negated power of two.
fn cluster_sectors(byte: u8) -> Option<u64> {
    match byte {
        0 => None,
        1..=128 => Some(u64::from(byte)),
        _ => 1_u64.checked_shl(u32::from(byte.wrapping_neg())),
    }
}

/// Bytes in an MFT record: a number of clusters, or above 127 the negated power of two.
fn record_size(byte: u8, cluster: u64) -> Option<usize> {
    let size = match byte {
        1..=127 => cluster.checked_mul(u64::from(byte))?,
        _ => 1_u64.checked_shl(u32::from(byte.wrapping_neg()))?,
    };
    let size = usize::try_from(size).ok()?;
    (SECTOR..=LONGEST_RECORD).contains(&size).then_some(size)
}

fn read(device: &File, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    let count = read_at(device, &mut bytes, at).ok()?;
    (count == length).then_some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_powers_of_two() {
        assert_eq!(cluster_sectors(8), Some(8));
        assert_eq!(cluster_sectors(0xF4), Some(4096));
        assert_eq!(cluster_sectors(0), None);
        assert_eq!(record_size(0xF6, 4096), Some(1024));
        assert_eq!(record_size(1, 4096), Some(4096));
        assert_eq!(record_size(0x80, 4096), None);
    }

    #[test]
    fn hostile_records_end() {
        for length in [0, 21, 48, 1024] {
            assert_eq!(volume_flags(&vec![0; length]), None);
            assert_eq!(volume_flags(&vec![0xFF; length]), None);
        }
        let file = tempfile::tempfile().unwrap();
        file.set_len(8192).unwrap();
        assert_eq!(flags(&file), None);
    }
}
