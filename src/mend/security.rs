// SPDX-License-Identifier: GPL-3.0-or-later
//! Security descriptors and class names of the keys that were saved.

use std::collections::{BTreeMap, HashMap};

use super::bins::{Bins, usize_of};
use super::model::{Bytes, Origin, ROOT};
use super::nodes::{one_bit_off, turned};
use super::notes::{Fix, LostKind};
use super::tree::Builder;
use crate::regf::SecurityDescriptor;
use crate::regf::structures::{KeySecurityHeader, read};

/// A descriptor for a root whose own is lost with those of all keys: SYSTEM and administrators only.
const LAST_RESORT: [u8; 100] = [
    1, 0, 0x04, 0x80, 0x48, 0, 0, 0, 0x58, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, // header
    2, 0, 0x34, 0, 2, 0, 0, 0, // the list
    0, 2, 0x14, 0, 0x3F, 0, 0x0F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // SYSTEM
    0, 2, 0x18, 0, 0x3F, 0, 0x0F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 2, 0,
    0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, // owner: administrators
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // group: SYSTEM
];

/// How many damaged records are tried bit by bit.
const TRIED: usize = 64;

/// Which of the saved descriptors stands at an offset.
type Known = HashMap<u32, Option<usize>>;

impl Builder<'_> {
    /// Gives each key its descriptor; one that is lost is replaced by that of the key above.
    pub(super) fn read_security(&mut self) {
        let mut known = Known::new();
        let mut own: Vec<Option<usize>> = Vec::with_capacity(self.tree.keys.len());
        for index in 0..self.tree.keys.len() {
            own.push(self.own_security(index, &mut known));
        }
        let root = match own.first().copied().flatten() {
            Some(root) => root,
            None => self.security_for_root(&own),
        };
        for (index, own) in own.into_iter().enumerate() {
            let parent = self.tree.keys.get(index).map_or(ROOT, |key| key.parent);
            let inherited = self.tree.keys.get(parent).map_or(root, |key| key.security);
            let security = match (own, index) {
                (Some(own), _) => own,
                (None, ROOT) => root,
                (None, _) => inherited,
            };
            let Some(key) = self.tree.keys.get_mut(index) else {
                continue;
            };
            key.security = security;
            let is_made = key.origin != Origin::Node;
            if own.is_none() && !is_made {
                self.notes.lost(index, LostKind::Security, None, Some(1));
            }
        }
    }

    fn own_security(&mut self, index: usize, known: &mut Known) -> Option<usize> {
        let key = self.tree.keys.get(index)?;
        if key.origin != Origin::Node {
            return None;
        }
        let at = key.head.security.get().0;
        if let Some(found) = self.descriptor(at, known) {
            return Some(found);
        }
        let is_lost = self.bins.is_lost_place(at);
        let mut turned: Vec<usize> = one_bit_off(at)
            .filter(|_| !is_lost)
            .filter(|at| self.bins.is_linked(*at) && sound(self.bins, *at).is_some())
            .collect::<Vec<u32>>()
            .into_iter()
            .filter_map(|at| self.descriptor(at, known))
            .collect();
        turned.dedup();
        match turned.as_slice() {
            [only] => {
                self.notes.fix(index, Fix::Security);
                Some(*only)
            }
            _ => None,
        }
    }

    fn descriptor(&mut self, at: u32, known: &mut Known) -> Option<usize> {
        if let Some(found) = known.get(&at) {
            return *found;
        }
        let whole = sound(self.bins, at);
        // Each record once, but no more of them than damage leaves behind.
        let is_tried =
            whole.is_none() && known.values().filter(|known| known.is_none()).count() < TRIED;
        let bytes = match is_tried {
            true => mended(self.bins, at),
            false => whole,
        };
        let found = bytes.map(|bytes| {
            self.bins.claim(at);
            self.tree.descriptors.push(bytes);
            self.tree.descriptors.len().saturating_sub(1)
        });
        known.insert(at, found);
        found
    }

    /// The descriptor that most of the keys right below the root have.
    fn security_for_root(&mut self, own: &[Option<usize>]) -> usize {
        let children = self.tree.keys.first().map(|root| root.children.clone());
        let mut used: BTreeMap<usize, usize> = BTreeMap::new();
        for child in children.unwrap_or_default() {
            if let Some(security) = own.get(child).copied().flatten() {
                let count = used.entry(security).or_default();
                *count = count.saturating_add(1);
            }
        }
        let most = used
            .iter()
            .max_by_key(|(security, count)| (**count, std::cmp::Reverse(**security)));
        if let Some((security, _)) = most {
            return *security;
        }
        self.tree.descriptors.push(LAST_RESORT.to_vec());
        self.tree.descriptors.len().saturating_sub(1)
    }

    /// Gives each key its class name.
    pub(super) fn read_classes(&mut self) {
        for index in 0..self.tree.keys.len() {
            let Some(key) = self.tree.keys.get(index) else {
                continue;
            };
            let length = usize::from(key.head.class_name_length.get());
            let at = key.head.class_name.get().0;
            if key.origin != Origin::Node || (length == 0 && at == u32::MAX) {
                continue;
            }
            let found = match length {
                0 => self.class_of_no_length(at),
                length => self.class_at(at, length),
            };
            match found {
                Some((start, length, cell, is_exact)) => {
                    self.bins.claim(cell);
                    if !is_exact {
                        self.notes.fix(index, Fix::Class);
                    }
                    if let Some(key) = self.tree.keys.get_mut(index) {
                        key.class = Bytes::In { start, length };
                    }
                }
                // An offset alone that leads nowhere is no class name, nor is a length alone.
                None if length == 0 && self.bins.payload(at).is_none() => {
                    self.notes.fix(index, Fix::Class);
                }
                None if at == u32::MAX && length.is_power_of_two() => {
                    self.notes.fix(index, Fix::Class);
                }
                None => self.notes.lost(index, LostKind::Class, None, Some(1)),
            }
        }
    }

    /// A class name whose length is 0 by a turned bit: the one power of two that fills its cell.
    fn class_of_no_length(&self, at: u32) -> Option<(usize, usize, u32, bool)> {
        let payload = self.bins.payload(at)?;
        if self.bins.is_claimed(at) || !self.bins.is_linked(at) {
            return None;
        }
        let sizes = (1..12).map(|bit| 1_usize << bit);
        let mut tight = sizes
            .filter(|size| *size <= payload.length && payload.length.saturating_sub(*size) < 8);
        let size = tight.next()?;
        tight
            .next()
            .is_none()
            .then_some((payload.start, size, at, false))
    }

    fn class_at(&self, at: u32, length: usize) -> Option<(usize, usize, u32, bool)> {
        let is_free = |at: u32| !self.bins.is_claimed(at);
        let payload = self.bins.payload(at).filter(|_| is_free(at));
        if let Some(payload) = payload {
            if payload.length >= length && !self.bins.is_lost(payload.start, length) {
                return Some((payload.start, length, at, true));
            }
            // A bit of the length is turned: the one that fills the cell.
            let sizes = (0..16).map(|bit| length ^ (1_usize << bit));
            let mut tight = sizes.filter(|size| {
                *size > 0 && *size <= payload.length && payload.length.saturating_sub(*size) < 8
            });
            let size = tight.next()?;
            return tight
                .next()
                .is_none()
                .then_some((payload.start, size, at, false));
        }
        let fits = |at: &u32| {
            let room = self.bins.payload(*at).map_or(0, |payload| payload.length);
            let is_tight = room >= length && room.saturating_sub(length) < 8;
            self.bins.is_linked(*at) && is_free(*at) && is_tight
        };
        if self.bins.is_lost_place(at) {
            return None;
        }
        let mut turned = one_bit_off(at).filter(fits);
        let cell = turned.next()?;
        if turned.next().is_some() {
            return None;
        }
        let start = self.bins.payload(cell)?.start;
        Some((start, length, cell, false))
    }
}

/// The descriptor of the record at `at`, where all of it is as it should be.
fn sound(bins: &Bins, at: u32) -> Option<Vec<u8>> {
    let bytes = bins.cell(at)?;
    let header: KeySecurityHeader = read(bytes)?;
    let size = usize_of(header.descriptor_size.get());
    let end = size_of::<KeySecurityHeader>().checked_add(size)?;
    let descriptor = bytes.get(size_of::<KeySecurityHeader>()..end)?;
    let start = usize_of(at).saturating_add(4);
    let is_record = header.signature == KeySecurityHeader::SIGNATURE;
    let is_lost = bins.is_lost(start, end);
    let is_sound = is_record && !is_lost && SecurityDescriptor::parse(descriptor).is_ok();
    is_sound.then(|| descriptor.to_vec())
}

/// The descriptor of a record with one turned bit: the only way in which its parts fill it.
fn mended(bins: &Bins, at: u32) -> Option<Vec<u8>> {
    let payload = bins.payload(at).or_else(|| bins.reach(at))?;
    let bytes = bins.of(payload);
    let header: KeySecurityHeader = read(bytes)?;
    let signature = turned(&header.signature, &KeySecurityHeader::SIGNATURE)?;
    let size = usize_of(header.descriptor_size.get());
    let all = bytes.get(size_of::<KeySecurityHeader>()..)?;
    if signature > 1 {
        return None;
    }
    if let Some(descriptor) = all.get(..size)
        && SecurityDescriptor::parse(descriptor).is_ok()
    {
        return Some(descriptor.to_vec());
    }
    if signature > 0 {
        return None;
    }
    let sizes = (0..20).map(|bit| size ^ (1_usize << bit));
    let tight: Vec<&[u8]> = sizes
        .filter_map(|size| all.get(..size))
        .filter(|descriptor| is_filled(descriptor))
        .collect();
    if let [only] = tight.as_slice() {
        return Some(only.to_vec());
    }
    let mut descriptor = all
        .get(..size)
        .filter(|bytes| bytes.len() <= 0x1_0000)?
        .to_vec();
    let mut found = Vec::new();
    // Only what gives the structure is looked at: the number of trials is that of its bits.
    for bit in 0..descriptor.len().min(4096).saturating_mul(8) {
        let byte = bit / 8;
        let mask = 1_u8 << (bit % 8);
        let flip = |descriptor: &mut Vec<u8>| {
            if let Some(byte) = descriptor.get_mut(byte) {
                *byte ^= mask;
            }
        };
        flip(&mut descriptor);
        if is_filled(&descriptor) {
            found.push(descriptor.clone());
        }
        flip(&mut descriptor);
        if found.len() > 1 {
            return None;
        }
    }
    found.pop()
}

/// Whether the parts of a descriptor fill it as Windows writes them.
fn is_filled(descriptor: &[u8]) -> bool {
    let parsed = SecurityDescriptor::parse(descriptor).ok();
    let written = parsed.and_then(|parsed| parsed.to_bytes().ok());
    written.is_some_and(|written| written == descriptor)
}
