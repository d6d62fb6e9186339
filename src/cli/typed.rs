// SPDX-License-Identifier: GPL-3.0-or-later
//! The target as it was typed, for commands that are shown to be copied.

use std::path::Path;

use super::args::{
    Command, HiveFiles, ProfileCommand, RestoreArgs, SetArgs, TargetArgs, UnsetArgs,
};
use crate::report::CommandLine;

/// Commands about the target that was typed.
pub(super) fn commands_for(args: &TargetArgs) -> CommandLine {
    commands_at(args.target.as_deref(), &args.files)
}

/// The same for a target, or a hive's file where the command takes either.
pub(super) fn commands_for_place(place: &Path) -> CommandLine {
    let mut files = HiveFiles::default();
    if !place.is_file() {
        return commands_at(Some(place), &files);
    }
    files.system = Some(place.to_path_buf());
    commands_at(None, &files)
}

/// The same for the words behind `restore`.
pub(super) fn commands_for_restore(args: &RestoreArgs) -> CommandLine {
    let commands = commands_for_words(&args.place, &args.files);
    with_backups(commands, args.writing.backup.backup_dir.as_deref())
}

/// The same where the backups are in a folder that was named.
pub(super) fn with_backups(commands: CommandLine, backup_dir: Option<&Path>) -> CommandLine {
    let folder = backup_dir.map(|folder| folder.to_str().unwrap_or("DIR").to_owned());
    CommandLine {
        backup_dir: folder,
        ..commands
    }
}

/// The target that a command is about, for hints that name none of their own; none where it is about
/// none, or about several.
pub(super) fn commands_of(command: &Command) -> Option<CommandLine> {
    let backups = |target: &TargetArgs, folder: Option<&Path>| {
        Some(with_backups(commands_for(target), folder))
    };
    match command {
        Command::Plan(args) => backups(&args.target, None),
        Command::Diagnose(args) => backups(&args.target, None),
        Command::Fix(args) => backups(&args.target, args.writing.backup.backup_dir.as_deref()),
        Command::Apply(args) => backups(&args.target, args.writing.backup.backup_dir.as_deref()),
        Command::Backups(args) => backups(&args.target, args.backup.backup_dir.as_deref()),
        Command::Restore(args) => Some(commands_for_restore(args)),
        Command::Show(args) => Some(commands_for_words(&args.place, &args.files)),
        Command::Find(args) => backups(&args.target, None),
        Command::Set(SetArgs { words, change }) | Command::Unset(UnsetArgs { words, change }) => {
            let commands = commands_for_words(words, &change.files);
            let folder = change.writing.backup.backup_dir.as_deref();
            Some(with_backups(commands, folder))
        }
        Command::Recover(args) => {
            let commands = commands_for_place(&args.place);
            Some(with_backups(
                commands,
                args.writing.backup.backup_dir.as_deref(),
            ))
        }
        Command::Mend(args) => {
            let commands = commands_for_place(&args.place);
            Some(with_backups(commands, args.backup.backup_dir.as_deref()))
        }
        Command::Donors(args) => Some(commands_for_place(&args.target)),
        Command::Check(args) => match args.places.as_slice() {
            [place] => Some(commands_for_place(place)),
            _ => None,
        },
        Command::Explain(args) => args.on.as_deref().map(commands_for_place),
        Command::Profile(args) => match &args.command {
            ProfileCommand::Capture { target, .. } => backups(target, None),
            _ => None,
        },
        Command::Disks(_) | Command::Completions(_) | Command::Man(_) | Command::Help(_) => None,
    }
}

fn commands_for_words(words: &[std::ffi::OsString], files: &HiveFiles) -> CommandLine {
    let is_by_hive = files.system.is_some() || files.software.is_some();
    let target = words.first().filter(|_| !is_by_hive);
    commands_at(target.map(Path::new), files)
}

pub(super) fn commands_at(target: Option<&Path>, files: &HiveFiles) -> CommandLine {
    CommandLine {
        target: words(target, files),
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
