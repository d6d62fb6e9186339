// SPDX-License-Identifier: GPL-3.0-or-later
//! What cannot be imported: file, line, column, and what to do.

use std::fmt;

use super::place::Place;
use crate::text::{Foreign, Text, escape};

/// One thing that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file's name as it was given.
    pub file: Foreign,
    /// Where; `None` where it is about the file as a whole.
    pub at: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Trouble {
    fn write(&self, text: &mut Text) {
        text.part(&self.file);
        if let Some(at) = self.at {
            text.part(format_args!(":{at}"));
        }
        text.line(format_args!(": {}", escape(&self.message)));
        if !self.hint.is_empty() {
            text.line(format_args!("   {}", escape(&self.hint)));
        }
    }
}

/// Everything that cannot be imported, in the order of the file; never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportErrors {
    troubles: Vec<Trouble>,
    left_out: usize,
}

/// More than this is not worth listing to the end.
const MAX_TROUBLES: usize = 100;

impl ImportErrors {
    /// One error about a file as a whole.
    pub(super) fn whole(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(Trouble {
            file: file.into(),
            at: None,
            message: message.into(),
            hint: hint.into(),
        });
        errors
    }

    /// Adds one, or counts it where there are too many.
    pub(super) fn add(&mut self, trouble: Trouble) {
        if self.troubles.len() >= MAX_TROUBLES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.troubles.push(trouble);
    }

    /// Returns the value where nothing was wrong.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        match self.troubles.is_empty() {
            true => Ok(value),
            false => Err(self),
        }
    }

    /// The errors, the first 100 where there are more.
    pub fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// How many there are besides.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// All of them, for people.
    pub fn text(&self) -> Text {
        let mut text = Text::new();
        for trouble in &self.troubles {
            trouble.write(&mut text);
        }
        if self.left_out > 0 {
            text.line(format_args!("and {} more", self.left_out));
        }
        text
    }
}

impl fmt::Display for ImportErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.write_str(text.strip_suffix('\n').unwrap_or(&text))
    }
}

impl std::error::Error for ImportErrors {}
