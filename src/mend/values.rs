// SPDX-License-Identifier: GPL-3.0-or-later
//! The values of the keys that were saved.
//!
//! First those keys are read whose values are as they should be: what they use is nobody else's. Then the
//! others, which may only have what is left.

use std::collections::HashSet;

use super::bins::{Bins, usize_of};
use super::model::{Bytes, Data, Origin, Value};
use super::nodes::{one_bit_off, turned};
use super::notes::{Fix, LostKind};
use super::tree::{Builder, is_turned_count};
use super::value_data::{Found, mended_value, offsets, sound_value, turned_data};
use crate::regf::structures::KeyValueHeader;
use crate::regf::{Name, StoredName, key_flags, value_flags};

/// How many keys are asked whether they hold a cell that two values lead to.
const DISPUTES: usize = 64;

impl Builder<'_> {
    /// Reads all values.
    pub(super) fn read_values(&mut self, minor: u32) {
        let mut later = Vec::new();
        for index in 0..self.tree.keys.len() {
            let Some((count, list)) = self.values_of(index) else {
                continue;
            };
            if count == 0 && list == u32::MAX {
                continue;
            }
            match self.sound_values(count, list, minor) {
                Some(values) if count > 0 => {
                    if let Some(key) = self.tree.keys.get_mut(index) {
                        key.values = values;
                    }
                }
                _ => later.push((index, count, list)),
            }
        }
        let mut disputes = 0;
        for (index, count, list) in later {
            self.mend_values(index, count, list, minor, &mut disputes);
        }
        self.lengthen_lists(minor);
    }

    fn values_of(&self, index: usize) -> Option<(usize, u32)> {
        let key = self.tree.keys.get(index)?;
        let flags = key.head.flags.get();
        if key.origin != Origin::Node || flags & key_flags::PREDEF_HANDLE != 0 {
            return None;
        }
        let count = usize_of(key.head.value_count.get());
        Some((count, key.head.values_list.get().0))
    }

    /// The values of a list in which everything is as it should be; all of it is claimed.
    pub(super) fn sound_values(
        &mut self,
        count: usize,
        list: u32,
        minor: u32,
    ) -> Option<Vec<Value>> {
        if self.bins.is_claimed(list) {
            return None;
        }
        let cells = self.elements(list, count)?;
        let mut values = Vec::with_capacity(count);
        let mut used = vec![list];
        for cell in cells {
            let found = sound_value(self.bins, cell, minor)?;
            used.extend(found.cells);
            values.push(found.value);
        }
        for (place, cell) in used.iter().enumerate() {
            if self.bins.is_claimed(*cell) {
                // Some of them are ours, from just now.
                let ours = used.get(..place).unwrap_or(&[]);
                ours.iter().for_each(|cell| self.bins.release(*cell));
                return None;
            }
            self.bins.claim(*cell);
        }
        Some(values)
    }

    fn elements(&self, list: u32, count: usize) -> Option<Vec<u32>> {
        let bytes = self.bins.cell(list)?;
        let bytes = bytes.get(..count.checked_mul(4)?)?;
        Some(offsets(bytes))
    }

    /// The values of a list that is not as it should be, as far as they are nobody else's.
    fn mend_values(
        &mut self,
        index: usize,
        count: usize,
        list: u32,
        minor: u32,
        disputes: &mut usize,
    ) {
        let Some(list) = self.find_values_list(count, list) else {
            if count > 0 && count <= self.bins.size() / size_of::<KeyValueHeader>() {
                let lost = u64::try_from(count).ok();
                self.notes.lost(index, LostKind::Value, None, lost);
            } else {
                self.notes.fix(index, Fix::Values);
            }
            return;
        };
        let bytes = match self.bins.cell(list) {
            Some(bytes) => bytes,
            None => self
                .bins
                .reach(list)
                .map_or(&[][..], |reach| self.bins.of(reach)),
        };
        let all = offsets(bytes);
        let mut values = Vec::new();
        let mut lost = Vec::new();
        let mut found_to = 0;
        let mut claimed: HashSet<u32> = HashSet::new();
        let mut names: HashSet<Vec<u16>> = HashSet::new();
        for (place, cell) in all.iter().enumerate().take(count.max(1)) {
            match self.mend_value(*cell, minor, &claimed, disputes) {
                Ok((found, is_fixed)) => {
                    let name = super::donor::name_of(&found.value, self.bins);
                    if !names.insert(name.folded()) {
                        lost.push((place, Some(name)));
                        continue;
                    }
                    claimed.extend(&found.cells);
                    values.push(found.value);
                    found_to = place.saturating_add(1);
                    if is_fixed {
                        self.notes.fix(index, Fix::Value);
                    }
                }
                Err(name) => lost.push((place, name)),
            }
        }
        for cell in claimed {
            self.bins.claim(cell);
        }
        self.bins.claim(list);
        let real = match all.len() < count || count == 0 {
            // The count leaves the cell: it cannot be right.
            true if is_turned_count(count, found_to) || count == 0 => found_to,
            true if count <= self.bins.size() / size_of::<KeyValueHeader>() => {
                let missing = count.saturating_sub(all.len());
                let missing = u64::try_from(missing).ok();
                self.notes.lost(index, LostKind::Value, None, missing);
                count
            }
            true => found_to,
            // Behind the last one that is there a turned bit of the count is likelier than a lost value.
            false
                if found_to < count
                    && is_turned_count(count, found_to)
                    && found_to < all.len()
                    && {
                        let behind = all.get(found_to).copied().unwrap_or(0);
                        let cell = self.bins.cell(behind);
                        let is_value = cell.is_some_and(|cell| cell.starts_with(b"vk"));
                        !is_value && !self.bins.is_lost_place(behind)
                    } =>
            {
                found_to
            }
            false => count,
        };
        for (_, name) in lost.into_iter().filter(|(place, _)| *place < real) {
            self.notes.lost(index, LostKind::Value, name, Some(1));
        }
        self.notes.fix(index, Fix::Values);
        if let Some(key) = self.tree.keys.get_mut(index) {
            key.values = values;
        }
    }

    /// The list of `count` values at `at`, or where one turned bit of that leads.
    fn find_values_list(&self, count: usize, at: u32) -> Option<u32> {
        let leads = |at: u32, wanted: usize| {
            let bytes = match self.bins.cell(at) {
                Some(bytes) => bytes,
                None => self.bins.of(self.bins.reach(at)?),
            };
            let found = offsets(bytes);
            let first = found.iter().take(wanted.max(1)).filter(|cell| {
                !self.bins.is_claimed(**cell)
                    && self
                        .bins
                        .cell(**cell)
                        .is_some_and(|cell| cell.starts_with(b"vk"))
            });
            (first.count() > 0).then_some(at)
        };
        let is_free = |at: u32| !self.bins.is_claimed(at);
        if at != u32::MAX && is_free(at) && leads(at, count).is_some() {
            return Some(at);
        }
        let size = count.checked_mul(4)?;
        let fits = |at: &u32| {
            let room = self.bins.cell(*at).map(<[u8]>::len);
            let is_fitting = room.is_some_and(|room| room >= size);
            let all = || {
                let elements = self.elements(*at, count).unwrap_or_default();
                elements.iter().all(|cell| {
                    let cell = (!self.bins.is_claimed(*cell)).then(|| self.bins.cell(*cell));
                    cell.flatten().is_some_and(|cell| cell.starts_with(b"vk"))
                })
            };
            is_fitting && count > 0 && self.bins.is_linked(*at) && is_free(*at) && all()
        };
        if self.bins.is_lost_place(at) {
            return None;
        }
        // A list that is there and leads to what is destroyed is the right one.
        if self.bins.is_linked(at) && is_free(at) {
            let elements = self.elements(at, count).unwrap_or_default();
            if elements.iter().any(|cell| self.bins.is_lost_place(*cell)) {
                return Some(at);
            }
        }
        let mut turned = one_bit_off(at).filter(fits);
        let found = turned.next()?;
        turned.next().is_none().then_some(found)
    }

    /// The value at `cell`, or its name where only that is known.
    fn mend_value(
        &mut self,
        cell: u32,
        minor: u32,
        claimed: &HashSet<u32>,
        disputes: &mut usize,
    ) -> Result<(Found, bool), Option<Name>> {
        let is_free = |bins: &Bins, at: u32| !bins.is_claimed(at) && !claimed.contains(&at);
        let candidates = [cell].into_iter().chain(one_bit_off(cell));
        let is_value = |at: &u32| {
            let bytes = self.bins.cell(*at);
            is_free(self.bins, *at) && bytes.is_some_and(|bytes| bytes.starts_with(b"vk"))
        };
        let own = self.bins.cell(cell).or_else(|| {
            let reach = self.bins.reach(cell)?;
            Some(self.bins.of(reach))
        });
        let is_own = own.is_some_and(|bytes| {
            let signature = bytes.get(..2).and_then(|found| turned(found, b"vk"));
            signature.is_some_and(|bits| bits <= 1) && is_free(self.bins, cell)
        });
        let at = match is_own {
            true => cell,
            false if self.bins.is_lost_place(cell) => return Err(None),
            false => {
                let mut turned = candidates.skip(1).filter(is_value);
                let found = turned.next().ok_or(None)?;
                if turned.next().is_some() || !self.bins.is_linked(found) {
                    return Err(None);
                }
                found
            }
        };
        if at == cell
            && let Some(found) = sound_value(self.bins, at, minor)
        {
            let taken = |at: &u32| !is_free(self.bins, *at);
            match found.cells.iter().find(|at| taken(at)) {
                None => return Ok((found, false)),
                Some(shared) if *shared != at => {
                    let shared = *shared;
                    return self.dispute(found, shared, claimed, disputes);
                }
                Some(_) => return Err(None),
            }
        }
        let found = mended_value(self.bins, at, minor, &|at| is_free(self.bins, at))?;
        Ok((found, true))
    }

    /// Two values lead to one cell of data: the one whose offset has a turned bit gives way.
    fn dispute(
        &mut self,
        mut found: Found,
        shared: u32,
        claimed: &HashSet<u32>,
        disputes: &mut usize,
    ) -> Result<(Found, bool), Option<Name>> {
        let name = || {
            let bytes = found.value.name.of(self.bins);
            let narrow = found.value.flags & value_flags::COMP_NAME != 0;
            StoredName { bytes, narrow }.to_name()
        };
        let size = found.value.data.len();
        let is_free = |at: u32| !self.bins.is_claimed(at) && !claimed.contains(&at);
        if let Some(data) = turned_data(self.bins, shared, size, &is_free) {
            let cell = data.0;
            found.value.data = Data::Cell(data.1);
            found.cells.retain(|at| *at != shared);
            found.cells.push(cell);
            return Ok((found, true));
        }
        *disputes = disputes.saturating_add(1);
        if *disputes > DISPUTES {
            return Err(Some(name()));
        }
        let start = usize_of(shared).saturating_add(4);
        let holder = self.tree.keys.iter().enumerate().find_map(|(key, found)| {
            let place = found.values.iter().position(|value| {
                matches!(&value.data, Data::Cell(Bytes::In { start: at, .. }) if *at == start)
            })?;
            Some((key, place))
        });
        let Some((key, place)) = holder else {
            return Err(Some(name()));
        };
        let held = self
            .tree
            .keys
            .get(key)
            .and_then(|key| key.values.get(place));
        let other = held.map_or(0, |value| value.data.len());
        let moved = turned_data(self.bins, shared, other, &is_free);
        let Some((cell, bytes)) = moved else {
            return Err(Some(name()));
        };
        self.bins.claim(cell);
        if let Some(value) = self
            .tree
            .keys
            .get_mut(key)
            .and_then(|key| key.values.get_mut(place))
        {
            value.data = Data::Cell(bytes);
        }
        self.notes.fix(key, Fix::Value);
        found.cells.retain(|at| *at != shared);
        Ok((found, false))
    }

    /// A count that became smaller by a turned bit: what stands behind it in its list is a value that
    /// nothing else leads to.
    ///
    /// Only where nothing is destroyed: else it may be a value of a key that is lost.
    fn lengthen_lists(&mut self, minor: u32) {
        let is_whole = self.bins.parts.iter().all(|part| part.is_whole());
        if !is_whole || !self.notes.lost.is_empty() {
            return;
        }
        let is_value = |at: &u32| {
            self.bins
                .cell(*at)
                .is_some_and(|cell| cell.starts_with(b"vk"))
        };
        let left: HashSet<u32> = self.bins.unclaimed().filter(is_value).collect();
        if left.is_empty() {
            return;
        }
        for index in 0..self.tree.keys.len() {
            let Some((count, list)) = self.values_of(index) else {
                continue;
            };
            if list == u32::MAX || !self.bins.is_claimed(list) {
                continue;
            }
            let all = offsets(self.bins.cell(list).unwrap_or(&[]));
            let more: Vec<u32> = all
                .into_iter()
                .skip(count)
                .take_while(|cell| left.contains(cell) && !self.bins.is_claimed(*cell))
                .collect();
            let whole = count.saturating_add(more.len());
            if more.is_empty() || !is_turned_count(count, whole) {
                continue;
            }
            for cell in more {
                let Some(found) = sound_value(self.bins, cell, minor) else {
                    continue;
                };
                if found.cells.iter().any(|at| self.bins.is_claimed(*at)) {
                    continue;
                }
                found.cells.iter().for_each(|at| self.bins.claim(*at));
                if let Some(key) = self.tree.keys.get_mut(index) {
                    key.values.push(found.value);
                }
            }
            self.notes.fix(index, Fix::Values);
        }
    }
}
