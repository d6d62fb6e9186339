// SPDX-License-Identifier: GPL-3.0-or-later
//! Two entries for one value: an error inside a profile, and between profiles that disagree.

use std::collections::HashMap;
use std::fmt;

use super::error::{Report, write_lines};
use super::key_path::control_sets_overlap;
use super::when::exclude;
use super::{HiveName, KeyPath, KeyRule, Location, Profile, ValueRule, Want, When, upcase};
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
            subject: second.subject(),
            first: first.entry(profiles.get(first.profile)?),
            second: second.entry(profiles.get(second.profile)?),
        })
    });
    let found: Vec<Conflict> = found.collect();
    match found.is_empty() {
        true => Ok(()),
        false => Err(Conflicts(found)),
    }
}

/// Reports entries of one profile that speak of the same value, even if they agree.
pub(super) fn report_duplicates(keys: &[KeyRule], report: &mut Report<'_>) {
    for (first, second) in clashes(&[(&[], keys)], are_about_parts) {
        let message = match (first.value, second.value) {
            (Some(value), Some(_)) => {
                let name = super::scalar::shown(&value.name);
                format!("the value `{name}` of this key has an entry already")
            }
            (None, None) => "this key is `absent` already".to_owned(),
            _ => "one entry wants this key `absent`, the other a value in it".to_owned(),
        };
        let hint = format!(
            "keep one of the two; the first is in line {}",
            first.at().line
        );
        report.error(second.at(), message, hint);
    }
}

/// Whether the entries are about parts of one value, each under conditions of its own.
fn are_about_parts(one: &Claim<'_>, other: &Claim<'_>) -> bool {
    let is_part = |claim: &Claim<'_>| claim.value.is_some_and(|value| value.want.is_partial());
    is_part(one) && is_part(other) && one.agrees_with(other) && one.key.when != other.key.when
}

/// What one entry says: about a value, or that a key should be absent.
#[derive(Clone, Copy)]
struct Claim<'p> {
    /// Which of the profiles says it.
    profile: usize,
    /// The conditions of that profile.
    when: &'p [When],
    key: &'p KeyRule,
    value: Option<&'p ValueRule>,
}

impl<'p> Claim<'p> {
    fn at(&self) -> Location {
        self.value.map_or(self.key.at, |value| value.at)
    }

    /// Whether both can be about the same thing on some machine.
    fn overlaps(&self, other: &Claim<'_>) -> bool {
        let one = self.key.path.control_set;
        control_sets_overlap(one, other.key.path.control_set)
            && !exclude(&self.conditions(), &other.conditions())
    }

    fn conditions(&self) -> Vec<&'p When> {
        self.when.iter().chain(&self.key.when).collect()
    }

    fn agrees_with(&self, other: &Claim<'_>) -> bool {
        match (self.value, other.value) {
            (Some(one), Some(two)) => one.want.agrees_with(&two.want),
            (None, None) => true,
            // Who wants a value gone does not mind that its key is gone.
            (Some(one), None) | (None, Some(one)) => one.want == Want::Absent,
        }
    }

    /// What tells the value from the others of its key. Which real ones `*` shares with them shows when
    /// a plan is made.
    fn slot(&self) -> Vec<u16> {
        match self.value {
            Some(value) if value.every => vec![0],
            Some(value) => upcase(&value.name),
            None => Vec::new(),
        }
    }

    fn subject(&self) -> String {
        let path = &self.key.path;
        match self.value {
            Some(value) if value.every => format!("{path}, every value"),
            Some(value) if value.name.is_empty() => format!("{path}, the unnamed value"),
            Some(value) => format!("{path}, value `{}`", value.name),
            None => path.to_string(),
        }
    }

    fn entry(&self, profile: &Profile) -> Entry {
        let wants = match self.value {
            Some(value) => value.want.to_string(),
            None => "the key absent".to_owned(),
        };
        Entry {
            profile: profile.id.clone(),
            origin: profile.origin.clone(),
            at: self.at(),
            wants,
        }
    }
}

/// The rules of a profile, with the conditions that all of them have.
type Rules<'p> = (&'p [When], &'p [KeyRule]);

/// More pairs than this are not worth listing.
const MAX_CLASHES: usize = 100;

/// Finds the pairs of claims that overlap and do not agree, in each the earlier one first.
fn clashes<'p>(
    profiles: &[Rules<'p>],
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
) -> Vec<(Claim<'p>, Claim<'p>)> {
    let mut index = Index {
        absent: HashMap::new(),
        values: HashMap::new(),
        agree,
        found: Vec::new(),
    };
    let keys = || {
        let numbered = profiles.iter().enumerate();
        numbered.flat_map(|(profile, (when, keys))| {
            keys.iter().map(move |key| Claim {
                profile,
                when,
                key,
                value: None,
            })
        })
    };
    // All absent keys first: a value has to look for them above itself only.
    for claim in keys().filter(|claim| claim.key.absent) {
        index.add_absent(claim);
    }
    for claim in keys() {
        index.add_values(claim);
    }
    index
        .found
        .sort_by_key(|(_, second)| (second.profile, second.at()));
    index.found
}

/// Claims that have been made about one thing.
type Made<'p> = Vec<Claim<'p>>;

/// The claims made so far. Keys are as [`place`] gives them.
struct Index<'p> {
    absent: HashMap<Vec<u16>, Made<'p>>,
    /// By key, then by the value's name in upper case.
    values: HashMap<Vec<u16>, HashMap<Vec<u16>, Made<'p>>>,
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
    found: Vec<(Claim<'p>, Claim<'p>)>,
}

impl<'p> Index<'p> {
    fn add_absent(&mut self, claim: Claim<'p>) {
        let (place, _) = place(&claim.key.path);
        let made = self.absent.entry(place).or_default();
        match clash(&claim, made, self.agree) {
            Some(other) => self.found.push(in_order(claim, other)),
            None => made.push(claim),
        }
    }

    fn add_values(&mut self, of_key: Claim<'p>) {
        let key = of_key.key;
        let (place, ends) = place(&key.path);
        let claim = |value| Claim {
            value: Some(value),
            ..of_key
        };
        if !self.absent.is_empty() {
            let above = ends
                .iter()
                .filter_map(|&end| self.absent.get(place.get(..end)?));
            let above: Made<'p> = above.flatten().copied().collect();
            let mut pairs = key.values.iter().map(claim).filter_map(|claim| {
                let other = clash(&claim, &above, self.agree)?;
                Some(in_order(claim, other))
            });
            // One pair says it: the other values of the key suffer the same.
            let pair = pairs.next();
            self.found.extend(pair);
        }
        let slots = self.values.entry(place).or_default();
        for claim in key.values.iter().map(claim) {
            if self.found.len() >= MAX_CLASHES {
                return;
            }
            let made = slots.entry(claim.slot()).or_default();
            match clash(&claim, made, self.agree) {
                Some(other) => self.found.push(in_order(claim, other)),
                None => made.push(claim),
            }
        }
    }
}

/// More entries than this for one value are taken to overlap, so that comparing all pairs of a
/// hostile profile ends.
const MAX_ALTERNATIVES: usize = 64;

fn clash<'p>(
    claim: &Claim<'p>,
    made: &[Claim<'p>],
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
) -> Option<Claim<'p>> {
    let is_long = made.len() >= MAX_ALTERNATIVES;
    let mut made = made.iter();
    made.find(|other| (is_long || claim.overlaps(other)) && !agree(claim, other))
        .copied()
}

fn in_order<'p>(one: Claim<'p>, other: Claim<'p>) -> (Claim<'p>, Claim<'p>) {
    match (one.profile, one.at()) <= (other.profile, other.at()) {
        true => (one, other),
        false => (other, one),
    }
}

/// Returns the key without its control set, as Windows compares it, and the length that each key
/// on the way to it has in that.
fn place(path: &KeyPath) -> (Vec<u16>, Vec<usize>) {
    let in_system = u16::from(path.hive == HiveName::System);
    let in_control_set = u16::from(path.control_set.is_some());
    // In front of all names, what sets `SYSTEM\X` apart from `SYSTEM\CurrentControlSet\X`.
    let mut units = vec![in_system, in_control_set];
    let mut ends = Vec::with_capacity(path.segments.len());
    for name in &path.segments {
        units.push(u16::from(b'\\'));
        units.extend(upcase(name));
        ends.push(units.len());
    }
    (units, ends)
}
