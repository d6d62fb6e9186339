// SPDX-License-Identifier: GPL-3.0-or-later
//! The commands in a text, found by their names.

use super::blocks::{Blocks, Guard};
use super::lines::{Line, Shell, lines};
use super::mark::MARK;
use super::powershell::{Variables, arguments, value};
use super::program;
use super::ps_command::{self, Cmdlet};
use super::reg_add::{RegCommand, Verb, reg};
use super::word::{Stop, Word, Words};
use super::words::words;
use crate::import::collector::Collector;
use crate::import::key::begins_as_key;
use crate::import::mounts::hive_of_file;
use crate::import::place::Place;
use crate::text::escape;

/// No command is longer than half of this, in characters.
const MAX_LINE: usize = 65_536;

/// What is known while a text is read.
#[derive(Default)]
struct Scene {
    variables: Variables,
    blocks: Blocks,
}

pub(in crate::import) fn read(text: &str, found: &mut Collector<'_>) {
    let mut scene = Scene::default();
    for line in lines(text) {
        if line.text.chars().nth(MAX_LINE).is_some() {
            let at = Place::new(line.number, 1);
            found.refuse(at, "this line is too long for a command", "divide it");
            continue;
        }
        scan(&line, &mut scene, found);
    }
}

/// What was found at a place of a line.
enum Seen {
    /// A command, up to here.
    Command(usize),
    /// A command that cannot be read: what stands behind it in the line is not looked at.
    Broken,
    /// Words that are no command.
    Prose,
}

fn scan(line: &Line, scene: &mut Scene, found: &mut Collector<'_>) {
    let trimmed = line.text.trim();
    if trimmed.is_empty() {
        found.remark = None;
        return;
    }
    if let Some(comment) = comment(line, trimmed) {
        return found.comment(comment);
    }
    let chars: Vec<char> = line.text.chars().collect();
    if line.shell == Shell::Cmd {
        // Braces of prose are none of a script.
        scene.blocks = Blocks::default();
    }
    assign(trimmed, &mut scene.variables);
    let mut is_command = false;
    let (mut at, mut passed) = (0, 0);
    while at < chars.len() {
        let Some((name, behind)) = word_at(&chars, at) else {
            at = at.saturating_add(1);
            continue;
        };
        scene.blocks.pass(chars.get(passed..at).unwrap_or_default());
        passed = at;
        let begin = Begin {
            line,
            chars: &chars,
            at,
            behind,
        };
        match begin.command(&name, scene, found) {
            Seen::Command(end) => {
                is_command = true;
                let end = end.max(behind);
                // Quotes in a command are its own.
                passed = end;
                at = end;
            }
            Seen::Broken => {
                is_command = true;
                break;
            }
            Seen::Prose => at = behind,
        }
    }
    scene.blocks.pass(chars.get(passed..).unwrap_or_default());
    scene.blocks.end_line();
    found.remark = None;
    if !is_command {
        found.skipped = found.skipped.saturating_add(1);
        let lower = trimmed.to_ascii_lowercase();
        if lower.contains("hklm") || lower.contains("hkey_local_machine") {
            let place = Place::new(line.number, 1);
            found.note(place, "speaks of a key, and is no command that is read");
        }
    }
}

/// A comment of a script.
fn comment<'l>(line: &Line, trimmed: &'l str) -> Option<&'l str> {
    let head = trimmed.get(..4).unwrap_or_default();
    if head.eq_ignore_ascii_case("rem ") {
        return trimmed.get(4..);
    }
    if let Some(rest) = trimmed.strip_prefix("::") {
        return Some(rest);
    }
    let is_script = line.shell == Shell::PowerShell || line.is_code;
    let rest = trimmed.strip_prefix('#').filter(|_| is_script)?;
    Some(rest.trim_start_matches('#'))
}

/// Remembers `$name = 'text'`.
fn assign(trimmed: &str, variables: &mut Variables) {
    let Some((name, rest)) = trimmed
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('='))
    else {
        return;
    };
    let name = name.trim();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return;
    }
    let chars: Vec<char> = rest.chars().collect();
    match value(&chars, 0, variables).and_then(|value| value.text()) {
        Some(text) => variables.set(name, text),
        None => variables.forget(name),
    }
}

/// The word that begins at a place, in lower case, and where it ends; `None` inside of a word.
fn word_at(chars: &[char], at: usize) -> Option<(String, usize)> {
    let before = at.checked_sub(1).and_then(|before| chars.get(before));
    if before.is_some_and(|c| c.is_alphanumeric() || "-_./$:".contains(*c)) {
        return None;
    }
    let is_in_path = before == Some(&'\\');
    let rest = chars.get(at..)?;
    let is_part = |c: &&char| c.is_ascii_alphabetic() || **c == '-' || **c == '.';
    let word: String = rest.iter().take_while(is_part).take(24).collect();
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = at.saturating_add(word.len());
    let word = word.to_ascii_lowercase();
    // The program by its path; any other word there is a part of a key.
    (!is_in_path || word == "reg.exe").then_some((word, end))
}

/// Where a command may begin.
struct Begin<'l> {
    line: &'l Line,
    chars: &'l [char],
    at: usize,
    behind: usize,
}

impl Begin<'_> {
    fn place(&self) -> Place {
        Place::new(self.line.number, self.at.saturating_add(1))
    }

    fn before(&self) -> &[char] {
        self.chars.get(..self.at).unwrap_or_default()
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

    /// Whether words of prose may stand behind the command.
    fn is_prose(&self) -> bool {
        if self.line.is_code || self.before().last() == Some(&MARK) {
            return false;
        }
        let before: String = self.before().iter().collect();
        let before = before.trim().trim_start_matches(['@', '>', '*', '-']);
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ')');
        let is_mark = before.trim().chars().all(is_number);
        !(is_mark || before.ends_with(['>', '(', '{', ';', '=', '&', '|']))
    }

    fn command(&self, name: &str, scene: &Scene, found: &mut Collector<'_>) -> Seen {
        if name == "reg" || name == "reg.exe" {
            return self.reg(scene, found);
        }
        let Some((cmdlet, needs_key)) = Cmdlet::of(name) else {
            return Seen::Prose;
        };
        let is_blank = self
            .chars
            .get(self.behind)
            .is_some_and(|c| c.is_whitespace());
        if !is_blank {
            return Seen::Prose;
        }
        let read = arguments(self.chars, self.behind, &scene.variables);
        let names_key = ps_command::names_key(&read.arguments);
        let is_command =
            names_key || (!needs_key && !read.arguments.is_empty() && !self.is_prose());
        if let Some(fault) = fault(&read.stop).filter(|_| is_command || self.speaks_of_key()) {
            found.refuse(self.place(), fault.0, fault.1);
            return Seen::Broken;
        }
        if !is_command {
            return Seen::Prose;
        }
        if let Some((message, hint)) = self.hindered() {
            found.refuse(self.place(), message, hint);
            return Seen::Broken;
        }
        let guard = scene.blocks.guard();
        ps_command::run(cmdlet, &read.arguments, guard, self.place(), found);
        Seen::Command(read.end)
    }

    fn speaks_of_key(&self) -> bool {
        let rest = self.chars.get(self.behind..).unwrap_or_default();
        let rest: String = rest.iter().take(400).collect();
        let upper = rest.to_ascii_uppercase();
        upper.contains("HKLM") || upper.contains("HKEY_") || upper.contains("HKCU")
    }

    fn reg(&self, scene: &Scene, found: &mut Collector<'_>) -> Seen {
        let rest = self.chars.get(self.behind..).unwrap_or_default();
        let blanks = rest.iter().take_while(|c| c.is_whitespace()).count();
        let start = self.behind.saturating_add(blanks);
        let Some((verb, behind)) = word_at(self.chars, start).filter(|_| blanks > 0) else {
            return Seen::Prose;
        };
        let shell = self.shell();
        let read = match shell {
            Shell::Cmd => words(self.chars, behind),
            Shell::PowerShell => self.powershell_words(behind, scene),
        };
        let first = read.words.first().map_or("", |word| word.text.as_str());
        let is_key = begins_as_key(first);
        let verb = match verb.as_str() {
            "add" if is_key => Verb::Add,
            "delete" if is_key => Verb::Delete,
            "load" if is_key => {
                self.load(&read.words, found);
                return Seen::Command(read.end);
            }
            "unload" | "query" | "export" | "save" | "compare" | "flags" if is_key => {
                return Seen::Command(read.end);
            }
            "copy" | "restore" if is_key => return self.unsayable(&verb, found),
            "import" if first.to_ascii_lowercase().ends_with(".reg") => {
                return self.unsayable(&verb, found);
            }
            "add" | "delete" if matches!(read.stop, Stop::Variable(_)) && first.is_empty() => {
                let fault = fault(&read.stop).unwrap_or_default();
                found.refuse(self.place(), fault.0, fault.1);
                return Seen::Broken;
            }
            _ => return Seen::Prose,
        };
        if let Some((message, hint)) = fault(&read.stop).or_else(|| self.hindered()) {
            found.refuse(self.place(), message, hint);
            return Seen::Broken;
        }
        if scene.blocks.guard() != Guard::None {
            let message = "this stands in a block, and is carried out only sometimes";
            found.refuse(self.place(), message, "take what is meant out of its block");
            return Seen::Broken;
        }
        let command = RegCommand {
            verb,
            words: &read.words,
            shell,
            is_prose: self.is_prose(),
            at: self.place(),
        };
        reg(&command, found);
        Seen::Command(read.end)
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

    fn unsayable(&self, verb: &str, found: &mut Collector<'_>) -> Seen {
        let message = format!("`reg {verb}` is something that no profile says");
        let hint = "import the file itself, or write the keys and values out";
        found.refuse(self.place(), message, hint);
        Seen::Broken
    }

    /// Why a command is not carried out as it stands there.
    fn hindered(&self) -> Option<(String, &'static str)> {
        let before: String = self.before().iter().collect();
        let is_quoted = before.ends_with(['"', '\'', '\u{201c}', '\u{2018}']);
        if is_quoted {
            let message = "this command stands in quotes, as the argument of another one";
            return Some((message.to_owned(), "write it by itself"));
        }
        let lower = before.trim().trim_start_matches('@').to_ascii_lowercase();
        let words = [
            "if exist",
            "if not",
            "if errorlevel",
            "if defined",
            "if /i",
            "if \"",
            "if %",
            "for %",
            "for /",
        ];
        let hangs = words.iter().any(|word| lower.starts_with(word));
        let is_else = lower.ends_with("||") || lower.ends_with("else");
        if hangs || is_else {
            let message = "this command is carried out only sometimes, or more than once";
            return Some((message.to_owned(), "write what is meant by itself"));
        }
        None
    }
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
