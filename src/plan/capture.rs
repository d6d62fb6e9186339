// SPDX-License-Identifier: GPL-3.0-or-later
//! What a machine has for the keys and values of profiles.

use std::collections::HashMap;

use super::PlanError;
use super::places::{MAX_PLACES, enumerate};
use crate::machine::{HiveInput, Value, all_values, find_value};
use crate::profile::{ControlSet, HiveName, KeyPath, KeyRule, Profile, ValueRule, wildcard};
use crate::regf::{FoldedPath, Name, NodePath};

/// A key of a profile on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedKey {
    /// The key, without `*` and `{GUID}`.
    pub path: KeyPath,
    /// Whether it is one of those that `*` or `{GUID}` stands for.
    pub is_one_of_many: bool,
    /// Whether it is there.
    pub exists: bool,
    /// Whether the profile wants the key as a whole to be absent.
    pub should_be_absent: bool,
    /// Its values that the profile speaks of.
    pub values: Vec<CapturedValue>,
}

/// A value of a profile on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedValue {
    /// Its name.
    pub name: String,
    /// What it is; `None` where it is not there.
    pub found: Option<Value>,
    /// Whether it is a setting that the profile says lowers security.
    pub lowers_security: bool,
    /// Why the profile speaks of it.
    pub why: String,
}

/// Reads what the hives have for the keys and values of `profiles`, in one control set.
///
/// Conditions are not asked: what is there is there. What computes `Select` is left out.
///
/// # Errors
///
/// Where a structure on the way is damaged, a key must not be looked into, or too many keys match.
pub fn capture(
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    control_set: Option<&str>,
) -> Result<Vec<CapturedKey>, PlanError> {
    let mut captured = Captured {
        keys: Vec::new(),
        places: HashMap::new(),
    };
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    for rule in rules.filter(|rule| rule.boot.is_none()) {
        if let Some(input) = hives.iter().find(|input| input.name == rule.path.hive) {
            captured.add(input, rule, control_set)?;
        }
    }
    Ok(captured.keys)
}

struct Captured {
    keys: Vec<CapturedKey>,
    /// Where a key stands in `keys`.
    places: HashMap<(HiveName, FoldedPath), usize>,
}

impl Captured {
    fn add(
        &mut self,
        input: &HiveInput<'_>,
        rule: &KeyRule,
        control_set: Option<&str>,
    ) -> Result<(), PlanError> {
        let root = match rule.path.control_set {
            None => None,
            Some(ControlSet::Every) => match control_set {
                Some(name) => Some(name.to_owned()),
                None => return Ok(()),
            },
            Some(set @ ControlSet::Number(_)) => Some(set.to_string()),
        };
        let start = root.as_deref().map(Name::from).into_iter().collect();
        let all = enumerate(input, start, &rule.path, &NodePath::root())?;
        if all.too_many || self.keys.len() > MAX_PLACES {
            return Err(PlanError::TooManyKeys { limit: MAX_PLACES });
        }
        for (key, _) in all.found {
            let skip = usize::from(root.is_some());
            // A key that is really called `*` would mean all of them in a profile.
            if rule.path.wildcards() > 0
                && key
                    .upwards()
                    .filter_map(NodePath::name)
                    .any(|name| wildcard(&name.to_text()).is_some())
            {
                continue;
            }
            let segments = key.names().into_iter().skip(skip).map(Name::to_text);
            let path = KeyPath {
                segments: segments.collect(),
                ..rule.path.clone()
            };
            self.add_key(input, rule, &key, path)?;
        }
        Ok(())
    }

    fn add_key(
        &mut self,
        input: &HiveInput<'_>,
        rule: &KeyRule,
        key: &NodePath,
        path: KeyPath,
    ) -> Result<(), PlanError> {
        let node = input.find_key(key)?;
        let place = (input.name, key.folded());
        let index = match self.places.get(&place) {
            Some(index) => *index,
            None => {
                self.keys.push(CapturedKey {
                    path,
                    is_one_of_many: rule.path.wildcards() > 0,
                    exists: node.is_some(),
                    should_be_absent: false,
                    values: Vec::new(),
                });
                let index = self.keys.len().saturating_sub(1);
                self.places.insert(place, index);
                index
            }
        };
        let Some(captured) = self.keys.get_mut(index) else {
            return Ok(());
        };
        captured.should_be_absent |= rule.absent;
        for value in &rule.values {
            if value.every {
                let found = match &node {
                    Some(node) => all_values(input, node)?,
                    None => Vec::new(),
                };
                let is_new = |name: &Name, known: &[CapturedValue]| {
                    let mut known = known.iter();
                    !known.any(|known| Name::from(known.name.as_str()).same_as(name))
                };
                for (name, found) in found {
                    if is_new(&name, &captured.values) {
                        let value = ValueRule {
                            name: name.to_text(),
                            ..value.clone()
                        };
                        captured.values.push(captured_value(&value, Some(found)));
                    }
                }
                continue;
            }
            let name = Name::from(value.name.as_str());
            let mut known = captured.values.iter();
            if known.any(|known| Name::from(known.name.as_str()).same_as(&name)) {
                continue;
            }
            let found = match &node {
                Some(node) => find_value(input, node, &name)?.map(|(_, value)| value),
                None => None,
            };
            captured.values.push(captured_value(value, found));
        }
        Ok(())
    }
}

fn captured_value(rule: &ValueRule, found: Option<Value>) -> CapturedValue {
    let state = found.as_ref().map(|v| (v.kind, v.data.as_slice()));
    CapturedValue {
        name: rule.name.clone(),
        lowers_security: rule.lowers_security && rule.want.is_met_by(state),
        why: rule.why.to_string(),
        found,
    }
}
