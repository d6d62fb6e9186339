// SPDX-License-Identifier: GPL-3.0-or-later
//! What an argument of a PowerShell command is.

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PsValue {
    /// Text; `is_bare` without quotes.
    Text { text: String, is_bare: bool },
    /// A whole number.
    Number(i128),
    /// Several, with commas or in `@(...)`; `[byte[]]` in front says of what.
    List { items: Vec<PsValue>, is_bytes: bool },
}

impl PsValue {
    /// The text, as a parameter that is text takes it.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text { text, .. } => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::List { .. } => None,
        }
    }

    /// The members of a list, or the one value.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List { items, .. } => items,
            one => std::slice::from_ref(one),
        }
    }
}

/// A parameter with its argument, or an argument by its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PsArgument {
    /// In lower case, without its hyphen.
    pub(super) name: Option<String>,
    pub(super) value: Option<PsValue>,
}
