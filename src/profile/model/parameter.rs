// SPDX-License-Identifier: GPL-3.0-or-later
//! Parameters: what `--set` can give to a profile.

use super::data::Data;
use super::key_path::MAX_NAME_UNITS;
use super::location::Location;
use super::number::parse_number;
use super::shown::shown;
use super::tokens::token_text;
use crate::text::escape;

/// What can be given to a profile by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in front of `=`.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// What kind of data it takes.
    pub kind: ParameterKind,
    /// What it is unless it is given; `None` for one that must be given.
    pub default: Option<Data>,
    /// The smallest number that is taken.
    pub min: u64,
    /// The largest number that is taken.
    pub max: u64,
    /// The only data that is taken; empty for any in the range.
    pub one_of: Vec<Data>,
    /// Where the entry begins.
    pub at: Location,
}

/// The types that a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A REG_DWORD.
    Dword,
    /// A REG_QWORD.
    Qword,
    /// A REG_SZ.
    Sz,
    /// A REG_MULTI_SZ.
    MultiSz,
}

/// How a value entry uses a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterUse {
    /// The parameter's name.
    pub name: String,
    /// The good numbers besides, from `min` to `max`.
    pub range: Option<(u64, u64)>,
}

/// Why a setting cannot be used, and what is taken instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It is not `NAME=VALUE`.
    #[error("`{0}` is not NAME=VALUE: write, for example, --set port=3390")]
    NotASetting(String),
    /// It is given twice.
    #[error("`{0}` is set twice: keep one of the two")]
    Twice(String),
    /// No profile has such a parameter.
    #[error("no profile here has a parameter `{name}`; {known}")]
    Unknown {
        /// The name as it was typed.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The value does not fit.
    #[error("`{value}` cannot be `{name}` ({title}): {accepted}")]
    Bad {
        /// The parameter.
        name: String,
        /// What it is.
        title: String,
        /// The value as it was typed.
        value: String,
        /// What is taken.
        accepted: String,
    },
    /// A parameter must be given and was not.
    #[error("the profile {profile} needs --set {name}=...: {title}; {accepted}")]
    Missing {
        /// The profile's id.
        profile: String,
        /// The parameter.
        name: String,
        /// What it is.
        title: String,
        /// What is taken.
        accepted: String,
    },
}

impl ParameterKind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Dword, Self::Qword, Self::Sz, Self::MultiSz];

    /// The name of its type's field.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Dword => "dword",
            Self::Qword => "qword",
            Self::Sz => "sz",
            Self::MultiSz => "multi-sz",
        }
    }

    /// The largest number of the type; 0 where it has none.
    pub(crate) fn max(self) -> u64 {
        match self {
            Self::Dword => u64::from(u32::MAX),
            Self::Qword => u64::MAX,
            Self::Sz | Self::MultiSz => 0,
        }
    }

    /// The number as data of this type, if it is a number.
    pub(crate) fn number(self, number: u64) -> Option<Data> {
        match self {
            Self::Dword => u32::try_from(number).ok().map(Data::Dword),
            Self::Qword => Some(Data::Qword(number)),
            Self::Sz | Self::MultiSz => None,
        }
    }
}

/// The longest text that a parameter takes, in bytes: as many as a value's name has code units.
const MAX_TEXT: usize = MAX_NAME_UNITS;

impl Parameter {
    /// Says what is taken, in a few words.
    pub fn accepted(&self) -> String {
        let Self { min, max, .. } = self;
        if !self.one_of.is_empty() {
            let texts: Vec<String> = self.one_of.iter().filter_map(token_text).collect();
            return format!("one of {}", escape(&texts.join(", ")));
        }
        match self.kind {
            ParameterKind::Dword | ParameterKind::Qword => {
                format!("a number from {min} to {max}, decimal or hexadecimal behind 0x")
            }
            ParameterKind::Sz => "text that is not empty".to_owned(),
            ParameterKind::MultiSz => "names with commas between them".to_owned(),
        }
    }

    /// Whether the data is of its type and in its range.
    pub(crate) fn takes(&self, data: &Data) -> bool {
        if !self.one_of.is_empty() && !self.one_of.contains(data) {
            return false;
        }
        match (self.kind, data) {
            (ParameterKind::Dword, Data::Dword(number)) => {
                (self.min..=self.max).contains(&u64::from(*number))
            }
            (ParameterKind::Qword, Data::Qword(number)) => (self.min..=self.max).contains(number),
            (ParameterKind::Sz, Data::Sz(_)) | (ParameterKind::MultiSz, Data::MultiSz(_)) => true,
            _ => false,
        }
    }

    /// Reads what was typed behind `=`.
    ///
    /// # Errors
    ///
    /// Where it is of another type or out of range.
    pub(super) fn read(&self, value: &str) -> Result<Data, SettingError> {
        let fits = |text: &str| {
            !text.is_empty() && !text.chars().any(char::is_control) && text.len() <= MAX_TEXT
        };
        let data = match self.kind {
            ParameterKind::Dword | ParameterKind::Qword => parse_number(value)
                .and_then(|number| u64::try_from(number).ok())
                .filter(|number| (self.min..=self.max).contains(number))
                .and_then(|number| self.kind.number(number)),
            ParameterKind::Sz => fits(value).then(|| Data::Sz(value.to_owned())),
            ParameterKind::MultiSz => {
                let members: Vec<String> = value.split(',').map(|m| m.trim().to_owned()).collect();
                let all = members.iter().all(|member| fits(member));
                all.then_some(Data::MultiSz(members))
            }
        };
        let data = data.filter(|data| self.takes(data));
        data.ok_or_else(|| SettingError::Bad {
            name: self.name.clone(),
            title: escape(&self.title),
            value: escape(&shown(value)),
            accepted: self.accepted(),
        })
    }
}
