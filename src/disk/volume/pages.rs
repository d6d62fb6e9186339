// SPDX-License-Identifier: GPL-3.0-or-later
//! Positioned reads through a small cache.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::io;

/// Bytes read ahead and kept together: four pages of a hive.
const BLOCK: u64 = 16 * 1024;
/// Blocks kept: 4 MiB, however large the hive is.
const BLOCKS: usize = 256;
/// Longer reads are big values, which nobody reads twice.
const LONGEST_CACHED: usize = 64 * 1024;
/// Blocks with a bad sector that are remembered, so that a failing disk is not asked again.
const BAD_BLOCKS: usize = 4096;

/// What a disk reads wholly or not at all, at the least.
const SECTOR: usize = 512;

/// Where pages come from.
pub(super) trait ReadAt {
    /// Reads some bytes at `at`, as `std::os::unix::fs::FileExt::read_at`.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl ReadAt for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        crate::disk::system::read_at(self, buffer, at)
    }
}

/// A file's bytes, read on demand.
pub(super) struct Pages<R> {
    source: R,
    size: u64,
    cache: RefCell<Cache>,
}

#[derive(Default)]
struct Cache {
    blocks: BTreeMap<u64, Block>,
    bad: HashSet<u64>,
    clock: u64,
}

struct Block {
    bytes: Vec<u8>,
    used: u64,
}

impl<R: ReadAt> Pages<R> {
    /// Pages of a file of `size` bytes.
    pub(super) fn new(source: R, size: u64) -> Self {
        Self {
            source,
            size,
            cache: RefCell::default(),
        }
    }

    /// Where the pages come from.
    pub(super) fn source(&self) -> &R {
        &self.source
    }

    /// Exactly `length` bytes from `at` on, which the caller knows to lie in the file.
    ///
    /// A bad sector fails only the reads that need it, not their neighbours in its block.
    pub(super) fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        if length > LONGEST_CACHED {
            return self.exactly(at, length);
        }
        match self.through_cache(at, length) {
            Some(bytes) => Ok(bytes),
            None => self.exactly(at, length),
        }
    }

    /// The offset of the first sector in this range that cannot be read, and why.
    pub(super) fn first_unreadable(&self, at: u64, length: usize) -> Option<(u64, io::Error)> {
        let sectors = (0..length).step_by(SECTOR).map(|skip| {
            let length = SECTOR.min(length.saturating_sub(skip));
            let skip = u64::try_from(skip).unwrap_or(u64::MAX);
            (at.saturating_add(skip), length)
        });
        let mut failed = sectors.filter_map(|(at, length)| {
            let error = self.exactly(at, length).err()?;
            Some((at, error))
        });
        failed.next()
    }

    /// The bytes from cached blocks, or `None` where a block cannot be read whole.
    fn through_cache(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        let mut cache = self.cache.try_borrow_mut().ok()?;
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let position = at.checked_add(u64::try_from(bytes.len()).ok()?)?;
            let block = self.block(&mut cache, position.checked_div(BLOCK)?)?;
            let skip = usize::try_from(position.checked_rem(BLOCK)?).ok()?;
            let missing = length.saturating_sub(bytes.len());
            let piece = block.get(skip..)?;
            let piece = piece.get(..missing).unwrap_or(piece);
            if piece.is_empty() {
                return None;
            }
            bytes.extend_from_slice(piece);
        }
        Some(bytes)
    }

    fn block<'c>(&self, cache: &'c mut Cache, number: u64) -> Option<&'c [u8]> {
        cache.clock = cache.clock.saturating_add(1);
        let now = cache.clock;
        if !cache.blocks.contains_key(&number) {
            if cache.bad.contains(&number) {
                return None;
            }
            let bytes = self.load(cache, number)?;
            cache.make_room();
            cache.blocks.insert(number, Block { bytes, used: now });
        }
        let block = cache.blocks.get_mut(&number)?;
        block.used = now;
        Some(&block.bytes)
    }

    fn load(&self, cache: &mut Cache, number: u64) -> Option<Vec<u8>> {
        let start = number.checked_mul(BLOCK)?;
        let length = self.size.checked_sub(start)?.min(BLOCK);
        let bytes = self.exactly(start, usize::try_from(length).ok()?).ok();
        if bytes.is_none() && cache.bad.len() < BAD_BLOCKS {
            cache.bad.insert(number);
        }
        bytes
    }

    fn exactly(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.fill(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `rest` with the bytes from `at` on, past the cache.
    pub(super) fn fill(&self, at: u64, mut rest: &mut [u8]) -> io::Result<()> {
        let mut position = at;
        while !rest.is_empty() {
            let count = match self.source.read_at(rest, position) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            rest = rest.get_mut(count..).unwrap_or_default();
            position = position.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

impl Cache {
    /// Drops the block that was not used for the longest time, if the cache is full.
    fn make_room(&mut self) {
        if self.blocks.len() < BLOCKS {
            return;
        }
        let oldest = self.blocks.iter().min_by_key(|(_, block)| block.used);
        if let Some(number) = oldest.map(|(number, _)| *number) {
            self.blocks.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::ops::Range;

    struct Faulty {
        bytes: Vec<u8>,
        bad: Range<u64>,
        asked: Cell<usize>,
    }

    impl ReadAt for Faulty {
        fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
            self.asked.set(self.asked.get() + 1);
            let count = buffer.len().min(7000);
            let end = at + u64::try_from(count).unwrap();
            if at < self.bad.end && end > self.bad.start {
                return Err(io::ErrorKind::Other.into());
            }
            let rest = self.bytes.get(usize::try_from(at).unwrap()..);
            let rest = rest.unwrap_or_default();
            let count = count.min(rest.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    fn faulty(size: usize, bad: Range<u64>) -> Pages<Faulty> {
        let bytes: Vec<u8> = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let asked = Cell::new(0);
        Pages::new(Faulty { bytes, bad, asked }, u64::try_from(size).unwrap())
    }

    #[test]
    fn reads_any_range_as_the_file_has_it() {
        let pages = faulty(100_000, 0..0);
        for (at, length) in [
            (0, 1),
            (16_380, 8),
            (99_990, 10),
            (5, 70_000),
            (20_000, 60_000),
        ] {
            let expected = &pages.source.bytes[at..at + length];
            assert_eq!(
                pages.read(u64::try_from(at).unwrap(), length).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn a_bad_sector_fails_only_who_needs_it() {
        let pages = faulty(100_000, 20_000..20_512);
        assert!(pages.read(19_900, 200).is_err());
        assert_eq!(
            pages.read(19_000, 900).unwrap(),
            pages.source.bytes[19_000..19_900]
        );
        assert_eq!(
            pages.read(20_512, 100).unwrap(),
            pages.source.bytes[20_512..20_612]
        );
        let (at, _) = pages.first_unreadable(1_024, 50_000).unwrap();
        assert_eq!(at, 19_968, "the sector that the bad range begins in");
        assert!(pages.first_unreadable(0, 19_968).is_none());
        let before = pages.source.asked.get();
        pages.read(20_600, 10).unwrap();
        assert_eq!(
            pages.source.asked.get(),
            before + 1,
            "the bad block was tried again"
        );
    }

    #[test]
    fn cache_is_bounded_and_used() {
        let pages = faulty(8 << 20, 0..0);
        for block in 0..512 {
            pages.read(block * BLOCK, 16).unwrap();
        }
        assert_eq!(pages.cache.borrow().blocks.len(), BLOCKS);
        let before = pages.source.asked.get();
        pages.read(511 * BLOCK + 100, 4000).unwrap();
        assert_eq!(pages.source.asked.get(), before);
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let mut pages = faulty(50_000, 0..0);
        pages.source.bytes.truncate(40_000);
        assert!(pages.read(45_000, 10).is_err());
        assert!(pages.read(39_000, 1000).is_ok());
    }
}
