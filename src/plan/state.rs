// SPDX-License-Identifier: GPL-3.0-or-later
//! What is there now: values, keys, and whether it is still what a plan saw.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::allowed::{Made, expect_possible};
use super::{Action, Change, HiveInput, PlanError, folded_name, path_text};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Hive, KeyNode, Name, NodePath, RegfError};

/// A value or key that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A value's type and data.
    Value(Value),
    /// A key.
    Key(KeySummary),
}

/// A value's type and data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The REG_ type number.
    pub kind: u32,
    /// The data as stored.
    pub data: Vec<u8>,
}

/// What is below a key, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// Keys below it, at any depth.
    pub subkeys: u64,
    /// Values in it and in all keys below it.
    pub values: u64,
    /// SHA-256 over the names, types and data of all of them.
    pub digest: [u8; 32],
}

impl KeySummary {
    /// A key with nothing in it.
    pub fn empty() -> Self {
        Self {
            subkeys: 0,
            values: 0,
            digest: Sha256::digest(b"").into(),
        }
    }
}

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

/// The values of a key in their order.
pub type KeyContent = Vec<(Name, Value)>;

/// The value `name` of `key`, with the name as it is spelled there.
pub(super) fn find_value(
    input: &HiveInput<'_>,
    key: &KeyNode<'_>,
    name: &Name,
) -> Result<Option<(Name, Value)>, PlanError> {
    let Some(value) = input.find_value(key, name)? else {
        return Ok(None);
    };
    let data = input.hive.data(&value);
    let data = data.map_err(PlanError::in_hive(input.name))?.into_owned();
    let kind = value.kind();
    Ok(Some((value.name().to_name(), Value { kind, data })))
}

/// The values of `key`, each with its name as it is spelled.
///
/// # Errors
///
/// Where the list or a value of it is damaged.
pub(super) fn all_values(
    input: &HiveInput<'_>,
    key: &KeyNode<'_>,
) -> Result<Vec<(Name, Value)>, PlanError> {
    let read = || {
        let mut values = Vec::new();
        for at in input.hive.values(key)? {
            let value = input.hive.value(at)?;
            let (kind, data) = (value.kind(), input.hive.data(&value)?.into_owned());
            values.push((value.name().to_name(), Value { kind, data }));
        }
        Ok(values)
    };
    read().map_err(PlanError::in_hive(input.name))
}

/// What is in and below `key`, in short.
///
/// # Errors
///
/// Where a structure below it is damaged, or keys go in a circle.
pub fn summarize(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<KeySummary, RegfError> {
    let mut hasher = Sha256::new();
    let (mut subkeys, mut values) = (0_u64, 0_u64);
    let mut waiting = vec![(hive.subkeys(key)?, key.clone())];
    // Every key of a hive is in one list only, so that more steps than keys mean a circle.
    let mut steps = u64::from(hive.base().bins_size) / 80;
    while let Some((children, key)) = waiting.pop() {
        for (name, value) in key_content(hive, &key)? {
            values = values.saturating_add(1);
            put(&mut hasher, name.units());
            hasher.update(value.kind.to_le_bytes());
            hasher.update(
                u64::try_from(value.data.len())
                    .unwrap_or(u64::MAX)
                    .to_le_bytes(),
            );
            hasher.update(&value.data);
        }
        for child in children {
            steps = steps.checked_sub(1).ok_or_else(|| circle(&key))?;
            let child = hive.key(child)?;
            subkeys = subkeys.saturating_add(1);
            put(&mut hasher, child.name().to_name().units());
            waiting.push((hive.subkeys(&child)?, child));
        }
    }
    if subkeys == 0 && values == 0 {
        return Ok(KeySummary::empty());
    }
    let digest = hasher.finalize().into();
    Ok(KeySummary {
        subkeys,
        values,
        digest,
    })
}

fn put(hasher: &mut Sha256, units: &[u16]) {
    hasher.update(u64::try_from(units.len()).unwrap_or(u64::MAX).to_le_bytes());
    units
        .iter()
        .for_each(|unit| hasher.update(unit.to_le_bytes()));
}

fn circle(key: &KeyNode<'_>) -> RegfError {
    let field = "number of subkeys";
    let found = u64::from(key.subkey_count());
    let fault = crate::regf::Fault::BadField { field, found };
    RegfError::new(key.at().in_file(), crate::regf::Record::KeyNode, fault)
}

/// The values of `key`.
///
/// # Errors
///
/// Where its list, a value or data is damaged.
pub fn key_content(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<KeyContent, RegfError> {
    let mut content = Vec::new();
    for value in hive.values(key)? {
        let value = hive.value(value)?;
        let (kind, data) = (value.kind(), hive.data(&value)?.into_owned());
        content.push((value.name().to_name(), Value { kind, data }));
    }
    Ok(content)
}

/// What `change` is about, as it is now.
pub(super) fn current_state(
    input: &HiveInput<'_>,
    change: &Change,
) -> Result<Option<State>, PlanError> {
    let Some(key) = input.find_key(&change.key)? else {
        return Ok(None);
    };
    match &change.value {
        Some(name) => {
            let value = find_value(input, &key, name)?;
            Ok(value.map(|(_, value)| State::Value(value)))
        }
        None => {
            let summary = summarize(&input.hive, &key).map_err(PlanError::in_hive(input.name))?;
            Ok(Some(State::Key(summary)))
        }
    }
}

/// Makes sure that everything is as it was when `changes` were planned.
///
/// # Errors
///
/// [`PlanError::Outdated`] for the first change that starts from something else than what is
/// there, [`PlanError::HiveMissing`] where its hive is not among `hives`,
/// [`PlanError::Forbidden`] for one that no profile could ask for.
pub fn confirm(changes: &[Change], hives: &[HiveInput<'_>]) -> Result<(), PlanError> {
    let mut made = Made::default();
    for change in changes {
        let input = hive_of(change.hive, hives)?;
        expect_possible(change, hives, &made)?;
        made.note(change);
        let found = current_state(input, change)?;
        if found != change.before {
            return Err(PlanError::Outdated {
                hive: change.hive,
                key: path_text(&change.key),
                value: change
                    .value
                    .as_ref()
                    .map_or(String::new(), |name| format!(" value {name}")),
                planned: describe(change.before.as_ref()),
                found: describe(found.as_ref()),
            });
        }
    }
    Ok(())
}

pub(super) fn hive_of<'i, 'h>(
    name: HiveName,
    hives: &'i [HiveInput<'h>],
) -> Result<&'i HiveInput<'h>, PlanError> {
    let found = hives.iter().find(|input| input.name == name);
    found.ok_or(PlanError::HiveMissing(name))
}

fn describe(state: Option<&State>) -> String {
    match state {
        None => "absent".to_owned(),
        Some(State::Value(value)) => {
            let kind = crate::profile::kind_name(value.kind);
            let kind = kind.map_or_else(|| format!("type {:#x}", value.kind), str::to_owned);
            let bytes = value.data.iter().take(16);
            let bytes: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
            let more = if value.data.len() > 16 { " ..." } else { "" };
            format!("{kind} {}{more}", bytes.join(" "))
        }
        Some(State::Key(key)) => {
            format!(
                "a key with {} subkeys and {} values",
                key.subkeys, key.values
            )
        }
    }
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
                Some(content.map_err(PlanError::in_hive(input.name))?)
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
        let folded = folded_name(name);
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
            places.entry(folded_name(name)).or_insert(place);
        }
    }
    places
}
