// SPDX-License-Identifier: GPL-3.0-or-later
//! What is there: values and keys.

use sha2::{Digest, Sha256};

use super::{HiveInput, MachineError};
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

/// The values of a key in their order.
pub type KeyContent = Vec<(Name, Value)>;

/// The value `name` of `key`, with the name as it is spelled there.
pub(crate) fn find_value(
    input: &HiveInput<'_>,
    key: &KeyNode<'_>,
    name: &Name,
) -> Result<Option<(Name, Value)>, MachineError> {
    let Some(value) = input.find_value(key, name)? else {
        return Ok(None);
    };
    let data = input.hive.data(&value);
    let data = data
        .map_err(MachineError::in_hive(input.name))?
        .into_owned();
    let kind = value.kind();
    Ok(Some((value.name().to_name(), Value { kind, data })))
}

/// The values of `key`, each with its name as it is spelled.
///
/// # Errors
///
/// Where the list or a value of it is damaged.
pub(crate) fn all_values(
    input: &HiveInput<'_>,
    key: &KeyNode<'_>,
) -> Result<Vec<(Name, Value)>, MachineError> {
    let read = || {
        let mut values = Vec::new();
        for at in input.hive.values(key)? {
            let value = input.hive.value(at)?;
            let (kind, data) = (value.kind(), input.hive.data(&value)?.into_owned());
            values.push((value.name().to_name(), Value { kind, data }));
        }
        Ok(values)
    };
    read().map_err(MachineError::in_hive(input.name))
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

/// The number that a REG_DWORD holds.
pub(crate) fn dword(value: &Value) -> Option<u32> {
    let bytes = value.data.as_slice().try_into().ok()?;
    (value.kind == 4).then_some(u32::from_le_bytes(bytes))
}

/// The text that a REG_SZ or REG_EXPAND_SZ holds, up to its terminator.
pub(crate) fn text(value: &Value) -> Option<String> {
    if !matches!(value.kind, 1 | 2) {
        return None;
    }
    let units = value.data.as_chunks::<2>().0.iter();
    let units = units.map(|unit| u16::from_le_bytes(*unit));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    Some(String::from_utf16_lossy(&units))
}
