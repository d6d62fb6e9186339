// SPDX-License-Identifier: GPL-3.0-or-later
//! Runs tests with one mutation on after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{self, End};
use crate::wanted::Wanted;

/// How many times longer than without a mutation a test may take.
const PATIENCE: u32 = 4;
/// What of the processor's time it may take in any case.
const AT_LEAST: Duration = Duration::from_secs(2);
/// What a test may take that is run for the first time.
const FIRST: Duration = Duration::from_secs(600);

/// What `mutants.tests` has of each test, a line for each.
struct Test {
    program: String,
    name: String,
    time: Duration,
    reached: BTreeSet<u32>,
}

/// Takes each mutation of `mutants.tsv` that has no end in `mutants.results` yet, and adds its end there.
///
/// # Errors
///
/// A file cannot be read or written, a test program not be run, or a variable not be understood.
pub(crate) fn all(copy: &Path, programs: &[&str]) -> Result<(), String> {
    let wanted = Wanted::new()?;
    let tests = tests(copy, programs, &wanted)?;
    let list = read(&copy.join("mutants.tsv"))?;
    let before = ended(&copy.join("mutants.results"));
    let mutants: Vec<(u32, &str)> = list
        .lines()
        .filter_map(|line| Some((line.split('\t').next()?.parse().ok()?, line)))
        .filter(|(number, line)| wanted.is_wanted(*number, line, before.get(number)))
        .collect();
    println!("{} tests, {} mutations", tests.len(), mutants.len());
    let next = AtomicUsize::new(0);
    let killers = Mutex::new(killers(&copy.join("mutants.results"), &tests));
    thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| {
                while let Some((number, line)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if wanted.is_over() {
                        break;
                    }
                    let end = end(copy, &tests, *number, line, &killers);
                    let end = match before.contains_key(number) {
                        // Other tests may reach it.
                        true => end.replacen("not reached\t", "survived\tof 0 tests", 1),
                        false => end,
                    };
                    let end = end.replacen("survived", &wanted.survived, 1);
                    add(&copy.join("mutants.results"), &format!("{end}\t{line}\n"));
                }
            });
        }
    });
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for end in ended(&copy.join("mutants.results")).into_values() {
        *counts.entry(end).or_default() += 1;
    }
    println!("{counts:?}");
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Adds whole lines with one write, so that those of several threads are not mixed.
fn add(path: &Path, lines: &str) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(lines.as_bytes())) {
        eprintln!("mutants: {}: {error}", path.display());
    }
}

/// How each mutation ended; of several runs the last one.
fn ended(path: &Path) -> BTreeMap<u32, String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let ends = text.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let (end, _) = (parts.next()?, parts.next()?);
        Some((parts.next()?.parse().ok()?, end.to_owned()))
    });
    ends.collect()
}

/// The places of tests that noticed a mutation, the last one at the end, by function and by file.
type Killers = BTreeMap<String, Vec<usize>>;

fn killers(results: &Path, tests: &[Test]) -> Killers {
    let text = fs::read_to_string(results).unwrap_or_default();
    let mut killers = Killers::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, '\t').skip(1);
        let (name, mutation) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let Some(at) = tests.iter().position(|test| test.name == name) {
            note_killer(&mut killers, mutation, at);
        }
    }
    killers
}

fn note_killer(killers: &mut Killers, line: &str, at: usize) {
    for place in places(line) {
        let killers = killers.entry(place).or_default();
        killers.retain(|other| *other != at);
        killers.push(at);
    }
}

/// The function and the file of a line of `mutants.tsv`.
fn places(line: &str) -> [String; 2] {
    let mut parts = line.split('\t').skip(1);
    let file = parts.next().and_then(|place| place.split(':').next()).unwrap_or_default();
    [format!("{file} {}", parts.next().unwrap_or_default()), file.to_owned()]
}

/// The tests that are asked, the fastest first; those that are not in `mutants.tests` yet are run alone.
fn tests(copy: &Path, programs: &[&str], wanted: &Wanted) -> Result<Vec<Test>, String> {
    let path = copy.join("mutants.tests");
    let known = fs::read_to_string(&path).unwrap_or_default();
    let known: BTreeSet<(&str, &str)> = known
        .lines()
        .filter_map(|line| {
            let mut parts = line.split('\t');
            Some((parts.next()?, parts.next()?))
        })
        .collect();
    let mut asked = Vec::new();
    for program in programs {
        let names = child::names(program)?;
        asked.extend(names.into_iter().filter(|name| wanted.is_test(name)).map(|name| (*program, name)));
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| {
                while let Some((program, name)) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !known.contains(&(*program, name)) {
                        add(&path, &record(copy, program, name));
                    }
                }
            });
        }
    });
    let text = read(&path)?;
    let asked = |test: &Test| {
        let is_asked = |(program, name): &(&str, String)| test.program == *program && test.name == *name;
        asked.iter().any(is_asked) && wanted.is_time(test.time)
    };
    let mut tests: Vec<Test> = text.lines().filter_map(parsed).filter(asked).collect();
    tests.sort_by_key(|test| test.time);
    Ok(tests)
}

/// A line of `mutants.tests`; nothing if the test failed without any mutation.
fn parsed(line: &str) -> Option<Test> {
    let mut parts = line.split('\t');
    let (program, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let time = Duration::from_millis(parts.next()?.parse().ok()?);
    let reached = parts.next()?.split(' ').filter_map(|number| number.parse().ok()).collect();
    Some(Test { program, name, time, reached })
}

/// What a test reaches, as a line of `mutants.tests`.
fn record(copy: &Path, program: &str, name: &str) -> String {
    let reached = child::own_name("reached");
    let begun = Instant::now();
    let path = reached.display().to_string();
    let end = child::run(copy, (program, name), ("HIVEMEND_SWITCH_RECORD", &path), FIRST);
    let time = begun.elapsed().as_millis();
    let numbers = fs::read_to_string(&reached).unwrap_or_default();
    let _ = fs::remove_file(&reached);
    if end != End::Passed {
        println!("left out, it fails by itself\t{name}");
        return format!("{program}\t{name}\tfails\n");
    }
    let numbers: BTreeSet<u32> = numbers.lines().filter_map(|number| number.parse().ok()).collect();
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    format!("{program}\t{name}\t{time}\t{}\n", numbers.join(" "))
}

/// How a mutation ends, and which test noticed it. Tests that noticed another mutation of the same
/// function go first, then those that noticed one of the same file.
fn end(
    copy: &Path,
    tests: &[Test],
    number: u32,
    line: &str,
    killers: &Mutex<Killers>,
) -> String {
    let mut first: Vec<usize> = Vec::new();
    for place in places(line) {
        let known = match killers.lock() {
            Ok(killers) => killers.get(&place).cloned().unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        for at in known.into_iter().rev() {
            if !first.contains(&at) {
                first.push(at);
            }
        }
    }
    let others = (0..tests.len()).filter(|at| !first.contains(at));
    let mut asked = 0;
    for at in first.iter().copied().chain(others) {
        let Some(test) = tests.get(at).filter(|test| test.reached.contains(&number)) else {
            continue;
        };
        asked += 1;
        let names = (test.program.as_str(), test.name.as_str());
        let patience = AT_LEAST.max(test.time * PATIENCE);
        let end = match child::run(copy, names, ("HIVEMEND_SWITCH", &number.to_string()), patience) {
            End::Passed => continue,
            End::Failed => "noticed",
            End::TooLong => "too long",
        };
        if let Ok(mut killers) = killers.lock() {
            note_killer(&mut killers, line, at);
        }
        return format!("{end}\t{}", test.name);
    }
    match asked {
        0 => "not reached\t".to_owned(),
        asked => format!("survived\tof {asked} tests"),
    }
}
