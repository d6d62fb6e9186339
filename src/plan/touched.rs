// SPDX-License-Identifier: GPL-3.0-or-later
//! The keys that changes touch, before and after them.

use std::collections::HashMap;

use super::{Action, Change, PlanError};
use crate::machine::{HiveInput, KeyContent, MachineError, State, Value, hive_of, key_content};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Name, NodePath};

/// The values of a key that changes touch, before and after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedKey {
    /// The hive.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// What it holds now; `None` where it is absent.
    pub before: Option<KeyContent>,
    /// What it will hold; `None` where it will be absent.
    pub after: Option<KeyContent>,
}

/// The keys that `changes` touch, each with its values before and after.
///
/// # Errors
///
/// Where a key cannot be read.
pub fn touched_keys(
    changes: &[Change],
    hives: &[HiveInput<'_>],
) -> Result<Vec<TouchedKey>, PlanError> {
    let mut touched = Vec::new();
    let mut places: HashMap<(HiveName, FoldedPath), usize> = HashMap::new();
    for change in changes {
        let index = *places
            .entry((change.hive, change.key.folded()))
            .or_insert(touched.len());
        if index == touched.len() {
            touched.push(Touched::of(change, hives)?);
        }
        if let Some(key) = touched.get_mut(index) {
            key.make(change);
        }
    }
    Ok(touched.into_iter().map(Touched::finish).collect())
}

/// A key while changes are made to it in thought.
struct Touched {
    key: TouchedKey,
    /// Its values in their order, and nothing where one was taken out; `None` for an absent key.
    content: Option<Vec<Option<(Name, Value)>>>,
    /// Where a value stands, by its folded name; made when it is first asked for.
    places: Option<HashMap<Vec<u16>, usize>>,
}

impl Touched {
    fn of(change: &Change, hives: &[HiveInput<'_>]) -> Result<Self, PlanError> {
        let input = hive_of(change.hive, hives)?;
        let before = match input.find_key(&change.key)? {
            None => None,
            Some(key) => {
                let content = key_content(&input.hive, &key);
                Some(content.map_err(MachineError::in_hive(input.name))?)
            }
        };
        let content = before.iter().flatten().cloned().map(Some);
        Ok(Self {
            content: before.as_ref().map(|_| content.collect()),
            places: None,
            key: TouchedKey {
                hive: change.hive,
                control_set: change.control_set.clone(),
                key: change.key.clone(),
                after: None,
                before,
            },
        })
    }

    fn make(&mut self, change: &Change) {
        if change.action == Action::DeleteKey {
            self.content = None;
            self.places = None;
            return;
        }
        let content = self.content.get_or_insert_default();
        let Some(name) = &change.value else {
            return;
        };
        let places = self.places.get_or_insert_with(|| places_of(content));
        let folded = name.folded();
        let place = places.get(&folded).copied();
        match (&change.after, place) {
            (Some(State::Value(value)), Some(place)) => {
                if let Some(Some((_, old))) = content.get_mut(place) {
                    *old = value.clone();
                }
            }
            (Some(State::Value(value)), None) => {
                places.insert(folded, content.len());
                content.push(Some((name.clone(), value.clone())));
            }
            (_, Some(place)) => {
                places.remove(&folded);
                if let Some(old) = content.get_mut(place) {
                    *old = None;
                }
            }
            (_, None) => {}
        }
    }

    fn finish(self) -> TouchedKey {
        let after = self.content.map(|all| all.into_iter().flatten().collect());
        TouchedKey { after, ..self.key }
    }
}

/// The first place of each name.
fn places_of(content: &[Option<(Name, Value)>]) -> HashMap<Vec<u16>, usize> {
    let mut places = HashMap::with_capacity(content.len());
    for (place, value) in content.iter().enumerate() {
        if let Some((name, _)) = value {
            places.entry(name.folded()).or_insert(place);
        }
    }
    places
}
