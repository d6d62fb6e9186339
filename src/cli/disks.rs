// SPDX-License-Identifier: GPL-3.0-or-later
//! `disks`: what on this machine can be repaired, so that nobody repairs the wrong disk.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::args::DisksArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::source::Source;
use super::target::Found;
use super::typed::commands_for_place;
use crate::disk::{
    Candidate, DiskError, HivePath, Place, Target, candidates, loose_mount, places, shown,
};
use crate::machine::{
    Condition, HiveInput, Machine, computer_name, control_sets, machine, windows_version,
};
use crate::profile::HiveName;
use crate::regf::Hive;
use crate::report::{DiskRow, HiveRow, HiveRowState, Step, disks_json, disks_text, next_text};
use crate::text::Foreign;

pub(super) fn run(args: &DisksArgs, output: &Output) -> Result<Exit, Failure> {
    for root in &args.roots {
        expect_there(root)?;
    }
    let places = match args.roots.is_empty() {
        true => places()?,
        false => args.roots.iter().map(|root| named(root)).collect(),
    };
    let rows: Vec<DiskRow> = candidates(places).into_iter().map(row).collect();
    if output.is_json() {
        output.json(&disks_json(&rows));
        return Ok(Exit::Done);
    }
    output.print(&disks_text(&rows));
    if !output.quiet {
        output.print(&next_text(&next(&rows)));
    }
    if rows.is_empty() {
        output.note(
            "No attached disk with a Windows folder was found; only mounted volumes are seen.",
        );
    }
    Ok(Exit::Done)
}

/// A place that was named and is not there is an error, as it is for every other command.
fn expect_there(root: &Path) -> Result<(), Failure> {
    match (fs::metadata(root), Target::find(root)) {
        (Err(error), Err(why)) if error.kind() == ErrorKind::NotFound => Err(why.into()),
        _ => Ok(()),
    }
}

/// What to look at, on each disk with a Windows.
fn next(rows: &[DiskRow]) -> Vec<Step> {
    let disks = rows.iter().filter(|row| row.windows.is_some());
    let paths = disks.map(|row| Path::new(row.path.raw()));
    let commands = paths.map(|path| commands_for_place(path).of("diagnose", &[]));
    commands.map(|command| Step::run("", command)).collect()
}

fn named(root: &Path) -> Place {
    Place {
        root: root.to_path_buf(),
        device: String::new(),
        file_system: String::new(),
    }
}

fn row(candidate: Candidate) -> DiskRow {
    let Candidate { place, target } = candidate;
    let mut row = DiskRow {
        path: Foreign::path(&place.root),
        device: Foreign::from(place.device),
        file_system: Foreign::from(place.file_system),
        mount: loose_mount(&place.root).map(|loose| loose.to_string()),
        ..DiskRow::default()
    };
    match target {
        Ok(target) => look(target, &mut row),
        Err(error) => row.problems.push(error.to_string()),
    }
    row
}

fn look(target: Target, row: &mut DiskRow) {
    let windows = target.windows.as_ref().unwrap_or(&target.config);
    row.windows = Some(Foreign::path(windows));
    match target.hibernation() {
        Ok(found) => row.hibernation = found,
        Err(error) => row.problems.push(error.to_string()),
    }
    let found = Found::new(Foreign::default(), target);
    for (name, path) in found.hives() {
        let hive = look_at(name, path, row);
        row.hives.push(hive);
    }
    for name in HiveName::ALL {
        if !row.hives.iter().any(|hive| hive.name == name) {
            let config = shown(&found.target.config);
            row.problems
                .push(format!("{config}: there is no {name} hive here"));
        }
    }
}

/// Opens a hive and takes from it what there is to be taken.
fn look_at(name: HiveName, path: &HivePath, row: &mut DiskRow) -> HiveRow {
    let (state, detail) = match read(name, path, row) {
        Ok((state, detail)) => (state, detail),
        Err((state, why)) => (state, Some(why)),
    };
    HiveRow {
        name,
        path: Foreign::path(&path.path),
        state,
        detail,
    }
}

type Read = Result<(HiveRowState, Option<String>), (HiveRowState, String)>;

fn read(name: HiveName, path: &HivePath, row: &mut DiskRow) -> Read {
    let sentence = |failure: Failure| failure.sentence();
    let source = Source::open(&path.path, &path.logs).map_err(|failure| {
        let unreadable = failure.error.downcast_ref::<DiskError>();
        let damaged = matches!(unreadable, Some(DiskError::NotAHive { .. }));
        let state = match damaged {
            true => HiveRowState::Damaged,
            false => HiveRowState::Unreadable,
        };
        (state, sentence(failure))
    })?;
    let damaged = |why: String| (HiveRowState::Damaged, why);
    let (view, state) = match source.view(false) {
        Ok(view) => (view, None),
        Err(why) => {
            let as_is = source
                .view(true)
                .map_err(|failure| damaged(sentence(failure)))?;
            (
                as_is,
                Some((HiveRowState::Unrecoverable, Some(sentence(why)))),
            )
        }
    };
    let hive = Hive::open(view.bytes()).map_err(|error| damaged(error.to_string()))?;
    tell(name, &hive, row).map_err(damaged)?;
    let path_shown = Foreign::path(&path.path);
    let input = HiveInput::new(name, path_shown, hive, view.condition.clone());
    add_facts(&mut row.machine, machine(&[input]));
    Ok(state.unwrap_or_else(|| match &view.condition {
        Condition::Recovered(recovery) => (HiveRowState::Recoverable, Some(recovery.text.clone())),
        _ => (HiveRowState::Clean, None),
    }))
}

/// What one hive tells, where the other has not told it: SOFTWARE knows the version best.
fn add_facts(known: &mut Machine, told: Machine) {
    let is_software = told.product_name.is_some();
    known.product_name = known.product_name.take().or(told.product_name);
    known.product = known.product.take().or(told.product);
    known.version = match is_software {
        true => told.version.or(known.version.take()),
        false => known.version.take().or(told.version),
    };
}

fn tell(name: HiveName, hive: &Hive<'_>, row: &mut DiskRow) -> Result<(), String> {
    match name {
        HiveName::System => {
            row.control_sets = control_sets(hive).map_err(|error| error.to_string())?;
            row.computer_name = computer_name(hive).map_err(|error| error.to_string())?;
        }
        HiveName::Software => {
            row.version = windows_version(hive).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
