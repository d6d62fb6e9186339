// SPDX-License-Identifier: GPL-3.0-or-later
//! Where a key is in its hive.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Name;
use super::name::Folding;
use crate::text::Foreign;

/// A key's path below its hive's root: the names on the way to it, in the spelling they were given.
///
/// A copy costs nothing, and paths share what they have in common: thousands of changes may be
/// about one key, and thousands of keys may lie below each other. Equality is exact; what the
/// registry calls equal is told by [`NodePath::same_as`], and by `NodePath::folded` in a map.
#[derive(Clone, Default)]
pub struct NodePath(Option<Arc<Step>>);

/// One name of a path, and what is above it.
struct Step {
    above: NodePath,
    name: Name,
    /// Levels below the root, from 1.
    depth: usize,
    /// Of the upper-cased path: equal paths have equal ones.
    hash: u64,
}

impl NodePath {
    /// The root itself.
    pub fn root() -> Self {
        Self(None)
    }

    /// The key `name` right below this one.
    pub fn join(&self, name: Name) -> Self {
        let mut folding = Folding::below(self.hash_of_folded());
        folding.add(name.units().iter().copied());
        Self(Some(Arc::new(Step {
            above: self.clone(),
            depth: self.depth().saturating_add(1),
            hash: folding.finish(),
            name,
        })))
    }

    /// The key `names` below this one.
    pub fn below(&self, names: impl IntoIterator<Item = Name>) -> Self {
        let names = names.into_iter();
        names.fold(self.clone(), |path, name| path.join(name))
    }

    /// The path made of `names` from the root, which shares with `other` what both begin with.
    pub fn beside(other: &Self, names: impl IntoIterator<Item = Name>) -> Self {
        let known = other.steps();
        let mut known = known.into_iter();
        let mut path = Self::root();
        let mut is_shared = true;
        for name in names {
            let next = known.next().filter(|_| is_shared);
            match next.filter(|next| next.name() == Some(&name)) {
                Some(next) => path = next.clone(),
                None => {
                    is_shared = false;
                    path = path.join(name);
                }
            }
        }
        path
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// Levels below the root.
    pub fn depth(&self) -> usize {
        self.0.as_ref().map_or(0, |step| step.depth)
    }

    /// The key's own name; the root has none here.
    pub fn name(&self) -> Option<&Name> {
        self.0.as_ref().map(|step| &step.name)
    }

    /// The key above; nothing is above the root.
    pub fn above(&self) -> Option<&Self> {
        self.0.as_ref().map(|step| &step.above)
    }

    /// The name of the key right below the root that this is, or is below.
    pub fn first(&self) -> Option<&Name> {
        self.upwards().last().and_then(Self::name)
    }

    /// This key and each one above it, the root left out, the lowest first.
    pub fn upwards(&self) -> impl Iterator<Item = &Self> {
        let start = Some(self).filter(|path| !path.is_root());
        std::iter::successors(start, |path| path.above().filter(|above| !above.is_root()))
    }

    /// The same, the uppermost first.
    pub fn steps(&self) -> Vec<&Self> {
        let mut steps = Vec::with_capacity(self.depth());
        steps.extend(self.upwards());
        steps.reverse();
        steps
    }

    /// The names from the root on.
    pub fn names(&self) -> Vec<&Name> {
        self.steps().into_iter().filter_map(Self::name).collect()
    }

    /// The path as people write it.
    pub fn text(&self) -> Foreign {
        let names: Vec<String> = self.names().into_iter().map(Name::to_text).collect();
        Foreign::from(names.join("\\"))
    }

    /// The path without its first name: below a control set instead of the root. The root has none.
    pub fn without_first(&self) -> Option<Self> {
        let names = self.names();
        let (_, rest) = names.split_first()?;
        Some(rest.iter().copied().cloned().collect())
    }

    /// Whether the registry takes both for one path.
    pub fn same_as(&self, other: &Self) -> bool {
        self.agrees(other, Name::same_as)
    }

    /// Whether this is the key `above`, or is below it.
    pub fn is_at_or_below(&self, above: &Self) -> bool {
        let up = self.depth().checked_sub(above.depth());
        let Some(up) = up else {
            return false;
        };
        match self.upwards().nth(up) {
            Some(path) => path.same_as(above),
            None => above.is_root(),
        }
    }

    /// The path as a map's key, equal for what the registry takes for one path.
    pub(crate) fn folded(&self) -> FoldedPath {
        FoldedPath(self.clone())
    }

    /// The hash of the upper-cased path.
    fn hash_of_folded(&self) -> u64 {
        self.0.as_ref().map_or(0, |step| step.hash)
    }

    /// Whether both have the same names, as `same` tells it; nothing is compared that both share.
    fn agrees(&self, other: &Self, same: fn(&Name, &Name) -> bool) -> bool {
        if self.hash_of_folded() != other.hash_of_folded() || self.depth() != other.depth() {
            return false;
        }
        let (mut one, mut two) = (self, other);
        while let (Some(ours), Some(theirs)) = (&one.0, &two.0) {
            if Arc::ptr_eq(ours, theirs) {
                return true;
            }
            if !same(&ours.name, &theirs.name) {
                return false;
            }
            (one, two) = (&ours.above, &theirs.above);
        }
        one.is_root() && two.is_root()
    }
}

/// Step by step: a path of a million names must not be a million calls deep.
impl Drop for NodePath {
    fn drop(&mut self) {
        let mut last = self.0.take();
        while let Some(step) = last {
            last = Arc::into_inner(step).and_then(|mut step| step.above.0.take());
        }
    }
}

impl PartialEq for NodePath {
    fn eq(&self, other: &Self) -> bool {
        self.agrees(other, Name::eq)
    }
}

impl Eq for NodePath {}

impl FromIterator<Name> for NodePath {
    fn from_iter<I: IntoIterator<Item = Name>>(names: I) -> Self {
        Self::root().below(names)
    }
}

impl From<&NodePath> for NodePath {
    fn from(path: &NodePath) -> Self {
        path.clone()
    }
}

impl From<&[Name]> for NodePath {
    fn from(names: &[Name]) -> Self {
        names.iter().cloned().collect()
    }
}

impl<const N: usize> From<&[Name; N]> for NodePath {
    fn from(names: &[Name; N]) -> Self {
        names.iter().cloned().collect()
    }
}

impl From<&Vec<Name>> for NodePath {
    fn from(names: &Vec<Name>) -> Self {
        names.iter().cloned().collect()
    }
}

/// From the text that [`NodePath`] is displayed as; no text is the root.
impl From<&str> for NodePath {
    fn from(text: &str) -> Self {
        let names = text.split('\\').filter(|_| !text.is_empty());
        names.map(Name::from).collect()
    }
}

/// The names with backslashes between them, as people write a path.
impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().into_iter().enumerate() {
            if index > 0 {
                f.write_str("\\")?;
            }
            name.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// A path that is equal to each other spelling of it.
#[derive(Clone, Debug)]
pub(crate) struct FoldedPath(NodePath);

impl PartialEq for FoldedPath {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_as(&other.0)
    }
}

impl Eq for FoldedPath {}

impl Hash for FoldedPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash_of_folded());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn spelling_matters_to_equality_and_not_to_the_registry() {
        let (one, two) = (NodePath::from("A\\bé"), NodePath::from("a\\BÉ"));
        assert_ne!(one, two);
        assert!(one.same_as(&two));
        assert_eq!(one.folded(), two.folded());
        assert_eq!(one, NodePath::from("A").join("bé".into()));
        assert!(HashSet::from([one.folded()]).contains(&two.folded()));
        // One name with a backslash in it is not two names.
        let odd = NodePath::root().join("A\\bé".into());
        assert!(!odd.same_as(&one) && odd.to_string() == one.to_string());
    }

    #[test]
    fn what_is_below_is_told_by_names() {
        let above = NodePath::from("a\\b");
        for (path, is_below) in [
            ("A\\B", true),
            ("a\\b\\c\\d", true),
            ("a", false),
            ("a\\bc", false),
            ("b\\b\\c", false),
            ("", false),
        ] {
            let path = NodePath::from(path);
            assert_eq!(path.is_at_or_below(&above), is_below, "{path}");
            assert!(path.is_at_or_below(&NodePath::root()));
        }
    }

    #[test]
    fn names_are_those_it_was_made_of() {
        let path = NodePath::from("ControlSet001\\Control\\Lsa");
        assert_eq!(path.depth(), 3);
        assert_eq!(path.first(), Some(&Name::from("ControlSet001")));
        assert_eq!(path.name(), Some(&Name::from("Lsa")));
        assert_eq!(path.without_first(), Some("Control\\Lsa".into()));
        assert_eq!(NodePath::root().without_first(), None);
        assert_eq!(NodePath::from(""), NodePath::root());
        let names: Vec<Name> = path.names().into_iter().cloned().collect();
        assert_eq!(NodePath::from(&names), path);
    }

    #[test]
    fn a_path_made_beside_another_shares_its_beginning() {
        let one = NodePath::from("a\\b\\c");
        let names = |text: &str| text.split('\\').map(Name::from).collect::<Vec<_>>();
        for text in ["a\\b\\d", "a\\b", "a\\b\\c\\d", "a\\B\\c", "x", "a\\x\\c"] {
            let beside = NodePath::beside(&one, names(text));
            assert_eq!(beside, NodePath::from(text));
        }
        let beside = NodePath::beside(&one, names("a\\b\\d"));
        let shared = [&one, &beside].map(|path| path.above().and_then(|path| path.0.as_ref()));
        let [Some(one), Some(two)] = shared else {
            panic!("no keys above")
        };
        assert!(Arc::ptr_eq(one, two));
    }

    #[test]
    fn a_path_of_a_million_names_is_dropped() {
        let path: NodePath = (0..1_000_000).map(|_| Name::from("a")).collect();
        assert_eq!(path.depth(), 1_000_000);
        assert!(path.same_as(&path.clone()));
    }
}
