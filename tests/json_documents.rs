// SPDX-License-Identifier: GPL-3.0-or-later
//! `docs/schema` says what `--format json` prints, no more and no less: every document that a command
//! prints is valid, and a member more, less or of another type is not.

#![cfg(not(windows))]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::bench::{Bench, hivemend};

fn schemas() -> BTreeMap<String, Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| {
            let schema: Json = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
            let name = schema["title"].as_str().unwrap().to_owned();
            let expected = format!("{}.schema.json", name.replace('/', "-"));
            assert_eq!(file.file_name().to_str(), Some(expected.as_str()));
            (name, schema)
        })
        .collect()
}

/// The validators, and how many documents each has judged.
struct Judge(BTreeMap<String, (Validator, usize)>);

impl Judge {
    fn new() -> Self {
        let compiled = schemas().into_iter().map(|(name, schema)| {
            let validator = jsonschema::draft202012::new(&schema).unwrap();
            (name, (validator, 0))
        });
        Self(compiled.collect())
    }

    /// Runs a command and judges what it prints.
    fn run(&mut self, words: &[&str]) -> Json {
        let all = [words, &["--format", "json"]].concat();
        let ended = hivemend(&all);
        let document = ended.json();
        let name = document["schema"].as_str().unwrap();
        let (validator, count) = self.0.get_mut(name).unwrap_or_else(|| panic!("{name}"));
        *count += 1;
        let wrong: Vec<String> = validator
            .iter_errors(&document)
            .take(5)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{words:?}\n{}", wrong.join("\n"));
        document
    }
}

const TERMINAL_SERVER: &str = r"SYSTEM\CurrentControlSet\Control\Terminal Server";

/// What is asked of a disk without writing on it.
fn read_all(judge: &mut Judge, disk: &str) {
    for profile in [
        "rdp-disconnects",
        "boot-chain",
        "firewall-allow-rdp",
        "last-known-good",
    ] {
        judge.run(&["plan", disk, "-p", profile]);
    }
    for command in ["diagnose", "disks", "check", "donors", "backups"] {
        judge.run(&[command, disk]);
    }
    judge.run(&["show", disk, TERMINAL_SERVER]);
    judge.run(&["show", disk, r"SYSTEM\Select", "Current"]);
    judge.run(&["show", disk, TERMINAL_SERVER, "--recursive"]);
    judge.run(&["find", "Term", disk]);
    judge.run(&["find", "nowhere to be found", disk]);
    judge.run(&["explain", "0x904 on port 3389", "--on", disk]);
}

#[test]
fn every_document_is_as_its_schema_says() {
    let mut judge = Judge::new();
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    read_all(&mut judge, &disk);
    judge.run(&[
        "set",
        &disk,
        TERMINAL_SERVER,
        "fDenyTSConnection",
        "REG_SZ",
        "1",
        "--yes",
    ]);
    judge.run(&[
        "set",
        &disk,
        r"SYSTEM\Setup",
        "X",
        "REG_BINARY",
        "0102",
        "--yes",
    ]);
    judge.run(&["unset", &disk, r"SYSTEM\Setup", "X", "--yes"]);
    judge.run(&["diagnose", &disk]);
    judge.run(&["apply", &disk, "-p", "rdp-disconnects", "--yes"]);
    judge.run(&["apply", &disk, "-p", "rdp-disconnects", "--yes"]);
    judge.run(&[
        "set",
        &disk,
        r"SYSTEM\Setup",
        "Y",
        "REG_DWORD",
        "1",
        "--dry-run",
    ]);
    judge.run(&["plan", "-p", "rdp-baseline", &disk, "--no-such-option"]);
    judge.run(&["backups", &disk]);
    judge.run(&["restore", &disk, "--values", "--yes"]);
    judge.run(&["restore", &disk, "--yes"]);
    judge.run(&["backups", &disk, "--prune", "1", "--yes"]);
    judge.run(&["fix", &disk, "--yes"]);
    judge.run(&["recover", &disk, "--yes"]);
    judge.run(&["mend", &disk, "--yes"]);
    judge.run(&["plan", &disk, "-p", "no-such-profile"]);
    judge.run(&["plan"]);
    judge.run(&["profile", "list"]);
    for text in [
        "0x800703F1",
        "stop 0x7B (0xC0000034, 0, 0, 0)",
        "TermService",
        "rdp-enable",
        "zebra",
    ] {
        judge.run(&["explain", text]);
    }
    fs::write(bench.hive("SYSTEM"), damaged(&bench)).unwrap();
    judge.run(&["check", &disk]);
    judge.run(&["diagnose", &disk]);
    judge.run(&["mend", &disk, "--accept-loss=essential", "--yes"]);
    judge.run(&[
        "check",
        &disk,
        bench.disk().join("not there").to_str().unwrap(),
    ]);
    for (name, (_, count)) in &judge.0 {
        assert!(*count > 0, "no command printed a {name}");
    }
}

/// The hive with a page of zeros in its middle.
fn damaged(bench: &Bench) -> Vec<u8> {
    let mut image = fs::read(bench.hive("SYSTEM")).unwrap();
    image[0x6000..0x6400].fill(0);
    image
}

#[test]
fn every_document_about_real_disks_is_as_its_schema_says() {
    let mut judge = Judge::new();
    for disk in [
        "nt4-sp3",
        "win10-1709-dirty",
        "win10-2004",
        "win7-sp1",
        "xp-damaged",
        "xp-sp3",
    ] {
        if let Some(bench) = Bench::corpus(disk) {
            read_all(&mut judge, &bench.disk().display().to_string());
        }
    }
}

/// Every object of a schema names its members and takes no other.
#[test]
fn schemas_leave_nothing_open() {
    fn look(schema: &Json, at: &str, wrong: &mut Vec<String>) {
        match schema {
            Json::Object(members) => {
                if members.get("type") == Some(&json!("object")) {
                    let is_closed = members.contains_key("additionalProperties");
                    let is_map = !members.contains_key("properties");
                    let more = &schema["additionalProperties"];
                    if !is_closed || (!is_map && *more != json!(false)) {
                        wrong.push(at.to_owned());
                    }
                }
                for (name, member) in members {
                    look(member, &format!("{at}/{name}"), wrong);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| look(item, at, wrong)),
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for (name, schema) in schemas() {
        look(&schema, &name, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A member more, one less, or one of another type: none is let through, wherever it is.
#[test]
fn a_document_that_is_changed_is_not_valid() {
    let mut judge = Judge::new();
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let document = judge.run(&["plan", &disk, "-p", "rdp-disconnects"]);
    let (validator, _) = &judge.0["hivemend.plan/1"];
    for pointer in [
        "",
        "/summary",
        "/changes/0",
        "/changes/0/after",
        "/hives/0",
        "/profiles/0",
    ] {
        let changed = |change: &dyn Fn(&mut serde_json::Map<String, Json>)| {
            let mut changed = document.clone();
            let at = changed
                .pointer_mut(pointer)
                .unwrap_or_else(|| panic!("{pointer}"));
            change(at.as_object_mut().unwrap());
            changed
        };
        let first =
            |members: &serde_json::Map<String, Json>| members.keys().next().unwrap().clone();
        let more = changed(&|members| {
            members.insert("surplus".to_owned(), json!(1));
        });
        let less = changed(&|members| {
            members.remove(&first(members));
        });
        let other = changed(&|members| {
            members.insert(first(members), json!([[1.5]]));
        });
        for changed in [more, less, other] {
            assert!(!validator.is_valid(&changed), "{pointer}");
        }
    }
}

fn document() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    fs::read_to_string(file).unwrap()
}

/// Each schema and each of its members is in `docs/json.md`.
#[test]
fn the_document_names_every_member() {
    fn names(schema: &Json, found: &mut Vec<String>) {
        match schema {
            Json::Object(members) => {
                if let Some(Json::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|member| names(member, found));
            }
            Json::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let text = document();
    let mut words = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .collect::<Vec<_>>();
    words.sort_unstable();
    let mut missing = Vec::new();
    for (name, schema) in schemas() {
        assert!(text.contains(&format!("## `{name}`")), "{name}");
        let mut found = Vec::new();
        names(&schema, &mut found);
        found.retain(|member| words.binary_search(&member.as_str()).is_err());
        missing.extend(found.into_iter().map(|member| format!("{name}: {member}")));
    }
    assert!(missing.is_empty(), "not in docs/json.md: {missing:?}");
}

/// The examples with jq run, and print something.
#[cfg(unix)]
#[test]
fn the_examples_with_jq_run() {
    if Command::new("jq").arg("--version").output().is_err() {
        let said = "SKIPPED: jq is not installed, its examples were not run\n";
        // Past the harness, which keeps what a passing test prints.
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        assert!(
            std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_none(),
            "{said}"
        );
        return;
    }
    let text = document();
    let examples: Vec<&str> = text.lines().filter(|line| line.contains("| jq ")).collect();
    assert!(examples.len() >= 5, "{examples:?}");
    let bench = Bench::sample();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_hivemend"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    for example in examples {
        let ended = Command::new("bash")
            .args([
                "-o",
                "pipefail",
                "-c",
                &example.replace("/mnt/osdisk", "\"$DISK\""),
            ])
            .env("PATH", &path)
            .env("DISK", bench.disk())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && said.is_empty(),
            "{example}\n{said}"
        );
        assert!(!ended.stdout.is_empty(), "{example}");
    }
}
