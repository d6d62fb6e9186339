// SPDX-License-Identifier: GPL-3.0-or-later
//! What is there now: values, keys, and whether it is still what a plan saw.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::allowed::{Made, expect_possible};
use super::{Action, Change, HiveInput, PlanError, folded, path_text};
use crate::profile::HiveName;
use crate::regf::{Hive, KeyNode, Name, RegfError};

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
    pub key: Vec<Name>,
    /// What it holds now; `None` where it is absent.
    pub before: Option<KeyContent>,
    /// What it will hold; `None` where it will be absent.
    pub after: Option<KeyContent>,
}

/// The values of a key in their order.
pub type KeyContent = Vec<(Name, Value)>;

/// The key at `path`, unless it or one above it must not be edited.
pub(super) fn find_key<'a>(
    input: &HiveInput<'a>,
    path: &[Name],
) -> Result<Option<KeyNode<'a>>, PlanError> {
    let regf = PlanError::in_hive(input.name);
    let mut key = input.hive.root().map_err(&regf)?;
    for (depth, name) in path.iter().enumerate() {
        match input.hive.find_subkey(&key, name).map_err(&regf)? {
            Some(subkey) => key = subkey,
            None => return Ok(None),
        }
        if let Some(special) = key.special() {
            let above = path.get(..=depth).unwrap_or(path);
            return Err(PlanError::Special {
                hive: input.name,
                key: path_text(above),
                special,
            });
        }
    }
    Ok(Some(key))
}

/// The value `name` of `key`.
pub(super) fn find_value(
    input: &HiveInput<'_>,
    key: &KeyNode<'_>,
    name: &Name,
) -> Result<Option<(Name, Value)>, PlanError> {
    read_value(&input.hive, key, name).map_err(PlanError::in_hive(input.name))
}

fn read_value(
    hive: &Hive<'_>,
    key: &KeyNode<'_>,
    name: &Name,
) -> Result<Option<(Name, Value)>, RegfError> {
    let Some(value) = hive.find_value(key, name)? else {
        return Ok(None);
    };
    let (kind, data) = (value.kind(), hive.data(&value)?.into_owned());
    Ok(Some((value.name().to_name(), Value { kind, data })))
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
    let Some(key) = find_key(input, &change.key)? else {
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
    let mut touched: Vec<TouchedKey> = Vec::new();
    let mut places: HashMap<(HiveName, Vec<u16>), usize> = HashMap::new();
    for change in changes {
        let place = (change.hive, folded(&change.key));
        let index = match places.get(&place) {
            Some(index) => *index,
            None => {
                touched.push(untouched(change, hives)?);
                places.insert(place, touched.len().saturating_sub(1));
                touched.len().saturating_sub(1)
            }
        };
        if let Some(key) = touched.get_mut(index) {
            key.after = make(change, key.after.take());
        }
    }
    Ok(touched)
}

fn untouched(change: &Change, hives: &[HiveInput<'_>]) -> Result<TouchedKey, PlanError> {
    let input = hive_of(change.hive, hives)?;
    let before = match find_key(input, &change.key)? {
        None => None,
        Some(key) => {
            let content = key_content(&input.hive, &key);
            Some(content.map_err(PlanError::in_hive(input.name))?)
        }
    };
    Ok(TouchedKey {
        hive: change.hive,
        control_set: change.control_set.clone(),
        key: change.key.clone(),
        after: before.clone(),
        before,
    })
}

/// The content of a key after `change`.
fn make(change: &Change, content: Option<KeyContent>) -> Option<KeyContent> {
    if change.action == Action::DeleteKey {
        return None;
    }
    let mut content = content.unwrap_or_default();
    let Some(name) = &change.value else {
        return Some(content);
    };
    let place = content.iter().position(|(found, _)| found.same_as(name));
    match (&change.after, place) {
        (Some(State::Value(value)), Some(place)) => {
            if let Some((_, old)) = content.get_mut(place) {
                *old = value.clone();
            }
        }
        (Some(State::Value(value)), None) => content.push((name.clone(), value.clone())),
        (_, Some(place)) => {
            content.remove(place);
        }
        (_, None) => {}
    }
    Some(content)
}

/// Whether the registry takes both for one path.
pub(super) fn same_path(one: &[Name], other: &[Name]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same_as(other))
}
