// SPDX-License-Identifier: GPL-3.0-or-later
//! From a file's bytes to operations.

use super::collector::Collector;
use super::commands;
use super::decode::{CodePage, decode};
use super::dsc;
use super::key::Written;
use super::mistake::Mistake;
use super::mounts::Mounts;
use super::operation::Operation;
use super::policy_file;
use super::recognise::{Format, recognise};
use super::reg_file;
use super::trouble::ImportErrors;
use crate::text::Foreign;

/// How files are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What a text is in that is neither UTF-8 nor UTF-16.
    pub code_page: CodePage,
    /// The names under which hives are mounted.
    pub mounts: Mounts,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name as it was given.
    pub file: Foreign,
    /// Its language.
    pub format: Format,
    /// What it wants done, in its order. Mistakes are corrected in it: who does not want that looks at
    /// `mistakes` first.
    pub operations: Vec<Operation>,
    /// The mistakes that it is known to be wrong with, in its order.
    pub mistakes: Vec<Mistake>,
    /// What else there is to say, each in a sentence.
    pub notes: Vec<String>,
    /// How many lines are no commands.
    pub skipped: usize,
}

/// Reads a file; `file` is its name, for messages.
///
/// # Errors
///
/// Everything in it that no profile can say, each with its place.
pub fn read(bytes: &[u8], file: &str, options: &Options) -> Result<Import, ImportErrors> {
    let Some(format) = recognise(bytes) else {
        let message = "this is no language that is imported";
        let hint =
            "that is a .reg file, REG ADD or PowerShell lines, a DSC document or a Registry.pol";
        return Err(ImportErrors::whole(file, message, hint));
    };
    let written = match format {
        Format::Commands => Written::ByHand,
        Format::Reg | Format::Dsc | Format::Policy => Written::ByProgram,
    };
    let mut found = Collector::new(file, options.code_page, options.mounts.clone(), written);
    match format {
        Format::Policy => policy_file::read(bytes, &mut found),
        Format::Reg | Format::Commands | Format::Dsc => {
            let Some(text) = decode(bytes, options.code_page) else {
                let hint = "save it as UTF-8, or name its code page: --code-page 1251";
                return Err(ImportErrors::whole(file, "this is no text", hint));
            };
            match format {
                Format::Reg => reg_file::read(&text, &mut found),
                Format::Dsc => dsc::read(&text, &mut found),
                _ => {
                    if commands::is_own(&text) {
                        found.written = Written::ByProgram;
                    }
                    commands::read(&text, &mut found);
                }
            }
        }
    }
    let import = Import {
        file: file.into(),
        format,
        operations: found.operations,
        mistakes: found.mistakes,
        notes: found.notes,
        skipped: found.skipped,
    };
    found.errors.or(import)
}
