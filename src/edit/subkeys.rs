// SPDX-License-Identifier: GPL-3.0-or-later
//! Subkeys lists: kept sorted, split when full, freed when empty.

use std::cmp::Ordering;

use super::editor::Editor;
use super::error::EditError;
use crate::regf::structures::KeyNodeHeader;
use crate::regf::{CellOffset, KeyNode, ListKind, Name, Record, SubkeysList, field};
use zerocopy::IntoBytes;

/// The most elements of a hash leaf or an index leaf.
const LEAF_LIMIT: usize = 1012;

/// The most elements of a fast leaf; Windows goes on with an index leaf.
const FAST_LEAF_LIMIT: usize = 507;

/// A subkeys list taken out of its cell.
struct List {
    kind: ListKind,
    elements: Vec<(CellOffset, [u8; 4])>,
}

impl Editor {
    /// The subkey called `name` of the key at `parent`, in whatever spelling.
    ///
    /// In a sound hive lists are in order: of thousands of keys a dozen are looked at.
    pub(super) fn find_subkey(
        &self,
        parent: CellOffset,
        name: &Name,
    ) -> Result<Option<CellOffset>, EditError> {
        let hive = self.hive()?;
        let node = hive.key(parent)?;
        let at = node.subkeys_list();
        if !self.damage.is_none() {
            return Ok(hive.find_subkey(&node, name)?.map(|key| key.at()));
        }
        if node.subkey_count() == 0 || at.is_none() {
            return Ok(None);
        }
        let leaf = self.leaf_with(at, name)?;
        let bytes = hive.cell(leaf, Record::SubkeysList)?;
        let leaf = SubkeysList::parse(leaf, &bytes)?;
        let place = first_that(leaf.len(), |index| {
            let key = leaf.cell(index).unwrap_or(CellOffset::NONE);
            Ok(self.key_order(key, name)? != Ordering::Less)
        })?;
        let Some(found) = leaf.cell(place) else {
            return Ok(None);
        };
        let is_meant = self.key_order(found, name)? == Ordering::Equal;
        Ok(is_meant.then_some(found))
    }

    /// The leaf in which the key called `name` stands, if it is below the list at `at`.
    fn leaf_with(&self, at: CellOffset, name: &Name) -> Result<CellOffset, EditError> {
        let bytes = self.hive()?.cell(at, Record::SubkeysList)?;
        let root = SubkeysList::parse(at, &bytes)?;
        if root.kind != ListKind::IndexRoot {
            return Ok(at);
        }
        let leaf = |index| root.cell(index).unwrap_or(CellOffset::NONE);
        let place = first_that(root.len(), |index| {
            self.is_last_at_or_behind(leaf(index), name, Ordering::Equal)
        })?;
        Ok(leaf(place.min(root.len().saturating_sub(1))))
    }

    /// Whether the last key of the leaf at `at` stands behind `name`, or is `least` in its order.
    fn is_last_at_or_behind(
        &self,
        at: CellOffset,
        name: &Name,
        least: Ordering,
    ) -> Result<bool, EditError> {
        let bytes = self.hive()?.cell(at, Record::SubkeysList)?;
        let leaf = SubkeysList::parse(at, &bytes)?;
        let last = leaf.len().checked_sub(1).and_then(|last| leaf.cell(last));
        match last {
            Some(last) => Ok(self.key_order(last, name)? >= least),
            None => Ok(false),
        }
    }

    /// Puts the key `name` at `subkey` into the subkeys list of `parent`, and counts it.
    ///
    /// Spec: regf, *Index leaf*, *Fast leaf*, *Hash leaf*, *Index root*.
    pub(super) fn insert_into_subkeys(
        &mut self,
        parent: CellOffset,
        name: &Name,
        subkey: CellOffset,
    ) -> Result<(), EditError> {
        self.damage.spare_list(parent)?;
        let hive = self.hive()?;
        let node = hive.key(parent)?;
        let count = node.subkey_count();
        let more = count.checked_add(1);
        let more = more.ok_or(EditError::CountOverflow("the number of subkeys"))?;
        let list = if count == 0 || node.subkeys_list().is_none() {
            let kind = match hive.base().minor {
                0..=4 => ListKind::FastLeaf,
                _ => ListKind::HashLeaf,
            };
            let elements = vec![(subkey, extra(kind, name))];
            self.add_list(&List { kind, elements })?
        } else {
            let list = node.subkeys_list();
            self.insert_below(list, name, subkey)?
        };
        let image = &mut self.image;
        image.set(parent, field!(KeyNodeHeader.subkeys_list), list)?;
        image.set(parent, field!(KeyNodeHeader.subkey_count), more)
    }

    /// Inserts into the list at `at`, whatever its kind, and gives the list's new place.
    fn insert_below(
        &mut self,
        at: CellOffset,
        name: &Name,
        subkey: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let list = self.read_list(at)?;
        if list.kind != ListKind::IndexRoot {
            return match self.insert_into_leaf(at, list, name, subkey)? {
                (leaf, None) => Ok(leaf),
                (left, Some(right)) => self.add_list(&List {
                    kind: ListKind::IndexRoot,
                    elements: vec![(left, [0; 4]), (right, [0; 4])],
                }),
            };
        }
        let index = self.leaf_for(&list, name)?;
        let (leaf, _) = list.element(index, at)?;
        let elements = self.read_list(leaf)?;
        let (left, right) = self.insert_into_leaf(leaf, elements, name, subkey)?;
        let mut root = list;
        if let Some(element) = root.elements.get_mut(index) {
            element.0 = left;
        }
        match right {
            None => {
                self.write_list(at, root.kind, &root.elements)?;
                Ok(at)
            }
            Some(right) => {
                let element = (right, [0; 4]);
                self.insert_element(at, root, index.saturating_add(1), element)
            }
        }
    }

    /// The leaf of an index root that `name` belongs into: the first whose last key is behind it.
    fn leaf_for(&self, root: &List, name: &Name) -> Result<usize, EditError> {
        let count = root.elements.len();
        let is_behind = |index: usize| match root.elements.get(index) {
            Some((leaf, _)) => self.is_last_at_or_behind(*leaf, name, Ordering::Greater),
            None => Ok(true),
        };
        let found = match self.damage.is_none() {
            true => first_that(count, is_behind)?,
            // Its lists need not be in order.
            false => {
                let mut index = 0;
                while index < count && !is_behind(index)? {
                    index = index.saturating_add(1);
                }
                index
            }
        };
        Ok(found.min(count.saturating_sub(1)))
    }

    /// Inserts into the leaf at `at`; gives its new place, and the leaf behind it if it was split.
    fn insert_into_leaf(
        &mut self,
        at: CellOffset,
        list: List,
        name: &Name,
        subkey: CellOffset,
    ) -> Result<(CellOffset, Option<CellOffset>), EditError> {
        if list.kind == ListKind::FastLeaf && list.elements.len() >= FAST_LEAF_LIMIT {
            let list = self.turn_into_index_leaf(at, list)?;
            return self.insert_into_leaf(at, list, name, subkey);
        }
        let index = self.place_of(&list, name)?;
        let element = (subkey, extra(list.kind, name));
        if list.elements.len() < LEAF_LIMIT {
            let leaf = self.insert_element(at, list, index, element)?;
            return Ok((leaf, None));
        }
        let kind = list.kind;
        let mut left = list.elements;
        left.insert(index.min(left.len()), element);
        let right = left.split_off(left.len() / 2);
        self.write_list(at, kind, &left)?;
        self.resize_in_place(at, kind.list_size(left.len()))?;
        let elements = right;
        let right = self.add_list(&List { kind, elements })?;
        Ok((at, Some(right)))
    }

    /// As Windows does it with a fast leaf that is full: an index leaf needs half the room.
    fn turn_into_index_leaf(&mut self, at: CellOffset, list: List) -> Result<List, EditError> {
        let kind = ListKind::IndexLeaf;
        let elements = list.elements.into_iter().map(|(cell, _)| (cell, [0; 4]));
        let elements: Vec<_> = elements.collect();
        self.write_list(at, kind, &elements)?;
        Ok(List { kind, elements })
    }

    /// Where `name` belongs in a leaf.
    fn place_of(&self, leaf: &List, name: &Name) -> Result<usize, EditError> {
        first_that(leaf.elements.len(), |index| {
            match leaf.elements.get(index) {
                Some((cell, _)) => Ok(self.key_order(*cell, name)? != Ordering::Less),
                None => Ok(true),
            }
        })
    }

    fn key_order(&self, key: CellOffset, name: &Name) -> Result<Ordering, EditError> {
        let key: KeyNode<'_> = self.hive()?.key(key)?;
        Ok(key.name().order_name(name))
    }

    /// Takes the key at `subkey` out of the subkeys list of `parent`, and counts it no more.
    pub(super) fn remove_from_subkeys(
        &mut self,
        parent: CellOffset,
        subkey: CellOffset,
    ) -> Result<(), EditError> {
        self.damage.spare_list(parent)?;
        let node = self.hive()?.key(parent)?;
        let count = node.subkey_count().saturating_sub(1);
        let at = node.subkeys_list();
        let list = self.read_list(at)?;
        let left = if list.kind == ListKind::IndexRoot {
            self.remove_below_root(at, list, subkey)?
        } else {
            self.remove_element(at, list, subkey)?
        };
        let at = if left { at } else { CellOffset::NONE };
        let image = &mut self.image;
        image.set(parent, field!(KeyNodeHeader.subkeys_list), at)?;
        image.set(parent, field!(KeyNodeHeader.subkey_count), count)
    }

    /// Says whether the index root still has a leaf; it is freed where not.
    fn remove_below_root(
        &mut self,
        at: CellOffset,
        root: List,
        subkey: CellOffset,
    ) -> Result<bool, EditError> {
        let likely = match self.damage.is_none() {
            true => {
                let name = self.hive()?.key(subkey)?.name().to_name();
                Some(self.leaf_with(at, &name)?)
            }
            false => None, // its lists need not be in order
        };
        let leaves = root.elements.iter().map(|(leaf, _)| *leaf);
        for leaf_at in likely.into_iter().chain(leaves) {
            let leaf = self.read_list(leaf_at)?;
            if !leaf.elements.iter().any(|(cell, _)| *cell == subkey) {
                continue;
            }
            if self.remove_element(leaf_at, leaf, subkey)? {
                return Ok(true);
            }
            return self.remove_element(at, root, leaf_at);
        }
        Err(missing_element(at))
    }

    /// Takes the element that leads to `cell` out of the list at `at`. Says whether the list still
    /// has one; it is freed where not.
    fn remove_element(
        &mut self,
        at: CellOffset,
        list: List,
        cell: CellOffset,
    ) -> Result<bool, EditError> {
        let mut elements = list.elements;
        let index = elements.iter().position(|(found, _)| *found == cell);
        elements.remove(index.ok_or_else(|| missing_element(at))?);
        if elements.is_empty() {
            self.free_cell(at)?;
            return Ok(false);
        }
        self.write_list(at, list.kind, &elements)?;
        Ok(true)
    }

    /// Frees the subkeys lists of `key`, not the keys they lead to.
    pub(super) fn free_subkeys_lists(&mut self, key: CellOffset) -> Result<(), EditError> {
        let node = self.hive()?.key(key)?;
        if node.subkey_count() == 0 || node.subkeys_list().is_none() {
            return Ok(());
        }
        let at = node.subkeys_list();
        let list = self.read_list(at)?;
        if list.kind == ListKind::IndexRoot {
            for (leaf, _) in list.elements {
                self.free_cell(leaf)?;
            }
        }
        self.free_cell(at)
    }

    fn read_list(&self, at: CellOffset) -> Result<List, EditError> {
        let bytes = self.hive()?.cell(at, Record::SubkeysList)?;
        let list = SubkeysList::parse(at, &bytes)?;
        Ok(List {
            kind: list.kind,
            elements: list.elements().collect(),
        })
    }

    fn add_list(&mut self, list: &List) -> Result<CellOffset, EditError> {
        let size = list.kind.list_size(list.elements.len());
        let at = self.allocate_with(&vec![0; size])?;
        self.write_list(at, list.kind, &list.elements)?;
        Ok(at)
    }

    /// Inserts one element, moving the list where its cell has no room.
    fn insert_element(
        &mut self,
        at: CellOffset,
        list: List,
        index: usize,
        element: (CellOffset, [u8; 4]),
    ) -> Result<CellOffset, EditError> {
        let used = list.kind.list_size(list.elements.len());
        let at = self.make_room(at, used, list.kind.element_size())?;
        let mut elements = list.elements;
        elements.insert(index.min(elements.len()), element);
        self.write_list(at, list.kind, &elements)?;
        Ok(at)
    }

    fn write_list(
        &mut self,
        at: CellOffset,
        kind: ListKind,
        elements: &[(CellOffset, [u8; 4])],
    ) -> Result<(), EditError> {
        let header = kind.header(elements.len());
        let header = header.ok_or(EditError::CountOverflow("the elements of a list"))?;
        let mut bytes = header.as_bytes().to_vec();
        for &(cell, extra) in elements {
            kind.push_element(&mut bytes, cell, extra);
        }
        self.image.put(at, 0, &bytes)
    }
}

impl List {
    fn element(&self, index: usize, at: CellOffset) -> Result<(CellOffset, [u8; 4]), EditError> {
        let element = self.elements.get(index).copied();
        element.ok_or_else(|| missing_element(at))
    }
}

/// The first of `count` places for which `is_so` holds, as it does for all behind that; `count` where
/// it holds for none.
fn first_that(
    count: usize,
    is_so: impl Fn(usize) -> Result<bool, EditError>,
) -> Result<usize, EditError> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        match is_so(middle)? {
            false => low = middle.saturating_add(1),
            true => high = middle,
        }
    }
    Ok(low)
}

/// What stands beside a key's offset in a leaf of this kind.
fn extra(kind: ListKind, name: &Name) -> [u8; 4] {
    match kind {
        ListKind::HashLeaf => name.hash().to_le_bytes(),
        ListKind::FastLeaf => name.hint(),
        ListKind::IndexLeaf | ListKind::IndexRoot => [0; 4],
    }
}

fn missing_element(at: CellOffset) -> EditError {
    let fault = crate::regf::Fault::BadField {
        field: "number of elements",
        found: 0,
    };
    crate::regf::RegfError::new(at.in_file(), Record::SubkeysList, fault).into()
}
