// SPDX-License-Identifier: GPL-3.0-or-later
//! `plan`: what would change.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::PlanArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::{Found, selection};
use crate::disk::{Target, shown};
use crate::plan::{HiveInput, Options, Plan, Selection, build, touched_keys};
use crate::profile::{self, Profile};
use crate::report::{PLAN_SCHEMA, plan_json, plan_text};

pub(super) fn run(args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let profiles = load_profiles(&args.profiles, output)?;
    let found = Found::from_args(&args.target)?;
    interrupted::warn(&found.target, None, output);
    let hives = found.open()?;
    let inputs: Result<Vec<HiveInput<'_>>, Failure> =
        hives.iter().map(|hive| hive.input(&hive.file)).collect();
    let inputs = inputs?;
    let plan = make(&profiles, &inputs, &found, selection)?;
    if let Some(file) = &args.output {
        write_plan(file, &plan, &found.target)?;
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

/// Writes the plan to a file of its own, never over anything but an older plan, and never into the
/// Windows folder that it is about.
fn write_plan(file: &Path, plan: &Plan, target: &Target) -> Result<(), Failure> {
    let refuse = |why: &str| {
        let message = format!("{}: {why}", shown(file));
        Failure::refused(message).advising("Name another file for the plan.")
    };
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let windows = target.windows.as_ref().unwrap_or(&target.config);
    let inside = match (fs::canonicalize(folder), fs::canonicalize(windows)) {
        (Ok(folder), Ok(windows)) => folder.starts_with(windows),
        _ => false,
    };
    if inside {
        return Err(refuse(
            "a plan is not written into the Windows that it is about",
        ));
    }
    let mut text = serde_json::to_string_pretty(&plan_json(plan)?).unwrap_or_default();
    text.push('\n');
    let failed = |error| Failure::failed(format!("{}: could not write: {error}", shown(file)));
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !is_plan(file) {
                return Err(refuse(
                    "the file exists and is not a plan, so it is left alone",
                ));
            }
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(file)
                .map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    opened.write_all(text.as_bytes()).map_err(failed)
}

fn is_plan(file: &Path) -> bool {
    let is_file =
        fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() < LARGEST_PLAN);
    let text = if is_file {
        fs::read(file).unwrap_or_default()
    } else {
        Vec::new()
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
    json.is_some_and(|json| {
        json.get("schema")
            .is_some_and(|schema| schema == PLAN_SCHEMA)
    })
}

/// The largest plan file that is read, in bytes.
pub(super) const LARGEST_PLAN: u64 = 64 << 20;
