// SPDX-License-Identifier: GPL-3.0-or-later
//! `apply`: back up, change, prove.

use super::args::{ApplyArgs, Scope};
use super::besides::effect_of;
use super::blocked::refuse_blocked;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Wish};
use super::output::Output;
use super::plan::{hives_of, load_profiles, make};
use super::plan_file;
use super::publish::{Destination, LoadedHive, load, publish};
use super::target::{Found, Wanted, condition_warnings, input, selection};
use crate::effect::Effect;
use crate::machine::HiveInput;
use crate::plan::{Plan, confirm, expect_allowed};
use crate::profile::Profile;
use crate::report::{Heading, PlanView, outcome_json, outcome_text, plan_document, plan_pieces};
use crate::store::{BackupScope, Outcome};

pub(super) fn run(args: &ApplyArgs, output: &Output) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let profiles = load_profiles(&args.profiles, &args.settings, output)?;
    let reviewed = args.plan.as_deref().map(plan_file::read).transpose()?;
    for change in reviewed.iter().flat_map(|plan| &plan.changes) {
        expect_allowed(change)?;
    }
    let mut found = Found::from_args(&args.target)?;
    found.guard(&args.writing.risk, output)?;
    let backup_dir = args.writing.backup.backup_dir.as_deref();
    let settled = interrupted::settle(
        &found.target,
        backup_dir,
        Wish::Finish,
        &args.writing.consent,
        output,
    )?;
    if settled.is_some() {
        found.refresh()?;
    }
    let wanted = match &reviewed {
        Some(plan) => Wanted::only(plan.changes.iter().map(|change| change.hive).collect()),
        None => hives_of(&profiles),
    };
    let hives = found.open(&wanted, output)?;
    let warnings = found.warnings(&hives);
    let hives = load(hives, &args.writing, output)?;
    let inputs = inputs(&hives)?;
    let mut plan = match reviewed {
        Some(plan) => {
            confirm(&plan.changes, &inputs)?;
            plan
        }
        None => make(&profiles, &inputs, &found, selection)?,
    };
    let effect = effect_of(&plan, &profiles, &inputs, &found);
    plan.metadata = found.metadata(&inputs);
    plan.warn(warnings);
    let conditions = hives.iter().map(|hive| (hive.name, &hive.loaded.condition));
    plan.warn(condition_warnings(conditions));
    if !output.is_json() && !output.quiet {
        let view = PlanView {
            heading: Heading::of(&found.name, &inputs),
            verbose: output.verbose,
            next: None,
        };
        output.print_pieces(|out| plan_pieces(&plan, &effect, &view, out));
    }
    drop(inputs);
    refuse_blocked(&plan)?;
    if plan.changes.is_empty() {
        return report(&plan, &effect, None, output);
    }
    let question = format!("Make these changes to {}?", found.name);
    if !output.consent(args.writing.consent.yes, &question)? {
        return Err(Failure::refused("you did not agree; nothing was written"));
    }
    let to = Destination {
        config: &found.target.folder,
        backup_dir,
        scope: match args.backup_scope {
            Scope::Hives => BackupScope::Hives,
            Scope::Config => BackupScope::Config,
        },
        undoes: None,
    };
    let outcome = publish(hives, &plan.changes, &[], &to, output)?;
    undo_hint(&profiles, output);
    report(&plan, &effect, Some(&outcome), output)
}

/// The hives in memory, as a plan takes them.
pub(super) fn inputs(hives: &[LoadedHive]) -> Result<Vec<HiveInput<'_>>, Failure> {
    let inputs = hives.iter().map(|LoadedHive { name, loaded }| {
        input(*name, &loaded.path, &loaded.content, &loaded.condition)
    });
    inputs.collect()
}

fn report(
    plan: &Plan,
    effect: &Effect,
    outcome: Option<&Outcome>,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&plan_document(plan, effect, Some(outcome_json(outcome))));
        return Ok(Exit::Done);
    }
    if let Some(outcome) = outcome.filter(|_| !output.quiet) {
        output.print(&outcome_text(outcome));
    }
    Ok(Exit::Done)
}

fn undo_hint(profiles: &[Profile], output: &Output) {
    for profile in profiles {
        if let Some(undo) = &profile.undo {
            output.note(&format!(
                "{} is taken back with: hivemend restore, or later the profile {undo}",
                profile.id
            ));
        }
    }
}
