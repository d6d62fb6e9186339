// SPDX-License-Identifier: GPL-3.0-or-later
//! What is next, at the end of what a command says: commands to be copied, each in one piece.

use anstyle::Style;

use super::page::{self, wrapped};
use super::style::GOOD;
use super::styled;
use crate::text::{Text, escape};

/// What somebody may do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command, and in a few words what it is for; empty where that goes without saying.
    Run {
        /// What it is for.
        what: &'static str,
        /// The command line.
        command: String,
    },
    /// What no command of this program does.
    Say(String),
}

impl Step {
    /// A command, and what it is for.
    pub fn run(what: &'static str, command: String) -> Self {
        Self::Run { what, command }
    }
}

/// The steps; nothing where there is none.
pub fn next_text(steps: &[Step]) -> Text {
    let mut text = Text::new();
    if let [Step::Run { command, .. }] = steps {
        one(&mut text, command);
        return text;
    }
    if !steps.is_empty() {
        text.line("Next:");
    }
    let whats = steps.iter().map(|step| match step {
        Step::Run { what, .. } => what.len(),
        Step::Say(_) => 0,
    });
    let column = whats.max().unwrap_or(0);
    for step in steps {
        match step {
            Step::Run { what, command } => run(&mut text, what, command, column),
            Step::Say(sentence) => wrapped(&mut text, Style::new(), "  ", sentence),
        }
    }
    text
}

fn one(text: &mut Text, command: &str) {
    let command = styled(GOOD, command);
    match fits("Next: ", &command) {
        true => text.line(format_args!("Next: {command}")),
        false => {
            text.line("Next:");
            text.line(format_args!("  {command}"));
        }
    }
}

fn run(text: &mut Text, what: &str, command: &str, column: usize) {
    let command = styled(GOOD, command);
    let label = format!("  {:<column$}  ", escape(what));
    if what.is_empty() || fits(&label, &command) {
        return text.line(format_args!("{label}{command}"));
    }
    text.line(format_args!("  {}", escape(what)));
    text.line(format_args!("    {command}"));
}

/// Whether both stand in one line. A command is never broken.
fn fits(label: &str, command: &str) -> bool {
    let plain = anstream::adapter::strip_str(command).to_string();
    let width = textwrap::core::display_width(&plain);
    width.saturating_add(label.len()) <= page::width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_in_one_piece_however_long() {
        let long = format!("hivemend restore /mnt/{}", "x".repeat(150));
        let steps = [
            Step::run("to undo it", long.clone()),
            Step::Say("Start it.".to_owned()),
        ];
        let text = anstream::adapter::strip_str(&next_text(&steps)).to_string();
        assert!(text.lines().any(|line| line.trim() == long), "{text}");
        let text = next_text(&[Step::run("", "hivemend disks".to_owned())]);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(text, "Next: hivemend disks\n");
        assert!(next_text(&[]).is_empty());
    }
}
