// SPDX-License-Identifier: GPL-3.0-or-later
//! What a message repeats of a text or a list.

use std::fmt;

/// The most characters of a text, or bytes of binary data, that a message repeats.
pub(super) const SHOWN: usize = 40;

/// Returns the beginning of `text`, for a message.
pub(crate) fn shown(text: &str) -> String {
    cut(text, SHOWN)
}

/// The first `longest` characters of `text`, with a mark where some were left out.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let mut cut: String = text.chars().take(longest).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// The choices between commas.
pub(super) fn joined<T: fmt::Display>(choices: &[T]) -> String {
    let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
    choices.join(", ")
}
