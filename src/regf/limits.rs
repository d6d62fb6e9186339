// SPDX-License-Identifier: GPL-3.0-or-later
//! What the format, and Windows, allow at most; and the one flag of the base block.

/// How many levels of keys may be below the root. Windows allows 512 with the root itself:
/// Microsoft's checker refuses one more ("Check Registry 2" 0x60).
pub const KEY_DEPTH_LIMIT: usize = 511;

/// The longest name of a key, in UTF-16 units.
pub(crate) const KEY_NAME_LIMIT: usize = 255;

/// The longest name of a value, in UTF-16 units.
pub(crate) const VALUE_NAME_LIMIT: usize = 16_383;

/// The most bytes of data that one cell holds where the format version knows big data.
pub(crate) const DATA_SEGMENT_SIZE: u32 = 16_344;

/// The bit of the base block's flags that says: transactions of the kernel transaction manager are
/// pending or expected.
pub(crate) const TRANSACTIONS_PENDING: u32 = 1;
