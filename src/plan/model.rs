// SPDX-License-Identifier: GPL-3.0-or-later
//! What a plan says.

use std::sync::Arc;

use super::Change;
use crate::machine::{Condition, ControlSetInfo};
use crate::profile::HiveName;
use crate::text::Foreign;

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
    /// Changes of which nobody knows whether they lower security; they were typed, and no profile is about
    /// them.
    pub unjudged: usize,
    /// What an engineer should know besides.
    pub warnings: Vec<String>,
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
