// SPDX-License-Identifier: GPL-3.0-or-later
//! Findings about a profile, and who collects them.

use std::fmt;

use crate::profile::model::{Location, Profile};
use crate::profile::reading::{Excerpt, lines, write_lines, write_tail};
use crate::text::{Text, escape};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Look at it again.
    Warning,
    /// Do not use the profile like this.
    Error,
}

/// A finding about a profile that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// How bad it is.
    pub level: Level,
    /// Its permanent name, in kebab-case.
    pub code: &'static str,
    /// The file's name as it was given, or `built-in`.
    pub origin: String,
    /// Where.
    pub at: Location,
    /// What was found.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    excerpt: Option<Excerpt>,
}

impl Lint {
    /// The finding, for people.
    pub fn text(&self) -> Text {
        let Location { line, column } = self.at;
        let level = match self.level {
            Level::Warning => "warning",
            Level::Error => "error",
        };
        let (origin, message) = (escape(&self.origin), escape(&self.message));
        let mut text = Text::new();
        text.line(format_args!(
            "{origin}:{line}:{column}: {level}[{}]: {message}",
            self.code
        ));
        write_tail(&mut text, self.excerpt.as_ref(), &self.hint);
        text
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.text())
    }
}

/// More findings than this are not worth listing.
const MAX_FOUND: usize = 200;

/// Collects the findings about one profile.
pub(super) struct Linter<'p> {
    pub(super) profile: &'p Profile,
    lines: Vec<&'p str>,
    found: Vec<Lint>,
}

impl<'p> Linter<'p> {
    /// Nothing has been found yet.
    pub(super) fn new(profile: &'p Profile) -> Self {
        Self {
            profile,
            lines: lines(&profile.text),
            found: Vec::new(),
        }
    }

    /// What was found, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Lint> {
        self.found.sort_by_key(|lint| lint.at);
        self.found
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, code: &'static str, at: Location, message: String, hint: &str) {
        self.add(Level::Warning, code, at, message, hint);
    }

    /// Where a field of the profile itself stands.
    pub(super) fn field(&self, name: &str) -> Location {
        let start = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        };
        let line = self.lines.iter().position(start).unwrap_or(0);
        let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
        Location { line, column: 1 }
    }

    /// Adds a finding, unless there are too many already.
    pub(super) fn add(
        &mut self,
        level: Level,
        code: &'static str,
        at: Location,
        message: String,
        hint: &str,
    ) {
        if self.found.len() >= MAX_FOUND {
            return;
        }
        self.found.push(Lint {
            level,
            code,
            origin: self.profile.origin.clone(),
            at,
            message,
            hint: hint.to_owned(),
            excerpt: Excerpt::new(&self.lines, at),
        });
    }
}
