// SPDX-License-Identifier: GPL-3.0-or-later
//! `diagnose`: where to start.

use super::args::{DiagnoseArgs, TargetArgs};
use super::besides::Policy;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::{Found, condition_warnings, input, selection};
use super::typed::commands_for;
use crate::diagnose::{Diagnosis, Presence, diagnose};
use crate::disk::{OnDisk, WindowsFiles};
use crate::machine::{HiveInput, Selection, system_drive};
use crate::profile::{self, HiveName, Impact, Profile};
use crate::report::{CommandLine, diagnose_json, diagnose_text};

pub(super) fn run(args: &DiagnoseArgs, output: &Output) -> Result<Exit, Failure> {
    let accept_unrecovered = args.unrecovered.accept_unrecovered;
    let settings = &args.settings.settings;
    let control_set = args.control_set.as_deref().map(one_set).transpose()?;
    let target = &args.target;
    let (diagnosis, found) = examine(target, settings, control_set, accept_unrecovered, output)?;
    show(&diagnosis, args, &found, output);
    let is_blocked = diagnosis.count(Impact::Blocks) > 0;
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

/// What is wrong on a target.
pub(super) fn examine(
    target: &TargetArgs,
    settings: &[String],
    control_set: Option<u16>,
    accept_unrecovered: bool,
    output: &Output,
) -> Result<(Diagnosis, Found), Failure> {
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
    let mut diagnosis = diagnose(&profiles, &inputs, policies, &files, control_set)?;
    diagnosis.is_complete &= notes.is_empty();
    notes.extend(found.warnings(&hives));
    let conditions = views
        .iter()
        .map(|(hive, view)| (hive.name, &view.condition));
    notes.extend(condition_warnings(conditions));
    diagnosis.warnings.splice(0..0, notes);
    drop(inputs);
    drop(views);
    drop(hives);
    Ok((diagnosis, found))
}

fn show(diagnosis: &Diagnosis, args: &DiagnoseArgs, found: &Found, output: &Output) {
    let command = command_line(diagnosis, args);
    if output.is_json() {
        output.json(&diagnose_json(diagnosis, &command, found.name.raw()));
    } else if !output.quiet {
        output.print(&diagnose_text(diagnosis, &command, output.verbose));
    }
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
        let values = profile.keys.iter().flat_map(|rule| &rule.values);
        let knows = profile.cause.is_some() || values.into_iter().any(|v| v.cause.is_some());
        // What must be given and was not cannot be compared.
        let given = |name: &str| settings.iter().any(|setting| setting.name == name);
        let mut parameters = profile.parameters.iter();
        let is_set = parameters.all(|p| p.default.is_some() || given(&p.name));
        if knows && is_set {
            profiles.push(profile);
        }
    }
    profile::set_parameters(&mut profiles, &settings)?;
    Ok(profiles)
}

fn command_line(diagnosis: &Diagnosis, args: &DiagnoseArgs) -> CommandLine {
    CommandLine {
        settings: settings_of(diagnosis, &args.settings.settings),
        together: together(diagnosis),
        ..commands_for(&args.target)
    }
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
