// SPDX-License-Identifier: GPL-3.0-or-later
//! Values as they are, as they will be once a plan's changes are made, and as the local group
//! policy leaves them after that.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::machine::{HiveInput, MachineError, State, Value, path_in};
use crate::plan::{Action, Change};
use crate::policy::{PolicyEffect, RegistryPol};
use crate::profile::HiveName;
use crate::regf::{CellOffset, FoldedPath, Name, NodePath, RegfError};

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

/// Looks values up; what cannot be read is taken for absent, and said in `problems`.
pub(crate) struct Reader<'r, 'h> {
    hives: &'r [HiveInput<'h>],
    changed: HashMap<Place, Changed>,
    /// The last change that deletes a key, by its place among all.
    deleted: HashMap<Place, usize>,
    /// The local group policy, where Windows will process it.
    pub(crate) local_policy: Option<&'r RegistryPol>,
    /// What could not be read.
    pub(crate) problems: RefCell<Vec<String>>,
    /// The keys that were asked for: each is asked for many of its values, several times.
    asked: RefCell<HashMap<Place, Rc<AskedKey>>>,
    /// The same by a path that the program knows, so that it need not be folded again.
    known: RefCell<HashMap<KnownPlace, Rc<AskedKey>>>,
}

/// A hive and a key in it.
type Place = (HiveName, FoldedPath);

/// A hive, the control set, and a path below it, or below the hive's root if there is none.
type KnownPlace = (HiveName, Option<String>, &'static str);

/// What changes make of values, by their folded names: the place of the last change among all, and
/// `None` where it deletes the value.
type Changed = HashMap<Vec<u16>, (usize, Option<Value>)>;

/// A key that is asked for its values, there or not.
pub(crate) struct AskedKey {
    hive: HiveName,
    path: NodePath,
    /// The values in it by their folded names, once one is asked for.
    stored: OnceCell<HashMap<Vec<u16>, CellOffset>>,
    /// The last change that deletes it, by itself or with a key above.
    deleted: Option<usize>,
}

impl<'r, 'h> Reader<'r, 'h> {
    pub(crate) fn new(
        hives: &'r [HiveInput<'h>],
        changes: &[Change],
        local_policy: Option<&'r RegistryPol>,
    ) -> Self {
        let mut reader = Self {
            hives,
            changed: HashMap::new(),
            deleted: HashMap::new(),
            local_policy,
            problems: RefCell::default(),
            asked: RefCell::default(),
            known: RefCell::default(),
        };
        for (at, change) in changes.iter().enumerate() {
            reader.overlay(at, change);
        }
        reader
    }

    fn overlay(&mut self, at: usize, change: &Change) {
        let place = (change.hive, change.key.folded());
        match (&change.value, &change.after) {
            (None, _) if change.action == Action::DeleteKey => {
                self.deleted.insert(place, at);
            }
            (None, _) => {}
            (Some(name), after) => {
                let value = match after {
                    Some(State::Value(value)) => Some(value.clone()),
                    _ => None,
                };
                let values = self.changed.entry(place).or_default();
                values.insert(name.folded(), (at, value));
            }
        }
    }

    /// Whether the hive is there to be read.
    pub(crate) fn has(&self, hive: HiveName) -> bool {
        self.hives.iter().any(|input| input.name == hive)
    }

    /// The key at `path` below the root of `hive`.
    pub(crate) fn key(&self, hive: HiveName, path: &NodePath) -> Rc<AskedKey> {
        let place = (hive, path.folded());
        if let Some(key) = self.asked.borrow().get(&place) {
            return Rc::clone(key);
        }
        let above = path.upwards().map(|path| (hive, path.folded()));
        let deleted = match self.deleted.is_empty() {
            true => None,
            false => above.filter_map(|place| self.deleted.get(&place)).max(),
        };
        let key = Rc::new(AskedKey {
            hive,
            path: path.clone(),
            stored: OnceCell::new(),
            deleted: deleted.copied(),
        });
        self.asked.borrow_mut().insert(place, Rc::clone(&key));
        key
    }

    /// As [`key`](Self::key), for a path that is asked for again and again.
    pub(crate) fn known_key(
        &self,
        hive: HiveName,
        set: Option<&str>,
        below: &'static str,
    ) -> Rc<AskedKey> {
        let place = (hive, set.map(str::to_owned), below);
        if let Some(key) = self.known.borrow().get(&place) {
            return Rc::clone(key);
        }
        let key = self.key(hive, &path_in(set, below));
        self.known.borrow_mut().insert(place, Rc::clone(&key));
        key
    }

    /// The value `name` of a key.
    pub(crate) fn value(&self, key: &AskedKey, name: &str, when: When) -> Option<Value> {
        let folded = Name::from(name).folded();
        match when {
            When::Now => self.stored(key, &folded),
            When::Planned => self.planned(key, &folded),
            When::AtStart => match self.becomes(key, name) {
                None => self.planned(key, &folded),
                Some(PolicyEffect::Set { kind, data }) => Some(Value { kind, data }),
                Some(PolicyEffect::SetIfAbsent { kind, data }) => {
                    let planned = self.planned(key, &folded);
                    planned.or(Some(Value { kind, data }))
                }
                Some(_) => None,
            },
        }
    }

    /// What the local group policy does to a value, where Windows will process it.
    pub(crate) fn becomes(&self, key: &AskedKey, name: &str) -> Option<PolicyEffect> {
        let policy = self.local_policy?;
        let path = format!("{}\\{}", key.hive, key.path.text());
        policy.what_becomes_of(&path, name)
    }

    fn planned(&self, key: &AskedKey, name: &[u16]) -> Option<Value> {
        let changed = self.changed.get(&(key.hive, key.path.folded()));
        let changed = changed.and_then(|values| values.get(name));
        // What was changed before the key went is gone with it.
        match changed.filter(|(at, _)| key.deleted.is_none_or(|deleted| *at > deleted)) {
            Some((_, value)) => value.clone(),
            None if key.deleted.is_some() => None,
            None => self.stored(key, name),
        }
    }

    fn stored(&self, key: &AskedKey, name: &[u16]) -> Option<Value> {
        let values = key
            .stored
            .get_or_init(|| self.read_values(key.hive, &key.path));
        let at = *values.get(name)?;
        let input = self.hives.iter().find(|input| input.name == key.hive)?;
        let read = || {
            let value = input.hive.value(at)?;
            let data = input.hive.data(&value)?.into_owned();
            let kind = value.kind();
            Ok(Value { kind, data })
        };
        let read: Result<Value, RegfError> = read();
        match read {
            Ok(value) => Some(value),
            Err(error) => self.unread(MachineError::in_hive(key.hive)(error).to_string()),
        }
    }

    fn read_values(&self, hive: HiveName, path: &NodePath) -> HashMap<Vec<u16>, CellOffset> {
        let mut values = HashMap::new();
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return values;
        };
        let in_hive = MachineError::in_hive(hive);
        let listed = input.find_key(path).and_then(|key| match key {
            Some(key) => input.hive.values(&key).map_err(&in_hive),
            None => Ok(Vec::new()),
        });
        for at in listed.unwrap_or_else(|error| self.unread(error.to_string()).unwrap_or_default())
        {
            match input.hive.value(at) {
                Ok(value) => {
                    let name = value.name().to_name().folded();
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
    pub(crate) fn listed(&self, hive: HiveName, path: &NodePath) -> Vec<(Name, Value)> {
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return Vec::new();
        };
        let found = input.find_key(path).and_then(|key| match key {
            Some(key) => crate::machine::key_content(&input.hive, &key)
                .map_err(MachineError::in_hive(hive))
                .map(Some),
            None => Ok(None),
        });
        found
            .unwrap_or_else(|error| self.unread(error.to_string()))
            .unwrap_or_default()
    }

    /// The names of the keys right below a key.
    pub(crate) fn subkeys(&self, hive: HiveName, path: &NodePath) -> Vec<Name> {
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return Vec::new();
        };
        let regf = MachineError::in_hive(hive);
        let names = || -> Result<Vec<Name>, MachineError> {
            let Some(key) = input.find_key(path)? else {
                return Ok(Vec::new());
            };
            let subkeys = input.hive.subkeys(&key).map_err(&regf)?;
            let names = subkeys
                .into_iter()
                .map(|at| Ok(input.hive.key(at).map_err(&regf)?.name().to_name()));
            names.collect()
        };
        names().unwrap_or_else(|error| self.unread(error.to_string()).unwrap_or_default())
    }

    /// Whether the key exists now; `None` where that cannot be read.
    pub(crate) fn has_key(&self, hive: HiveName, path: &NodePath) -> Option<bool> {
        let Some(input) = self.hives.iter().find(|input| input.name == hive) else {
            return Some(false);
        };
        match input.find_key(path) {
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
