// SPDX-License-Identifier: GPL-3.0-or-later
//! What the documents show can be typed: every command in them is understood by the program.

#![cfg(not(windows))]

use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::Bench;

/// The documents that people read.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let is_text = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    docs.filter(is_text)
        .chain([root.join("README.md")])
        .collect()
}

/// The commands of hivemend in the fenced blocks of a document, each with its line.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_inside = !is_inside && matches!(language, "sh" | "bash" | "cmd" | "");
            continue;
        }
        if is_inside && line.starts_with("hivemend ") {
            found.push((number + 1, line.to_owned()));
        }
    }
    found
}

/// The words that a shell makes of a line, without its comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut has_word = false;
    for c in line.chars() {
        match (c, quote) {
            ('#' | '>' | '|', None) if !has_word => break,
            ('"' | '\'', None) => (quote, has_word) = (Some(c), true),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => {
                if has_word {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
            }
            (c, _) => {
                word.push(c);
                has_word = true;
            }
        }
    }
    if has_word {
        words.push(word);
    }
    words
}

#[test]
fn every_command_that_a_document_shows_is_understood() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (number, line) in commands(&text) {
            count += 1;
            let bench = Bench::sample();
            let disk = bench.disk().display().to_string();
            let plan = bench.beside("plan.json").display().to_string();
            let file = bench.beside("fix.reg").display().to_string();
            let places = ["/mnt/osdisk", "$DISK", "F:\\"];
            let words: Vec<String> = words(&line)
                .into_iter()
                .map(|word| match word.as_str() {
                    "plan.json" => plan.clone(),
                    "fix.reg" => file.clone(),
                    place if places.contains(&place) => disk.clone(),
                    _ => word,
                })
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ended = crate::bench::hivemend(&words[1..]);
            // Without a terminal nobody can be asked; files that are only an example are not there.
            let is_no_fault = [
                "no terminal to ask",
                "could not read",
                "cannot be found",
                "No such file",
                "fix.reg: there is no profile",
            ]
            .iter()
            .any(|known| ended.stderr.contains(known));
            if ended.code == 2 && !is_no_fault {
                let document = document.file_name().unwrap().display();
                wrong.push(format!(
                    "{document}:{number}: {line}\n  {}",
                    ended.stderr.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 30, "only {count} commands were found");
}

#[test]
fn a_line_is_taken_apart_as_a_shell_does() {
    assert_eq!(
        words("hivemend show \"$DISK\" 'SYSTEM\\a b'  # what: it's"),
        ["hivemend", "show", "$DISK", "SYSTEM\\a b"]
    );
    let text = "hivemend no\n```sh\nhivemend yes\n```\n```json\nhivemend no\n```\n";
    assert_eq!(commands(text), [(3, "hivemend yes".to_owned())]);
}
