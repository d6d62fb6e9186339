// SPDX-License-Identifier: GPL-3.0-or-later
//! The commands in a text, found by their names.

use super::batch::Batch;
use super::blocks::Blocks;
use super::command::{Begin, Found, Scene};
use super::lines::{Kind, Line, Shell, lines};
use super::powershell::value;
use super::unsayable::call;
use crate::import::collector::Collector;
use crate::import::place::Place;

/// No command is longer than half of this, in characters.
const MAX_LINE: usize = 65_536;
/// What is read for all commands of a text together, in characters: each looks at its whole line.
const MAX_WORK: usize = 256 << 20;
/// Commands within commands.
const MAX_DEPTH: usize = 3;

pub(in crate::import) fn read(text: &str, found: &mut Collector<'_>) {
    let mut scene = Scene::default();
    let mut batch = Batch::default();
    for mut line in lines(text) {
        let number = line.number;
        let expanded = match line.shell {
            Shell::Cmd => batch.expand(&line.text, MAX_LINE),
            Shell::PowerShell => None,
        };
        if let Some(expanded) = expanded {
            line.text = expanded;
        }
        if line.text.chars().nth(MAX_LINE).is_some() {
            let at = Place::new(number, 1);
            found.refuse(at, "this line is too long for a command", "divide it");
            continue;
        }
        scene.hindered = match line.shell {
            Shell::Cmd => batch.hindered(),
            Shell::PowerShell => scene.ended(),
        };
        whole_line(&line, &mut scene, found);
        if scene.work > MAX_WORK {
            return;
        }
        let is_batch = line.shell == Shell::Cmd && (line.kind == Kind::Batch || line.is_code);
        if is_batch {
            batch.pass(line.text.trim(), number);
        }
    }
}

fn whole_line(line: &Line, scene: &mut Scene, found: &mut Collector<'_>) {
    let trimmed = line.text.trim();
    if trimmed.is_empty() {
        found.remark = None;
        return;
    }
    if line.is_text {
        return pass_over(line, trimmed, found);
    }
    if let Some(comment) = comment(line, trimmed) {
        if speaks_of_key(trimmed) {
            pass_over(line, trimmed, found);
        }
        return found.comment(comment);
    }
    if line.shell == Shell::Cmd {
        // Braces of prose are none of a script.
        scene.blocks = Blocks::default();
    }
    assign(trimmed, scene);
    let is_command = scan(line, 0, scene, found);
    scene.end_line(trimmed, line.number, line.shell);
    found.remark = None;
    if is_command {
        return;
    }
    let name =
        call(&trimmed.to_ascii_lowercase()).filter(|_| line.kind != Kind::Article || line.is_code);
    if let Some(name) = name {
        let message = format!("`{name}` changes a registry in a way that is not read here");
        let hint = "write it as Set-ItemProperty or REG ADD";
        return found.refuse(Place::new(line.number, 1), message, hint);
    }
    pass_over(line, trimmed, found);
}

fn speaks_of_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("hklm") || lower.contains("hkey_local_machine")
}

/// Counts a line that is no command, and names it where it speaks of a key.
fn pass_over(line: &Line, trimmed: &str, found: &mut Collector<'_>) {
    found.skipped = found.skipped.saturating_add(1);
    if speaks_of_key(trimmed) {
        let place = Place::new(line.number, 1);
        found.note(place, "speaks of a key, and is no command that is read");
    }
}

/// Reads the commands of a line; whether there is one.
fn scan(line: &Line, depth: usize, scene: &mut Scene, found: &mut Collector<'_>) -> bool {
    let chars: Vec<char> = line.text.chars().collect();
    let mut is_command = false;
    let (mut at, mut passed) = (0, 0);
    while at < chars.len() {
        if begins_comment(line, &chars, at, scene) {
            break;
        }
        let Some((name, behind)) = word_at(&chars, at) else {
            scene.track(chars.get(at).copied());
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
        if Begin::is_work(&name) {
            scene.work = scene.work.saturating_add(chars.len());
        }
        if scene.work > MAX_WORK {
            let message = "there are too many commands in long lines up to here";
            found.refuse(begin.place(), message, "divide the file");
            return true;
        }
        match begin.command(&name, scene, found) {
            Found::Command(end) => {
                is_command = true;
                let end = end.max(behind);
                // Quotes in a command are its own.
                passed = end;
                at = end;
            }
            Found::Wrapped { text, shell, end } if depth < MAX_DEPTH => {
                let inner = Line {
                    number: line.number,
                    // Its place is that of the command that hands it on.
                    text: format!("{}{text}", " ".repeat(at)),
                    shell,
                    is_code: true,
                    kind: line.kind,
                    is_text: false,
                };
                is_command |= scan(&inner, depth.saturating_add(1), scene, found);
                passed = end.max(behind);
                at = passed;
            }
            Found::Wrapped { .. } => {
                let hint = "write the command by itself";
                found.refuse(begin.place(), "commands stand in commands too deep", hint);
                return true;
            }
            Found::Broken => {
                is_command = true;
                break;
            }
            Found::Prose => at = behind,
        }
    }
    scene.blocks.pass(chars.get(passed..).unwrap_or_default());
    is_command
}

/// A comment of a script.
fn comment<'l>(line: &Line, trimmed: &'l str) -> Option<&'l str> {
    let bare = trimmed.trim_start_matches('@');
    let head = bare.get(..4).unwrap_or_default();
    if head.eq_ignore_ascii_case("rem ") {
        return bare.get(4..);
    }
    if let Some(rest) = trimmed.strip_prefix("::") {
        return Some(rest);
    }
    let rest = trimmed.strip_prefix('#')?.trim_start_matches('#');
    let is_script = line.shell == Shell::PowerShell || line.is_code;
    // A heading of an article is no command as a whole.
    let chars: Vec<char> = rest.trim_start().chars().take(32).collect();
    let is_command = word_at(&chars, 0).is_some_and(|(name, _)| Begin::is_name(&name));
    (is_script || is_command).then_some(rest)
}

/// Whether the rest of a line is a comment of PowerShell.
fn begins_comment(line: &Line, chars: &[char], at: usize, scene: &Scene) -> bool {
    if line.shell != Shell::PowerShell || chars.get(at) != Some(&'#') || scene.is_quoted() {
        return false;
    }
    let before = at.checked_sub(1).and_then(|before| chars.get(before));
    before.is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '}' | ')'))
}

/// The statements of a line, each with whether it stands in a block that begins in the line.
fn statements(line: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let (mut start, mut is_inner, mut quote) = (0, false, None);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, ';' | '{' | '}') => {
                found.push((line.get(start..at).unwrap_or_default(), is_inner));
                is_inner |= c == '{';
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    found.push((line.get(start..).unwrap_or_default(), is_inner));
    found
}

/// Remembers `$name = 'text'`, and forgets what is assigned in another way.
fn assign(trimmed: &str, scene: &mut Scene) {
    for (statement, is_inner) in statements(trimmed) {
        let statement = statement.trim();
        let Some(start) = statement.find('$') else {
            continue;
        };
        let Some((name, rest)) = statement
            .get(start.saturating_add(1)..)
            .and_then(|rest| rest.split_once('='))
        else {
            continue;
        };
        let written = name
            .trim()
            .trim_end_matches(['+', '-', '*', '/', '%'])
            .trim_end();
        if written.is_empty() || !written.chars().all(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let chars: Vec<char> = rest.chars().collect();
        let is_whole =
            start == 0 && !is_inner && written.len() == name.trim().len() && scene.is_certain();
        let text = is_whole
            .then(|| value(&chars, 0, &scene.variables))
            .flatten();
        match text.and_then(|value| value.text()) {
            Some(text) => scene.variables.set(written, text),
            None => scene.variables.forget(written),
        }
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
    // A program by its path; any other word there is a part of a key.
    let is_program =
        ["reg.exe", "reg", "cmd.exe", "powershell.exe", "pwsh.exe"].contains(&word.as_str());
    (!is_in_path || is_program).then_some((word, end))
}
