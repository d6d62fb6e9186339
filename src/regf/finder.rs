// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys and values of a hive, where thousands of them are asked for.

use std::cell::RefCell;
use std::collections::HashMap;

use super::named::SubkeysByName;
use super::{
    CellOffset, FoldedPath, Hive, KeyNode, KeyValue, Name, NodePath, RegfError, SpecialKey,
    ValuesByName,
};

/// Looks keys and values up by their names, and remembers what was on the way.
///
/// Its answers are those of [`Hive::find_subkey`] and [`Hive::find_value`]. What it keeps grows with
/// what was asked for, and with the subkeys and values of the keys that were asked often.
pub struct Finder<'a> {
    hive: Hive<'a>,
    paths: RefCell<HashMap<FoldedPath, Place>>,
    subkeys: RefCell<HashMap<CellOffset, Subkeys>>,
    values: RefCell<HashMap<CellOffset, ValuesByName>>,
}

/// What was looked for.
#[derive(Clone, Debug)]
pub struct Looked<'a> {
    /// The key, where it is there.
    pub key: Option<KeyNode<'a>>,
    /// The uppermost key at or above it that stands for something else than itself, by its level
    /// below the root. Nothing is looked for below such a key.
    pub special: Option<(usize, SpecialKey)>,
}

#[derive(Clone, Copy)]
struct Place {
    at: Option<CellOffset>,
    special: Option<(usize, SpecialKey)>,
}

/// The subkeys of a key that was asked for some of them.
#[derive(Default)]
struct Subkeys {
    asked: u32,
    by_name: Option<SubkeysByName>,
}

/// A key that is asked for fewer subkeys than this is looked through each time.
const FEW: u32 = 8;

impl<'a> Finder<'a> {
    /// Looks things up in `hive`.
    pub fn new(hive: Hive<'a>) -> Self {
        Self {
            hive,
            paths: RefCell::default(),
            subkeys: RefCell::default(),
            values: RefCell::default(),
        }
    }

    /// The hive.
    pub fn hive(&self) -> &Hive<'a> {
        &self.hive
    }

    /// The key at `path`.
    ///
    /// # Errors
    ///
    /// Where a structure on the way is damaged.
    pub fn find(&self, path: &NodePath) -> Result<Looked<'a>, RegfError> {
        let mut unknown = Vec::new();
        let mut known = None;
        for path in path.upwards() {
            known = self.paths.borrow().get(&path.folded()).copied();
            match known {
                Some(_) => break,
                None => unknown.push(path),
            }
        }
        let mut place = match known {
            Some(place) => place,
            None => Place {
                at: Some(self.hive.root()?.at()),
                special: None,
            },
        };
        let mut key = None;
        for path in unknown.into_iter().rev() {
            (place, key) = self.below(place, key, path)?;
            self.paths.borrow_mut().insert(path.folded(), place);
        }
        let key = match (key, place.at) {
            (None, Some(at)) => Some(self.hive.key(at)?),
            (key, _) => key,
        };
        let special = place.special;
        Ok(Looked { key, special })
    }

    /// The key at `path`, right below `above`, which was read already or stands at its place.
    fn below(
        &self,
        above: Place,
        read: Option<KeyNode<'a>>,
        path: &NodePath,
    ) -> Result<(Place, Option<KeyNode<'a>>), RegfError> {
        let nothing = Place { at: None, ..above };
        let (Some(at), Some(name), None) = (above.at, path.name(), above.special) else {
            return Ok((nothing, None));
        };
        let key = match read {
            Some(key) => key,
            None => self.hive.key(at)?,
        };
        let Some(subkey) = self.find_subkey(&key, name)? else {
            return Ok((nothing, None));
        };
        let place = Place {
            at: Some(subkey.at()),
            special: subkey.special().map(|special| (path.depth(), special)),
        };
        Ok((place, Some(subkey)))
    }

    /// The subkey of `key` called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// As [`Hive::find_subkey`].
    pub fn find_subkey(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyNode<'a>>, RegfError> {
        let mut all = self.subkeys.borrow_mut();
        let subkeys = all.entry(key.at()).or_default();
        subkeys.asked = subkeys.asked.saturating_add(1);
        if subkeys.asked <= FEW {
            return self.hive.find_subkey(key, name);
        }
        match &mut subkeys.by_name {
            Some(by_name) => by_name.find(&self.hive, name),
            empty => {
                let by_name = SubkeysByName::of(&self.hive, key)?;
                empty.insert(by_name).find(&self.hive, name)
            }
        }
    }

    /// The value of `key` called `name`, in whatever spelling.
    ///
    /// # Errors
    ///
    /// As [`Hive::find_value`].
    pub fn find_value(
        &self,
        key: &KeyNode<'_>,
        name: &Name,
    ) -> Result<Option<KeyValue<'a>>, RegfError> {
        let mut all = self.values.borrow_mut();
        let values = match all.get_mut(&key.at()) {
            Some(values) => values,
            None => {
                let values = ValuesByName::of(&self.hive, key)?;
                all.entry(key.at()).or_insert(values)
            }
        };
        let found = values.find(&self.hive, name)?;
        Ok(found.map(|found| found.value))
    }
}
