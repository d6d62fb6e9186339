// SPDX-License-Identifier: GPL-3.0-or-later
//! What the documents show can be typed: every command in them is understood by the program.

#![cfg(not(windows))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

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

/// The part of a document below a heading, up to the next one of the same rank.
fn section<'t>(text: &'t str, heading: &str) -> Option<&'t str> {
    let (_, behind) = text.split_once(&format!("\n## {heading}\n"))?;
    Some(behind.split("\n## ").next().unwrap_or(behind))
}

/// Every name in backticks.
fn named(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let names = quoted.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'));
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The paths that the tables of a section describe: `hives[].name`, and `hives[].path` behind `.path`.
fn described(section: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.split('|').nth(1).unwrap_or_default();
        let mut above = String::new();
        for code in cell.split('`').skip(1).step_by(2) {
            let path = match code.strip_prefix('.') {
                Some(name) => format!("{above}{name}"),
                None => code.to_owned(),
            };
            let end = path.rfind('.').map_or(0, |dot| dot + 1);
            above = path[..end].to_owned();
            paths.insert(path.trim_end_matches("[]").to_owned());
        }
    }
    paths
}

/// Every path of a document, with `[]` for the elements of a list; what is below `stop` belongs to another
/// document or is named by data.
fn paths(json: &Json, at: &str, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(fields) if !NAMED_BY_DATA.iter().any(|name| at.ends_with(name)) => {
            for (name, value) in fields {
                let path = match at {
                    "" => name.clone(),
                    at => format!("{at}.{name}"),
                };
                found.insert(path.clone());
                // A whole document in a document has a section of its own.
                if value.get("schema").is_none() {
                    paths(value, &path, found);
                }
            }
        }
        Json::Array(items) => {
            for item in items {
                paths(item, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

/// Objects whose fields are what was found: codes of findings.
const NAMED_BY_DATA: [&str; 1] = ["hives[].counts"];

/// What is described and no run here shows: it takes another disk, or another fault.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("hivemend.plan/1", "hives[].recovery"),
    ("hivemend.plan/1", "changes[].marks"),
    ("hivemend.plan/1", "changes[].impact"),
    ("hivemend.plan/1", "changes[].cause"),
    ("hivemend.mend/1", "hives[].unreadable"),
    ("hivemend.explain/2", "on_disk.others"),
    ("hivemend.disks/1", "disks[].mount"),
    ("hivemend.check/1", "hives[].recovery"),
    ("hivemend.check/1", "hives[].unreadable"),
];

/// One document, or more, of each command that prints some.
fn printed() -> Vec<Json> {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let json = |words: &[&str]| {
        let ended = crate::bench::hivemend(&[words, &["--format", "json"]].concat());
        serde_json::from_str::<Json>(&ended.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {ended:?}"))
    };
    let key = r"SYSTEM\ControlSet001\Control\Terminal Server";
    let mut all = vec![
        json(&["plan", &disk, "-p", "rdp-disconnects"]),
        json(&["diagnose", &disk]),
        json(&["fix", &disk]),
        json(&["show", &disk, key]),
        json(&["show", &disk, key, "-r"]),
        json(&["find", "fDeny", &disk]),
        json(&["check", &disk]),
        json(&["check", &disk, "/no/such/hive"]),
        json(&["disks", &disk]),
        json(&["donors", &disk]),
        json(&["profile", "list"]),
        json(&["explain", "516", "--on", &disk]),
        json(&["explain", "stop", "0x7B"]),
        json(&["explain", "event", "1057"]),
        json(&["explain", "no", "such", "thing", "at", "all"]),
        json(&["plan", "/no/such/disk", "-p", "rdp-enable"]),
        json(&["mend", &disk, "--dry-run"]),
        json(&["recover", &disk, "--yes"]),
    ];
    let word = r"HKLM\SOFTWARE\Acme";
    all.push(json(&["set", &disk, word, "a", "dword", "1", "--yes"]));
    all.push(json(&["apply", &disk, "-p", "rdp-disconnects", "--yes"]));
    all.push(json(&["backups", &disk]));
    all.push(json(&["restore", &disk, "--values", "--yes"]));
    all.push(json(&["restore", &disk, "--yes"]));
    all.push(json(&["backups", &disk, "--prune", "1", "--yes"]));
    let damaged = Bench::sample();
    let hive = damaged.hive("SYSTEM");
    let mut bytes = fs::read(&hive).unwrap();
    bytes[0x1800..0x1900].fill(0);
    fs::write(&hive, bytes).unwrap();
    let disk = damaged.disk().display().to_string();
    all.push(json(&["mend", &disk, "--dry-run"]));
    let (dirty, file) = crate::recover::dirty_bench();
    let disk = dirty.disk().display().to_string();
    all.push(json(&["plan", &disk, "-p", "rdp-disconnects"]));
    all.push(json(&["check", &disk]));
    all.push(json(&["recover", &disk, "--yes"]));
    fs::write(file, b"nothing").unwrap();
    all.push(json(&["find", "fDeny", &disk]));
    all.push(json(&["disks", &disk]));
    all
}

/// In both directions: what is printed is described, and what is described is printed.
#[test]
fn every_field_of_every_document_is_described() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let shared = named(section(&text, "`hivemend.plan/1`").unwrap());
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for document in printed() {
        let schema = document["schema"].as_str().unwrap().to_owned();
        paths(&document, "", found.entry(schema).or_default());
    }
    let mut wrong = Vec::new();
    for (schema, paths) in &found {
        let Some(section) = section(&text, &format!("`{schema}`")) else {
            wrong.push(format!("{schema} is not described"));
            continue;
        };
        let words = named(section);
        for path in paths {
            let name = path
                .rsplit('.')
                .next()
                .unwrap_or(path)
                .trim_end_matches("[]");
            if name != "schema" && !words.contains(name) && !shared.contains(name) {
                wrong.push(format!("{schema}: {path} is printed and not described"));
            }
        }
        for path in described(section) {
            let is_there =
                paths.contains(&path) || NOT_SHOWN.contains(&(schema.as_str(), path.as_str()));
            // Fields of a list's elements may stand without the list in front.
            let is_below = paths.iter().any(|one| one.ends_with(&format!(".{path}")));
            let is_kind = path.starts_with("REG_") || path == "key" || path == "every other";
            if !is_there && !is_below && !is_kind {
                wrong.push(format!("{schema}: {path} is described and not printed"));
            }
        }
    }
    let schemas = text.lines().filter_map(|line| line.strip_prefix("## `"));
    for schema in schemas.map(|line| line.trim_end_matches('`')) {
        if !found.contains_key(schema) {
            wrong.push(format!("{schema} is described and was never printed"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
