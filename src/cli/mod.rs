// SPDX-License-Identifier: GPL-3.0-or-later
//! The command line: what was typed, what it means, and how it ended.

mod apply;
mod args;
mod backups;
mod besides;
mod blocked;
mod capture;
mod check;
mod diagnose;
mod disks;
mod donors;
mod exit;
mod explain;
mod export;
mod failure;
mod find;
mod fix;
mod help;
mod import;
mod interrupted;
mod judge;
mod mend;
mod next;
mod not_there;
mod output;
mod own_words;
mod phase;
mod plan;
mod plan_file;
mod profile_text;
mod profiles;
mod publish;
mod recover;
mod restore;
mod set;
mod shell;
mod show;
mod source;
mod stdout;
mod target;
mod times;
mod typed;
mod typed_judge;
mod typed_names;
mod typed_profile;
mod words;

pub use exit::Exit;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use self::args::{Cli, Command};
use self::failure::Failure;
use self::output::Output;
use crate::text::escape;

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let typed = words::typed();
    let mut cli = match Cli::try_parse_from(&typed) {
        Ok(cli) => cli,
        Err(error) => return usage(&advised(harmless(error, &typed), &typed)),
    };
    words::expand(&mut cli.command);
    let output = Output::new(&cli);
    let result = output
        .expect_sayable(&cli.command)
        .and_then(|()| run(cli.command, &output));
    output.summarize(&result);
    let result = result.and_then(|exit| match output.unprinted() {
        Some(error) => Err(unprinted(&error, &output)),
        None => Ok(exit),
    });
    if let Some(rest) = output.times.rest() {
        output.note(&rest);
    }
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            if let Some(word) = words::with_quote(&typed) {
                output.note(&words::about_quote(&word));
            }
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

fn run(command: Command, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Disks(args) => disks::run(&args, output),
        Command::Plan(args) => plan::run(&args, output),
        Command::Fix(args) => fix::run(&args, output),
        Command::Apply(args) => apply::run(&args, output),
        Command::Recover(args) => recover::run(&args, output),
        Command::Donors(args) => donors::run(&args, output),
        Command::Mend(args) => mend::run(&args, output),
        Command::Backups(args) => backups::run(&args, output),
        Command::Restore(args) => restore::run(&args, output),
        Command::Diagnose(args) => diagnose::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Show(args) => show::run(&args, output),
        Command::Find(args) => find::run(&args, output),
        Command::Set(args) => set::set(&args, output),
        Command::Unset(args) => set::unset(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Profile(args) => profiles::run(&args, output),
        Command::Completions(args) => shell::completions(&args, output),
        Command::Man(args) => shell::man(&args, output),
        Command::Help(args) => help::run(&args, output),
    }
}

/// Nobody has seen the result. Where the target was written, 4 would say that it is untouched.
fn unprinted(error: &io::Error, output: &Output) -> Failure {
    if !output.has_written() {
        return Failure::failed(format!("the result could not be printed: {error}"));
    }
    let message = format!("done, but the result could not be printed: {error}");
    Failure::new(Exit::NeedsRestore, message).advising(
        "The hives are written, and nothing is broken. Run the same command again to see that it \
         has nothing left to do, or take it back with: hivemend restore TARGET",
    )
}

/// A usage error repeats what was typed, and a shell types the names of files: here as it would be
/// had they been typed escaped.
fn harmless(error: clap::Error, typed: &[OsString]) -> clap::Error {
    let typed = typed.iter();
    let typed: Vec<String> = typed.map(|word| escape(&word.to_string_lossy())).collect();
    match Cli::try_parse_from(&typed) {
        Err(escaped) => escaped,
        // Only what was escaped away was wrong with it.
        Ok(_) => Cli::command().error(error.kind(), "an argument cannot be taken as it is"),
    }
}

/// With what to give where something that is needed was left out, and what may have swallowed it.
fn advised(mut error: clap::Error, typed: &[OsString]) -> clap::Error {
    let mut tips: Vec<StyledStr> = Vec::new();
    if let Some(word) = words::with_quote(typed) {
        tips.push(words::about_quote(&word).into());
    } else if error.kind() == ErrorKind::MissingRequiredArgument {
        tips = missing(&error, typed);
    }
    if !tips.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// What can be given for what is missing.
fn missing(error: &clap::Error, typed: &[OsString]) -> Vec<StyledStr> {
    let Some(ContextValue::Strings(names)) = error.get(ContextKind::InvalidArg) else {
        return Vec::new();
    };
    let lacks = |part: &str| names.iter().any(|name| name.contains(part));
    let mut tips: Vec<StyledStr> = Vec::new();
    if lacks("TARGET") {
        let tip = "TARGET is the attached disk's root, its Windows folder or its config folder; \
                   'hivemend disks' lists them";
        tips.push(tip.into());
    }
    if lacks("--profile") {
        let diagnose = match words::place(typed) {
            Some(place) => typed::commands_for_place(place).of("diagnose", &[]),
            None => "hivemend diagnose TARGET".to_owned(),
        };
        let tip = format!(
            "to see profiles that help here: {}; to see all: hivemend profile list",
            escape(&diagnose)
        );
        tips.push(tip.into());
    }
    tips
}

/// What a script is told to do about a command line that is not understood.
const ADVICE: &str = "See what the command takes with --help.";

/// Help and version are what was asked for; everything else is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        if output::is_asked_for_json(std::env::args_os()) {
            let said = error.to_string();
            let sentence = said.lines().next().unwrap_or_default();
            output::usage_json(sentence.trim_start_matches("error: "), ADVICE);
        }
        // Nobody is left to tell where this fails.
        let _ = error.print();
        return ExitCode::from(Exit::Usage.code());
    }
    let printed = stdout::expect_writable().and_then(|()| error.print());
    let exit = match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failed,
        _ => Exit::Done,
    };
    ExitCode::from(exit.code())
}
