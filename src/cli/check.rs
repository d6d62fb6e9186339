// SPDX-License-Identifier: GPL-3.0-or-later
//! `check`: the structure of hives, in every detail.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{CheckArgs, HiveFiles};
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::Found;
use crate::disk::{self, DiskError, HiveFile, logs_of, read_suspect, shown};
use crate::log::{self, LogError};
use crate::regf::{self, BaseBlock, FileOffset, HiveBytes};
use crate::report::{CheckedHive, HiveCheck, LogFile, check_json, check_text};

pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let mut checked = Vec::new();
    let mut exit = Exit::Done;
    for place in &args.places {
        for hive in hives_at(place, output) {
            let outcome = hive.and_then(|path| check_file(&path).map_err(|e| (path, e)));
            let hive = match outcome {
                Ok(hive) => hive,
                Err((path, failure)) => {
                    output.complain(&failure);
                    exit = worse(exit, failure.exit);
                    CheckedHive::failed(&path, failure.sentence(), failure.advice)
                }
            };
            if hive.has_errors() {
                exit = worse(exit, Exit::Found);
            }
            if !output.is_json() {
                output.print(&check_text(&hive, output.quiet, output.verbose));
            }
            checked.push(hive);
        }
    }
    if output.is_json() {
        output.json(&check_json(&checked));
    }
    Ok(exit)
}

/// A hive's path, or the path of what could not be looked at and why.
type Hive = Result<PathBuf, (PathBuf, Failure)>;

/// The hives that `place` means: the file itself, or those of a target.
fn hives_at(place: &Path, output: &Output) -> Vec<Hive> {
    if !fs::metadata(place).is_ok_and(|found| found.is_dir()) {
        return vec![Ok(place.to_path_buf())];
    }
    match hives_of_target(place, output) {
        Ok(paths) => paths.into_iter().map(Ok).collect(),
        Err(failure) => vec![Err((place.to_path_buf(), failure))],
    }
}

fn hives_of_target(place: &Path, output: &Output) -> Result<Vec<PathBuf>, Failure> {
    let none = HiveFiles {
        system: None,
        software: None,
    };
    let found = Found::find(Some(place), &none)?;
    interrupted::warn(&found.target, None, output)?;
    let paths: Vec<PathBuf> = found.hives().map(|(_, hive)| hive.path.clone()).collect();
    if paths.is_empty() {
        let config = shown(&found.target.config);
        let message = format!("{config}: there is no SYSTEM and no SOFTWARE hive here");
        return Err(Failure::refused(message));
    }
    Ok(paths)
}

fn check_file(path: &Path) -> Result<CheckedHive, Failure> {
    let image = read(path)?;
    let report = regf::check(&image);
    let (logs, recovery) = look_at_logs(&image, &logs_of(path)?)?;
    Ok(CheckedHive::checked(
        path,
        HiveCheck {
            size: u64::try_from(image.len()).unwrap_or(u64::MAX),
            base: BaseBlock::parse(&image).ok(),
            logs,
            recovery,
            report,
        },
    ))
}

/// Each log's state, and what recovery makes of all of them.
fn look_at_logs(image: &Vec<u8>, paths: &[PathBuf]) -> Result<(Vec<LogFile>, String), Failure> {
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
    let report = match log::recover(image, &logs) {
        Ok(recovered) => Some(recovered.report().clone()),
        Err(LogError::NotRecoverable(report)) => Some(*report),
        Err(LogError::NotAHive(_)) => None,
    };
    let recovery = report
        .as_ref()
        .map_or("not a hive".to_owned(), ToString::to_string);
    let found = report.map(|report| report.logs).unwrap_or_default();
    let mut findings = found.into_iter().map(|log| log.finding.to_string());
    let files = paths.iter().zip(&opened).map(|(path, (_, log))| LogFile {
        path: path.display().to_string(),
        size: log.size(),
        state: findings
            .next()
            .unwrap_or_else(|| "not looked at".to_owned()),
    });
    let files = files.collect();
    Ok((files, recovery))
}

/// The whole file. A header that is no hive's any more is no reason not to look at the bins.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = match HiveFile::open(path) {
        Err(error @ DiskError::NotAHive { .. }) => {
            return read_suspect(path)?.ok_or_else(|| error.into());
        }
        opened => opened?,
    };
    let size = usize::try_from(file.size());
    let size = size.map_err(|_| Failure::refused(format!("{}: too large", shown(path))))?;
    let image = file.read(FileOffset(0), size).map_err(|error| {
        let message = format!("{}: {error}", shown(path));
        Failure::failed(message).advising("The disk cannot be read there: copy it first.")
    })?;
    file.unchanged()?;
    Ok(image.into_owned())
}

/// The exit that matters more: what could not be checked comes before what was found.
fn worse(one: Exit, other: Exit) -> Exit {
    if other.code() > one.code() {
        other
    } else {
        one
    }
}
