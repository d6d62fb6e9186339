// SPDX-License-Identifier: GPL-3.0-or-later
//! Which control set Last Known Good means, and whether a machine could start with it.

use super::PlanError;
use crate::machine::{ControlSetInfo, HiveInput, MachineError, find_value};
use crate::regf::{Name, NodePath};

/// What is to be done with `Select`.
pub(super) enum LastKnownGood {
    /// These values are to be these numbers.
    Use(Box<[(&'static str, u32); 4]>),
    /// It was done before; what was found.
    Done(String),
    /// There is no control set to change to; why.
    Impossible(String),
}

/// What every control set that Windows starts with has.
const PARTS: [&str; 4] = ["Control", "Enum", "Services", "Hardware Profiles"];

/// Works out what `Select` should say.
///
/// # Errors
///
/// Where a structure on the way is damaged.
pub(super) fn last_known_good(
    input: &HiveInput<'_>,
    sets: &[ControlSetInfo],
) -> Result<LastKnownGood, PlanError> {
    let select = Select::read(input)?;
    let Some(default) = select.default.filter(|&number| number > 0) else {
        let why = "Select does not say which control set is the default one";
        return Ok(LastKnownGood::Impossible(why.to_owned()));
    };
    let failed = select.failed.filter(|&number| number > 0);
    if let Some(failed) = failed.filter(|&failed| failed != default)
        && select.current == Some(default)
        && select.last_known_good == Some(default)
    {
        return Ok(LastKnownGood::Done(format!(
            "the last known good control set is in use already: {} is current, default and last \
             known good, and {} failed",
            name(default),
            name(failed)
        )));
    }
    let mut obstacles = Vec::new();
    let mut complete = Vec::new();
    for set in sets {
        let number = u32::from(set.number);
        if number == default {
            continue;
        }
        let obstacle = match Some(number) == failed {
            true => Some("Select says that it failed".to_owned()),
            false => what_it_lacks(input, set, default)?,
        };
        match obstacle {
            Some(obstacle) => obstacles.push(format!("{}: {obstacle}", set.name)),
            None => complete.push(number),
        }
    }
    let wanted = select.last_known_good.filter(|&number| number != default);
    if let Some(wanted) =
        wanted.filter(|wanted| !sets.iter().any(|s| u32::from(s.number) == *wanted))
    {
        obstacles.push(format!("{} (last known good) does not exist", name(wanted)));
    }
    let target = match (
        wanted.filter(|wanted| complete.contains(wanted)),
        complete.as_slice(),
    ) {
        (Some(wanted), _) => wanted,
        (None, [only]) => *only,
        (None, []) => return Ok(LastKnownGood::Impossible(nothing(default, &obstacles))),
        (None, several) => {
            let names: Vec<String> = several.iter().map(|&number| name(number)).collect();
            return Ok(LastKnownGood::Impossible(format!(
                "Select does not say which of {} is the last known good one",
                names.join(", ")
            )));
        }
    };
    Ok(LastKnownGood::Use(Box::new([
        ("Current", target),
        ("Default", target),
        ("LastKnownGood", target),
        ("Failed", default),
    ])))
}

fn nothing(default: u32, obstacles: &[String]) -> String {
    let default = name(default);
    match obstacles.is_empty() {
        true => format!("there is no control set but {default}, the default one"),
        false => format!(
            "there is no complete control set beside {default}: {}",
            obstacles.join("; ")
        ),
    }
}

fn name(number: u32) -> String {
    format!("ControlSet{number:03}")
}

/// What keeps a machine from starting with this control set; `None` if nothing is seen.
///
/// Microsoft's own commands leave skeletons (`reg add ...\ControlSet002` makes one), with which
/// Windows stops: so each part must be there, with half as many keys as in the default set.
fn what_it_lacks(
    input: &HiveInput<'_>,
    set: &ControlSetInfo,
    default: u32,
) -> Result<Option<String>, PlanError> {
    for part in PARTS {
        let Some(count) = subkeys_of(input, &set.name, part)? else {
            return Ok(Some(format!("it has no {part}")));
        };
        let usual = subkeys_of(input, &name(default), part)?.unwrap_or(0);
        let is_few = u64::from(count).saturating_mul(2) < u64::from(usual);
        if count == 0 || (is_few && part != "Hardware Profiles") {
            return Ok(Some(format!(
                "{part} has {count} keys, and {usual} in {}",
                name(default)
            )));
        }
    }
    Ok(None)
}

/// How many keys are right below a part of a control set; `None` where it is not there.
fn subkeys_of(
    input: &HiveInput<'_>,
    control_set: &str,
    part: &str,
) -> Result<Option<u32>, PlanError> {
    let path = NodePath::from(&[Name::from(control_set), Name::from(part)]);
    match input.find_key(&path) {
        Ok(key) => Ok(key.map(|key| key.subkey_count())),
        Err(MachineError::Special { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The numbers in `Select`.
struct Select {
    current: Option<u32>,
    default: Option<u32>,
    last_known_good: Option<u32>,
    failed: Option<u32>,
}

impl Select {
    fn read(input: &HiveInput<'_>) -> Result<Self, PlanError> {
        let key = input.find_key(&NodePath::from("Select"))?;
        let number = |name: &str| -> Result<Option<u32>, PlanError> {
            let Some(key) = &key else {
                return Ok(None);
            };
            let found = find_value(input, key, &Name::from(name))?;
            let number = found.and_then(|(_, value)| {
                let bytes = <[u8; 4]>::try_from(value.data).ok()?;
                (value.kind == 4).then(|| u32::from_le_bytes(bytes))
            });
            Ok(number)
        };
        Ok(Self {
            current: number("Current")?,
            default: number("Default")?,
            last_known_good: number("LastKnownGood")?,
            failed: number("Failed")?,
        })
    }
}
