// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan as an engineer reads it before saying yes: the verdict, what happens and why, what next.

use std::collections::{HashMap, HashSet};

use anstyle::Style;

use super::changes_text::{self, is_about_all};
use super::command_line::CommandLine;
use super::effect_text::{all_warnings, settings_text};
use super::page::{self, wrapped};
use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::{Heading, styled};
use crate::effect::{Effect, Setting};
use crate::machine::{Condition, ControlSetInfo};
use crate::plan::{Change, Metadata, Plan, PlannedHive};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Name};
use crate::text::{Text, escape};

/// What is shown besides the plan itself.
#[derive(Clone, Debug, Default)]
pub struct PlanView {
    /// The machine it is about.
    pub heading: Heading,
    /// Whether all that is known is shown.
    pub verbose: bool,
    /// The command that carries it out; `None` where that is being done.
    pub next: Option<String>,
    /// Commands about the same target.
    pub commands: CommandLine,
}

/// From here on the verdict is said again behind the changes, in changes: they no longer fit a screen.
const MANY: usize = 8;

/// The whole plan.
pub fn plan_text(plan: &Plan, effect: &Effect, view: &PlanView) -> Text {
    let mut text = Text::new();
    plan_pieces(plan, effect, view, &mut |piece| text.append(piece));
    text
}

/// The same, piece by piece: there may be thousands of changes.
pub fn plan_pieces(plan: &Plan, effect: &Effect, view: &PlanView, out: &mut dyn FnMut(&Text)) {
    let mut text = Text::new();
    view.heading.write(&mut text);
    hives(&mut text, &plan.hives, view.verbose);
    text.line(styled(
        verdict_style(plan),
        format!("Plan: {}", verdict(plan)),
    ));
    profiles(&mut text, plan, view.verbose);
    blocked(&mut text, plan);
    text.end();
    out(&text);
    let sets = plan.hives.iter().map(|hive| hive.control_sets.len()).sum();
    changes_text::changes_pieces(&plan.changes, &effect.marks, sets, view.verbose, out);
    let mut text = Text::new();
    if !plan.changes.is_empty() {
        text.end();
    }
    if view.verbose {
        besides(&mut text, plan, effect);
    }
    warnings(&mut text, plan, effect, &view.commands);
    advice(&mut text, plan);
    if plan.changes.len() > MANY {
        text.line(styled(
            verdict_style(plan),
            format!("Plan: {}", verdict(plan)),
        ));
    }
    next(&mut text, plan, view);
    out(&text);
}

/// The one line that says it all, as `plan --quiet` prints it.
pub fn summary_line(plan: &Plan) -> String {
    verdict(plan)
}

fn verdict(plan: &Plan) -> String {
    let blocked = plan.blocked.len();
    if blocked > 0 {
        let entries = count(blocked, "entry", "entries");
        return format!("it cannot be applied, {entries} cannot be followed here");
    }
    let lowered = plan
        .changes
        .iter()
        .filter(|change| change.lowers_security)
        .count();
    match (plan.changes.len(), lowered) {
        (0, _) if plan.matches == 0 => "nothing could be compared here".to_owned(),
        (0, _) => format!("nothing to do, no drift: {} as wanted", plan.matches),
        (1, 0) if plan.unjudged > 0 => {
            "1 change; whether it lowers security was not judged".to_owned()
        }
        (changes, 0) if plan.unjudged > 0 => format!(
            "{changes} changes; of {} it was not judged whether they lower security",
            plan.unjudged
        ),
        (1, 0) => "1 change, which does not lower security".to_owned(),
        (1, _) => "1 change, which LOWERS SECURITY".to_owned(),
        (changes, 0) => format!("{changes} changes, none lowers security"),
        (changes, 1) => format!("{changes} changes, 1 LOWERS SECURITY"),
        (changes, lowered) => format!("{changes} changes, {lowered} LOWER SECURITY"),
    }
}

fn verdict_style(plan: &Plan) -> Style {
    let lowers = plan.changes.iter().any(|change| change.lowers_security);
    match (plan.blocked.is_empty(), lowers) {
        (true, false) => BOLD,
        _ => WARN,
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

/// What it took to read the hives; with `verbose` where they are and their control sets.
pub(super) fn hives(text: &mut Text, hives: &[PlannedHive], verbose: bool) {
    if verbose {
        text.append(&hives_text(hives));
        return;
    }
    for hive in hives {
        match &hive.condition {
            Condition::Clean => {}
            Condition::Recovered(recovery) => {
                let line = format!("{}: {}", hive.name, recovery.text);
                wrapped(text, GOOD, "", &line);
            }
            Condition::Unrecovered => {
                let line = format!(
                    "{}: not recovered: what its last writes changed is missing",
                    hive.name
                );
                wrapped(text, WARN, "", &line);
            }
        }
    }
}

/// Each hive: where it is, its control sets, and what it took to read it.
fn hives_text(hives: &[PlannedHive]) -> Text {
    let mut text = Text::new();
    for hive in hives {
        let sets: Vec<String> = hive.control_sets.iter().map(control_set_text).collect();
        let name = format!("{:<8}", hive.name.to_string());
        text.line(format_args!("{}  {}", styled(BOLD, &name), hive.path));
        if !sets.is_empty() {
            wrapped(&mut text, Style::new(), "          ", &sets.join(", "));
        }
        match &hive.condition {
            Condition::Clean => {}
            Condition::Recovered(recovery) => {
                wrapped(&mut text, GOOD, "          ", &recovery.text);
            }
            Condition::Unrecovered => {
                let line = "not recovered: what its last writes changed is missing";
                wrapped(&mut text, WARN, "          ", line);
            }
        }
    }
    text
}

fn control_set_text(set: &ControlSetInfo) -> String {
    let roles = set.roles.iter();
    let roles: Vec<String> = roles.map(|role| role.as_str().replace('-', " ")).collect();
    match roles.is_empty() {
        true => format!("{} (not in use)", set.name),
        false => format!("{} ({})", set.name, roles.join(", ")),
    }
}

/// The profiles that were named, and in short what else there is to say of them.
fn profiles(text: &mut Text, plan: &Plan, verbose: bool) {
    if verbose {
        for profile in &plan.profiles {
            let by = match &profile.included_by {
                Some(id) => format!(" (included by {id})"),
                None => String::new(),
            };
            let line = format!("{}: {}{by}", profile.id, profile.title);
            wrapped(text, DIM, "  profile  ", &line);
        }
        return;
    }
    let named = plan
        .profiles
        .iter()
        .filter(|profile| profile.included_by.is_none());
    let named: Vec<&str> = named.map(|profile| profile.id.as_str()).collect();
    if named.is_empty() {
        return;
    }
    let included = plan.profiles.len().saturating_sub(named.len());
    let mut line = named.join(", ");
    if included > 0 {
        line.push_str(&format!(", which includes {included} more"));
    }
    let skipped = plan.skipped.len();
    if skipped > 0 {
        let do_not = if skipped == 1 { "does" } else { "do" };
        let entries = count(skipped, "entry", "entries");
        line.push_str(&format!(
            "; {entries} {do_not} not apply here (-v names them)"
        ));
    }
    wrapped(text, DIM, "  ", &line);
}

/// What keeps the plan from being applied, each with its reason.
fn blocked(text: &mut Text, plan: &Plan) {
    for blocked in &plan.blocked {
        let value = blocked.value.as_ref();
        let value = value.map_or(String::new(), |value| format!(", value {}", value.raw()));
        let line = format!(
            "{} {}{value}: {} ({})",
            blocked.hive,
            blocked.key.raw(),
            blocked.reason,
            blocked.profile
        );
        wrapped(text, GONE, "BLOCKED: ", &line);
    }
}

/// What only who asks for it reads: what counts, what stays with the files, what is left out.
fn besides(text: &mut Text, plan: &Plan, effect: &Effect) {
    let changed = plan.changes.iter().filter_map(place_of);
    let changed: HashSet<(FoldedPath, Vec<u16>)> = changed.collect();
    let is_changed = |setting: &Setting| {
        let name = Name::from(setting.name).folded();
        changed.contains(&(setting.key.folded(), name))
    };
    text.append(&settings_text(effect, is_changed, true));
    for skipped in &plan.skipped {
        let value = skipped.value.as_ref();
        let value = value.map_or(String::new(), |value| format!(" {}", value.raw()));
        let line = format!("{}{value}: {}", skipped.key.raw(), skipped.reason);
        wrapped(text, DIM, "skipped: ", &line);
    }
    if let Some(metadata) = &plan.metadata {
        wrapped(text, DIM, "metadata: ", &metadata_line(metadata));
    }
}

fn place_of(change: &Change) -> Option<(FoldedPath, Vec<u16>)> {
    let name = change.value.as_ref()?;
    Some((change.key.folded(), name.folded()))
}

fn metadata_line(metadata: &Metadata) -> String {
    let kept = metadata.kept.join(", ");
    let line = format!("on {} the hives keep their {kept}", metadata.file_system);
    match metadata.not_kept.is_empty() {
        true => line,
        false => format!("{line}; not kept: {}", metadata.not_kept.join(", ")),
    }
}

/// What an engineer must know; the same reason once, however many entries it is about.
fn warnings(text: &mut Text, plan: &Plan, effect: &Effect, commands: &CommandLine) {
    let mut all = all_warnings(&plan.warnings, effect);
    if effect.marks.iter().any(is_about_all) {
        let sentence = "MAY BE UNDONE: this machine is in a domain, whose policy may write these again: \
                        group-policy-park keeps it from that.";
        all.push(sentence.to_owned());
    }
    for reason in missing_hives(plan) {
        all.push(reason);
    }
    for warning in all {
        wrapped(text, WARN, "! ", &commands.in_hint(&sentence(&warning)));
    }
}

/// Hives that entries are about and that are not there.
fn missing_hives(plan: &Plan) -> Vec<String> {
    let mut missing: HashMap<HiveName, usize> = HashMap::new();
    let is_there = |name: HiveName| plan.hives.iter().any(|hive| hive.name == name);
    for skipped in plan
        .skipped
        .iter()
        .filter(|skipped| !is_there(skipped.hive))
    {
        let count = missing.entry(skipped.hive).or_default();
        *count = count.saturating_add(1);
    }
    let mut said: Vec<String> = missing
        .into_iter()
        .map(|(hive, entries)| {
            let entries = count(entries, "entry", "entries");
            format!("There is no {hive} hive here: {entries} about it could not be compared.")
        })
        .collect();
    said.sort();
    said
}

/// With a capital letter in front and a full stop behind.
fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    // A name in front keeps its letters.
    let is_word = text
        .split([' ', ':'])
        .next()
        .is_some_and(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '\''));
    let first = if is_word {
        first.to_ascii_uppercase()
    } else {
        first
    };
    let line = format!("{first}{}", chars.as_str());
    match line.ends_with(['.', '?', '!', ')']) {
        true => line,
        false => format!("{line}."),
    }
}

/// What else is to be done, for the profiles that change something here.
fn advice(text: &mut Text, plan: &Plan) {
    let changing: HashSet<&str> = plan.changes.iter().map(|c| c.profile.as_str()).collect();
    for profile in &plan.profiles {
        let is_changing = changing.contains(profile.id.as_str());
        for line in profile.advice.iter().filter(|_| is_changing) {
            wrapped(text, Style::new(), "besides: ", &sentence(line));
        }
    }
}

/// What is next.
fn next(text: &mut Text, plan: &Plan, view: &PlanView) {
    let Some(command) = &view.next else {
        return;
    };
    text.end();
    if plan.changes.is_empty() || !plan.blocked.is_empty() {
        text.line("Nothing was written.");
        return;
    }
    let command = escape(command);
    let line = format!("Nothing was written.  Next: {command}");
    if textwrap::core::display_width(&line) <= page::width() {
        text.line(format_args!(
            "Nothing was written.  Next: {}",
            styled(GOOD, &command)
        ));
    } else {
        text.line("Nothing was written.  Next:");
        text.line(format_args!("  {}", styled(GOOD, &command)));
    }
}
