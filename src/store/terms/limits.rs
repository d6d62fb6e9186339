// SPDX-License-Identifier: GPL-3.0-or-later
//! How long a record may be: for its reader, and so for its writer, which asks before it writes.

/// Longest manifest, in bytes: some hundred thousand changes. Reading it back takes about ten times
/// as much memory.
pub const MANIFEST: u64 = 64 << 20;

/// Longest journal, in bytes: a few files, with what each has besides its bytes.
pub const JOURNAL: u64 = 16 << 20;

/// What a manifest may still grow by after it was measured: its state and how each hive was kept,
/// and the name of a backup that is taken when another run has the first one.
pub(crate) const GROWTH: u64 = 4096;
