// SPDX-License-Identifier: GPL-3.0-or-later
//! What a language cannot say.

use crate::text::escape;

/// A change that cannot be written in a language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", escape(.what), escape(.why))]
pub struct ExportError {
    /// The key, and the value where it is about one.
    pub what: String,
    /// Why it cannot be written.
    pub why: String,
}
