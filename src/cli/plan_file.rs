// SPDX-License-Identifier: GPL-3.0-or-later
//! Files of the user's own: a plan, for review and for `apply --plan`, and a new profile.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use super::failure::Failure;
use crate::disk::{Target, shown};
use crate::plan::Plan;
use crate::report::{PLAN_SCHEMA, plan_from_json, plan_json};

/// The largest plan file that is read, in bytes.
const LARGEST_PLAN: u64 = 64 << 20;

/// Reads a plan.
pub(super) fn read(file: &Path) -> Result<Plan, Failure> {
    let failed = |error| Failure::usage(format!("{}: could not read: {error}", shown(file)));
    let opened = File::open(file).map_err(failed)?;
    let mut bytes = Vec::new();
    opened
        .take(LARGEST_PLAN)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    plan_from_json(&bytes).map_err(|error| Failure::from(error).context(shown(file)))
}

/// Writes the plan to a file of its own, never over anything but an older plan, and never into the
/// Windows folder that it is about.
pub(super) fn write(file: &Path, plan: &Plan, target: &Target) -> Result<(), Failure> {
    let refuse = |why: &str| {
        let message = format!("{}: {why}", shown(file));
        Failure::refused(message).advising("Name another file for the plan.")
    };
    if is_inside(file, target) {
        return Err(refuse(
            "a plan is not written into the Windows that it is about",
        ));
    }
    let mut text = serde_json::to_string_pretty(&plan_json(plan)?).unwrap_or_default();
    text.push('\n');
    let failed = |error| Failure::failed(format!("{}: could not write: {error}", shown(file)));
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !is_plan(file) {
                return Err(refuse(
                    "the file exists and is not a plan, so it is left alone",
                ));
            }
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(file)
                .map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    opened.write_all(text.as_bytes()).map_err(failed)
}

/// Writes a text to a file that is not there yet.
pub(super) fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("{}: could not write: {error}", shown(file)));
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("{}: the file exists, and is left alone", shown(file));
            return Err(Failure::refused(message).advising("Name another file."));
        }
        opened => opened.map_err(failed)?,
    };
    opened.write_all(text.as_bytes()).map_err(failed)
}

/// Whether the file would be in the Windows folder of the target.
pub(super) fn is_inside(file: &Path, target: &Target) -> bool {
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let windows = target.windows.as_ref().unwrap_or(&target.config);
    match (fs::canonicalize(folder), fs::canonicalize(windows)) {
        (Ok(folder), Ok(windows)) => folder.starts_with(windows),
        _ => false,
    }
}

fn is_plan(file: &Path) -> bool {
    let is_file =
        fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() < LARGEST_PLAN);
    let text = if is_file {
        fs::read(file).unwrap_or_default()
    } else {
        Vec::new()
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
    json.is_some_and(|json| {
        json.get("schema")
            .is_some_and(|schema| schema == PLAN_SCHEMA)
    })
}
