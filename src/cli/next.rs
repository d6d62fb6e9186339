// SPDX-License-Identifier: GPL-3.0-or-later
//! What is next once a command is done, as commands about the target that was typed.

use std::path::Path;

use super::args::{
    ApplyArgs, BackupsArgs, DiagnoseArgs, FixArgs, MendArgs, RecoverArgs, RestoreArgs, RiskArgs,
    TargetArgs, WritingArgs,
};
use super::plan::takes;
use super::typed::{commands_for, commands_for_place, commands_for_restore, with_backups};
use crate::diagnose::{Diagnosis, Proposal};
use crate::plan::Plan;
use crate::profile::{self, Impact, Profile};
use crate::report::{CommandLine, Step};

/// What is left to people once a disk is mended.
const START: &str = "Unmount the disk, give it back to its machine, and start that.";
/// The same where hives were named one by one.
const PUT_BACK: &str = "Put the hives back into the Windows that they are of, and start that.";

/// Behind an `apply` that has written.
pub(super) fn after_apply(args: &ApplyArgs, profiles: &[Profile], plan: &Plan) -> Vec<Step> {
    let commands = commands_with(&args.target, &args.writing);
    let mut steps = Vec::new();
    if let Some(check) = check(args, &commands, plan) {
        steps.push(Step::run("to check it", check));
    }
    steps.push(undo(&commands, &args.writing.risk));
    for (id, undo) in undone_by(profiles) {
        let command = commands.of("apply", &["-p", &undo]);
        let what = "to make it safe again, later";
        if id != undo {
            steps.push(Step::run(what, command));
        }
    }
    steps.push(start(args.target.target.is_some()));
    steps
}

/// The command that compares the disk with what was applied.
fn check(args: &ApplyArgs, commands: &CommandLine, plan: &Plan) -> Option<String> {
    let mut behind: Vec<&str> = Vec::new();
    let named = plan.profiles.iter().filter(|one| one.included_by.is_none());
    let ids: Vec<&str> = named.map(|one| one.id.as_str()).collect();
    match args.plan {
        // A plan file does not say what was set, nor from which files it was made.
        Some(_) if !ids.iter().all(|id| is_whole(id)) => return None,
        Some(_) => ids.iter().for_each(|id| behind.extend(["-p", id])),
        None => {
            for profile in &args.profiles {
                behind.extend(["-p", profile]);
            }
            for setting in &args.settings {
                behind.extend(["--set", setting]);
            }
            if args.control_set != "each" {
                behind.extend(["--control-set", &args.control_set]);
            }
        }
    }
    if behind.is_empty() {
        return None;
    }
    behind.push("--exit-code");
    Some(commands.of("plan", &behind))
}

/// Whether the id alone says all of a profile: it is built in, and nothing can be set.
fn is_whole(id: &str) -> bool {
    let is_built_in = profile::builtin().iter().any(|known| known.id == id);
    is_built_in && profile::load(id).is_ok_and(|profile| profile.parameters.is_empty())
}

/// The profiles that make safe again what these lower, each with the one that it is for.
fn undone_by(profiles: &[Profile]) -> Vec<(String, String)> {
    let undos = profiles.iter().filter_map(|profile| {
        let undo = profile.undo.as_ref().filter(|undo| *undo != "none")?;
        Some((profile.id.clone(), undo.clone()))
    });
    undos.collect()
}

/// Behind `diagnose`: all that profiles mend, in one command.
pub(super) fn after_diagnose(
    args: &DiagnoseArgs,
    diagnosis: &Diagnosis,
    proposal: &Proposal,
) -> Vec<Step> {
    let commands = commands_for(&args.target);
    let files = &args.target.files;
    if !diagnosis.damage.is_empty() {
        let mut steps = vec![Step::run("to mend it", commands.of("mend", &[]))];
        if files.system.is_none() && files.software.is_none() {
            let what = "then, to see the rest";
            steps.push(Step::run(what, commands.of("diagnose", &[])));
        }
        return steps;
    }
    let names = proposal.names();
    if names.is_empty() {
        return Vec::new();
    }
    let mut behind: Vec<&str> = names.iter().flat_map(|name| ["-p", name]).collect();
    let mut fix = Vec::new();
    let profiles = profile::load_all(&names).unwrap_or_default();
    for setting in &args.settings.settings {
        fix.extend(["--set", setting]);
        // `plan` refuses what none of its profiles takes.
        if takes(&profiles, setting) {
            behind.extend(["--set", setting]);
        }
    }
    if args.unrecovered.accept_unrecovered {
        behind.push("--accept-unrecovered");
        fix.push("--accept-unrecovered");
    }
    vec![
        Step::run("to mend what blocks", commands.of("fix", &fix)),
        Step::run("or first to see how", commands.of("plan", &behind)),
    ]
}

/// Behind a `fix`: what still blocks, and the rest of the way.
pub(super) fn after_fix(args: &FixArgs, after: &Diagnosis, has_written: bool) -> Vec<Step> {
    let commands = commands_with(&args.target, &args.writing);
    let mut steps = Vec::new();
    let blocks = after.count(Impact::Blocks) > 0;
    if !after.damage.is_empty() {
        steps.push(Step::run("to mend it", commands.of("mend", &[])));
    }
    if blocks {
        let what = "to see all that is wrong";
        steps.push(Step::run(what, commands.of("diagnose", &[])));
    }
    if has_written {
        steps.push(undo(&commands, &args.writing.risk));
    }
    if !blocks && !has_written {
        let what = "to see what else there is to look at";
        steps.push(Step::run(what, commands.of("diagnose", &["--verbose"])));
    }
    if has_written && !blocks {
        steps.push(start(args.target.target.is_some()));
    }
    steps
}

/// Behind a `recover` that has written.
pub(super) fn after_recover(args: &RecoverArgs) -> Vec<Step> {
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    let commands = with_backups(commands_for_place(&args.place), backup_dir);
    vec![
        look(&commands, &args.place),
        undo(&commands, &args.writing.risk),
    ]
}

/// Behind `mend`, where it has written.
pub(super) fn after_mend(args: &MendArgs) -> Vec<Step> {
    let backup_dir = args.backup.backup_dir.as_deref();
    let commands = with_backups(commands_for_place(&args.place), backup_dir);
    let risk = RiskArgs {
        accept_hibernated: args.risk.accept_hibernated,
        accept_damage: false,
        accept_newer_logs: false,
    };
    vec![look(&commands, &args.place), undo(&commands, &risk)]
}

/// A look at what is there now: a hive alone may be any, and is only checked.
fn look(commands: &CommandLine, place: &Path) -> Step {
    match place.is_file() {
        true => Step::run("to check it", commands.of("check", &[])),
        false => Step::run("to see what is wrong", commands.of("diagnose", &[])),
    }
}

/// Behind `mend --dry-run`, where something is to be mended.
pub(super) fn after_dry_run(args: &MendArgs) -> Vec<Step> {
    let commands = commands_for_place(&args.place);
    let donors = args.donors.iter().filter_map(|donor| donor.to_str());
    let behind: Vec<&str> = donors.flat_map(|donor| ["--donor", donor]).collect();
    let mut steps = vec![Step::run("to mend it", commands.of("mend", &behind))];
    if !args.place.is_file() {
        let what = "to look for older copies";
        steps.push(Step::run(what, commands.of("donors", &[])));
    }
    steps
}

/// Behind `backups`, where there is one.
pub(super) fn after_backups(args: &BackupsArgs, can_restore: bool) -> Vec<Step> {
    let backup_dir = args.backup.backup_dir.as_deref();
    let commands = with_backups(commands_for(&args.target), backup_dir);
    match can_restore {
        true => vec![Step::run("", commands.of("restore", &[]))],
        false => Vec::new(),
    }
}

/// Behind `restore`.
pub(super) fn after_restore(args: &RestoreArgs, has_written: bool) -> Vec<Step> {
    let commands = commands_for_restore(args);
    let mut steps = vec![Step::run(
        "to see what is wrong",
        commands.of("diagnose", &[]),
    )];
    let what = "to see what else can be restored";
    steps.push(Step::run(what, commands.of("backups", &[])));
    if has_written {
        steps.push(start(
            args.files.system.is_none() && args.files.software.is_none(),
        ));
    }
    steps
}

/// How a run is taken back.
fn undo(commands: &CommandLine, risk: &RiskArgs) -> Step {
    // The guard that this run was let past stands before its undoing too.
    let behind: &[&str] = match risk.accept_hibernated {
        true => &["--accept-hibernated"],
        false => &[],
    };
    Step::run("to undo it", commands.of("restore", behind))
}

fn commands_with(target: &TargetArgs, writing: &WritingArgs) -> CommandLine {
    with_backups(commands_for(target), writing.backup.backup_dir.as_deref())
}

fn start(is_disk: bool) -> Step {
    let sentence = if is_disk { START } else { PUT_BACK };
    Step::Say(sentence.to_owned())
}
