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

/// A line that may hold commands.
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) shell: Shell,
    /// Whether it stands between fences or is preformatted: nothing in it is prose.
    pub(super) is_code: bool,
}

/// More lines than this are not one command.
const MAX_JOINED: usize = 64;

/// The lines of a text, continued ones joined, HTML taken away.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let raw = match html::is_html(text) {
        true => html::lines(text),
        false => plain(text),
    };
    let of_file = match is_script(text) {
        true => Shell::PowerShell,
        false => Shell::Cmd,
    };
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
            });
        }
        let goes_on = lines.last_mut().is_some_and(continued);
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
    for line in text.lines().map(str::trim_start) {
        let start: String = line.chars().take(16).collect();
        let start = start.to_ascii_lowercase();
        if start.starts_with("@echo") || start.starts_with("rem ") || start.starts_with("::") {
            return false;
        }
        let name = start.strip_prefix('$');
        let assigns = name.is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic()))
            && line.contains('=');
        let begins = ["#requires", "param(", "param (", "[cmdletbinding"];
        is |= assigns || begins.iter().any(|word| start.starts_with(word));
    }
    is
}

/// Whether the line goes on in the next one; takes away the sign that says so.
fn continued(line: &mut Line) -> bool {
    let text = line.text.trim_end();
    let sign = match line.shell {
        Shell::Cmd if text.ends_with('^') => '^',
        _ if text.ends_with(" `") => {
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

/// Marks where code begins and ends in a line of prose.
fn mark_code(line: &mut Line) {
    let ticks = line.text.chars().filter(|c| *c == '`').count();
    if !line.is_code && line.shell == Shell::Cmd && ticks > 1 && ticks.is_multiple_of(2) {
        line.text = line.text.replace('`', &MARK.to_string());
    }
}
