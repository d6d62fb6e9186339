// SPDX-License-Identifier: GPL-3.0-or-later
//! What is read on a terminal of any width: no word and no command is broken, no line is longer than it has
//! to be, and the verdict is on the first screen.

#![cfg(not(windows))]

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::bench::{Bench, Ended, output_of};

const WIDTHS: [usize; 4] = [60, 80, 100, 200];
/// Lines of a small terminal.
const SCREEN: usize = 24;
/// A text is laid out no wider than this.
const WIDEST: usize = 120;

fn at(width: usize, words: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    command
        .args(words)
        .stdin(Stdio::null())
        .env("COLUMNS", width.to_string())
        .env_remove("NO_COLOR");
    let output = output_of(&mut command);
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

/// The commands in a text, as they are copied: to the end of their line.
fn commands(text: &str) -> Vec<&str> {
    let found = text.lines().filter_map(|line| {
        let at = line.find("hivemend ")?;
        // Within a sentence nobody knows where it ends.
        let before = &line[..at];
        let is_own = before.trim_end().ends_with([':', '>'])
            || before.ends_with("  ")
            || before.trim().is_empty();
        let command = line[at..].split(". ").next().unwrap_or_default();
        is_own.then(|| command.trim_end())
    });
    found.collect()
}

/// What of a text cannot be broken: a path, a command, or one word behind its indent.
fn is_whole(line: &str) -> bool {
    line.contains("hivemend ")
        || line.contains('\\')
        || line.contains('/')
        || line.split_whitespace().count() <= 2
}

/// Runs a command at every width and compares; says what is broken.
fn look(name: &str, words_of: &[&str], verdicts: &[&str], wrong: &mut Vec<String>) {
    let wide = at(200, words_of);
    let mut told = |width: usize, what: String| {
        wrong.push(format!("{name}: {} at {width}: {what}", words_of[0]));
    };
    for width in WIDTHS {
        let seen = at(width, words_of);
        if seen.code != wide.code {
            told(width, format!("ends with {}", seen.code));
        }
        let (all, these) = (words(&wide.stdout), words(&seen.stdout));
        let differ = all.symmetric_difference(&these);
        // Rules and columns are drawn as wide as there is room.
        let broken: Vec<&&str> = differ
            .filter(|word| word.chars().any(char::is_alphanumeric) && **word != "in")
            .collect();
        if !broken.is_empty() {
            told(width, format!("words differ: {broken:?}"));
        }
        let whole = commands(&seen.stdout);
        for command in commands(&wide.stdout) {
            if !whole.contains(&command) {
                told(width, format!("broken: {command}"));
            }
        }
        let most = width.clamp(60, WIDEST);
        for line in seen.stdout.lines() {
            // What is wrong at an offset of a file is a row of a list.
            let is_row = words_of[0] == "check";
            if line.chars().count() > most && !is_row && !is_whole(line) {
                told(width, format!("too long: {line}"));
            }
        }
        let first: String = seen
            .stdout
            .lines()
            .take(SCREEN)
            .collect::<Vec<_>>()
            .join(" ");
        let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_said = verdicts.iter().any(|verdict| first.contains(verdict));
        if !is_said && !seen.stdout.is_empty() {
            told(width, format!("no verdict on the first screen: {first}"));
        }
    }
}

/// All texts about one disk; what is written to it is taken back.
fn look_at_disk(name: &str, bench: &Bench, wrong: &mut Vec<String>) {
    let disk = bench.disk().display().to_string();
    let plan = ["Plan:"];
    for profile in ["rdp-disconnects", "rdp-baseline"] {
        look(name, &["plan", &disk, "-p", profile], &plan, wrong);
    }
    let judged = [
        "blocks Remote Desktop",
        "block Remote Desktop",
        "BLOCKS",
        "not judged",
        "Nothing that was judged",
        "damaged",
    ];
    look(name, &["diagnose", &disk], &judged, wrong);
    look(name, &["fix", &disk], &judged, wrong);
    look(name, &["disks", &disk], &[disk.as_str()], wrong);
    let checked = ["sound", "damaged", "dirty", "error", "not checked"];
    look(name, &["check", &disk], &checked, wrong);
    look(name, &["backups", &disk], &["There are no backups"], wrong);
    let applied = at(80, &["apply", &disk, "-p", "rdp-baseline", "--yes"]);
    if applied.code == 0 && applied.stdout.contains("Next:") {
        let dated = format!("{}", bench.config().join("hivemend").display());
        look(
            name,
            &["backups", &disk],
            &[dated.as_str(), "backup", "applied"],
            wrong,
        );
        let restored = at(60, &["restore", &disk, "--yes"]);
        if !restored.stdout.contains("Restored") {
            wrong.push(format!("{name}: restore: {restored:?}"));
        }
    }
}

#[test]
fn no_width_breaks_a_word_or_a_command_on_the_bundled_disk() {
    let mut wrong = Vec::new();
    look_at_disk("bundled", &Bench::sample(), &mut wrong);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nor_on_real_disks() {
    let mut wrong = Vec::new();
    for name in [
        "nt4-sp3",
        "win10-1709-dirty",
        "win10-2004",
        "win7-sp1",
        "xp-damaged",
        "xp-sp3",
    ] {
        let Some(bench) = Bench::corpus(name) else {
            return;
        };
        look_at_disk(name, &bench, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_where_they_stand_by_themselves() {
    let text = "Next: hivemend plan /a b\nsee hivemend check\n  hivemend fix x \n";
    assert_eq!(commands(text), ["hivemend plan /a b", "hivemend fix x"]);
}
