// SPDX-License-Identifier: GPL-3.0-or-later
//! Where to start: every profile that knows a cause against the hives, the worst first.
//!
//! What counts is asked, not what is stored: a listener's value that a policy wins over is no
//! cause, the policy is. Only the control set that boots decides; the others are mentioned.

mod ask;
mod firewall;
mod gather;
mod structure;

use self::ask::Asker;
use self::gather::{gather, rest};
use super::control_sets::booting;
use super::effective::{effect_reader, sets_of};
use super::{ControlSetInfo, Effect, HiveInput, PlanError, PlannedHive, Policies, State, effect};
use crate::profile::{HiveName, Impact, Profile};
use crate::regf::{Name, NodePath};

/// What is wrong with a machine, as far as its registry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The hives that were looked at.
    pub hives: Vec<PlannedHive>,
    /// The control set that the next start uses.
    pub boots: ControlSetInfo,
    /// What is wrong in it and in SOFTWARE, the worst first.
    pub findings: Vec<Finding>,
    /// What is wrong in other control sets only.
    pub elsewhere: Vec<Finding>,
    /// What looks wrong and does not count.
    pub masked: Vec<Masked>,
    /// What wins over what.
    pub effect: Effect,
    /// Whether everything could be judged.
    pub is_complete: bool,
    /// What could not be judged.
    pub warnings: Vec<String>,
}

/// A cause, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
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

/// A value or key that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The hive.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// The value's name; `None` for the key itself.
    pub value: Option<Name>,
    /// What is there; `None` for absent.
    pub found: Option<State>,
    /// What should be there; `None` for absent.
    pub wanted: Option<State>,
    /// What else is to be known of it.
    pub note: Option<String>,
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

/// Asks every profile that knows a cause.
///
/// The profiles' parameters must have been given.
///
/// # Errors
///
/// Where there is no SYSTEM hive, or it has no control sets or does not say which one boots.
pub fn diagnose(
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    policies: Policies<'_>,
) -> Result<Diagnosis, PlanError> {
    let system = hives.iter().find(|input| input.name == HiveName::System);
    let system = system.ok_or(PlanError::HiveMissing(HiveName::System))?;
    let sets = system.control_sets()?;
    let why = "Select\\Default and Select\\Current are missing or name no control set that exists";
    let boots = booting(&sets).ok_or(PlanError::NoCurrent { why })?.clone();
    let effect = effect(hives, &[], policies);
    let reader = effect_reader(hives, &[], policies);
    let asker = Asker::new(profiles, hives, &reader, policies)?;
    let mut answers = asker.ask(&boots);
    structure::add(&mut answers, &reader, profiles, &boots.name);
    gather::add_debris(&mut answers, &effect, &boots.name);
    let mut warnings = std::mem::take(&mut answers.unanswered);
    let masked = std::mem::take(&mut answers.masked);
    let findings = gather(answers.found, profiles);
    let others = sets.iter().filter(|set| set.number != boots.number);
    let mut elsewhere = Vec::new();
    for set in others {
        let answers = asker.ask(set);
        elsewhere.extend(rest(gather(answers.found, profiles), &findings));
    }
    warnings.extend(effect.notes.iter().cloned());
    warnings.dedup();
    Ok(Diagnosis {
        hives: hives.iter().map(planned).collect(),
        boots,
        findings,
        elsewhere,
        masked,
        effect,
        is_complete: warnings.is_empty(),
        warnings,
    })
}

fn planned(input: &HiveInput<'_>) -> PlannedHive {
    let one = std::slice::from_ref(input);
    PlannedHive {
        name: input.name,
        path: input.path.clone(),
        condition: input.condition.clone(),
        control_sets: sets_of(one),
    }
}
