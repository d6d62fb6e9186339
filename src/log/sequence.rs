// SPDX-License-Identifier: GPL-3.0-or-later
//! Sequence numbers of writes, in their order.

/// Whether `a` comes before `b`: sequence numbers begin again at 0.
pub(super) fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}
