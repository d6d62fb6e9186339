// SPDX-License-Identifier: GPL-3.0-or-later
//! Mutation testing with one build: every mutation of the sources stands behind a switch.
//!
//! `mutants instrument COPY FILE...` rewrites files of a copy of the repository; `mutants run COPY
//! TEST-PROGRAM...` asks which tests reach which switch, turns on one after the other and runs only
//! the tests that reach it, the fastest first. See `docs/mutation-testing.md`.

mod child;
mod instrument;
mod run;
mod wanted;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["instrument", copy, files @ ..] => instrument::all(copy.as_ref(), files),
        ["run", copy, programs @ ..] => run::all(copy.as_ref(), programs),
        _ => Err("instrument COPY FILE... | run COPY TEST-PROGRAM...".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}
