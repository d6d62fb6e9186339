// SPDX-License-Identifier: GPL-3.0-or-later
//! The target as it was typed, for commands that are shown to be copied.

use std::path::Path;

use super::args::{HiveFiles, TargetArgs};
use crate::report::CommandLine;

/// Commands about the target that was typed.
pub(super) fn commands_for(args: &TargetArgs) -> CommandLine {
    CommandLine {
        target: words(args.target.as_deref(), &args.files),
        ..CommandLine::default()
    }
}

/// The words that name a target, or its hives.
fn words(target: Option<&Path>, files: &HiveFiles) -> Vec<String> {
    // A name that is no text cannot be printed so that a shell takes it.
    let word = |path: &Path, placeholder: &str| path.to_str().unwrap_or(placeholder).to_owned();
    let mut words: Vec<String> = target
        .map(|path| word(path, "TARGET"))
        .into_iter()
        .collect();
    for (option, file) in [("--system", &files.system), ("--software", &files.software)] {
        if let Some(file) = file {
            words.extend([option.to_owned(), word(file, "FILE")]);
        }
    }
    words
}
