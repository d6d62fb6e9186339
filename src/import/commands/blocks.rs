// SPDX-License-Identifier: GPL-3.0-or-later
//! The blocks of a script, and whether a command in one is carried out in any case.

/// Blocks within blocks.
const MAX_DEPTH: usize = 64;

/// The open blocks, each with what stands in front of it.
#[derive(Default)]
pub(super) struct Blocks {
    guards: Vec<String>,
    /// What stands in front of the next `{`.
    pending: String,
    quote: Option<char>,
}

/// What a block says of the commands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// They are carried out.
    None,
    /// They are carried out where a key is not there.
    IfMissing,
    /// They hang on something else.
    Other,
}

impl Blocks {
    /// Goes over a part of a line.
    pub(super) fn pass(&mut self, part: &[char]) {
        const LONGEST: usize = 200;
        for &c in part {
            match (self.quote, c) {
                (Some(quote), _) if c == quote => self.quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => self.quote = Some(c),
                (None, '{') => {
                    let guard = std::mem::take(&mut self.pending);
                    if self.guards.len() < MAX_DEPTH {
                        self.guards.push(guard);
                    }
                }
                (None, '}') => {
                    self.guards.pop();
                    self.pending.clear();
                }
                (None, ';') => self.pending.clear(),
                _ if self.pending.len() < LONGEST => self.pending.push(c),
                _ => {}
            }
        }
    }

    /// A line ends: what stood in it belongs to no block below, unless it is the condition of one.
    pub(super) fn end_line(&mut self) {
        self.quote = None;
        let pending = self.pending.trim().to_ascii_lowercase();
        let is_open = [
            "if", "else", "for", "while", "function", "try", "catch", "switch", "do",
        ]
        .iter()
        .any(|word| pending.starts_with(word));
        if !is_open {
            self.pending.clear();
        }
    }

    /// What the open blocks say of a command.
    pub(super) fn guard(&self) -> Guard {
        let guards = self.guards.iter().map(|guard| of(guard));
        guards.fold(Guard::None, |worst, guard| match (worst, guard) {
            (Guard::Other, _) | (_, Guard::Other) => Guard::Other,
            (Guard::None, other) => other,
            (worst, _) => worst,
        })
    }
}

fn of(guard: &str) -> Guard {
    let lower = guard.trim().to_ascii_lowercase();
    if lower.is_empty() || lower == "try" || lower == "&" {
        return Guard::None;
    }
    let bare: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    let is_missing = bare.starts_with("if(-not(test-path") || bare.starts_with("if(!(test-path");
    match is_missing {
        true => Guard::IfMissing,
        false => Guard::Other,
    }
}
