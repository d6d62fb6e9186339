// SPDX-License-Identifier: GPL-3.0-or-later
//! Transaction logs of both formats, written from images of a hive before and after a change.
//!
//! Shares no code with what reads them: the hash, the checksum and the layout are written down
//! here once more, from the specification.

#![allow(dead_code)] // No test file uses all of it.

/// Bytes that both formats count in.
const SECTOR: usize = 512;
/// Bytes that Windows tracks changes in.
const PAGE: usize = 4096;

/// Marks a primary file as one whose write was begun and not completed.
pub(crate) fn dirty(image: &[u8], primary: u32, secondary: u32) -> Vec<u8> {
    let mut image = image.to_vec();
    set(&mut image, 4, primary);
    set(&mut image, 8, secondary);
    seal_base_block(&mut image);
    image
}

/// Gives a base block the checksum of its bytes.
pub(crate) fn seal_base_block(image: &mut [u8]) {
    let words = image[..508].chunks_exact(4);
    let sum = words.fold(0, |sum, word| sum ^ u32_of(word, 0));
    let sum = match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    };
    set(image, 508, sum);
}

/// The field at `at`.
pub(crate) fn u32_of(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Sets the field at `at`.
pub(crate) fn set(bytes: &mut [u8], at: usize, field: u32) {
    bytes[at..at + 4].copy_from_slice(&field.to_le_bytes());
}

/// The first `length` bytes of `image`'s base block as a log of `file_type` has them.
fn base_block(image: &[u8], length: usize, file_type: u32, sequence: u32) -> Vec<u8> {
    let mut block = image[..length].to_vec();
    set(&mut block, 4, sequence);
    set(&mut block, 8, sequence);
    set(&mut block, 28, file_type);
    seal_base_block(&mut block);
    block
}

/// The pages of `after`'s bins that differ from `before` or are new, as offsets in the bins.
fn dirty_pages(before: &[u8], after: &[u8]) -> Vec<usize> {
    let old_end = u32_of(before, 40) as usize;
    let bins = (0..u32_of(after, 40) as usize).step_by(PAGE);
    bins.filter(|&at| {
        let page = PAGE + at..2 * PAGE + at;
        at >= old_end || before.get(page.clone()) != Some(&after[page])
    })
    .collect()
}

/// A log of the old format that brings `before` to `after`. Its base block is `after`'s.
///
/// `sector` is that of the disk, 512 or 4096; `file_type` is 1, or 2 as Windows 2000 wrote it.
pub(crate) fn old_log(
    before: &[u8],
    after: &[u8],
    sequence: u32,
    sector: usize,
    file_type: u32,
) -> Vec<u8> {
    let mut copy = after.to_vec();
    set(&mut copy, 44, (sector / SECTOR) as u32);
    let mut log = base_block(&copy, sector, file_type, sequence);
    let mut bitmap = vec![0; u32_of(after, 40) as usize / PAGE];
    let pages = dirty_pages(before, after);
    for at in &pages {
        // Eight pages of 512 bytes to each page of 4096.
        bitmap[at / PAGE] = 0xFF;
    }
    log.extend_from_slice(b"DIRT");
    log.extend_from_slice(&bitmap);
    log.resize(log.len().next_multiple_of(sector), 0);
    for at in pages {
        log.extend_from_slice(&after[PAGE + at..2 * PAGE + at]);
    }
    log
}

/// A log of the new format, entry by entry.
#[derive(Clone)]
pub(crate) struct NewLog {
    pub(crate) bytes: Vec<u8>,
    /// Where each entry begins.
    pub(crate) entries: Vec<usize>,
}

impl NewLog {
    /// A log without entries; `sequence` is that of the first one to come.
    pub(crate) fn new(image: &[u8], sequence: u32) -> Self {
        Self {
            bytes: base_block(image, SECTOR, 6, sequence),
            entries: Vec::new(),
        }
    }

    /// Adds the entry that brings `before` to `after`.
    pub(crate) fn entry(self, before: &[u8], after: &[u8], sequence: u32) -> Self {
        let pages = dirty_pages(before, after);
        let pages = pages
            .iter()
            .map(|&at| (at, &after[PAGE + at..2 * PAGE + at]));
        let pages: Vec<(usize, &[u8])> = pages.collect();
        let flags = u32_of(after, 144) & 1;
        self.raw_entry(&pages, u32_of(after, 40), flags, sequence)
    }

    /// Adds an entry with these pages, each with its offset in the bins.
    pub(crate) fn raw_entry(
        mut self,
        pages: &[(usize, &[u8])],
        bins_size: u32,
        flags: u32,
        sequence: u32,
    ) -> Self {
        let mut entry = b"HvLE".to_vec();
        let count = pages.len() as u32;
        for field in [0, flags, sequence, bins_size, count, 0, 0, 0, 0] {
            entry.extend_from_slice(&field.to_le_bytes());
        }
        for (at, page) in pages {
            entry.extend_from_slice(&(*at as u32).to_le_bytes());
            entry.extend_from_slice(&(page.len() as u32).to_le_bytes());
        }
        for (_, page) in pages {
            entry.extend_from_slice(page);
        }
        entry.resize(entry.len().next_multiple_of(SECTOR), 0);
        let size = entry.len() as u32;
        set(&mut entry, 4, size);
        seal_entry(&mut entry);
        self.entries.push(self.bytes.len());
        self.bytes.extend_from_slice(&entry);
        self
    }

    /// Fills the log up with what an earlier, longer one left behind.
    pub(crate) fn over(mut self, earlier: &Self) -> Self {
        let left = earlier.bytes.get(self.bytes.len()..).unwrap_or(&[]);
        self.bytes.extend_from_slice(left);
        self
    }

    /// The entry numbered `index` from 0, with what follows it.
    pub(crate) fn entry_mut(&mut self, index: usize) -> &mut [u8] {
        &mut self.bytes[self.entries[index]..]
    }
}

/// Gives an entry its two hashes.
pub(crate) fn seal_entry(entry: &mut [u8]) {
    let body = marvin32(&entry[40..]);
    entry[24..32].copy_from_slice(&body.to_le_bytes());
    let header = marvin32(&entry[..32]);
    entry[32..40].copy_from_slice(&header.to_le_bytes());
}

/// Marvin32 of bytes that fill whole words, as all that a log hashes does.
fn marvin32(bytes: &[u8]) -> u64 {
    assert!(bytes.len().is_multiple_of(4));
    let (mut a, mut b) = (0x7A4E_55C5_u32, 0x82EF_4D88_u32);
    let words = bytes.chunks_exact(4).map(|word| u32_of(word, 0));
    for word in words.chain([0x80, 0]) {
        a = a.wrapping_add(word);
        b ^= a;
        a = a.rotate_left(20).wrapping_add(b);
        b = b.rotate_left(9) ^ a;
        a = a.rotate_left(27).wrapping_add(b);
        b = b.rotate_left(19);
    }
    u64::from(b) << 32 | u64::from(a)
}
