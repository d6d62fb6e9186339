// SPDX-License-Identifier: GPL-3.0-or-later
//! Operations on one thing come together: the same said twice, in two control sets, or against each
//! other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::operation::{Deed, Operation};
use super::read::Import;
use super::trouble::{ImportErrors, Trouble};
use crate::profile::{ControlSet, HiveName, KeyPath, upcase};

/// What an operation is about, without its control set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Slot {
    hive: HiveName,
    in_control_set: bool,
    key: Vec<u16>,
    /// The value's name; `None` for the key itself, and for all of its values.
    value: Option<Vec<u16>>,
    is_all: bool,
}

/// What is wanted of one thing, with all that said so.
pub(super) struct Merged<'i> {
    pub(super) path: KeyPath,
    pub(super) deed: &'i Deed,
    /// Each operation with its file.
    pub(super) said: Vec<(&'i Import, &'i Operation)>,
}

type Said<'i> = (&'i Import, &'i Operation);

/// Brings together what is said of the same thing, in the order in which each is first spoken of.
///
/// # Errors
///
/// What is said against each other: no profile says both.
pub(super) fn merge(imports: &[Import]) -> Result<Vec<Merged<'_>>, ImportErrors> {
    let mut errors = ImportErrors::default();
    let mut order: Vec<Slot> = Vec::new();
    let mut slots: HashMap<Slot, BTreeMap<u32, Vec<Said<'_>>>> = HashMap::new();
    let mut numbers: BTreeSet<u32> = BTreeSet::new();
    for (import, operation) in imports
        .iter()
        .flat_map(|import| import.operations.iter().map(move |op| (import, op)))
    {
        let slot = slot_of(operation);
        let set = set_of(&operation.path);
        if set > EVERY {
            numbers.insert(set);
        }
        if !slots.contains_key(&slot) {
            order.push(slot.clone());
        }
        let said = slots.entry(slot).or_default().entry(set).or_default();
        add(said, (import, operation), &mut errors);
    }
    let mut merged = Vec::new();
    for slot in &order {
        if let Some(sets) = slots.remove(slot) {
            one_slot(sets, &numbers, &mut merged, &mut errors);
        }
    }
    expect_no_clash(&merged, &mut errors);
    errors.or(merged)
}

/// Outside of control sets, and for `CurrentControlSet`.
const EVERY: u32 = 0;

fn set_of(path: &KeyPath) -> u32 {
    match path.control_set {
        Some(ControlSet::Number(number)) => u32::from(number),
        _ => EVERY,
    }
}

fn slot_of(operation: &Operation) -> Slot {
    let value = match &operation.deed {
        Deed::SetValue { name, .. } | Deed::DeleteValue { name } => Some(upcase(name)),
        _ => None,
    };
    Slot {
        hive: operation.path.hive,
        in_control_set: operation.path.control_set.is_some(),
        key: upcase(&operation.path.segments.join("\\")),
        value,
        is_all: operation.deed == Deed::DeleteAllValues,
    }
}

/// Adds what is said in one control set; the last one counts, and what is set twice must be the same.
fn add<'i>(said: &mut Vec<Said<'i>>, new: Said<'i>, errors: &mut ImportErrors) {
    let Some((_, old)) = said.last() else {
        return said.push(new);
    };
    match (&old.deed, &new.1.deed) {
        (one, two) if is_same(one, two) => said.push(new),
        // Deleted first and set then, it is set.
        (Deed::DeleteValue { .. }, Deed::SetValue { .. }) => *said = vec![new],
        (Deed::CreateKey, Deed::DeleteKey) | (Deed::DeleteKey, Deed::CreateKey) => {
            errors.add(against(
                new,
                old,
                "this key is to be deleted and to be made",
            ));
        }
        (Deed::SetValue { name, .. }, _) => {
            let name = crate::text::escape(name);
            let message = format!("something else is said of the value `{name}` of this key");
            errors.add(against(new, old, &message));
        }
        _ => said.push(new),
    }
}

fn is_same(one: &Deed, two: &Deed) -> bool {
    match (one, two) {
        (Deed::SetValue { data: one, .. }, Deed::SetValue { data: two, .. }) => one == two,
        (Deed::DeleteValue { .. }, Deed::DeleteValue { .. }) => true,
        _ => one == two,
    }
}

fn against((import, operation): Said<'_>, old: &Operation, message: &str) -> Trouble {
    Trouble {
        file: import.file.clone(),
        at: Some(operation.at),
        message: format!("{message}, in {}", old.at.words()),
        hint: "a profile says how things should be in the end: keep one of the two".to_owned(),
    }
}

/// What is said of one thing in each control set.
fn one_slot<'i>(
    mut sets: BTreeMap<u32, Vec<Said<'i>>>,
    numbers: &BTreeSet<u32>,
    merged: &mut Vec<Merged<'i>>,
    errors: &mut ImportErrors,
) {
    let all_same = |sets: &BTreeMap<u32, Vec<Said<'i>>>| {
        let mut all = sets.values().filter_map(|said| said.last());
        let first = all.next();
        first.is_some_and(|(_, first)| all.all(|(_, other)| is_same(&first.deed, &other.deed)))
    };
    let covers = sets.contains_key(&EVERY);
    let is_everywhere = numbers.len() > 1 && numbers.iter().all(|n| sets.contains_key(n));
    if all_same(&sets) && (covers || is_everywhere) {
        let mut said: Vec<Said<'i>> = std::mem::take(&mut sets).into_values().flatten().collect();
        said.sort_by_key(|(import, operation)| (import.file.clone(), operation.at));
        if let Some((_, first)) = said.first() {
            let mut path = first.path.clone();
            path.control_set = path.control_set.map(|_| ControlSet::Every);
            let deed = &first.deed;
            merged.push(Merged { path, deed, said });
        }
        return;
    }
    if covers {
        let every = sets.get(&EVERY).and_then(|said| said.last());
        let other = sets.values().skip(1).filter_map(|said| said.last());
        let mut other =
            other.filter(|(_, op)| every.is_some_and(|e| !is_same(&e.1.deed, &op.deed)));
        if let (Some((_, every)), Some(other)) = (every, other.next()) {
            let message = "something else is said of this in CurrentControlSet";
            errors.add(against(*other, every, message));
        }
        return;
    }
    for said in sets.into_values() {
        if let Some((_, first)) = said.last() {
            let (path, deed) = (first.path.clone(), &first.deed);
            merged.push(Merged { path, deed, said });
        }
    }
}

/// What is deleted as a whole must not be spoken of.
fn expect_no_clash(merged: &[Merged<'_>], errors: &mut ImportErrors) {
    let gone = merged.iter().filter(|one| *one.deed == Deed::DeleteKey);
    let gone: HashMap<_, _> = gone.map(|one| (place(&one.path), one)).collect();
    let emptied = merged
        .iter()
        .filter(|one| *one.deed == Deed::DeleteAllValues);
    let emptied: HashMap<_, _> = emptied.map(|one| (place(&one.path), one)).collect();
    for one in merged {
        let clash = match one.deed {
            Deed::DeleteKey => continue,
            Deed::SetValue { .. } | Deed::DeleteValue { .. } => {
                let same = emptied.get(&place(&one.path)).copied();
                let same = same.filter(|_| matches!(one.deed, Deed::SetValue { .. }));
                above(&one.path, &gone).or(same)
            }
            _ => above(&one.path, &gone),
        };
        if let (Some(clash), Some(said), Some((_, old))) = (
            clash,
            one.said.first(),
            clash.and_then(|clash| clash.said.first()),
        ) {
            let what = match clash.deed {
                Deed::DeleteAllValues => "all values of this key are deleted",
                _ => "this key, or one above it, is deleted as a whole",
            };
            errors.add(against(*said, old, what));
        }
    }
}

type KeyPlace = (HiveName, Option<ControlSet>, Vec<u16>);

fn place(path: &KeyPath) -> KeyPlace {
    let key = upcase(&path.segments.join("\\"));
    (path.hive, path.control_set, key)
}

/// The entry that deletes the key, or one above it.
fn above<'m, 'i>(
    path: &KeyPath,
    gone: &HashMap<KeyPlace, &'m Merged<'i>>,
) -> Option<&'m Merged<'i>> {
    if gone.is_empty() {
        return None;
    }
    let sets = [
        path.control_set,
        path.control_set.map(|_| ControlSet::Every),
    ];
    let mut segments = path.segments.as_slice();
    while !segments.is_empty() {
        let key = upcase(&segments.join("\\"));
        for set in sets {
            if let Some(found) = gone.get(&(path.hive, set, key.clone())) {
                return Some(found);
            }
        }
        segments = segments.split_last().map_or(&[], |(_, above)| above);
    }
    None
}
