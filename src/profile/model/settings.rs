// SPDX-License-Identifier: GPL-3.0-or-later
//! What `--set` makes of profiles.

use super::data::Data;
use super::parameter::SettingError;
use super::profile::Profile;
use super::shown::shown;
use super::tokens::token_text;
use super::want::Want;
use crate::text::escape;

/// `NAME=VALUE`, as somebody typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The parameter's name.
    pub name: String,
    /// What it is to be.
    pub value: String,
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
pub(crate) fn bind(profile: &mut Profile, name: &str, data: &Data) {
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
