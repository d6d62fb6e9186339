// SPDX-License-Identifier: GPL-3.0-or-later
//! `plan`: what would change.

use super::args::PlanArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::plan_file;
use super::target::{Found, condition_warnings, input, selection};
use crate::plan::{HiveInput, Options, Plan, Selection, build, touched_keys};
use crate::profile::{self, HiveName, Profile};
use crate::report::{plan_json, plan_text};

pub(super) fn run(args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let phase = output.phase("reading profiles");
    let profiles = load_profiles(&args.profiles, output)?;
    drop(phase);
    let found = Found::from_args(&args.target)?;
    interrupted::warn(&found.target, None, output);
    let phase = output.phase("comparing hives with profiles");
    let hives = found.open(&hives_of(&profiles))?;
    let mut views = Vec::new();
    for hive in &hives {
        views.push((hive, hive.source.view(args.unrecovered.accept_unrecovered)?));
    }
    let mut inputs = Vec::new();
    for (hive, view) in &views {
        inputs.push(input(
            hive.name,
            &hive.source.path,
            view.bytes(),
            &view.condition,
        )?);
    }
    let mut plan = make(&profiles, &inputs, &found, selection)?;
    plan.warn(found.warnings(&hives));
    let conditions = views
        .iter()
        .map(|(hive, view)| (hive.name, &view.condition));
    plan.warn(condition_warnings(conditions));
    drop(phase);
    if let Some(file) = &args.output {
        plan_file::write(file, &plan, &found.target)?;
    }
    if output.is_json() {
        output.json(&plan_json(&plan)?);
    } else if !output.quiet {
        let touched = touched_keys(&plan.changes, &inputs)?;
        output.print(&plan_text(&plan, &touched, output.verbose));
    }
    let drifted = args.exit_code && !plan.changes.is_empty();
    Ok(if drifted { Exit::Found } else { Exit::Done })
}

/// Loads the profiles and makes sure that they do not disagree.
pub(super) fn load_profiles(names: &[String], output: &Output) -> Result<Vec<Profile>, Failure> {
    let mut profiles: Vec<Profile> = Vec::new();
    for name in names {
        let profile = profile::load(name)?;
        for lint in profile::lint(&profile) {
            match lint.level {
                profile::Level::Error => return Err(Failure::usage(lint)),
                profile::Level::Warning => output.warn(&lint.to_string()),
            }
        }
        profiles.push(profile);
    }
    profile::conflicts(&profiles)?;
    Ok(profiles)
}

/// The hives that profiles are about.
pub(super) fn hives_of(profiles: &[Profile]) -> Vec<HiveName> {
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    rules.map(|rule| rule.path.hive).collect()
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
