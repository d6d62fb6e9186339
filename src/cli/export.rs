// SPDX-License-Identifier: GPL-3.0-or-later
//! `plan --format reg|cmd|powershell|dsc`: a plan for another tool.

use std::path::Path;

use super::args::{PlanArgs, PlanFormat};
use super::blocked::refuse_blocked;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::plan_file::{is_inside, write_new};
use super::profile_text::lines_of;
use crate::disk::{Target, shown};
use crate::plan::Plan;
use crate::report::{ExportFormat, ExportPlace, export, export_file};
use crate::text::is_deceptive;

/// The language of another tool that is asked for.
pub(super) fn format_of(args: &PlanArgs) -> Result<Option<ExportFormat>, Failure> {
    let format = match args.format {
        PlanFormat::Reg => Some(ExportFormat::Reg),
        PlanFormat::Cmd => Some(ExportFormat::Cmd),
        PlanFormat::PowerShell => Some(ExportFormat::PowerShell),
        PlanFormat::Dsc => Some(ExportFormat::Dsc),
        PlanFormat::Text | PlanFormat::Json | PlanFormat::Diff => None,
    };
    if args.online && format.is_none() {
        let message = "--online is about what another tool carries out";
        return Err(Failure::usage(message).advising("Say --format reg, cmd, powershell or dsc."));
    }
    Ok(format)
}

/// Prints the plan, or writes it to a file that is not there yet.
pub(super) fn run(
    plan: &Plan,
    format: ExportFormat,
    args: &PlanArgs,
    target: &Target,
    output: &Output,
) -> Result<(), Failure> {
    refuse_blocked(plan)?;
    for warning in &plan.warnings {
        output.warn(warning);
    }
    let place = match args.online {
        true => ExportPlace::Online,
        false => ExportPlace::Offline,
    };
    let text = export(plan, format, place)?;
    let Some(file) = &args.output else {
        return printed(&text, output);
    };
    if is_inside(file, target) {
        let message = format!("{}: is in the Windows that is looked at", shown(file));
        return Err(Failure::refused(message).advising("Name a file outside of it."));
    }
    write_new(file, &export_file(&text, format))?;
    output.note(&format!("{} was written.", shown(file)));
    Ok(())
}

/// Prints an exported text.
fn printed(text: &str, output: &Output) -> Result<(), Failure> {
    // On its way to a terminal such a character would be escaped, and the text another one.
    if text.contains(|c| c != '\n' && is_deceptive(c)) {
        let message = "a name or text has a character in it that is not seen";
        return Err(Failure::refused(message).advising("Write it to a file: -o FILE."));
    }
    output.print(&lines_of(text));
    Ok(())
}

/// Prints a `.reg` file, or writes it to one that is not there yet.
pub(super) fn write_reg(text: &str, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    match file {
        None => printed(text, output)?,
        Some(file) => {
            write_new(file, &export_file(text, ExportFormat::Reg))?;
            output.note(&format!("{} was written.", shown(file)));
        }
    }
    Ok(Exit::Done)
}
