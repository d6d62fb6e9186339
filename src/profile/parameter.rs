// SPDX-License-Identifier: GPL-3.0-or-later
//! Parameters: what `--set` can give to a profile, and what that makes of it.

use super::scalar::{parse_number, shown};
use super::{Data, Location, Profile, Want};
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

/// `NAME=VALUE`, as somebody typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The parameter's name.
    pub name: String,
    /// What it is to be.
    pub value: String,
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
    pub(super) const ALL: [Self; 4] = [Self::Dword, Self::Qword, Self::Sz, Self::MultiSz];

    /// The name of its type's field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Dword => "dword",
            Self::Qword => "qword",
            Self::Sz => "sz",
            Self::MultiSz => "multi-sz",
        }
    }

    /// The largest number of the type; 0 where it has none.
    pub(super) fn max(self) -> u64 {
        match self {
            Self::Dword => u64::from(u32::MAX),
            Self::Qword => u64::MAX,
            Self::Sz | Self::MultiSz => 0,
        }
    }

    /// The number as data of this type, if it is a number.
    pub(super) fn number(self, number: u64) -> Option<Data> {
        match self {
            Self::Dword => u32::try_from(number).ok().map(Data::Dword),
            Self::Qword => Some(Data::Qword(number)),
            Self::Sz | Self::MultiSz => None,
        }
    }
}

/// The longest text that a parameter takes, in characters.
const MAX_TEXT: usize = 16_383;

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
    pub(super) fn takes(&self, data: &Data) -> bool {
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
    pub fn read(&self, value: &str) -> Result<Data, SettingError> {
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

impl Setting {
    /// Reads `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// Where there is no `=`, or no name in front of it.
    pub fn read(text: &str) -> Result<Self, SettingError> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(SettingError::NotASetting(escape(&shown(text)))),
        }
    }
}

/// Gives the settings to the profiles that have such parameters.
///
/// # Errors
///
/// A setting that no profile takes, a value that does not fit, and a parameter that must be given
/// and is not.
pub fn set_parameters(profiles: &mut [Profile], settings: &[Setting]) -> Result<(), SettingError> {
    for (index, Setting { name, value }) in settings.iter().enumerate() {
        let mut before = settings.iter().take(index);
        if before.any(|other| other.name == *name) {
            return Err(SettingError::Twice(escape(&shown(name))));
        }
        let mut is_known = false;
        for profile in profiles.iter_mut() {
            let parameter = profile.parameters.iter().find(|p| p.name == *name);
            let Some(data) = parameter.map(|parameter| parameter.read(value)) else {
                continue;
            };
            is_known = true;
            let data = data?;
            bind(profile, name, &data);
            expect_token_text(profile, name, value)?;
        }
        if !is_known {
            let name = escape(&shown(name));
            let known = known(profiles);
            return Err(SettingError::Unknown { name, known });
        }
    }
    profiles.iter().try_for_each(expect_all_given)
}

fn known(profiles: &[Profile]) -> String {
    let mut known: Vec<String> = Vec::new();
    for parameter in profiles.iter().flat_map(|profile| &profile.parameters) {
        let line = format!("{} ({})", parameter.name, parameter.accepted());
        if !known.contains(&line) {
            known.push(line);
        }
    }
    match known.is_empty() {
        true => "they have none".to_owned(),
        false => format!("there are: {}", known.join("; ")),
    }
}

fn expect_all_given(profile: &Profile) -> Result<(), SettingError> {
    let missing = profile.parameters.iter().find(|p| p.default.is_none());
    match missing {
        None => Ok(()),
        Some(parameter) => Err(SettingError::Missing {
            profile: profile.id.clone(),
            name: parameter.name.clone(),
            title: escape(&parameter.title),
            accepted: parameter.accepted(),
        }),
    }
}

/// A text with a `|` in it would end its token.
fn expect_token_text(profile: &Profile, name: &str, value: &str) -> Result<(), SettingError> {
    let is_bad = |want: &Want| match want {
        Want::Tokens(tokens) => {
            let mut taken = tokens
                .iter()
                .filter(|t| t.parameter.as_deref() == Some(name));
            taken.any(|token| token.text.is_none())
        }
        _ => false,
    };
    let mut values = profile.keys.iter().flat_map(|key| &key.values);
    if !values.any(|value| is_bad(&value.want)) {
        return Ok(());
    }
    let parameter = profile.parameters.iter().find(|p| p.name == name);
    Err(SettingError::Bad {
        name: name.to_owned(),
        title: parameter.map_or(String::new(), |parameter| escape(&parameter.title)),
        value: escape(&shown(value)),
        accepted: "text without a |, which ends a token".to_owned(),
    })
}

/// Gives a parameter its data, and writes it into every entry that takes it.
pub(super) fn bind(profile: &mut Profile, name: &str, data: &Data) {
    for parameter in profile.parameters.iter_mut().filter(|p| p.name == name) {
        parameter.default = Some(data.clone());
    }
    for value in profile.keys.iter_mut().flat_map(|key| &mut key.values) {
        if let Some(used) = value.parameter.as_ref().filter(|used| used.name == name) {
            value.want = match used.range {
                Some((min, max)) => Want::Range {
                    write: data.clone(),
                    min,
                    max,
                },
                None => Want::Data(data.clone()),
            };
        }
        let wanted = match &mut value.want {
            Want::Tokens(tokens) => tokens.as_mut_slice(),
            _ => &mut [],
        };
        let asked = value.if_tokens.iter_mut().flat_map(|test| &mut test.texts);
        let taken = asked
            .chain(wanted)
            .filter(|token| token.parameter.as_deref() == Some(name));
        taken.for_each(|token| token.text = token_text(data));
    }
}

/// The data as the text of a token; `None` for what cannot be one.
pub(super) fn token_text(data: &Data) -> Option<String> {
    match data {
        Data::Dword(number) => Some(number.to_string()),
        Data::Qword(number) => Some(number.to_string()),
        Data::Sz(text) => (!text.contains(['|', '\0'])).then(|| text.clone()),
        _ => None,
    }
}
