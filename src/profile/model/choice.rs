// SPDX-License-Identifier: GPL-3.0-or-later
//! What a condition asks of a value: exact data, or less than that.

use std::fmt;

use super::data::{Data, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, is_same, is_same_text, kind_name};

/// One of the things that a value may be for a condition to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Exactly this, type included.
    Data(Data),
    /// This text in whatever case, type included.
    SameText(Data),
    /// Any data of this type.
    TypeOf(u32),
    /// A string or a list of strings with nothing in it, however it is stored.
    Empty,
}

impl Choice {
    /// Whether a value of this type and these stored bytes is it.
    pub fn is_met_by(&self, kind: u32, bytes: &[u8]) -> bool {
        let found = Some((kind, bytes));
        match self {
            Self::Data(data) => is_same(found, data),
            Self::SameText(data) => is_same_text(found, data),
            Self::TypeOf(wanted) => kind == *wanted,
            Self::Empty => {
                let is_text = [REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ].contains(&kind);
                // Windows sees the end at the first NUL.
                is_text && bytes.iter().take(2).all(|&byte| byte == 0)
            }
        }
    }

    /// What is equal for equal choices.
    pub(crate) fn identity(&self) -> (u8, u32, Vec<u8>) {
        match self {
            Self::Data(data) => (0, data.kind(), data.bytes()),
            Self::SameText(data) => (1, data.kind(), data.bytes()),
            Self::TypeOf(kind) => (2, *kind, Vec::new()),
            Self::Empty => (3, 0, Vec::new()),
        }
    }

    /// Whether every value that is `other` is this too; only what is certain.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Data(data) | Self::SameText(data)
                if !matches!((self, other), (Self::Data(_), Self::SameText(_))) =>
            {
                self.is_met_by(data.kind(), &data.bytes())
            }
            _ => self == other,
        }
    }

    /// Whether some value may be both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let is_text = |kind: &u32| [REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ].contains(kind);
        let has_data_of = |one: &Self, other: &Self| match other {
            Self::Data(data) | Self::SameText(data) => one.is_met_by(data.kind(), &data.bytes()),
            Self::TypeOf(_) | Self::Empty => false,
        };
        match (self, other) {
            (Self::TypeOf(kind), Self::Empty) | (Self::Empty, Self::TypeOf(kind)) => is_text(kind),
            _ => self == other || has_data_of(self, other) || has_data_of(other, self),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::SameText(data) => write!(f, "{data} in any case"),
            Self::TypeOf(kind) => match kind_name(*kind) {
                Some(name) => write!(f, "a {name}"),
                None => write!(f, "of type {kind:#x}"),
            },
            Self::Empty => f.write_str("empty text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_empty_however_it_is_stored() {
        for (kind, bytes, is) in [
            (1, &[][..], true),
            (1, &[0, 0][..], true),
            (1, &[0][..], true),
            (7, &[0, 0, 0, 0][..], true),
            (2, &[0, 0, 0x61, 0][..], true),
            (1, &[0x61, 0, 0, 0][..], false),
            (1, &[0, 1][..], false),
            (3, &[][..], false),
            (4, &[0, 0, 0, 0][..], false),
        ] {
            assert_eq!(Choice::Empty.is_met_by(kind, bytes), is, "{kind} {bytes:?}");
        }
    }

    #[test]
    fn a_type_holds_whatever_the_data_is() {
        assert!(Choice::TypeOf(7).is_met_by(7, &[]));
        assert!(!Choice::TypeOf(7).is_met_by(1, &[0, 0]));
    }

    #[test]
    fn what_meets_and_what_covers() {
        let text = |text: &str| Data::Sz(text.to_owned());
        let (one, shout) = (Choice::Data(text("a")), Choice::SameText(text("A")));
        assert!(shout.meets(&one) && one.meets(&Choice::SameText(text("a"))));
        assert!(shout.covers(&one) && !one.covers(&shout));
        assert!(Choice::TypeOf(1).covers(&shout) && !shout.covers(&Choice::TypeOf(1)));
        assert!(
            Choice::TypeOf(1).meets(&Choice::Empty) && !Choice::TypeOf(4).meets(&Choice::Empty)
        );
        assert!(!Choice::TypeOf(1).meets(&Choice::TypeOf(7)));
        assert!(Choice::Empty.covers(&Choice::Data(text(""))));
    }
}
