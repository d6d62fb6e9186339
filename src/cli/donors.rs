// SPDX-License-Identifier: GPL-3.0-or-later
//! `donors`: older copies of the hives on a disk, and what they are worth to `mend`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::args::{DonorsArgs, HiveFiles};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::target::Found;
use crate::disk::{HiveFile, HiveName, read_around, shown};
use crate::regf::{FoldedPath, Hive, KEY_DEPTH_LIMIT, KeyNode, NodePath, check};
use crate::report::{DonorRow, DonorState, donors_json, donors_text};
use crate::text::Foreign;

/// The most keys of a hive that are compared.
const MOST_KEYS: usize = 2_000_000;

pub(super) fn run(args: &DonorsArgs, output: &Output) -> Result<Exit, Failure> {
    let found = Found::find(Some(&args.target), &HiveFiles::default())?;
    let mut rows = Vec::new();
    for name in HiveName::ALL {
        let donors = found.target.donors(name.as_str());
        if donors.is_empty() {
            continue;
        }
        let present = found.hives().find(|(hive, _)| *hive == name);
        let present = present.and_then(|(_, hive)| read_around(&hive.path).ok());
        let present = present
            .map(|around| keys_of(&around.content))
            .unwrap_or_default();
        for path in donors {
            let _phase = output.phase(&format!("looking at {}", shown(&path)));
            rows.push(DonorRow {
                hive: name.to_string(),
                path: Foreign::path(&path),
                state: judge(&path, &present),
            });
        }
    }
    match output.is_json() {
        true => output.json(&donors_json(found.name.raw(), &rows)),
        false => output.print(&donors_text(&rows)),
    }
    Ok(Exit::Done)
}

fn judge(path: &Path, present: &HashSet<FoldedPath>) -> DonorState {
    let metadata = fs::metadata(path).ok();
    if metadata.as_ref().is_some_and(|found| found.len() == 0) {
        return DonorState::Empty;
    }
    let image = HiveFile::open(path).and_then(|file| file.read_content());
    let image = match image {
        Ok(image) => image,
        Err(error) => return DonorState::Unusable(error.to_string()),
    };
    let report = check(&image);
    if let Some(error) = report.first_error() {
        return DonorState::Unusable(error.to_string());
    }
    let theirs = keys_of(&image);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let written = metadata.and_then(|found| found.modified().ok());
    let written = written.and_then(|time| jiff::Timestamp::try_from(time).ok());
    DonorState::Sound {
        written: written.map_or("at an unknown time".to_owned(), |time| {
            time.strftime("%Y-%m-%d %H:%M UTC").to_string()
        }),
        keys: report.keys,
        values: report.values,
        lacks: count(present.difference(&theirs).count()),
        has_more: count(theirs.difference(present).count()),
    }
}

/// The paths of all keys that can be read.
fn keys_of(image: &Vec<u8>) -> HashSet<FoldedPath> {
    let mut paths = HashSet::new();
    let Ok(hive) = Hive::open(image) else {
        return paths;
    };
    let mut waiting: Vec<(KeyNode<'_>, NodePath)> = Vec::new();
    waiting.extend(hive.root().ok().map(|root| (root, NodePath::root())));
    while let Some((key, path)) = waiting.pop() {
        if path.depth() > KEY_DEPTH_LIMIT || paths.len() > MOST_KEYS {
            continue;
        }
        for at in hive.subkeys(&key).unwrap_or_default() {
            let Ok(below) = hive.key(at) else {
                continue;
            };
            let path = path.join(below.name().to_name());
            // A key that was there is not followed again: damaged lists may lead in circles.
            if paths.insert(path.folded()) {
                waiting.push((below, path));
            }
        }
    }
    paths
}
