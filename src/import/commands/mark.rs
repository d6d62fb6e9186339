// SPDX-License-Identifier: GPL-3.0-or-later
//! Where code begins and ends in prose.

/// Stands where code begins or ends within a line.
pub(super) const MARK: char = '\u{2}';
