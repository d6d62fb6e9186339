// SPDX-License-Identifier: GPL-3.0-or-later
//! Phases of long work: shown on a terminal while they last, timed with `--verbose`.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::output::Output;
use crate::text::escape;

/// A phase is shown once it has lasted so long, and then as often.
const SHOWN_AFTER: Duration = Duration::from_millis(700);
const SHOWN_AGAIN: Duration = Duration::from_millis(250);
/// Columns of a terminal that a phase may take.
const COLUMNS: usize = 78;
/// A phase, until it is dropped.
pub(super) struct Phase<'o> {
    output: &'o Output,
    what: String,
    begun: Instant,
    display: Cell<Option<Display>>,
}

impl Output {
    /// Begins a phase of long work, which is shown on a terminal and timed with `--verbose`.
    pub(super) fn phase(&self, what: &str) -> Phase<'_> {
        Phase::begin(self, what)
    }
}

impl<'o> Phase<'o> {
    fn begin(output: &'o Output, what: &str) -> Self {
        let what = what.to_owned();
        let begun = Instant::now();
        let shown = !output.quiet && io::stderr().is_terminal();
        let display = Cell::new(shown.then(|| Display::start(&what, begun)).flatten());
        Self {
            output,
            what,
            begun,
            display,
        }
    }

    /// Prints something else in the middle of the phase.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        let shown = self.display.take().is_some();
        print();
        if shown {
            self.display.set(Display::start(&self.what, self.begun));
        }
    }
}

impl Drop for Phase<'_> {
    fn drop(&mut self) {
        drop(self.display.take());
        if !self.output.verbose {
            return;
        }
        if let Some(line) = self.output.times.line(&self.what, self.begun.elapsed()) {
            line.lines().for_each(|line| self.output.note(line));
        }
    }
}

/// A line on the terminal that a thread keeps up to date, and wipes out in the end.
struct Display {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Nothing where no thread can be had: the work goes on without.
    fn start(what: &str, begun: Instant) -> Option<Self> {
        let (stop, stopped) = mpsc::channel();
        let what: String = escape(what).chars().take(COLUMNS).collect();
        let thread = Builder::new().spawn(move || show(&what, begun, &stopped));
        Some(Self {
            stop: Some(stop),
            thread: Some(thread.ok()?),
        })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Nothing in it can fail but the terminal.
            let _ = thread.join();
        }
    }
}

fn show(what: &str, begun: Instant, stopped: &Receiver<()>) {
    let mut wait = SHOWN_AFTER.saturating_sub(begun.elapsed());
    let mut width = 0;
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = SHOWN_AGAIN;
        let seconds = begun.elapsed().as_secs();
        let line = line(what, seconds);
        width = line.chars().count();
        to_terminal(&line);
    }
    if width > 0 {
        to_terminal(&" ".repeat(width));
        to_terminal("");
    }
}

/// What is going on and for how long, in one line of a terminal.
fn line(what: &str, seconds: u64) -> String {
    let time = format!(" ... {seconds} s");
    let room = COLUMNS.saturating_sub(time.chars().count());
    let what: String = what.chars().take(room).collect();
    format!("{what}{time}")
}

/// Writes over the line that is there.
fn to_terminal(line: &str) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "\r{line}").and_then(|()| terminal.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_into_a_terminal() {
        assert_eq!(line("reading SYSTEM", 3), "reading SYSTEM ... 3 s");
        let long = line(&"x".repeat(200), 100);
        assert_eq!(long.chars().count(), COLUMNS);
        assert!(long.ends_with("x ... 100 s"));
    }
}
