// SPDX-License-Identifier: GPL-3.0-or-later
//! Where to start: every profile that knows a cause against the hives, the worst first.
//!
//! What counts is asked, not what is stored: a listener's value that a policy wins over is no
//! cause, the policy is. Only the control set that boots decides; the others are mentioned.

mod accept;
mod account;
mod area;
mod ask;
mod diagnosis;
mod evidence;
mod firewall;
mod gather;
mod look;
mod network;
mod old_firewall;
mod proposal;
mod rights;
mod services;
mod start;
mod structure;

pub use area::{Area, AreaVerdict, Verdict};
pub use diagnosis::{Damage, Diagnosis, Finding, Masked};
pub use evidence::Evidence;
pub use look::{Files, Presence};
pub use proposal::{LeftOut, Needed, Proposal, Proposed, propose, taken_by};

use self::ask::{Answers, Asker};
use self::gather::{gather, rest};
use self::look::Look;
use self::structure::DAMAGED_KEY;
use crate::effect::{Policies, effect, effect_reader, sets_of};
use crate::machine::{ControlSetInfo, HiveInput, MachineError, Role, booting, machine};
use crate::plan::PlannedHive;
use crate::profile::{HiveName, Impact, Profile};

/// Asks every profile that knows a cause, and looks at what no profile asks. Judged is the control set
/// that the next start uses, or the one of this number.
///
/// The profiles' parameters must have been given. `damage` is what the structural check found.
///
/// # Errors
///
/// Where there is no SYSTEM hive, or it has no control sets, or not the one that was asked for.
pub fn diagnose(
    profiles: &[Profile],
    hives: &[HiveInput<'_>],
    policies: Policies<'_>,
    files: &Files<'_>,
    control_set: Option<u16>,
    damage: Vec<Damage>,
) -> Result<Diagnosis, MachineError> {
    let system = hives.iter().find(|input| input.name == HiveName::System);
    let system = system.ok_or(MachineError::HiveMissing(HiveName::System))?;
    let sets = system.control_sets()?;
    let boots = judged(&sets, control_set)?.clone();
    let effect = effect(hives, &[], policies);
    let reader = effect_reader(hives, &[], policies);
    let asker = Asker::new(profiles, hives, &reader, policies)?;
    let mut answers = asker.ask(&boots);
    let mut look = Look {
        reader: &reader,
        set: &boots.name,
        version: machine(hives).version.map(|version| version.value),
        files,
        found: Vec::new(),
        open: Vec::new(),
    };
    let meant = start::meant(&look);
    match meant {
        // What is wrong for a machine in use is right here.
        Some(_) => answers.found.clear(),
        None => {
            look_around(&mut look, &mut answers, profiles, policies.domain_member);
            gather::add_debris(&mut answers, &effect, &boots.name);
        }
    }
    let open = look.open;
    let mut warnings = std::mem::take(&mut answers.unanswered);
    let mut unread = std::mem::take(&mut answers.unread);
    let masked = std::mem::take(&mut answers.masked);
    let mut findings: Vec<Finding> = damage.iter().map(damaged).collect();
    let gathered = gather(answers.found, profiles).into_iter();
    // Where the damage of the hive is named, a part of it is not named again.
    let is_said = |finding: &Finding| !damage.is_empty() && finding.cause == DAMAGED_KEY;
    findings.extend(gathered.filter(|finding| !is_said(finding)));
    let others = sets.iter().filter(|set| set.number != boots.number);
    let others = others.filter(|_| meant.is_none());
    let mut elsewhere = Vec::new();
    for set in others {
        let answers = asker.ask(set);
        elsewhere.extend(rest(gather(answers.found, profiles), &findings));
    }
    let (places, notes) = effect.notes.split_at(effect.unread.min(effect.notes.len()));
    unread.extend(places.iter().cloned());
    warnings.extend(unread_places(unread));
    warnings.extend(notes.iter().cloned());
    warnings.dedup();
    let has_software = reader.has(HiveName::Software);
    let areas = Area::ALL.map(|area| verdict(area, &findings, &open, meant, has_software));
    Ok(Diagnosis {
        hives: hives.iter().map(planned).collect(),
        areas: areas.to_vec(),
        meant,
        boots,
        findings,
        elsewhere,
        masked,
        effect,
        damage,
        is_complete: warnings.is_empty(),
        warnings,
    })
}

/// A damaged hive as a cause: it comes before all else, because nothing is applied to it.
fn damaged(damage: &Damage) -> Finding {
    let (hive, first) = (damage.hive, &damage.first);
    let errors = match damage.errors {
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    Finding {
        area: Area::Start,
        impact: Impact::Blocks,
        cause: format!(
            "{hive} is damaged ({errors} in its structure), and is mended before all else"
        ),
        profiles: Vec::new(),
        also: Vec::new(),
        advice: Some(format!(
            "The first is {first}. All of them: hivemend check TARGET. Mend it: hivemend mend TARGET"
        )),
        evidence: Vec::new(),
    }
}

/// One sentence for all places that could not be read.
fn unread_places(mut places: Vec<String>) -> Option<String> {
    places.sort();
    places.dedup();
    let count = match places.len() {
        0 => return None,
        1 => "1 place of the hives".to_owned(),
        count => format!("{count} places of the hives"),
    };
    Some(format!(
        "{count} could not be read, so that what is there was not judged; they are named by: \
         hivemend check TARGET"
    ))
}

/// Every installed Windows has more services: with fewer, nothing can be said of what is lacking.
const FEWEST_SERVICES: usize = 30;

/// The control set that is judged.
fn judged(sets: &[ControlSetInfo], wanted: Option<u16>) -> Result<&ControlSetInfo, MachineError> {
    if let Some(number) = wanted {
        let found = sets.iter().find(|set| set.number == number);
        return found.ok_or_else(|| {
            let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
            let known = names.join(", ");
            MachineError::NoSuchControlSet { number, known }
        });
    }
    // Where Select names none that is there, that is a cause, and one of those that are is looked at.
    let last_good = sets
        .iter()
        .find(|set| set.roles.contains(&Role::LastKnownGood));
    let first = booting(sets).or(last_good).or(sets.first());
    first.ok_or(MachineError::NoControlSet)
}

/// Everything that no entry of a profile asks.
fn look_around(
    look: &mut Look<'_, '_, '_>,
    answers: &mut Answers,
    profiles: &[Profile],
    is_domain_member: bool,
) {
    let port = structure::wanted_port(profiles);
    account::leave_out_same(answers);
    structure::add(answers, look, port);
    let has_service = !look.lacks(look::in_set("Services\\TermService"));
    // A Windows that never had Remote Desktop has none of the rest either.
    if !has_service && !look.is_at_least(5, 0) {
        return;
    }
    let services = look.subkeys(look::in_set("Services")).len();
    if services >= FEWEST_SERVICES {
        start::spare_unused_controllers(look, &mut answers.found);
        start::look(look);
        services::look(look);
        accept::listener(look);
    } else {
        let why = format!(
            "what must exist: there are {services} services here, fewer than any installed Windows \
             has (hivemend check TARGET finds damage)"
        );
        for area in [Area::Start, Area::Network, Area::RemoteDesktop] {
            look.open(area, why.as_str());
        }
    }
    start::select(look);
    start::setup(look);
    network::look(look, port);
    old_firewall::look(look, port);
    accept::look(look);
    rights::look(look, is_domain_member);
    answers.found.append(&mut look.found);
}

/// What can be said of a step.
fn verdict(
    area: Area,
    findings: &[Finding],
    open: &[(Area, String)],
    meant: Option<&str>,
    has_software: bool,
) -> AreaVerdict {
    let ours = findings.iter().filter(|finding| finding.area == area);
    let blocks = ours
        .filter(|finding| finding.impact == Impact::Blocks)
        .count();
    let open = open.iter().filter(|(other, _)| *other == area);
    let mut open: Vec<String> = open.map(|(_, why)| why.clone()).collect();
    if let Some(meant) = meant {
        open.insert(0, meant.to_owned());
    } else if !has_software {
        let what = match area {
            Area::Start => "the logon (Winlogon) and the hosts of services",
            Area::Network => "policies of the firewall and of IPsec",
            Area::RemoteDesktop => "policies of Remote Desktop, the edition of Windows",
            Area::Rights => "policies about who may log on",
        };
        open.insert(0, format!("{what}: there is no SOFTWARE hive here"));
    }
    let lacks_most = match area {
        // Nearly all that is judged of it is there.
        Area::Rights => !has_software,
        Area::Start => open.iter().any(|why| why.starts_with("what must exist")),
        _ => false,
    };
    let verdict = match () {
        () if blocks > 0 => Verdict::Blocked,
        () if meant.is_some() || lacks_most => Verdict::NotJudged,
        () => Verdict::NotBlocked,
    };
    AreaVerdict {
        area,
        verdict,
        blocks,
        open,
    }
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
