// SPDX-License-Identifier: GPL-3.0-or-later
//! `help`: of a command, or a document that people look up while they work.

use clap::{Command, CommandFactory};

use super::args::{Cli, HelpArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::text::quoted;

/// The documents, by the names under which they are asked for.
const DOCUMENTS: [(&str, &str); 4] = [
    ("profiles", include_str!("../../docs/profiles.md")),
    ("exit-codes", include_str!("../../docs/exit-codes.md")),
    ("how-do-i", include_str!("../../docs/how-do-i.md")),
    ("glossary", include_str!("../../docs/glossary.md")),
];

pub(super) fn run(args: &HelpArgs, output: &Output) -> Result<Exit, Failure> {
    if let [word] = args.words.as_slice()
        && let Some((_, text)) = DOCUMENTS.iter().find(|(name, _)| name == word)
    {
        output.bytes(text.as_bytes());
        return Ok(Exit::Done);
    }
    let mut all = Cli::command();
    all.build();
    let mut command = &mut all;
    for word in &args.words {
        command = command
            .find_subcommand_mut(word)
            .ok_or_else(|| unknown(word))?;
    }
    output.bytes(help_of(command).as_bytes());
    Ok(Exit::Done)
}

fn help_of(command: &mut Command) -> String {
    command.render_long_help().to_string()
}

fn unknown(word: &str) -> Failure {
    let documents: Vec<&str> = DOCUMENTS.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "there is no command and no document {}; the documents are {}",
        quoted(word),
        documents.join(", ")
    );
    Failure::usage(message).advising("All commands: hivemend help")
}
