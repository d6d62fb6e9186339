// SPDX-License-Identifier: GPL-3.0-or-later
//! What was done about pages that stand in the wrong place.

/// What was done about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMove {
    /// Two pages were exchanged back; their offsets in the bins.
    Exchanged(u32, u32),
    /// The page at the first offset is a copy of, or belongs to, the one at the second.
    Copy(u32, u32),
}

pub(super) fn exchanged(one: usize, other: usize) -> PageMove {
    let (one, other) = (one.min(other), one.max(other));
    PageMove::Exchanged(offset(one), offset(other))
}

pub(super) fn copy(page: usize, original: usize) -> PageMove {
    PageMove::Copy(offset(page), offset(original))
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
