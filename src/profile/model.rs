// SPDX-License-Identifier: GPL-3.0-or-later
//! What a profile says, once it has been read.

use std::fmt;

use super::{Data, KeyPath, Location};

/// A baseline: keys and values as they should be, with the reason for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name it is called by, such as `rdp-disconnects`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Where the values come from: an article, a measurement.
    pub source: String,
    /// What the machine's user sees when this profile is the remedy.
    pub symptoms: Vec<String>,
    /// The id of the profile that takes this one back.
    pub undo: Option<String>,
    /// The rules, in the order of the file.
    pub keys: Vec<KeyRule>,
    /// The file's name as it was given, or `built-in`.
    pub origin: String,
    /// The profile as it was read, without a byte order mark.
    pub text: String,
}

/// What a profile wants of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The key.
    pub path: KeyPath,
    /// Whether the key, with all that is in it, should not be there. It has no `values` then.
    pub absent: bool,
    /// Whether the rule holds only where the key exists.
    pub if_exists: bool,
    /// Why, where the entry says it for the key as a whole.
    pub why: Option<String>,
    /// Whether removing this `absent` key lowers the machine's security.
    pub lowers_security: bool,
    /// What is wanted of its values, in the order of the file.
    pub values: Vec<ValueRule>,
    /// Where the entry begins.
    pub at: Location,
}

/// What a profile wants of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueRule {
    /// The value's name; empty for the key's unnamed (default) value.
    pub name: String,
    /// What it should be.
    pub want: Want,
    /// Whether the rule holds only where the value exists.
    pub if_exists: bool,
    /// The reason, for the engineer who reviews the plan.
    pub why: String,
    /// Whether this lowers the machine's security.
    pub lowers_security: bool,
    /// Where the entry begins.
    pub at: Location,
}

/// What a value should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Exactly this, type included.
    Data(Data),
    /// Any of these is no drift; otherwise the first is written. Two at least.
    OneOf(Vec<Data>),
    /// Not there at all.
    Absent,
}

impl Want {
    /// Returns what is written where the value has drifted; `None` if it is deleted.
    pub fn to_write(&self) -> Option<&Data> {
        match self {
            Self::Data(data) => Some(data),
            Self::OneOf(choices) => choices.first(),
            Self::Absent => None,
        }
    }

    /// Says whether a value of this type and these stored bytes is no drift.
    ///
    /// The same number under another type is drift. A value that is not there is `None`.
    pub fn is_met_by(&self, found: Option<(u32, &[u8])>) -> bool {
        let same = |data: &Data| found == Some((data.kind(), data.bytes().as_slice()));
        match self {
            Self::Data(data) => same(data),
            Self::OneOf(choices) => choices.iter().any(same),
            Self::Absent => found.is_none(),
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::OneOf(choices) => {
                f.write_str("one of ")?;
                for (i, data) in choices.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { ", " })?;
                    data.fmt(f)?;
                }
                Ok(())
            }
            Self::Absent => f.write_str("absent"),
        }
    }
}
