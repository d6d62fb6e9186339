// SPDX-License-Identifier: GPL-3.0-or-later
//! `explain`: what a code, an event, a name or an error message means, and what can be done.

use super::args::ExplainArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::explain::{Library, NotKnown};
use crate::report::{explain_json, explain_text};
use crate::text::{Text, escape};

/// Characters of a question that a message repeats.
const REPEATED: usize = 80;

pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<Exit, Failure> {
    let asked = args.what.join(" ");
    if args.extended && !asked.chars().any(|c| c.is_ascii_digit()) {
        let message = "--extended is about a number, and there is none";
        return Err(Failure::usage(message).advising("Write: hivemend explain --extended 7"));
    }
    let library = Library::built_in().map_err(Failure::failed)?;
    let answer = library.look_up(&asked, args.extended);
    let answer = answer.map_err(|not_known| unknown(&asked, &not_known))?;
    match output.is_json() {
        true => output.json(&explain_json(&asked, &answer.entries)),
        false => output.print(&explain_text(&answer.entries)),
    }
    Ok(Exit::Done)
}

/// What cannot be explained is a word that the command does not know, as an unknown profile is.
fn unknown(asked: &str, not_known: &NotKnown) -> Failure {
    let mut shown: String = asked.chars().take(REPEATED).collect();
    if shown.len() < asked.len() {
        shown.push_str("...");
    }
    let message = format!("there is no explanation for: {}", escape(&shown));
    if not_known.suggestions.is_empty() {
        return Failure::usage(message).advising(
            "Ask for a disconnect code (516, 0x204), --extended CODE, event NUMBER SOURCE, \
             stop 0x7B, a service, value or policy name, or paste the words of the message.",
        );
    }
    let suggestions = not_known.suggestions.iter();
    let suggestions: Vec<String> = suggestions
        .map(|question| format!("hivemend explain {question}"))
        .collect();
    let nearest = format!("Nearest: {}", suggestions.join("; "));
    let mut lines = Text::new();
    lines.line(&message);
    lines.line(&nearest);
    Failure::usage(format!("{message}\n{nearest}")).in_lines(lines)
}
