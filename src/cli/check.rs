// SPDX-License-Identifier: GPL-3.0-or-later
//! `check`: the structure of hives, in every detail.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::CheckArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::Found;
use crate::disk::{DiskError, HiveFile, Target, logs_of, read_suspect, shown};
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
    let target = Target::find(place)?;
    interrupted::warn(&target, None, output);
    let name = place.display().to_string();
    let found = Found { name, target };
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
    // The logs' own state comes with the room that reads them.
    let logs = logs_of(path)?.iter().map(|log| log_file(log)).collect();
    Ok(CheckedHive::checked(
        path,
        HiveCheck {
            size: u64::try_from(image.len()).unwrap_or(u64::MAX),
            base: BaseBlock::parse(&image).ok(),
            logs,
            report,
        },
    ))
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

fn log_file(path: &Path) -> LogFile {
    LogFile {
        path: path.display().to_string(),
        size: fs::symlink_metadata(path).map_or(0, |found| found.len()),
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
