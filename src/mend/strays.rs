// SPDX-License-Identifier: GPL-3.0-or-later
//! Lists that no key was seen to use, and keys whose own parent is lost.

use std::collections::{HashMap, HashSet};

use super::bins::{Bins, HEADER, usize_of};
use super::nodes::{Element, Listed, Listing, Node, list_at, one_bit_off, read_list};
use super::tree::Builder;
use crate::regf::ListKind;

impl Builder<'_> {
    /// Looks for the list of the key at `at`, whose own reference does not lead to it.
    pub(super) fn find_list(&mut self, list: &mut Listing, node: Option<&Node>, at: u32) {
        let leads_here = |bins: &Bins, nodes: &HashMap<u32, Node>, leaf: u32| {
            let Some((kind, elements, _)) = list_at(bins, leaf) else {
                return false;
            };
            let of_leaf = |elements: &[Element]| {
                let mut named = elements.iter().filter_map(|(cell, _)| nodes.get(cell));
                named.any(|node| node.parent == at)
            };
            match kind {
                ListKind::IndexRoot => elements.first().is_some_and(|(leaf, _)| {
                    list_at(bins, *leaf).is_some_and(|(_, elements, _)| of_leaf(&elements))
                }),
                _ => of_leaf(&elements),
            }
        };
        if let Some(node) = node
            && list.elements.is_empty()
        {
            let stored = node.header(self.bins).subkeys_list.get().0;
            let turned: Vec<u32> = one_bit_off(stored)
                .filter(|_| !self.bins.is_in_broken(stored))
                .filter(|at| self.bins.is_linked(*at) && leads_here(self.bins, &self.nodes, *at))
                .collect();
            if let [found] = turned.as_slice() {
                read_list(self.bins, *found, list, true);
                return;
            }
        }
        if self.stray_leaves.is_none() {
            self.stray_leaves = Some(self.find_stray_leaves());
        }
        let stray = self
            .stray_leaves
            .as_ref()
            .and_then(|leaves| leaves.get(&at));
        for leaf in stray.cloned().unwrap_or_default() {
            if !list.cells.contains(&leaf) && !self.bins.is_claimed(leaf) {
                let known: HashSet<u32> = list.elements.iter().map(|(cell, _)| *cell).collect();
                let mut found = Listing::default();
                read_list(self.bins, leaf, &mut found, false);
                list.cells.extend(found.cells);
                let new = found.elements.into_iter();
                list.elements
                    .extend(new.filter(|(cell, _)| !known.contains(cell)));
            }
        }
    }

    fn find_stray_leaves(&self) -> HashMap<u32, Vec<u32>> {
        let mut found: HashMap<u32, Vec<u32>> = HashMap::new();
        for signature in [*b"lh", *b"lf", *b"li"] {
            for at in self.bins.cells_with(signature) {
                if self.bins.is_claimed(at) {
                    continue;
                }
                let Some((_, elements, _)) = list_at(self.bins, at) else {
                    continue;
                };
                let parents: Vec<u32> = elements
                    .iter()
                    .filter_map(|(cell, _)| self.nodes.get(cell))
                    .map(|node| node.parent)
                    .collect();
                // Elements that lead to keys of several parents are an old list's.
                if let Some(first) = parents.first()
                    && parents.iter().all(|parent| parent == first)
                {
                    found.entry(*first).or_default().push(at);
                }
            }
        }
        found
    }

    /// The lists that lead to `at`, by the key that their other elements name.
    pub(super) fn strays_to(&mut self, wanted: &HashSet<u32>) -> Vec<(u32, u32, Listed)> {
        if self.stray_leaves.is_none() {
            self.stray_leaves = Some(self.find_stray_leaves());
        }
        let mut found = Vec::new();
        for (owner, leaves) in self.stray_leaves.iter().flatten() {
            for leaf in leaves {
                let Some((_, elements, _)) = list_at(self.bins, *leaf) else {
                    continue;
                };
                let hits = elements
                    .into_iter()
                    .filter(|(cell, _)| wanted.contains(cell));
                found.extend(hits.map(|(cell, listed)| (cell, *owner, listed)));
            }
        }
        found
    }

    /// The offsets at which a key was that is lost though keys below it live, with those keys.
    pub(super) fn tops(&self) -> Vec<(u32, Vec<u32>)> {
        let mut tops: Vec<(u32, Vec<u32>)> = Vec::new();
        for (at, below) in &self.below {
            if self.nodes.contains_key(at) || self.placed.contains_key(at) {
                continue;
            }
            let living: Vec<u32> = below
                .iter()
                .filter(|below| !self.placed.contains_key(below))
                .copied()
                .collect();
            if !living.is_empty() && usize_of(*at) >= HEADER {
                tops.push((*at, living));
            }
        }
        tops.sort_unstable();
        tops
    }
}
