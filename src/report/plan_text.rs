// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan as a diff that an engineer reads before saying yes.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use similar::{ChangeTag, DiffOp, group_diff_ops};

use super::effect_text::{all_warnings, mark_sentence, settings_text};
use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::values::value_line;
use super::{WIDTH, styled};
use crate::effect::{Effect, Mark, Setting};
use crate::machine::{Condition, KeyContent};
use crate::plan::{Action, Change, Metadata, Plan, PlannedHive, TouchedKey};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, Name};
use crate::text::{Text, escape};

/// The column at which a reason begins beside its value.
const REASON_COLUMN: usize = 46;

/// How many unchanged values are shown around a change.
const CONTEXT: usize = 1;

/// The whole plan: hives, profiles, diff, warnings, summary.
pub fn plan_text(plan: &Plan, effect: &Effect, touched: &[TouchedKey], verbose: bool) -> Text {
    let mut text = Text::new();
    plan_pieces(plan, effect, touched, verbose, &mut |piece| {
        text.append(piece)
    });
    text
}

/// The same, piece by piece: reasons are said again with each change.
pub fn plan_pieces(
    plan: &Plan,
    effect: &Effect,
    touched: &[TouchedKey],
    verbose: bool,
    out: &mut dyn FnMut(&Text),
) {
    let mut text = Text::new();
    header(&mut text, plan);
    out(&text);
    let marks = &effect.marks;
    marked_pieces(&plan.changes, marks, touched, &plan.hives, out);
    let mut text = Text::new();
    let changed = plan.changes.iter().filter_map(|change| {
        let name = change.value.as_ref()?;
        Some((change.key.folded(), name.folded()))
    });
    let changed: HashSet<(FoldedPath, Vec<u16>)> = changed.collect();
    let is_changed = |setting: &Setting| {
        let name = Name::from(setting.name).folded();
        changed.contains(&(setting.key.folded(), name))
    };
    text.append(&settings_text(effect, is_changed, verbose));
    for warning in all_warnings(&plan.warnings, effect) {
        paragraph(&mut text, "warning: ", &warning);
    }
    if let Some(metadata) = &plan.metadata {
        paragraph(&mut text, "metadata: ", &metadata_line(metadata));
    }
    skipped(&mut text, plan, verbose);
    blocked(&mut text, plan);
    advice(&mut text, plan);
    text.line(styled(BOLD, summary_line(plan)));
    out(&text);
}

fn metadata_line(metadata: &Metadata) -> String {
    let mut line = format!(
        "on {} the hives keep their {}",
        metadata.file_system,
        metadata.kept.join(", ")
    );
    if !metadata.not_kept.is_empty() {
        let _ = write!(line, "; not kept: {}", metadata.not_kept.join(", "));
    }
    line
}

/// The one line that says it all.
fn summary_line(plan: &Plan) -> String {
    let changes = plan.changes.len();
    let lowered = plan
        .changes
        .iter()
        .filter(|change| change.lowers_security)
        .count();
    let mut line = match changes {
        0 => "No drift".to_owned(),
        1 => "1 change".to_owned(),
        _ => format!("{changes} changes"),
    };
    if lowered > 0 {
        let _ = write!(line, " ({lowered} lowering security)");
    }
    let _ = write!(
        line,
        ", {} as wanted, {} skipped",
        plan.matches,
        plan.skipped.len()
    );
    if !plan.blocked.is_empty() {
        let _ = write!(line, ", {} BLOCKED", plan.blocked.len());
    }
    line
}

/// The diff of every touched key.
pub fn changes_pieces(
    changes: &[Change],
    touched: &[TouchedKey],
    hives: &[PlannedHive],
    out: &mut dyn FnMut(&Text),
) {
    marked_pieces(changes, &[], touched, hives, out);
}

/// A change with what stands against it.
#[derive(Clone, Copy)]
struct Marked<'c> {
    change: &'c Change,
    marks: &'c [Mark],
}

/// The diff of every touched key, with what stands against each change.
fn marked_pieces(
    changes: &[Change],
    marks: &[Mark],
    touched: &[TouchedKey],
    hives: &[PlannedHive],
    out: &mut dyn FnMut(&Text),
) {
    let mut heading = None;
    let mut against: Vec<&[Mark]> = vec![&[]; changes.len()];
    for marks in marks.chunk_by(|one, other| one.change == other.change) {
        let of = marks.first().and_then(|mark| against.get_mut(mark.change));
        if let Some(of) = of {
            *of = marks;
        }
    }
    let mut by_key: HashMap<(HiveName, FoldedPath), Vec<Marked<'_>>> = HashMap::new();
    for (change, marks) in changes.iter().zip(against) {
        let place = (change.hive, change.key.folded());
        let marked = Marked { change, marks };
        by_key.entry(place).or_default().push(marked);
    }
    for key in touched {
        let mut text = Text::new();
        let place = (key.hive, key.control_set.as_deref());
        if heading != Some(place) {
            text.line(styled(BOLD, place_text(key, hives)));
            heading = Some(place);
        }
        let ours = by_key.get(&(key.hive, key.key.folded()));
        key_diff(&mut text, key, ours.map_or(&[], Vec::as_slice));
        text.end();
        out(&text);
    }
}

fn header(text: &mut Text, plan: &Plan) {
    text.append(&hives_text(&plan.hives));
    for profile in &plan.profiles {
        let by = match &profile.included_by {
            Some(id) => format!(" (included by {id})"),
            None => String::new(),
        };
        let title = format!("{}: {}{by}", profile.id, profile.title);
        text.line(format_args!(
            "{}   {}",
            styled(BOLD, "profile"),
            escape(&title)
        ));
    }
    text.end();
}

/// Each hive: where it is, its control sets, and what it took to read it.
pub(super) fn hives_text(hives: &[PlannedHive]) -> Text {
    let mut text = Text::new();
    for hive in hives {
        let sets: Vec<String> = hive.control_sets.iter().map(control_set_text).collect();
        let name = format!("{:<8}", hive.name.to_string());
        text.part(format_args!("{}  {}", styled(BOLD, &name), hive.path));
        if !sets.is_empty() {
            text.end();
            text.part(format_args!("          {}", escape(&sets.join(", "))));
        }
        text.end();
        match &hive.condition {
            Condition::Clean => {}
            Condition::Recovered(recovery) => {
                text.line(format_args!("          {}", styled(GOOD, &recovery.text)));
            }
            Condition::Unrecovered => {
                let line = "not recovered: what its last writes changed is missing";
                text.line(format_args!("          {}", styled(WARN, line)));
            }
        }
    }
    text
}

fn control_set_text(set: &crate::machine::ControlSetInfo) -> String {
    let roles: Vec<String> = set
        .roles
        .iter()
        .map(|role| role.as_str().replace('-', " "))
        .collect();
    match roles.is_empty() {
        true => format!("{} (not in use)", set.name),
        false => format!("{} ({})", set.name, roles.join(", ")),
    }
}

fn place_text(key: &TouchedKey, hives: &[PlannedHive]) -> String {
    let Some(name) = &key.control_set else {
        return key.hive.to_string();
    };
    let mut sets = hives.iter().flat_map(|hive| hive.control_sets.iter());
    let set = sets.find(|set| set.name == *name);
    let set = set.map_or_else(|| name.clone(), control_set_text);
    format!("{}  {set}", key.hive)
}

/// One key: its path, and the unified diff of its values with the reasons beside them.
fn key_diff(text: &mut Text, key: &TouchedKey, changes: &[Marked<'_>]) {
    let path = format!("[{}\\{}]", key.hive, key.key.text());
    match (&key.before, &key.after) {
        (None, Some(_)) => {
            text.line(styled(GOOD, format!("+{path}")));
        }
        (Some(_), None) => {
            text.line(styled(GONE, format!("-{path}")));
        }
        _ => {
            text.line(format_args!(" {}", escape(&path)));
        }
    }
    key_reasons(text, changes);
    let named = changes.iter().filter_map(|marked| {
        let name = marked.change.value.as_ref()?;
        Some((name.folded(), *marked))
    });
    let by_value: HashMap<Vec<u16>, Marked<'_>> = named.collect();
    let lines = |content: &Option<KeyContent>| -> Vec<String> {
        let values = content.iter().flatten();
        values
            .map(|(name, value)| value_line(name, value))
            .collect()
    };
    let (before, after) = (lines(&key.before), lines(&key.after));
    let names_after: Vec<_> = key.after.iter().flatten().map(|(name, _)| name).collect();
    let names_before: Vec<_> = key.before.iter().flatten().map(|(name, _)| name).collect();
    for hunk in group_diff_ops(diff(key, &before, &after), CONTEXT) {
        text.line(styled(DIM, hunk_header(&hunk)));
        let lines = hunk.iter().flat_map(|op| op.iter_changes(&before, &after));
        for line in lines {
            let name = match (line.old_index(), line.new_index()) {
                (_, Some(index)) => names_after.get(index),
                (Some(index), None) => names_before.get(index),
                (None, None) => None,
            };
            let name = name.map(|name| name.folded());
            let change = name.and_then(|name| by_value.get(&name));
            value_diff(text, line.tag(), line.value_ref(), change.copied());
        }
    }
}

/// How the values of a key become what they will be. They keep their order, and new ones come behind
/// them, so that nothing has to be searched for.
fn diff(key: &TouchedKey, before: &[String], after: &[String]) -> Vec<DiffOp> {
    let names = |content: &Option<KeyContent>| -> Vec<Vec<u16>> {
        let content = content.iter().flatten();
        content.map(|(name, _)| name.folded()).collect()
    };
    let (old_names, new_names) = (names(&key.before), names(&key.after));
    let mut ops = Ops::default();
    let (mut old, mut new) = (0, 0);
    while let Some(name) = old_names.get(old) {
        let stays = new_names.get(new) == Some(name);
        if stays && before.get(old) == after.get(new) {
            ops.keep(old, new);
        } else {
            ops.change(old, 1, new, usize::from(stays));
        }
        old = old.saturating_add(1);
        new = new.saturating_add(usize::from(stays));
    }
    let added = new_names.len().saturating_sub(new);
    ops.change(old, 0, new, added);
    ops.finish()
}

/// The steps of a diff, those of a kind that follow each other as one.
#[derive(Default)]
struct Ops {
    done: Vec<DiffOp>,
    /// What is gone and what comes, from where on.
    open: Option<(usize, usize, usize, usize)>,
}

impl Ops {
    fn keep(&mut self, old: usize, new: usize) {
        self.close();
        match self.done.last_mut() {
            Some(DiffOp::Equal { len, .. }) => *len = len.saturating_add(1),
            _ => self.done.push(DiffOp::Equal {
                old_index: old,
                new_index: new,
                len: 1,
            }),
        }
    }

    fn change(&mut self, old: usize, gone: usize, new: usize, come: usize) {
        let (.., all_gone, all_come) = self.open.get_or_insert((old, new, 0, 0));
        *all_gone = all_gone.saturating_add(gone);
        *all_come = all_come.saturating_add(come);
    }

    fn close(&mut self) {
        let Some((old_index, new_index, old_len, new_len)) = self.open.take() else {
            return;
        };
        self.done.push(match (old_len, new_len) {
            (0, 0) => return,
            (0, _) => DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            },
            (_, 0) => DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            },
            _ => DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            },
        });
    }

    fn finish(mut self) -> Vec<DiffOp> {
        self.close();
        self.done
    }
}

/// Where a part of a diff is, in the manner of `diff -u`.
fn hunk_header(hunk: &[DiffOp]) -> String {
    let range = |start: usize, end: usize| match end.saturating_sub(start) {
        // What is empty is told by the line in front of it.
        0 => format!("{start},0"),
        1 => start.saturating_add(1).to_string(),
        length => format!("{},{length}", start.saturating_add(1)),
    };
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return String::new();
    };
    let before = range(first.old_range().start, last.old_range().end);
    let after = range(first.new_range().start, last.new_range().end);
    format!("@@ -{before} +{after} @@")
}

/// The reasons of changes to the key itself.
fn key_reasons(text: &mut Text, changes: &[Marked<'_>]) {
    for marked in changes
        .iter()
        .filter(|marked| marked.change.value.is_none())
    {
        let change = marked.change;
        if change.action == Action::DeleteKey {
            let before = change.before.as_ref();
            if let Some(crate::machine::State::Key(summary)) = before {
                let below = format!(
                    "  ; {} subkeys and {} values go with it",
                    summary.subkeys, summary.values
                );
                text.line(styled(GONE, &below));
            }
        }
        reason(text, "", *marked);
    }
}

fn value_diff(text: &mut Text, tag: ChangeTag, value: &str, marked: Option<Marked<'_>>) {
    // The reason stands beside what comes; beside what goes only where nothing comes instead.
    match (tag, marked) {
        (ChangeTag::Equal, _) => {
            text.line(styled(DIM, format!(" {value}")));
        }
        (ChangeTag::Insert, Some(marked)) => reason(text, &format!("+{value}"), marked),
        (ChangeTag::Delete, Some(marked)) if marked.change.action == Action::DeleteValue => {
            reason(text, &format!("-{value}"), marked);
        }
        (ChangeTag::Insert, None) => {
            text.line(styled(GOOD, format!("+{value}")));
        }
        (ChangeTag::Delete, _) => {
            text.line(styled(GONE, format!("-{value}")));
        }
    }
}

/// A line with the reason for it in a column of its own, below where the line is too long.
fn reason(text: &mut Text, line: &str, marked: Marked<'_>) {
    let change = marked.change;
    let style = if line.starts_with('-') { GONE } else { GOOD };
    let note = match change.lowers_security {
        true => format!("LOWERS SECURITY. {}", change.note),
        false => change.note.to_string(),
    };
    let note = escape(&note);
    if note.is_empty() && line.is_empty() {
        return;
    }
    let room = WIDTH.saturating_sub(REASON_COLUMN).saturating_sub(2);
    let mut notes = textwrap::wrap(&note, room).into_iter();
    let note_style = if change.lowers_security { WARN } else { DIM };
    let width = textwrap::core::display_width(line);
    let beside = width < REASON_COLUMN;
    text.part(format_args!("{style}{line}{style:#}"));
    if beside && let Some(first) = notes.next() {
        let gap = REASON_COLUMN.saturating_sub(width);
        text.part(format_args!(
            "{:gap$}{note_style}; {first}{note_style:#}",
            ""
        ));
    }
    text.end();
    for note in notes {
        text.line(format_args!(
            "{:REASON_COLUMN$}{note_style}; {note}{note_style:#}",
            ""
        ));
    }
    let sentences = marked.marks.iter().map(mark_sentence);
    for sentence in sentences.map(|sentence| escape(&sentence)) {
        for line in textwrap::wrap(&sentence, room) {
            text.line(format_args!("{:REASON_COLUMN$}{WARN}; {line}{WARN:#}", ""));
        }
    }
}

fn paragraph(text: &mut Text, label: &str, body: &str) {
    let body = escape(body);
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(label)
        .subsequent_indent("         ");
    let lines = textwrap::wrap(&body, options);
    for line in lines {
        text.line(format_args!("{WARN}{line}{WARN:#}"));
    }
    text.end();
}

/// What keeps the plan from being applied, each with its reason.
fn blocked(text: &mut Text, plan: &Plan) {
    for blocked in &plan.blocked {
        let value = blocked.value.as_ref();
        let value = value.map_or(String::new(), |value| format!(", value {value}"));
        let line = format!(
            "{} {}{value}: {} ({})",
            blocked.hive, blocked.key, blocked.reason, blocked.profile
        );
        paragraph(text, "BLOCKED: ", &line);
    }
}

/// What else is to be done, for the profiles that change something here.
fn advice(text: &mut Text, plan: &Plan) {
    let changing: HashSet<&str> = plan.changes.iter().map(|c| c.profile.as_str()).collect();
    for profile in &plan.profiles {
        let is_changing = changing.contains(profile.id.as_str());
        for line in profile.advice.iter().filter(|_| is_changing) {
            let body = escape(line);
            let options = textwrap::Options::new(WIDTH)
                .initial_indent("besides: ")
                .subsequent_indent("         ");
            for line in textwrap::wrap(&body, options) {
                text.line(format_args!("{line}"));
            }
        }
    }
}

fn skipped(text: &mut Text, plan: &Plan, verbose: bool) {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    let mut places: HashMap<(HiveName, &str), usize> = HashMap::new();
    for skipped in &plan.skipped {
        let place = places.entry((skipped.hive, &skipped.reason));
        let place = *place.or_insert(reasons.len());
        match reasons.get_mut(place) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => reasons.push((&skipped.reason, 1)),
        }
        if verbose {
            let value = skipped
                .value
                .as_ref()
                .map_or(String::new(), |value| format!(" {value}"));
            let line = format!("skipped: {}{value}: {}", skipped.key, skipped.reason);
            text.line(styled(DIM, &line));
        }
    }
    if verbose || reasons.is_empty() {
        return;
    }
    for (reason, count) in reasons {
        text.line(format_args!(
            "{}",
            styled(DIM, format!("skipped: {count} ({reason})"))
        ));
    }
}
