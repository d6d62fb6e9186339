// SPDX-License-Identifier: GPL-3.0-or-later
//! Key nodes and subkeys lists, read with less trust than in a sound hive.

use super::bins::{Bins, HEADER, usize_of};
use crate::regf::structures::{KeyNodeHeader, ListHeader, read};
use crate::regf::{ListKind, StoredName, SubkeysList, key_flags};

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
        let header: KeyNodeHeader = read(bytes)?;
        if header.signature != KeyNodeHeader::SIGNATURE {
            return None;
        }
        let length = usize::from(header.name_length.get());
        let need = size_of::<KeyNodeHeader>().saturating_add(length);
        if length == 0 || length > LONGEST_NAME || need > bytes.len() {
            return None;
        }
        let is_narrow = header.flags.get() & key_flags::COMP_NAME != 0;
        if !is_narrow && !length.is_multiple_of(2) {
            return None;
        }
        Some(Self {
            at,
            start: payload.start,
            parent: header.parent.get().0,
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
        let header: KeyNodeHeader = read(bytes)?;
        let name_room = bytes.get(size_of::<KeyNodeHeader>()..)?;
        let turned_bits = turned(&header.signature, &KeyNodeHeader::SIGNATURE);
        let has_signature = turned_bits.is_some_and(|bits| bits <= 1);
        let names_parent = header.parent.get().0 == parent;
        if !has_signature && !names_parent {
            return None;
        }
        let flagged = header.flags.get() & key_flags::COMP_NAME != 0;
        let stored = usize::from(header.name_length.get());
        let fits = |length: usize, is_narrow: bool| {
            if !is_narrow && !length.is_multiple_of(2) {
                return None;
            }
            let bytes = name_room.get(..length).filter(|name| !name.is_empty())?;
            let name = StoredName {
                bytes,
                narrow: is_narrow,
            };
            // What stands around a name that is lost has control characters.
            let is_text = name.units().all(|unit| unit >= 0x20);
            (is_text && listed.proves(name)).then_some((length, is_narrow))
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
            is_doubtful: !(header.signature == KeyNodeHeader::SIGNATURE && names_parent),
        })
    }

    pub(super) fn name<'b>(&self, bins: &'b Bins) -> StoredName<'b> {
        let start = self.start.saturating_add(size_of::<KeyNodeHeader>());
        StoredName {
            bytes: bins.slice(start, self.name_length),
            narrow: self.is_narrow,
        }
    }

    /// Its fields, whatever they say.
    pub(super) fn header(&self, bins: &Bins) -> KeyNodeHeader {
        let bytes = bins.bytes.get(self.start..).unwrap_or(&[]);
        read(bytes).unwrap_or(KeyNodeHeader::EMPTY)
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

    /// Whether it shows that the name is this one. What is nothing but zeros fits a hash of zeros.
    pub(super) fn proves(self, name: StoredName<'_>) -> bool {
        self.kind == ListKind::HashLeaf && self.fits(name) && name.units().any(|unit| unit != 0)
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
    let header = node.header(bins);
    let count = usize_of(header.subkey_count.get());
    let at = header.subkeys_list.get().0;
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
    let most = bins.size() / size_of::<KeyNodeHeader>();
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
    let header: ListHeader = read(bytes)?;
    let kind = ListKind::from_signature(header.signature)?;
    let count = usize::from(header.count.get());
    let bytes = bytes.get(size_of::<ListHeader>()..)?;
    let room = bytes.len() / kind.element_size();
    let elements = SubkeysList::of(kind, bytes).elements().take(count);
    let elements = elements.map(|(cell, extra)| (cell.0, Listed { kind, extra }));
    let is_whole = count <= room && count > 0 && is_sized;
    Some((kind, elements.collect(), is_whole))
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

/// Whether a cell can be at `at`.
pub(super) fn is_plausible(bins: &Bins, at: u32) -> bool {
    at.is_multiple_of(8) && usize_of(at) >= HEADER && usize_of(at) < bins.size()
}
