// SPDX-License-Identifier: GPL-3.0-or-later
//! `fix`: diagnose, propose, show, ask, apply, and diagnose again.

use super::apply::{Done, Ready, Wished, begin};
use super::args::FixArgs;
use super::diagnose::{self, Examined, command_line, examine};
use super::exit::Exit;
use super::failure::Failure;
use super::next;
use super::output::Output;
use super::plan::{agreeing, load_profiles, one_by_one, set_parameters, takes};
use crate::diagnose::{LeftOut, Proposal, Proposed, propose};
use crate::machine::Selection;
use crate::profile::{self, Impact, Profile, Setting};
use crate::report::{
    FixReport, afterwards_text, fix_document, next_text, outcome_text, proposal_text, verdict_line,
};

pub(super) fn run(args: &FixArgs, output: &Output) -> Result<Exit, Failure> {
    let typed = &args.settings.settings;
    let about = diagnose::taken(typed)?;
    expect_usable(args, &about, output)?;
    begin(&args.target, &args.writing, output)?;
    let before = look(args, &about, output)?;
    let mut settings = args.settings.settings.clone();
    let mut proposal = proposal(args, &settings, &before)?;
    let shows = !output.is_json() && !output.quiet;
    if shows {
        output.print(&proposal_text(
            &before.heading,
            &before.diagnosis,
            &proposal,
        ));
    }
    if !args.writing.consent.yes {
        while give_needed(&mut settings, &proposal, output) {
            proposal = self::proposal(args, &settings, &before)?;
        }
    }
    let settings = settings.as_slice();
    choose(&mut proposal, args, settings, output);
    let done = match proposal.profiles.is_empty() {
        true => None,
        false => Some(carry_out(args, settings, &before, &proposal, output)?),
    };
    let outcome = done.as_ref().and_then(|done| done.outcome.as_ref());
    if let Some(outcome) = outcome.filter(|_| shows) {
        output.print(&outcome_text(outcome));
    }
    let after = match outcome {
        Some(_) => Some(look(args, &about, output).map_err(not_seen)?),
        None => None,
    };
    let after = after.as_ref().unwrap_or(&before);
    let exit = match after.diagnosis.count(Impact::Blocks) {
        0 => Exit::Done,
        _ => Exit::Found,
    };
    let command = |examined: &Examined| command_line(&examined.diagnosis, &args.target, typed);
    if output.is_json() {
        output.json(&fix_document(&FixReport {
            target: before.found.name.raw(),
            before: (&before.diagnosis, &command(&before)),
            proposal: &proposal,
            plan: done.as_ref().map(|done| (&done.plan, &done.effect)),
            outcome,
            after: (&after.diagnosis, &command(after)),
            exit: exit.code(),
        }));
    } else if output.quiet {
        output.print(&verdict_line(&after.diagnosis));
    } else {
        if outcome.is_some() {
            output.print(&afterwards_text(&after.diagnosis));
        }
        let steps = next::after_fix(args, &after.diagnosis, outcome.is_some());
        output.print(&next_text(&steps));
    }
    Ok(exit)
}

fn look(args: &FixArgs, about: &[String], output: &Output) -> Result<Examined, Failure> {
    let accept_unrecovered = args.writing.unrecovered.accept_unrecovered;
    let mut examined = examine(&args.target, about, None, accept_unrecovered, output)?;
    if args.writing.risk.accept_damage {
        // It is still named, and keeps no profile from being proposed.
        examined.diagnosis.damage.clear();
    }
    Ok(examined)
}

/// The hives are written; only the look at them failed.
fn not_seen(failure: Failure) -> Failure {
    let doing = "the changes are made and proved, but the disk could not be looked at again";
    let mut failure = failure.context(doing);
    failure.exit = Exit::NeedsRestore;
    failure
}

/// Says what is wrong with the profiles and settings that were typed before anything is looked at.
fn expect_usable(args: &FixArgs, about: &[String], output: &Output) -> Result<(), Failure> {
    let named = profile::load_all(&one_by_one(&args.profiles))?;
    let typed = args.settings.settings.iter();
    let mut own = Vec::new();
    for text in typed {
        if takes(&named, text) || !(about.contains(text) || is_known(text)?) {
            own.push(text.clone());
        }
    }
    load_profiles(&args.profiles, &own, output)?;
    Ok(())
}

/// Whether a built-in profile, which may yet be proposed, takes what was typed.
fn is_known(setting: &str) -> Result<bool, Failure> {
    let mut refused = None;
    for known in profile::builtin() {
        let profile = profile::load(known.id)?;
        if !takes(std::slice::from_ref(&profile), setting) {
            continue;
        }
        match set_one(known.id, setting) {
            Ok(()) => return Ok(true),
            Err(failure) => refused = Some(failure),
        }
    }
    refused.map_or(Ok(false), Err)
}

/// Asks for what a profile needs that would mend what blocks; tells whether anything was given.
fn give_needed(settings: &mut Vec<String>, proposal: &Proposal, output: &Output) -> bool {
    let given = settings.len();
    for left in &proposal.left_out {
        for needed in &left.needs {
            let question = format!(
                "{} needs {}: {} ({}). Type it, or only Enter to leave the profile out:",
                left.id, needed.name, needed.title, needed.accepted
            );
            while let Some(answer) = output.ask(&question) {
                let answer = answer.trim();
                if answer.is_empty() {
                    break;
                }
                let setting = format!("{}={answer}", needed.name);
                match set_one(&left.id, &setting) {
                    Ok(()) => {
                        settings.push(setting);
                        break;
                    }
                    Err(failure) => output.complain(&failure),
                }
            }
        }
    }
    settings.len() > given
}

/// Whether the profile takes what was typed.
fn set_one(id: &str, setting: &str) -> Result<(), Failure> {
    let mut profiles = profile::load_all(&[id.to_owned()])?;
    for profile in &mut profiles {
        // The others are asked for by themselves.
        let name = setting.split('=').next().unwrap_or_default();
        profile
            .parameters
            .retain(|one| one.name == name || one.default.is_some());
    }
    set_parameters(&mut profiles, &[setting.to_owned()])
}

fn proposal(args: &FixArgs, settings: &[String], before: &Examined) -> Result<Proposal, Failure> {
    let settings = settings.iter();
    let settings = settings.map(|text| Setting::read(text));
    let settings: Vec<Setting> = settings.collect::<Result<_, _>>()?;
    Ok(propose(&before.diagnosis, &args.profiles, &settings))
}

/// The profiles with what they include and what was set, all of which agree.
fn loaded(proposal: &Proposal, settings: &[String]) -> Result<Vec<Profile>, Failure> {
    let profiles = profile::load_all(&proposal.names())?;
    let typed = settings.iter();
    let settings: Vec<String> = typed
        .filter(|text| takes(&profiles, text))
        .cloned()
        .collect();
    agreeing(profiles, &settings)
}

fn carry_out(
    args: &FixArgs,
    settings: &[String],
    before: &Examined,
    proposal: &Proposal,
    output: &Output,
) -> Result<Done, Failure> {
    let profiles = loaded(proposal, settings)?;
    let wish = Wished::Profiles(&profiles, Selection::Each);
    let ready = Ready::make(&before.found, wish, &args.writing, output)?;
    ready.show(false, output);
    ready.carry_out(&before.found, &args.writing, args.backup_scope, output)
}

/// On a terminal profiles can be dropped and added, until nothing is typed.
fn choose(proposal: &mut Proposal, args: &FixArgs, settings: &[String], output: &Output) {
    if args.writing.consent.yes || proposal.profiles.is_empty() {
        return;
    }
    loop {
        let question = format!(
            "Profiles: {}. Enter to go on, or type names with + or - in front:",
            proposal.names().join(" ")
        );
        let Some(answer) = output.ask(&question) else {
            return;
        };
        if answer.trim().is_empty() {
            return;
        }
        let chosen =
            edited(proposal, &answer).and_then(|chosen| loaded(&chosen, settings).map(|_| chosen));
        match chosen {
            Ok(chosen) => *proposal = chosen,
            Err(failure) => output.complain(&failure),
        }
    }
}

/// The proposal after `-rdp-port +firewall-off`.
fn edited(proposal: &Proposal, answer: &str) -> Result<Proposal, Failure> {
    let mut chosen = proposal.clone();
    for word in answer
        .split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
    {
        let (sign, name) = word.split_at_checked(1).unwrap_or_default();
        let place = chosen.profiles.iter().position(|one| one.name == name);
        match (sign, place) {
            ("+", Some(_)) => {}
            ("+", None) => {
                chosen.left_out.retain(|left| left.id != name);
                chosen.profiles.push(Proposed {
                    name: name.to_owned(),
                    is_named: true,
                    causes: Vec::new(),
                });
            }
            ("-", Some(place)) => {
                let dropped = chosen.profiles.remove(place);
                chosen.left_out.push(LeftOut {
                    id: dropped.name,
                    cause: dropped.causes.join("; "),
                    why: "it was dropped".to_owned(),
                    needs: Vec::new(),
                });
            }
            ("-", None) => {
                let message = format!("{name} is not among them");
                return Err(Failure::usage(message));
            }
            _ => {
                let message = format!("{word} has neither + nor - in front of it");
                return Err(Failure::usage(message));
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_and_dropped() {
        let proposal = Proposal {
            profiles: ["a", "b"].map(proposed).to_vec(),
            ..Proposal::default()
        };
        let names = |answer: &str| edited(&proposal, answer).map(|chosen| chosen.names());
        assert_eq!(names("-a +c").unwrap(), ["b", "c"]);
        assert_eq!(names("+a, -b").unwrap(), ["a"]);
        assert!(names("-c").is_err());
        assert!(names("c").is_err());
        assert_eq!(edited(&proposal, "-a").unwrap().left_out.len(), 1);
    }

    fn proposed(name: &str) -> Proposed {
        Proposed {
            name: name.to_owned(),
            is_named: false,
            causes: Vec::new(),
        }
    }
}
