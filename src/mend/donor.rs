// SPDX-License-Identifier: GPL-3.0-or-later
//! Other hives that may have what is lost: a backup, `RegBack`, an older copy.
//!
//! A donor fills only what is lost. It is proven where the key says the same time of its last change on
//! both sides: then its values are the same. Anything else is as of the donor's own time, and taken
//! only from a donor that was named for it.

use super::model::{Bytes, Data, Key, Origin, Value};
use super::notes::LostKind;
use super::tree::Builder;
use crate::regf::structures::KeyNodeHeader;
use crate::regf::{CellOffset, Hive, INLINE_DATA, KeyNode, Name};

/// A sound hive that may have what is lost.
pub struct Donor<'a> {
    /// The hive.
    pub hive: Hive<'a>,
    /// Whether also what is not proven may come from it.
    pub is_named: bool,
}

/// The most keys that a donor gives below one that is lost.
const MOST_KEYS: usize = 1_000_000;

/// All key names of the donors, as candidates for keys that lost theirs.
pub(super) fn names(donors: &[Donor<'_>]) -> Vec<Name> {
    let mut names = Vec::new();
    for donor in donors {
        let Ok(root) = donor.hive.root() else {
            continue;
        };
        let mut waiting = vec![root];
        while let Some(key) = waiting.pop() {
            names.push(key.name().to_name());
            let below = donor.hive.subkeys(&key).unwrap_or_default();
            waiting.extend(below.into_iter().filter_map(|at| donor.hive.key(at).ok()));
            if names.len() > MOST_KEYS {
                break;
            }
        }
    }
    names
}

impl Builder<'_> {
    /// Fills what is lost from the donors.
    pub(super) fn ask_donors(&mut self, donors: &[Donor<'_>], minor: u32) {
        for donor in donors {
            let lost = std::mem::take(&mut self.notes.lost);
            for loss in lost {
                let is_filled = match loss.what {
                    LostKind::Value => self.fill_values(donor, loss.key),
                    LostKind::Node => self.fill_node(donor, loss.key),
                    LostKind::Key => match &loss.name {
                        Some(name) => self.fill_key(donor, loss.key, name, minor),
                        None => self.fill_keys(donor, loss.key, loss.count, minor),
                    },
                    LostKind::Class | LostKind::Security => false,
                };
                if !is_filled {
                    self.notes.lost.push(loss);
                }
            }
        }
    }

    fn in_donor<'d>(&self, donor: &Donor<'d>, key: usize) -> Option<KeyNode<'d>> {
        donor.hive.find(&self.tree.path(key)).ok()?
    }

    /// Values of a key whose node is whole: they must be those of the same time, or as they were.
    fn fill_values(&mut self, donor: &Donor<'_>, index: usize) -> bool {
        let Some(theirs) = self.in_donor(donor, index) else {
            return false;
        };
        let Some(time) = self.tree.keys.get(index).map(Self::time) else {
            return false;
        };
        let is_proven = time != 0 && time == theirs.last_written();
        if !is_proven && !donor.is_named {
            return false;
        }
        self.add_values(donor, &theirs, index, is_proven);
        is_proven || donor.is_named
    }

    fn add_values(
        &mut self,
        donor: &Donor<'_>,
        theirs: &KeyNode<'_>,
        index: usize,
        is_proven: bool,
    ) {
        let known: Vec<Vec<u16>> = match self.tree.keys.get(index) {
            Some(key) => key
                .values
                .iter()
                .map(|value| name_of(value, self.bins).folded())
                .collect(),
            None => return,
        };
        let mut all = Vec::new();
        for at in donor.hive.values(theirs).unwrap_or_default() {
            let Some((name, value)) = value_of(donor, at) else {
                continue;
            };
            if !known.contains(&name.folded()) {
                self.notes.filled.push((index, Some(name), is_proven));
                all.push(value);
            }
        }
        if let Some(key) = self.tree.keys.get_mut(index) {
            key.values.extend(all);
        }
    }

    /// A key whose name and subkeys are kept: everything else is the donor's.
    fn fill_node(&mut self, donor: &Donor<'_>, index: usize) -> bool {
        if !donor.is_named {
            return false;
        }
        let Some(theirs) = self.in_donor(donor, index) else {
            return false;
        };
        let Some(security) = self.donor_security(donor, &theirs) else {
            return false;
        };
        self.take_node(donor, &theirs, index, security);
        true
    }

    /// Gives a key all that the donor's node has, and its values.
    fn take_node(
        &mut self,
        donor: &Donor<'_>,
        theirs: &KeyNode<'_>,
        index: usize,
        security: usize,
    ) {
        let class = donor.hive.class_name(theirs);
        let class = class.map(std::borrow::Cow::into_owned);
        if let Some(key) = self.tree.keys.get_mut(index) {
            key.head = head_of(theirs);
            key.class = Bytes::Own(class.unwrap_or_default());
            key.security = security;
        }
        self.notes.filled.push((index, None, false));
        self.add_values(donor, theirs, index, false);
    }

    /// Lost keys whose names are not known: those that the donor has and this hive has not, where
    /// they are as many.
    fn fill_keys(
        &mut self,
        donor: &Donor<'_>,
        parent: usize,
        lost: Option<u64>,
        minor: u32,
    ) -> bool {
        let Some(theirs) = self.in_donor(donor, parent).filter(|_| donor.is_named) else {
            return false;
        };
        let mut missing = Vec::new();
        for at in donor.hive.subkeys(&theirs).unwrap_or_default() {
            let name = donor.hive.key(at).map(|key| key.name().to_name());
            missing.extend(name.ok().filter(|name| !self.has_subkey(parent, name)));
        }
        if missing.is_empty() || u64::try_from(missing.len()).ok() != lost {
            return false;
        }
        for name in missing {
            self.fill_key(donor, parent, &name, minor);
        }
        true
    }

    /// A lost key, with what is below it.
    fn fill_key(&mut self, donor: &Donor<'_>, parent: usize, name: &Name, _minor: u32) -> bool {
        if !donor.is_named || self.has_subkey(parent, name) {
            return false;
        }
        let mut path = self.tree.path(parent);
        path.push(name.clone());
        let Ok(Some(theirs)) = donor.hive.find(&path) else {
            return false;
        };
        let mut waiting = vec![(theirs, parent)];
        let mut count = 0_usize;
        while let Some((theirs, parent)) = waiting.pop() {
            count = count.saturating_add(1);
            let name = theirs.name().to_name();
            if count > MOST_KEYS || self.has_subkey(parent, &name) {
                continue;
            }
            let index = self.make(u32::MAX, name, Some(parent), Origin::Donor);
            let inherited = self
                .tree
                .keys
                .get(parent)
                .map_or(0, |key: &Key| key.security);
            let security = self.donor_security(donor, &theirs).unwrap_or(inherited);
            self.take_node(donor, &theirs, index, security);
            for at in donor.hive.subkeys(&theirs).unwrap_or_default() {
                waiting.extend(donor.hive.key(at).ok().map(|key| (key, index)));
            }
        }
        true
    }

    /// Which of the saved descriptors is that of the donor's key; it becomes one of them if it is none.
    fn donor_security(&mut self, donor: &Donor<'_>, theirs: &KeyNode<'_>) -> Option<usize> {
        let record = donor.hive.security(theirs.security()).ok()?;
        let descriptor = record.descriptor();
        let known = self
            .tree
            .descriptors
            .iter()
            .position(|known| known == descriptor);
        Some(known.unwrap_or_else(|| {
            self.tree.descriptors.push(descriptor.to_vec());
            self.tree.descriptors.len().saturating_sub(1)
        }))
    }
}

pub(super) fn name_of(value: &Value, bins: &super::bins::Bins) -> Name {
    let stored = crate::regf::StoredName {
        bytes: value.name.of(bins),
        narrow: value.flags & crate::regf::value_flags::COMP_NAME != 0,
    };
    stored.to_name()
}

fn value_of(donor: &Donor<'_>, at: CellOffset) -> Option<(Name, Value)> {
    let theirs = donor.hive.value(at).ok()?;
    let bytes = donor.hive.data(&theirs).ok()?;
    let field = theirs.data_field();
    let data = match (theirs.is_inline(), theirs.data_size()) {
        (true, 0) => Data::Empty(INLINE_DATA, u32::from_le_bytes(field)),
        (true, size) => Data::Inline(field, size),
        (false, 0) => Data::Empty(0, u32::from_le_bytes(field)),
        (false, _) => Data::Cell(Bytes::Own(bytes.into_owned())),
    };
    let name = theirs.name().to_name();
    let value = Value {
        kind: theirs.kind(),
        flags: theirs.flags(),
        spare: 0,
        name: Bytes::Own(theirs.name().bytes.to_vec()),
        data,
    };
    Some((name, value))
}

/// The fields of a donor's key that lead nowhere.
fn head_of(theirs: &KeyNode<'_>) -> KeyNodeHeader {
    KeyNodeHeader {
        flags: theirs.flags().into(),
        last_written: theirs.last_written().into(),
        virtualization_and_user_flags: theirs.virtualization_and_user_flags(),
        ..KeyNodeHeader::EMPTY
    }
}
