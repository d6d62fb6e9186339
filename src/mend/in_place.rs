// SPDX-License-Identifier: GPL-3.0-or-later
//! The smallest change: where nothing is lost and all cells are where they were, only what is wrong is
//! overwritten.
//!
//! What comes of it is only taken where the check finds no error in it and as many keys and values as in
//! what was saved; else a fresh hive is written.

use std::collections::BTreeMap;

use super::bins::{Bins, usize_of};
use super::input::Input;
use super::model::{Key, Origin, ROOT};
use super::nodes::list_at;
use super::notes::Fix;
use super::saved::Saved;
use crate::regf::structures::{
    HintedElement, HiveBinHeader, KeyNodeHeader, KeySecurityHeader, ListHeader, Offset,
};
use crate::regf::{CellOffset, ListKind, Report, check, field, key_flags};
use zerocopy::IntoBytes;

/// What can be put right where it stands.
const IN_PLACE: [Fix; 4] = [Fix::Root, Fix::Element, Fix::List, Fix::Name];

/// The image with what is wrong overwritten, and what the check says of it; `None` where that is not
/// enough.
pub(super) fn mended(saved: &Saved, input: &Input<'_>) -> Option<(Vec<u8>, Report)> {
    let bins = &saved.bins;
    let can_be = saved
        .notes
        .fixes
        .keys()
        .all(|(_, fix)| IN_PLACE.contains(fix));
    let is_whole = bins.parts.iter().all(|part| part.is_whole());
    if !can_be || !is_whole {
        return None;
    }
    let mut new = bins.bytes.clone();
    for part in bins.parts.iter().filter(|part| !part.has_header) {
        let start = u32::try_from(part.start).ok()?;
        let size = u32::try_from(part.end.checked_sub(part.start)?).ok()?;
        let header = new.get_mut(part.start..)?;
        field!(HiveBinHeader.signature).write(header, HiveBinHeader::SIGNATURE);
        field!(HiveBinHeader.offset).write(header, start);
        field!(HiveBinHeader.size).write(header, size);
    }
    for (index, key) in saved.tree.keys.iter().enumerate() {
        write_key(&mut new, saved, index, key)?;
    }
    write_ring(&mut new, saved)?;
    let root = saved.tree.keys.first()?.at;
    let size = u32::try_from(new.len()).ok()?;
    let mut image = saved.base.sealed(root, size, saved.minor, input.beyond);
    image.append(&mut new);
    // What follows the last bin stays.
    image.extend_from_slice(input.image.get(image.len()..).unwrap_or(&[]));
    let report = check(&image);
    let counts = saved.tree.counts();
    (report.is_sound() && (report.keys, report.values) == counts).then_some((image, report))
}

/// Writes the fields of a key that follow from what is around it.
fn write_key(new: &mut [u8], saved: &Saved, index: usize, key: &Key) -> Option<()> {
    if key.origin != Origin::Node {
        return None;
    }
    let mut head = key.head.clone();
    head.signature = KeyNodeHeader::SIGNATURE;
    let mut flags = head.flags.get();
    let root_only = key_flags::HIVE_ENTRY | key_flags::NO_DELETE;
    match index {
        ROOT => flags |= key_flags::HIVE_ENTRY,
        _ => flags &= !(root_only | key_flags::HIVE_EXIT),
    }
    flags &= !key_flags::COMP_NAME;
    if key.is_narrow {
        flags |= key_flags::COMP_NAME;
    }
    head.flags.set(flags);
    let room = saved.bins.payload(key.at)?.length;
    if size_of::<KeyNodeHeader>().checked_add(key.name.len())? > room {
        return None;
    }
    head.name_length.set(u16::try_from(key.name.len()).ok()?);
    if index != ROOT {
        head.parent = CellOffset(saved.tree.keys.get(key.parent)?.at).into();
    }
    let count = u32::try_from(key.children.len()).ok()?;
    head.subkey_count.set(count);
    if count == 0 {
        head.subkeys_list = Offset::NONE;
    }
    let below = || {
        key.children
            .iter()
            .filter_map(|child| saved.tree.keys.get(*child))
    };
    let longest = below().map(|child| child.stored_name().utf16_size()).max();
    let longest = u16::try_from(longest.unwrap_or(0)).ok()?;
    if head.largest_subkey_name.get() < longest {
        head.largest_subkey_name.set(longest);
    }
    let start = usize_of(key.at).checked_add(4)?;
    put(new, start, &[head.as_bytes(), &key.name].concat());
    if count > 0 {
        write_lists(new, saved, key)?;
    }
    Some(())
}

/// Writes the list of a key into the cells that it had, leaf by leaf.
fn write_lists(new: &mut [u8], saved: &Saved, key: &Key) -> Option<()> {
    let bins = &saved.bins;
    let at = key.head.subkeys_list.get().0;
    let leaves = leaves(bins, at)?;
    let room: usize = leaves.iter().map(|(_, _, count)| count).sum();
    if room != key.children.len() {
        return None;
    }
    let mut children: Vec<&Key> = Vec::new();
    for child in &key.children {
        children.push(saved.tree.keys.get(*child)?);
    }
    children.sort_by(|one, other| one.stored_name().order(other.stored_name()));
    let mut children = children.into_iter();
    for (leaf, kind, count) in leaves {
        let extra = field!(HintedElement.extra);
        let header = usize_of(leaf).checked_add(4)?;
        let mut place = header.checked_add(size_of::<ListHeader>())?;
        for child in children.by_ref().take(count) {
            // An element without anything beside the offset begins as one with it.
            let element = new.get_mut(place..)?;
            field!(HintedElement.cell).write(element, CellOffset(child.at));
            match kind {
                ListKind::HashLeaf => {
                    extra.write(element, child.stored_name().hash().to_le_bytes());
                }
                ListKind::FastLeaf => {
                    let stored = extra.read(bins.bytes.get(place..)?)?;
                    // Windows leaves the hint empty where a name begins with no single byte.
                    if stored != [0; 4] {
                        extra.write(element, child.stored_name().hint());
                    }
                }
                _ => {}
            }
            place = place.checked_add(kind.element_size())?;
        }
    }
    Some(())
}

/// The leaves of the list at `at`: where, of what kind, and how many elements.
fn leaves(bins: &Bins, at: u32) -> Option<Vec<(u32, ListKind, usize)>> {
    let (kind, elements, is_whole) = list_at(bins, at)?;
    if !is_whole || !bins.is_linked(at) {
        return None;
    }
    if kind != ListKind::IndexRoot {
        return Some(vec![(at, kind, elements.len())]);
    }
    let mut leaves = Vec::new();
    for (leaf, _) in elements {
        let (kind, elements, is_whole) = list_at(bins, leaf)?;
        if !is_whole || kind == ListKind::IndexRoot || !bins.is_linked(leaf) {
            return None;
        }
        leaves.push((leaf, kind, elements.len()));
    }
    Some(leaves)
}

/// Links the records that keys use to a ring again, where it is broken, and counts them.
fn write_ring(new: &mut [u8], saved: &Saved) -> Option<()> {
    let mut uses: BTreeMap<u32, u32> = BTreeMap::new();
    for key in &saved.tree.keys {
        let count = uses.entry(key.head.security.get().0).or_default();
        *count = count.checked_add(1)?;
    }
    let start = |at: u32| usize_of(at).saturating_add(4);
    for (at, count) in &uses {
        let counted = field!(KeySecurityHeader.reference_count);
        if counted.read(saved.bins.bytes.get(start(*at)..)?)?.get() < *count {
            counted.write(new.get_mut(start(*at)..)?, *count);
        }
    }
    let first = saved.tree.keys.first()?.head.security.get().0;
    if is_ring(saved, first, &uses) {
        return Some(());
    }
    let ring: Vec<u32> = uses
        .keys()
        .copied()
        .filter(|at| *at != CellOffset::NONE.0)
        .collect();
    for (at, next) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        for (at, link, to) in [
            (*at, field!(KeySecurityHeader.flink), *next),
            (*next, field!(KeySecurityHeader.blink), *at),
        ] {
            if let Some(record) = new.get_mut(start(at)..) {
                link.write(record, CellOffset(to));
            }
        }
    }
    Some(())
}

/// Whether the ring from `first` on closes, forwards and backwards, and has all that are used.
fn is_ring(saved: &Saved, first: u32, uses: &BTreeMap<u32, u32>) -> bool {
    let bins = &saved.bins;
    let record = |at: u32| {
        let bytes = bins.bytes.get(usize_of(at).saturating_add(4)..)?;
        Some(bytes).filter(|_| bins.is_linked(at))
    };
    let most = bins.size() / 24;
    let (mut at, mut found, mut steps) = (first, 0_usize, 0_usize);
    loop {
        found = found.saturating_add(usize::from(uses.contains_key(&at)));
        steps = steps.saturating_add(1);
        let next = record(at).and_then(|bytes| field!(KeySecurityHeader.flink).read(bytes));
        let Some(CellOffset(next)) = next.map(Offset::get) else {
            return false;
        };
        let back = record(next).and_then(|bytes| field!(KeySecurityHeader.blink).read(bytes));
        if back != Some(CellOffset(at).into()) || steps > most {
            return false;
        }
        if next == first {
            return found == uses.len();
        }
        at = next;
    }
}

fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = to.get_mut(at..at.saturating_add(bytes.len())) {
        place.copy_from_slice(bytes);
    }
}
