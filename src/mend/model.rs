// SPDX-License-Identifier: GPL-3.0-or-later
//! The tree as it was saved from a damaged hive.

use super::bins::Bins;
use crate::regf::structures::KeyNodeHeader;
use crate::regf::{Name, StoredName};

/// The root's place among the keys.
pub(super) const ROOT: usize = 0;

/// What was saved.
#[derive(Default)]
pub(super) struct Tree {
    /// The root first, each key behind the one above it.
    pub(super) keys: Vec<Key>,
    /// Security descriptors, each once for each record that held it.
    pub(super) descriptors: Vec<Vec<u8>>,
}

/// A key that was saved.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Where its node stood in the bins; for one that came from elsewhere, 0xFFFFFFFF.
    pub(super) at: u32,
    /// The fields of its node as they were, without what leads elsewhere; zeros where it is lost.
    pub(super) head: KeyNodeHeader,
    pub(super) name: Vec<u8>,
    pub(super) is_narrow: bool,
    pub(super) parent: usize,
    pub(super) depth: u16,
    pub(super) children: Vec<usize>,
    pub(super) values: Vec<Value>,
    pub(super) class: Bytes,
    /// Which of the descriptors.
    pub(super) security: usize,
    pub(super) origin: Origin,
}

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its node stands in the hive.
    Node,
    /// Its node is lost; its name was proven, and its subkeys live.
    Named,
    /// A donor.
    Donor,
}

/// A value that was saved.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) kind: u32,
    pub(super) flags: u16,
    pub(super) spare: u16,
    pub(super) name: Bytes,
    pub(super) data: Data,
}

/// Where the data of a value is.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// In the value itself: the field, and how many bytes count.
    Inline([u8; 4], u32),
    /// No data, and what stands in the field for its offset.
    Empty(u32, u32),
    /// In one cell.
    Cell(Bytes),
    /// In segments, in their order.
    Segments(Vec<Bytes>),
}

/// Bytes that stand in the bins, or came from elsewhere.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    In { start: usize, length: usize },
    Own(Vec<u8>),
}

impl Bytes {
    pub(super) const NONE: Self = Self::In {
        start: 0,
        length: 0,
    };

    pub(super) fn len(&self) -> usize {
        match self {
            Self::In { length, .. } => *length,
            Self::Own(bytes) => bytes.len(),
        }
    }

    pub(super) fn of<'b>(&'b self, bins: &'b Bins) -> &'b [u8] {
        match self {
            Self::In { start, length } => bins.slice(*start, *length),
            Self::Own(bytes) => bytes,
        }
    }
}

impl Data {
    /// Bytes of the data.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Inline(_, size) => super::bins::usize_of(*size),
            Self::Empty(..) => 0,
            Self::Cell(bytes) => bytes.len(),
            Self::Segments(parts) => parts.iter().map(Bytes::len).sum(),
        }
    }

    /// The data, in one piece.
    pub(super) fn bytes(&self, bins: &Bins) -> Vec<u8> {
        match self {
            Self::Inline(field, size) => {
                let size = super::bins::usize_of(*size);
                field.get(..size).unwrap_or(field).to_vec()
            }
            Self::Empty(..) => Vec::new(),
            Self::Cell(bytes) => bytes.of(bins).to_vec(),
            Self::Segments(parts) => {
                let mut data = Vec::new();
                for part in parts {
                    data.extend_from_slice(part.of(bins));
                }
                data
            }
        }
    }
}

impl Key {
    pub(super) fn stored_name(&self) -> StoredName<'_> {
        StoredName {
            bytes: &self.name,
            narrow: self.is_narrow,
        }
    }
}

impl Tree {
    /// The names from below the root down to the key.
    pub(super) fn path(&self, key: usize) -> Vec<Name> {
        let mut names = Vec::new();
        let mut at = key;
        while at != ROOT {
            let Some(key) = self.keys.get(at) else {
                break;
            };
            names.push(key.stored_name().to_name());
            at = key.parent;
        }
        names.reverse();
        names
    }

    /// The path as text.
    pub(super) fn path_text(&self, key: usize) -> String {
        let mut text = String::new();
        for name in self.path(key) {
            text.push('\\');
            text.push_str(&name.to_text());
        }
        if text.is_empty() {
            text.push('\\');
        }
        text
    }

    /// The numbers of keys and values below the root and with it.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (mut keys, mut values) = (0_u64, 0_u64);
        let mut waiting = vec![ROOT];
        while let Some(key) = waiting.pop().and_then(|key| self.keys.get(key)) {
            keys = keys.saturating_add(1);
            let more = u64::try_from(key.values.len()).unwrap_or(u64::MAX);
            values = values.saturating_add(more);
            waiting.extend(&key.children);
        }
        (keys, values)
    }
}
