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
use crate::regf::{
    CellOffset, KEY_NODE_HEADER_SIZE, ListKind, Report, check, key_flags, key_node_field,
    key_security_field, u32_at,
};

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
        put(&mut new, part.start, b"hbin");
        let start = u32::try_from(part.start).ok()?;
        let size = u32::try_from(part.end.checked_sub(part.start)?).ok()?;
        put(&mut new, part.start.checked_add(4)?, &start.to_le_bytes());
        put(&mut new, part.start.checked_add(8)?, &size.to_le_bytes());
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
    let start = usize_of(key.at).checked_add(4)?;
    let mut set = |field: usize, bytes: &[u8]| put(new, start.saturating_add(field), bytes);
    set(0, b"nk");
    let mut flags = key.word(key_node_field::FLAGS);
    let root_only = key_flags::HIVE_ENTRY | key_flags::NO_DELETE;
    match index {
        ROOT => flags |= key_flags::HIVE_ENTRY,
        _ => flags &= !(root_only | key_flags::HIVE_EXIT),
    }
    flags &= !key_flags::COMP_NAME;
    if key.is_narrow {
        flags |= key_flags::COMP_NAME;
    }
    set(key_node_field::FLAGS, &flags.to_le_bytes());
    let room = saved.bins.payload(key.at)?.length;
    if KEY_NODE_HEADER_SIZE.checked_add(key.name.len())? > room {
        return None;
    }
    let length = u16::try_from(key.name.len()).ok()?;
    set(key_node_field::NAME_LENGTH, &length.to_le_bytes());
    set(KEY_NODE_HEADER_SIZE, &key.name);
    if index != ROOT {
        let parent = saved.tree.keys.get(key.parent)?.at;
        set(key_node_field::PARENT, &parent.to_le_bytes());
    }
    let count = u32::try_from(key.children.len()).ok()?;
    set(key_node_field::SUBKEY_COUNT, &count.to_le_bytes());
    if count == 0 {
        set(key_node_field::SUBKEYS_LIST, &u32::MAX.to_le_bytes());
    }
    let below = || {
        key.children
            .iter()
            .filter_map(|child| saved.tree.keys.get(*child))
    };
    let longest = below().map(|child| child.stored_name().utf16_size()).max();
    let longest = u16::try_from(longest.unwrap_or(0)).ok()?;
    if key.word(key_node_field::LARGEST_SUBKEY_NAME) < longest {
        set(key_node_field::LARGEST_SUBKEY_NAME, &longest.to_le_bytes());
    }
    if count > 0 {
        write_lists(new, saved, key)?;
    }
    Some(())
}

/// Writes the list of a key into the cells that it had, leaf by leaf.
fn write_lists(new: &mut [u8], saved: &Saved, key: &Key) -> Option<()> {
    let bins = &saved.bins;
    let at = key.long(key_node_field::SUBKEYS_LIST);
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
        let mut place = usize_of(leaf).checked_add(8)?;
        for child in children.by_ref().take(count) {
            put(new, place, &child.at.to_le_bytes());
            let beside = place.checked_add(4)?;
            match kind {
                ListKind::HashLeaf => put(new, beside, &child.stored_name().hash().to_le_bytes()),
                ListKind::FastLeaf => {
                    let stored = u32_at(&bins.bytes, beside)?.to_le_bytes();
                    let hint = child.stored_name().hint();
                    // Windows leaves the hint empty where a name begins with no single byte.
                    if stored != [0; 4] {
                        put(new, beside, &hint);
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
        let count = uses.entry(key.long(key_node_field::SECURITY)).or_default();
        *count = count.checked_add(1)?;
    }
    let link = |at: u32, field: usize| {
        u32_at(
            &saved.bins.bytes,
            usize_of(at).saturating_add(4).saturating_add(field),
        )
    };
    let set = |new: &mut [u8], at: u32, field: usize, value: u32| {
        let place = usize_of(at).saturating_add(4).saturating_add(field);
        put(new, place, &value.to_le_bytes());
    };
    for (at, count) in &uses {
        if link(*at, key_security_field::REFERENCE_COUNT)? < *count {
            set(new, *at, key_security_field::REFERENCE_COUNT, *count);
        }
    }
    let first = saved.tree.keys.first()?.long(key_node_field::SECURITY);
    if is_ring(saved, first, &uses) {
        return Some(());
    }
    let ring: Vec<u32> = uses
        .keys()
        .copied()
        .filter(|at| *at != CellOffset::NONE.0)
        .collect();
    for (at, next) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        set(new, *at, key_security_field::FLINK, *next);
        set(new, *next, key_security_field::BLINK, *at);
    }
    Some(())
}

/// Whether the ring from `first` on closes, forwards and backwards, and has all that are used.
fn is_ring(saved: &Saved, first: u32, uses: &BTreeMap<u32, u32>) -> bool {
    let bins = &saved.bins;
    let link = |at: u32, field: usize| {
        let place = usize_of(at).saturating_add(4).saturating_add(field);
        u32_at(&bins.bytes, place).filter(|_| bins.is_linked(at))
    };
    let most = bins.size() / 24;
    let (mut at, mut found, mut steps) = (first, 0_usize, 0_usize);
    loop {
        found = found.saturating_add(usize::from(uses.contains_key(&at)));
        steps = steps.saturating_add(1);
        let Some(next) = link(at, key_security_field::FLINK) else {
            return false;
        };
        if link(next, key_security_field::BLINK) != Some(at) || steps > most {
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
