// SPDX-License-Identifier: GPL-3.0-or-later
//! The root of a damaged hive: the key that the base block names, or the one that can be no other.

use std::collections::HashSet;

use super::model::{Origin, ROOT};
use super::nodes::{Node, list_at};
use super::notes::Fix;
use super::tree::Builder;
use crate::regf::{Name, key_flags};

/// How many places are weighed for a root that is lost.
const ROOTS_WEIGHED: usize = 200;

impl Builder<'_> {
    /// Puts the root in its place: the one that the base block names, or the one that can be no other.
    pub(super) fn place_root(&mut self, named: u32, is_trusted: bool) -> bool {
        if let Some(node) = self.nodes.get(&named).copied()
            && (node.header(self.bins).flags.get() & key_flags::HIVE_ENTRY != 0
                || !self.nodes.contains_key(&node.parent))
        {
            self.place(node, None);
            return true;
        }
        let is_root =
            |node: &&Node| node.header(self.bins).flags.get() & key_flags::HIVE_ENTRY != 0;
        let mut roots: Vec<Node> = self.nodes.values().filter(is_root).copied().collect();
        roots.sort_by_key(|node| {
            let below = self.below.get(&node.at).map_or(0, Vec::len);
            (std::cmp::Reverse(below), node.at)
        });
        if let Some(root) = roots.first().copied()
            && self.below.contains_key(&root.at)
        {
            self.notes.fix(ROOT, Fix::Root);
            self.place(root, None);
            return true;
        }
        let Some(at) = self.lost_root(named, is_trusted) else {
            return false;
        };
        self.notes.fix(ROOT, Fix::RootMade);
        self.make(at, Name::from("ROOT"), None, Origin::Named);
        true
    }

    /// Where the root was whose node is lost: the keys below it name it. A base block that is whole says
    /// it though none of them is left; then no other lost key is taken for the root.
    fn lost_root(&self, named: u32, is_trusted: bool) -> Option<u32> {
        let is_lost = |at: &u32| !self.nodes.contains_key(at);
        let is_said = is_trusted && self.bins.is_lost_place(named);
        if (is_said || self.below.contains_key(&named)) && is_lost(&named) {
            return Some(named);
        }
        let listed: HashSet<u32> = self.listed_nowhere_else();
        let mut lost: Vec<(usize, u32)> = self
            .below
            .iter()
            .filter(|(at, _)| is_lost(at) && !listed.contains(at))
            .map(|(at, below)| (below.len(), *at))
            .collect();
        lost.sort_unstable();
        lost.reverse();
        lost.truncate(ROOTS_WEIGHED);
        for (weight, at) in &mut lost {
            *weight = self.weight(self.below.get(at).map_or(&[][..], Vec::as_slice));
        }
        lost.sort_unstable();
        lost.last().map(|(_, at)| *at)
    }

    /// How many keys lie below these, as far as three levels tell.
    fn weight(&self, keys: &[u32]) -> usize {
        let mut count = keys.len();
        let mut level: Vec<u32> = keys.to_vec();
        for _ in 0..3 {
            let next: Vec<u32> = level
                .iter()
                .filter_map(|at| self.below.get(at))
                .flatten()
                .copied()
                .take(100_000)
                .collect();
            count = count.saturating_add(next.len());
            level = next;
        }
        count
    }

    /// The offsets that lists lead to and at which no key stands.
    fn listed_nowhere_else(&self) -> HashSet<u32> {
        let mut found = HashSet::new();
        for signature in [*b"lh", *b"lf", *b"li"] {
            for at in self.bins.cells_with(signature) {
                if let Some((_, elements, _)) = list_at(self.bins, at) {
                    let cells = elements.iter().map(|(cell, _)| *cell);
                    found.extend(cells.filter(|cell| !self.nodes.contains_key(cell)));
                }
            }
        }
        found
    }
}
