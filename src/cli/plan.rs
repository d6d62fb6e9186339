// SPDX-License-Identifier: GPL-3.0-or-later
//! `plan`: what would change.

use std::path::Path;

use super::args::{PlanArgs, PlanFormat};
use super::besides::effect_of;
use super::exit::Exit;
use super::export;
use super::failure::Failure;
use super::import;
use super::interrupted;
use super::output::Output;
use super::plan_file;
use super::target::{Found, Wanted, condition_warnings, input, selection};
use super::typed::commands_for;
use super::typed_judge;
use crate::disk::loose_mount;
use crate::machine::{HiveInput, Selection};
use crate::plan::{Options, Plan, build, needs_machine, touched_keys};
use crate::profile::{self, HiveName, Profile, Setting};
use crate::report::{Heading, PlanView, diff_pieces, plan_document, plan_pieces, summary_line};
use crate::text::Text;

pub(super) fn run(args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let phase = output.phase("reading profiles");
    let profiles = load_profiles(&args.profiles, &args.settings.settings, output)?;
    drop(phase);
    show(args, &profiles, selection, next(args), output)
}

/// Compares the target with profiles that were read, and shows what would change; `next` is the command
/// that does it.
pub(super) fn show(
    args: &PlanArgs,
    profiles: &[Profile],
    selection: Selection,
    next: String,
    output: &Output,
) -> Result<Exit, Failure> {
    let found = Found::from_args(&args.target)?;
    interrupted::warn(&found.target, None, output)?;
    if let Some(loose) = loose_mount(&found.target.config).filter(|_| output.verbose) {
        output.warn(&loose.to_string());
    }
    let phase = output.phase("comparing hives with profiles");
    let hives = found.open(&hives_of(profiles), output)?;
    let mut views = Vec::new();
    for hive in &hives {
        match hive.source.view(args.unrecovered.accept_unrecovered) {
            Ok(view) => views.push((hive, view)),
            Err(failure) => hive.leave_out(failure, output)?,
        }
    }
    let mut inputs = Vec::new();
    for (hive, view) in &views {
        match input(hive.name, &hive.source.path, view.bytes(), &view.condition) {
            Ok(input) => inputs.push(input),
            Err(failure) => hive.leave_out(failure, output)?,
        }
    }
    let mut plan = make(profiles, &inputs, &found, selection)?;
    typed_judge::judge(&mut plan, profiles)?;
    let effect = effect_of(&plan, profiles, &inputs, &found);
    plan.metadata = found.metadata(&inputs);
    plan.warn(found.warnings(&hives));
    let conditions = views
        .iter()
        .map(|(hive, view)| (hive.name, &view.condition));
    plan.warn(condition_warnings(conditions));
    drop(phase);
    let format = export::format_of(args)?;
    if let Some(format) = format {
        export::run(&plan, format, args, &found.target, output)?;
        let drifted = args.exit_code && !plan.changes.is_empty();
        return Ok(if drifted { Exit::Found } else { Exit::Done });
    }
    if let Some(file) = &args.output {
        plan_file::write(file, &plan, &effect, &found.target)?;
    }
    match args.format {
        PlanFormat::Json => output.json(&plan_document(&plan, &effect, None)),
        PlanFormat::Diff => {
            let touched = touched_keys(&plan.changes, &inputs)?;
            output.print_pieces(|out| diff_pieces(&touched, out));
        }
        PlanFormat::Text if output.quiet => {
            let mut line = Text::new();
            line.line(summary_line(&plan));
            output.print(&line);
        }
        _ => {
            let view = PlanView {
                heading: Heading::of(&found.name, &inputs),
                verbose: output.verbose,
                next: Some(next),
                commands: found.commands(),
            };
            output.print_pieces(|out| plan_pieces(&plan, &effect, &view, out));
        }
    }
    let drifted = args.exit_code && !plan.changes.is_empty();
    Ok(if drifted { Exit::Found } else { Exit::Done })
}

/// The command that carries the plan out.
fn next(args: &PlanArgs) -> String {
    let mut behind: Vec<&str> = Vec::new();
    let file = args.output.as_deref().and_then(Path::to_str);
    match file {
        Some(file) => behind.extend(["--plan", file]),
        None => {
            for profile in &args.profiles {
                behind.extend(["-p", profile]);
            }
            for setting in &args.settings.settings {
                behind.extend(["--set", setting]);
            }
            if args.control_set != "each" {
                behind.extend(["--control-set", &args.control_set]);
            }
        }
    }
    if args.unrecovered.accept_unrecovered {
        behind.push("--accept-unrecovered");
    }
    commands_for(&args.target).of("apply", &behind)
}

/// Loads the profiles with what they include, gives them the settings that were typed, and makes
/// sure that they do not disagree.
pub(super) fn load_profiles(
    names: &[String],
    settings: &[String],
    output: &Output,
) -> Result<Vec<Profile>, Failure> {
    let profiles = import::load_all(&one_by_one(names), output)?;
    // The built-in ones were linted by the tests, and are the same in every run.
    for profile in profiles.iter().filter(|profile| !is_built_in(profile)) {
        for lint in profile::lint(profile) {
            match lint.level {
                profile::Level::Error => {
                    let lines = lint.text();
                    return Err(Failure::usage(lint).in_lines(lines));
                }
                profile::Level::Warning => output.warn_lines(&lint.text()),
            }
        }
    }
    agreeing(profiles, settings)
}

/// Gives profiles the settings that were typed, and makes sure that they do not disagree.
pub(super) fn agreeing(
    mut profiles: Vec<Profile>,
    settings: &[String],
) -> Result<Vec<Profile>, Failure> {
    set_parameters(&mut profiles, settings)?;
    profile::conflicts(&profiles)?;
    Ok(profiles)
}

/// `a,b` is two profiles, where both are built in.
pub(super) fn one_by_one(names: &[String]) -> Vec<String> {
    let is_known = |id: &str| profile::builtin().iter().any(|known| known.id == id);
    let parts = names.iter().flat_map(|name| {
        let parts: Vec<&str> = name.split(',').map(str::trim).collect();
        match parts.len() > 1 && parts.iter().all(|part| is_known(part)) {
            true => parts.into_iter().map(str::to_owned).collect(),
            false => vec![name.clone()],
        }
    });
    parts.collect()
}

/// Whether one of the profiles takes the setting that was typed.
pub(super) fn takes(profiles: &[Profile], setting: &str) -> bool {
    let name = setting.split('=').next().unwrap_or_default();
    let mut parameters = profiles.iter().flat_map(|profile| &profile.parameters);
    parameters.any(|parameter| parameter.name == name)
}

/// Whether it is a built-in profile, by what it says: a file may be called anything.
fn is_built_in(profile: &Profile) -> bool {
    profile::builtin()
        .iter()
        .any(|known| known.text == profile.text)
}

/// Gives the profiles what was typed behind `--set`.
pub(super) fn set_parameters(profiles: &mut [Profile], typed: &[String]) -> Result<(), Failure> {
    let settings: Result<Vec<Setting>, _> = typed.iter().map(|text| Setting::read(text)).collect();
    Ok(profile::set_parameters(profiles, &settings?)?)
}

/// The hives that profiles are about.
pub(super) fn hives_of(profiles: &[Profile]) -> Wanted {
    let rules = || profiles.iter().flat_map(|profile| &profile.keys);
    let own = profiles.iter().flat_map(|profile| &profile.when);
    let conditions = own.chain(rules().flat_map(|rule| &rule.when));
    let asked = conditions.filter_map(|when| Some(when.path()?.hive));
    let mut useful: Vec<HiveName> = asked.collect();
    if needs_machine(profiles) {
        useful.extend(HiveName::ALL);
    }
    Wanted {
        needed: rules().map(|rule| rule.path.hive).collect(),
        useful,
    }
}

/// Compares profiles with hives.
pub(super) fn make(
    profiles: &[Profile],
    inputs: &[HiveInput<'_>],
    found: &Found,
    selection: Selection,
) -> Result<Plan, Failure> {
    let target = found.name.clone();
    Ok(build(profiles, inputs, &Options { target, selection })?)
}
