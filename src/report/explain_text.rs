// SPDX-License-Identifier: GPL-3.0-or-later
//! What a code, an event or a message means, for people.

use super::style::{BOLD, DIM, WARN};
use anstyle::Style;

use super::page::wrapped;
use super::{CommandLine, styled};
use crate::diagnose::Finding;
use crate::explain::{Answer, CodeRead, Entry, Kind, NotKnown, Reading};
use crate::text::{Foreign, Text, escape};

/// An answer, and what a disk shows of it.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    /// The answer.
    pub answer: &'a Answer<'a>,
    /// What was found on the disk, where one was named.
    pub on_disk: Option<&'a OnDisk>,
}

/// What `diagnose` finds on a disk, held against an answer.
#[derive(Clone, Debug)]
pub struct OnDisk {
    /// The disk, as it is called.
    pub target: Foreign,
    /// What the answer's profiles would mend.
    pub ours: Vec<Finding>,
    /// What else is wrong there.
    pub others: Vec<Finding>,
    /// Whether everything could be judged.
    pub is_complete: bool,
    /// What could not be judged.
    pub warnings: Vec<String>,
    /// How commands about it are typed.
    pub commands: CommandLine,
}

/// Entries as text: the first in full, what else could have been meant in a line each.
pub fn explain_text(explained: &Explained<'_>) -> Text {
    let mut text = Text::new();
    let Some((first, others)) = explained.answer.entries.split_first() else {
        return text;
    };
    let commands = explained.on_disk.map(|on_disk| &on_disk.commands);
    write_entry(&mut text, &first.entry, commands);
    if let Some(on_disk) = explained.on_disk {
        write_on_disk(&mut text, on_disk);
    }
    let codes = explained
        .answer
        .codes
        .iter()
        .flat_map(|code| read_lines(code, &first.entry));
    let codes: Vec<String> = codes.collect();
    if !codes.is_empty() {
        text.end();
        text.line(format_args!("{BOLD}The numbers in the text{BOLD:#}"));
        for line in codes {
            wrapped(&mut text, Style::new(), "  - ", &line);
        }
    }
    if !others.is_empty() {
        text.end();
        text.line(format_args!("{BOLD}It may also be{BOLD:#}"));
    }
    for other in others {
        let other = &other.entry;
        let asked = escape(&format!("hivemend explain {}", other.question()));
        wrapped(
            &mut text,
            Style::new(),
            "  - ",
            &format!("{other}: {}", other.meaning),
        );
        text.line(format_args!("      {DIM}{asked}{DIM:#}"));
    }
    text
}

/// What is known although nothing answers.
pub fn not_known_text(asked: &str, not_known: &NotKnown) -> Text {
    let mut text = Text::new();
    text.line(format_args!("there is no explanation for: {asked}"));
    for code in &not_known.codes {
        for line in unread_lines(code) {
            wrapped(&mut text, Style::new(), "  ", &line);
        }
    }
    if not_known.nearest.is_empty() {
        let ask = "Ask for a disconnect code (516, 0x204), --extended CODE, event NUMBER SOURCE, stop \
                   0x7B, error 1068, 0x80070005, a service, value, policy or profile name, or paste \
                   the words of the message.";
        wrapped(&mut text, Style::new(), "  ", ask);
    }
    for nearest in &not_known.nearest {
        let line = format!(
            "Nearest: hivemend explain {} ({}); not it: {}.",
            nearest.question, nearest.title, nearest.why_not
        );
        wrapped(&mut text, Style::new(), "  ", &line);
    }
    text
}

fn unread_lines(code: &CodeRead) -> Vec<String> {
    let written = &code.written;
    match (code.code, code.readings.as_slice()) {
        (None, _) => vec![format!(
            "{written} has more than 32 bits: no code of Windows has. Is a digit too many?"
        )],
        (_, []) => vec![format!("{written}: no code of this number is known.")],
        (_, readings) => readings
            .iter()
            .map(|reading| format!("{written}: {}", named(reading)))
            .collect(),
    }
}

/// What the heading does not say already.
fn read_lines(code: &CodeRead, first: &Entry) -> Vec<String> {
    let written = &code.written;
    let mut lines = Vec::new();
    if code.code.is_none() || code.readings.is_empty() {
        lines.extend(unread_lines(code));
    }
    for reading in &code.readings {
        let is_first = first.code == Some(reading.code) && first.kind == reading.kind;
        if !is_first && reading.name.is_some() {
            lines.push(format!("{written}: {}", named(reading)));
        }
    }
    for parameter in &code.parameters {
        lines.push(format!(
            "Among the parameters of {written}: {}",
            named(parameter)
        ));
    }
    lines
}

fn named(reading: &Reading) -> String {
    let number = match reading.kind {
        Kind::Hresult | Kind::Ntstatus => format!("0x{:08X}", reading.code),
        Kind::Stop => format!("{:#X}", reading.code).replace("0X", "0x"),
        _ => reading.code.to_string(),
    };
    let kind = match reading.kind {
        Kind::SystemError => "system error",
        Kind::Stop => "stop error",
        Kind::Hresult => "HRESULT",
        Kind::Ntstatus => "NTSTATUS",
        kind => kind.id(),
    };
    let name = reading
        .name
        .as_ref()
        .map_or(String::new(), |name| format!(", {name}"));
    format!("{kind} {number}{name}")
}

fn write_entry(text: &mut Text, entry: &Entry, commands: Option<&CommandLine>) {
    text.line(styled(BOLD, entry.to_string()));
    wrapped(text, Style::new(), "  ", &entry.meaning);
    if let Some(key) = &entry.key {
        wrapped(text, Style::new(), "  ", &format!("In {key}"));
    }
    if let Some(disagreement) = &entry.disagreement {
        text.end();
        text.line(format_args!("  {WARN}Sources disagree{WARN:#}"));
        wrapped(text, Style::new(), "    ", disagreement);
    }
    write_list(text, "Facts", &entry.details);
    let causes = match entry.kind {
        Kind::Profile => "It is for",
        _ => "Likely causes",
    };
    write_list(text, causes, &entry.causes);
    write_profiles(text, entry, commands);
    let offline = match entry.kind {
        Kind::Mark | Kind::Finding => "What to do",
        _ => "With the disk offline",
    };
    write_list(text, offline, &entry.offline);
    write_list(text, "When it is not the registry", &entry.not_registry);
    let sources = format!("From: {}", entry.sources.join("; "));
    text.end();
    wrapped(text, Style::new(), "  ", &sources);
}

fn write_list(text: &mut Text, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    text.end();
    text.line(format_args!("  {BOLD}{heading}{BOLD:#}"));
    for item in items {
        wrapped(text, Style::new(), "    - ", item);
    }
}

/// A command, with the target where it is known.
fn hint(commands: Option<&CommandLine>, hint: &str) -> String {
    commands.map_or_else(|| hint.to_owned(), |commands| commands.in_hint(hint))
}

fn write_profiles(text: &mut Text, entry: &Entry, commands: Option<&CommandLine>) {
    if entry.diagnose {
        text.end();
        text.line(format_args!("  {BOLD}First{BOLD:#}"));
        let command = hint(commands, "hivemend diagnose TARGET");
        text.line(format_args!("    {}", escape(&command)));
        wrapped(
            text,
            Style::new(),
            "        ",
            "looks for all these causes on the disk, and changes nothing",
        );
    }
    let Some((first, others)) = entry.profiles.split_first() else {
        let may_have = !matches!(entry.kind, Kind::Finding | Kind::Mark | Kind::ExitCode);
        if may_have {
            text.end();
            text.line(format_args!("  No built-in profile addresses it."));
        }
        return;
    };
    text.end();
    text.line(format_args!("  {BOLD}Profiles that address it{BOLD:#}"));
    let command = |id: &str| escape(&hint(commands, &format!("hivemend plan TARGET -p {id}")));
    for (profile, is_first) in [(first, true)]
        .into_iter()
        .chain(others.iter().map(|p| (p, false)))
    {
        let likeliest = if is_first && !others.is_empty() {
            "   (try this one first)"
        } else {
            ""
        };
        text.line(format_args!("    {}{likeliest}", command(&profile.id)));
        let mut what = profile.what.clone();
        if profile.relaxes {
            what.push_str(" (relaxes protection: undo it afterwards)");
        }
        wrapped(text, Style::new(), "        ", &what);
    }
}

fn write_on_disk(text: &mut Text, on_disk: &OnDisk) {
    text.end();
    let target = &on_disk.target;
    if on_disk.ours.is_empty() {
        let complete = if on_disk.is_complete {
            ""
        } else {
            " and could be read"
        };
        text.line(format_args!(
            "Nothing that was judged{complete} on {target} shows this cause"
        ));
    } else {
        text.line(format_args!("{WARN}{target} shows it{WARN:#}"));
    }
    for finding in &on_disk.ours {
        wrapped(
            text,
            Style::new(),
            "  - ",
            &format!("{} ({})", finding.cause, finding.impact.as_str()),
        );
        for profile in &finding.profiles {
            let command = on_disk.commands.of("plan", &["-p", profile]);
            text.line(format_args!("      {}", escape(&command)));
        }
    }
    if !on_disk.others.is_empty() {
        let count = on_disk.others.len();
        let line =
            format!("Something else is wrong there ({count}): hivemend diagnose TARGET says what.");
        let line = on_disk.commands.in_hint(&line);
        wrapped(text, Style::new(), "  ", &line);
    }
    for warning in &on_disk.warnings {
        wrapped(text, Style::new(), "  Note: ", warning);
    }
}
