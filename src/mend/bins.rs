// SPDX-License-Identifier: GPL-3.0-or-later
//! The bins of a damaged hive: where they begin and end, and which cells can be believed to be there.
//!
//! A bin whose cells lead from its header to its end is whole. In one that is broken a cell counts
//! where something refers to it and what stands there fits.

use std::ops::Range;

use crate::regf::structures::HiveBinHeader;
use crate::regf::{field, u32_at};

/// Bytes of the unit that bins are multiples of.
pub(super) const UNIT: usize = 4096;
/// Bytes of a bin's header.
pub(super) const HEADER: usize = size_of::<HiveBinHeader>();
/// What disks lose at once, at the least.
const SECTOR: usize = 512;
/// How often cells are followed through the whole of the bins, all bins together.
const TURNS: usize = 16;
/// How many headers behind a bin are tried as its end.
const ENDS_TRIED: usize = 8;

const ALLOCATED: u8 = 1;
const FREE: u8 = 2;
const CLAIMED: u8 = 4;

/// The bins as they were found.
pub(super) struct Bins {
    /// Their bytes, without the base block.
    pub(super) bytes: Vec<u8>,
    /// What begins at each eighth byte.
    marks: Vec<u8>,
    /// The bins, and what lies between them.
    pub(super) parts: Vec<Part>,
    /// Sectors of zeros in broken bins, and what is known to be destroyed, in ascending order.
    lost: Vec<Range<usize>>,
    /// Pages that are another's, as they were found: nothing leads into them, but data that reaches into
    /// one is kept as it was found.
    taken_out: Vec<(usize, Vec<u8>)>,
    /// Pages with another page's content, in ascending order.
    strange: Vec<Range<usize>>,
}

/// A bin, or a run of pages in which none could be made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether its header is as it should be.
    pub(super) has_header: bool,
    /// Where the chain of its cells breaks.
    pub(super) broken_at: Option<usize>,
}

impl Part {
    /// Whether header and cells are as they should be.
    pub(super) fn is_sound(&self) -> bool {
        self.has_header && self.is_whole()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.broken_at.is_none()
    }
}

/// A cell's payload, by its place in the bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) start: usize,
    pub(super) length: usize,
}

impl Bins {
    /// Lays the bins in `bytes` out.
    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        // A page that is cut off is a page whose end is lost.
        bytes.resize(bytes.len().next_multiple_of(UNIT), 0);
        let mut bins = Self {
            marks: Vec::new(),
            parts: Vec::new(),
            lost: Vec::new(),
            taken_out: Vec::new(),
            strange: Vec::new(),
            bytes,
        };
        bins.lay_out();
        bins
    }

    /// Lays everything out anew, after pages were moved.
    pub(super) fn lay_out(&mut self) {
        self.parts = parts(&self.bytes);
        let mut marks = vec![0_u8; self.bytes.len().div_ceil(8)];
        for part in &self.parts {
            let end = part.broken_at.unwrap_or(part.end);
            let mut at = part.start.saturating_add(HEADER);
            while at < end {
                let Some((size, is_free)) = cell_size(&self.bytes, at, part.end) else {
                    break;
                };
                if let Some(mark) = marks.get_mut(at / 8) {
                    *mark = if is_free { FREE } else { ALLOCATED };
                }
                at = at.saturating_add(size);
            }
        }
        self.marks = marks;
    }

    /// Notes pages in which mostly something else stands than what references want there.
    pub(super) fn note_strange(&mut self, strange: Vec<Range<usize>>) {
        self.strange = strange;
    }

    /// The pages with another page's content.
    pub(super) fn strange(&self) -> &[Range<usize>] {
        &self.strange
    }

    /// Whether `at` is in one of these.
    pub(super) fn is_strange(&self, at: usize) -> bool {
        let next = self.strange.partition_point(|range| range.end <= at);
        self.strange
            .get(next)
            .is_some_and(|range| range.start <= at)
    }

    /// Takes the page at `page` out: it is another's.
    pub(super) fn take_out(&mut self, page: usize) {
        if let Some(bytes) = self.bytes.get_mut(page..page.saturating_add(UNIT)) {
            self.taken_out.push((page, bytes.to_vec()));
            bytes.fill(0);
        }
    }

    /// Puts what was taken out back, once nothing is looked for in it any more. Gives where that is.
    pub(super) fn put_back(&mut self) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for (page, found) in std::mem::take(&mut self.taken_out).into_iter().rev() {
            let place = page..page.saturating_add(found.len());
            if let Some(bytes) = self.bytes.get_mut(place.clone()) {
                bytes.copy_from_slice(&found);
            }
            places.push(place);
        }
        places
    }

    /// Notes what is lost: sectors of zeros in broken bins, and `destroyed`.
    pub(super) fn note_lost(&mut self, destroyed: &[Range<usize>]) {
        let mut lost = destroyed.to_vec();
        for part in self.parts.iter().filter(|part| !part.is_whole()) {
            let first = part.start / SECTOR * SECTOR;
            for sector in (first..part.end).step_by(SECTOR) {
                let bytes = self.slice(sector, SECTOR);
                if bytes.len() == SECTOR && bytes.iter().all(|byte| *byte == 0) {
                    lost.push(sector..sector.saturating_add(SECTOR));
                }
            }
        }
        self.lost = joined(lost);
    }

    /// Whether some of these bytes are lost.
    pub(super) fn is_lost(&self, start: usize, length: usize) -> bool {
        let end = start.saturating_add(length);
        let next = self.lost.partition_point(|range| range.end <= start);
        self.lost.get(next).is_some_and(|range| range.start < end)
    }

    /// Bytes of all bins.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The part in which `at` lies.
    pub(super) fn part_of(&self, at: usize) -> Option<&Part> {
        let next = self.parts.partition_point(|part| part.start <= at);
        let part = self.parts.get(next.checked_sub(1)?)?;
        (at < part.end).then_some(part)
    }

    fn mark(&self, at: usize) -> u8 {
        match at.is_multiple_of(8) {
            true => self.marks.get(at / 8).copied().unwrap_or(0),
            false => 0,
        }
    }

    /// Whether the chain of cells leads to an allocated cell at `at`.
    pub(super) fn is_linked(&self, at: u32) -> bool {
        self.mark(usize_of(at)) & ALLOCATED != 0
    }

    /// Whether something uses the cell at `at` already.
    pub(super) fn is_claimed(&self, at: u32) -> bool {
        self.mark(usize_of(at)) & CLAIMED != 0
    }

    /// Notes that the cell at `at` is used.
    pub(super) fn claim(&mut self, at: u32) {
        if let Some(mark) = self.marks.get_mut(usize_of(at) / 8) {
            *mark |= CLAIMED;
        }
    }

    /// Gives a cell back that was claimed.
    pub(super) fn release(&mut self, at: u32) {
        if let Some(mark) = self.marks.get_mut(usize_of(at) / 8) {
            *mark &= !CLAIMED;
        }
    }

    /// The payload of the cell at `at` as its size field says, where that can be: in use, and within
    /// its bin.
    pub(super) fn payload(&self, at: u32) -> Option<Payload> {
        let at = usize_of(at);
        if !at.is_multiple_of(8) || at < HEADER {
            return None;
        }
        let part = self.part_of(at)?;
        match cell_size(&self.bytes, at, part.end)? {
            (size, false) => Some(Payload {
                start: at.saturating_add(4),
                length: size.saturating_sub(4),
            }),
            _ => None,
        }
    }

    /// The bytes behind the size field at `at`, whatever it says: up to the next cell that is known or
    /// the end of the bin. Nothing where a free cell stands there.
    pub(super) fn reach(&self, at: u32) -> Option<Payload> {
        let at = usize_of(at);
        if !at.is_multiple_of(8) || at < HEADER {
            return None;
        }
        let part = *self.part_of(at)?;
        if at < part.start.saturating_add(HEADER) {
            return None;
        }
        if matches!(cell_size(&self.bytes, at, part.end), Some((_, true))) {
            return None;
        }
        let start = at.saturating_add(4);
        // Only to where the chain still leads: behind a break marks are few.
        let first = (at / 8).saturating_add(1);
        let known = self.marks.get(first..part.end / 8).unwrap_or(&[]);
        // No cell that is looked at so is larger than a page of its own.
        let known = known.get(..0x1_0000 / 8).unwrap_or(known);
        let next = known.iter().position(|mark| mark & (ALLOCATED | FREE) != 0);
        let end = match next {
            Some(skip) => first.saturating_add(skip).saturating_mul(8),
            None => part.end,
        };
        Some(Payload {
            start,
            length: end.saturating_sub(start),
        })
    }

    /// The bytes of a payload.
    pub(super) fn of(&self, payload: Payload) -> &[u8] {
        self.slice(payload.start, payload.length)
    }

    /// `length` bytes from `start` on, or none.
    pub(super) fn slice(&self, start: usize, length: usize) -> &[u8] {
        let end = start.saturating_add(length);
        self.bytes.get(start..end).unwrap_or(&[])
    }

    /// The payload of the cell at `at`, see [`Bins::payload`].
    pub(super) fn cell(&self, at: u32) -> Option<&[u8]> {
        self.payload(at).map(|payload| self.of(payload))
    }

    /// Every allocated cell that may be believed to be one by itself: those that the chains lead to and,
    /// in broken bins, those that begin with `signature`.
    pub(super) fn cells_with(&self, signature: [u8; 2]) -> Vec<u32> {
        let mut found = Vec::new();
        self.each_cell(&mut |at, begins| {
            if begins == signature {
                found.push(at);
            }
        });
        found
    }

    /// Tells `each` of every allocated cell that the chains lead to, of whatever may be one in broken bins,
    /// and what it begins with.
    pub(super) fn each_cell(&self, each: &mut impl FnMut(u32, [u8; 2])) {
        for part in &self.parts {
            let mut at = part.start.saturating_add(HEADER);
            while at < part.end {
                let size = cell_size(&self.bytes, at, part.end);
                if let Some((_, false)) = size
                    && let Ok(place) = u32::try_from(at)
                    && let Some(begins) = self.slice(at.saturating_add(4), 2).first_chunk::<2>()
                {
                    each(place, *begins);
                }
                let step = match size {
                    Some((size, _)) if part.is_whole() => size,
                    _ => 8,
                };
                at = at.saturating_add(step);
            }
        }
    }

    /// Allocated cells that the chains lead to and nothing uses.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = u32> + '_ {
        let marks = self.marks.iter().enumerate();
        let free = marks.filter(|(_, mark)| **mark & (ALLOCATED | CLAIMED) == ALLOCATED);
        free.filter_map(|(place, _)| u32::try_from(place.saturating_mul(8)).ok())
    }

    /// Whether nothing is to be expected of what stands at `at`: it was in a broken bin. A reference with a
    /// turned bit leads elsewhere.
    pub(super) fn is_lost_place(&self, at: u32) -> bool {
        usize_of(at) < self.size() && at.is_multiple_of(8) && self.is_in_broken(at)
    }

    /// Whether the bytes from `start` on are in a part that is broken.
    pub(super) fn is_in_broken(&self, at: u32) -> bool {
        self.part_of(usize_of(at))
            .is_none_or(|part| !part.is_whole())
    }
}

/// The same bytes in ascending ranges that do not touch.
pub(super) fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.end >= range.start) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

/// An offset as an index; one that is too large for this machine leads nowhere.
pub(super) fn usize_of(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// The size of the cell at `at`, which ends before `end`, and whether it is free.
pub(super) fn cell_size(bytes: &[u8], at: usize, end: usize) -> Option<(usize, bool)> {
    let size = u32_at(bytes, at)?.cast_signed();
    let total = usize_of(size.unsigned_abs());
    let room = end.checked_sub(at)?;
    let is_possible = total >= 8 && total.is_multiple_of(8) && total <= room;
    is_possible.then_some((total, size > 0))
}

/// The offset that the bin header at `at` names, where its signature is right.
pub(super) fn named(bytes: &[u8], at: usize) -> Option<u32> {
    let header = bytes.get(at..)?;
    let signature = field!(HiveBinHeader.signature).read(header)?;
    let offset = field!(HiveBinHeader.offset).read(header)?;
    (signature == HiveBinHeader::SIGNATURE).then(|| offset.get())
}

/// Whether a bin's header stands at `at` and says so.
pub(super) fn is_right(bytes: &[u8], at: usize) -> bool {
    named(bytes, at).is_some_and(|named| usize_of(named) == at)
}

fn parts(bytes: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut steps = (bytes.len() / 8).saturating_mul(TURNS);
    while at < bytes.len() {
        let part = part_within(bytes, at, &mut steps);
        parts.push(part);
        at = part.end.max(at.saturating_add(UNIT));
    }
    parts
}

/// The end that the header at `at` gives, where it is possible.
fn declared_end(bytes: &[u8], at: usize) -> Option<usize> {
    let size = field!(HiveBinHeader.size).read(bytes.get(at..)?)?;
    let size = usize_of(size.get());
    let end = at.checked_add(size)?;
    (size > 0 && size.is_multiple_of(UNIT) && end <= bytes.len()).then_some(end)
}

/// The bin at `start`, or what is there instead of one.
pub(super) fn part_at(bytes: &[u8], start: usize) -> Part {
    part_within(bytes, start, &mut bytes.len())
}

/// The same; of `steps` those are taken that it costs to follow the cells.
fn part_within(bytes: &[u8], start: usize, steps: &mut usize) -> Part {
    let is_right = is_right(bytes, start);
    let declared = declared_end(bytes, start);
    let is_border = |at: usize| at == bytes.len() || self::is_right(bytes, at);
    let part = |end, has_header, broken_at| Part {
        start,
        end,
        has_header,
        broken_at,
    };
    if let Some(end) = declared {
        let reached = walk(bytes, start, end, steps);
        if reached == end {
            return part(end, is_right, None);
        }
        if is_right && reached.is_multiple_of(UNIT) && is_border(reached) && reached > start {
            return part(reached, false, None);
        }
    }
    let mut first_border = None;
    let mut at = start.saturating_add(UNIT);
    let mut tried = 0;
    while at <= bytes.len() && tried < ENDS_TRIED {
        if is_border(at) {
            first_border.get_or_insert(at);
            tried = tried.saturating_add(1);
            if walk(bytes, start, at, steps) == at {
                return part(at, false, None);
            }
        }
        at = at.saturating_add(UNIT);
    }
    let end = match declared.filter(|end| is_right && is_border(*end)) {
        Some(end) => end,
        None => first_border.unwrap_or(bytes.len()),
    };
    part(end, is_right, Some(walk(bytes, start, end, steps)))
}

/// How far the cells of a bin lead, at most to `end`.
fn walk(bytes: &[u8], start: usize, end: usize, steps: &mut usize) -> usize {
    let mut at = start.saturating_add(HEADER);
    while at < end && *steps > 0 {
        *steps = steps.saturating_sub(1);
        match cell_size(bytes, at, end) {
            Some((size, _)) => at = at.saturating_add(size),
            None => break,
        }
    }
    at
}

/// How far bins go on from the beginning of `bytes`, at least `least`: what is broken between bins
/// counts, what follows the last one does not.
pub(super) fn reached(bytes: &[u8], least: usize) -> usize {
    let size = bytes.len();
    let mut end = least.next_multiple_of(UNIT).min(size);
    let mut at = 0;
    while at < size {
        if is_right(bytes, at) {
            let declared = declared_end(bytes, at).unwrap_or(at.saturating_add(UNIT));
            end = end.max(declared).min(size);
        }
        at = at.saturating_add(UNIT);
    }
    match end {
        0 => size,
        end => end,
    }
}
