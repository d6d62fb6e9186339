// SPDX-License-Identifier: GPL-3.0-or-later
//! `completions` and `man`: what shells and manual readers need of the commands.

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::profile;
use crate::text::quoted;

pub(super) fn completions(args: &CompletionsArgs, output: &Output) -> Result<Exit, Failure> {
    let mut command = with_profiles(Cli::command());
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "hivemend", &mut script);
    output.bytes(&script);
    Ok(Exit::Done)
}

/// The commands, with the built-in profiles as what their options take: a shell offers these.
fn with_profiles(command: Command) -> Command {
    let ids = || PossibleValuesParser::new(profile::builtin().iter().map(|known| known.id));
    let takes = |command: &Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_id() == "profiles")
    };
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|command| takes(command))
        .map(|command| command.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| {
            command.mut_arg("profiles", |argument| argument.value_parser(ids()))
        })
    })
}

pub(super) fn man(args: &ManArgs, output: &Output) -> Result<Exit, Failure> {
    let mut all = Cli::command();
    all.build();
    let page = match &args.command {
        None => all,
        Some(name) => {
            let found = all.find_subcommand(name).cloned();
            found.ok_or_else(|| Failure::usage(format!("there is no command {}", quoted(name))))?
        }
    };
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(page).render(&mut text);
    rendered.map_err(|error| Failure::failed(format!("the page could not be made: {error}")))?;
    output.bytes(&text);
    Ok(Exit::Done)
}
