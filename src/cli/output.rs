// SPDX-License-Identifier: GPL-3.0-or-later
//! Where words go: results to standard output, everything else to standard error.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use super::args::{Cli, Color, Command, Format, PlanFormat, ProfileCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::stdout::expect_writable;
use super::times::Times;
use super::typed::commands_of;
use crate::disk::parent_program;
use crate::report::{
    BOLD, CommandLine, Shell, WARN, error_json, in_whole_lines, set_shell, set_width, summary,
};
use crate::text::{Text, escape, write_json};

/// What is printed at once, in bytes.
const PIECE: usize = 64 << 10;

/// How this run talks.
pub(super) struct Output {
    choice: ColorChoice,
    format: Format,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    /// The target that was typed, for hints.
    commands: Option<CommandLine>,
    /// What is still to be told of times.
    pub(super) times: Times,
    /// Why a result could not be printed, the first time.
    unprinted: RefCell<Option<io::Error>>,
    /// Whether anything was written to the target.
    has_written: Cell<bool>,
    /// The most bytes of a summary, where one is wanted.
    summary: Option<usize>,
    /// What a summary is made of: results, and what must not be missed.
    kept: RefCell<(Vec<Text>, Vec<String>)>,
}

impl Output {
    pub(super) fn new(cli: &Cli) -> Self {
        let choice = match cli.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        if let Some(columns) = columns() {
            set_width(columns);
        }
        if cli.summary.is_some() {
            in_whole_lines();
        }
        if let Some(shell) = parent_program().as_deref().and_then(shell_called) {
            set_shell(shell);
        }
        Self {
            choice,
            format: format_of(&cli.command),
            quiet: cli.quiet,
            verbose: cli.verbose,
            commands: commands_of(&cli.command),
            times: Times::default(),
            unprinted: RefCell::new(None),
            has_written: Cell::new(false),
            summary: cli.summary.and_then(|most| usize::try_from(most).ok()),
            kept: RefCell::default(),
        }
    }

    /// Whether a `.reg` file is asked for.
    pub(super) fn is_reg(&self) -> bool {
        self.format == Format::Reg
    }

    /// A summary is of text; and not every command has a `.reg` file to give.
    ///
    /// # Errors
    ///
    /// Usage.
    pub(super) fn expect_sayable(&self, command: &Command) -> Result<(), Failure> {
        let can = matches!(command, Command::Show(_) | Command::Restore(_));
        if self.is_reg() && !can {
            let message = "this command makes no .reg file";
            return Err(
                Failure::usage(message).advising("show, restore, plan and profile capture do.")
            );
        }
        if self.summary.is_some() && self.format != Format::Text {
            let message = "--summary is a text, and --format asks for something else";
            return Err(Failure::usage(message).advising("Leave one of the two out."));
        }
        Ok(())
    }

    /// Prints the summary that was asked for, of a run that ended like this.
    pub(super) fn summarize(&self, result: &Result<Exit, Failure>) {
        let Some(most) = self.summary else { return };
        let exit = match result {
            Ok(exit) => *exit,
            Err(failure) => failure.exit,
        };
        let meaning = Exit::TABLE.iter().find(|(known, ..)| *known == exit);
        let meaning = match exit {
            Exit::Done => "done",
            Exit::Found => "done, and it found what was asked about",
            _ => meaning.map_or("", |(_, _, meaning)| *meaning),
        };
        let mut verdict = format!("hivemend {meaning} (exit code {}).", exit.code());
        if let Err(failure) = result {
            verdict = format!(
                "{verdict} {} {}",
                failure.sentence(),
                self.named(&failure.advice)
            );
        }
        let (sections, warnings) = self.kept.take();
        let text = summary(verdict.trim(), &warnings, &sections, most);
        let mut out = io::stdout().lock();
        let written = expect_writable().and_then(|()| out.write_all(text.as_bytes()));
        self.printed(written.and_then(|()| out.flush()));
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result. A reader that goes away early is no error.
    pub(super) fn print(&self, text: &Text) {
        if self.summary.is_some() {
            return self.keep(text);
        }
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

    fn keep(&self, text: &Text) {
        let mut piece = Text::new();
        piece.append(text);
        self.kept.borrow_mut().0.push(piece);
    }

    /// Prints a result that is a file of its own, byte for byte.
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        let written = expect_writable().and_then(|()| out.write_all(bytes));
        self.printed(written.and_then(|()| out.flush()));
    }

    /// Prints a result for scripts.
    pub(super) fn json(&self, document: &impl Serialize) {
        // One that cannot be written into would fail anew at each piece.
        if let Err(error) = expect_writable() {
            return self.printed(Err(error));
        }
        let mut out = BufWriter::with_capacity(PIECE, io::stdout().lock());
        let written = write_json(&mut out, document);
        self.printed(
            written
                .and_then(|()| writeln!(out))
                .and_then(|()| out.flush()),
        );
    }

    /// Prints a result that is made piece by piece.
    pub(super) fn print_pieces(&self, make: impl FnOnce(&mut dyn FnMut(&Text))) {
        let mut waiting = Text::new();
        make(&mut |piece| {
            waiting.append(piece);
            if waiting.len() >= PIECE && self.summary.is_none() {
                self.print(&waiting);
                waiting = Text::new();
            }
        });
        if !waiting.is_empty() {
            self.print(&waiting);
        }
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

    /// A hint with the target that was typed in place of the word `TARGET`, where it is known.
    pub(super) fn named(&self, hint: &str) -> String {
        match &self.commands {
            Some(commands) => commands.in_hint(hint),
            None => hint.to_owned(),
        }
    }

    /// Says something besides the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(escape(text));
        }
    }

    /// Says what must not be missed.
    pub(super) fn warn(&self, text: &str) {
        let text = self.named(text);
        if self.summary.is_some() {
            self.kept.borrow_mut().1.push(text.clone());
        }
        self.say(format_args!("{WARN}warning:{WARN:#} {}", escape(&text)));
    }

    /// The same in more than one line.
    pub(super) fn warn_lines(&self, lines: &Text) {
        let mut text = Text::new();
        text.part(format_args!("{WARN}warning:{WARN:#} "));
        text.append(lines);
        self.to_stderr(&text);
    }

    /// Says why the command did not do what it was asked, and what can be done.
    pub(super) fn failure(&self, failure: &Failure) {
        let sentence = failure.sentence();
        if self.is_json() {
            let advice = self.named(&failure.advice);
            self.json(&error_json(failure.exit.code(), &sentence, &advice));
        }
        self.complain(failure);
    }

    /// Says to people why something was not done, and what can be done.
    pub(super) fn complain(&self, failure: &Failure) {
        let mut text = Text::new();
        if !failure.is_wish {
            text.part(format_args!("{WARN}error:{WARN:#} "));
        }
        match &failure.lines {
            Some(lines) => text.append(lines),
            None => text.line(escape(&failure.sentence())),
        }
        if !failure.advice.is_empty() {
            text.line(escape(&self.named(&failure.advice)));
        }
        self.to_stderr(&text);
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
        if self.quiet || self.is_json() || self.summary.is_some() {
            let message = "nobody can agree to what was not shown, so nothing was written";
            return Err(Failure::usage(message)
                .advising("Say --yes, or leave out --quiet and --format json."));
        }
        let answer = self.answer(&format!("{question} [y/N]"));
        let answer = answer.map(|answer| answer.trim().to_lowercase());
        Ok(answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "yes")))
    }

    /// Asks for a line; `None` where there is nobody to ask, or nothing was shown to ask about.
    pub(super) fn ask(&self, question: &str) -> Option<String> {
        let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        (is_there && !self.quiet && !self.is_json())
            .then(|| self.answer(question))
            .flatten()
    }

    fn answer(&self, question: &str) -> Option<String> {
        let mut text = Text::new();
        text.part(format_args!("{BOLD}{}{BOLD:#} ", escape(question)));
        self.to_stderr(&text);
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok().then_some(answer)
    }

    fn say(&self, line: impl fmt::Display) {
        let mut text = Text::new();
        text.line(line);
        self.to_stderr(&text);
    }

    fn to_stderr(&self, text: &Text) {
        let mut err = AutoStream::new(io::stderr(), self.choice);
        let _ = err.write_all(text.as_bytes());
        let _ = err.flush();
    }
}

/// The shell whose program has this file name.
fn shell_called(program: &str) -> Option<Shell> {
    match program.to_ascii_lowercase().as_str() {
        "cmd.exe" => Some(Shell::Cmd),
        "powershell.exe" | "powershell_ise.exe" | "pwsh.exe" => Some(Shell::PowerShell),
        "bash.exe" | "sh.exe" | "zsh.exe" => Some(Shell::Posix),
        _ => None,
    }
}

/// How wide the terminal is, or what COLUMNS says where there is none.
fn columns() -> Option<usize> {
    if io::stdout().is_terminal() {
        let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
        return Some(usize::from(columns));
    }
    std::env::var("COLUMNS").ok()?.parse().ok()
}

fn format_of(command: &Command) -> Format {
    match command {
        Command::Disks(args) => args.format.format,
        Command::Plan(args) => match args.format {
            PlanFormat::Json => Format::Json,
            _ => Format::Text,
        },
        Command::Fix(args) => args.writing.format.format,
        Command::Apply(args) => args.writing.format.format,
        Command::Backups(args) => args.format.format,
        Command::Recover(args) => args.writing.format.format,
        Command::Donors(args) => args.format.format,
        Command::Mend(args) => args.format.format,
        Command::Restore(args) => args.writing.format.format,
        Command::Diagnose(args) => args.format.format,
        Command::Check(args) => args.format.format,
        Command::Show(args) => args.format.format,
        Command::Find(args) => args.format.format,
        Command::Set(args) => args.change.writing.format.format,
        Command::Unset(args) => args.change.writing.format.format,
        Command::Explain(args) => args.format.format,
        Command::Profile(args) => match &args.command {
            ProfileCommand::List { format, .. } => format.format,
            _ => Format::Text,
        },
        Command::Completions(_) | Command::Man(_) | Command::Help(_) => Format::Text,
    }
}

/// Whether a command line that was not understood asks for JSON.
pub(super) fn is_asked_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<OsString> = words.take_while(|word| word != "--").collect();
    let is_pair = |pair: &[OsString]| {
        pair.first().is_some_and(|word| word == "--format")
            && pair.get(1).is_some_and(|word| word == "json")
    };
    words.windows(2).any(is_pair) || words.iter().any(|word| word == "--format=json")
}

/// Prints, for scripts, why a command line was not understood.
pub(super) fn usage_json(sentence: &str, advice: &str) {
    let document = error_json(Exit::Usage.code(), sentence, advice);
    // The exit code says the same to those whom this does not reach.
    let _ = expect_writable().and_then(|()| writeln!(io::stdout().lock(), "{document}"));
}
