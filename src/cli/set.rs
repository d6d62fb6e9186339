// SPDX-License-Identifier: GPL-3.0-or-later
//! `set` and `unset`: a change that was typed, by the same way as one of a profile.

use std::ffi::OsString;
use std::path::PathBuf;

use super::apply::Wished;
use super::args::{
    ApplyArgs, ChangeArgs, Format, PlanArgs, PlanFormat, Scope, SetArgs, SettingArgs, TargetArgs,
    UnsetArgs,
};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::target::{Found, selection};
use super::typed_profile::{Wish, profile};
use super::{apply, interrupted, plan, typed_names};
use crate::disk::shown;
use crate::profile::{HiveName, KeyPath, Profile};
use crate::report::CommandLine;
use crate::text::unescape;

pub(super) fn set(args: &SetArgs, output: &Output) -> Result<Exit, Failure> {
    let (target, words) = target_of(&args.words, &args.change)?;
    let [key, name, kind, data @ ..] = words.as_slice() else {
        let message = "set needs a key, a value's name, a type and its data";
        return Err(Failure::usage(message).advising(
            "Write: hivemend set TARGET 'SYSTEM\\CurrentControlSet\\...' NAME dword 1. The unnamed value is \"\".",
        ));
    };
    let wish = Wish::Set {
        name: (*name).to_owned(),
        kind: (*kind).to_owned(),
        data: data.iter().map(|&word| word.to_owned()).collect(),
    };
    change("set", target, key, &wish, &words, &args.change, output)
}

pub(super) fn unset(args: &UnsetArgs, output: &Output) -> Result<Exit, Failure> {
    let (target, words) = target_of(&args.words, &args.change)?;
    let (key, wish) = match *words.as_slice() {
        [key] => (key, Wish::DeleteKey),
        [key, name] => (key, Wish::Delete(unescape(name))),
        _ => {
            let message = "unset needs a key, and a value's name unless the whole key is to go";
            return Err(Failure::usage(message)
                .advising("Write: hivemend unset TARGET 'SYSTEM\\CurrentControlSet\\...' [NAME]"));
        }
    };
    change("unset", target, key, &wish, &words, &args.change, output)
}

/// The first word is the target, unless hives were named one by one.
fn target_of<'w>(
    words: &'w [OsString],
    args: &ChangeArgs,
) -> Result<(TargetArgs, Vec<&'w str>), Failure> {
    let are_named = args.files.system.is_some() || args.files.software.is_some();
    let (target, words) = match words.split_first() {
        Some((target, rest)) if !are_named => (Some(PathBuf::from(target)), rest),
        _ => (None, words),
    };
    let words: Result<Vec<&str>, Failure> =
        words.iter().map(|word| typed_names::text(word)).collect();
    let target = TargetArgs {
        target,
        files: args.files.clone(),
    };
    Ok((target, words?))
}

fn change(
    command: &'static str,
    target: TargetArgs,
    key: &str,
    wish: &Wish,
    words: &[&str],
    args: &ChangeArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let path = typed_names::key(key)?;
    let profile = profile(command, &path, wish, args.why.as_deref(), output)?;
    expect_hive(&target, &path, args)?;
    let profiles: [Profile; 1] = [profile];
    if args.dry_run {
        let next = next(command, &target, words, args);
        let asked = PlanArgs {
            target,
            profiles: Vec::new(),
            settings: SettingArgs {
                settings: Vec::new(),
            },
            control_set: args.control_set.clone(),
            unrecovered: args.writing.unrecovered.clone(),
            format: match args.writing.format.format {
                Format::Text | Format::Reg => PlanFormat::Text,
                Format::Json => PlanFormat::Json,
            },
            output: None,
            exit_code: false,
            online: false,
        };
        return plan::show(&asked, &profiles, selection, next, output);
    }
    let asked = ApplyArgs {
        target,
        profiles: Vec::new(),
        settings: Vec::new(),
        plan: None,
        accept_edited_plan: false,
        control_set: args.control_set.clone(),
        backup_scope: Scope::Hives,
        writing: args.writing.clone(),
    };
    apply::run_with(
        &asked,
        &profiles,
        Wished::Profiles(&profiles, selection),
        output,
    )
}

/// What a profile is about may be elsewhere; what was typed is about this hive.
fn expect_hive(target: &TargetArgs, path: &KeyPath, args: &ChangeArgs) -> Result<(), Failure> {
    let found = Found::from_args(target)?;
    let hive: HiveName = path.hive;
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    // A run that was cut short may have left the hive without its name, and gives it back.
    if found.hives().any(|(name, _)| name == hive)
        || interrupted::is_there(&found.target, backup_dir)
    {
        return Ok(());
    }
    let config = shown(&found.target.config);
    let message = format!("{config}: there is no {hive} hive here");
    Err(Failure::refused(message).advising("Nothing was written. hivemend never creates a hive."))
}

/// The command that carries the plan out.
fn next(command: &str, target: &TargetArgs, words: &[&str], args: &ChangeArgs) -> String {
    let mut behind = words.to_vec();
    if let Some(why) = &args.why {
        behind.extend(["--why", why]);
    }
    if args.control_set != "each" {
        behind.extend(["--control-set", &args.control_set]);
    }
    if args.writing.unrecovered.accept_unrecovered {
        behind.push("--accept-unrecovered");
    }
    let line: CommandLine = super::typed::commands_for(target);
    line.of(command, &behind)
}
