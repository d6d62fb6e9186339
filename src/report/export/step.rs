// SPDX-License-Identifier: GPL-3.0-or-later
//! The changes of a plan as every language needs them: text, in order, without what is implied.

use super::error::ExportError;
use super::kind::ExportPlace;
use crate::machine::{State, booting};
use crate::plan::{Action, Change, Plan};
use crate::profile::HiveName;
use crate::regf::Name;
use crate::text::escape;

/// One change.
pub(super) struct Step<'p> {
    /// The key below `HKEY_LOCAL_MACHINE`.
    pub(super) key: String,
    pub(super) what: What<'p>,
    /// Why, in a line; marked where it lowers security.
    pub(super) reason: String,
}

/// What is done.
#[derive(PartialEq, Eq)]
pub(super) enum What<'p> {
    CreateKey {
        /// Whether a value is set in it or below it further on.
        is_implied: bool,
    },
    DeleteKey,
    Set {
        name: String,
        kind: u32,
        data: &'p [u8],
    },
    DeleteValue {
        name: String,
    },
}

/// All that is written.
pub(super) struct Steps<'p> {
    pub(super) steps: Vec<Step<'p>>,
    /// What stands above them, in lines.
    pub(super) head: Vec<String>,
    /// What stands below them, in lines.
    pub(super) foot: Vec<String>,
}

/// The changes of a plan, as they are carried out at a place.
///
/// # Errors
///
/// Where a name is no text.
pub(super) fn steps(plan: &Plan, place: ExportPlace) -> Result<Steps<'_>, ExportError> {
    let current = current_set(plan);
    let is_here = |change: &&Change| match (place, &change.control_set) {
        (ExportPlace::Online, Some(set)) => Some(set.as_str()) == current,
        _ => true,
    };
    let changes: Vec<&Change> = plan.changes.iter().filter(is_here).collect();
    let left_out = plan.changes.len().saturating_sub(changes.len());
    let mut steps = Vec::with_capacity(changes.len());
    for (index, change) in changes.iter().enumerate() {
        let later = changes.get(index..).unwrap_or_default();
        steps.push(step(change, later, place)?);
    }
    Ok(Steps {
        head: head(plan, &changes, place, left_out),
        foot: foot(plan, place),
        steps,
    })
}

/// The control set that the machine runs with.
fn current_set(plan: &Plan) -> Option<&str> {
    let system = plan
        .hives
        .iter()
        .find(|hive| hive.name == HiveName::System)?;
    booting(&system.control_sets).map(|set| set.name.as_str())
}

fn step<'p>(
    change: &'p Change,
    later: &[&Change],
    place: ExportPlace,
) -> Result<Step<'p>, ExportError> {
    let key = key(change, place)?;
    let name = || match &change.value {
        Some(name) => text(name, &key),
        None => Ok(String::new()),
    };
    let what = match (change.action, &change.after) {
        (Action::CreateKey, _) => What::CreateKey {
            is_implied: later.iter().any(|later| {
                later.action == Action::Set
                    && later.hive == change.hive
                    && later.key.is_at_or_below(&change.key)
            }),
        },
        (Action::DeleteKey, _) => What::DeleteKey,
        (Action::DeleteValue, _) => What::DeleteValue { name: name()? },
        (Action::Set, Some(State::Value(value))) => What::Set {
            name: name()?,
            kind: value.kind,
            data: &value.data,
        },
        (Action::Set, _) => {
            let (what, why) = (key, "the plan does not say what it should be".to_owned());
            return Err(ExportError { what, why });
        }
    };
    let marked = if change.lowers_security {
        "LOWERS SECURITY: "
    } else {
        ""
    };
    let reason = format!("{marked}{}", escape(&change.note));
    Ok(Step { key, what, reason })
}

/// The key below `HKEY_LOCAL_MACHINE`.
fn key(change: &Change, place: ExportPlace) -> Result<String, ExportError> {
    let root = match (place, change.hive) {
        (ExportPlace::Offline, HiveName::System) => "BROKENSYSTEM",
        (ExportPlace::Offline, HiveName::Software) => "BROKENSOFTWARE",
        (ExportPlace::Online, HiveName::System) => "SYSTEM",
        (ExportPlace::Online, HiveName::Software) => "SOFTWARE",
    };
    let mut key = root.to_owned();
    let is_running = place == ExportPlace::Online && change.control_set.is_some();
    for (index, name) in change.key.names().into_iter().enumerate() {
        key.push('\\');
        match index == 0 && is_running {
            true => key.push_str("CurrentControlSet"),
            false => key.push_str(&text(name, &key)?),
        }
    }
    Ok(key)
}

/// A name that can stand in a line.
fn text(name: &Name, key: &str) -> Result<String, ExportError> {
    let text = String::from_utf16(name.units()).ok();
    let text = text.filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| ExportError {
        what: format!("{key}, {}", name.to_text()),
        why: "the name is no text that fits in a line".to_owned(),
    })
}

fn head(plan: &Plan, changes: &[&Change], place: ExportPlace, left_out: usize) -> Vec<String> {
    let named = plan.profiles.iter().filter(|p| p.included_by.is_none());
    let named: Vec<&str> = named.map(|profile| profile.id.as_str()).collect();
    let mut head = vec![format!(
        "Made by hivemend of its plan for {}: {}.",
        plan.target,
        named.join(", ")
    )];
    match place {
        ExportPlace::Offline => {
            for hive in HiveName::ALL {
                if changes.iter().any(|change| change.hive == hive) {
                    head.push(format!(
                        "Before: reg load HKLM\\BROKEN{hive} X:\\Windows\\System32\\config\\{hive}; \
                         afterwards: reg unload HKLM\\BROKEN{hive}"
                    ));
                }
            }
        }
        ExportPlace::Online => {
            head.push("For the machine itself, as administrator.".to_owned());
            if left_out > 0 {
                head.push(format!(
                    "{left_out} changes in control sets that do not run are not in it."
                ));
            }
        }
    }
    let lowering = changes.iter().filter(|change| change.lowers_security);
    match lowering.count() {
        0 => {}
        1 => head.push("One change lowers security; it is marked.".to_owned()),
        many => head.push(format!("{many} changes lower security; they are marked.")),
    }
    head
}

fn foot(plan: &Plan, place: ExportPlace) -> Vec<String> {
    let mut foot = Vec::new();
    let changing = |id: &str| plan.changes.iter().any(|change| change.profile == id);
    let advice = plan.profiles.iter().filter(|profile| changing(&profile.id));
    for line in advice.flat_map(|profile| &profile.advice) {
        foot.push(format!("Besides: {}", escape(line)));
    }
    if place == ExportPlace::Online {
        foot.push("Restart the machine afterwards: shutdown /r /t 0".to_owned());
    }
    foot
}
