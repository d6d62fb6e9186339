// SPDX-License-Identifier: GPL-3.0-or-later
//! Where words go: results to standard output, everything else to standard error.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use serde_json::{Value as Json, json};

use super::args::{Cli, Color, Command, Format, ProfileCommand};
use super::failure::Failure;
use super::phase::{Phase, Times};
use super::stdout::expect_writable;
use crate::profile::escape;
use crate::report::{BOLD, WARN};

/// How this run talks.
pub(super) struct Output {
    choice: ColorChoice,
    format: Format,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    /// What is still to be told of times.
    pub(super) times: Times,
    /// Why a result could not be printed, the first time.
    unprinted: RefCell<Option<io::Error>>,
    /// Whether anything was written to the target.
    has_written: Cell<bool>,
}

impl Output {
    pub(super) fn new(cli: &Cli) -> Self {
        let choice = match cli.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            choice,
            format: format_of(&cli.command),
            quiet: cli.quiet,
            verbose: cli.verbose,
            times: Times::default(),
            unprinted: RefCell::new(None),
            has_written: Cell::new(false),
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Begins a phase of long work, which is shown on a terminal and timed with `--verbose`.
    pub(super) fn phase(&self, what: &str) -> Phase<'_> {
        Phase::begin(self, what)
    }

    /// Prints a result. A reader that goes away early is no error.
    pub(super) fn print(&self, text: &str) {
        let stdout = io::stdout();
        let choice = match self.choice {
            ColorChoice::Auto => AutoStream::choice(&stdout),
            named => named,
        };
        if let Err(error) = expect_writable() {
            return self.printed(Err(error));
        }
        if choice == ColorChoice::Never {
            // In one piece: a stream that strips styles writes what is between them one by one.
            let text = strip_str(text).to_string();
            let mut out = stdout.lock();
            let written = out.write_all(text.as_bytes());
            return self.printed(written.and_then(|()| out.flush()));
        }
        let mut out = AutoStream::new(stdout, choice);
        self.printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Prints a result for scripts.
    pub(super) fn json(&self, json: &Json) {
        let text = serde_json::to_string_pretty(json).unwrap_or_default();
        let text = escape_json(&text);
        let mut out = io::stdout().lock();
        let written = expect_writable().and_then(|()| writeln!(out, "{text}"));
        self.printed(written.and_then(|()| out.flush()));
    }

    fn printed(&self, result: io::Result<()>) {
        let lost = result.err();
        let lost = lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        if let Some(error) = lost {
            self.unprinted.borrow_mut().get_or_insert(error);
        }
    }

    /// Why the result is not all there, where it was to go: a full disk, for instance.
    pub(super) fn unprinted(&self) -> Option<io::Error> {
        self.unprinted.take()
    }

    /// Notes that the target was written: it is no longer untouched.
    pub(super) fn writing(&self) {
        self.has_written.set(true);
    }

    /// Whether the target was written.
    pub(super) fn has_written(&self) -> bool {
        self.has_written.get()
    }

    /// Says something besides the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(&format!("{}\n", escape(text)));
        }
    }

    /// Says what must not be missed.
    pub(super) fn warn(&self, text: &str) {
        self.to_stderr(&format!("{WARN}warning:{WARN:#} {}\n", escape_lines(text)));
    }

    /// Says why the command did not do what it was asked, and what can be done.
    pub(super) fn failure(&self, failure: &Failure) {
        let sentence = failure.sentence();
        if self.is_json() {
            self.json(&json!({
                "schema": "hivemend.error/1",
                "exit_code": failure.exit.code(),
                "error": sentence,
                "advice": failure.advice,
            }));
        }
        self.complain(failure);
    }

    /// Says to people why something was not done, and what can be done.
    pub(super) fn complain(&self, failure: &Failure) {
        let sentence = failure.sentence();
        let sentence = escape_lines(&sentence);
        self.to_stderr(&format!("{WARN}error:{WARN:#} {sentence}\n"));
        if !failure.advice.is_empty() {
            self.to_stderr(&format!("{}\n", failure.advice));
        }
    }

    /// Asks on the terminal; without one there is nobody to ask.
    ///
    /// # Errors
    ///
    /// Usage, where `yes` was needed and not given; failed, where what was asked about could not be
    /// shown.
    pub(super) fn consent(&self, yes: bool, question: &str) -> Result<bool, Failure> {
        let has_result = self.is_json() || !self.quiet;
        let closed = || expect_writable().err().filter(|_| has_result);
        if let Some(error) = self.unprinted().or_else(closed) {
            let message = format!("what is to be done could not be printed: {error}");
            return Err(Failure::failed(message).advising("Nothing was written."));
        }
        if yes {
            return Ok(true);
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let message = "there is no terminal to ask on, so nothing was written";
            return Err(Failure::usage(message).advising("Say --yes to go on without being asked."));
        }
        if self.quiet || self.is_json() {
            let message = "nobody can agree to what was not shown, so nothing was written";
            return Err(Failure::usage(message)
                .advising("Say --yes, or leave out --quiet and --format json."));
        }
        self.to_stderr(&format!("{BOLD}{}{BOLD:#} [y/N] ", escape(question)));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
        Ok(read.is_ok() && is_yes)
    }

    fn to_stderr(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr(), self.choice);
        let _ = err.write_all(text.as_bytes());
        let _ = err.flush();
    }
}

/// Escapes each line, and keeps the breaks between them: errors in profiles show the line itself.
fn escape_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escape).collect();
    lines.join("\n")
}

/// JSON leaves characters that reorder a line as they are: the same document, without them.
fn escape_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() || escape(c.encode_utf8(&mut [0; 4])) == c.to_string() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

fn format_of(command: &Command) -> Format {
    match command {
        Command::Disks(args) => args.format.format,
        Command::Plan(args) => args.format.format,
        Command::Apply(args) => args.writing.format.format,
        Command::Backups(args) => args.format.format,
        Command::Recover(args) => args.writing.format.format,
        Command::Restore(args) => args.writing.format.format,
        Command::Diagnose(args) => args.format.format,
        Command::Check(args) => args.format.format,
        Command::Show(args) => args.format.format,
        Command::Explain(args) => args.format.format,
        Command::Profile(args) => match &args.command {
            ProfileCommand::List { format } => format.format,
            _ => Format::Text,
        },
    }
}
