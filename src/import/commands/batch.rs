// SPDX-License-Identifier: GPL-3.0-or-later
//! What a batch file says around its commands: variables, blocks in round brackets, jumps.

use std::collections::HashMap;

/// Blocks within blocks.
const MAX_DEPTH: usize = 64;
/// Variables that are kept, and the longest value.
const MAX_VARIABLES: usize = 256;
const MAX_VALUE: usize = 4096;

/// What is known of a batch file at a line of it.
#[derive(Default)]
pub(super) struct Batch {
    variables: HashMap<String, String>,
    /// The open blocks: what their commands hang on, `None` for nothing.
    blocks: Vec<Option<&'static str>>,
    /// The line that ends the file, or passes over what follows, in any case.
    ended: Option<(usize, &'static str)>,
}

impl Batch {
    /// The line with the variables in it that are known; `longest` at most, in characters.
    pub(super) fn expand(&self, line: &str, longest: usize) -> Option<String> {
        if self.variables.is_empty() || !line.contains('%') {
            return None;
        }
        let mut expanded = String::new();
        let mut length = 0_usize;
        let mut rest = line;
        while let Some(at) = rest.find('%') {
            let (before, behind) = rest.split_at(at);
            let behind = behind.get(1..).unwrap_or_default();
            expanded.push_str(before);
            let known = behind.find('%').and_then(|end| {
                let value = self
                    .variables
                    .get(&behind.get(..end)?.to_ascii_lowercase())?;
                Some((value, behind.get(end.saturating_add(1)..)?))
            });
            rest = match known {
                // `%%` is a sign, and no variable has an empty name.
                None if behind.starts_with('%') => {
                    expanded.push_str("%%");
                    behind.get(1..).unwrap_or_default()
                }
                None => {
                    expanded.push('%');
                    behind
                }
                Some((value, behind)) => {
                    expanded.push_str(value);
                    length = length.saturating_add(value.len());
                    behind
                }
            };
            if length > longest {
                return None;
            }
        }
        expanded.push_str(rest);
        Some(expanded)
    }

    /// Goes over a line, after its commands were read.
    pub(super) fn pass(&mut self, trimmed: &str, number: usize) {
        let line = trimmed.trim_start_matches('@').trim();
        let lower = line.to_ascii_lowercase();
        let head = lower
            .split([' ', '\t', '/', '('])
            .next()
            .unwrap_or_default();
        let hangs = self.guard().is_some() || head == "if" || head == "for";
        if lower.starts_with(')') {
            self.blocks.pop();
        }
        if lower.starts_with('(') || lower.ends_with('(') {
            let kind = match head {
                "if" => Some("if"),
                "for" => Some("for"),
                _ if lower.contains("else") => Some("else"),
                _ => None,
            };
            let closes = lower.starts_with('(') && lower.ends_with(')');
            if self.blocks.len() < MAX_DEPTH && !closes {
                self.blocks.push(kind);
            }
        }
        match head {
            "set" => self.set(line.get(3..).unwrap_or_default(), hangs),
            "exit" if !hangs => self.end(number, "exit"),
            "goto" if !hangs => self.end(number, "goto"),
            _ => {}
        }
        if !matches!(head, "set" | "rem") && lower.contains("set ") {
            self.forget_all(&lower);
        }
    }

    fn end(&mut self, number: usize, word: &'static str) {
        self.ended = self.ended.or(Some((number, word)));
    }

    fn set(&mut self, rest: &str, hangs: bool) {
        let rest = rest.trim();
        let whole = rest
            .strip_prefix('"')
            .and_then(|rest| rest.rfind('"').and_then(|end| rest.get(..end)));
        let Some((name, value)) = whole.unwrap_or(rest).split_once('=') else {
            return;
        };
        let is_asked = rest.starts_with('/');
        let name = name
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_known = !hangs && !is_asked && !value.contains(['%', '!', '&', '|', '^']);
        if !is_known || value.len() > MAX_VALUE || self.variables.len() >= MAX_VARIABLES {
            self.variables.remove(&name);
            return;
        }
        self.variables.insert(name, value.to_owned());
    }

    /// What is set somewhere in a line is not known any more.
    fn forget_all(&mut self, lower: &str) {
        for part in lower.split("set ").skip(1) {
            let part = part.trim_start_matches("/a").trim_start_matches("/p");
            let name = part.trim_start_matches([' ', '"']).split('=').next();
            self.variables.remove(name.unwrap_or_default());
        }
    }

    /// What the commands of a line hang on.
    pub(super) fn guard(&self) -> Option<&'static str> {
        self.blocks.iter().rev().find_map(|kind| *kind)
    }

    /// Why a command in the next line is not carried out.
    pub(super) fn hindered(&self) -> Option<(String, &'static str)> {
        const HINT: &str = "write what is meant by itself";
        if let Some(word) = self.guard() {
            let message =
                format!("`{word}` carries this command out only sometimes, or more than once");
            return Some((message, HINT));
        }
        let (line, word) = self.ended?;
        let message = format!("`{word}` in line {line} passes over this command");
        Some((message, HINT))
    }
}
