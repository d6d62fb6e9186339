// SPDX-License-Identifier: GPL-3.0-or-later
//! The keys below each key: as its list says, and where that is damaged as they say themselves.

use std::collections::HashSet;

use super::bins::usize_of;
use super::model::Origin;
use super::nodes::{Listed, Listing, Node, is_plausible, listing};
use super::notes::Fix;
use super::tree::{Builder, Missing};
use crate::regf::structures::Offset;
use crate::regf::{KEY_DEPTH_LIMIT, Name};

impl Builder<'_> {
    /// Places all that is below the keys that wait.
    pub(super) fn grow(&mut self) {
        while let Some(index) = self.waiting.pop_front() {
            let Some(key) = self.tree.keys.get(index) else {
                continue;
            };
            let (at, depth, origin) = (key.at, key.depth, key.origin);
            let node = self
                .nodes
                .get(&at)
                .copied()
                .filter(|_| origin == Origin::Node);
            let mut list = match &node {
                Some(node) => listing(self.bins, node),
                None => Listing::default(),
            };
            if !list.is_whole {
                self.open.insert(index);
                self.find_list(&mut list, node.as_ref(), at);
            }
            if usize::from(depth) >= KEY_DEPTH_LIMIT {
                if !list.elements.is_empty() {
                    self.notes
                        .lost_keys(index, None, u64::try_from(list.elements.len()).ok());
                }
                continue;
            }
            let (known, is_settled) = self.place_listed(index, at, &list);
            list.cells.iter().for_each(|cell| self.bins.claim(*cell));
            let Some(key) = self.tree.keys.get(index) else {
                continue;
            };
            let expected = node.map_or(0, |node| {
                usize_of(node.header(self.bins).subkey_count.get())
            });
            let whole_list = list.is_whole
                && is_settled
                && list
                    .elements
                    .iter()
                    .all(|(at, _)| is_plausible(self.bins, *at));
            if !whole_list
                && (node.is_none()
                    || key.children.len() != expected
                    || list.elements.len() != expected)
            {
                self.place_by_parent(index, at);
                let found = self
                    .tree
                    .keys
                    .get(index)
                    .map_or(0, |key| key.children.len());
                // A list that leads to as many keys as there are shows that the count is wrong.
                let is_count_wrong = !list.elements.is_empty() && list.elements.len() == found;
                if let Some(node) = node {
                    // Of a count that nothing bears out the number says nothing.
                    let most = found.saturating_mul(4).saturating_add(256);
                    let is_sane = expected <= most && !node.is_doubtful;
                    let is_turned = expected.is_power_of_two()
                        && node.header(self.bins).subkeys_list == Offset::NONE;
                    let short = expected.saturating_sub(found.saturating_add(known));
                    if short > 0 && !is_count_wrong && !is_turned {
                        let count = u64::try_from(short).ok().filter(|_| is_sane);
                        self.notes.lost_keys(index, None, count);
                    }
                    self.notes.fix(index, Fix::List);
                }
            }
        }
    }

    /// Places the keys that the list of the key `index`, whose node is at `at`, leads to. How many are
    /// known to be lost, and whether each element is one of these or a key that was placed.
    fn place_listed(&mut self, index: usize, at: u32, list: &Listing) -> (usize, bool) {
        let (mut known, mut is_settled) = (0_usize, true);
        let listed_cells: HashSet<u32> = list.elements.iter().map(|(cell, _)| *cell).collect();
        let mut resolved = Vec::new();
        for (cell, listed) in &list.elements {
            resolved.push(self.resolve(*cell, *listed, at, &listed_cells));
        }
        let neighbours = neighbours(&resolved);
        for (place, ((cell, listed), found)) in list.elements.iter().zip(resolved).enumerate() {
            let (before, behind) = neighbours.get(place).copied().unwrap_or((None, None));
            let name_of = |node: Option<Node>| node.map(|node| node.name(self.bins).to_name());
            let between = || (name_of(before), name_of(behind));
            let Some(node) = found else {
                if is_plausible(self.bins, *cell) && !self.placed.contains_key(cell) {
                    let between = between();
                    self.miss(*cell, *listed, index, between, None);
                    known = known.saturating_add(1);
                } else {
                    is_settled = false;
                }
                continue;
            };
            if self.placed.contains_key(&node.at) {
                is_settled = false;
                continue;
            }
            let is_named = listed.fits(node.name(self.bins));
            let is_readable =
                super::names::is_text(node.name(self.bins)) && !self.has_lost_name(&node);
            let is_proven = listed.proves(node.name(self.bins));
            if !is_proven && !is_readable {
                let between = between();
                self.miss(*cell, *listed, index, between, Some(node));
                known = known.saturating_add(1);
                continue;
            }
            let name = match is_named {
                true => None,
                false if !self.may_try() => None,
                false => {
                    let between = between();
                    self.count_names();
                    let counts = self.name_counts.as_ref();
                    let known = |hash: u32| {
                        counts
                            .and_then(|counts| counts.get(&hash))
                            .copied()
                            .unwrap_or(0)
                    };
                    super::names::corrected(node.name(self.bins), *listed, &between, &known)
                }
            };
            if node.at != *cell || node.parent != at || node.is_doubtful {
                self.notes.fix(index, Fix::Element);
            }
            self.place_once(node, index, name);
        }
        (known, is_settled)
    }

    fn miss(
        &mut self,
        at: u32,
        listed: Listed,
        parent: usize,
        between: (Option<Name>, Option<Name>),
        node: Option<Node>,
    ) {
        self.missing.push(Missing {
            at,
            listed,
            parent,
            between,
            node,
            is_settled: false,
        });
    }

    /// Places the keys that say they are below the one at `at`, and that nothing has placed.
    fn place_by_parent(&mut self, index: usize, at: u32) {
        for below in self.below.get(&at).cloned().unwrap_or_default() {
            let Some(node) = self.nodes.get(&below).copied() else {
                continue;
            };
            let is_lost = self.has_lost_name(&node);
            // In a page of another hive, or of an older state, a key says of another tree where it is.
            let is_strange = self.bins.is_strange(usize_of(below));
            if self.placed.contains_key(&below) || is_lost || is_strange {
                continue;
            }
            let name = node.name(self.bins).to_name();
            if !self.has_subkey(index, &name) {
                self.place_once(node, index, None);
            }
        }
    }
}

/// The nodes before and behind each place that are there.
fn neighbours(found: &[Option<Node>]) -> Vec<(Option<Node>, Option<Node>)> {
    let mut neighbours = vec![(None, None); found.len()];
    let mut last = None;
    for (place, found) in neighbours.iter_mut().zip(found) {
        place.0 = last;
        last = found.or(last);
    }
    let mut next = None;
    for (place, found) in neighbours.iter_mut().zip(found).rev() {
        place.1 = next;
        next = found.or(next);
    }
    neighbours
}
