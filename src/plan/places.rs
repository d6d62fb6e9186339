// SPDX-License-Identifier: GPL-3.0-or-later
//! The real keys that a profile's key means.

use super::PlanError;
use crate::machine::{HiveInput, MachineError};
use crate::profile::{KeyPath, Wildcard};
use crate::regf::{Hive, Name, NodePath, RegfError};
use crate::text::Foreign;

/// A real key that a rule is about.
pub(super) struct Place {
    /// The control set's key, where it is in one.
    pub(super) control_set: Option<String>,
    /// Its path below the hive's root.
    pub(super) key: NodePath,
    /// What each `*` and `{GUID}` of the rule's key stands for.
    pub(super) bound: Vec<Name>,
}

/// The most real keys that one rule can be about.
pub(super) const MAX_PLACES: usize = 4096;

/// What a key with `*` and `{GUID}` means in a hive.
pub(super) struct Enumerated {
    /// The paths, each with what the wildcards stand for.
    pub(super) found: Vec<(NodePath, Vec<Name>)>,
    /// Keys that match and are left alone, with the reason.
    pub(super) left: Vec<(Foreign, String)>,
    /// More match than are looked at.
    pub(super) too_many: bool,
}

/// Every key that the names of `of` mean below `root`; a segment without a wildcard need not exist. Without
/// wildcards it is one, which shares with the path `beside` it what both begin with.
///
/// # Errors
///
/// Where a structure on the way is damaged, or a key on it must not be edited.
pub(super) fn enumerate(
    input: &HiveInput<'_>,
    root: NodePath,
    of: &KeyPath,
    beside: &NodePath,
) -> Result<Enumerated, PlanError> {
    let segments = of.segments.as_slice();
    if of.wildcards() == 0 {
        let root = root.steps().into_iter().filter_map(NodePath::name).cloned();
        let names = segments.iter().map(|segment| Name::from(segment.as_str()));
        return Ok(Enumerated {
            found: vec![(NodePath::beside(beside, root.chain(names)), Vec::new())],
            left: Vec::new(),
            too_many: false,
        });
    }
    let mut all = Enumerated {
        found: vec![(root, Vec::new())],
        left: Vec::new(),
        too_many: false,
    };
    for segment in segments {
        let Some(wildcard) = of.wildcard(segment) else {
            let name = Name::from(segment.as_str());
            let paths = all.found.iter_mut();
            paths.for_each(|(path, _)| *path = path.join(name.clone()));
            continue;
        };
        let mut deeper = Vec::new();
        for (path, bound) in std::mem::take(&mut all.found) {
            let names = matching(input, &path, wildcard, &mut all.left)?;
            if deeper.len().saturating_add(names.len()) > MAX_PLACES {
                all.too_many = true;
                return Ok(all);
            }
            for name in names {
                let bound = [bound.as_slice(), std::slice::from_ref(&name)].concat();
                deeper.push((path.join(name), bound));
            }
        }
        all.found = deeper;
    }
    Ok(all)
}

/// The names of the keys below `path` that the wildcard stands for.
fn matching(
    input: &HiveInput<'_>,
    path: &NodePath,
    wildcard: Wildcard,
    left: &mut Vec<(Foreign, String)>,
) -> Result<Vec<Name>, PlanError> {
    let Some(key) = input.find_key(path)? else {
        return Ok(Vec::new());
    };
    let regf = MachineError::in_hive(input.name);
    let mut names = Vec::new();
    for subkey in input.hive.subkeys(&key).map_err(&regf)? {
        let (name, special) = name_of(&input.hive, subkey).map_err(&regf)?;
        let text = String::from_utf16(name.units());
        if let Ok(text) = &text
            && !wildcard.matches(text)
        {
            continue;
        }
        let reason = match (&text, special) {
            (_, Some(special)) => format!("the key {special}"),
            (Ok(text), None) if !text.contains(['\\', '\0']) => {
                names.push(name);
                continue;
            }
            _ => "the key's name cannot be written as text".to_owned(),
        };
        if left.len() < MAX_PLACES {
            left.push((path.join(name).text(), reason));
        }
    }
    Ok(names)
}

fn name_of(
    hive: &Hive<'_>,
    at: crate::regf::CellOffset,
) -> Result<(Name, Option<crate::regf::SpecialKey>), RegfError> {
    let key = hive.key(at)?;
    Ok((key.name().to_name(), key.special()))
}
