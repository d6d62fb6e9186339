// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether a condition holds.

use super::PlanError;
use crate::machine::{Fact, HiveInput, Machine, MachineError, find_value};
use crate::profile::{ControlSet, HiveName, KeyPath, Profile, Versions, When};
use crate::regf::{Name, NodePath};

/// Why a rule is left out.
pub(super) struct Unmet {
    pub(super) reason: String,
    /// The condition in words.
    pub(super) condition: String,
}

/// Where the rule stands whose conditions are asked.
pub(super) struct Standpoint<'a> {
    /// The control set's key that `CurrentControlSet` means.
    pub(super) control_set: Option<&'a str>,
    /// What the `*` and `{GUID}` of the rule's key stand for.
    pub(super) bound: &'a [Name],
}

/// Whether the profiles ask for facts of the machine, which are in both hives.
pub fn needs_machine(profiles: &[Profile]) -> bool {
    let own = profiles.iter().flat_map(|profile| &profile.when);
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    let mut all = own.chain(rules.flat_map(|rule| &rule.when));
    all.any(|when| when.path().is_none())
}

enum Answer {
    Yes,
    No,
    /// Nobody can tell; why.
    Unknown(String),
}

impl From<bool> for Answer {
    fn from(so: bool) -> Self {
        if so { Self::Yes } else { Self::No }
    }
}

/// The first condition that is not met.
///
/// # Errors
///
/// Where a structure on the way to what is asked is damaged.
pub(super) fn first_unmet<'w, 'm>(
    conditions: impl Iterator<Item = &'w When>,
    hives: &[HiveInput<'_>],
    machine: impl Fn() -> &'m Machine,
    at: &Standpoint<'_>,
) -> Result<Option<Unmet>, PlanError> {
    for when in conditions {
        let answer = match when {
            When::Key { .. } | When::Value { .. } | When::Is { .. } => ask_key(when, hives, at)?,
            _ => ask_machine(when, machine()),
        };
        let condition = when.to_string();
        let reason = match answer {
            Answer::Yes => continue,
            Answer::No => format!("holds only where {condition}"),
            Answer::Unknown(why) => format!("whether {condition} cannot be told: {why}"),
        };
        return Ok(Some(Unmet { reason, condition }));
    }
    Ok(None)
}

fn ask_machine(when: &When, machine: &Machine) -> Answer {
    match when {
        When::Windows(versions) => ask_version(versions, machine),
        When::DomainMember(wanted) => ask_fact(machine.domain_member.as_ref(), *wanted),
        When::DomainController(wanted) => ask_fact(machine.domain_controller.as_ref(), *wanted),
        When::Server(wanted) => ask_fact(machine.server().as_ref(), *wanted),
        When::Key { .. } | When::Value { .. } | When::Is { .. } => Answer::No,
    }
}

fn ask_fact(fact: Option<&Fact<bool>>, wanted: bool) -> Answer {
    match fact {
        Some(fact) => Answer::from(fact.value == wanted),
        None => Answer::Unknown("the SYSTEM hive does not say, or is not here".to_owned()),
    }
}

fn ask_version(versions: &Versions, machine: &Machine) -> Answer {
    let Some(found) = &machine.version else {
        let why = "no hive here tells the version: name the SOFTWARE hive too (--software)";
        return Answer::Unknown(why.to_owned());
    };
    match versions.contain(found.value) {
        Some(so) => Answer::from(so),
        None => Answer::Unknown(format!(
            "it is Windows {} ({}), without a build: name the SOFTWARE hive too (--software)",
            found.value, found.from
        )),
    }
}

fn ask_key(when: &When, hives: &[HiveInput<'_>], at: &Standpoint<'_>) -> Result<Answer, PlanError> {
    let Some(path) = when.path() else {
        return Ok(Answer::No);
    };
    let Some(input) = hives.iter().find(|input| input.name == path.hive) else {
        let why = format!("there is no {} hive here", path.hive);
        return Ok(Answer::Unknown(why));
    };
    let Some(real) = real_path(path, at) else {
        return Ok(Answer::Unknown("there is no control set here".to_owned()));
    };
    let key = match input.find_key(&real) {
        Err(MachineError::Special { key, special, .. }) => {
            return Ok(Answer::Unknown(format!("key {key} {special}")));
        }
        key => key?,
    };
    let value = |name: &str| match &key {
        Some(key) => find_value(input, key, &Name::from(name)),
        None => Ok(None),
    };
    let so = match when {
        When::Value { name, exists, .. } => value(name)?.is_some() == *exists,
        When::Is {
            name, choices, is, ..
        } => {
            let found = value(name)?;
            let is_one = found.is_some_and(|(_, found)| {
                let mut choices = choices.iter();
                choices.any(|choice| choice.is_met_by(found.kind, &found.data))
            });
            is_one == *is
        }
        When::Key { exists, .. } => key.is_some() == *exists,
        _ => false,
    };
    Ok(Answer::from(so))
}

/// The key that a condition means, seen from the rule's key.
fn real_path(path: &KeyPath, at: &Standpoint<'_>) -> Option<NodePath> {
    let mut real = NodePath::root();
    match path.control_set {
        None => {}
        Some(ControlSet::Every) => real = real.join(Name::from(at.control_set?)),
        Some(set @ ControlSet::Number(_)) => {
            real = real.join(Name::from(set.to_string().as_str()));
        }
    }
    let mut bound = at.bound.iter();
    for segment in &path.segments {
        real = real.join(match path.wildcard(segment) {
            Some(_) => bound.next()?.clone(),
            None => Name::from(segment.as_str()),
        });
    }
    debug_assert!(path.hive == HiveName::System || path.control_set.is_none());
    Some(real)
}
