// SPDX-License-Identifier: GPL-3.0-or-later
//! Mistakes that articles are known to make.

use std::fmt;

use super::place::Place;
use crate::text::{Foreign, escape};

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file's name as it was given.
    pub file: Foreign,
    /// Where the command begins.
    pub at: Place,
    /// Which mistake it is.
    pub kind: MistakeKind,
    /// What is written.
    pub written: Foreign,
}

/// Which mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MistakeKind {
    /// Single quotes, which cmd.exe leaves in the name.
    SingleQuotes,
    /// Typographic quotes, which cmd.exe leaves in the text.
    TypographicQuotes,
    /// A blank in front of a value's name or behind it.
    BlankAtName,
    /// A blank in front of a key's name or behind it.
    BlankAtKey,
    /// A hexadecimal number without `0x`.
    HexWithoutPrefix,
    /// A number that is written as text, because no type is named.
    NumberAsText,
    /// `CurrentControlSet` in a hive that is not running.
    NoCurrentControlSet,
}

impl MistakeKind {
    /// Its permanent name, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::SingleQuotes => "single-quotes",
            Self::TypographicQuotes => "typographic-quotes",
            Self::BlankAtName => "blank-at-name",
            Self::BlankAtKey => "blank-at-key",
            Self::HexWithoutPrefix => "hex-without-0x",
            Self::NumberAsText => "number-as-text",
            Self::NoCurrentControlSet => "no-current-control-set",
        }
    }

    /// What comes of it.
    pub fn consequence(self) -> &'static str {
        match self {
            Self::SingleQuotes => "cmd.exe makes single quotes part of the text",
            Self::TypographicQuotes => "cmd.exe makes typographic quotes part of the text",
            Self::BlankAtName => "the blank at its end becomes part of the value's name",
            Self::BlankAtKey => "a blank at the end of a name becomes part of the key",
            Self::HexWithoutPrefix => "a hexadecimal number without 0x is refused",
            Self::NumberAsText => "without a type the number becomes text (REG_SZ)",
            Self::NoCurrentControlSet => {
                "a hive that is not running has no CurrentControlSet: a key of that name is made"
            }
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            at,
            kind,
            written,
        } = self;
        let (code, why) = (kind.code(), kind.consequence());
        write!(f, "{file}:{at}: [{code}] {}: {why}", escape(written.raw()))
    }
}
