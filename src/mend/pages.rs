// SPDX-License-Identifier: GPL-3.0-or-later
//! Pages that stand in the wrong place.
//!
//! A bin's header names its own offset: a page that names another one goes there, if what is there is
//! no sound bin. One that is there twice is believed once. Pages without a header that were
//! exchanged are found by what references want of them.

use std::collections::{BTreeSet, HashMap};

use super::bins::{Bins, Part, UNIT, named, part_at, usize_of};
use super::exchange::{by_chains, by_references};
use super::expected::Expected;
use super::nodes::list_at;
use super::page_bytes::{hash, is_blank, same, swap};
use super::page_moves::{PageMove, copy, exchanged};

/// Puts pages back where they belong and takes those out that belong elsewhere.
pub(super) fn sort_pages(bins: &mut Bins) -> Vec<PageMove> {
    let mut moves = Vec::new();
    let mut expected = Expected::of(bins);
    let mut known = 0;
    let mut again = |bins: &Bins, moves: &[PageMove], expected: &mut Expected| {
        if moves.len() > known {
            known = moves.len();
            *expected = Expected::of(bins);
        }
    };
    if !bins.parts.iter().all(Part::is_sound) {
        follow_headers(bins, &expected, &mut moves);
        again(bins, &moves, &mut expected);
    }
    by_references(bins, &expected, &mut moves);
    again(bins, &moves, &mut expected);
    by_chains(bins, &expected, &mut moves);
    again(bins, &moves, &mut expected);
    take_copies_out(bins, &expected, &mut moves);
    again(bins, &moves, &mut expected);
    bins.note_strange(expected.strange());
    moves
}

fn broken(bins: &Bins) -> Vec<Part> {
    let parts = bins.parts.iter().filter(|part| !part.is_whole());
    parts.copied().collect()
}

fn pages_of(part: &Part) -> impl Iterator<Item = usize> + use<> {
    (part.start..part.end).step_by(UNIT)
}

fn follow_headers(bins: &mut Bins, expected: &Expected, moves: &mut Vec<PageMove>) {
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
            // What is wanted here is here: only the header is wrong.
            if expected.score(page).is_good() && !same(&bins.bytes, page, home) {
                continue;
            }
            bins.take_out(page);
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

/// A page in which a bin breaks, or that is not what references want there, and which stands elsewhere in a
/// whole bin where it is wanted, is not its own.
fn take_copies_out(bins: &mut Bins, expected: &Expected, moves: &mut Vec<PageMove>) {
    let is_filled = |page: &usize| !is_blank(&bins.bytes, *page);
    let in_breaks = broken(bins);
    let in_breaks = in_breaks
        .iter()
        .filter_map(|part| part.broken_at.filter(|at| *at < part.end))
        .map(|at| at / UNIT * UNIT);
    let unwanted = (0..bins.size()).step_by(UNIT);
    let unwanted = unwanted.filter(|page| expected.score(*page).is_bad());
    let suspects: BTreeSet<usize> = in_breaks.chain(unwanted).filter(is_filled).collect();
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
        for page in pages_of(part).filter(|page| !expected.score(*page).is_bad()) {
            let Some(suspects) = wanted.get(&hash(&bins.bytes, page)) else {
                continue;
            };
            let same = suspects
                .iter()
                .filter(|suspect| **suspect != page && same(&bins.bytes, **suspect, page));
            found.extend(same.map(|suspect| (*suspect, page)));
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(suspect, _)| *suspect);
    for (suspect, original) in &found {
        bins.take_out(*suspect);
        moves.push(copy(*suspect, *original));
    }
    if !found.is_empty() {
        bins.lay_out();
    }
}
