// SPDX-License-Identifier: GPL-3.0-or-later
//! A place in a line where a command may begin, and what it does.

use super::blocks::Blocks;
use super::front::{Fault, Front};
use super::lines::{Kind, Line, Shell};
use super::powershell::{Variables, arguments};
use super::program;
use super::ps_command::{self, Cmdlet};
use super::reg_add::{RegCommand, Verb, reg};
use super::unsayable::unsayable;
use super::word::{Stop, Word, Words};
use super::words::words;
use super::wrap::{Wrapped, wrapped, wraps};
use crate::import::collector::Collector;
use crate::import::key::begins_as_key;
use crate::import::mounts::hive_of_file;
use crate::import::place::Place;
use crate::text::escape;

/// What is known while a text is read.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) variables: Variables,
    pub(super) blocks: Blocks,
    /// Why nothing in the line is carried out.
    pub(super) hindered: Option<Fault>,
    /// The line that ends a script in any case.
    ended: Option<(usize, &'static str)>,
    /// The quote that is open in the line.
    quote: Option<char>,
    /// What was read for commands, in characters.
    pub(super) work: usize,
}

impl Scene {
    /// Follows the quotes of a line.
    pub(super) fn track(&mut self, c: Option<char>) {
        match (self.quote, c) {
            (Some(open), Some(c)) if c == open => self.quote = None,
            (None, Some(c @ ('"' | '\''))) => self.quote = Some(c),
            _ => {}
        }
    }

    /// Whether a quote is open.
    pub(super) fn is_quoted(&self) -> bool {
        self.quote.is_some()
    }

    /// Whether what stands here is carried out in any case.
    pub(super) fn is_certain(&self) -> bool {
        self.blocks.guard().fault().is_none()
    }

    /// Why nothing more of a script is carried out.
    pub(super) fn ended(&self) -> Option<Fault> {
        let (line, word) = self.ended?;
        let message = format!("`{word}` in line {line} passes over this command");
        Some((message, "write what is meant by itself"))
    }

    /// A line ends.
    pub(super) fn end_line(&mut self, trimmed: &str, number: usize, shell: Shell) {
        let first = trimmed.split([' ', ';', '(']).next().unwrap_or_default();
        let ends = ["exit", "return", "throw", "break"]
            .into_iter()
            .find(|word| first.eq_ignore_ascii_case(word));
        if let (Some(word), Shell::PowerShell, true) = (ends, shell, self.is_certain()) {
            self.ended = self.ended.or(Some((number, word)));
        }
        self.blocks.end_line();
        self.quote = None;
    }
}

/// What was found at a place of a line.
pub(super) enum Found {
    /// A command, up to here.
    Command(usize),
    /// A command line that another program carries out; the command itself goes up to `end`.
    Wrapped {
        text: String,
        shell: Shell,
        end: usize,
    },
    /// A command that cannot be read: what stands behind it in the line is not looked at.
    Broken,
    /// Words that are no command.
    Prose,
}

/// Where a command may begin.
pub(super) struct Begin<'l> {
    pub(super) line: &'l Line,
    pub(super) chars: &'l [char],
    pub(super) at: usize,
    pub(super) behind: usize,
}

impl Begin<'_> {
    pub(super) fn place(&self) -> Place {
        Place::new(self.line.number, self.at.saturating_add(1))
    }

    /// Whether commands have this name, in lower case.
    pub(super) fn is_name(name: &str) -> bool {
        matches!(name, "reg" | "reg.exe") || (Cmdlet::of(name).is_some() && name.contains('-'))
    }

    /// Whether a line is looked at for a word of this name.
    pub(super) fn is_work(name: &str) -> bool {
        Self::is_name(name)
            || Cmdlet::of(name).is_some()
            || unsayable(name).is_some()
            || wraps(name)
    }

    fn before(&self) -> &[char] {
        self.chars.get(..self.at).unwrap_or_default()
    }

    /// Whether a quote stands right behind the name, and where its arguments begin.
    fn closing(&self) -> (bool, usize) {
        let last = self.before().last().copied();
        let is_path = last == Some('\\');
        let next = self.chars.get(self.behind).copied();
        let is_closed = match next {
            Some('"' | '\'') => is_path || next == last,
            _ => false,
        };
        (
            is_closed,
            self.behind.saturating_add(usize::from(is_closed)),
        )
    }

    fn front(&self) -> Front {
        Front::of(self.line, self.before(), self.closing().0, self.shell())
    }

    /// PowerShell, by the prompt in front or by the line.
    fn shell(&self) -> Shell {
        let before: String = self.before().iter().collect();
        let before = before.trim();
        let is_prompt = before.ends_with('>') && before.contains("PS ");
        match is_prompt {
            true => Shell::PowerShell,
            false => self.line.shell,
        }
    }

    pub(super) fn command(&self, name: &str, scene: &Scene, found: &mut Collector<'_>) -> Found {
        if name == "reg" || name == "reg.exe" {
            return self.reg(scene, found);
        }
        let (_, start) = self.closing();
        let wraps = || wrapped(name, self.chars, start, self.shell(), &scene.variables);
        if let Some(wrapped) = self.is_blank(start).then(wraps).flatten() {
            return self.wrapped(wrapped, scene, found);
        }
        if let Some(what) = unsayable(name).filter(|_| self.is_blank(start)) {
            return self.other(name, what, scene, found);
        }
        let Some((cmdlet, needs_key)) = Cmdlet::of(name) else {
            return Found::Prose;
        };
        if !self.is_blank(self.behind) {
            return Found::Prose;
        }
        let read = arguments(self.chars, self.behind, &scene.variables);
        let names_key = ps_command::names_key(&read.arguments);
        let is_stopped = matches!(read.stop, Stop::Variable(_));
        let front = self.front();
        let is_given = !read.arguments.is_empty() || is_stopped;
        let is_command = names_key || (!needs_key && is_given && !front.is_prose());
        if is_command && front.is_printed() {
            return self.printed(found);
        }
        if let Some(fault) = fault(&read.stop).filter(|_| is_command || self.speaks_of_key()) {
            found.refuse(self.place(), fault.0, fault.1);
            return Found::Broken;
        }
        if !is_command {
            if needs_key && is_stopped && self.line.kind == Kind::Script {
                let text = "may be about a key, and what it is about is not known here";
                found.note(self.place(), text);
            }
            return Found::Prose;
        }
        if let Some((message, hint)) = self.hindered(&front, scene) {
            found.refuse(self.place(), message, hint);
            return Found::Broken;
        }
        let guard = scene.blocks.guard();
        ps_command::run(cmdlet, &read.arguments, guard, self.place(), found);
        Found::Command(read.end)
    }

    fn is_blank(&self, at: usize) -> bool {
        self.chars.get(at).is_some_and(|c| c.is_whitespace())
    }

    /// What another program is given to carry out.
    fn wrapped(&self, wrapped: Wrapped, scene: &Scene, found: &mut Collector<'_>) -> Found {
        let rest: String = match &wrapped {
            Wrapped::Inner { text, .. } => text.to_ascii_lowercase(),
            Wrapped::Unknown(message, hint) => {
                let front = self.front();
                if front.is_prose() {
                    return Found::Prose;
                }
                found.refuse(self.place(), message.clone(), *hint);
                return Found::Broken;
            }
        };
        let front = self.front();
        let is_ours = ["reg ", "reg.exe", "item", "registry"]
            .iter()
            .any(|word| rest.contains(word));
        let Wrapped::Inner { text, shell, end } = wrapped else {
            return Found::Prose;
        };
        if !is_ours {
            return Found::Prose;
        }
        if front.is_printed() {
            return self.printed(found);
        }
        let guard = scene.blocks.guard();
        if let Some((message, hint)) = self.hindered(&front, scene).or_else(|| guard.fault()) {
            found.refuse(self.place(), message, hint);
            return Found::Broken;
        }
        Found::Wrapped { text, shell, end }
    }

    /// A command that changes a registry in a way that no profile says.
    fn other(&self, name: &str, what: &str, scene: &Scene, found: &mut Collector<'_>) -> Found {
        let read = arguments(self.chars, self.behind, &scene.variables);
        if !ps_command::names_key(&read.arguments) || self.front().is_printed() {
            return Found::Prose;
        }
        let message = format!("`{name}` {what}, which no profile says");
        let hint = "write the keys and values out";
        found.refuse(self.place(), message, hint);
        Found::Broken
    }

    /// A command that somebody is only told of.
    fn printed(&self, found: &mut Collector<'_>) -> Found {
        found.note(self.place(), "a command that is only printed is left out");
        Found::Command(self.chars.len())
    }

    fn speaks_of_key(&self) -> bool {
        let rest = self.chars.get(self.behind..).unwrap_or_default();
        let rest: String = rest.iter().take(400).collect();
        let upper = rest.to_ascii_uppercase();
        upper.contains("HKLM") || upper.contains("HKEY_") || upper.contains("HKCU")
    }

    fn reg(&self, scene: &Scene, found: &mut Collector<'_>) -> Found {
        let (_, start) = self.closing();
        let rest = self.chars.get(start..).unwrap_or_default();
        let blanks = rest.iter().take_while(|c| c.is_whitespace()).count();
        let start = start.saturating_add(blanks);
        let Some((verb, behind)) = verb_at(self.chars, start).filter(|_| blanks > 0) else {
            return Found::Prose;
        };
        let shell = self.shell();
        let read = match shell {
            Shell::Cmd => words(self.chars, behind, found.is_by_program()),
            Shell::PowerShell => self.powershell_words(behind, scene),
        };
        let first = read.words.first().map_or("", |word| word.text.as_str());
        let is_key = begins_as_key(first);
        let front = self.front();
        if front.is_printed() && (is_key || first.contains(['%', '!', '$'])) {
            return self.printed(found);
        }
        let verb = match verb.as_str() {
            "add" if is_key => Verb::Add,
            "delete" if is_key => Verb::Delete,
            "load" if is_key => {
                self.load(&read.words, found);
                return Found::Command(read.end);
            }
            "unload" | "query" | "export" | "save" | "compare" | "flags" if is_key => {
                return Found::Command(read.end);
            }
            "copy" | "restore" if is_key => return self.unsayable(&verb, found),
            "import" if first.to_ascii_lowercase().ends_with(".reg") => {
                return self.unsayable(&verb, found);
            }
            "add" | "delete" if matches!(read.stop, Stop::Variable(_)) && first.is_empty() => {
                let fault = fault(&read.stop).unwrap_or_default();
                found.refuse(self.place(), fault.0, fault.1);
                return Found::Broken;
            }
            "add" | "delete" if !front.is_prose() && (self.is_strict() || first.contains('%')) => {
                let message = match first.contains(['%', '!']) {
                    true => format!(
                        "`{}` holds a variable of cmd.exe that is not known here",
                        shown(first)
                    ),
                    false => format!("`{}` is no key", shown(first)),
                };
                found.refuse(self.place(), message, "write the key out: HKLM\\...");
                return Found::Broken;
            }
            _ => return Found::Prose,
        };
        let guard = scene.blocks.guard();
        let hindered = self.hindered(&front, scene);
        let stopped = hindered
            .or_else(|| fault(&read.stop))
            .or_else(|| guard.fault());
        let stopped = stopped.or_else(|| self.divided(shell, behind, read.end));
        if let Some((message, hint)) = stopped {
            found.refuse(self.place(), message, hint);
            return Found::Broken;
        }
        let command = RegCommand {
            verb,
            words: &read.words,
            shell,
            is_prose: front.is_prose(),
            is_batch: self.line.kind == Kind::Batch,
            at: self.place(),
        };
        reg(&command, found);
        Found::Command(read.end)
    }

    fn is_strict(&self) -> bool {
        self.line.is_code || self.line.kind != Kind::Article
    }

    /// Why cmd.exe ends a command before its arguments end: for it, a quote behind a backslash is one
    /// like any other.
    fn divided(&self, shell: Shell, start: usize, end: usize) -> Option<Fault> {
        let command = self.chars.get(start..end).unwrap_or_default();
        let text: String = command.iter().collect();
        if shell != Shell::Cmd || !text.contains("\\\"") {
            return None;
        }
        let mut is_open = false;
        let sign = command.iter().find(|c| {
            is_open ^= **c == '"';
            !is_open && matches!(c, '&' | '|' | '<' | '>')
        })?;
        let message =
            format!("cmd.exe ends the command at `{sign}`: the quotes before it do not hold it");
        Some((message, "write it without a quote in a text"))
    }

    /// The words of a command of PowerShell that is a program.
    fn powershell_words(&self, start: usize, scene: &Scene) -> Words {
        program::words(self.chars, start, &scene.variables)
    }

    /// What the file calls the hive of another machine.
    fn load(&self, words: &[Word], found: &mut Collector<'_>) {
        let [mount, file, ..] = words else { return };
        let name = mount.text.split_once('\\').map(|(_, name)| name);
        if let (Some(name), Some(hive)) = (name, hive_of_file(&file.text)) {
            found.mounts.add(name.trim_end_matches('\\'), hive);
        }
    }

    fn unsayable(&self, verb: &str, found: &mut Collector<'_>) -> Found {
        let message = format!("`reg {verb}` is something that no profile says");
        let hint = "import the file itself, or write the keys and values out";
        found.refuse(self.place(), message, hint);
        Found::Broken
    }

    /// Why a command is not carried out as it stands there.
    fn hindered(&self, front: &Front, scene: &Scene) -> Option<Fault> {
        let before: String = self.before().iter().collect();
        let is_quoted = before.ends_with(['"', '\'', '\u{201c}', '\u{2018}']);
        if is_quoted && !self.closing().0 {
            let message = "this command stands in quotes, as the argument of another one";
            return Some((message.to_owned(), "write it by itself"));
        }
        front.hindered().or_else(|| scene.hindered.clone())
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    escape(&short)
}

/// `add` or another verb of reg.exe.
fn verb_at(chars: &[char], at: usize) -> Option<(String, usize)> {
    let rest = chars.get(at..)?;
    let verb: String = rest
        .iter()
        .take_while(|c| c.is_ascii_alphabetic())
        .take(16)
        .collect();
    let end = at.saturating_add(verb.len());
    (!verb.is_empty()).then(|| (verb.to_ascii_lowercase(), end))
}

/// Why a command cannot be read to its end.
fn fault(stop: &Stop) -> Option<(String, &'static str)> {
    Some(match stop {
        Stop::End => return None,
        Stop::Placeholder => {
            let message = "`<...>` stands for something that is not said".to_owned();
            (message, "write what it stands for")
        }
        Stop::OpenQuote => ("a quote is not closed".to_owned(), "close it"),
        Stop::Variable(name) => {
            let shown: String = name.chars().take(40).collect();
            let message = format!("the value of `{}` is not known here", escape(&shown));
            (message, "write it out")
        }
    })
}
