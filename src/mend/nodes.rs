// SPDX-License-Identifier: GPL-3.0-or-later
//! Key nodes and subkeys lists, read with less trust than in a sound hive.

use super::bins::{Bins, usize_of};
use crate::regf::{
    KEY_NODE_HEADER_SIZE, LIST_HEADER_SIZE, ListKind, StoredName, key_flags, key_node_field, u32_at,
};

/// The most bytes of a key's name.
const LONGEST_NAME: usize = 512;

/// A key node, as far as the tree is about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) at: u32,
    /// Where its fields begin in the bins.
    pub(super) start: usize,
    pub(super) parent: u32,
    pub(super) name_length: usize,
    pub(super) is_narrow: bool,
    /// Its signature or its cell's size is not right: its other fields may be wrong too.
    pub(super) is_doubtful: bool,
}

impl Node {
    /// The node in the cell at `at`, where all of it is as it should be.
    pub(super) fn read(bins: &Bins, at: u32) -> Option<Self> {
        let payload = bins.payload(at)?;
        let bytes = bins.of(payload);
        if !bytes.starts_with(b"nk") {
            return None;
        }
        let length = usize::from(word(bytes, key_node_field::NAME_LENGTH)?);
        let need = KEY_NODE_HEADER_SIZE.saturating_add(length);
        if length == 0 || length > LONGEST_NAME || need > bytes.len() {
            return None;
        }
        let flags = word(bytes, key_node_field::FLAGS)?;
        let is_narrow = flags & key_flags::COMP_NAME != 0;
        if !is_narrow && !length.is_multiple_of(2) {
            return None;
        }
        Some(Self {
            at,
            start: payload.start,
            parent: u32_at(bytes, key_node_field::PARENT)?,
            name_length: length,
            is_narrow,
            is_doubtful: false,
        })
    }

    /// The node at `at` that a list of the key at `parent` leads to, though it is not as it should be:
    /// its name must fit what stands beside it in the list.
    pub(super) fn read_listed(bins: &Bins, at: u32, parent: u32, listed: Listed) -> Option<Self> {
        let reach = bins.reach(at)?;
        let bytes = bins.of(reach);
        let name_room = bytes.get(KEY_NODE_HEADER_SIZE..)?;
        let has_signature = bytes
            .get(..2)
            .is_some_and(|found| turned(found, b"nk").is_some_and(|bits| bits <= 1));
        let found_parent = u32_at(bytes, key_node_field::PARENT)?;
        let names_parent = found_parent == parent;
        if !has_signature && !names_parent {
            return None;
        }
        let flags = word(bytes, key_node_field::FLAGS)?;
        let flagged = flags & key_flags::COMP_NAME != 0;
        let stored = usize::from(word(bytes, key_node_field::NAME_LENGTH)?);
        let fits = |length: usize, is_narrow: bool| {
            if !is_narrow && !length.is_multiple_of(2) {
                return None;
            }
            let bytes = name_room.get(..length).filter(|name| !name.is_empty())?;
            let name = StoredName {
                bytes,
                narrow: is_narrow,
            };
            listed.proves(name).then_some((length, is_narrow))
        };
        let exact = fits(stored, flagged).or_else(|| fits(stored, !flagged));
        let (name_length, is_narrow) = match exact {
            Some(found) => found,
            // Without a hash only a whole node is believed.
            None if listed.kind != ListKind::HashLeaf => {
                let is_even = flagged || stored.is_multiple_of(2);
                let is_whole = has_signature && names_parent && stored > 0 && is_even;
                (stored, flagged).filter_if(is_whole && stored <= name_room.len())?
            }
            None => {
                let longest = name_room.len().min(LONGEST_NAME);
                let mut found = (1..=longest).filter_map(|length| fits(length, flagged));
                let first = found.next()?;
                if found.next().is_some() {
                    return None;
                }
                first
            }
        };
        Some(Self {
            at,
            start: reach.start,
            parent,
            name_length,
            is_narrow,
            is_doubtful: !(bytes.starts_with(b"nk") && names_parent),
        })
    }

    pub(super) fn name<'b>(&self, bins: &'b Bins) -> StoredName<'b> {
        let start = self.start.saturating_add(KEY_NODE_HEADER_SIZE);
        StoredName {
            bytes: bins.slice(start, self.name_length),
            narrow: self.is_narrow,
        }
    }

    pub(super) fn long(&self, bins: &Bins, field: usize) -> u32 {
        u32_at(&bins.bytes, self.start.saturating_add(field)).unwrap_or(0)
    }

    pub(super) fn flags(&self, bins: &Bins) -> u16 {
        let at = self.start.saturating_add(key_node_field::FLAGS);
        word(&bins.bytes, at).unwrap_or(0)
    }
}

trait FilterIf: Sized {
    fn filter_if(self, wanted: bool) -> Option<Self>;
}

impl<T> FilterIf for T {
    fn filter_if(self, wanted: bool) -> Option<Self> {
        wanted.then_some(self)
    }
}

/// What a list has beside the offset of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) kind: ListKind,
    pub(super) extra: [u8; 4],
}

impl Listed {
    /// Whether this can be said of a key with that name.
    pub(super) fn fits(self, name: StoredName<'_>) -> bool {
        match self.kind {
            ListKind::HashLeaf => u32::from_le_bytes(self.extra) == name.hash(),
            ListKind::FastLeaf => {
                let hint = name.hint();
                let pairs = self.extra.iter().zip(hint);
                self.extra == [0; 4]
                    || pairs.into_iter().all(|(found, wanted)| {
                        found.eq_ignore_ascii_case(&wanted)
                            || !found.is_ascii()
                            || !wanted.is_ascii()
                    })
            }
            _ => true,
        }
    }

    /// Whether it shows that the name is this one.
    fn proves(self, name: StoredName<'_>) -> bool {
        self.kind == ListKind::HashLeaf && self.fits(name)
    }

    /// The hash, where there is one.
    pub(super) fn hash(self) -> Option<u32> {
        (self.kind == ListKind::HashLeaf).then(|| u32::from_le_bytes(self.extra))
    }
}

/// An element of a subkeys list.
pub(super) type Element = (u32, Listed);

/// A subkeys list as it could be read.
#[derive(Default, Debug)]
pub(super) struct Listing {
    pub(super) elements: Vec<Element>,
    /// Whether the list is wholly there, and has as many elements as its key says.
    pub(super) is_whole: bool,
    /// The cells of the list and its leaves.
    pub(super) cells: Vec<u32>,
}

/// The subkeys list of `node`.
pub(super) fn listing(bins: &Bins, node: &Node) -> Listing {
    let count = usize_of(node.long(bins, key_node_field::SUBKEY_COUNT));
    let at = node.long(bins, key_node_field::SUBKEYS_LIST);
    let mut listing = Listing::default();
    if count == 0 && at == u32::MAX {
        listing.is_whole = !node.is_doubtful;
        return listing;
    }
    listing.is_whole = true;
    read_list(bins, at, &mut listing, true);
    listing.is_whole &= listing.elements.len() == count;
    listing
}

/// Adds what the list at `at` holds.
pub(super) fn read_list(bins: &Bins, at: u32, listing: &mut Listing, may_be_root: bool) {
    let Some((kind, elements, is_whole)) = list_at(bins, at) else {
        listing.is_whole = false;
        return;
    };
    listing.cells.push(at);
    listing.is_whole &= is_whole;
    if kind == ListKind::IndexRoot {
        listing.is_whole &= may_be_root;
        if may_be_root {
            for (leaf, _) in elements {
                read_list(bins, leaf, listing, false);
            }
        }
        return;
    }
    // Leaves that are listed again and again lead to no more keys than there is room for.
    let most = bins.size() / KEY_NODE_HEADER_SIZE;
    if listing.elements.len().saturating_add(elements.len()) > most {
        listing.is_whole = false;
        return;
    }
    listing.elements.extend(elements);
}

/// The list in the cell at `at`: its kind, its elements, and whether all that it should have are there.
pub(super) fn list_at(bins: &Bins, at: u32) -> Option<(ListKind, Vec<Element>, bool)> {
    let (payload, is_sized) = match bins.payload(at) {
        Some(payload) => (payload, true),
        None => (bins.reach(at)?, false),
    };
    let bytes = bins.of(payload);
    let kind = [
        ListKind::HashLeaf,
        ListKind::FastLeaf,
        ListKind::IndexLeaf,
        ListKind::IndexRoot,
    ]
    .into_iter()
    .find(|kind| bytes.starts_with(kind.signature()))?;
    let count = usize::from(word(bytes, 2)?);
    let size = kind.element_size();
    let room = bytes.len().saturating_sub(LIST_HEADER_SIZE) / size;
    let elements = bytes.get(LIST_HEADER_SIZE..)?.chunks_exact(size);
    let elements = elements.take(count).map(|element| {
        let extra = u32_at(element, 4).unwrap_or(0).to_le_bytes();
        let cell = u32_at(element, 0).unwrap_or(u32::MAX);
        (cell, Listed { kind, extra })
    });
    let is_whole = count <= room && count > 0 && is_sized;
    Some((kind, elements.collect(), is_whole))
}

/// The two bytes at `at`.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u16> {
    match *bytes.get(at..at.checked_add(2)?)? {
        [low, high] => Some(u16::from_le_bytes([low, high])),
        _ => None,
    }
}

/// How many bits are turned between the two, if they have the same length.
pub(super) fn turned(one: &[u8], other: &[u8]) -> Option<u32> {
    if one.len() != other.len() {
        return None;
    }
    let bits = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones());
    Some(bits.sum())
}

/// The offsets that differ from `at` in one bit.
pub(super) fn one_bit_off(at: u32) -> impl Iterator<Item = u32> {
    (3..32).map(move |bit| at ^ (1_u32 << bit))
}
