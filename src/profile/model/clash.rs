// SPDX-License-Identifier: GPL-3.0-or-later
//! Two entries for one value: which claims of profiles overlap.

use std::collections::HashMap;

use super::key_path::{HiveName, KeyPath, control_sets_overlap};
use super::location::Location;
use super::profile::{KeyRule, ValueRule};
use super::upcase::upcase;
use super::want::Want;
use super::when::{When, exclude};

/// What one entry says: about a value, or that a key should be absent.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'p> {
    /// Which of the profiles says it.
    pub(crate) profile: usize,
    /// The conditions of that profile.
    when: &'p [When],
    pub(crate) key: &'p KeyRule,
    pub(crate) value: Option<&'p ValueRule>,
}

impl<'p> Claim<'p> {
    /// Where it stands.
    pub(crate) fn at(&self) -> Location {
        self.value.map_or(self.key.at, |value| value.at)
    }

    /// Whether both can be about the same thing on some machine.
    fn overlaps(&self, other: &Claim<'_>) -> bool {
        let one = self.key.path.control_set;
        control_sets_overlap(one, other.key.path.control_set)
            && !exclude(&self.conditions(), &other.conditions())
    }

    fn conditions(&self) -> Vec<&'p When> {
        self.when.iter().chain(&self.key.when).collect()
    }

    /// Whether both can be followed.
    pub(crate) fn agrees_with(&self, other: &Claim<'_>) -> bool {
        match (self.value, other.value) {
            (Some(one), Some(two)) => one.want.agrees_with(&two.want),
            (None, None) => true,
            // Who wants a value gone does not mind that its key is gone.
            (Some(one), None) | (None, Some(one)) => one.want == Want::Absent,
        }
    }

    /// What tells the value from the others of its key. Which real ones `*` shares with them shows when
    /// a plan is made.
    fn slot(&self) -> Vec<u16> {
        match self.value {
            Some(value) if value.every => vec![0],
            Some(value) => upcase(&value.name),
            None => Vec::new(),
        }
    }
}

/// The rules of a profile, with the conditions that all of them have.
pub(crate) type Rules<'p> = (&'p [When], &'p [KeyRule]);

/// More pairs than this are not worth listing.
const MAX_CLASHES: usize = 100;

/// Finds the pairs of claims that overlap and do not agree, in each the earlier one first.
pub(crate) fn clashes<'p>(
    profiles: &[Rules<'p>],
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
) -> Vec<(Claim<'p>, Claim<'p>)> {
    let mut index = Index {
        absent: HashMap::new(),
        values: HashMap::new(),
        agree,
        found: Vec::new(),
    };
    let keys = || {
        let numbered = profiles.iter().enumerate();
        numbered.flat_map(|(profile, (when, keys))| {
            keys.iter().map(move |key| Claim {
                profile,
                when,
                key,
                value: None,
            })
        })
    };
    // All absent keys first: a value has to look for them above itself only.
    for claim in keys().filter(|claim| claim.key.absent) {
        index.add_absent(claim);
    }
    for claim in keys() {
        index.add_values(claim);
    }
    index
        .found
        .sort_by_key(|(_, second)| (second.profile, second.at()));
    index.found
}

/// Claims that have been made about one thing.
type Made<'p> = Vec<Claim<'p>>;

/// The claims made so far. Keys are as [`place`] gives them.
struct Index<'p> {
    absent: HashMap<Vec<u16>, Made<'p>>,
    /// By key, then by the value's name in upper case.
    values: HashMap<Vec<u16>, HashMap<Vec<u16>, Made<'p>>>,
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
    found: Vec<(Claim<'p>, Claim<'p>)>,
}

impl<'p> Index<'p> {
    fn add_absent(&mut self, claim: Claim<'p>) {
        let (place, _) = place(&claim.key.path);
        let made = self.absent.entry(place).or_default();
        match clash(&claim, made, self.agree) {
            Some(other) => self.found.push(in_order(claim, other)),
            None => made.push(claim),
        }
    }

    fn add_values(&mut self, of_key: Claim<'p>) {
        let key = of_key.key;
        let (place, ends) = place(&key.path);
        let claim = |value| Claim {
            value: Some(value),
            ..of_key
        };
        if !self.absent.is_empty() {
            let above = ends
                .iter()
                .filter_map(|&end| self.absent.get(place.get(..end)?));
            let above: Made<'p> = above.flatten().copied().collect();
            let mut pairs = key.values.iter().map(claim).filter_map(|claim| {
                let other = clash(&claim, &above, self.agree)?;
                Some(in_order(claim, other))
            });
            // One pair says it: the other values of the key suffer the same.
            let pair = pairs.next();
            self.found.extend(pair);
        }
        let slots = self.values.entry(place).or_default();
        for claim in key.values.iter().map(claim) {
            if self.found.len() >= MAX_CLASHES {
                return;
            }
            let made = slots.entry(claim.slot()).or_default();
            match clash(&claim, made, self.agree) {
                Some(other) => self.found.push(in_order(claim, other)),
                None => made.push(claim),
            }
        }
    }
}

/// More entries than this for one value are taken to overlap, so that comparing all pairs of a
/// hostile profile ends.
const MAX_ALTERNATIVES: usize = 64;

fn clash<'p>(
    claim: &Claim<'p>,
    made: &[Claim<'p>],
    agree: fn(&Claim<'p>, &Claim<'p>) -> bool,
) -> Option<Claim<'p>> {
    let is_long = made.len() >= MAX_ALTERNATIVES;
    let mut made = made.iter();
    made.find(|other| (is_long || claim.overlaps(other)) && !agree(claim, other))
        .copied()
}

fn in_order<'p>(one: Claim<'p>, other: Claim<'p>) -> (Claim<'p>, Claim<'p>) {
    match (one.profile, one.at()) <= (other.profile, other.at()) {
        true => (one, other),
        false => (other, one),
    }
}

/// Returns the key without its control set, as Windows compares it, and the length that each key
/// on the way to it has in that.
fn place(path: &KeyPath) -> (Vec<u16>, Vec<usize>) {
    let in_system = u16::from(path.hive == HiveName::System);
    let in_control_set = u16::from(path.control_set.is_some());
    // In front of all names, what sets `SYSTEM\X` apart from `SYSTEM\CurrentControlSet\X`.
    let mut units = vec![in_system, in_control_set];
    let mut ends = Vec::with_capacity(path.segments.len());
    for name in &path.segments {
        units.push(u16::from(b'\\'));
        units.extend(upcase(name));
        ends.push(units.len());
    }
    (units, ends)
}
