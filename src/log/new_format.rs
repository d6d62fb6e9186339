// SPDX-License-Identifier: GPL-3.0-or-later
//! Logs since Windows 8.1: chains of log entries, each with pages and two hashes.
//!
//! Spec: regf, *Format of transaction log files > New format*.

use std::borrow::Cow;

use super::log_file::LogFile;
use super::marvin32::marvin32;
use super::pages::{Pages, SECTOR};
use super::report::Stop;
use super::sequence::is_before;
use super::structures::{LogEntryHeader, PageReference};
use crate::regf::structures::{listed, read};
use crate::regf::{
    BASE_BLOCK_SIZE, Fault, FileOffset, HIVE_BIN_UNIT, HiveBytes, Record, RegfError, field,
};

/// Where the first entry stands: always at 512, whatever the disk's sectors are.
const FIRST_ENTRY: u64 = 512;
/// Bytes in front of an entry's page references.
const HEADER: usize = size_of::<LogEntryHeader>();
/// How much of a log is read at once in search of headers.
const CHUNK: u64 = 64 * 1024;

/// The state that the entries applied so far have brought about.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) pages: Pages,
    /// Of the last entry.
    pub(super) bins_size: u32,
    /// Of the last entry; only bit 0 has a meaning.
    pub(super) flags: u32,
}

/// What became of one log's entries.
pub(super) struct Replayed {
    pub(super) count: u64,
    pub(super) range: Option<(u32, u32)>,
    pub(super) stop: Stop,
}

/// Applies the entries of `log`, which must begin with the one numbered `first`, up to the first
/// that is not sound or not the next.
pub(super) fn replay(log: &LogFile<'_>, first: u32, replay: &mut Replay) -> Replayed {
    let mut replayed = Replayed {
        count: 0,
        range: None,
        stop: Stop::End,
    };
    let mut at = FIRST_ENTRY;
    let mut expected = first;
    loop {
        let entry = match Entry::read(log.bytes, at, expected) {
            Ok(entry) => entry,
            Err(stop) => {
                replayed.stop = stop;
                return replayed;
            }
        };
        for (offset, bytes) in &entry.pages {
            let in_file = BASE_BLOCK_SIZE.saturating_add(u64::from(*offset));
            let bytes = entry.bytes.get(bytes.clone()).unwrap_or(&[]);
            replay.pages.put(in_file, bytes);
        }
        replay.bins_size = entry.bins_size;
        replay.flags = entry.flags;
        replayed.count = replayed.count.saturating_add(1);
        replayed.range = Some((first, expected));
        at = at.saturating_add(u64::try_from(entry.bytes.len()).unwrap_or(u64::MAX));
        expected = expected.wrapping_add(1);
    }
}

/// A sound log entry.
struct Entry<'l> {
    flags: u32,
    bins_size: u32,
    /// The whole entry.
    bytes: Cow<'l, [u8]>,
    /// Where each page goes, from the start of the hive bins data, and where in `bytes` it stands.
    pages: Vec<(u32, std::ops::Range<usize>)>,
}

impl<'l> Entry<'l> {
    fn read(log: &'l dyn HiveBytes, at: u64, expected: u32) -> Result<Self, Stop> {
        let have = log.size().saturating_sub(at);
        if have < u64::from(SECTOR) {
            return Err(Stop::End);
        }
        let invalid =
            |fault| Stop::Invalid(RegfError::new(FileOffset(at), Record::LogEntry, fault));
        let header = log.read(FileOffset(at), HEADER).map_err(Stop::Invalid)?;
        let Some(header) = Header::parse(&header) else {
            return Err(Stop::End);
        };
        if !header.is_sound {
            return Err(Stop::BadHash2 { expected });
        }
        header.follows(expected)?;
        let fields = &header.fields;
        let (sequence, size) = (fields.sequence.get(), fields.size.get());
        let need = u64::from(size);
        if size == 0 || !size.is_multiple_of(SECTOR) {
            return Err(invalid(bad_field("size", size)));
        }
        if need > have {
            let torn = Stop::Torn {
                sequence,
                need,
                have,
            };
            return Err(torn);
        }
        let length = usize::try_from(need).unwrap_or(usize::MAX);
        let bytes = log.read(FileOffset(at), length).map_err(Stop::Invalid)?;
        if marvin32(bytes.get(HEADER..).unwrap_or(&[])) != fields.hash_1.get() {
            return Err(Stop::BadHash1 { sequence });
        }
        let pages = pages(fields, &bytes).map_err(invalid)?;
        Ok(Self {
            flags: fields.flags.get(),
            bins_size: fields.bins_size.get(),
            bytes,
            pages,
        })
    }
}

/// A header of an entry, and whether it is one.
struct Header {
    fields: LogEntryHeader,
    /// Whether hash-2 is right.
    is_sound: bool,
}

impl Header {
    /// The header, where `bytes` begin with the signature of one.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(&LogEntryHeader::SIGNATURE) {
            return None;
        }
        let fields: LogEntryHeader = read(bytes)?;
        let hashed = bytes.get(..field!(LogEntryHeader.hash_2).offset())?;
        let is_sound = marvin32(hashed) == fields.hash_2.get();
        Some(Self { fields, is_sound })
    }

    fn follows(&self, expected: u32) -> Result<(), Stop> {
        let found = self.fields.sequence.get();
        if found == expected {
            Ok(())
        } else if is_before(found, expected) {
            Err(Stop::Stale { found })
        } else {
            Err(Stop::Gap { expected, found })
        }
    }
}

/// The pages of an entry whose hashes are right: it may still have been made to harm.
fn pages(
    header: &LogEntryHeader,
    bytes: &[u8],
) -> Result<Vec<(u32, std::ops::Range<usize>)>, Fault> {
    let (bins_size, page_count) = (header.bins_size.get(), header.page_count.get());
    if bins_size == 0 || !bins_size.is_multiple_of(HIVE_BIN_UNIT) {
        return Err(bad_field("hive bins data size", bins_size));
    }
    let no_room = || bad_field("dirty pages count", page_count);
    let count = usize::try_from(page_count).unwrap_or(usize::MAX);
    let mut data = HEADER.saturating_add(count.saturating_mul(size_of::<PageReference>()));
    let references = bytes.get(HEADER..data).ok_or_else(no_room)?;
    if references.is_empty() {
        return Err(no_room());
    }
    let mut pages = Vec::with_capacity(count);
    for reference in listed::<PageReference>(references) {
        let (offset, size) = (reference.offset.get(), reference.size.get());
        let room = bins_size.saturating_sub(offset);
        if !offset.is_multiple_of(SECTOR) || room == 0 {
            return Err(bad_field("dirty page offset", offset));
        }
        let end = data.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        let misfit = size == 0 || !size.is_multiple_of(SECTOR) || size > room;
        if misfit || end > bytes.len() {
            return Err(bad_field("dirty page size", size));
        }
        pages.push((offset, data..end));
        data = end;
    }
    Ok(pages)
}

/// The greatest sequence number in the headers that the first `longest` bytes of `log` hold, whole
/// entries or not, old or new.
///
/// A sector that cannot be read holds none. Windows never writes so far that an entry behind `longest`
/// could follow one of its own.
pub(super) fn newest(log: &LogFile<'_>, longest: u64) -> Option<u32> {
    let size = log.bytes.size().min(longest);
    let step = usize::try_from(SECTOR).unwrap_or(usize::MAX);
    let mut newest = None;
    let mut at = FIRST_ENTRY;
    while at < size {
        let length = CHUNK.min(size.saturating_sub(at));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let chunk = log.bytes.read(FileOffset(at), length);
        let headers = chunk.iter().flat_map(|chunk| chunk.chunks(step));
        let headers = headers.filter_map(Header::parse);
        let sound = headers.filter(|header| header.is_sound);
        newest = newest.max(sound.map(|header| header.fields.sequence.get()).max());
        at = at.saturating_add(CHUNK);
    }
    newest
}

fn bad_field(field: &'static str, found: u32) -> Fault {
    let found = u64::from(found);
    Fault::BadField { field, found }
}
