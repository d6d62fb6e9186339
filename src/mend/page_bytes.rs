// SPDX-License-Identifier: GPL-3.0-or-later
//! Whole pages of the bins: exchanged, compared, blanked.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::bins::UNIT;

pub(super) fn swap(bytes: &mut [u8], one: usize, other: usize) {
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

pub(super) fn page(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..at.saturating_add(UNIT)).unwrap_or(&[])
}

pub(super) fn same(bytes: &[u8], one: usize, other: usize) -> bool {
    page(bytes, one) == page(bytes, other)
}

pub(super) fn is_blank(bytes: &[u8], at: usize) -> bool {
    page(bytes, at).iter().all(|byte| *byte == 0)
}

pub(super) fn hash(bytes: &[u8], at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    page(bytes, at).hash(&mut hasher);
    hasher.finish()
}
