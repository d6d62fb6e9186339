// SPDX-License-Identifier: GPL-3.0-or-later
//! Which profiles mend all that blocks, and which of those that could are left for somebody to choose.

use super::diagnosis::{Diagnosis, Finding};
use crate::profile::{self, Conflicts, Impact, Profile, Setting};

/// Profiles to run together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Those that were chosen by name, then the others, that for the worst cause first.
    pub profiles: Vec<Proposed>,
    /// Those that are about a cause too, and are not taken unless they are chosen by name.
    pub left_out: Vec<LeftOut>,
    /// What blocks and none of the profiles above is about.
    pub unmended: Vec<Finding>,
}

/// A profile to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// Its id, or the file that was named.
    pub name: String,
    /// Whether it was chosen by name.
    pub is_named: bool,
    /// What blocks and it is about.
    pub causes: Vec<String>,
}

/// A profile that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: String,
    /// What blocks and it is about.
    pub cause: String,
    /// Why it is not taken.
    pub why: String,
    /// What has to be given before it can be.
    pub needs: Vec<Needed>,
}

/// A parameter without which a profile cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// What can be given.
    pub accepted: String,
}

impl Proposal {
    /// The names, as they are typed.
    pub fn names(&self) -> Vec<String> {
        self.profiles.iter().map(|one| one.name.clone()).collect()
    }
}

/// Proposes the built-in profiles for what blocks, beside those that were `named`, of which none
/// lowers security, is a last resort, or lacks a parameter. Of two that disagree the one for the worse
/// cause stays.
///
/// The named ones must agree with each other.
pub fn propose(diagnosis: &Diagnosis, named: &[String], settings: &[Setting]) -> Proposal {
    let chosen = named.iter().map(|name| Proposed {
        name: name.clone(),
        is_named: true,
        causes: Vec::new(),
    });
    let mut proposal = Proposal {
        profiles: chosen.collect(),
        ..Proposal::default()
    };
    let findings = diagnosis.findings.iter();
    for finding in findings.filter(|finding| finding.impact == Impact::Blocks) {
        let mut is_mended = false;
        // A damaged hive is mended first: nothing is applied to it as it is.
        let profiles = finding.profiles.iter();
        for id in profiles.filter(|_| diagnosis.damage.is_empty()) {
            is_mended |= add(&mut proposal, id, &finding.cause, settings);
        }
        if !is_mended {
            proposal.unmended.push(finding.clone());
        }
    }
    proposal
}

/// Adds a profile, or says why not; tells whether it is to be run.
fn add(proposal: &mut Proposal, id: &str, cause: &str, settings: &[Setting]) -> bool {
    let mut known = proposal.profiles.iter_mut();
    if let Some(known) = known.find(|known| known.name == id) {
        if !known.causes.iter().any(|other| other == cause) {
            known.causes.push(cause.to_owned());
        }
        return true;
    }
    match why_not(&proposal.names(), id, settings) {
        None => proposal.profiles.push(Proposed {
            name: id.to_owned(),
            is_named: false,
            causes: vec![cause.to_owned()],
        }),
        Some(why) => {
            if !proposal.left_out.iter().any(|left| left.id == id) {
                proposal.left_out.push(LeftOut {
                    id: id.to_owned(),
                    cause: cause.to_owned(),
                    why: why.sentence,
                    needs: why.needs,
                });
            }
            return false;
        }
    }
    true
}

/// Why a profile is not taken, and what it needs to be.
struct WhyNot {
    sentence: String,
    needs: Vec<Needed>,
}

/// Why a profile is not run with the others unless somebody chooses it, or gives what it needs.
fn why_not(with: &[String], id: &str, settings: &[Setting]) -> Option<WhyNot> {
    let alone = match profile::load_all(&[id.to_owned()]) {
        Ok(alone) => alone,
        Err(error) => {
            let (sentence, needs) = (error.to_string(), Vec::new());
            return Some(WhyNot { sentence, needs });
        }
    };
    let needs = Vec::new();
    if let Some(sentence) = only_by_name(&alone) {
        return Some(WhyNot { sentence, needs });
    }
    let needs = needs_of(&alone, settings);
    if !needs.is_empty() {
        let given = needs.iter();
        let given: Vec<String> = given
            .map(|one| format!("--set {}=... ({})", one.name, one.accepted))
            .collect();
        let sentence = format!("it needs {}", given.join(" and "));
        return Some(WhyNot { sentence, needs });
    }
    let sentence = disagreeing(with, id, settings)?;
    Some(WhyNot { sentence, needs })
}

/// Why a profile is never taken unless it is named.
fn only_by_name(alone: &[Profile]) -> Option<String> {
    if alone.iter().any(Profile::lowers_security) {
        return Some("it lowers security".to_owned());
    }
    if alone.iter().any(|profile| profile.opt_in) {
        return Some("it is a last resort, or for who knows the machine to decide".to_owned());
    }
    None
}

/// The parameters that have no default and were not given.
fn needs_of(profiles: &[Profile], settings: &[Setting]) -> Vec<Needed> {
    let given = |name: &str| settings.iter().any(|setting| setting.name == name);
    let parameters = profiles.iter().flat_map(|profile| &profile.parameters);
    let missing = parameters.filter(|one| one.default.is_none() && !given(&one.name));
    let needed = missing.map(|one| Needed {
        name: one.name.clone(),
        title: one.title.clone(),
        accepted: one.accepted(),
    });
    needed.collect()
}

/// Why a profile cannot be run together with others, and with what was set.
fn disagreeing(with: &[String], id: &str, settings: &[Setting]) -> Option<String> {
    let mut names = with.to_vec();
    names.push(id.to_owned());
    let mut all = match profile::load_all(&names) {
        Ok(all) => all,
        Err(error) => return Some(error.to_string()),
    };
    let taken = taken_by(&all, settings);
    if let Err(error) = profile::set_parameters(&mut all, &taken) {
        return Some(error.to_string());
    }
    profile::conflicts(&all)
        .err()
        .map(|conflicts| disagreement(&conflicts, id))
}

/// Those of the settings that one of the profiles takes.
pub fn taken_by(profiles: &[Profile], settings: &[Setting]) -> Vec<Setting> {
    let takes = |profile: &Profile, name: &str| profile.parameters.iter().any(|p| p.name == name);
    let taken = settings
        .iter()
        .filter(|setting| profiles.iter().any(|one| takes(one, &setting.name)));
    taken.cloned().collect()
}

fn disagreement(conflicts: &Conflicts, id: &str) -> String {
    let Some(first) = conflicts.pairs().first() else {
        return "it disagrees with another one".to_owned();
    };
    let other = match first.first.profile == id {
        true => &first.second.profile,
        false => &first.first.profile,
    };
    format!("it disagrees with {other} on {}", first.subject)
}
