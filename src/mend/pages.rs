// SPDX-License-Identifier: GPL-3.0-or-later
//! Pages that stand in the wrong place.
//!
//! A bin's header names its own offset: a page that names another one goes there, if what is there is
//! no sound bin. One that is there twice is believed once. Pages without a header that were
//! exchanged are found by trying: both bins must be whole afterwards.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::bins::{Bins, Part, UNIT, named, part_at, usize_of};
use super::nodes::list_at;

/// How many pairs of pages are tried at most.
const PAIRS_TRIED: usize = 20_000;

/// What was done about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMove {
    /// Two pages were exchanged back; their offsets in the bins.
    Exchanged(u32, u32),
    /// The page at the first offset is a copy of, or belongs to, the one at the second.
    Copy(u32, u32),
}

/// Puts pages back where they belong and blanks those that belong elsewhere.
pub(super) fn sort_pages(bins: &mut Bins) -> Vec<PageMove> {
    let mut moves = Vec::new();
    if bins.parts.iter().all(Part::is_sound) {
        return moves;
    }
    follow_headers(bins, &mut moves);
    blank_copies(bins, &mut moves);
    exchange_inner(bins, &mut moves);
    moves
}

fn broken(bins: &Bins) -> Vec<Part> {
    let parts = bins.parts.iter().filter(|part| !part.is_whole());
    parts.copied().collect()
}

fn pages_of(part: &Part) -> impl Iterator<Item = usize> + use<> {
    (part.start..part.end).step_by(UNIT)
}

fn follow_headers(bins: &mut Bins, moves: &mut Vec<PageMove>) {
    let mut is_moved = false;
    for part in bins.parts.clone() {
        for page in pages_of(&part) {
            let Some(home) = named(&bins.bytes, page).map(usize_of) else {
                continue;
            };
            if home == page || !home.is_multiple_of(UNIT) || home >= bins.size() {
                continue;
            }
            let there = bins.part_of(home).copied();
            let is_sound = there.is_some_and(|part| part.is_sound());
            if !is_sound {
                swap(&mut bins.bytes, page, home);
                if part_at(&bins.bytes, home).is_sound() {
                    moves.push(exchanged(page, home));
                    is_moved = true;
                } else {
                    swap(&mut bins.bytes, page, home);
                }
                continue;
            }
            // Within a bin that is whole an old header says nothing.
            if part.is_sound() {
                continue;
            }
            // Its own header with one turned bit is no other page's.
            let is_turned = (home ^ page).is_power_of_two() && page == part.start;
            if is_turned && !same(&bins.bytes, page, home) && is_meant(bins, page) {
                continue;
            }
            blank(&mut bins.bytes, page);
            moves.push(copy(page, home));
            is_moved = true;
        }
    }
    if is_moved {
        bins.lay_out();
    }
}

/// Whether lists lead to keys in the page at `page`, rather than to what is none there.
fn is_meant(bins: &Bins, page: usize) -> bool {
    let (mut keys, mut others) = (0_usize, 0_usize);
    for signature in [*b"lh", *b"lf", *b"li"] {
        for list in bins.cells_with(signature) {
            let Some((_, elements, _)) = list_at(bins, list) else {
                continue;
            };
            for (cell, _) in elements {
                let cell = usize_of(cell);
                if cell / UNIT * UNIT == page {
                    let is_key = bins.slice(cell.saturating_add(4), 2) == b"nk";
                    let count = if is_key { &mut keys } else { &mut others };
                    *count = count.saturating_add(1);
                }
            }
        }
    }
    keys >= others
}

/// A page in which a bin breaks, and which stands elsewhere in a whole bin too, is not its own.
fn blank_copies(bins: &mut Bins, moves: &mut Vec<PageMove>) {
    let suspects: Vec<usize> = broken(bins)
        .iter()
        .filter_map(|part| part.broken_at.filter(|at| *at < part.end))
        .map(|at| at / UNIT * UNIT)
        .filter(|page| !is_blank(&bins.bytes, *page))
        .collect();
    if suspects.is_empty() {
        return;
    }
    let mut wanted: HashMap<u64, Vec<usize>> = HashMap::new();
    for page in suspects {
        wanted
            .entry(hash(&bins.bytes, page))
            .or_default()
            .push(page);
    }
    let mut found = Vec::new();
    for part in bins.parts.iter().filter(|part| part.is_whole()) {
        for page in pages_of(part) {
            let Some(suspects) = wanted.get(&hash(&bins.bytes, page)) else {
                continue;
            };
            let same = suspects.iter().filter(|s| same(&bins.bytes, **s, page));
            found.extend(same.map(|suspect| (*suspect, page)));
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(suspect, _)| *suspect);
    for (suspect, original) in &found {
        blank(&mut bins.bytes, *suspect);
        moves.push(copy(*suspect, *original));
    }
    if !found.is_empty() {
        bins.lay_out();
    }
}

/// Tries to exchange pages of broken bins that have no header of their own.
fn exchange_inner(bins: &mut Bins, moves: &mut Vec<PageMove>) {
    let parts = broken(bins);
    let mut pages: Vec<(usize, Part)> = Vec::new();
    for part in &parts {
        let last = part.broken_at.unwrap_or(part.end) / UNIT * UNIT;
        let inner = pages_of(part).filter(|page| {
            *page <= last
                && (*page != part.start || !part.has_header)
                && !is_blank(&bins.bytes, *page)
        });
        pages.extend(inner.map(|page| (page, *part)));
    }
    let mut tried = 0_usize;
    let mut budget = bins.size().saturating_mul(8).saturating_add(1 << 26);
    let mut done: Vec<usize> = Vec::new();
    for (index, (one, one_part)) in pages.iter().enumerate() {
        for (other, other_part) in pages.iter().skip(index.saturating_add(1)) {
            tried = tried.saturating_add(1);
            let cost = one_part.end.saturating_sub(one_part.start);
            budget = budget.saturating_sub(cost);
            if tried > PAIRS_TRIED || budget == 0 || done.contains(one) {
                break;
            }
            if done.contains(other) {
                continue;
            }
            swap(&mut bins.bytes, *one, *other);
            let is_right = is_whole_again(bins, one_part) && is_whole_again(bins, other_part);
            if is_right {
                done.extend([*one, *other]);
                moves.push(exchanged(*one, *other));
            } else {
                swap(&mut bins.bytes, *one, *other);
            }
        }
    }
    exchange_with_data(bins, &parts, &mut done, moves);
    if !done.is_empty() {
        bins.lay_out();
    }
}

/// A page that was exchanged with one inside of a value's data breaks one bin only: that of the page
/// which was structure. The other one lies within a single cell.
fn exchange_with_data(
    bins: &mut Bins,
    parts: &[Part],
    done: &mut Vec<usize>,
    moves: &mut Vec<PageMove>,
) {
    let mut tried = 0_usize;
    let mut budget = bins.size().saturating_mul(8).saturating_add(1 << 26);
    for part in parts {
        let last = part.broken_at.unwrap_or(part.end) / UNIT * UNIT;
        let inner: Vec<usize> = pages_of(part)
            .filter(|page| *page <= last && (*page != part.start || !part.has_header))
            .filter(|page| !done.contains(page) && !is_blank(&bins.bytes, *page))
            .collect();
        if inner.is_empty() || part_at(&bins.bytes, part.start).is_whole() {
            continue;
        }
        let mut found = Vec::new();
        let candidates: Vec<usize> = opaque_pages(bins);
        for page in inner {
            for other in &candidates {
                tried = tried.saturating_add(1);
                budget = budget.saturating_sub(part.end.saturating_sub(part.start));
                if tried > PAIRS_TRIED || budget == 0 {
                    return;
                }
                if *other == page || done.contains(other) {
                    continue;
                }
                swap(&mut bins.bytes, page, *other);
                if is_whole_again(bins, part) {
                    found.push((page, *other));
                }
                swap(&mut bins.bytes, page, *other);
            }
        }
        if let [(page, other)] = found.as_slice() {
            swap(&mut bins.bytes, *page, *other);
            done.extend([*page, *other]);
            moves.push(exchanged(*page, *other));
        }
    }
}

/// The pages that lie wholly within one cell of a whole bin.
fn opaque_pages(bins: &Bins) -> Vec<usize> {
    let mut pages = Vec::new();
    for part in bins.parts.iter().filter(|part| part.is_whole()) {
        if part.end.saturating_sub(part.start) <= UNIT {
            continue;
        }
        let mut at = part.start.saturating_add(super::bins::HEADER);
        while let Some((size, is_free)) = super::bins::cell_size(&bins.bytes, at, part.end) {
            let end = at.saturating_add(size);
            if size > UNIT && !is_free {
                let first = at.next_multiple_of(UNIT);
                pages.extend((first..end / UNIT * UNIT).step_by(UNIT));
            }
            at = end;
        }
    }
    pages
}

fn is_whole_again(bins: &Bins, part: &Part) -> bool {
    let now = part_at(&bins.bytes, part.start);
    now.is_whole() && now.end == part.end
}

fn swap(bytes: &mut [u8], one: usize, other: usize) {
    let (low, high) = (one.min(other), one.max(other));
    if low == high || high > bytes.len() {
        return;
    }
    let (front, back) = bytes.split_at_mut(high);
    let low = front.get_mut(low..low.saturating_add(UNIT));
    let high = back.get_mut(..UNIT);
    if let (Some(low), Some(high)) = (low, high) {
        low.swap_with_slice(high);
    }
}

fn page(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..at.saturating_add(UNIT)).unwrap_or(&[])
}

fn same(bytes: &[u8], one: usize, other: usize) -> bool {
    page(bytes, one) == page(bytes, other)
}

fn is_blank(bytes: &[u8], at: usize) -> bool {
    page(bytes, at).iter().all(|byte| *byte == 0)
}

fn blank(bytes: &mut [u8], at: usize) {
    if let Some(page) = bytes.get_mut(at..at.saturating_add(UNIT)) {
        page.fill(0);
    }
}

fn hash(bytes: &[u8], at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    page(bytes, at).hash(&mut hasher);
    hasher.finish()
}

fn exchanged(one: usize, other: usize) -> PageMove {
    let (one, other) = (one.min(other), one.max(other));
    PageMove::Exchanged(offset(one), offset(other))
}

fn copy(page: usize, original: usize) -> PageMove {
    PageMove::Copy(offset(page), offset(original))
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
