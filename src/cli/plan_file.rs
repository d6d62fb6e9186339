// SPDX-License-Identifier: GPL-3.0-or-later
//! Files of the user's own: a plan, for review and for `apply --plan`, and a new profile.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, Write};
use std::path::Path;

use encoding_rs::Encoding;

use super::failure::Failure;
use crate::disk::{Target, shown};
use crate::effect::Effect;
use crate::files::{self, Kind};
use crate::plan::Plan;
use crate::report::{PLAN_SCHEMA, is_edited, plan_document, plan_from_json};
use crate::text::write_json;

/// What a plan file is read as.
const PLAN: Kind = Kind {
    what: "a plan",
    limit: 64 << 20,
};

/// Reads a plan, which nobody may have edited unless that is accepted.
pub(super) fn read(file: &Path, accept_edited: bool) -> Result<Plan, Failure> {
    let bytes = files::resolve(file).and_then(|place| files::read(&place, PLAN));
    let bytes = bytes
        .map_err(|error| Failure::usage(format!("{}: could not read: {error}", shown(file))))?;
    let bytes = as_utf8(bytes);
    let plan = plan_from_json(&bytes);
    let plan = plan.map_err(|error| Failure::from(error).context(shown(file)))?;
    if !accept_edited && is_edited(&bytes, &plan) {
        let message = format!(
            "{}: its changes are not those that hivemend wrote there: somebody has edited it",
            shown(file)
        );
        return Err(Failure::refused(message).advising(
            "Nothing was written. Make a new plan, or go on with --accept-edited-plan.",
        ));
    }
    Ok(plan)
}

/// The text as it was written: what Windows PowerShell redirects into a file is UTF-16, and editors put a
/// mark in front of UTF-8.
fn as_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let encoding = match Encoding::for_bom(&bytes) {
        Some((encoding, _)) => encoding,
        None => return bytes,
    };
    let (text, _) = encoding.decode_with_bom_removal(&bytes);
    text.into_owned().into_bytes()
}

/// Writes the plan to a file of its own, never over anything but an older plan, and never into the
/// Windows folder that it is about.
pub(super) fn write(
    file: &Path,
    plan: &Plan,
    effect: &Effect,
    target: &Target,
) -> Result<(), Failure> {
    let refuse = |why: &str| {
        let message = format!("{}: {why}", shown(file));
        Failure::refused(message).advising("Name another file for the plan.")
    };
    if file.is_dir() {
        return Err(refuse("this is a folder, and is not a plan"));
    }
    if is_inside(file, target) {
        return Err(refuse(
            "a plan is not written into the Windows that it is about",
        ));
    }
    let mut written = Bounded::default();
    let all = write_json(&mut written, &plan_document(plan, effect, None));
    let all = all.and_then(|()| written.write_all(b"\n"));
    all.map_err(|error| Failure::failed(format!("the plan could not be written down: {error}")))?;
    let Bounded { kept, length } = written;
    if length > PLAN.limit {
        let (limit, file) = (PLAN.limit, shown(file));
        let message = format!(
            "{file}: this plan would have {length} bytes, and none of more than {limit} is read back"
        );
        return Err(Failure::refused(message).advising(
            "Nothing was written. Plan fewer profiles at once, or ones that match fewer keys.",
        ));
    }
    let failed = |error| Failure::io(file, "write", &error);
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let plan = older_plan(file);
            plan.ok_or_else(|| refuse("the file exists and is not a plan, so it is left alone"))?
        }
        opened => opened.map_err(failed)?,
    };
    opened.write_all(&kept).map_err(failed)
}

/// Keeps what is written as long as it can be read back, and counts all of it.
#[derive(Default)]
struct Bounded {
    kept: Vec<u8>,
    length: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.length = self.length.saturating_add(more);
        if self.length <= PLAN.limit {
            self.kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes what is given to a file that is not there yet.
pub(super) fn write_new(file: &Path, text: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::io(file, "write", &error);
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("{}: the file exists, and is left alone", shown(file));
            return Err(Failure::refused(message).advising("Name another file."));
        }
        opened => opened.map_err(failed)?,
    };
    opened.write_all(text).map_err(failed)
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

/// The file, open and empty, if it is an older plan.
fn older_plan(file: &Path) -> Option<File> {
    let kind = fs::symlink_metadata(file).ok()?.file_type();
    files::expect_file(kind).ok()?;
    let mut opened = open_to_rewrite(file).ok()?;
    files::expect_file(opened.metadata().ok()?.file_type()).ok()?;
    let bytes = files::read_open(&opened, PLAN).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&as_utf8(bytes)).ok()?;
    if json.get("schema")? != PLAN_SCHEMA {
        return None;
    }
    // The file that was looked at is the one that is written, whatever its name stands for now.
    opened.rewind().and_then(|()| opened.set_len(0)).ok()?;
    Some(opened)
}

#[cfg(unix)]
fn open_to_rewrite(file: &Path) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(file, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_to_rewrite(file: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(file)
}
