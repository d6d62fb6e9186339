// SPDX-License-Identifier: GPL-3.0-or-later
//! `profile capture`: what a healthy machine has, as a profile for its broken twin.

use super::args::{CaptureFormat, ProfileCommand};
use super::exit::Exit;
use super::export;
use super::failure::Failure;
use super::output::Output;
use super::plan::{hives_of, load_profiles};
use super::plan_file::is_inside;
use super::profile_text::write_profile;
use super::target::{Found, Wanted, input, selection};
use crate::disk::shown;
use crate::machine::{HiveInput, Machine, Selection, machine};
use crate::plan::capture;
use crate::profile::{self, HiveName, Level, Profile};
use crate::report::{ProfileHead, profile_reg, profile_yaml};

pub(super) fn run(command: &ProfileCommand, output: &Output) -> Result<Exit, Failure> {
    let ProfileCommand::Capture {
        target,
        from,
        settings,
        control_set,
        unrecovered,
        format,
        output: file,
    } = command
    else {
        return Ok(Exit::Done);
    };
    let selection = one_control_set(control_set)?;
    let profiles = load_profiles(std::slice::from_ref(from), &settings.settings, output)?;
    let found = Found::from_args(target)?;
    if let Some(file) = file
        .as_deref()
        .filter(|file| is_inside(file, &found.target))
    {
        let message = format!("{}: is in the Windows that is looked at", shown(file));
        return Err(Failure::refused(message).advising("Name a file outside of it."));
    }
    let Wanted { needed, .. } = hives_of(&profiles);
    let useful = HiveName::ALL.to_vec();
    let hives = found.open(&Wanted { needed, useful }, output)?;
    let mut views = Vec::new();
    for hive in &hives {
        match hive.source.view(unrecovered.accept_unrecovered) {
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
    let control_set = chosen(&selection, &inputs)?;
    let keys = capture(&profiles, &inputs, control_set.as_deref())?;
    let head = head(&profiles, &machine(&inputs), found.name.raw());
    let text = profile_yaml(&head, &keys).ok_or_else(|| {
        let message = format!("{from} speaks of nothing that can be captured here");
        Failure::refused(message).advising("Nothing was written.")
    })?;
    let profile = expect_sound(&text)?;
    match format {
        CaptureFormat::Yaml => write_profile(file.as_deref(), &text, output),
        CaptureFormat::Reg => export::write_reg(&profile_reg(&profile)?, file.as_deref(), output),
    }
}

fn one_control_set(text: &str) -> Result<Selection, Failure> {
    match selection(text)? {
        Selection::Current => Ok(Selection::Current),
        Selection::Numbers(numbers) if numbers.len() == 1 => Ok(Selection::Numbers(numbers)),
        _ => Err(Failure::usage("a profile is captured from one control set")
            .advising("Write current, or one number.")),
    }
}

/// The control set that is looked at; `None` where there is no SYSTEM.
fn chosen(selection: &Selection, inputs: &[HiveInput<'_>]) -> Result<Option<String>, Failure> {
    let system = inputs.iter().find(|input| input.name == HiveName::System);
    let Some(system) = system else {
        return Ok(None);
    };
    let sets = selection.choose(&system.control_sets()?)?;
    Ok(sets.into_iter().next().map(|set| set.name))
}

fn head(profiles: &[Profile], machine: &Machine, target: &str) -> ProfileHead {
    const LONGEST_ID: usize = 64;
    // The profile that was named stands behind those that it includes.
    let from = profiles.last();
    let id = from.map_or("profile", |profile| profile.id.as_str());
    let undo = from
        .and_then(|profile| profile.undo.as_deref())
        .unwrap_or(id);
    let mut own = format!("captured-{id}");
    own.truncate(LONGEST_ID);
    let computer = machine.computer_name.as_ref();
    let computer = computer.map_or(target, |name| name.value.as_str());
    let version = match &machine.version {
        Some(version) => format!(", Windows {}", version.value),
        None => String::new(),
    };
    ProfileHead {
        id: own.trim_end_matches('-').to_owned(),
        title: format!("What {computer} has for {id}"),
        source: format!("Captured from {target}{version}, by hivemend profile capture"),
        undo: undo.to_owned(),
    }
}

/// What is written must be a profile that can be used.
fn expect_sound(text: &str) -> Result<Profile, Failure> {
    let profile = profile::parse(text.as_bytes(), "captured")
        .map_err(|errors| Failure::from(errors).context("what was captured is no profile"))?;
    let lints = profile::lint(&profile);
    match lints.iter().find(|lint| lint.level == Level::Error) {
        Some(lint) => Err(Failure::failed(lint).in_lines(lint.text())),
        None => Ok(profile),
    }
}
