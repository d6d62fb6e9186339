// SPDX-License-Identifier: GPL-3.0-or-later
//! `check`: the structure of hives, in every detail.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, mpsc};
use std::thread::{self, Builder};

use super::args::{CheckArgs, HiveFiles};
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::Found;
use crate::disk::{
    self, DiskError, HiveFile, is_failing, logs_of, read_around, read_suspect, shown,
};
use crate::log::{self, LogError};
use crate::regf::{self, BaseBlock, HiveBytes, Report};
use crate::report::{CheckedHive, HiveCheck, LogFile, check_json, check_text};
use crate::text::Foreign;

/// Hives that are checked at once. Each is in memory as a whole.
const AT_ONCE: usize = 4;

pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let mut hives = Vec::new();
    for place in &args.places {
        hives.extend(hives_at(place, args.all, output));
    }
    let mut checked = Vec::new();
    let mut exit = Exit::Done;
    let phase = output.phase(&match hives.as_slice() {
        [Ok((path, _))] => format!("checking {}", shown(path)),
        hives => format!("checking {} hives", hives.len()),
    });
    check_all(hives, |outcome| {
        let hive = match outcome {
            Ok(hive) => hive,
            Err((path, failure)) => {
                phase.aside(|| output.complain(&failure));
                exit = worse(exit, failure.exit);
                let advice = output.named(&failure.advice);
                CheckedHive::failed(&path, failure.sentence(), advice)
            }
        };
        if hive.has_errors() {
            exit = worse(exit, Exit::Found);
        }
        if !output.is_json() {
            let text = check_text(&hive, output.quiet, output.verbose);
            phase.aside(|| output.print(&text));
        }
        checked.push(hive);
    });
    drop(phase);
    if output.is_json() {
        output.json(&check_json(&checked));
    }
    Ok(exit)
}

/// A checked hive, or the path of what could not be checked and why.
type Outcome = Result<CheckedHive, (PathBuf, Failure)>;

/// Checks all hives, some at once, and hands their outcomes over in their order, each as soon as
/// those before it are known.
fn check_all(hives: Vec<Hive>, mut each: impl FnMut(Outcome)) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let helpers = cores.min(AT_ONCE).min(hives.len()).saturating_sub(1);
    let hives: Vec<Mutex<Option<Hive>>> = hives.into_iter().map(|h| Mutex::new(Some(h))).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Relaxed);
        let mut hive = hives.get(index)?.lock().ok()?;
        Some((index, check_one(hive.take()?)))
    };
    let (done, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..helpers {
            let (take, done) = (&take, done.clone());
            // Where no thread can be had, this one does it all.
            let _ = Builder::new().spawn_scoped(scope, move || {
                while let Some(outcome) = take() {
                    let _ = done.send(outcome);
                }
            });
        }
        let mut waiting = BTreeMap::new();
        let mut due = 0_usize;
        let mut hand_over = |(index, outcome)| {
            waiting.insert(index, outcome);
            while let Some(outcome) = waiting.remove(&due) {
                each(outcome);
                due = due.saturating_add(1);
            }
        };
        while let Some(outcome) = take() {
            hand_over(outcome);
            outcomes.try_iter().for_each(&mut hand_over);
        }
        drop(done);
        outcomes.iter().for_each(&mut hand_over);
    });
}

fn check_one(hive: Hive) -> Outcome {
    hive.and_then(|(path, place)| check_file(&path, &place).map_err(|failure| (path, failure)))
}

/// A hive's path and the place that names it for `recover`, or the path of what could not be looked at
/// and why.
type Hive = Result<(PathBuf, PathBuf), (PathBuf, Failure)>;

/// The hives that `place` means: the file itself, or those of a target.
fn hives_at(place: &Path, all: bool, output: &Output) -> Vec<Hive> {
    if !fs::metadata(place).is_ok_and(|found| found.is_dir()) {
        return vec![Ok((place.to_path_buf(), place.to_path_buf()))];
    }
    match hives_of_target(place, all, output) {
        Ok(paths) => paths.into_iter().map(Ok).collect(),
        Err(failure) => vec![Err((place.to_path_buf(), failure))],
    }
}

fn hives_of_target(
    place: &Path,
    all: bool,
    output: &Output,
) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
    let none = HiveFiles {
        system: None,
        software: None,
    };
    let found = Found::find(Some(place), &none)?;
    interrupted::warn(&found.target, None, output)?;
    let named = |path: &PathBuf| (path.clone(), place.to_path_buf());
    let mut paths: Vec<(PathBuf, PathBuf)> =
        found.hives().map(|(_, hive)| named(&hive.path)).collect();
    if all {
        let others = found.target.other_hives();
        paths.extend(others.into_iter().map(|path| (path.clone(), path)));
    }
    if paths.is_empty() {
        let config = shown(&found.target.config);
        let message = format!("{config}: there is no SYSTEM and no SOFTWARE hive here");
        return Err(Failure::refused(message));
    }
    Ok(paths)
}

fn check_file(path: &Path, place: &Path) -> Result<CheckedHive, Failure> {
    let (image, unreadable) = read(path)?;
    let report = regf::check(&image);
    let logs = look_at_logs(&image, &logs_of(path)?)?;
    Ok(CheckedHive::checked(
        path,
        HiveCheck {
            size: u64::try_from(image.len()).unwrap_or(u64::MAX),
            base: BaseBlock::parse(&image).ok(),
            logs: logs.files,
            recovery: logs.recovery,
            recovered: logs.recovered,
            place: Foreign::path(place),
            unreadable,
            report,
        },
    ))
}

/// A hive's logs.
struct Logs {
    /// Each log's state.
    files: Vec<LogFile>,
    /// What recovery makes of all of them.
    recovery: String,
    /// What the check finds once they are applied, where the hive is dirty and they apply.
    recovered: Option<Report>,
}

fn look_at_logs(image: &Vec<u8>, paths: &[PathBuf]) -> Result<Logs, Failure> {
    let mut opened = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        opened.push((name.into_owned(), disk::LogFile::open(path)?));
    }
    let logs: Vec<log::LogFile<'_>> = opened
        .iter()
        .map(|(name, bytes)| log::LogFile {
            name: name.clone(),
            bytes,
        })
        .collect();
    let mut recovered = None;
    let report = match log::recover(image, &logs) {
        Ok(found) => {
            if !found.was_clean() {
                recovered = found.to_vec().ok().map(|image| regf::check(&image));
            }
            Some(found.report().clone())
        }
        Err(LogError::NotRecoverable(report)) => Some(*report),
        Err(LogError::NotAHive(_)) => None,
    };
    let recovery = report
        .as_ref()
        .map_or("not a hive".to_owned(), ToString::to_string);
    let found = report.map(|report| report.logs).unwrap_or_default();
    let mut findings = found.into_iter().map(|log| log.finding.to_string());
    let files = paths.iter().zip(&opened).map(|(path, (_, log))| {
        let state = findings.next();
        let state = state.unwrap_or_else(|| "not looked at".to_owned());
        let state = match log.misfit(path, HiveBytes::size(image)) {
            Some(misfit) => format!("{state}. {}", misfit.advice()),
            None => state,
        };
        LogFile {
            path: Foreign::path(path),
            size: log.size(),
            state,
        }
    });
    Ok(Logs {
        files: files.collect(),
        recovery,
        recovered,
    })
}

/// The whole file, and what of it could not be read and counts as zeros. A header that is no hive's any
/// more is no reason not to look at the bins.
fn read(path: &Path) -> Result<(Vec<u8>, Vec<Range<u64>>), Failure> {
    let content = match HiveFile::open(path) {
        Err(error @ DiskError::NotAHive { .. }) => {
            let suspect = read_suspect(path)?;
            return Ok((suspect.ok_or(error)?, Vec::new()));
        }
        Ok(file) => file.read_content(),
        Err(error) => Err(error),
    };
    match content {
        Err(error) if is_unreadable(&error) => {
            let around = read_around(path)?;
            Ok((around.content, around.unreadable))
        }
        content => Ok((content?, Vec::new())),
    }
}

/// Whether a disk does not give what it has there.
fn is_unreadable(error: &DiskError) -> bool {
    match error {
        DiskError::Unreadable { .. } => true,
        DiskError::Io { source, .. } => is_failing(source),
        _ => false,
    }
}

/// The exit that matters more: what could not be checked comes before what was found.
fn worse(one: Exit, other: Exit) -> Exit {
    if other.code() > one.code() {
        other
    } else {
        one
    }
}
