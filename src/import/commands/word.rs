// SPDX-License-Identifier: GPL-3.0-or-later
//! A word of a command line.

/// A word, its quotes taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) quotes: Quotes,
}

/// How a word is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// As the shell wants it, or not at all.
    Right,
    /// In single quotes, which cmd.exe does not know.
    Single,
    /// In typographic quotes.
    Typographic,
}

/// Why a command ends before the line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The line ends, or another command begins.
    End,
    /// `<something>` stands in it, which is to be replaced.
    Placeholder,
    /// A quote is not closed.
    OpenQuote,
    /// A variable whose value is not known here.
    Variable(String),
}

/// The words of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    /// Where in the line it ends.
    pub(super) end: usize,
    pub(super) stop: Stop,
}
