// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys that live and whose place in the tree is lost.

use super::model::{Origin, ROOT, Tree};
use super::notes::Notes;
use super::tree::Builder;
use crate::regf::Name;

/// Keys for a side file.
pub(super) struct Orphans {
    /// Below a root of its own, below a key named after where the lost key was.
    pub(super) tree: Tree,
    /// How many keys they are.
    pub(super) keys: u64,
}

/// Gathers them, once the tree of the hive itself is taken out of `builder`.
pub(super) fn gather(builder: &mut Builder<'_>, minor: u32) -> Option<Orphans> {
    let lost: Vec<(u32, Vec<u32>)> = builder
        .tops()
        .into_iter()
        .filter(|(at, _)| builder.bins.is_in_broken(*at))
        .collect();
    if lost.is_empty() {
        return None;
    }
    builder.make(u32::MAX, Name::from("ORPHANS"), None, Origin::Named);
    let mut made = 0_usize;
    for (at, _) in lost {
        let name = Name::from(format!("{at:08x}").as_str());
        builder.make(at, name, Some(ROOT), Origin::Named);
        made = made.saturating_add(1);
    }
    builder.grow();
    builder.read_security();
    builder.read_values(minor);
    builder.settle_flags(minor);
    builder.prune();
    builder.read_classes();
    builder.notes = Notes::default();
    let tree = std::mem::take(&mut builder.tree);
    let keys = tree.keys.len().saturating_sub(made).saturating_sub(1);
    let keys = u64::try_from(keys).unwrap_or(u64::MAX);
    Some(Orphans { tree, keys })
}
