// SPDX-License-Identifier: GPL-3.0-or-later
//! Pages without a header of their own that were exchanged.
//!
//! Two ways show it: what references lead to is in the one page and wanted in the other; or, where nothing
//! leads into a page, the bins are whole only one way round.

use super::bins::{Bins, Part, UNIT, named, part_at, usize_of};
use super::expected::{Expected, Score};
use super::page_bytes::{is_blank, swap};
use super::page_moves::{PageMove, exchanged};

/// How many pairs of pages are tried at most.
const PAIRS_TRIED: usize = 20_000;
/// How many pages are held against what is wanted of others.
const LOOKS: usize = 1 << 24;

/// Exchanges pages back whose content is wanted in each other's place.
pub(super) fn by_references(bins: &mut Bins, expected: &Expected, moves: &mut Vec<PageMove>) {
    let pages: Vec<usize> = (0..bins.size()).step_by(UNIT).collect();
    let pages = pages.into_iter().filter(|page| !is_at_home(bins, *page));
    let movable: Vec<usize> = pages
        .filter(|page| !expected.score(*page).is_good() || is_in_broken(bins, *page))
        .collect();
    let mut looks = 0_usize;
    let mut done: Vec<usize> = Vec::new();
    for page in &movable {
        let now = expected.score_of(bins, *page, *page);
        if now.of == 0 || now.is_good() || done.contains(page) {
            continue;
        }
        let mut best: Option<(Score, usize)> = None;
        let mut is_unique = true;
        for other in &movable {
            looks = looks.saturating_add(1);
            if other == page || !expected.may_be(bins, *other, *page) {
                continue;
            }
            let there = expected.score_of(bins, *other, *page);
            if !there.is_good() || there.met <= now.met || done.contains(other) {
                continue;
            }
            match best {
                Some((score, _)) if score.met > there.met => {}
                Some((score, _)) if score.met == there.met => is_unique = false,
                _ => (best, is_unique) = (Some((there, *other)), true),
            }
        }
        if let Some((_, other)) = best
            && is_unique
            && is_wanted_there(bins, expected, *page, other)
            && exchange(bins, *page, other)
        {
            done.extend([*page, other]);
            moves.push(exchanged(*page, other));
        }
        if looks > LOOKS {
            break;
        }
    }
    if !done.is_empty() {
        bins.lay_out();
    }
}

/// Whether the header of a bin stands at the beginning of the page and names it.
fn is_at_home(bins: &Bins, page: usize) -> bool {
    named(&bins.bytes, page).is_some_and(|home| usize_of(home) == page)
}

fn is_in_broken(bins: &Bins, page: usize) -> bool {
    bins.part_of(page).is_none_or(|part| !part.is_whole())
}

/// Whether what stands at `page` can stand at `other`: it is wanted there, or nothing is, or what is there
/// now is wanted no more.
fn is_wanted_there(bins: &Bins, expected: &Expected, page: usize, other: usize) -> bool {
    let then = expected.score_of(bins, page, other);
    let now = expected.score_of(bins, other, other);
    then.of == 0 || then.is_good() || then.met > now.met
}

/// Exchanges the two, unless the bins are worse then.
fn exchange(bins: &mut Bins, one: usize, other: usize) -> bool {
    let parts: Vec<Part> = [one, other]
        .iter()
        .filter_map(|page| bins.part_of(*page).copied())
        .collect();
    swap(&mut bins.bytes, one, other);
    let is_mended = |part: &Part| {
        let now = part_at(&bins.bytes, part.start);
        match (part.broken_at, now.broken_at) {
            (_, None) => now.end == part.end || !part.is_whole(),
            (Some(before), Some(now)) => now >= before,
            (None, Some(_)) => false,
        }
    };
    let is_right = parts.len() == 2 && parts.iter().all(is_mended);
    if !is_right {
        swap(&mut bins.bytes, one, other);
    }
    is_right
}

/// Tries to exchange pages of broken bins into which nothing leads.
pub(super) fn by_chains(bins: &mut Bins, expected: &Expected, moves: &mut Vec<PageMove>) {
    let parts: Vec<Part> = bins
        .parts
        .iter()
        .filter(|part| !part.is_whole())
        .copied()
        .collect();
    if parts.is_empty() {
        return;
    }
    let mut done = exchange_broken(bins, &parts, expected, moves);
    exchange_with_data(bins, &parts, expected, &mut done, moves);
    if !done.is_empty() {
        bins.lay_out();
    }
}

/// The pages of a broken bin up to its break that have no header of their own.
fn inner_pages(bins: &Bins, part: &Part) -> Vec<usize> {
    let last = part.broken_at.unwrap_or(part.end) / UNIT * UNIT;
    let pages = (part.start..part.end).step_by(UNIT);
    let inner = pages.filter(|page| *page <= last && (*page != part.start || !part.has_header));
    inner.filter(|page| !is_blank(&bins.bytes, *page)).collect()
}

/// Exchanges pages of broken bins that make both whole. Gives the pages that were moved.
fn exchange_broken(
    bins: &mut Bins,
    parts: &[Part],
    expected: &Expected,
    moves: &mut Vec<PageMove>,
) -> Vec<usize> {
    let mut pages: Vec<(usize, Part)> = Vec::new();
    for part in parts {
        let inner = inner_pages(bins, part).into_iter();
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
            if done.contains(other) || !is_better(bins, expected, *one, *other) {
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
    done
}

/// Whether references are met better when the two pages are exchanged, where any lead there.
fn is_better(bins: &Bins, expected: &Expected, one: usize, other: usize) -> bool {
    let score = |content: usize, page: usize| expected.score_of(bins, content, page);
    let (now, there) = (score(one, one), score(other, other));
    if now.of == 0 && there.of == 0 {
        return true;
    }
    let then = score(one, other).met.saturating_add(score(other, one).met);
    then > now.met.saturating_add(there.met)
}

/// A page that was exchanged with one inside of a value's data breaks one bin only: that of the page
/// which was structure. The other one lies within a single cell.
fn exchange_with_data(
    bins: &mut Bins,
    parts: &[Part],
    expected: &Expected,
    done: &mut Vec<usize>,
    moves: &mut Vec<PageMove>,
) {
    let mut tried = 0_usize;
    let mut budget = bins.size().saturating_mul(8).saturating_add(1 << 26);
    for part in parts {
        let mut inner = inner_pages(bins, part);
        inner.retain(|page| !done.contains(page));
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
                let is_out = *other == page || done.contains(other);
                if is_out || !is_better(bins, expected, page, *other) {
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
