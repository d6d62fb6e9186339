// SPDX-License-Identifier: GPL-3.0-or-later
//! Errors in a profile: file, line, column, the line itself, and what to write instead.

use std::fmt;

use crate::profile::model::Location;
use crate::text::{Text, escape, push_escaped};

/// One thing that is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The file's name as it was given, or `built-in`.
    pub origin: String,
    /// Where; `None` if the error is about the file as a whole.
    pub at: Option<Location>,
    /// What is wrong.
    pub message: String,
    /// What to write or do instead.
    pub hint: String,
    /// The line it stands in, ready to print.
    pub(crate) excerpt: Option<Excerpt>,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::new();
        self.write(&mut text);
        write_lines(f, &text)
    }
}

impl ProfileError {
    fn write(&self, text: &mut Text) {
        text.part(escape(&self.origin));
        if let Some(at) = self.at {
            text.part(format_args!(":{}:{}", at.line, at.column));
        }
        text.line(format_args!(": {}", escape(&self.message)));
        write_tail(text, self.excerpt.as_ref(), &self.hint);
    }
}

/// Writes what stands below the first line of a message: the excerpt and the hint.
pub(crate) fn write_tail(text: &mut Text, excerpt: Option<&Excerpt>, hint: &str) {
    if let Some(excerpt) = excerpt {
        excerpt.write(text);
    }
    if !hint.is_empty() {
        text.line(format_args!("   {}", escape(hint)));
    }
}

/// Lines as an error prints them: whoever prints it ends the last one.
pub(crate) fn write_lines(f: &mut fmt::Formatter<'_>, text: &Text) -> fmt::Result {
    f.write_str(text.strip_suffix('\n').unwrap_or(text))
}

/// Everything that was found wrong with a profile, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileErrors {
    errors: Vec<ProfileError>,
    left_out: usize,
}

/// A profile with more errors than this is not worth listing to the end.
const MAX_ERRORS: usize = 100;

impl ProfileErrors {
    /// An error about the file as a whole.
    pub(crate) fn whole(origin: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let error = ProfileError {
            origin: origin.to_owned(),
            at: None,
            message: message.into(),
            hint: hint.into(),
            excerpt: None,
        };
        Self {
            errors: vec![error],
            left_out: 0,
        }
    }

    /// Returns the errors, the first 100 if there are more.
    pub fn errors(&self) -> &[ProfileError] {
        &self.errors
    }

    /// Returns how many errors were found beyond those that [`errors`](Self::errors) lists.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl ProfileErrors {
    /// All of them, for people.
    pub fn text(&self) -> Text {
        let mut text = Text::new();
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                text.end();
            }
            error.write(&mut text);
        }
        if self.left_out > 0 {
            text.end();
            text.line(format_args!("and {} more", self.left_out));
        }
        text
    }
}

impl fmt::Display for ProfileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.text())
    }
}

impl std::error::Error for ProfileErrors {}

/// Collects the errors of one profile while it is read.
pub(crate) struct Report<'t> {
    origin: &'t str,
    lines: Vec<&'t str>,
    errors: Vec<ProfileError>,
    left_out: usize,
}

impl<'t> Report<'t> {
    /// A report without errors about `text`, which was read from `origin`.
    pub(crate) fn new(origin: &'t str, text: &'t str) -> Self {
        Self {
            origin,
            lines: lines(text),
            errors: Vec::new(),
            left_out: 0,
        }
    }

    /// Adds an error; `hint` says what to write instead.
    pub(crate) fn error(
        &mut self,
        at: Location,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.is_full() {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.errors.push(ProfileError {
            origin: self.origin.to_owned(),
            at: Some(at),
            message: message.into(),
            hint: hint.into(),
            excerpt: Excerpt::new(&self.lines, at),
        });
    }

    /// Says whether a tab stands in the indent of this line.
    /// Where the first tab stands that indents a line, from `line` on.
    pub(crate) fn tab_from(&self, line: u32) -> Option<Location> {
        let lines = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        let line = (line..=lines).find(|line| self.has_tab_indent(*line))?;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let blanks = self
            .lines
            .get(index)?
            .chars()
            .take_while(|c| *c != '\t')
            .count();
        let column = u32::try_from(blanks).unwrap_or(u32::MAX).saturating_add(1);
        Some(Location { line, column })
    }

    /// Whether a tab is in what indents the line.
    pub(crate) fn has_tab_indent(&self, line: u32) -> bool {
        let index = usize::try_from(line)
            .ok()
            .and_then(|line| line.checked_sub(1));
        let line = index.and_then(|index| self.lines.get(index));
        let mut indent = line.map_or("", |line| line).chars();
        indent
            .by_ref()
            .take_while(|c| c.is_whitespace())
            .any(|c| c == '\t')
    }

    /// Says whether further errors are only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
    }

    /// Returns `value` if nothing was wrong, else all that was.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, ProfileErrors> {
        self.errors.sort_by_key(|error| error.at);
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(ProfileErrors {
                errors: self.errors,
                left_out: self.left_out,
            }),
        }
    }
}

/// Splits text at the line breaks that YAML knows: `\n`, `\r\n` and a lone `\r`.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let pieces = text.split('\n');
    let pieces = pieces.map(|line| line.strip_suffix('\r').unwrap_or(line));
    pieces.flat_map(|line| line.split('\r')).collect()
}

/// The most characters of a line that are shown, and how many of them stand before the caret.
const WINDOW: usize = 100;
const BEFORE_CARET: usize = 60;

/// A line of the profile with a caret below it, safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    line: u32,
    shown: String,
    indent: usize,
}

impl Excerpt {
    /// Cuts the part around `at` out of its line; `None` if there is no such line.
    pub(crate) fn new(lines: &[&str], at: Location) -> Option<Self> {
        let line = lines.get(usize::try_from(at.line).ok()?.checked_sub(1)?)?;
        let caret = usize::try_from(at.column).ok()?.saturating_sub(1);
        let start = match line.chars().nth(WINDOW) {
            Some(_) => caret.saturating_sub(BEFORE_CARET),
            None => 0,
        };
        let mut shown = String::from(if start > 0 { "…" } else { "" });
        let mut indent = None;
        for (i, c) in line.chars().enumerate().skip(start) {
            if i == caret {
                indent = Some(shown.chars().count());
            }
            if i >= start.saturating_add(WINDOW) {
                shown.push('…');
                break;
            }
            push_escaped(&mut shown, if c == '\t' { ' ' } else { c });
        }
        Some(Self {
            line: at.line,
            indent: indent.unwrap_or_else(|| shown.chars().count()),
            shown,
        })
    }
}

impl Excerpt {
    fn write(&self, text: &mut Text) {
        let Self {
            line,
            shown,
            indent,
        } = self;
        text.line(format_args!("{line:>5} | {shown}"));
        text.line(format_args!("{:>5} | {:indent$}^", "", ""));
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::new();
        self.write(&mut text);
        write_lines(f, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let at = Location {
            line: 1,
            column: 501,
        };
        let shown = Excerpt::new(&[&line], at).unwrap().to_string();
        let (text, caret) = shown.split_once('\n').unwrap();
        assert!(
            text.chars().count() < 120 && text.starts_with("    1 | …a") && text.ends_with("b…")
        );
        let column = caret.chars().position(|c| c == '^').unwrap();
        assert_eq!(text.chars().nth(column), Some('X'));
    }

    #[test]
    fn the_caret_stays_below_its_character_behind_escapes_and_tabs() {
        let line = "\ta\u{1b}\u{202e}X";
        let at = Location { line: 1, column: 5 };
        let shown = Excerpt::new(&[line], at).unwrap().to_string();
        let (text, caret) = shown.split_once('\n').unwrap();
        assert_eq!(text, "    1 |  a\\u{1b}\\u{202e}X");
        assert_eq!(caret.find('^'), text.find('X'));
    }

    #[test]
    fn a_caret_behind_the_line_or_file_is_no_panic() {
        let far = Location {
            line: 1,
            column: u32::MAX,
        };
        assert!(
            Excerpt::new(&["ab"], far)
                .unwrap()
                .to_string()
                .ends_with("|   ^")
        );
        assert_eq!(Excerpt::new(&["ab"], Location { line: 9, column: 1 }), None);
        assert_eq!(Excerpt::new(&[], Location { line: 0, column: 0 }), None);
    }

    #[test]
    fn lines_end_where_yaml_ends_them() {
        assert_eq!(lines("a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
    }
}
