// SPDX-License-Identifier: GPL-3.0-or-later
//! The lines of a text: which of them are code, and for which shell.

use super::html;
use super::mark::MARK;

/// Who reads a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    /// cmd.exe, or nobody says.
    Cmd,
    PowerShell,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words for people, with commands between them.
    Article,
    /// A batch file.
    Batch,
    /// A script of PowerShell.
    Script,
}

/// A line that may hold commands.
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) shell: Shell,
    /// Whether it stands between fences or is preformatted: nothing in it is prose.
    pub(super) is_code: bool,
    /// What the text is that it stands in.
    pub(super) kind: Kind,
    /// Whether it is a comment or a text of a script, over several lines.
    pub(super) is_text: bool,
}

/// More lines than this are not one command.
const MAX_JOINED: usize = 64;

/// The lines of a text, continued ones joined, HTML taken away.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let is_html = html::is_html(text);
    let raw = match is_html {
        true => html::lines(text),
        false => plain(text),
    };
    let has_fence = text.lines().any(|line| fence_of(line).is_some());
    let is_powershell = is_script(text);
    let kind = match is_html || has_fence {
        true => Kind::Article,
        false if is_powershell => Kind::Script,
        false if is_batch(text) => Kind::Batch,
        false => Kind::Article,
    };
    let of_file = match is_powershell {
        true => Shell::PowerShell,
        false => Shell::Cmd,
    };
    let mut long = LongText::default();
    let mut lines: Vec<Line> = Vec::new();
    let mut fence: Option<Shell> = None;
    let mut joined = 0_usize;
    for seen in raw {
        if let Some(info) = fence_of(&seen.text) {
            fence = match fence {
                None => Some(shell_of(info).unwrap_or(of_file)),
                Some(_) => None,
            };
            joined = 0;
            continue;
        }
        let shell = fence.unwrap_or(of_file);
        let is_text = shell == Shell::PowerShell && long.pass(&seen.text);
        if let Some(last) = lines.last_mut()
            && joined > 0
        {
            last.text.push(' ');
            last.text.push_str(seen.text.trim_start());
        } else {
            lines.push(Line {
                number: seen.number,
                text: seen.text,
                shell,
                is_code: seen.is_code || fence.is_some(),
                kind,
                is_text,
            });
        }
        let goes_on = !is_text && lines.last_mut().is_some_and(continued);
        joined = match goes_on && joined < MAX_JOINED {
            true => joined.saturating_add(1),
            false => 0,
        };
    }
    lines.iter_mut().for_each(mark_code);
    lines
}

fn plain(text: &str) -> Vec<html::Seen> {
    let lines = text.lines().enumerate();
    let seen = lines.map(|(index, line)| html::Seen {
        number: index.saturating_add(1),
        text: line.to_owned(),
        is_code: false,
    });
    seen.collect()
}

/// What stands behind a fence, if the line is one.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start_matches([' ', '\t', '>']);
    let info = line
        .strip_prefix("```")
        .or_else(|| line.strip_prefix("~~~"))?;
    let is_inline = info.contains('`');
    (!is_inline).then(|| info.trim())
}

fn shell_of(info: &str) -> Option<Shell> {
    let word = info.split([' ', ',', '{']).next()?.to_ascii_lowercase();
    match word.trim_start_matches("azure") {
        "powershell"
        | "posh"
        | "ps1"
        | "ps"
        | "pwsh"
        | "powershell-interactive"
        | "-powershell" => Some(Shell::PowerShell),
        "cmd" | "bat" | "batch" | "console" | "dos" | "batchfile" => Some(Shell::Cmd),
        _ => None,
    }
}

/// Whether a text is a script of PowerShell, by how its lines begin.
fn is_script(text: &str) -> bool {
    let mut is = false;
    let mut is_all_commands = true;
    for line in text.lines().map(str::trim_start) {
        let start: String = line.chars().take(16).collect();
        let start = start.to_ascii_lowercase();
        if start.starts_with("@echo") || start.starts_with("rem ") || start.starts_with("::") {
            return false;
        }
        let name = start.strip_prefix('$');
        let assigns = name.is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic()))
            && line.contains('=');
        let begins = ["#requires", "param(", "param (", "[cmdletbinding", "<#"];
        is |= assigns || begins.iter().any(|word| start.starts_with(word));
        is_all_commands &=
            line.is_empty() || line.starts_with(['#', '-', '}', '{', ')', '$']) || has_cmdlet(line);
    }
    // Commands with comments between them, and no prose.
    let is_cmdlet = |line: &str| has_cmdlet(line) && !begins_with_reg(line);
    is || is_all_commands && text.lines().any(is_cmdlet)
}

fn begins_with_reg(line: &str) -> bool {
    let head = line.trim_start().get(..4).unwrap_or_default();
    head.eq_ignore_ascii_case("reg ")
}

/// Whether a line begins as commands of PowerShell do.
fn has_cmdlet(line: &str) -> bool {
    const VERBS: [&str; 12] = [
        "set-", "new-", "remove-", "get-", "test-", "write-", "restart-", "start-", "stop-",
        "invoke-", "out-", "clear-",
    ];
    const WORDS: [&str; 8] = [
        "if (",
        "if(",
        "try",
        "catch",
        "else",
        "foreach",
        "reg add ",
        "reg delete ",
    ];
    let lower: String = line.trim_start().chars().take(16).collect();
    let lower = lower.to_ascii_lowercase();
    VERBS
        .iter()
        .chain(&WORDS)
        .any(|word| lower.starts_with(word))
}

/// Whether a text is a batch file, by how its lines begin.
fn is_batch(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        let start: String = line.chars().take(16).collect();
        let start = start.to_ascii_lowercase();
        let signs = [
            "@echo off",
            "@echo on",
            "rem ",
            "::",
            "setlocal",
            "goto ",
            "exit /b",
            "@reg ",
            "set /",
            "set \"",
        ];
        let sets = start.starts_with("set ") && line.contains('=');
        sets || signs.iter().any(|sign| start.starts_with(sign))
    })
}

/// A comment or a text of PowerShell that is longer than a line.
#[derive(Default)]
struct LongText {
    /// What ends it.
    end: Option<&'static str>,
}

impl LongText {
    /// Goes over a line; whether all of it is in one.
    fn pass(&mut self, line: &str) -> bool {
        let trimmed = line.trim();
        if let Some(end) = self.end {
            // A text ends at the start of a line only.
            let ends = match end {
                "#>" => trimmed.contains(end),
                _ => line.starts_with(end),
            };
            if ends {
                self.end = None;
            }
            return end == "#>" || !ends;
        }
        self.end = match trimmed {
            _ if trimmed.starts_with("<#") && !trimmed.contains("#>") => Some("#>"),
            _ if trimmed.ends_with("@\"") => Some("\"@"),
            _ if trimmed.ends_with("@'") => Some("'@"),
            _ => None,
        };
        self.end == Some("#>") || trimmed.starts_with("<#") && trimmed.ends_with("#>")
    }
}

/// Whether the line goes on in the next one; takes away the sign that says so.
fn continued(line: &mut Line) -> bool {
    let text = line.text.trim_end();
    if is_comment(line.shell, text.trim_start()) {
        return false;
    }
    let is_open = line.shell == Shell::PowerShell && text.ends_with([',', '(', '|']);
    let sign = match line.shell {
        _ if is_open => return true,
        Shell::Cmd if text.ends_with('^') => '^',
        _ if text.ends_with(" `") && line.kind != Kind::Batch => {
            let ticks = text.chars().filter(|c| *c == '`').count();
            if line.shell == Shell::Cmd && ticks.is_multiple_of(2) {
                return false;
            }
            '`'
        }
        _ => return false,
    };
    let kept = text.strip_suffix(sign).unwrap_or(text).len();
    line.text.truncate(kept);
    true
}

fn is_comment(shell: Shell, trimmed: &str) -> bool {
    let head = trimmed.trim_start_matches('@').get(..4).unwrap_or_default();
    match shell {
        Shell::Cmd => head.eq_ignore_ascii_case("rem ") || trimmed.starts_with("::"),
        Shell::PowerShell => trimmed.starts_with('#'),
    }
}

/// Marks where code begins and ends in a line of prose: backticks of Markdown. One in the middle of a
/// word or of quotes is a sign like others.
fn mark_code(line: &mut Line) {
    if line.is_code || line.shell != Shell::Cmd || line.kind != Kind::Article {
        return;
    }
    let chars: Vec<char> = line.text.chars().collect();
    let ticks: Vec<usize> = (0..chars.len())
        .filter(|at| chars.get(*at) == Some(&'`'))
        .collect();
    if ticks.len() < 2 {
        return;
    }
    let mut marked = chars.clone();
    let mut open: Option<usize> = None;
    let (mut is_quoted, mut passed) = (false, 0);
    for at in ticks {
        if let Some(opened) = open {
            for place in [opened, at] {
                if let Some(c) = marked.get_mut(place) {
                    *c = MARK;
                }
            }
            open = None;
            passed = at;
            continue;
        }
        let between = chars.get(passed..at).unwrap_or_default();
        is_quoted ^= !between
            .iter()
            .filter(|c| **c == '"')
            .count()
            .is_multiple_of(2);
        passed = at;
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        let is_start = before.is_none_or(|c| !c.is_alphanumeric() && *c != '\\' && *c != '\'');
        let next: String = chars.iter().skip(at.saturating_add(1)).take(8).collect();
        let next = next.to_ascii_lowercase();
        let is_command =
            next.starts_with("reg ") || next.starts_with("reg.exe") || has_cmdlet(&next);
        if is_start && (!is_quoted || is_command) {
            open = Some(at);
        }
    }
    line.text = marked.into_iter().collect();
}
