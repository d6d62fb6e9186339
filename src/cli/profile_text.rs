// SPDX-License-Identifier: GPL-3.0-or-later
//! A profile as text: printed, or written to a file.

use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::plan_file;
use crate::disk::shown;
use crate::text::Text;

/// A file's own lines.
pub(super) fn lines_of(text: &str) -> Text {
    let mut lines = Text::new();
    text.lines().for_each(|line| lines.line(line));
    lines
}

/// Prints a profile, or writes it to a file that is not there yet.
pub(super) fn write_profile(
    file: Option<&Path>,
    text: &str,
    output: &Output,
) -> Result<Exit, Failure> {
    let Some(file) = file else {
        output.print(&lines_of(text));
        return Ok(Exit::Done);
    };
    plan_file::write_new(file, text.as_bytes())?;
    output.note(&format!("{} was written.", shown(file)));
    Ok(Exit::Done)
}
