// SPDX-License-Identifier: GPL-3.0-or-later
//! `profile`: list, print, check.

use std::path::Path;

use super::args::{ProfileArgs, ProfileCommand};
use super::capture;
use super::exit::Exit;
use super::failure::Failure;
use super::import;
use super::output::Output;
use super::plan::set_parameters;
use super::profile_text::{lines_of, write_profile};
use crate::profile::{self, Level, Library, Profile};
use crate::report::{profiles_json, profiles_text};

pub(super) fn run(args: &ProfileArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        ProfileCommand::List { .. } => list(output),
        ProfileCommand::Show { profile } => {
            let profile = profile::load(profile)?;
            output.print(&lines_of(&profile.text));
            Ok(Exit::Done)
        }
        ProfileCommand::Check { profiles, settings } => check(profiles, &settings.settings, output),
        ProfileCommand::New { output: file } => new(file.as_deref(), output),
        ProfileCommand::Import(_) => import::run(&args.command, output),
        ProfileCommand::Capture { .. } => capture::run(&args.command, output),
    }
}

fn list(output: &Output) -> Result<Exit, Failure> {
    let builtin = profile::builtin();
    if output.is_json() {
        output.json(&profiles_json(builtin));
        return Ok(Exit::Done);
    }
    output.print(&profiles_text(builtin));
    Ok(Exit::Done)
}

/// A skeleton to begin from.
fn new(file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    write_profile(file, profile::skeleton(), output)
}

/// Each profile by itself with what it includes, then whether they agree with each other.
fn check(names: &[String], settings: &[String], output: &Output) -> Result<Exit, Failure> {
    let mut library = Library::default();
    let mut errors: usize = 0;
    for name in names {
        let before = library.profiles().len();
        match library.add(name) {
            Ok(()) => {
                for profile in library.profiles().skip(before) {
                    errors = errors.saturating_add(print_lints(profile, output));
                }
            }
            Err(problems) => {
                errors = errors.saturating_add(1);
                output.print(&problems.text());
            }
        }
    }
    let mut sound = library.into_profiles();
    if !settings.is_empty() {
        set_parameters(&mut sound, settings)?;
    }
    if let Err(conflicts) = profile::conflicts(&sound) {
        errors = errors.saturating_add(1);
        output.print(&conflicts.text());
    }
    if errors > 0 {
        return Ok(Exit::Found);
    }
    output.note(&format!(
        "{} sound.",
        if names.len() == 1 {
            "The profile is"
        } else {
            "All profiles are"
        }
    ));
    Ok(Exit::Done)
}

/// Prints what the linter finds; returns how much of it is an error.
fn print_lints(profile: &Profile, output: &Output) -> usize {
    let found = profile::lint(profile);
    for lint in &found {
        output.print(&lint.text());
    }
    let errors = found.iter().filter(|lint| lint.level == Level::Error);
    errors.count()
}
