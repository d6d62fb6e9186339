// SPDX-License-Identifier: GPL-3.0-or-later
//! What files want done, as the entries of a profile.

use std::collections::{HashMap, HashSet};

use super::merge::{Merged, merge};
use super::operation::Deed;
use super::read::Import;
use super::trouble::{ImportErrors, Trouble};
use crate::profile::{Data, HiveName, KeyPath, is_known_to_lower, upcase};

/// The entries of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The keys, in the order in which they are spoken of.
    pub keys: Vec<DraftKey>,
    /// What else there is to say, each in a sentence.
    pub notes: Vec<String>,
}

/// A key entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftKey {
    /// The key.
    pub path: KeyPath,
    /// Why the key should not be there; `None` where its values are spoken of.
    pub absent: Option<String>,
    /// Its values.
    pub values: Vec<DraftValue>,
}

/// A value entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftValue {
    /// The value's name; empty for the unnamed one.
    pub name: String,
    /// What it should be.
    pub want: DraftWant,
    /// File, line, and the comment above it.
    pub why: String,
    /// Whether it lowers security.
    pub lowers_security: bool,
}

/// What a value should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftWant {
    /// This.
    Data(Data),
    /// Not there.
    Absent,
    /// Every value of the key is not there.
    AllAbsent,
}

/// How a comment begins that says of its line that it lowers security.
const LOWERS: &str = "LOWERS SECURITY";

/// Makes entries of what files say.
///
/// The same in every control set that a file speaks of, two at least, is `CurrentControlSet`.
///
/// # Errors
///
/// What is said against each other, and keys that are made without a value.
pub fn draft(imports: &[Import]) -> Result<Draft, ImportErrors> {
    let merged = merge(imports)?;
    let mut errors = ImportErrors::default();
    let mut draft = Draft::default();
    let mut places: HashMap<Place, usize> = HashMap::new();
    let filled = filled(&merged);
    for one in &merged {
        let why = why(one);
        let value = match one.deed {
            Deed::DeleteKey => {
                draft.keys.push(DraftKey {
                    path: one.path.clone(),
                    absent: Some(why),
                    values: Vec::new(),
                });
                continue;
            }
            Deed::CreateKey => {
                if !filled.contains(&without_set(&one.path, one.path.segments.len())) {
                    refuse_empty(one, &mut errors);
                }
                continue;
            }
            Deed::DeleteAllValues => DraftValue {
                name: "*".to_owned(),
                want: DraftWant::AllAbsent,
                lowers_security: is_marked(one),
                why,
            },
            Deed::DeleteValue { name } => DraftValue {
                name: name.clone(),
                want: DraftWant::Absent,
                lowers_security: is_marked(one),
                why,
            },
            Deed::SetValue { name, data } => DraftValue {
                name: name.clone(),
                want: DraftWant::Data(data.clone()),
                lowers_security: is_marked(one) || is_known_to_lower(name, data),
                why,
            },
        };
        let place = (
            one.path.control_set,
            without_set(&one.path, one.path.segments.len()),
        );
        let at = places.entry(place).or_insert_with(|| {
            draft.keys.push(DraftKey {
                path: one.path.clone(),
                absent: None,
                values: Vec::new(),
            });
            draft.keys.len().saturating_sub(1)
        });
        if let Some(key) = draft.keys.get_mut(*at) {
            key.values.push(value);
        }
    }
    draft.notes = duplicates(&merged);
    if draft.keys.is_empty() && errors.troubles().is_empty() {
        let file = imports.first().map_or("", |import| import.file.raw());
        let message = "nothing in it says what a registry should be";
        return Err(ImportErrors::whole(file, message, ""));
    }
    errors.or(draft)
}

type Bare = (HiveName, bool, Vec<u16>);
type Place = (Option<crate::profile::ControlSet>, Bare);

fn without_set(path: &KeyPath, length: usize) -> Bare {
    let names = path.segments.get(..length).unwrap_or_default();
    let key = upcase(&names.join("\\"));
    (path.hive, path.control_set.is_some(), key)
}

/// The keys that are made because a value is set in them or below them.
fn filled(merged: &[Merged<'_>]) -> HashSet<Bare> {
    let mut filled = HashSet::new();
    let set = merged
        .iter()
        .filter(|one| matches!(one.deed, Deed::SetValue { .. }));
    for one in set {
        for length in (1..=one.path.segments.len()).rev() {
            if !filled.insert(without_set(&one.path, length)) {
                break;
            }
        }
    }
    filled
}

fn refuse_empty(one: &Merged<'_>, errors: &mut ImportErrors) {
    let Some((import, operation)) = one.said.first() else {
        return;
    };
    errors.add(Trouble {
        file: import.file.clone(),
        at: Some(operation.at),
        message: format!("{}: a key is made, and no value in it", one.path),
        hint: "a profile makes keys for their values only: add one, or leave the key out"
            .to_owned(),
    });
}

/// Whether a comment says that it lowers security.
fn is_marked(one: &Merged<'_>) -> bool {
    let mut remarks = one.said.iter().filter_map(|(_, op)| op.remark.as_deref());
    remarks.any(|remark| remark.starts_with(LOWERS))
}

/// Files, lines, and the comment.
fn why(one: &Merged<'_>) -> String {
    const LISTED: usize = 4;
    let mut why = String::new();
    let mut file = None;
    for (import, operation) in one.said.iter().take(LISTED) {
        if file != Some(&import.file) {
            let blank = if why.is_empty() { "" } else { ", " };
            why.push_str(&format!("{blank}{}", import.file));
            file = Some(&import.file);
        }
        why.push_str(&format!(", {}", operation.at.words()));
    }
    if one.said.len() > LISTED {
        why.push_str(" and others");
    }
    let remark = one.said.iter().find_map(|(_, op)| op.remark.as_deref());
    let remark = remark.map(|remark| {
        let bare = remark.strip_prefix(LOWERS).unwrap_or(remark);
        bare.trim_start_matches([':', ' ']).to_owned()
    });
    if let Some(remark) = remark.filter(|remark| !remark.is_empty()) {
        why.push_str(&format!(": {}", crate::text::escape(&remark)));
    }
    why
}

/// What is said more than once in one control set.
fn duplicates(merged: &[Merged<'_>]) -> Vec<String> {
    const LISTED: usize = 20;
    let mut notes = Vec::new();
    for one in merged {
        let mut seen: HashMap<Option<crate::profile::ControlSet>, super::place::Place> =
            HashMap::new();
        for (import, operation) in &one.said {
            let set = operation.path.control_set;
            if let (Some(first), true) = (seen.get(&set), notes.len() < LISTED) {
                let (file, at, first) = (&import.file, operation.at, first.words());
                notes.push(format!("{file}:{at}: the same is said in {first}"));
            }
            seen.entry(set).or_insert(operation.at);
        }
    }
    notes
}
