// SPDX-License-Identifier: GPL-3.0-or-later
//! The second opinion: nt-hive reads every image before it is published.
//!
//! nt-hive shares no code with this program. Where it does not see the same tree and the planned
//! changes in it, nothing may be written. Its panics are contained: a damaged hive can cause them,
//! which is why the structural check comes first.

#![deny(clippy::arithmetic_side_effects)]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nt_hive::{KeyValueData, NtHiveError, NtHiveNameString};
use thiserror::Error;

use crate::regf::{
    self, DATA_SEGMENT_SIZE, FoldedPath, KEY_DEPTH_LIMIT, Name, NodePath, RegfError, StoredName,
    upcase,
};
use crate::text::Foreign;

type Witness<'h> = nt_hive::KeyNode<'h, &'h [u8]>;
type WitnessValue<'h> = nt_hive::KeyValue<'h, &'h [u8]>;

/// What an image must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The key's path below the root.
    pub key: NodePath,
    /// What must be the case there.
    pub state: ExpectedState,
}

/// What must be the case at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedState {
    /// The key exists.
    KeyExists,
    /// The key does not exist.
    KeyAbsent,
    /// The value has this type and data.
    Value {
        /// Its name.
        name: Name,
        /// Its REG_ type number.
        kind: u32,
        /// Its data.
        data: Vec<u8>,
    },
    /// The value does not exist.
    ValueAbsent {
        /// Its name.
        name: Name,
    },
}

/// Why an image must not be published. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// We cannot read the image ourselves.
    #[error("the image cannot be read back: {0}")]
    Ours(#[from] RegfError),
    /// The witness cannot read the image.
    #[error("the second reader (nt-hive) refuses the image: {0}")]
    Witness(#[from] NtHiveError),
    /// The witness panicked.
    #[error("the second reader (nt-hive) broke down over the image")]
    WitnessPanicked,
    /// The two readers do not see the same.
    #[error("the two readers disagree about the {what} of key {key}")]
    Disagreement {
        /// The key's path.
        key: Foreign,
        /// In what they differ.
        what: &'static str,
    },
    /// A damaged image became worse.
    #[error("the {what} of key {key} could be read before the edit, and cannot be now")]
    Worse {
        /// The key's path.
        key: Foreign,
        /// What cannot be read, or not alike.
        what: String,
    },
    /// A planned change is not in the image.
    #[error("the image does not hold what was planned: {value:?} of key {key}")]
    NotAsPlanned {
        /// The key's path.
        key: Foreign,
        /// The value's name, empty for the key itself or its default value.
        value: Name,
    },
}

/// Makes sure that nt-hive reads `image` as we do, and finds all of `expectations` in it.
///
/// The image must have passed the structural check.
///
/// # Errors
///
/// The first thing that the two readers do not agree on, or that is not as planned.
pub fn verify(image: &Vec<u8>, expectations: &[Expectation]) -> Result<(), VerifyError> {
    contained(|| {
        compare(image, &mut Complaints::Refused)?;
        expect_all(image, expectations)
    })
}

/// As [`verify`], for an image made from a damaged one: where the two readers cannot read or do
/// not agree, it must have been so in `before`.
///
/// # Errors
///
/// As [`verify`], and where either image is too damaged to be compared.
pub fn verify_damaged(
    before: &Vec<u8>,
    image: &Vec<u8>,
    expectations: &[Expectation],
) -> Result<(), VerifyError> {
    contained(|| {
        let mut known = Vec::new();
        compare(before, &mut Complaints::Noted(&mut known))?;
        let mut found = Vec::new();
        compare(image, &mut Complaints::Noted(&mut found))?;
        match found.into_iter().find(|place| !known.contains(place)) {
            Some((key, what)) => Err(VerifyError::Worse { key, what }),
            None => expect_all(image, expectations),
        }
    })
}

fn contained(judge: impl FnOnce() -> Result<(), VerifyError>) -> Result<(), VerifyError> {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or(Err(VerifyError::WitnessPanicked))
}

fn compare(image: &Vec<u8>, complaints: &mut Complaints<'_>) -> Result<(), VerifyError> {
    let ours = regf::Hive::open(image)?;
    let witness = nt_hive::Hive::new(image.as_slice())?;
    let (our_root, root) = (ours.root()?, witness.root_key_node()?);
    compare_keys(&ours, &our_root, &root, &mut Vec::new(), complaints)
}

fn expect_all(image: &Vec<u8>, expectations: &[Expectation]) -> Result<(), VerifyError> {
    let ours = regf::Finder::new(regf::Hive::open(image)?);
    let witness = nt_hive::Hive::new(image.as_slice())?;
    let mut finder = Finder::new(witness.root_key_node()?);
    let mut expectations = expectations.iter();
    expectations.try_for_each(|expectation| expect(&ours, &mut finder, expectation))
}

/// What becomes of a key that the two readers cannot read, or do not read alike.
enum Complaints<'n> {
    /// It ends the comparison.
    Refused,
    /// It is noted, with what is wrong.
    Noted(&'n mut Vec<(Foreign, String)>),
}

impl Complaints<'_> {
    /// The most that are noted: they are compared one with the other.
    const LIMIT: usize = 1_000;

    fn take(&mut self, error: VerifyError, path: &[Name]) -> Result<(), VerifyError> {
        match self {
            Self::Noted(noted) if noted.len() < Self::LIMIT => {
                let what = match &error {
                    VerifyError::Disagreement { what, .. } => (*what).to_owned(),
                    // Their offsets may move.
                    VerifyError::Ours(error) => format!("{:?}", error.record),
                    _ => "contents".to_owned(),
                };
                noted.push((path_text(path), what));
                Ok(())
            }
            _ => Err(error),
        }
    }
}

/// Compares a key and all below it, in the order of the lists.
fn compare_keys(
    hive: &regf::Hive<'_>,
    ours: &regf::KeyNode<'_>,
    witness: &Witness<'_>,
    path: &mut Vec<Name>,
    complaints: &mut Complaints<'_>,
) -> Result<(), VerifyError> {
    let disagree = |what, path: &[Name]| {
        let key = path_text(path);
        Err(VerifyError::Disagreement { key, what })
    };
    if !same_name(ours.name(), &witness.name()?) {
        return disagree("name", path);
    }
    if path.len() > KEY_DEPTH_LIMIT {
        return disagree("depth", path);
    }
    if let Err(error) = compare_values(hive, ours, witness, path) {
        complaints.take(error, path)?;
    }
    let subkeys = hive.subkeys(ours)?;
    let is_stale = ours.subkey_count() == 0 && !ours.subkeys_list().is_none();
    let mut theirs = match is_stale {
        true => None, // nt-hive follows the list of a key without subkeys
        false => witness.subkeys().transpose()?,
    };
    for subkey in subkeys {
        let subkey = hive.key(subkey)?;
        let Some(their) = theirs.as_mut().and_then(Iterator::next) else {
            return disagree("subkeys", path);
        };
        let their = their?;
        let depth = path.len();
        path.push(subkey.name().to_name());
        if let Err(error) = compare_keys(hive, &subkey, &their, path, complaints) {
            complaints.take(error, path)?;
        }
        path.truncate(depth);
    }
    match theirs.as_mut().and_then(Iterator::next) {
        None => Ok(()),
        Some(_) => disagree("subkeys", path),
    }
}

fn compare_values(
    hive: &regf::Hive<'_>,
    ours: &regf::KeyNode<'_>,
    witness: &Witness<'_>,
    path: &[Name],
) -> Result<(), VerifyError> {
    let disagree = |what| {
        let key = path_text(path);
        Err(VerifyError::Disagreement { key, what })
    };
    if !witness_can_list_values(ours) {
        return Ok(());
    }
    let mut theirs = witness.values().transpose()?;
    for value in hive.values(ours)? {
        let value = hive.value(value)?;
        let Some(their) = theirs.as_mut().and_then(Iterator::next) else {
            return disagree("values");
        };
        let their = their?;
        if !same_name(value.name(), &their.name()?) {
            return disagree("value names");
        }
        if kind_of(&their)? != value.kind() {
            return disagree("value types");
        }
        if their.data_size() != value.data_size() {
            return disagree("data sizes");
        }
        if witness_can_read(hive, value.data_size()) && !has_bytes(&their, &hive.data(&value)?)? {
            return disagree("data");
        }
    }
    match theirs.as_mut().and_then(Iterator::next) {
        None => Ok(()),
        Some(_) => disagree("values"),
    }
}

/// nt-hive takes a predefined handle for a count, and follows the list of a key without values,
/// which in a hive that Windows NT 4 wrote leads to a freed cell.
fn witness_can_list_values(key: &regf::KeyNode<'_>) -> bool {
    let is_stale = key.value_count() == 0 && !key.values_list().is_none();
    !is_stale && !key.has(regf::key_flags::PREDEF_HANDLE)
}

/// nt-hive takes large data for segments in every version, also where there were none yet, and
/// looks for a cell where there is no data at all.
fn witness_can_read(hive: &regf::Hive<'_>, size: u32) -> bool {
    size != 0 && (hive.base().minor >= 4 || size <= DATA_SEGMENT_SIZE)
}

fn expect(
    ours: &regf::Finder<'_>,
    finder: &mut Finder<'_>,
    expectation: &Expectation,
) -> Result<(), VerifyError> {
    let key = finder.find(&expectation.key)?;
    let hive = ours.hive();
    let ours = ours.find(&expectation.key)?.key;
    let has_values = ours.is_some_and(|key| witness_can_list_values(&key));
    let mut find_value = |key, name| finder.find_value(&expectation.key, key, name);
    let (name, met) = match (&expectation.state, &key) {
        (ExpectedState::KeyExists, key) => (None, key.is_some()),
        (ExpectedState::KeyAbsent, key) => (None, key.is_none()),
        (ExpectedState::ValueAbsent { name }, None) => (Some(name), true),
        (ExpectedState::Value { name, .. }, None) => (Some(name), false),
        (ExpectedState::ValueAbsent { name }, Some(key)) => {
            (Some(name), !has_values || find_value(key, name)?.is_none())
        }
        (ExpectedState::Value { name, kind, data }, Some(key)) => {
            let found = match find_value(key, name)? {
                None => false,
                Some(value) => kind_of(&value)? == *kind && has_data(hive, &value, data)?,
            };
            (Some(name), found)
        }
    };
    if met {
        return Ok(());
    }
    let names: Vec<Name> = expectation.key.names().into_iter().cloned().collect();
    Err(VerifyError::NotAsPlanned {
        key: path_text(&names),
        value: name.cloned().unwrap_or_default(),
    })
}

fn has_data(
    hive: &regf::Hive<'_>,
    value: &nt_hive::KeyValue<'_, &[u8]>,
    data: &[u8],
) -> Result<bool, VerifyError> {
    let size = value.data_size();
    if usize::try_from(size) != Ok(data.len()) {
        return Ok(false);
    }
    Ok(!witness_can_read(hive, size) || has_bytes(value, data)?)
}

/// Finds keys for the witness, not by nt-hive's own search: its upper case is that of a newer
/// Unicode than Windows'. Changes of one key's subkeys follow each other, and may be thousands, so
/// the subkeys on the way to the key that was asked for last are kept by name.
struct Finder<'h> {
    root: Witness<'h>,
    way: Vec<Level<'h>>,
    values: HashMap<FoldedPath, Values<'h>>,
}

/// The first value of each name in a key, as far as they can be read.
#[derive(Default)]
struct Values<'h> {
    by_name: HashMap<Vec<u16>, WitnessValue<'h>>,
    is_whole: bool,
}

/// The subkeys of a key by their upper-cased names, and the one that was taken.
struct Level<'h> {
    subkeys: HashMap<Vec<u16>, Witness<'h>>,
    taken: Vec<u16>,
}

impl<'h> Finder<'h> {
    fn new(root: Witness<'h>) -> Self {
        Self {
            root,
            way: Vec::new(),
            values: HashMap::new(),
        }
    }

    /// The value `name` of `key`, which is the one at `path`.
    fn find_value(
        &mut self,
        path: &NodePath,
        key: &Witness<'h>,
        name: &Name,
    ) -> Result<Option<WitnessValue<'h>>, VerifyError> {
        let values = self.values.entry(path.folded());
        let values = values.or_insert_with(|| values_by_name(key));
        match values.by_name.get(&folded(name)) {
            Some(value) => Ok(Some(value.clone())),
            None if values.is_whole => Ok(None),
            // It fails where the list cannot be read.
            None => find_value(key, name),
        }
    }

    fn find(&mut self, path: &NodePath) -> Result<Option<Witness<'h>>, VerifyError> {
        let mut key = self.root.clone();
        for (depth, name) in path.names().into_iter().enumerate() {
            let name = folded(name);
            if self.way.len() <= depth {
                let subkeys = subkeys_by_name(&key)?;
                let taken = Vec::new();
                self.way.push(Level { subkeys, taken });
            }
            let Some(level) = self.way.get_mut(depth) else {
                return Ok(None);
            };
            let Some(subkey) = level.subkeys.get(&name) else {
                return Ok(None);
            };
            key = subkey.clone();
            if level.taken != name {
                level.taken = name;
                self.way.truncate(depth.saturating_add(1));
            }
        }
        Ok(Some(key))
    }
}

fn subkeys_by_name<'h>(key: &Witness<'h>) -> Result<HashMap<Vec<u16>, Witness<'h>>, VerifyError> {
    let mut by_name = HashMap::new();
    for subkey in key.subkeys().transpose()?.into_iter().flatten() {
        let subkey = subkey?;
        let name = stored_name(&subkey.name()?).units().map(upcase).collect();
        by_name.entry(name).or_insert(subkey);
    }
    Ok(by_name)
}

fn folded(name: &Name) -> Vec<u16> {
    name.units().iter().map(|&unit| upcase(unit)).collect()
}

fn values_by_name<'h>(key: &Witness<'h>) -> Values<'h> {
    let mut values = Values::default();
    let listed = match key.values().transpose() {
        Ok(listed) => listed,
        Err(_) => return values,
    };
    for value in listed.into_iter().flatten() {
        let Ok(value) = value else {
            return values;
        };
        let Ok(name) = value.name() else {
            return values;
        };
        let name = stored_name(&name).units().map(upcase).collect();
        values.by_name.entry(name).or_insert(value);
    }
    values.is_whole = true;
    values
}

fn find_value<'h>(
    key: &Witness<'h>,
    name: &Name,
) -> Result<Option<nt_hive::KeyValue<'h, &'h [u8]>>, VerifyError> {
    let values = key.values().transpose()?;
    for value in values.into_iter().flatten() {
        let value = value?;
        if stored_name(&value.name()?).order_name(name).is_eq() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn stored_name<'n>(name: &NtHiveNameString<'n>) -> StoredName<'n> {
    let (bytes, narrow) = match name {
        NtHiveNameString::Latin1(bytes) => (bytes, true),
        NtHiveNameString::Utf16LE(bytes) => (bytes, false),
    };
    StoredName { bytes, narrow }
}

fn kind_of(value: &nt_hive::KeyValue<'_, &[u8]>) -> Result<u32, VerifyError> {
    use nt_hive::KeyValueDataType as Kind;
    Ok(match value.data_type() {
        Ok(Kind::RegNone) => 0,
        Ok(Kind::RegSZ) => 1,
        Ok(Kind::RegExpandSZ) => 2,
        Ok(Kind::RegBinary) => 3,
        Ok(Kind::RegDWord) => 4,
        Ok(Kind::RegDWordBigEndian) => 5,
        Ok(Kind::RegLink) => 6,
        Ok(Kind::RegMultiSZ) => 7,
        Ok(Kind::RegResourceList) => 8,
        Ok(Kind::RegFullResourceDescriptor) => 9,
        Ok(Kind::RegResourceRequirementsList) => 10,
        Ok(Kind::RegQWord) => 11,
        Err(NtHiveError::UnsupportedKeyValueDataType { actual, .. }) => actual,
        Err(error) => return Err(error.into()),
    })
}

/// Whether the witness reads exactly `data` from a value.
fn has_bytes(value: &nt_hive::KeyValue<'_, &[u8]>, data: &[u8]) -> Result<bool, VerifyError> {
    Ok(match value.data()? {
        KeyValueData::Small(bytes) => bytes == data,
        big @ KeyValueData::Big(_) => big.into_vec()? == data,
    })
}

fn same_name(ours: StoredName<'_>, theirs: &NtHiveNameString<'_>) -> bool {
    match theirs {
        NtHiveNameString::Latin1(bytes) => ours.narrow && ours.bytes == *bytes,
        NtHiveNameString::Utf16LE(bytes) => !ours.narrow && ours.bytes == *bytes,
    }
}

fn path_text(path: &[Name]) -> Foreign {
    let names: Vec<String> = path.iter().map(Name::to_text).collect();
    Foreign::from(format!("\\{}", names.join("\\")))
}
