// SPDX-License-Identifier: GPL-3.0-or-later
//! `diagnose`: where to start.

use super::args::{DiagnoseArgs, TargetArgs};
use super::besides::Policy;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::next;
use super::output::Output;
use super::source::View;
use super::target::{Found, condition_warnings, input, selection};
use super::typed::commands_for;
use crate::diagnose::{Damage, Diagnosis, Presence, diagnose, propose};
use crate::disk::{OnDisk, WindowsFiles};
use crate::log::mark_clean;
use crate::machine::{Condition, HiveInput, Selection, system_drive};
use crate::profile::{self, HiveName, Impact, Profile};
use crate::regf::{FileOffset, check};
use crate::report::{CommandLine, Heading, diagnose_json, diagnose_text, next_text, verdict_line};

pub(super) fn run(args: &DiagnoseArgs, output: &Output) -> Result<Exit, Failure> {
    let accept_unrecovered = args.unrecovered.accept_unrecovered;
    let settings = &args.settings.settings;
    let control_set = args.control_set.as_deref().map(one_set).transpose()?;
    let target = &args.target;
    let examined = examine(target, settings, control_set, accept_unrecovered, output)?;
    show(&examined, args, output);
    let is_blocked = examined.diagnosis.count(Impact::Blocks) > 0;
    Ok(match args.exit_code && is_blocked {
        true => Exit::Found,
        false => Exit::Done,
    })
}

/// The number of one control set.
fn one_set(text: &str) -> Result<u16, Failure> {
    match selection(text)? {
        Selection::Numbers(numbers) if numbers.len() == 1 => {
            Ok(numbers.first().copied().unwrap_or_default())
        }
        _ => Err(Failure::usage("diagnose judges one control set").advising("Write its number.")),
    }
}

/// A target, and what is wrong on it.
pub(super) struct Examined {
    pub(super) diagnosis: Diagnosis,
    pub(super) found: Found,
    /// Which machine it is.
    pub(super) heading: Heading,
}

/// What is wrong on a target.
pub(super) fn examine(
    target: &TargetArgs,
    settings: &[String],
    control_set: Option<u16>,
    accept_unrecovered: bool,
    output: &Output,
) -> Result<Examined, Failure> {
    let profiles = profiles(settings)?;
    let found = Found::from_args(target)?;
    interrupted::warn(&found.target, None, output)?;
    let (policy, mut notes) = Policy::read(&found);
    let mut hives = Vec::new();
    for name in HiveName::ALL {
        match (found.open_one(name), name) {
            (Ok(hive), _) => hives.extend(hive),
            (Err(failure), HiveName::System) => return Err(failure),
            (Err(failure), _) => notes.push(unread(name, &failure)),
        }
    }
    let mut views = Vec::new();
    for hive in &hives {
        match (hive.source.view(accept_unrecovered), hive.name) {
            (Ok(view), _) => views.push((hive, view)),
            (Err(failure), HiveName::System) => return Err(failure),
            (Err(failure), name) => notes.push(unread(name, &failure)),
        }
    }
    let mut inputs: Vec<HiveInput<'_>> = Vec::new();
    for (hive, view) in &views {
        match (
            input(hive.name, &hive.source.path, view.bytes(), &view.condition),
            hive.name,
        ) {
            (Ok(input), _) => inputs.push(input),
            (Err(failure), HiveName::System) => return Err(failure),
            (Err(failure), name) => notes.push(unread(name, &failure)),
        }
    }
    if !inputs.iter().any(|input| input.name == HiveName::System) {
        let message = "there is no SYSTEM hive here, and most of what can be wrong is in it";
        return Err(Failure::refused(message).advising("Name it with --system."));
    }
    let files = WindowsFiles::of(&found.target, system_drive(&inputs));
    let files = |text: &str| match files.find(text) {
        OnDisk::There => Presence::There,
        OnDisk::Missing => Presence::Missing,
        OnDisk::Unknown(why) => Presence::Unknown(why),
    };
    let policies = policy.policies(&inputs);
    let damage = views.iter();
    let damage = damage.filter_map(|(hive, view)| damage_of(hive.name, view));
    let damage = damage.collect();
    let mut diagnosis = diagnose(&profiles, &inputs, policies, &files, control_set, damage)?;
    diagnosis.is_complete &= notes.is_empty();
    notes.extend(found.warnings(&hives));
    let conditions = views
        .iter()
        .map(|(hive, view)| (hive.name, &view.condition));
    notes.extend(condition_warnings(conditions));
    diagnosis.warnings.splice(0..0, notes);
    name_target(&mut diagnosis, output);
    let heading = Heading::of(&found.name, &inputs);
    drop(inputs);
    drop(views);
    drop(hives);
    Ok(Examined {
        diagnosis,
        found,
        heading,
    })
}

fn show(examined: &Examined, args: &DiagnoseArgs, output: &Output) {
    let diagnosis = &examined.diagnosis;
    let command = command_line(diagnosis, &args.target, &args.settings.settings);
    if output.is_json() {
        let target = examined.found.name.raw();
        output.json(&diagnose_json(diagnosis, &command, target));
    } else if output.quiet {
        output.print(&verdict_line(diagnosis));
    } else {
        let heading = &examined.heading;
        output.print(&diagnose_text(heading, diagnosis, &command, output.verbose));
        let proposal = propose(diagnosis, &[], &read(&args.settings.settings));
        let steps = next::after_diagnose(args, diagnosis, &proposal);
        output.print(&next_text(&steps));
    }
}

/// What the structural check finds in a hive as Windows would load it.
fn damage_of(hive: HiveName, view: &View<'_>) -> Option<Damage> {
    let bytes = view.bytes();
    let size = usize::try_from(bytes.size()).ok()?;
    let image = bytes.read(FileOffset(0), size).ok()?;
    let report = match view.condition {
        // That it is dirty was accepted.
        Condition::Unrecovered => {
            let mut image = image.into_owned();
            mark_clean(&mut image);
            check(&image)
        }
        _ => check(&image),
    };
    let first = report.first_error()?;
    Some(Damage {
        hive,
        errors: report.errors,
        first: first.to_string(),
    })
}

/// Puts the target that was typed into what is advised.
fn name_target(diagnosis: &mut Diagnosis, output: &Output) {
    let findings = diagnosis.findings.iter_mut();
    for finding in findings.chain(&mut diagnosis.elsewhere) {
        finding.advice = finding.advice.take().map(|advice| output.named(&advice));
    }
    for warning in &mut diagnosis.warnings {
        *warning = output.named(warning);
    }
    for open in diagnosis.areas.iter_mut().flat_map(|area| &mut area.open) {
        *open = output.named(open);
    }
}

fn read(settings: &[String]) -> Vec<profile::Setting> {
    let settings = settings.iter();
    settings
        .filter_map(|text| profile::Setting::read(text).ok())
        .collect()
}

fn unread(name: HiveName, failure: &Failure) -> String {
    let why = failure.sentence();
    format!("{name} cannot be read, so nothing in it was judged: {why}")
}

/// The built-in profiles that know a cause, their parameters given.
fn profiles(settings: &[String]) -> Result<Vec<Profile>, Failure> {
    let settings = settings.iter().map(|text| profile::Setting::read(text));
    let settings: Vec<profile::Setting> = settings.collect::<Result<_, _>>()?;
    let mut profiles = Vec::new();
    for builtin in profile::builtin() {
        let profile = profile::load(builtin.id)?;
        // What must be given and was not cannot be compared.
        let given = |name: &str| settings.iter().any(|setting| setting.name == name);
        let mut parameters = profile.parameters.iter();
        let is_set = parameters.all(|p| p.default.is_some() || given(&p.name));
        if knows_a_cause(&profile) && is_set {
            profiles.push(profile);
        }
    }
    profile::set_parameters(&mut profiles, &settings)?;
    Ok(profiles)
}

/// The commands that mend what was found, with the settings that were typed.
pub(super) fn command_line(
    diagnosis: &Diagnosis,
    target: &TargetArgs,
    settings: &[String],
) -> CommandLine {
    CommandLine {
        settings: settings_of(diagnosis, settings),
        together: together(diagnosis),
        ..commands_for(target)
    }
}

/// Those of the settings that a profile which knows a cause takes.
pub(super) fn taken(settings: &[String]) -> Result<Vec<String>, Failure> {
    if settings.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = settings
        .iter()
        .filter_map(|text| text.split('=').next())
        .collect();
    let mut known = Vec::new();
    for builtin in profile::builtin() {
        let profile = profile::load(builtin.id)?;
        if knows_a_cause(&profile) {
            known.extend(profile.parameters.into_iter().map(|one| one.name));
        }
    }
    let taken = settings.iter().zip(names);
    let taken = taken.filter(|(_, name)| known.iter().any(|known| known == name));
    Ok(taken.map(|(text, _)| text.clone()).collect())
}

fn knows_a_cause(profile: &Profile) -> bool {
    let mut values = profile.keys.iter().flat_map(|rule| &rule.values);
    profile.cause.is_some() || values.any(|value| value.cause.is_some())
}

/// What each profile of the findings takes: what was given, and a placeholder for what must be.
fn settings_of(diagnosis: &Diagnosis, given: &[String]) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let all = diagnosis.findings.iter().chain(&diagnosis.elsewhere);
    for id in unique(all.flat_map(|finding| &finding.profiles)) {
        let Ok(profile) = profile::load(id) else {
            continue;
        };
        for parameter in &profile.parameters {
            let is_ours = |text: &&String| text.split('=').next() == Some(parameter.name.as_str());
            let placeholder = || format!("{}={}", parameter.name, parameter.name.to_uppercase());
            let needed = parameter.default.is_none().then(placeholder);
            let setting = given.iter().find(is_ours).cloned().or(needed);
            settings.extend(setting.map(|setting| (profile.id.clone(), setting)));
        }
    }
    settings
}

/// The profiles that mend all that blocks, if there are several causes and they agree.
fn together(diagnosis: &Diagnosis) -> Vec<String> {
    let blocking = diagnosis.findings.iter();
    let blocking = blocking.filter(|finding| finding.impact == Impact::Blocks);
    let ids = unique(blocking.clone().flat_map(|finding| &finding.profiles));
    let is_one_command = blocking
        .clone()
        .any(|finding| finding.profiles.len() == ids.len());
    let names: Vec<String> = ids.into_iter().cloned().collect();
    match profile::load_all(&names) {
        Ok(all) if !is_one_command && profile::conflicts(&all).is_ok() => names,
        _ => Vec::new(),
    }
}

fn unique<'s>(ids: impl Iterator<Item = &'s String>) -> Vec<&'s String> {
    let mut unique: Vec<&String> = Vec::new();
    for id in ids {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique
}
