// SPDX-License-Identifier: GPL-3.0-or-later
//! The key security records of a hive, and who uses them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::error::EditError;
use crate::regf::{CellOffset, Hive, Report, SecurityDescriptor, descriptor_control};

/// The last minor version that Windows NT 4 writes, and Windows 2000 too.
const LAST_OF_NT4: u32 = 3;

/// What the check says of a record that counts users which are none.
const TOO_MANY: [&str; 2] = ["security-count-high", "security-unused"];

/// The key security records of a hive, so that none is searched for again and again.
pub(super) struct Ring {
    pub(super) state: RandomState,
    /// Records by the hash of their descriptors.
    pub(super) records: HashMap<u64, Vec<CellOffset>>,
    /// The record that a new key uses, by its parent's.
    pub(super) heirs: BTreeMap<CellOffset, CellOffset>,
    /// Whether the hive is one of Windows NT 4: old, and without the marks of automatic inheritance.
    pub(super) nt4: bool,
}

impl Ring {
    /// Walks the ring from the root's record on.
    pub(super) fn read(hive: &Hive<'_>) -> Result<Self, EditError> {
        let mut ring = Self {
            state: RandomState::new(),
            records: HashMap::new(),
            heirs: BTreeMap::new(),
            nt4: hive.base().minor <= LAST_OF_NT4,
        };
        let mut seen = BTreeSet::new();
        let mut at = hive.root()?.security();
        while seen.insert(at) {
            let record = hive.security(at)?;
            ring.insert(at, record.descriptor());
            at = record.flink();
        }
        Ok(ring)
    }

    pub(super) fn hash(&self, descriptor: &[u8]) -> u64 {
        self.state.hash_one(descriptor)
    }

    pub(super) fn insert(&mut self, at: CellOffset, descriptor: &[u8]) {
        let marks =
            descriptor_control::DACL_AUTO_INHERITED | descriptor_control::SACL_AUTO_INHERITED;
        let control = SecurityDescriptor::parse(descriptor).map_or(0, |read| read.control);
        self.nt4 &= control & marks == 0;
        let hash = self.hash(descriptor);
        self.records.entry(hash).or_default().push(at);
    }

    pub(super) fn remove(&mut self, at: CellOffset, descriptor: &[u8]) {
        let hash = self.hash(descriptor);
        if let Some(records) = self.records.get_mut(&hash) {
            records.retain(|&record| record != at);
        }
        self.heirs.clear();
    }

    /// The record with this descriptor, byte for byte.
    pub(super) fn find(
        &self,
        hive: &Hive<'_>,
        descriptor: &[u8],
    ) -> Result<Option<CellOffset>, EditError> {
        let hash = self.hash(descriptor);
        for &at in self.records.get(&hash).into_iter().flatten() {
            if hive.security(at)?.descriptor() == descriptor {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// How many keys use each record, in a hive whose records count more of them. There the last user is
/// not told by its record.
pub(super) struct Users(HashMap<CellOffset, u32>);

impl Users {
    /// Counts them where `report` says that a record counts too many.
    pub(super) fn of(hive: &Hive<'_>, report: &Report) -> Result<Option<Self>, EditError> {
        let is_found = |code: &&str| report.counts.contains_key(*code);
        if !report.is_sound() || !TOO_MANY.iter().any(is_found) {
            return Ok(None);
        }
        let mut users = HashMap::new();
        let mut waiting = vec![hive.root()?.at()];
        while let Some(at) = waiting.pop() {
            let key = hive.key(at)?;
            let count: &mut u32 = users.entry(key.security()).or_default();
            *count = count.saturating_add(1);
            waiting.extend(hive.subkeys(&key)?);
        }
        Ok(Some(Self(users)))
    }

    pub(super) fn of_record(&self, at: CellOffset) -> u32 {
        self.0.get(&at).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, at: CellOffset, count: u32) {
        self.0.insert(at, count);
    }
}
