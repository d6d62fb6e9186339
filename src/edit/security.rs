// SPDX-License-Identifier: GPL-3.0-or-later
//! Who uses which key security record.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::inheritance::{Creator, inherit};
use super::{EditError, Editor};
use crate::regf::structures::KeySecurityHeader;
use crate::regf::{
    CellOffset, DescriptorFlaw, Hive, Report, SecurityDescriptor, descriptor_control, field,
};
use zerocopy::IntoBytes;

/// The last minor version that Windows NT 4 writes, and Windows 2000 too.
const LAST_OF_NT4: u32 = 3;

/// What the check says of a record that counts users which are none.
const TOO_MANY: [&str; 2] = ["security-count-high", "security-unused"];

/// The key security records of a hive, so that none is searched for again and again.
pub(super) struct Ring {
    state: RandomState,
    /// Records by the hash of their descriptors.
    records: HashMap<u64, Vec<CellOffset>>,
    /// The record that a new key uses, by its parent's.
    heirs: BTreeMap<CellOffset, CellOffset>,
    /// Whether the hive is one of Windows NT 4: old, and without the marks of automatic inheritance.
    nt4: bool,
}

impl Ring {
    /// Walks the ring from the root's record on.
    fn read(hive: &Hive<'_>) -> Result<Self, EditError> {
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

    fn hash(&self, descriptor: &[u8]) -> u64 {
        self.state.hash_one(descriptor)
    }

    fn insert(&mut self, at: CellOffset, descriptor: &[u8]) {
        let marks =
            descriptor_control::DACL_AUTO_INHERITED | descriptor_control::SACL_AUTO_INHERITED;
        let control = SecurityDescriptor::parse(descriptor).map_or(0, |read| read.control);
        self.nt4 &= control & marks == 0;
        let hash = self.hash(descriptor);
        self.records.entry(hash).or_default().push(at);
    }

    fn remove(&mut self, at: CellOffset, descriptor: &[u8]) {
        let hash = self.hash(descriptor);
        if let Some(records) = self.records.get_mut(&hash) {
            records.retain(|&record| record != at);
        }
        self.heirs.clear();
    }

    /// The record with this descriptor, byte for byte.
    fn find(&self, hive: &Hive<'_>, descriptor: &[u8]) -> Result<Option<CellOffset>, EditError> {
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

    fn of_record(&self, at: CellOffset) -> u32 {
        self.0.get(&at).copied().unwrap_or(0)
    }

    fn set(&mut self, at: CellOffset, count: u32) {
        self.0.insert(at, count);
    }
}

impl Editor {
    fn ring(&mut self) -> Result<&mut Ring, EditError> {
        let ring = match self.ring.take() {
            Some(ring) => ring,
            None => Ring::read(&self.hive()?)?,
        };
        Ok(self.ring.insert(ring))
    }

    /// Fails where keys made one below the other, `levels` of them below the key `parent`, cannot
    /// inherit: a refusal must come before the first of them is there.
    pub(super) fn expect_inheritable(
        &mut self,
        parent: CellOffset,
        levels: usize,
    ) -> Result<(), EditError> {
        let mut at = self.hive()?.key(parent)?.security();
        let (mut left, ring) = (levels, self.ring()?);
        while let Some(&heir) = ring.heirs.get(&at).filter(|_| left > 0) {
            (at, left) = (heir, left.saturating_sub(1));
        }
        let nt4 = ring.nt4;
        let hive = self.hive()?;
        let mut descriptor = hive.security(at)?.descriptor().to_vec();
        for _ in 0..left {
            let heir = inherited(&descriptor, nt4).map_err(|flaw| refusal(&hive, parent, flaw))?;
            if heir == descriptor {
                break; // and so it goes on
            }
            descriptor = heir;
        }
        Ok(())
    }

    /// Counts a new user of the record that a key made below the key `parent` uses.
    pub(super) fn use_inherited_security(
        &mut self,
        parent: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let above = self.hive()?.key(parent)?.security();
        let ring = self.ring()?;
        if let Some(&heir) = ring.heirs.get(&above) {
            self.add_security_user(heir)?;
            return Ok(heir);
        }
        let nt4 = ring.nt4;
        let hive = self.hive()?;
        let heir = inherited(hive.security(above)?.descriptor(), nt4);
        let heir = heir.map_err(|flaw| refusal(&hive, parent, flaw))?;
        let at = self.use_security(&heir, above)?;
        self.ring()?.heirs.insert(above, at);
        Ok(at)
    }

    /// Counts one more key that uses the record at `at`.
    pub(super) fn add_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let counted = self.hive()?.security(at)?.reference_count();
        let count = match self.users.as_ref().map(|users| users.of_record(at)) {
            // Whoever it counts is gone.
            Some(0) => Some(1),
            _ => counted.checked_add(1),
        };
        let count = count.ok_or(EditError::CountOverflow(
            "the users of a security descriptor",
        ))?;
        if let Some(users) = &mut self.users {
            users.set(at, users.of_record(at).saturating_add(1));
        }
        let field = field!(KeySecurityHeader.reference_count);
        self.image.set(at, field, count)
    }

    /// Counts one key less; the last user gone, the record leaves the ring and is freed.
    ///
    /// Spec: regf, *Key security*, notes.
    pub(super) fn remove_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let hive = self.hive()?;
        let record = hive.security(at)?;
        let (count, flink, blink) = (record.reference_count(), record.flink(), record.blink());
        let known = self
            .users
            .as_ref()
            .map_or(count, |users| users.of_record(at));
        let is_last = count <= 1 || known <= 1;
        let descriptor = match is_last {
            true => record.descriptor().to_vec(),
            false => Vec::new(),
        };
        if let Some(users) = &mut self.users {
            users.set(at, known.saturating_sub(1));
        }
        if !is_last {
            let field = field!(KeySecurityHeader.reference_count);
            return self.image.set(at, field, count.saturating_sub(1));
        }
        if let Some(ring) = &mut self.ring {
            ring.remove(at, &descriptor);
        }
        self.image
            .set(blink, field!(KeySecurityHeader.flink), flink)?;
        self.image
            .set(flink, field!(KeySecurityHeader.blink), blink)?;
        self.free_cell(at)
    }

    /// Counts a new user of the record with this descriptor, which is made, behind the one at
    /// `previous`, where there is none.
    pub(super) fn use_security(
        &mut self,
        descriptor: &[u8],
        previous: CellOffset,
    ) -> Result<CellOffset, EditError> {
        self.ring()?;
        let found = match &self.ring {
            Some(ring) => ring.find(&self.hive()?, descriptor)?,
            None => None,
        };
        if let Some(at) = found {
            self.add_security_user(at)?;
            return Ok(at);
        }
        let at = self.add_security(descriptor, previous)?;
        self.ring()?.insert(at, descriptor);
        Ok(at)
    }

    /// Makes a record with one user and puts it into the ring behind the one at `previous`.
    fn add_security(
        &mut self,
        descriptor: &[u8],
        previous: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let next = self.hive()?.security(previous)?.flink();
        let size = u32::try_from(descriptor.len());
        let size = size.map_err(|_| EditError::DataTooLarge(descriptor.len()))?;
        let header = KeySecurityHeader {
            signature: KeySecurityHeader::SIGNATURE,
            reserved: [0; 2],
            flink: next.into(),
            blink: previous.into(),
            reference_count: 1.into(),
            descriptor_size: size.into(),
        };
        let at = self.allocate_with(&[header.as_bytes(), descriptor].concat())?;
        let image = &mut self.image;
        image.set(previous, field!(KeySecurityHeader.flink), at)?;
        image.set(next, field!(KeySecurityHeader.blink), at)?;
        if let Some(users) = &mut self.users {
            users.set(at, 1);
        }
        Ok(at)
    }
}

/// The descriptor of a key that an administrator makes below one with the descriptor `parent`.
fn inherited(parent: &[u8], nt4: bool) -> Result<Vec<u8>, DescriptorFlaw> {
    let parent = SecurityDescriptor::parse(parent)?;
    inherit(&parent, &Creator::administrators(), nt4)?.to_bytes()
}

fn refusal(hive: &Hive<'_>, parent: CellOffset, flaw: DescriptorFlaw) -> EditError {
    match hive.key(parent) {
        Ok(key) => EditError::Descriptor {
            key: key.name().to_name(),
            flaw,
        },
        Err(error) => error.into(),
    }
}
