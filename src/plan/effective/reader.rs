// SPDX-License-Identifier: GPL-3.0-or-later
//! Values as they are, as they will be once a plan's changes are made, and as the local group
//! policy leaves them after that.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::plan::state::find_key;
use crate::plan::{Action, Change, HiveInput, PlanError, State, Value, folded};
use crate::policy::{PolicyEffect, RegistryPol};
use crate::profile::HiveName;
use crate::regf::{CellOffset, Name, RegfError};

/// A point in time at which a value is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// As the hives are.
    Now,
    /// With the changes of the plan.
    Planned,
    /// And after Windows has processed the local group policy.
    AtStart,
}

type Place = (HiveName, Vec<u16>, Vec<u16>);

/// Looks values up; what cannot be read is taken for absent, and said in `problems`.
pub(crate) struct Reader<'r, 'h> {
    hives: &'r [HiveInput<'h>],
    changed: HashMap<Place, Option<Value>>,
    deleted: Vec<(HiveName, Vec<u16>)>,
    /// The local group policy, where Windows will process it.
    pub(crate) local_policy: Option<&'r RegistryPol>,
    /// What could not be read.
    pub(crate) problems: RefCell<Vec<String>>,
    /// The keys that were asked for: each is asked for many of its values, several times.
    keys: RefCell<HashMap<Key, Rc<Values>>>,
}

/// A hive and the folded path of a key in it.
type Key = (HiveName, Vec<u16>);

/// The values of a key by their folded names.
type Values = HashMap<Vec<u16>, CellOffset>;

impl<'r, 'h> Reader<'r, 'h> {
    pub(crate) fn new(
        hives: &'r [HiveInput<'h>],
        changes: &[Change],
        local_policy: Option<&'r RegistryPol>,
    ) -> Self {
        let mut reader = Self {
            hives,
            changed: HashMap::new(),
            deleted: Vec::new(),
            local_policy,
            problems: RefCell::new(Vec::new()),
            keys: RefCell::default(),
        };
        changes.iter().for_each(|change| reader.overlay(change));
        reader
    }

    fn overlay(&mut self, change: &Change) {
        let key = folded(&change.key);
        match (&change.value, &change.after) {
            (None, _) if change.action == Action::DeleteKey => {
                let is_below =
                    |(hive, path, _): &Place| *hive == change.hive && is_at_or_below(path, &key);
                self.changed.retain(|place, _| !is_below(place));
                self.deleted.push((change.hive, key));
            }
            (None, _) => {}
            (Some(name), after) => {
                let value = match after {
                    Some(State::Value(value)) => Some(value.clone()),
                    _ => None,
                };
                let place = (change.hive, key, folded(std::slice::from_ref(name)));
                self.changed.insert(place, value);
            }
        }
    }

    /// Whether the hive is there to be read.
    pub(crate) fn has(&self, hive: HiveName) -> bool {
        self.hives.iter().any(|input| input.name == hive)
    }

    /// The value `name` of the key at `path` below the root of `hive`.
    pub(crate) fn value(
        &self,
        hive: HiveName,
        path: &[Name],
        name: &str,
        when: When,
    ) -> Option<Value> {
        match when {
            When::Now => self.stored(hive, path, name),
            When::Planned => self.planned(hive, path, name),
            When::AtStart => {
                let planned = || self.planned(hive, path, name);
                match self.becomes(hive, path, name) {
                    None => planned(),
                    Some(PolicyEffect::Set { kind, data }) => Some(Value { kind, data }),
                    Some(PolicyEffect::SetIfAbsent { kind, data }) => {
                        planned().or(Some(Value { kind, data }))
                    }
                    Some(_) => None,
                }
            }
        }
    }

    /// What the local group policy does to a value, where Windows will process it.
    pub(crate) fn becomes(
        &self,
        hive: HiveName,
        path: &[Name],
        name: &str,
    ) -> Option<PolicyEffect> {
        let key = super::super::path_text(path);
        let pol = self.local_policy?;
        pol.what_becomes_of(&format!("{hive}\\{key}"), name)
    }

    fn planned(&self, hive: HiveName, path: &[Name], name: &str) -> Option<Value> {
        let key = folded(path);
        let value = folded(&[Name::from(name)]);
        if let Some(value) = self.changed.get(&(hive, key.clone(), value)) {
            return value.clone();
        }
        let mut deleted = self.deleted.iter();
        let is_gone = deleted.any(|(other, above)| *other == hive && is_at_or_below(&key, above));
        match is_gone {
            true => None,
            false => self.stored(hive, path, name),
        }
    }

    fn stored(&self, hive: HiveName, path: &[Name], name: &str) -> Option<Value> {
        let input = self.hives.iter().find(|input| input.name == hive)?;
        let name = folded(&[Name::from(name)]);
        let at = *self.values_of(input, path).get(&name)?;
        let read = || {
            let value = input.hive.value(at)?;
            let data = input.hive.data(&value)?.into_owned();
            let kind = value.kind();
            Ok(Value { kind, data })
        };
        let read: Result<Value, RegfError> = read();
        match read {
            Ok(value) => Some(value),
            Err(error) => self.unread(PlanError::in_hive(hive)(error).to_string()),
        }
    }

    fn values_of(&self, input: &HiveInput<'_>, path: &[Name]) -> Rc<Values> {
        let place = (input.name, folded(path));
        if let Some(values) = self.keys.borrow().get(&place) {
            return Rc::clone(values);
        }
        let values = Rc::new(self.read_values(input, path));
        self.keys.borrow_mut().insert(place, Rc::clone(&values));
        values
    }

    fn read_values(&self, input: &HiveInput<'_>, path: &[Name]) -> Values {
        let in_hive = PlanError::in_hive(input.name);
        let listed = find_key(input, path).and_then(|key| match key {
            Some(key) => input.hive.values(&key).map_err(&in_hive),
            None => Ok(Vec::new()),
        });
        let mut values = Values::new();
        for at in listed.unwrap_or_else(|error| self.unread(error.to_string()).unwrap_or_default())
        {
            match input.hive.value(at) {
                Ok(value) => {
                    let name = folded(&[value.name().to_name()]);
                    values.entry(name).or_insert(at);
                }
                Err(error) => {
                    let _: Option<()> = self.unread(in_hive(error).to_string());
                }
            }
        }
        values
    }

    /// The names and types of the values of a key.
    pub(crate) fn listed(&self, hive: HiveName, path: &[Name]) -> Vec<(Name, Value)> {
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return Vec::new();
        };
        let found = find_key(input, path).and_then(|key| match key {
            Some(key) => crate::plan::key_content(&input.hive, &key)
                .map_err(crate::plan::PlanError::in_hive(hive))
                .map(Some),
            None => Ok(None),
        });
        found
            .unwrap_or_else(|error| self.unread(error.to_string()))
            .unwrap_or_default()
    }

    /// Whether the key exists now; `None` where that cannot be read.
    pub(crate) fn has_key(&self, hive: HiveName, path: &[Name]) -> Option<bool> {
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return Some(false);
        };
        match find_key(input, path) {
            Ok(key) => Some(key.is_some()),
            Err(error) => self.unread(error.to_string()),
        }
    }

    fn unread<T>(&self, problem: String) -> Option<T> {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
        None
    }
}

/// Whether the folded path `key` is `above`, or below it.
fn is_at_or_below(key: &[u16], above: &[u16]) -> bool {
    let rest = key.strip_prefix(above);
    rest.is_some_and(|rest| rest.first().is_none_or(|unit| *unit == u16::from(b'\\')))
}

/// A path from its text, below `root` where there is one.
pub(crate) fn path(root: Option<&str>, text: &str) -> Vec<Name> {
    let names = text.split('\\').map(Name::from);
    root.map(Name::from).into_iter().chain(names).collect()
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
