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
    /// They are carried out where a key or value is there.
    IfPresent,
    /// They hang on something else, which has this name.
    Other(&'static str),
    /// They are carried out on another machine.
    Elsewhere,
}

impl Guard {
    /// Why the commands are not carried out in any case.
    pub(super) fn fault(self) -> Option<(String, &'static str)> {
        const HINT: &str = "take what is meant out of its block";
        Some(match self {
            Self::None => return None,
            Self::IfMissing | Self::IfPresent => {
                let message = "this stands in a block, `if`, and is carried out only sometimes";
                (message.to_owned(), HINT)
            }
            Self::Other(word) => {
                let message =
                    format!("this stands in a block, `{word}`, and is carried out only sometimes");
                (message, HINT)
            }
            Self::Elsewhere => {
                let message =
                    "this stands in a block that Invoke-Command carries out on another machine";
                (message.to_owned(), HINT)
            }
        })
    }
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
            (Guard::None, other) => other,
            (worst, Guard::None) => worst,
            (worst, other) if worst == other => worst,
            (Guard::Other(word), _) | (_, Guard::Other(word)) => Guard::Other(word),
            _ => Guard::Other("if"),
        })
    }
}

fn of(guard: &str) -> Guard {
    let lower = guard.trim().to_ascii_lowercase();
    let always = ["", "try", "finally", "&", ".", "begin", "process", "end"];
    if always.contains(&lower.as_str()) {
        return Guard::None;
    }
    let bare: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.starts_with("invoke-command") || bare.starts_with("icm-") {
        let away = [
            "-comp",
            "-cn",
            "-session",
            "-vm",
            "-host",
            "-conn",
            "-container",
        ];
        return match away.iter().any(|parameter| bare.contains(parameter)) {
            true => Guard::Elsewhere,
            false => Guard::None,
        };
    }
    let is_single = !bare.contains("-and") && !bare.contains("-or");
    let is_missing = bare.starts_with("if(-not(test-path") || bare.starts_with("if(!(test-path");
    if is_missing && is_single {
        return Guard::IfMissing;
    }
    if bare.starts_with("if(test-path") && is_single {
        return Guard::IfPresent;
    }
    let known = [
        "if",
        "elseif",
        "else",
        "foreach",
        "foreach-object",
        "for",
        "while",
        "do",
        "switch",
        "function",
        "filter",
        "catch",
        "trap",
        "where-object",
        "start-job",
        "param",
        "class",
        "workflow",
        "configuration",
    ];
    let head = lower.split([' ', '(']).next().unwrap_or_default();
    Guard::Other(
        known
            .into_iter()
            .find(|word| *word == head)
            .unwrap_or("{ }"),
    )
}
