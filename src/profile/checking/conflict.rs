// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles that disagree on a value.

use std::fmt;

use crate::profile::model::{Claim, Location, Profile, Rules, clashes};
use crate::profile::reading::write_lines;
use crate::text::{Text, escape};

/// Two entries that cannot both be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key and, unless the key as a whole is meant, the value.
    pub subject: String,
    /// The entry of the profile that was named first.
    pub first: Entry,
    /// The entry that disagrees with it.
    pub second: Entry,
}

/// An entry of a profile, as a message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The profile's id.
    pub profile: String,
    /// The file's name as it was given, or `built-in`.
    pub origin: String,
    /// Where in it.
    pub at: Location,
    /// What the entry wants, in words.
    pub wants: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { line, column } = self.at;
        let (origin, profile) = (escape(&self.origin), escape(&self.profile));
        let wants = escape(&self.wants);
        write!(f, "{origin}:{line}:{column}: {profile}: {wants}")
    }
}

impl Conflict {
    fn write(&self, text: &mut Text) {
        let subject = escape(&self.subject);
        text.line(format_args!("profiles disagree on {subject}"));
        text.line(format_args!("   {}", self.first));
        text.line(format_args!("   {}", self.second));
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::new();
        self.write(&mut text);
        write_lines(f, &text)
    }
}

/// Every pair of entries that disagree; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(Vec<Conflict>);

impl Conflicts {
    /// All of them, for people.
    pub fn text(&self) -> Text {
        let mut text = Text::new();
        self.0.iter().for_each(|conflict| conflict.write(&mut text));
        text.line("   name one of these profiles only, or make them agree");
        text
    }

    /// Returns the pairs, in the order of the profiles.
    pub fn pairs(&self) -> &[Conflict] {
        &self.0
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.text())
    }
}

impl std::error::Error for Conflicts {}

/// Checks that the profiles can be followed together.
///
/// Two entries speak of the same value if hive, key and name are the same in upper case and some
/// control set is meant by both, unless their conditions exclude each other. They agree if they
/// want the same; `if-exists` does not matter. Keys with `*` or `{GUID}` are compared as they are
/// written: which real keys they share shows when a plan is made.
/// A value that one wants in a key that the other wants absent is a conflict too.
///
/// # Errors
///
/// Every pair that disagrees, the first 100 if there are more.
pub fn conflicts(profiles: &[Profile]) -> Result<(), Conflicts> {
    let keys: Vec<Rules<'_>> = profiles
        .iter()
        .map(|profile| (profile.when.as_slice(), profile.keys.as_slice()))
        .collect();
    let clashes = clashes(&keys, Claim::agrees_with).into_iter();
    let found = clashes.filter_map(|(first, second)| {
        Some(Conflict {
            subject: subject(&second),
            first: entry(&first, profiles.get(first.profile)?),
            second: entry(&second, profiles.get(second.profile)?),
        })
    });
    let found: Vec<Conflict> = found.collect();
    match found.is_empty() {
        true => Ok(()),
        false => Err(Conflicts(found)),
    }
}

/// The key and the value, in words.
fn subject(claim: &Claim<'_>) -> String {
    let path = &claim.key.path;
    match claim.value {
        Some(value) if value.every => format!("{path}, every value"),
        Some(value) if value.name.is_empty() => format!("{path}, the unnamed value"),
        Some(value) => format!("{path}, value `{}`", value.name),
        None => path.to_string(),
    }
}

/// The claim as an entry of its profile.
fn entry(claim: &Claim<'_>, profile: &Profile) -> Entry {
    let wants = match claim.value {
        Some(value) => value.want.to_string(),
        None => "the key absent".to_owned(),
    };
    Entry {
        profile: profile.id.clone(),
        origin: profile.origin.clone(),
        at: claim.at(),
        wants,
    }
}
