// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan as text, and as the bytes of a file.

use super::error::ExportError;
use super::kind::{ExportFormat, ExportPlace};
use super::step::steps;
use super::{cmd, dsc, powershell, reg};
use crate::plan::Plan;

/// Writes a plan, in lines that end with `\n`.
///
/// # Errors
///
/// The first change that the language cannot say.
pub fn export(
    plan: &Plan,
    format: ExportFormat,
    place: ExportPlace,
) -> Result<String, ExportError> {
    let steps = steps(plan, place)?;
    match format {
        ExportFormat::Reg => Ok(reg::text(&steps)),
        ExportFormat::Cmd => cmd::text(&steps),
        ExportFormat::PowerShell => powershell::text(&steps),
        ExportFormat::Dsc => dsc::text(&steps),
    }
}

/// The bytes of a file with an exported text, as the tool that reads it wants them: regedit UTF-16 with a
/// byte order mark, Windows PowerShell UTF-8 with one; all but DSC with the line ends of Windows.
pub fn export_file(text: &str, format: ExportFormat) -> Vec<u8> {
    let windows = text.replace('\n', "\r\n");
    match format {
        ExportFormat::Reg => {
            let units = "\u{feff}".encode_utf16().chain(windows.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
        ExportFormat::Cmd => windows.into_bytes(),
        ExportFormat::PowerShell => format!("\u{feff}{windows}").into_bytes(),
        ExportFormat::Dsc => text.as_bytes().to_vec(),
    }
}
