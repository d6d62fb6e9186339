// SPDX-License-Identifier: GPL-3.0-or-later
//! The tree while it is being put together: which key was placed below which.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::bins::Bins;
use super::model::{Key, Origin, ROOT, Tree};
use super::nodes::{Listed, Node};
use super::notes::{Fix, Notes};
use crate::regf::structures::KeyNodeHeader;
use crate::regf::{Name, StoredName, upcase};

/// How many references, names and lists are looked into further than they deserve.
const TRIALS: usize = 20_000;

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

/// A name that may be meant, and whether it is known to be one of a key.
pub(super) type Candidate = (Name, bool);

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
    pub(super) stray_leaves: Option<HashMap<u32, Vec<u32>>>,
    pub(super) waiting: VecDeque<usize>,
    /// Keys whose list is not whole: others may say what is below them.
    pub(super) open: HashSet<usize>,
    /// Names that were found for hashes, and for which it was looked.
    pub(super) candidates: HashMap<u32, Vec<Candidate>>,
    pub(super) sought: HashSet<u32>,
    /// Which names each key has below it, see [`Builder::mark`].
    names: HashSet<u64>,
    seed: RandomState,
    /// How many keys have a name of this hash, once that was asked.
    pub(super) name_counts: Option<HashMap<u32, usize>>,
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
            open: HashSet::new(),
            candidates: HashMap::new(),
            sought: HashSet::new(),
            names: HashSet::new(),
            seed: RandomState::new(),
            name_counts: None,
            trials: Cell::new(TRIALS),
        }
    }

    /// Puts `node` below the key `parent`.
    pub(super) fn place(&mut self, node: Node, parent: Option<usize>) -> usize {
        let name = node.name(self.bins).bytes.to_vec();
        self.place_as(node, name, node.is_narrow, parent)
    }

    pub(super) fn place_as(
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
    pub(super) fn has_lost_name(&self, node: &Node) -> bool {
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

    /// Whether one more thing may be tried.
    pub(super) fn may_try(&self) -> bool {
        let left = self.trials.get();
        self.trials.set(left.saturating_sub(1));
        left > 0
    }

    /// The last change of the key at `index`.
    pub(super) fn time(key: &Key) -> u64 {
        key.head.last_written.get()
    }
}

/// Whether a count is another one with one bit turned.
pub(super) fn is_turned_count(one: usize, other: usize) -> bool {
    (one ^ other).is_power_of_two()
}
