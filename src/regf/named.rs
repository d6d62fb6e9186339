// SPDX-License-Identifier: GPL-3.0-or-later
//! Values and subkeys by their names, where one key is asked for many of them.
//!
//! [`Hive::find_value`] and [`Hive::find_subkey`] look through a list, which is right for one name.
//! What is here looks through it once, gives the same answers and fails in the same places: as
//! far as it must, in the list's order, so that damage behind what is found is not met.

use std::collections::{HashMap, VecDeque};

use super::subkeys_list::expect_leaf;
use super::{
    CellOffset, Hive, KeyNode, KeyValue, ListKind, Name, Record, RegfError, StoredName, SubkeysList,
};

/// Places in a list by a number made of the name there. Nearly always there is one for a number.
#[derive(Debug, Default)]
struct Places {
    first: HashMap<u64, u32>,
    /// Those behind the first, in their order.
    others: HashMap<u64, VecDeque<u32>>,
}

impl Places {
    /// Notes a place behind all that were noted before.
    fn add(&mut self, number: u64, place: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        if *self.first.entry(number).or_insert(place) != place {
            self.others.entry(number).or_default().push_back(place);
        }
    }

    fn remove(&mut self, number: u64, place: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let others = self.others.get_mut(&number);
        if self.first.get(&number) != Some(&place) {
            if let Some(others) = others {
                others.retain(|other| *other != place);
            }
            return;
        }
        match others.and_then(VecDeque::pop_front) {
            Some(next) => self.first.insert(number, next),
            None => self.first.remove(&number),
        };
    }

    /// The places for a number, in their order.
    fn of(&self, number: u64) -> impl Iterator<Item = usize> {
        let first = self.first.get(&number);
        let others = self.others.get(&number).into_iter().flatten();
        let places = first.into_iter().chain(others);
        places.map(|&place| usize::try_from(place).unwrap_or(usize::MAX))
    }
}

/// The values of one key, by their names.
#[derive(Debug)]
pub(crate) struct ValuesByName {
    /// The list; nothing where a value was taken out.
    cells: Vec<CellOffset>,
    /// How many of them have been looked at.
    looked_at: usize,
    places: Places,
}

/// A value, and where in its key's list it stands.
#[derive(Debug)]
pub(crate) struct ListedValue<'a> {
    /// The value.
    pub(crate) value: KeyValue<'a>,
    /// Its place in the list as it was read, from 0.
    pub(crate) place: usize,
}

impl ValuesByName {
    /// The values of `key`.
    ///
    /// # Errors
    ///
    /// Where the list leaves its cell.
    pub(crate) fn of(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<Self, RegfError> {
        Ok(Self {
            cells: hive.values(key)?,
            looked_at: 0,
            places: Places::default(),
        })
    }

    /// The first value called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// As [`Hive::find_value`]: where a value in front of the one meant is damaged.
    pub(crate) fn find<'a>(
        &mut self,
        hive: &Hive<'a>,
        name: &Name,
    ) -> Result<Option<ListedValue<'a>>, RegfError> {
        let wanted = name.folded_hash();
        let is_meant = |stored: StoredName<'_>| stored.order_name(name).is_eq();
        for place in self.places.of(wanted) {
            let Some(&at) = self.cells.get(place) else {
                continue;
            };
            let value = hive.value(at)?;
            if is_meant(value.name()) {
                return Ok(Some(ListedValue { value, place }));
            }
        }
        while let Some(&at) = self.cells.get(self.looked_at) {
            let value = hive.value(at)?;
            let (place, number) = (self.looked_at, value.name().folded_hash());
            self.places.add(number, place);
            self.looked_at = place.saturating_add(1);
            if number == wanted && is_meant(value.name()) {
                return Ok(Some(ListedValue { value, place }));
            }
        }
        Ok(None)
    }

    /// The list as it is now.
    pub(crate) fn cells(&self) -> impl Iterator<Item = CellOffset> {
        self.cells.iter().copied().filter(|cell| !cell.is_none())
    }

    /// The last value of the list.
    pub(crate) fn last(&self) -> Option<CellOffset> {
        self.cells.last().copied()
    }

    /// Notes that the value `name` at `at` now stands behind all others, where it was looked for
    /// and is none of them.
    pub(crate) fn push(&mut self, name: &Name, at: CellOffset) {
        self.places.add(name.folded_hash(), self.cells.len());
        self.cells.push(at);
        self.looked_at = self.cells.len();
    }

    /// Notes that the value `name` at this place of the list is not there any more.
    pub(crate) fn remove(&mut self, name: StoredName<'_>, place: usize) {
        self.places.remove(name.folded_hash(), place);
        if let Some(cell) = self.cells.get_mut(place) {
            *cell = CellOffset::NONE;
        }
        while self.cells.last().is_some_and(|cell| cell.is_none()) {
            self.cells.pop();
        }
        self.looked_at = self.looked_at.min(self.cells.len());
    }
}

/// The subkeys of one key, by their names.
#[derive(Debug)]
pub(crate) struct SubkeysByName {
    leaves: std::vec::IntoIter<CellOffset>,
    elements: Vec<Element>,
    /// By the hash that stands beside them, which is believed.
    hashed: Places,
    /// By the name of the key itself.
    named: Places,
    /// Those whose key cannot be read: only who may mean one of them has to know.
    unread: Vec<usize>,
}

/// An element of a leaf.
#[derive(Clone, Copy, Debug)]
struct Element {
    cell: CellOffset,
    extra: [u8; 4],
    kind: ListKind,
}

impl SubkeysByName {
    /// The subkeys of `key`.
    ///
    /// # Errors
    ///
    /// Where the list is damaged.
    pub(crate) fn of(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<Self, RegfError> {
        Ok(Self {
            leaves: hive.leaves(key)?.into_iter(),
            elements: Vec::new(),
            hashed: Places::default(),
            named: Places::default(),
            unread: Vec::new(),
        })
    }

    /// The first subkey called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// As [`Hive::find_subkey`]: where a subkeys list or a key node that may be meant is damaged.
    pub(crate) fn find<'a>(
        &mut self,
        hive: &Hive<'a>,
        name: &Name,
    ) -> Result<Option<KeyNode<'a>>, RegfError> {
        let (hash, number) = (name.hash(), name.folded_hash());
        let mut from = 0;
        loop {
            for place in self.candidates(name, hash, number, from) {
                let Some(element) = self.elements.get(place) else {
                    continue;
                };
                let key = hive.key(element.cell)?;
                if key.name().order_name(name).is_eq() {
                    return Ok(Some(key));
                }
            }
            from = self.elements.len();
            let Some(leaf) = self.leaves.as_slice().first().copied() else {
                return Ok(None);
            };
            self.take_in(hive, leaf)?;
            let _ = self.leaves.next();
        }
    }

    /// The elements behind the first `from` that may be the key called `name`, in their order.
    fn candidates(&self, name: &Name, hash: u32, number: u64, from: usize) -> Vec<usize> {
        let hashed = self.hashed.of(u64::from(hash));
        let named = self.named.of(number).chain(self.unread.iter().copied());
        let may_be = |place: &usize| {
            let element = self.elements.get(*place);
            element.is_some_and(|e| e.kind.may_be(e.extra, name, hash))
        };
        let all = hashed.chain(named.filter(may_be));
        let mut all: Vec<usize> = all.filter(|place| *place >= from).collect();
        all.sort_unstable();
        all
    }

    /// Takes in the leaf at `at`, or nothing of it.
    fn take_in(&mut self, hive: &Hive<'_>, at: CellOffset) -> Result<(), RegfError> {
        let bytes = hive.cell(at, Record::SubkeysList)?;
        let list = SubkeysList::parse(at, &bytes)?;
        expect_leaf(at, list)?;
        hive.expect_room_for_keys(self.elements.len().saturating_add(list.len()), at)?;
        for (cell, extra) in list.elements() {
            let place = self.elements.len();
            let kind = list.kind;
            self.elements.push(Element { cell, extra, kind });
            if kind == ListKind::HashLeaf {
                let hash = u32::from_le_bytes(extra);
                self.hashed.add(u64::from(hash), place);
                continue;
            }
            match hive.key(cell) {
                Ok(key) => self.named.add(key.name().folded_hash(), place),
                Err(_) => self.unread.push(place),
            }
        }
        Ok(())
    }
}
