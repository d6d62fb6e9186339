// SPDX-License-Identifier: GPL-3.0-or-later
//! Creating and deleting keys.

use super::editor::Editor;
use super::error::{EditError, Refusal};
use crate::regf::structures::{KeyNodeHeader, Offset};
use crate::regf::{
    CellOffset, Hive, KEY_DEPTH_LIMIT, KEY_NAME_LIMIT, KeyNode, Name, NodePath, SpecialKey, field,
    key_flags,
};
use zerocopy::IntoBytes;

const TOO_DEEP: &str = "keys are nested at most 511 levels below the root";

impl Editor {
    /// Creates the key at `path` and every key missing on the way; says how many were made.
    ///
    /// A new key has the security that Windows gives it where an administrator makes it: what it
    /// inherits from its parent.
    ///
    /// # Errors
    ///
    /// Where a name cannot be a key's, or a key on the way must not be edited;
    /// [`EditError::Descriptor`] where nothing can be inherited.
    pub fn create_key(&mut self, path: impl Into<NodePath>) -> Result<usize, EditError> {
        let path = path.into();
        expect_key_names(&path)?;
        let way = self.way_to(&path)?;
        if way.missing.is_empty() {
            return Ok(0);
        }
        self.spare_key(&path)?;
        self.expect_inheritable(way.at, way.missing.len())?;
        self.edit(|editor| {
            let mut at = way.at;
            for path in &way.missing {
                let security = editor.use_inherited_security(at)?;
                let name = path.name().cloned().unwrap_or_default();
                at = editor.add_subkey(at, &name, security)?;
                editor.note_made(path, at);
            }
            Ok(way.missing.len())
        })
    }

    /// Deletes the key at `path` with all its subkeys; says whether it was there.
    ///
    /// # Errors
    ///
    /// [`EditError::Refused`] for the root, for a key that must not be deleted, and where a key on
    /// the way must not be edited.
    pub fn delete_key(&mut self, path: impl Into<NodePath>) -> Result<bool, EditError> {
        let path = path.into();
        let (Some(name), Some(above)) = (path.name(), path.above()) else {
            let (key, refusal) = (Name::default(), Refusal::Root);
            return Err(EditError::Refused { key, refusal });
        };
        self.spare_key(&path)?;
        let Some(parent) = self.find_ordinary(above)? else {
            return Ok(false);
        };
        let Some(key) = self.find_subkey(parent, name)? else {
            return Ok(false);
        };
        let keys = subtree(&self.hive()?, key)?;
        self.edit(|editor| {
            editor.note_gone(&path, keys.len() > 1);
            editor.remove_from_subkeys(parent, key)?;
            for key in keys {
                editor.free_key(key)?;
            }
            editor.touch(parent)?;
            Ok(true)
        })
    }

    /// Copies the key `from` of another hive, with all below it, to `path` in this one.
    ///
    /// The source must be sound, the parent must exist and `path` must not. Names, classes, values,
    /// flags, times and security descriptors come along.
    ///
    /// # Errors
    ///
    /// [`EditError::KeyMissing`] where the parent does not exist; [`EditError::BadName`] where the
    /// key does, or where keys would be nested too deep.
    pub fn copy_key(
        &mut self,
        source: &Hive<'_>,
        from: &KeyNode<'_>,
        path: impl Into<NodePath>,
    ) -> Result<(), EditError> {
        let path = path.into();
        expect_key_names(&path)?;
        self.spare_key(&path)?;
        let above = path.above().cloned().unwrap_or_default();
        let (Some(parent), Some(name)) = (self.find_ordinary(&above)?, path.name()) else {
            let missing = above.name().or(path.name()).cloned();
            return Err(EditError::KeyMissing(missing.unwrap_or_default()));
        };
        if self.find_subkey(parent, name)?.is_some() {
            let (name, why) = (name.clone(), "a key of this name is there already");
            return Err(EditError::BadName { name, why });
        }
        expect_levels_below(source, from, path.depth())?;
        self.edit(|editor| editor.copy_keys(source, from, parent, name))
    }

    fn copy_keys(
        &mut self,
        source: &Hive<'_>,
        from: &KeyNode<'_>,
        parent: CellOffset,
        name: &Name,
    ) -> Result<(), EditError> {
        let mut times = Vec::new();
        let mut waiting = vec![(from.at(), parent, name.clone())];
        while let Some((from, parent, name)) = waiting.pop() {
            let from = source.key(from)?;
            let to = self.copy_one_key(source, &from, parent, &name)?;
            times.push((to, from.last_written()));
            for subkey in source.subkeys(&from)? {
                let name = source.key(subkey)?.name().to_name();
                waiting.push((subkey, to, name));
            }
        }
        // Only now: each subkey that came along has changed its parent.
        for (to, time) in times {
            self.image
                .set(to, field!(KeyNodeHeader.last_written), time)?;
        }
        Ok(())
    }

    fn copy_one_key(
        &mut self,
        source: &Hive<'_>,
        from: &KeyNode<'_>,
        parent: CellOffset,
        name: &Name,
    ) -> Result<CellOffset, EditError> {
        let descriptor = source.security(from.security())?.descriptor().to_vec();
        let beside = self.hive()?.key(parent)?.security();
        let security = self.use_security(&descriptor, beside)?;
        let to = self.add_subkey(parent, name, security)?;
        let class = source.class_name(from)?;
        if !class.is_empty() {
            let cell = self.allocate_with(&class)?;
            let length = from.class_name_length();
            self.image.set(to, field!(KeyNodeHeader.class_name), cell)?;
            self.image
                .set(to, field!(KeyNodeHeader.class_name_length), length)?;
            let field = field!(KeyNodeHeader.largest_subkey_class);
            self.raise(parent, field, u32::from(length))?;
        }
        for value in source.values(from)? {
            let value = source.value(value)?;
            let data = source.data(&value)?;
            self.set_value_of(to, &value.name().to_name(), value.kind(), &data)?;
        }
        self.close_values(to)?;
        let kept = key_flags::COMP_NAME | key_flags::SYM_LINK | key_flags::NO_DELETE;
        let flags = self.hive()?.key(to)?.flags() | (from.flags() & kept & !key_flags::COMP_NAME);
        self.image.set(to, field!(KeyNodeHeader.flags), flags)?;
        let field = field!(KeyNodeHeader.virtualization_and_user_flags);
        let flags = from.virtualization_and_user_flags();
        self.image.set(to, field, flags)?;
        Ok(to)
    }

    /// Adds the key `name` below `parent`; the caller has counted it as a user of `security`.
    ///
    /// Spec: regf, *Key node*.
    pub(super) fn add_subkey(
        &mut self,
        parent: CellOffset,
        name: &Name,
        security: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let inherited = self.hive()?.key(parent)?.inherited_virtualization_flags();
        let (stored, narrow) = name.to_stored();
        let length = u16::try_from(stored.len()).unwrap_or(u16::MAX);
        let flags = if narrow { key_flags::COMP_NAME } else { 0 };
        let header = KeyNodeHeader {
            signature: KeyNodeHeader::SIGNATURE,
            flags: flags.into(),
            last_written: self.now.into(),
            parent: parent.into(),
            subkeys_list: Offset::NONE,
            volatile_subkeys_list: Offset::NONE,
            values_list: Offset::NONE,
            security: security.into(),
            class_name: Offset::NONE,
            virtualization_and_user_flags: inherited,
            name_length: length.into(),
            ..KeyNodeHeader::EMPTY
        };
        let at = self.allocate_with(&[header.as_bytes(), &stored].concat())?;
        self.insert_into_subkeys(parent, name, at)?;
        self.raise_largest_subkey_name(parent, name)?;
        self.touch(parent)?;
        Ok(at)
    }

    /// Only the field's lower half: the upper one holds flags since Windows Vista.
    fn raise_largest_subkey_name(
        &mut self,
        parent: CellOffset,
        name: &Name,
    ) -> Result<(), EditError> {
        let size = u16::try_from(name.utf16_size()).unwrap_or(u16::MAX);
        if self.hive()?.key(parent)?.largest_subkey_name() >= size {
            return Ok(());
        }
        let field = field!(KeyNodeHeader.largest_subkey_name);
        self.image.set(parent, field, size)
    }

    /// Frees one key's cells; its subkeys are freed on their own.
    fn free_key(&mut self, key: CellOffset) -> Result<(), EditError> {
        self.free_values(key)?;
        self.free_subkeys_lists(key)?;
        let hive = self.hive()?;
        let node = hive.key(key)?;
        let (security, class) = (node.security(), node.class_name());
        if node.class_name_length() > 0 && !class.is_none() {
            self.free_cell(class)?;
        }
        self.remove_security_user(security)?;
        self.damage.forget(key);
        self.free_cell(key)
    }
}

/// The key at `top` and all below it, every one of which may be deleted.
fn subtree(hive: &Hive<'_>, top: CellOffset) -> Result<Vec<CellOffset>, EditError> {
    let mut keys = Vec::new();
    let mut waiting = vec![top];
    while let Some(at) = waiting.pop() {
        let key = hive.key(at)?;
        if let Some(refusal) = why_not_deleted(&key, at == top) {
            let key = key.name().to_name();
            return Err(EditError::Refused { key, refusal });
        }
        waiting.extend(hive.subkeys(&key)?);
        keys.push(at);
    }
    Ok(keys)
}

/// Fails where keys below `from`, put at `depth`, would be nested too deep; so would a circle.
fn expect_levels_below(
    source: &Hive<'_>,
    from: &KeyNode<'_>,
    depth: usize,
) -> Result<(), EditError> {
    let mut waiting = vec![(from.at(), depth)];
    while let Some((at, depth)) = waiting.pop() {
        let key = source.key(at)?;
        if depth > KEY_DEPTH_LIMIT {
            let (name, why) = (key.name().to_name(), TOO_DEEP);
            return Err(EditError::BadName { name, why });
        }
        let below = source.subkeys(&key)?.into_iter();
        waiting.extend(below.map(|subkey| (subkey, depth.saturating_add(1))));
    }
    Ok(())
}

/// A link below the key goes with it; it can be made again. What the other special keys are cannot.
fn why_not_deleted(key: &KeyNode<'_>, is_top: bool) -> Option<Refusal> {
    if key.has(key_flags::HIVE_ENTRY) {
        return Some(Refusal::Root);
    }
    if key.has(key_flags::NO_DELETE) {
        return Some(Refusal::NoDelete);
    }
    match key.special() {
        Some(SpecialKey::SymbolicLink) if !is_top => None,
        special => special.map(Refusal::Special),
    }
}

fn expect_key_names(path: &NodePath) -> Result<(), EditError> {
    let bad = |name: &Name, why| {
        let name = name.clone();
        Err(EditError::BadName { name, why })
    };
    let names = path.names();
    for name in &names {
        if name.is_empty() {
            return bad(name, "a key's name is not empty");
        }
        if name.units().len() > KEY_NAME_LIMIT {
            return bad(name, "a key's name has at most 255 characters");
        }
        if name.units().contains(&u16::from(b'\\')) {
            return bad(name, "a backslash separates keys");
        }
    }
    match names.get(KEY_DEPTH_LIMIT..) {
        None | Some([]) => Ok(()),
        Some([name, ..]) => bad(name, TOO_DEEP),
    }
}
