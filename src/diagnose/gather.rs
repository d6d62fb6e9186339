// SPDX-License-Identifier: GPL-3.0-or-later
//! From single answers to causes: each value is spoken of once, by the profile that is most about
//! it, and the worst comes first.

use std::collections::{HashMap, HashSet};

use super::ask::{Answers, Found};
use super::{Area, Evidence, Finding};
use crate::effect::{Effect, Flaw};
use crate::machine::State;
use crate::profile::{Cause, HiveName, Impact, Profile};
use crate::regf::{FoldedPath, Name};

/// Profiles in the order in which causes of the same impact are shown.
const ORDER: &[&str] = &[
    "rdp-enable",
    "rdp-services",
    "rdp-port",
    "firewall-allow-rdp",
    "dhcp-client",
    "network-services",
];

const OWN_PROFILE: &str = "No built-in profile mends it. hivemend unset removes a value or key, its name typed as \
                           it is shown; hivemend set gives a value its type.";

/// Groups what was found by cause, the worst first.
pub(super) fn gather(found: Vec<Found>, profiles: &[Profile]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (best, also) in best_of_each_place(found, profiles) {
        let mut names = vec![best.profile];
        add_new(&mut names, best.with);
        names.retain(|name| !name.is_empty());
        let same = |finding: &&mut Finding| {
            finding.area == best.area
                && finding.impact == best.cause.impact
                && finding.cause == *best.cause.text
                && finding.profiles.first() == names.first()
        };
        match findings.iter_mut().find(same) {
            Some(finding) => {
                add_new(&mut finding.profiles, names);
                add_new(&mut finding.also, also);
                finding.evidence.push(best.evidence);
            }
            None => findings.push(Finding {
                area: best.area,
                impact: best.cause.impact,
                cause: best.cause.text.to_string(),
                profiles: names,
                also,
                advice: best.advice,
                evidence: vec![best.evidence],
            }),
        }
    }
    for finding in &mut findings {
        let ours = finding.profiles.clone();
        finding.also.retain(|name| !ours.contains(name));
    }
    findings.sort_by_key(|finding| (finding.impact, finding.area, rank(finding, profiles)));
    findings
}

fn add_new(names: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// What the structure tells first, then by the fixed order, then as the profiles are listed.
fn rank(finding: &Finding, profiles: &[Profile]) -> (usize, usize) {
    let Some(first) = finding.profiles.first() else {
        return (0, 0);
    };
    let place = ORDER.iter().position(|id| id == first);
    let listed = profiles.iter().position(|profile| profile.id == *first);
    let last = usize::MAX;
    (
        place.map_or(last, |place| place.saturating_add(1)),
        listed.unwrap_or(last),
    )
}

/// For each value the worst that is said of it, by the profile that comes first in the fixed order or
/// has the fewest entries; and the other profiles that speak of it.
fn best_of_each_place(found: Vec<Found>, profiles: &[Profile]) -> Vec<(Found, Vec<String>)> {
    let goodness = |found: &Found| {
        let place = ORDER.iter().position(|id| *id == found.profile);
        let profile = profiles.iter().find(|profile| profile.id == found.profile);
        let entries = profile.map(|profile| {
            let values = profile.keys.iter().map(|rule| rule.values.len().max(1));
            values.fold(0_usize, usize::saturating_add)
        });
        let last = usize::MAX;
        (
            found.cause.impact,
            place.unwrap_or(last),
            entries.unwrap_or(last),
        )
    };
    let mut best: Vec<(Found, Vec<String>)> = Vec::new();
    let mut places: HashMap<Place, usize> = HashMap::new();
    for found in found {
        let place = place_of(&found.evidence);
        let known = places.get(&place).copied();
        match known.and_then(|at| best.get_mut(at)) {
            None => {
                places.insert(place, best.len());
                best.push((found, Vec::new()));
            }
            Some((other, also)) => {
                let is_better = goodness(&found) < goodness(other);
                let mut lesser = match is_better {
                    true => std::mem::replace(other, found),
                    false => found,
                };
                // The step that comes first is the one where it is noticed.
                other.area = other.area.min(lesser.area);
                if other.profile.is_empty() && lesser.evidence.wanted != lesser.evidence.found {
                    // It puts this very value right.
                    other.profile = std::mem::take(&mut lesser.profile);
                    other.evidence.wanted = lesser.evidence.wanted.take();
                }
                if !lesser.profile.is_empty() {
                    add_new(also, vec![lesser.profile]);
                }
                add_new(&mut other.with, lesser.with);
                let note = lesser.evidence.note;
                other.evidence.note = other.evidence.note.take().or(note);
            }
        }
    }
    best
}

type Place = (HiveName, FoldedPath, Option<Vec<u16>>);

/// What is equal for what the registry takes for one value or key.
fn place_of(evidence: &Evidence) -> Place {
    let value = evidence.value.as_ref().map(Name::folded);
    (evidence.hive, evidence.key.folded(), value)
}

/// Adds values that do nothing because of their name or type.
pub(super) fn add_debris(answers: &mut Answers, effect: &Effect, set: &str) {
    for debris in &effect.debris {
        if debris
            .control_set
            .as_deref()
            .is_some_and(|other| other != set)
        {
            continue;
        }
        let text = match debris.flaw {
            Flaw::Name(_) | Flaw::LooksLike { .. } => {
                "A mistyped procedure left values that do nothing"
            }
            Flaw::Type => "Numbers are stored as text, which Windows does not read",
        };
        let cause = Cause {
            impact: Impact::Unusual,
            text: text.into(),
        };
        answers.found.push(Found {
            area: Area::RemoteDesktop,
            cause,
            profile: debris.profile.unwrap_or_default().to_owned(),
            with: Vec::new(),
            advice: debris.profile.is_none().then(|| OWN_PROFILE.to_owned()),
            evidence: Evidence {
                hive: debris.hive,
                control_set: debris.control_set.clone(),
                key: debris.key.clone(),
                value: debris.value.as_ref().map(|(name, _)| name.clone()),
                found: debris
                    .value
                    .as_ref()
                    .map(|(_, value)| State::Value(value.clone())),
                wanted: None,
                note: None,
            },
        });
    }
}

/// What another control set has that the one that boots has not: its own evidence only.
pub(super) fn rest(other: Vec<Finding>, findings: &[Finding]) -> Vec<Finding> {
    let below = |evidence: &Evidence| {
        let value = evidence.value.as_ref().map(Name::folded);
        let key = evidence.key.without_first();
        (key.map(|key| key.folded()), value)
    };
    let said = findings.iter().flat_map(|finding| &finding.evidence);
    let said = said.filter(|said| said.control_set.is_some());
    let said: HashSet<_> = said.map(below).collect();
    let mut other = other;
    for finding in &mut other {
        let evidence = &mut finding.evidence;
        evidence.retain(|one| one.control_set.is_some() && !said.contains(&below(one)));
    }
    other.retain(|finding| !finding.evidence.is_empty() && finding.impact != Impact::Unusual);
    other
}
