// SPDX-License-Identifier: GPL-3.0-or-later
//! What the references of a hive say must stand in a page.
//!
//! A page has no name of its own. But lists, keys and values elsewhere lead to certain bytes of it, and say
//! what begins there: that shows whether what stands in a place is the page that belongs there.

use std::collections::HashMap;
use std::ops::Range;

use super::bins::{Bins, UNIT, usize_of};
use super::nodes::{Node, list_at};
use crate::regf::structures::{KeyNodeHeader, KeySecurityHeader, KeyValueHeader, read};
use crate::regf::{BigData, CellOffset, INLINE_DATA, ListKind, StoredName, key_flags, u32_at};

/// How many references into a page are kept: more say nothing more.
const KEPT: usize = 64;
/// Data of more bytes may be in segments: their record is small.
const LONGEST_PLAIN: usize = 16_344;
/// Bytes of a record of segments.
const SEGMENTS_RECORD: usize = 8;

/// What must begin at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// A key node; its name's hash, where the list has it.
    Key(Option<u32>),
    /// A record with this signature.
    Record([u8; 2]),
    /// A subkeys list.
    List,
    /// A cell with room for that many bytes.
    Room(usize),
}

/// A reference: the offset within its page that it leads to, and what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    within: usize,
    want: Want,
}

/// How much of what is wanted of a page is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) met: usize,
    pub(super) of: usize,
    /// How much is not met by something else than zeros.
    pub(super) strange: usize,
}

impl Score {
    /// Whether nearly all is met. What damage elsewhere left may lead anywhere.
    pub(super) fn is_good(self) -> bool {
        self.met > 0 && self.met.saturating_mul(4) >= self.of.saturating_mul(3)
    }

    /// Whether less than half is met.
    pub(super) fn is_bad(self) -> bool {
        self.met < self.of.saturating_sub(self.met)
    }
}

/// What is wanted of the pages that are not as wanted.
pub(super) struct Expected {
    /// How all pages are met as they stand.
    scores: Vec<Score>,
    wanted: HashMap<usize, Vec<Wanted>>,
}

impl Expected {
    /// Asks all references; those into pages that are well met are only counted.
    pub(super) fn of(bins: &Bins) -> Self {
        let mut scores = vec![Score::default(); bins.size() / UNIT];
        references(bins, &mut |at, want| {
            if let Some(score) = scores.get_mut(at / UNIT) {
                score.of = score.of.saturating_add(1);
                let is_met = is_met(&bins.bytes, at, want);
                score.met = score.met.saturating_add(usize::from(is_met));
                let is_strange = !is_met && !is_zero(&bins.bytes, at);
                score.strange = score.strange.saturating_add(usize::from(is_strange));
            }
        });
        let mut wanted: HashMap<usize, Vec<Wanted>> = HashMap::new();
        let is_asked = |page: usize| {
            let score = scores.get(page).copied().unwrap_or_default();
            let is_whole = bins
                .part_of(page * UNIT)
                .is_some_and(|part| part.is_whole());
            score.of > 0 && (!is_whole || !score.is_good())
        };
        let asked: Vec<bool> = (0..scores.len()).map(is_asked).collect();
        references(bins, &mut |at, want| {
            let page = at / UNIT;
            if asked.get(page) != Some(&true) {
                return;
            }
            let kept = wanted.entry(page * UNIT).or_default();
            let within = at % UNIT;
            let wanted = Wanted { within, want };
            if kept.len() < KEPT && !kept.contains(&wanted) {
                kept.push(wanted);
            }
        });
        Self { scores, wanted }
    }

    /// How the page at `page` is met as it stands, by all references.
    pub(super) fn score(&self, page: usize) -> Score {
        self.scores.get(page / UNIT).copied().unwrap_or_default()
    }

    /// The pages in which mostly something else stands than what is wanted: another page's content.
    pub(super) fn strange(&self) -> Vec<Range<usize>> {
        let pages = self.scores.iter().enumerate();
        let strange = pages.filter(|(_, score)| score.strange > score.met);
        let places = strange.map(|(page, _)| page.saturating_mul(UNIT));
        places.map(|at| at..at.saturating_add(UNIT)).collect()
    }

    /// How what stands at `content` would meet what is wanted of the page at `page`. Nothing is wanted of
    /// pages that are in no doubt.
    pub(super) fn score_of(&self, bins: &Bins, content: usize, page: usize) -> Score {
        let wanted = self.wanted.get(&page).map_or(&[][..], Vec::as_slice);
        let is_met = |wanted: &&Wanted| {
            let at = content.saturating_add(wanted.within);
            is_met(&bins.bytes, at, wanted.want)
        };
        Score {
            met: wanted.iter().filter(is_met).count(),
            of: wanted.len(),
            strange: 0,
        }
    }

    /// Whether what stands at `content` can be what is wanted: a first look, which costs little.
    pub(super) fn may_be(&self, bins: &Bins, content: usize, page: usize) -> bool {
        let wanted = self.wanted.get(&page).map_or(&[][..], Vec::as_slice);
        let few = wanted.get(..wanted.len().min(4)).unwrap_or(wanted);
        few.iter().any(|wanted| {
            let at = content.saturating_add(wanted.within);
            is_met(&bins.bytes, at, wanted.want)
        })
    }
}

/// Whether nothing but zeros begins at `at`.
fn is_zero(bytes: &[u8], at: usize) -> bool {
    let begins = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>);
    begins.is_none_or(|begins| *begins == [0; 8])
}

/// Whether what begins at `at` is what is wanted. What would lie in the next page is not asked.
fn is_met(bytes: &[u8], at: usize, want: Want) -> bool {
    let end = at.saturating_add(1).next_multiple_of(UNIT);
    let page = bytes.get(..end).unwrap_or(bytes);
    let Some(size) = u32_at(page, at) else {
        return false;
    };
    let size = size.cast_signed();
    let total = usize_of(size.unsigned_abs());
    if size >= 0 || total < 8 || !total.is_multiple_of(8) {
        return false;
    }
    let payload = page.get(at.saturating_add(4)..).unwrap_or(&[]);
    let begins = |signature: &[u8]| payload.is_empty() || payload.starts_with(signature);
    match want {
        Want::Key(hash) => begins(&KeyNodeHeader::SIGNATURE) && has_hash(payload, hash),
        Want::Record(signature) => begins(&signature),
        Want::List => [b"lh", b"lf", b"li", b"ri"]
            .iter()
            .any(|known| begins(*known)),
        Want::Room(bytes) => total >= bytes.saturating_add(4),
    }
}

/// Whether the name of the key node has this hash, as far as all of it is in the page.
fn has_hash(payload: &[u8], hash: Option<u32>) -> bool {
    let (Some(hash), Some(header)) = (hash, read::<KeyNodeHeader>(payload)) else {
        return true;
    };
    let length = usize::from(header.name_length.get());
    let start = size_of::<KeyNodeHeader>();
    let name = payload.get(start..start.saturating_add(length));
    name.is_none_or(|bytes| {
        let narrow = header.flags.get() & key_flags::COMP_NAME != 0;
        StoredName { bytes, narrow }.hash() == hash
    })
}

/// Tells `each` where every reference leads, and to what.
fn references(bins: &Bins, each: &mut impl FnMut(usize, Want)) {
    let size = bins.size();
    let mut to = |at: u32, want: Want| {
        let at = usize_of(at);
        if at.is_multiple_of(8) && at < size {
            each(at, want);
        }
    };
    bins.each_cell(&mut |at, signature| match &signature {
        b"nk" => of_key(bins, at, &mut to),
        b"vk" => of_value(bins, at, &mut to),
        b"lh" | b"lf" | b"li" | b"ri" => of_list(bins, at, &mut to),
        b"sk" => {
            if let Some(header) = bins.cell(at).and_then(read::<KeySecurityHeader>) {
                to(
                    header.flink.get().0,
                    Want::Record(KeySecurityHeader::SIGNATURE),
                );
                to(
                    header.blink.get().0,
                    Want::Record(KeySecurityHeader::SIGNATURE),
                );
            }
        }
        _ => {}
    });
}

fn of_list(bins: &Bins, at: u32, to: &mut impl FnMut(u32, Want)) {
    let Some((kind, elements, _)) = list_at(bins, at) else {
        return;
    };
    for (cell, listed) in elements {
        match kind {
            ListKind::IndexRoot => to(cell, Want::List),
            _ => to(cell, Want::Key(listed.hash())),
        }
    }
}

fn of_key(bins: &Bins, at: u32, to: &mut impl FnMut(u32, Want)) {
    let Some(node) = Node::read(bins, at) else {
        return;
    };
    let header = node.header(bins);
    let flags = header.flags.get();
    if flags & key_flags::HIVE_ENTRY == 0 {
        to(node.parent, Want::Key(None));
    }
    to(
        header.security.get().0,
        Want::Record(KeySecurityHeader::SIGNATURE),
    );
    if header.subkey_count.get() > 0 {
        to(header.subkeys_list.get().0, Want::List);
    }
    let class = usize::from(header.class_name_length.get());
    if class > 0 {
        to(header.class_name.get().0, Want::Room(class));
    }
    let count = usize_of(header.value_count.get());
    if count == 0 || flags & key_flags::PREDEF_HANDLE != 0 {
        return;
    }
    let list = header.values_list.get().0;
    let bytes = count.saturating_mul(4);
    to(list, Want::Room(bytes));
    let values = bins.cell(list).and_then(|cell| cell.get(..bytes));
    for value in values.unwrap_or(&[]).as_chunks::<4>().0 {
        let value = u32::from_le_bytes(*value);
        to(value, Want::Record(KeyValueHeader::SIGNATURE));
    }
}

fn of_value(bins: &Bins, at: u32, to: &mut impl FnMut(u32, Want)) {
    let Some(header) = bins.cell(at).and_then(read::<KeyValueHeader>) else {
        return;
    };
    let stored = header.data_size.get();
    let size = usize_of(stored);
    if stored & INLINE_DATA != 0 || size == 0 || size > bins.size() {
        return;
    }
    let data = u32::from_le_bytes(header.data_offset);
    if size <= LONGEST_PLAIN {
        to(data, Want::Room(size));
        return;
    }
    to(data, Want::Room(SEGMENTS_RECORD));
    let record = bins.cell(data).unwrap_or(&[]);
    let Ok(record) = BigData::parse(CellOffset(data), record) else {
        return;
    };
    let list = record.segments_list.0;
    let bytes = usize::from(record.segment_count).saturating_mul(4);
    to(list, Want::Room(bytes));
    let segments = bins.cell(list).and_then(|cell| cell.get(..bytes));
    for segment in segments.unwrap_or(&[]).as_chunks::<4>().0 {
        to(u32::from_le_bytes(*segment), Want::Room(1));
    }
}
