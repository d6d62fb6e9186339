// SPDX-License-Identifier: GPL-3.0-or-later
//! What was put right and what was lost, noted by key while the tree is put together.

use std::collections::BTreeMap;

use crate::regf::Name;

/// Something that was worked out again without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fix {
    /// The root key was found again.
    Root,
    /// The root key's node is lost, and was made anew.
    RootMade,
    /// An element of a subkeys list, or the key that it leads to.
    Element,
    /// A subkeys list was made anew from the keys that name their parent.
    List,
    /// A key's name had a turned bit.
    Name,
    /// A key's node is lost; its name is proven, and its subkeys are kept.
    Named,
    /// A values list, or its count.
    Values,
    /// A value's fields.
    Value,
    /// A class name's length or place.
    Class,
    /// A reference to a security record.
    Security,
}

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// The key in which, or below which.
    pub(super) key: usize,
    pub(super) what: LostKind,
    pub(super) name: Option<Name>,
    /// How many, where that is known.
    pub(super) count: Option<u64>,
}

/// The kinds of what can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LostKind {
    /// Keys with all that is below them.
    Key,
    /// Values.
    Value,
    /// The values, class and descriptor of a key whose name and subkeys are kept.
    Node,
    /// A class name.
    Class,
    /// A security descriptor: the parent's is used.
    Security,
}

/// The notes.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) fixes: BTreeMap<(usize, Fix), u64>,
    pub(super) lost: Vec<Lost>,
    /// Keys and values that a donor gave: key, value, and whether it is proven.
    pub(super) filled: Vec<(usize, Option<Name>, bool)>,
}

impl Notes {
    pub(super) fn fix(&mut self, key: usize, fix: Fix) {
        let count = self.fixes.entry((key, fix)).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn lost_keys(&mut self, key: usize, name: Option<Name>, count: Option<u64>) {
        self.lost(key, LostKind::Key, name, count);
    }

    pub(super) fn lost(
        &mut self,
        key: usize,
        what: LostKind,
        name: Option<Name>,
        count: Option<u64>,
    ) {
        self.lost.push(Lost {
            key,
            what,
            name,
            count,
        });
    }
}
