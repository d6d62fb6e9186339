// SPDX-License-Identifier: GPL-3.0-or-later
//! The way to a key that is edited.

use super::editor::{Editor, expect_ordinary};
use super::error::EditError;
use crate::regf::{CellOffset, NodePath};

/// How far the keys of a path exist.
pub(super) struct Way<'p> {
    /// The lowest that exists.
    pub(super) at: CellOffset,
    /// Those below it, the uppermost first.
    pub(super) missing: Vec<&'p NodePath>,
}

impl Editor {
    /// The key at `path`, if every key on the way is an ordinary one.
    pub(super) fn find_ordinary(
        &mut self,
        path: &NodePath,
    ) -> Result<Option<CellOffset>, EditError> {
        let way = self.way_to(path)?;
        Ok(way.missing.is_empty().then_some(way.at))
    }

    /// How far `path` exists, if every key on the way is an ordinary one.
    pub(super) fn way_to<'p>(&mut self, path: &'p NodePath) -> Result<Way<'p>, EditError> {
        let mut missing = Vec::new();
        let mut known = None;
        for path in path.upwards() {
            known = self.found.get(&path.folded()).copied();
            match known {
                Some(_) => break,
                None => missing.push(path),
            }
        }
        let mut at = match known {
            Some(at) => at,
            None => {
                let root = self.hive()?.root()?;
                expect_ordinary(&root)?;
                root.at()
            }
        };
        while let Some(path) = missing.last().copied() {
            let Some(name) = path.name() else {
                break;
            };
            let Some(subkey) = self.find_subkey(at, name)? else {
                break;
            };
            expect_ordinary(&self.hive()?.key(subkey)?)?;
            at = subkey;
            self.found.insert(path.folded(), at);
            missing.pop();
        }
        missing.reverse();
        Ok(Way { at, missing })
    }

    /// Notes that a key was made.
    pub(super) fn note_made(&mut self, path: &NodePath, at: CellOffset) {
        self.found.insert(path.folded(), at);
    }

    /// Notes that the key at `path` is gone, and whether there were keys below it.
    pub(super) fn note_gone(&mut self, path: &NodePath, had_subkeys: bool) {
        match had_subkeys {
            true => self.found.clear(),
            false => drop(self.found.remove(&path.folded())),
        }
    }
}
