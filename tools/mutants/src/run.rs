// SPDX-License-Identifier: GPL-3.0-or-later
//! Runs tests with one mutation on after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many times longer than without a mutation a test may take.
const PATIENCE: u32 = 10;
/// What it may take in any case.
const AT_LEAST: Duration = Duration::from_secs(20);

struct Test {
    program: String,
    name: String,
    time: Duration,
    reached: BTreeSet<u32>,
}

/// Takes each mutation of `mutants.tsv`, and prints those that no test notices.
///
/// `MUTANTS_FILTER` (words between commas) names the tests that are asked, `MUTANTS_SKIP` those that
/// are not, `MUTANTS_SHARD` (`2/5`) a part of the mutations, `MUTANTS_FILES` words that the file and line must
/// have.
pub(crate) fn all(copy: &Path, programs: &[&str]) -> Result<(), String> {
    let list = fs::read_to_string(copy.join("mutants.tsv")).map_err(|error| error.to_string())?;
    let (shard, shards) = shard()?;
    let files = words("MUTANTS_FILES");
    let mutants: Vec<(u32, &str)> = list
        .lines()
        .filter_map(|line| Some((line.split('\t').next()?.parse().ok()?, line)))
        .filter(|(_, line)| files.is_empty() || files.iter().any(|word| line.contains(word)))
        .filter(|(number, _)| number % shards == shard)
        .collect();
    let mut tests = Vec::new();
    for program in programs {
        for name in names(program)? {
            tests.extend(record(copy, program, name));
        }
    }
    tests.sort_by_key(|test| test.time);
    println!("{} tests, {} mutations", tests.len(), mutants.len());
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for (number, line) in mutants {
        let covering = tests.iter().filter(|test| test.reached.contains(&number));
        let covering: Vec<&Test> = covering.collect();
        let end = match covering.is_empty() {
            true => "not reached",
            false if covering.iter().any(|test| notices(copy, test, number)) => "noticed",
            false => "survived",
        };
        *ends.entry(end).or_default() += 1;
        if end != "noticed" {
            println!("{end}\t{line}");
        }
    }
    println!("{ends:?}");
    Ok(())
}

fn words(variable: &str) -> Vec<String> {
    let value = std::env::var(variable).unwrap_or_default();
    let words = value.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn shard() -> Result<(u32, u32), String> {
    let text = std::env::var("MUTANTS_SHARD").unwrap_or_else(|_| "0/1".to_owned());
    let parts = text.split_once('/').and_then(|(one, of)| Some((one.parse().ok()?, of.parse().ok()?)));
    parts.ok_or_else(|| format!("MUTANTS_SHARD is not like 2/5: {text}"))
}

fn names(program: &str) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let output = command.args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (wanted, skipped) = (words("MUTANTS_FILTER"), words("MUTANTS_SKIP"));
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    let names = names.filter(|name| {
        let is_wanted = wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
        is_wanted && !skipped.iter().any(|word| name.contains(word))
    });
    Ok(names.map(str::to_owned).collect())
}

fn start(copy: &Path, test: (&str, &str), variable: &str, value: &str) -> Option<Child> {
    let (program, name) = test;
    let mut command = Command::new(program);
    command.args(["--exact", name]).env(variable, value).current_dir(copy);
    command.env("RUST_BACKTRACE", "0").env("PROPTEST_CASES", "32");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}

/// What a test reaches, unless it fails without any mutation.
fn record(copy: &Path, program: &str, name: String) -> Option<Test> {
    let reached = std::env::temp_dir().join(format!("mutants-{}", std::process::id()));
    let _ = fs::remove_file(&reached);
    let begun = Instant::now();
    let path = reached.display().to_string();
    let child = start(copy, (program, &name), "HIVEMEND_SWITCH_RECORD", &path)?;
    let passed = passes(child, Duration::from_secs(600));
    let time = begun.elapsed();
    let numbers = fs::read_to_string(&reached).unwrap_or_default();
    let _ = fs::remove_file(&reached);
    if !passed {
        println!("left out, it fails by itself\t{name}");
        return None;
    }
    Some(Test {
        program: program.to_owned(),
        name,
        time,
        reached: numbers.lines().filter_map(|number| number.parse().ok()).collect(),
    })
}

fn notices(copy: &Path, test: &Test, number: u32) -> bool {
    let names = (test.program.as_str(), test.name.as_str());
    match start(copy, names, "HIVEMEND_SWITCH", &number.to_string()) {
        Some(child) => !passes(child, AT_LEAST.max(test.time * PATIENCE)),
        None => false,
    }
}

/// Whether a test ends well and in time; it is killed where not.
fn passes(mut child: Child, patience: Duration) -> bool {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if begun.elapsed() < patience => sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}
