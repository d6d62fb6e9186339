// SPDX-License-Identifier: GPL-3.0-or-later
//! A key and all that is below it, key by key, in memory and time that the hive's size bounds.

use std::collections::HashSet;

use thiserror::Error;

use super::Value;
use crate::regf::{
    CellOffset, Hive, KEY_DEPTH_LIMIT, KeyNode, KeyValue, Name, NodePath, RegfError,
};

/// The smallest key node, with its cell's size field, in bytes.
const KEY_SIZE: u32 = 80;
/// The smallest key value, with its cell's size field, in bytes.
const VALUE_SIZE: u32 = 24;

/// Why a part of a tree was left out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unwalked {
    /// A structure is damaged.
    #[error("{0}")]
    Damaged(RegfError),
    /// A key is in more than one list.
    #[error("it is listed a second time: keys lie below each other in a circle, or share a list")]
    Again,
    /// Deeper than a registry can be.
    #[error(
        "it is more than {KEY_DEPTH_LIMIT} levels below the root, which Windows does not allow"
    )]
    TooDeep,
    /// There are more keys, values or bytes in lists than the hive has room for.
    #[error("more is listed here than the hive has room for")]
    TooMuch,
}

impl From<RegfError> for Unwalked {
    fn from(error: RegfError) -> Self {
        Self::Damaged(error)
    }
}

/// A key on the way.
#[derive(Clone, Debug)]
pub struct Met<'a> {
    /// Where it is; where it cannot be read, the key above.
    pub path: NodePath,
    /// The key, where it can be read and was not met before.
    pub key: Option<KeyNode<'a>>,
    /// Why it, or what is below it, was left out.
    pub trouble: Option<Unwalked>,
}

/// Goes from key to key, each above what is below it. Every key is met once, whatever lists say.
pub struct Walk<'h, 'a> {
    hive: &'h Hive<'a>,
    /// The key that it begins with, until that was met.
    first: Option<(NodePath, CellOffset)>,
    /// Keys to come, each with the key above; the next one last.
    waiting: Vec<(NodePath, CellOffset)>,
    seen: HashSet<CellOffset>,
    /// How many list elements, values and bytes of data may still come: no more than fit into the
    /// hive, where each is in one place only.
    keys_left: u32,
    values_left: u32,
    bytes_left: Option<u32>,
}

impl<'h, 'a> Walk<'h, 'a> {
    /// `key`, which is at `path`, and the keys below it.
    pub fn from(hive: &'h Hive<'a>, path: NodePath, key: &KeyNode<'_>) -> Self {
        let room = hive.base().bins_size;
        Self {
            hive,
            first: Some((path, key.at())),
            waiting: Vec::new(),
            seen: HashSet::new(),
            keys_left: room.checked_div(KEY_SIZE).unwrap_or(0),
            values_left: room.checked_div(VALUE_SIZE).unwrap_or(0),
            bytes_left: Some(room),
        }
    }

    /// Puts the keys below `key` in front of those to come.
    fn list(&mut self, path: &NodePath, key: &KeyNode<'_>) -> Result<(), Unwalked> {
        // A list that is longer than the hive has room for is left out, and all others are read.
        if key.subkey_count() > self.keys_left {
            return Err(Unwalked::TooMuch);
        }
        let children = self.hive.subkeys(key)?;
        let count = u32::try_from(children.len()).unwrap_or(u32::MAX);
        self.keys_left = self.keys_left.checked_sub(count).ok_or(Unwalked::TooMuch)?;
        let children = children.into_iter().rev();
        self.waiting.extend(children.map(|at| (path.clone(), at)));
        Ok(())
    }

    /// The values of `key`.
    ///
    /// # Errors
    ///
    /// Where the list is damaged.
    pub fn values(&mut self, key: &KeyNode<'_>) -> Result<Vec<CellOffset>, Unwalked> {
        let left = self.values_left.checked_sub(key.value_count());
        self.values_left = left.ok_or(Unwalked::TooMuch)?;
        Ok(self.hive.values(key)?)
    }

    /// The value at `at`, with its name.
    ///
    /// # Errors
    ///
    /// Where it is damaged.
    pub fn value(&mut self, at: CellOffset) -> Result<(Name, KeyValue<'a>), Unwalked> {
        self.take(0)?;
        let value = self.hive.value(at)?;
        self.take(u32::try_from(value.name().bytes.len()).unwrap_or(u32::MAX))?;
        Ok((value.name().to_name(), value))
    }

    /// Type and data of a value.
    ///
    /// # Errors
    ///
    /// Where the data is damaged.
    pub fn data(&mut self, value: &KeyValue<'_>) -> Result<Value, Unwalked> {
        if !value.is_inline() {
            self.take(value.data_size())?;
        }
        let (kind, data) = (value.kind(), self.hive.data(value)?.into_owned());
        Ok(Value { kind, data })
    }

    /// Takes bytes from those that may still come; once there are too few, none come any more.
    fn take(&mut self, bytes: u32) -> Result<(), Unwalked> {
        let left = self.bytes_left.and_then(|left| left.checked_sub(bytes));
        self.bytes_left = left;
        left.map(|_| ()).ok_or(Unwalked::TooMuch)
    }
}

impl<'a> Iterator for Walk<'_, 'a> {
    type Item = Met<'a>;

    fn next(&mut self) -> Option<Met<'a>> {
        let first = self.first.take();
        let is_first = first.is_some();
        let (above, at) = first.or_else(|| self.waiting.pop())?;
        let left_out = |path, trouble| Met {
            path,
            key: None,
            trouble: Some(trouble),
        };
        let key = match self.hive.key(at) {
            Ok(key) => key,
            Err(error) => return Some(left_out(above, error.into())),
        };
        let path = match is_first {
            true => above,
            false => above.join(key.name().to_name()),
        };
        if !self.seen.insert(at) {
            return Some(left_out(path, Unwalked::Again));
        }
        if path.depth() > KEY_DEPTH_LIMIT {
            return Some(left_out(path, Unwalked::TooDeep));
        }
        let trouble = self.list(&path, &key).err();
        if trouble == Some(Unwalked::TooMuch) && key.subkey_count() <= self.keys_left {
            // The list has more in it than it says: so may every other, and each costs time.
            self.waiting.clear();
        }
        Some(Met {
            path,
            key: Some(key),
            trouble,
        })
    }
}
