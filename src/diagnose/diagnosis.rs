// SPDX-License-Identifier: GPL-3.0-or-later
//! What is wrong with a machine, as far as its registry tells.

use super::area::{Area, AreaVerdict};
use super::evidence::Evidence;
use crate::effect::Effect;
use crate::machine::ControlSetInfo;
use crate::plan::PlannedHive;
use crate::profile::{HiveName, Impact};

/// What is wrong with a machine, as far as its registry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The hives that were looked at.
    pub hives: Vec<PlannedHive>,
    /// The control set that the next start uses.
    pub boots: ControlSetInfo,
    /// Each step on the way to a session, in their order.
    pub areas: Vec<AreaVerdict>,
    /// Why this Windows is not judged, where it is not meant to be used as it is: Windows PE, an image
    /// before its first start.
    pub meant: Option<&'static str>,
    /// What is wrong in it and in SOFTWARE, the worst first.
    pub findings: Vec<Finding>,
    /// What is wrong in other control sets only.
    pub elsewhere: Vec<Finding>,
    /// What looks wrong and does not count.
    pub masked: Vec<Masked>,
    /// What wins over what.
    pub effect: Effect,
    /// Hives whose structure is damaged: no profile is applied to them as they are.
    pub damage: Vec<Damage>,
    /// Whether everything could be judged.
    pub is_complete: bool,
    /// What could not be judged.
    pub warnings: Vec<String>,
}

/// What the structural check finds in a hive as Windows would load it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The hive.
    pub hive: HiveName,
    /// How many errors.
    pub errors: u64,
    /// The first of them.
    pub first: String,
}

/// A cause, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step that it is about.
    pub area: Area,
    /// How bad it is.
    pub impact: Impact,
    /// What is wrong, in a line.
    pub cause: String,
    /// The profiles to run together; none where no profile helps.
    pub profiles: Vec<String>,
    /// Other profiles that are about the same values.
    pub also: Vec<String>,
    /// What to do where no profile helps, or besides.
    pub advice: Option<String>,
    /// The values and keys that show it.
    pub evidence: Vec<Evidence>,
}

/// A value that is not as it should be, and does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// What would be wrong.
    pub cause: String,
    /// The value.
    pub evidence: Evidence,
    /// Why it does not count.
    pub why: String,
}

impl Diagnosis {
    /// How many findings are so bad.
    pub fn count(&self, impact: Impact) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.impact == impact).count()
    }
}
