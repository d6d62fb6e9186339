// SPDX-License-Identifier: GPL-3.0-or-later
//! What a value should be, and what is to be done where it is not.

use std::fmt;

use super::data::{Data, REG_DWORD, REG_QWORD, is_same, is_same_text};
use super::elements::{self, Part};
use super::shown::joined;
use super::tokens::{self, Token};
use super::upcase::upcase;
use super::verdict::Verdict;
use crate::text::escape;

/// What a value should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Exactly this, type included.
    Data(Data),
    /// Any of these is no drift; otherwise the first is written. Two at least.
    OneOf(Vec<Data>),
    /// Any of these texts in whatever case is no drift; otherwise the first is written.
    SameText(Vec<Data>),
    /// Any number of this type in the range is no drift; otherwise this one is written.
    Range {
        /// What is written: a REG_DWORD or REG_QWORD.
        write: Data,
        /// The smallest good number.
        min: u64,
        /// The largest good number.
        max: u64,
    },
    /// Not there at all.
    Absent,
    /// A REG_MULTI_SZ without these elements; the rest stays as it is.
    ListRemove(Vec<String>),
    /// A REG_MULTI_SZ with no elements but these; they stay as they are.
    ListKeep(Vec<String>),
    /// A REG_MULTI_SZ with these elements; those that are not there are put behind the others.
    ListAdd(Vec<String>),
    /// A REG_SZ or REG_EXPAND_SZ that is a list with a character between its elements.
    TextList {
        /// What stands between two elements.
        separator: char,
        /// What is wanted of the elements.
        part: Part,
        /// The elements that are meant.
        names: Vec<String>,
    },
    /// A firewall rule string with these `Name=Text` tokens; the rest stays as it is.
    Tokens(Vec<Token>),
    /// What a required parameter says, which has not been given.
    Unset,
}

impl Want {
    /// Returns the whole data that is written where the value has drifted; `None` if it is deleted
    /// or only a part of it changes.
    pub fn to_write(&self) -> Option<&Data> {
        match self {
            Self::Data(data) | Self::Range { write: data, .. } => Some(data),
            Self::OneOf(choices) | Self::SameText(choices) => choices.first(),
            Self::Absent
            | Self::ListRemove(_)
            | Self::ListKeep(_)
            | Self::ListAdd(_)
            | Self::TextList { .. }
            | Self::Tokens(_)
            | Self::Unset => None,
        }
    }

    /// Says whether a value of this type and these stored bytes is no drift.
    ///
    /// The same number under another type is drift. A value that is not there is `None`.
    pub fn is_met_by(&self, found: Option<(u32, &[u8])>) -> bool {
        self.judge(found) == Verdict::Met
    }

    /// Says what is to be done with a value of this type and these stored bytes, `None` for one
    /// that is not there.
    pub fn judge(&self, found: Option<(u32, &[u8])>) -> Verdict {
        let same = |data: &Data| is_same(found, data);
        let met = match self {
            Self::Data(data) => same(data),
            Self::OneOf(choices) => choices.iter().any(same),
            Self::SameText(choices) => choices.iter().any(|data| is_same_text(found, data)),
            Self::Range { write, min, max } => {
                number(found, write.kind()).is_some_and(|found| (*min..=*max).contains(&found))
            }
            Self::Absent => found.is_none(),
            Self::ListRemove(names) => return elements::remove(found, names),
            Self::ListKeep(names) => return elements::keep(found, names),
            Self::ListAdd(names) => return elements::add(found, names),
            Self::TextList {
                separator,
                part,
                names,
            } => return elements::text(found, *separator, *part, names),
            Self::Tokens(wanted) => return tokens::judge(found, wanted),
            Self::Unset => {
                return Verdict::Blocked("the parameter that it takes has no value".to_owned());
            }
        };
        match (met, self.to_write()) {
            (true, _) => Verdict::Met,
            (false, None) => Verdict::Delete,
            (false, Some(data)) => Verdict::Write {
                kind: data.kind(),
                data: data.bytes(),
            },
        }
    }

    /// Whether both can be followed: they want the same, or parts of a value that go together.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same_token = |one: &Token, two: &Token| {
            upcase(&one.name) != upcase(&two.name) || one.text == two.text
        };
        match (self, other) {
            (Self::Tokens(some), Self::Tokens(others)) => {
                let mut some = some.iter();
                some.all(|one| others.iter().all(|two| same_token(one, two)))
            }
            _ => match (self.list(), other.list()) {
                (Some(one), Some(two)) => one.goes_with(&two),
                // What one writes the other is content with.
                _ => {
                    self == other
                        || (self.to_write().is_some() && self.to_write() == other.to_write())
                }
            },
        }
    }

    /// Whether only a part of the value is spoken of, so that an absent value is no drift.
    pub fn is_partial(&self) -> bool {
        matches!(
            self,
            Self::ListRemove(_)
                | Self::ListKeep(_)
                | Self::ListAdd(_)
                | Self::TextList { .. }
                | Self::Tokens(_)
        )
    }

    /// What is wanted of the elements, where the value is a list.
    fn list(&self) -> Option<Listed<'_>> {
        let listed = |separator, part, names| Listed {
            separator,
            part,
            names,
        };
        match self {
            Self::ListRemove(names) => Some(listed(None, Part::Remove, names)),
            Self::ListKeep(names) => Some(listed(None, Part::Keep, names)),
            Self::ListAdd(names) => Some(listed(None, Part::Add, names)),
            Self::TextList {
                separator,
                part,
                names,
            } => Some(listed(Some(*separator), *part, names)),
            _ => None,
        }
    }
}

/// What an entry wants of a list.
struct Listed<'w> {
    /// `None` for a REG_MULTI_SZ.
    separator: Option<char>,
    part: Part,
    names: &'w [String],
}

impl Listed<'_> {
    /// Whether both can be followed: neither takes out what the other puts in.
    fn goes_with(&self, other: &Self) -> bool {
        self.separator == other.separator
            && self.spares_added_of(other)
            && other.spares_added_of(self)
    }

    fn spares_added_of(&self, other: &Self) -> bool {
        let has = |name: &String| self.names.iter().any(|own| upcase(own) == upcase(name));
        match (self.part, other.part) {
            (Part::Remove, Part::Add) => !other.names.iter().any(has),
            (Part::Keep, Part::Add) => other.names.iter().all(has),
            _ => true,
        }
    }
}

/// The number that is stored as a REG_DWORD or REG_QWORD, whichever `kind` is.
fn number(found: Option<(u32, &[u8])>, kind: u32) -> Option<u64> {
    let (found, bytes) = found?;
    match (found == kind, kind) {
        (true, REG_DWORD) => Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?))),
        (true, REG_QWORD) => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::OneOf(choices) => write!(f, "one of {}", joined(choices)),
            Self::SameText(choices) => match choices.as_slice() {
                [data] => write!(f, "{data} in any case"),
                _ => write!(f, "one of {} in any case", joined(choices)),
            },
            Self::Range { write, min, max } => write!(f, "{write}, or any from {min} to {max}"),
            Self::Absent => f.write_str("absent"),
            Self::ListRemove(names) => write!(f, "a list without {}", quoted(names)),
            Self::ListKeep(names) => write!(f, "a list of {} at most", quoted(names)),
            Self::ListAdd(names) => write!(f, "a list with {}", quoted(names)),
            Self::TextList {
                separator,
                part,
                names,
            } => {
                let between = escape(&separator.to_string());
                let names = quoted(names);
                match part {
                    Part::Remove => write!(f, "a text list (`{between}`) without {names}"),
                    Part::Keep => write!(f, "a text list (`{between}`) of {names} at most"),
                    Part::Add => write!(f, "a text list (`{between}`) with {names}"),
                }
            }
            Self::Tokens(tokens) => {
                let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
                f.write_str(&tokens.join("|"))
            }
            Self::Unset => f.write_str("a parameter without a value"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN);
    let shown: Vec<String> = shown.map(|name| format!("\"{}\"", escape(name))).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
