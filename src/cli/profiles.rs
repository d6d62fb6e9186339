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
use crate::report::{ProfileRow, profiles_json, profiles_text};

pub(super) fn run(args: &ProfileArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        ProfileCommand::List { words, .. } => list(words, output),
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

/// The built-in profiles that have all of the words.
fn list(words: &[String], output: &Output) -> Result<Exit, Failure> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut rows = Vec::new();
    for group in profile::groups() {
        for id in group.ids {
            let profile = profile::load(id)?;
            if has_all(&profile, &words) {
                let group = group.title;
                rows.push(ProfileRow { group, profile });
            }
        }
    }
    let exit = match rows.is_empty() {
        true => Exit::Found,
        false => Exit::Done,
    };
    if output.is_json() {
        output.json(&profiles_json(&rows));
        return Ok(exit);
    }
    output.print(&profiles_text(&rows));
    match rows.as_slice() {
        [] => output.note(
            "No built-in profile has all of these words. Fewer words find more, and what an error \
             means says: hivemend explain WORDS",
        ),
        [one] => output.note(&format!(
            "With its reasons: hivemend profile show {}",
            one.profile.id
        )),
        _ => output.note("One with its reasons: hivemend profile show ID"),
    }
    Ok(exit)
}

/// Whether each word is in the profile's id, title, symptoms, keys or names of values.
fn has_all(profile: &Profile, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut said = vec![profile.id.clone(), profile.title.clone()];
    said.extend(profile.symptoms.iter().cloned());
    for rule in &profile.keys {
        said.push(rule.path.to_string());
        said.extend(rule.values.iter().map(|value| value.name.clone()));
    }
    let said = said.join("\n").to_lowercase();
    words.iter().all(|word| said.contains(word.as_str()))
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
