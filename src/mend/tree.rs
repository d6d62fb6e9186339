// SPDX-License-Identifier: GPL-3.0-or-later
//! Which key is below which: by the lists, and where those are damaged by what the keys themselves say.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::bins::{Bins, HEADER, usize_of};
use super::model::{Key, Origin, ROOT, Tree};
use super::nodes::{Element, Listed, Listing, Node, list_at, listing, one_bit_off, read_list};
use super::notes::{Fix, Notes};
use crate::regf::structures::{KeyNodeHeader, Offset};
use crate::regf::{KEY_DEPTH_LIMIT, ListKind, Name, StoredName, key_flags, upcase};

/// How many references, names and lists are looked into further than they deserve.
const TRIALS: usize = 20_000;
/// How many places are weighed for a root that is lost.
const ROOTS_WEIGHED: usize = 200;

/// A key that a list leads to and that is not there.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// Where its node was.
    pub(super) at: u32,
    pub(super) listed: Listed,
    /// The key whose list it is in.
    pub(super) parent: usize,
    /// The names before and behind it in the list.
    pub(super) between: (Option<Name>, Option<Name>),
    /// Its node is there, but not its name.
    pub(super) node: Option<Node>,
    /// Whether it was found after all.
    pub(super) is_settled: bool,
}

/// The tree while it is being put together.
pub(super) struct Builder<'b> {
    pub(super) bins: &'b mut Bins,
    pub(super) nodes: HashMap<u32, Node>,
    /// The nodes that name each offset as their parent's.
    pub(super) below: HashMap<u32, Vec<u32>>,
    /// Which key stands at an offset.
    pub(super) placed: HashMap<u32, usize>,
    pub(super) tree: Tree,
    pub(super) missing: Vec<Missing>,
    pub(super) notes: Notes,
    /// Leaves that no key was seen to use, by the key that their elements name.
    stray_leaves: Option<HashMap<u32, Vec<u32>>>,
    waiting: VecDeque<usize>,
    /// Which names each key has below it, see [`Builder::mark`].
    names: HashSet<u64>,
    seed: RandomState,
    /// How many keys have a name of this hash, once that was asked.
    name_counts: Option<HashMap<u32, usize>>,
    /// How often more may be tried than reading what stands there: damage is rare, malice is not.
    trials: Cell<usize>,
}

impl<'b> Builder<'b> {
    /// Reads all key nodes of the bins.
    pub(super) fn new(bins: &'b mut Bins) -> Self {
        let mut nodes = HashMap::new();
        let mut below: HashMap<u32, Vec<u32>> = HashMap::new();
        for at in bins.cells_with(*b"nk") {
            if let Some(node) = Node::read(bins, at) {
                nodes.insert(at, node);
                below.entry(node.parent).or_default().push(at);
            }
        }
        Self {
            bins,
            nodes,
            below,
            placed: HashMap::new(),
            tree: Tree::default(),
            missing: Vec::new(),
            notes: Notes::default(),
            stray_leaves: None,
            waiting: VecDeque::new(),
            names: HashSet::new(),
            seed: RandomState::new(),
            name_counts: None,
            trials: Cell::new(TRIALS),
        }
    }

    /// Puts the root in its place: the one that the base block names, or the one that can be no other.
    pub(super) fn place_root(&mut self, named: u32) -> bool {
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
        let Some(at) = self.lost_root(named) else {
            return false;
        };
        self.notes.fix(ROOT, Fix::RootMade);
        self.make(at, Name::from("ROOT"), None, Origin::Named);
        true
    }

    /// Where the root was whose node is lost: the keys below it name it.
    fn lost_root(&self, named: u32) -> Option<u32> {
        let is_lost = |at: &u32| !self.nodes.contains_key(at);
        if self.below.contains_key(&named) && is_lost(&named) {
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

    /// Puts `node` below the key `parent`.
    pub(super) fn place(&mut self, node: Node, parent: Option<usize>) -> usize {
        let name = node.name(self.bins).bytes.to_vec();
        self.place_as(node, name, node.is_narrow, parent)
    }

    fn place_as(
        &mut self,
        node: Node,
        name: Vec<u8>,
        is_narrow: bool,
        parent: Option<usize>,
    ) -> usize {
        let head = node.header(self.bins);
        self.nodes.insert(node.at, node);
        let key = self.push(node.at, head, name, is_narrow, parent, Origin::Node);
        self.bins.claim(node.at);
        key
    }

    /// Makes a key whose node is lost.
    pub(super) fn make(
        &mut self,
        at: u32,
        name: Name,
        parent: Option<usize>,
        origin: Origin,
    ) -> usize {
        let (bytes, is_narrow) = name.to_stored();
        let head = KeyNodeHeader::EMPTY;
        self.push(at, head, bytes, is_narrow, parent, origin)
    }

    fn push(
        &mut self,
        at: u32,
        head: KeyNodeHeader,
        name: Vec<u8>,
        is_narrow: bool,
        parent: Option<usize>,
        origin: Origin,
    ) -> usize {
        let index = self.tree.keys.len();
        let above = parent.and_then(|parent| self.tree.keys.get_mut(parent));
        let depth = above.map_or(0, |above| {
            above.children.push(index);
            above.depth.saturating_add(1)
        });
        if let Some(parent) = parent {
            let stored = StoredName {
                bytes: &name,
                narrow: is_narrow,
            };
            let mark = self.mark(parent, &stored.to_name());
            self.names.insert(mark);
        }
        self.tree.keys.push(Key {
            at,
            head,
            name,
            is_narrow,
            parent: parent.unwrap_or(ROOT),
            depth,
            children: Vec::new(),
            values: Vec::new(),
            class: super::model::Bytes::NONE,
            security: 0,
            origin,
        });
        if at != u32::MAX {
            self.placed.insert(at, index);
        }
        self.waiting.push_back(index);
        index
    }

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

    /// Looks for the list of the key at `at`, whose own reference does not lead to it.
    fn find_list(&mut self, list: &mut Listing, node: Option<&Node>, at: u32) {
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
            let is_proven = is_named && listed.kind == ListKind::HashLeaf;
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

    /// Places a key below `parent`, unless that has one of this name.
    pub(super) fn place_once(&mut self, node: Node, parent: usize, name: Option<Name>) -> bool {
        let own = node.name(self.bins).to_name();
        let is_new_name = name.is_some();
        let name = name.unwrap_or(own);
        if self.has_subkey(parent, &name) {
            self.notes.lost_keys(parent, Some(name), Some(1));
            return false;
        }
        let key = match is_new_name {
            true => {
                let (name, is_narrow) = name.to_stored();
                self.place_as(node, name, is_narrow, Some(parent))
            }
            false => self.place(node, Some(parent)),
        };
        if is_new_name {
            self.notes.fix(key, Fix::Name);
        }
        true
    }

    /// Whether a part of the name is lost.
    fn has_lost_name(&self, node: &Node) -> bool {
        let start = node.start.saturating_add(size_of::<KeyNodeHeader>());
        self.bins.is_lost(start, node.name_length)
            || node.name(self.bins).units().all(|unit| unit == 0)
    }

    /// Whether the key has a subkey of that name.
    pub(super) fn has_subkey(&self, parent: usize, name: &Name) -> bool {
        self.names.contains(&self.mark(parent, name))
    }

    /// A number for a name below a key, which no hive can foresee.
    fn mark(&self, parent: usize, name: &Name) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write_usize(parent);
        name.units()
            .iter()
            .for_each(|unit| hasher.write_u16(upcase(*unit)));
        hasher.finish()
    }

    /// The node that an element of the list of the key at `parent` leads to.
    fn resolve(
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

    fn count_names(&mut self) {
        if self.name_counts.is_none() {
            let mut counts = HashMap::new();
            for node in self.nodes.values() {
                let count: &mut usize = counts.entry(node.name(self.bins).hash()).or_default();
                *count = count.saturating_add(1);
            }
            self.name_counts = Some(counts);
        }
    }

    /// Whether one more thing may be tried.
    fn may_try(&self) -> bool {
        let left = self.trials.get();
        self.trials.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether the list of the key at `parent` leads to `cell`, or may do so: without a hash in the list
    /// that leads there now, one that is damaged counts too.
    fn is_listed_by(&self, cell: u32, parent: u32, kind: ListKind) -> bool {
        let Some(node) = self.nodes.get(&parent) else {
            return false;
        };
        let list = listing(self.bins, node);
        let may_be = !list.is_whole && kind != ListKind::HashLeaf;
        may_be || list.elements.iter().any(|(at, _)| *at == cell)
    }

    /// Places the keys that say they are below the one at `at`, and that nothing has placed.
    fn place_by_parent(&mut self, index: usize, at: u32) {
        for below in self.below.get(&at).cloned().unwrap_or_default() {
            let Some(node) = self.nodes.get(&below).copied() else {
                continue;
            };
            let is_lost = self.has_lost_name(&node);
            if self.placed.contains_key(&below) || is_lost {
                continue;
            }
            let name = node.name(self.bins).to_name();
            if !self.has_subkey(index, &name) {
                self.place_once(node, index, None);
            }
        }
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

    /// The last change of the key at `index`.
    pub(super) fn time(key: &Key) -> u64 {
        key.head.last_written.get()
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

/// Whether a cell can be at `at`.
fn is_plausible(bins: &Bins, at: u32) -> bool {
    at.is_multiple_of(8) && usize_of(at) >= HEADER && usize_of(at) < bins.size()
}

/// Whether a count is another one with one bit turned.
pub(super) fn is_turned_count(one: usize, other: usize) -> bool {
    (one ^ other).is_power_of_two()
}
