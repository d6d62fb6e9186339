// SPDX-License-Identifier: GPL-3.0-or-later
//! What would have to change: baselines compared with a hive set. Pure: reads, never writes.

#![deny(clippy::arithmetic_side_effects)]

mod allowed;
mod build;
mod capture;
mod conditions;
mod control_sets;
mod diagnose;
mod effective;
mod error;
mod input;
mod installation;
mod last_known_good;
mod lowering;
mod machine;
mod places;
mod scene;
mod state;
mod undo;

pub use allowed::expect_allowed;
pub use build::{Options, build};
pub use capture::{CapturedKey, CapturedValue, capture};
pub use control_sets::{ControlSetInfo, Role, Selection, booting, control_sets};
pub use diagnose::{
    Area, AreaVerdict, Diagnosis, Evidence, Files, Finding, Masked, Presence, Verdict, diagnose,
};
pub(crate) use effective::known::{KNOWN, Known};
pub use effective::{
    Against, Debris, Effect, Flaw, InForce, Mark, Policies, Setting, Source, concerns, effect,
};
pub use error::PlanError;
pub use input::HiveInput;
pub use installation::{WindowsVersion, computer_name, system_drive, windows_version};
pub use lowering::Lowering;
pub use machine::{Fact, Machine, ProductType, is_domain_member, machine, needs_machine};
pub use state::{
    KeyContent, KeySummary, State, TouchedKey, Value, confirm, key_content, summarize, touched_keys,
};
pub use undo::{Undo, UndoObstacle, undo};

use std::sync::Arc;

use crate::profile::{Cause, HiveName};
use crate::regf::{Name, NodePath};
use crate::text::Foreign;

/// How a hive's newest state was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is all in the primary file.
    Clean,
    /// It was recovered from the transaction logs.
    Recovered(Recovery),
    /// The primary file as it is, although data is missing: somebody accepted that.
    Unrecovered,
}

impl Condition {
    /// Its name in plans.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Recovered(_) => "recovered",
            Self::Unrecovered => "unrecovered",
        }
    }
}

/// What was taken from transaction logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Log entries, or dirty pages where the logs are of the old format.
    pub entries: u64,
    /// The logs, in the order in which they were applied.
    pub logs: Vec<Foreign>,
    /// The first sequence number applied.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// All of it in a line.
    pub text: String,
}

/// What would have to change so that a target agrees with profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What was looked at, as it was named.
    pub target: Foreign,
    /// The hives that are there.
    pub hives: Vec<PlannedHive>,
    /// The profiles, in the order they were named.
    pub profiles: Vec<PlannedProfile>,
    /// The changes, in the order in which they are made.
    pub changes: Vec<Change>,
    /// How many values and keys are as the profiles want them.
    pub matches: u64,
    /// The rules that do not apply here.
    pub skipped: Vec<Skipped>,
    /// The rules that cannot be followed here: while there is one, nothing is applied.
    pub blocked: Vec<Skipped>,
    /// What an engineer should know besides.
    pub warnings: Vec<String>,
    /// What wins over what; empty until [`effect`] was asked.
    pub effect: Effect,
    /// What stays with the hives' files when they are replaced.
    pub metadata: Option<Metadata>,
}

/// What stays with the hives' files when they are replaced, and what does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The file system they lie on.
    pub file_system: String,
    /// What is carried over.
    pub kept: Vec<String>,
    /// What is not.
    pub not_kept: Vec<String>,
}

impl Plan {
    /// Adds warnings that are not there yet.
    pub fn warn(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}

/// A hive in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedHive {
    /// Which hive it is.
    pub name: HiveName,
    /// Where its file is, for people.
    pub path: Foreign,
    /// How its newest state was come by.
    pub condition: Condition,
    /// The control sets in it; none in SOFTWARE.
    pub control_sets: Arc<[ControlSetInfo]>,
}

/// A profile in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedProfile {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The id of the profile that includes it.
    pub included_by: Option<String>,
    /// What else is to be done, outside the registry.
    pub advice: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The id of the profile that wants it.
    pub profile: String,
    /// The hive it is made in.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// The value's name; `None` where the key itself is created or deleted.
    pub value: Option<Name>,
    /// What is done.
    pub action: Action,
    /// What was found; `None` for absent.
    pub before: Option<State>,
    /// What will be there; `None` for absent.
    pub after: Option<State>,
    /// Whether the machine is less secure afterwards.
    pub lowers_security: bool,
    /// What it means that this is not as wanted, where the profile says so.
    pub cause: Option<Cause>,
    /// Why.
    pub note: Arc<str>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gives a value a type and data.
    Set,
    /// Removes a value.
    DeleteValue,
    /// Makes a key.
    CreateKey,
    /// Removes a key with all below it.
    DeleteKey,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Set,
        Self::DeleteValue,
        Self::CreateKey,
        Self::DeleteKey,
    ];

    /// Its name in plans and manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::DeleteValue => "delete-value",
            Self::CreateKey => "create-key",
            Self::DeleteKey => "delete-key",
        }
    }
}

/// A rule that is not followed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The id of the profile.
    pub profile: String,
    /// The hive.
    pub hive: HiveName,
    /// The key as the profile names it, or below the hive's root where that is known.
    pub key: Foreign,
    /// The value's name, where the rule is about one.
    pub value: Option<Foreign>,
    /// Why it is not followed.
    pub reason: String,
    /// The condition that is not met, where that is why.
    pub condition: Option<String>,
}

/// A value's name as a map's key: equal for what the registry takes for one name.
pub(crate) fn folded_name(name: &Name) -> Vec<u16> {
    let units = name.units().iter();
    units.map(|&unit| crate::regf::upcase(unit)).collect()
}

/// A key's path as people write it.
pub fn path_text(path: &NodePath) -> Foreign {
    let names: Vec<String> = path.names().into_iter().map(Name::to_text).collect();
    Foreign::from(names.join("\\"))
}
