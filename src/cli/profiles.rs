// SPDX-License-Identifier: GPL-3.0-or-later
//! `profile`: list, print, check.

use serde_json::{Value as Json, json};

use super::args::{ProfileArgs, ProfileCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::profile::{self, Level};
use crate::report::{BOLD, styled};

pub(super) fn run(args: &ProfileArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        ProfileCommand::List { .. } => list(output),
        ProfileCommand::Show { profile } => {
            let profile = profile::load(profile)?;
            let lines: Vec<String> = profile.text.lines().map(profile::escape).collect();
            output.print(&format!("{}\n", lines.join("\n")));
            Ok(Exit::Done)
        }
        ProfileCommand::Check { profiles } => check(profiles, output),
    }
}

fn list(output: &Output) -> Result<Exit, Failure> {
    let builtin = profile::builtin();
    if output.is_json() {
        let rows = builtin
            .iter()
            .map(|builtin| json!({ "id": builtin.id, "title": builtin.title }));
        let rows: Vec<Json> = rows.collect();
        output.json(&json!({ "schema": "hivemend.profiles/1", "profiles": rows }));
        return Ok(Exit::Done);
    }
    for builtin in builtin {
        let id = format!("{:<18}", builtin.id);
        output.print(&format!("{} {}\n", styled(BOLD, &id), builtin.title));
    }
    Ok(Exit::Done)
}

/// Each profile by itself, then whether they agree with each other.
fn check(names: &[String], output: &Output) -> Result<Exit, Failure> {
    let mut sound = Vec::new();
    let mut errors: usize = 0;
    for name in names {
        match profile::load(name) {
            Ok(profile) => {
                for lint in profile::lint(&profile) {
                    if lint.level == Level::Error {
                        errors = errors.saturating_add(1);
                    }
                    output.print(&format!("{lint}\n"));
                }
                sound.push(profile);
            }
            Err(problems) => {
                errors = errors.saturating_add(1);
                output.print(&format!("{problems}\n"));
            }
        }
    }
    if let Err(conflicts) = profile::conflicts(&sound) {
        errors = errors.saturating_add(1);
        output.print(&format!("{conflicts}\n"));
    }
    if errors > 0 {
        return Ok(Exit::Found);
    }
    output.note(&format!(
        "{} sound.",
        if sound.len() == 1 {
            "The profile is"
        } else {
            "All profiles are"
        }
    ));
    Ok(Exit::Done)
}
