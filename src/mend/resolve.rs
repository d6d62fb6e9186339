// SPDX-License-Identifier: GPL-3.0-or-later
//! Which node an element of a list means.

use std::collections::{HashMap, HashSet};

use super::nodes::{Listed, Node, is_plausible, listing, one_bit_off};
use super::tree::Builder;
use crate::regf::ListKind;

impl Builder<'_> {
    /// The node that an element of the list of the key at `parent` leads to.
    pub(super) fn resolve(
        &self,
        cell: u32,
        listed: Listed,
        parent: u32,
        others: &HashSet<u32>,
    ) -> Option<Node> {
        if let Some(node) = self
            .nodes
            .get(&cell)
            .filter(|_| !self.placed.contains_key(&cell))
        {
            if node.parent == parent {
                return Some(*node);
            }
            let is_fitting = listed.fits(node.name(self.bins)) && self.may_try();
            if is_fitting && !self.is_listed_by(cell, node.parent, listed.kind) {
                return Some(*node);
            }
        } else if !self.nodes.contains_key(&cell)
            && self.may_try()
            && let Some(node) = Node::read_listed(self.bins, cell, parent, listed)
        {
            return Some(node);
        }
        let elsewhere = |at: &u32| {
            let is_other = !others.contains(at);
            let node = self
                .nodes
                .get(at)
                .filter(|_| is_other && !self.placed.contains_key(at))?;
            let fits = node.parent == parent && listed.fits(node.name(self.bins));
            fits.then_some(*node)
        };
        let turned = one_bit_off(cell).filter_map(|at| elsewhere(&at));
        let mut turned = turned.collect::<Vec<Node>>().into_iter();
        match (turned.next(), turned.next()) {
            (Some(node), None) => return Some(node),
            (Some(_), Some(_)) => return None,
            _ => {}
        }
        // The list has its hash, and there is a key of that name which says it is here.
        if listed.kind == ListKind::HashLeaf && !is_plausible(self.bins, cell) {
            let below = self.below.get(&parent)?;
            let mut found = below.iter().filter_map(elsewhere);
            let first = found.next()?;
            return found.next().is_none().then_some(first);
        }
        None
    }

    /// Whether the list of the key at `parent` leads to `cell`, or may do so: without a hash in the list
    /// that leads there now, one that is damaged counts too.
    pub(super) fn is_listed_by(&self, cell: u32, parent: u32, kind: ListKind) -> bool {
        let Some(node) = self.nodes.get(&parent) else {
            return false;
        };
        let list = listing(self.bins, node);
        let may_be = !list.is_whole && kind != ListKind::HashLeaf;
        may_be || list.elements.iter().any(|(at, _)| *at == cell)
    }

    pub(super) fn count_names(&mut self) {
        if self.name_counts.is_none() {
            let mut counts = HashMap::new();
            for node in self.nodes.values() {
                let count: &mut usize = counts.entry(node.name(self.bins).hash()).or_default();
                *count = count.saturating_add(1);
            }
            self.name_counts = Some(counts);
        }
    }
}
