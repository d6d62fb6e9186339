// SPDX-License-Identifier: GPL-3.0-or-later
//! `apply`: back up, change, prove.

use super::args::{ApplyArgs, Scope, TargetArgs, WritingArgs};
use super::besides::effect_of;
use super::blocked::refuse_blocked;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Wish};
use super::next;
use super::output::Output;
use super::plan::{hives_of, load_profiles, make};
use super::plan_file;
use super::publish::{Destination, LoadedHive, load, publish};
use super::target::{Found, Wanted, condition_warnings, input, selection};
use super::typed_judge;
use crate::effect::Effect;
use crate::machine::{HiveInput, Selection};
use crate::plan::{Plan, confirm, expect_allowed};
use crate::profile::Profile;
use crate::report::{
    CommandLine, Heading, PlanView, next_text, outcome_json, outcome_text, plan_document,
    plan_pieces,
};
use crate::store::{BackupScope, Outcome};

pub(super) fn run(args: &ApplyArgs, output: &Output) -> Result<Exit, Failure> {
    let selection = selection(&args.control_set)?;
    let profiles = load_profiles(&args.profiles, &args.settings, output)?;
    let reviewed = args.plan.as_deref();
    let reviewed = reviewed
        .map(|file| plan_file::read(file, args.accept_edited_plan))
        .transpose()?;
    for change in reviewed.iter().flat_map(|plan| &plan.changes) {
        expect_allowed(change)?;
    }
    let wish = match reviewed {
        Some(plan) => Wished::Reviewed(Box::new(plan)),
        None => Wished::Profiles(&profiles, selection),
    };
    run_with(args, &profiles, wish, output)
}

/// Makes the changes that are wished: guards, plan, question, backup, edit, proof.
pub(super) fn run_with(
    args: &ApplyArgs,
    profiles: &[Profile],
    wish: Wished<'_>,
    output: &Output,
) -> Result<Exit, Failure> {
    let found = begin(&args.target, &args.writing, output)?;
    let ready = Ready::make(&found, wish, &args.writing, output)?;
    ready.show(true, output);
    let done = ready.carry_out(&found, &args.writing, args.backup_scope, output)?;
    report(args, profiles, &done, output)
}

/// The target, past every guard, and with no interrupted run on it.
pub(super) fn begin(
    target: &TargetArgs,
    writing: &WritingArgs,
    output: &Output,
) -> Result<Found, Failure> {
    let mut found = Found::from_args(target)?;
    found.guard(&writing.risk, output)?;
    let settled = interrupted::settle(
        &found.target,
        writing.backup.backup_dir.as_deref(),
        Wish::Finish,
        &writing.consent,
        output,
    )?;
    if settled.is_some() {
        found.refresh()?;
    }
    Ok(found)
}

/// What is to be carried out.
pub(super) enum Wished<'p> {
    /// What these profiles want, in these control sets.
    Profiles(&'p [Profile], Selection),
    /// A plan that somebody has reviewed.
    Reviewed(Box<Plan>),
}

/// A plan that is to be carried out, and the hives in memory.
pub(super) struct Ready {
    hives: Vec<LoadedHive>,
    heading: Heading,
    plan: Plan,
    effect: Effect,
    commands: CommandLine,
}

/// What became of it.
pub(super) struct Done {
    pub(super) plan: Plan,
    pub(super) effect: Effect,
    /// Nothing where nothing was to be done.
    pub(super) outcome: Option<Outcome>,
}

impl Ready {
    pub(super) fn make(
        found: &Found,
        wish: Wished<'_>,
        writing: &WritingArgs,
        output: &Output,
    ) -> Result<Self, Failure> {
        let wanted = match &wish {
            Wished::Reviewed(plan) => Wanted::only(plan.changes.iter().map(|c| c.hive).collect()),
            Wished::Profiles(profiles, _) => hives_of(profiles),
        };
        let hives = found.open(&wanted, output)?;
        let warnings = found.warnings(&hives);
        let hives = load(hives, writing, output)?;
        let inputs = inputs(&hives)?;
        let (mut plan, profiles) = match wish {
            Wished::Reviewed(plan) => {
                confirm(&plan.changes, &inputs)?;
                (*plan, &[][..])
            }
            Wished::Profiles(profiles, selection) => {
                (make(profiles, &inputs, found, selection)?, profiles)
            }
        };
        typed_judge::judge(&mut plan, profiles)?;
        let effect = effect_of(&plan, profiles, &inputs, found);
        plan.metadata = found.metadata(&inputs);
        plan.warn(warnings);
        let conditions = hives.iter().map(|hive| (hive.name, &hive.loaded.condition));
        plan.warn(condition_warnings(conditions));
        let heading = Heading::of(&found.name, &inputs);
        drop(inputs);
        Ok(Self {
            hives,
            heading,
            plan,
            effect,
            commands: found.commands(),
        })
    }

    /// Shows the plan, with the machine that it is about where that was not said yet.
    pub(super) fn show(&self, with_heading: bool, output: &Output) {
        if output.is_json() || output.quiet {
            return;
        }
        let heading = with_heading.then(|| self.heading.clone());
        let view = PlanView {
            heading: heading.unwrap_or_default(),
            verbose: output.verbose,
            next: None,
            commands: self.commands.clone(),
        };
        output.print_pieces(|out| plan_pieces(&self.plan, &self.effect, &view, out));
    }

    /// Asks, and makes the changes; refuses a plan that cannot be followed.
    pub(super) fn carry_out(
        self,
        found: &Found,
        writing: &WritingArgs,
        scope: Scope,
        output: &Output,
    ) -> Result<Done, Failure> {
        refuse_blocked(&self.plan)?;
        let (plan, effect) = (self.plan, self.effect);
        let mut outcome = None;
        if !plan.changes.is_empty() {
            let question = format!("Make these changes to {}?", found.name);
            if !output.consent(writing.consent.yes, &question)? {
                return Err(Failure::declined("Nothing was written."));
            }
            let to = Destination {
                config: &found.target.folder,
                backup_dir: writing.backup.backup_dir.as_deref(),
                scope: match scope {
                    Scope::Hives => BackupScope::Hives,
                    Scope::Config => BackupScope::Config,
                },
                undoes: None,
            };
            outcome = Some(publish(self.hives, &plan.changes, &[], &to, output)?);
        }
        Ok(Done {
            plan,
            effect,
            outcome,
        })
    }
}

/// The hives in memory, as a plan takes them.
pub(super) fn inputs(hives: &[LoadedHive]) -> Result<Vec<HiveInput<'_>>, Failure> {
    let inputs = hives.iter().map(|LoadedHive { name, loaded }| {
        input(*name, &loaded.path, &loaded.content, &loaded.condition)
    });
    inputs.collect()
}

fn report(
    args: &ApplyArgs,
    profiles: &[Profile],
    done: &Done,
    output: &Output,
) -> Result<Exit, Failure> {
    let outcome = done.outcome.as_ref();
    if output.is_json() {
        let outcome = Some(outcome_json(outcome));
        output.json(&plan_document(&done.plan, &done.effect, outcome));
        return Ok(Exit::Done);
    }
    if let Some(outcome) = outcome.filter(|_| !output.quiet) {
        output.print(&outcome_text(outcome));
        let steps = next::after_apply(args, profiles, &done.plan);
        output.print(&next_text(&steps));
    }
    Ok(Exit::Done)
}
