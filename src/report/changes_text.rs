// SPDX-License-Identifier: GPL-3.0-or-later
//! The changes of a plan for people: what happens to which value and why, each change once however many
//! control sets it is made in.

use std::collections::HashMap;
use std::rc::Rc;

use anstyle::Style;

use super::effect_text::mark_sentence;
use super::page::{self, wrapped};
use super::reading::change_read;
use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::styled;
use super::values::whole_text;
use crate::effect::{Against, Mark};
use crate::machine::State;
use crate::plan::{Action, Change};
use crate::profile::HiveName;
use crate::regf::{FoldedPath, NodePath};
use crate::text::{Text, escape};

/// The widest column of values' names.
const WIDEST_NAME: usize = 36;

/// A change, and the control sets in which it is made alike.
struct Alike<'c> {
    change: &'c Change,
    marks: &'c [Mark],
    sets: Vec<&'c str>,
}

/// Changes of one key, in the same control sets.
struct Group<'c> {
    hive: HiveName,
    /// Below the control set, where the key is in one.
    key: NodePath,
    sets: Rc<[&'c str]>,
    changes: Vec<Alike<'c>>,
}

/// All changes, key by key, each piece to `out`.
pub(super) fn changes_pieces(
    changes: &[Change],
    marks: &[Mark],
    control_sets: usize,
    verbose: bool,
    out: &mut dyn FnMut(&Text),
) {
    let mut said = None;
    for group in grouped(alike(changes, marks)) {
        let mut text = Text::new();
        let sets = sets_text(&group.sets, control_sets);
        let is_said = said.as_ref() == Some(&(group.hive, sets.clone()));
        heading(&mut text, &group, if is_said { "" } else { &sets });
        said = Some((group.hive, sets));
        let names = group
            .changes
            .iter()
            .filter_map(|alike| alike.change.value.as_ref());
        let widths = names.map(|name| textwrap::core::display_width(&escape(&name.to_text())));
        let column = widths.max().unwrap_or(0).min(WIDEST_NAME);
        for alike in &group.changes {
            change_text(&mut text, alike, column, verbose);
        }
        out(&text);
    }
}

/// What takes changes back, key by key, each piece to `out`.
pub fn undo_pieces(changes: &[Change], out: &mut dyn FnMut(&Text)) {
    changes_pieces(changes, &[], 0, false, out);
}

/// Changes that are the same in several control sets become one.
fn alike<'c>(changes: &'c [Change], marks: &'c [Mark]) -> Vec<Alike<'c>> {
    type Place = (HiveName, FoldedPath, Option<Vec<u16>>);
    let mut marks = marks;
    let mut all: Vec<Alike<'c>> = Vec::new();
    let mut last: HashMap<Place, usize> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        let ours = marks.iter().take_while(|mark| mark.change == at).count();
        let (own, rest) = marks.split_at_checked(ours).unwrap_or((&[], &[]));
        marks = rest;
        let Some(set) = change.control_set.as_deref() else {
            let sets = Vec::new();
            all.push(Alike {
                change,
                marks: own,
                sets,
            });
            continue;
        };
        let name = change.value.as_ref().map(|name| name.folded());
        let place = (change.hive, below_set(change).folded(), name);
        let before = last.get(&place).and_then(|at| all.get_mut(*at));
        match before.filter(|before| is_alike(before, change, own)) {
            Some(before) => before.sets.push(set),
            None => {
                last.insert(place, all.len());
                let sets = vec![set];
                all.push(Alike {
                    change,
                    marks: own,
                    sets,
                });
            }
        }
    }
    all
}

fn is_alike(one: &Alike<'_>, change: &Change, marks: &[Mark]) -> bool {
    let (mark, other) = (one.marks.iter(), marks.iter());
    let same_marks = one.marks.len() == marks.len()
        && mark
            .zip(other)
            .all(|(one, other)| (&one.why, one.profile) == (&other.why, other.profile));
    let first = one.change;
    same_marks
        && first.action == change.action
        && first.before == change.before
        && first.after == change.after
        && first.lowers_security == change.lowers_security
        && first.note == change.note
}

/// The key without its control set.
fn below_set(change: &Change) -> NodePath {
    match change.control_set {
        Some(_) => change.key.without_first().unwrap_or_default(),
        None => change.key.clone(),
    }
}

/// In the order in which the first of each group is made.
fn grouped(alike: Vec<Alike<'_>>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<(HiveName, FoldedPath, Rc<[&str]>), usize> = HashMap::new();
    for one in alike {
        let key = below_set(one.change);
        let sets: Rc<[&str]> = one.sets.as_slice().into();
        let place = (one.change.hive, key.folded(), Rc::clone(&sets));
        let at = *places.entry(place).or_insert(groups.len());
        if at == groups.len() {
            let hive = one.change.hive;
            let changes = Vec::new();
            groups.push(Group {
                hive,
                key,
                sets,
                changes,
            });
        }
        if let Some(group) = groups.get_mut(at) {
            group.changes.push(one);
        }
    }
    groups
}

/// The control sets, where there is more than one or something is to be named.
fn sets_text(sets: &[&str], all: usize) -> String {
    const NAMED: usize = 4;
    match sets {
        [] => String::new(),
        [one] => escape(one),
        [_, _] if all == 2 => "both control sets".to_owned(),
        _ if sets.len() == all => format!("all {all} control sets"),
        [first, others @ ..] => {
            let number = |set: &&&str| escape(set.get(10..).unwrap_or(set));
            let shown: Vec<String> = others.iter().take(NAMED).map(|set| number(&set)).collect();
            let more = others.len().saturating_sub(shown.len());
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("{}, {}{more}", escape(first), shown.join(", "))
        }
    }
}

/// The key, and at the right the control sets.
fn heading(text: &mut Text, group: &Group<'_>, sets: &str) {
    let is = |action| {
        group
            .changes
            .iter()
            .any(|alike| alike.change.action == action)
    };
    let what = match (is(Action::CreateKey), is(Action::DeleteKey)) {
        (true, _) => "  (new key)",
        (_, true) => "  (the whole key goes)",
        _ => "",
    };
    let key = escape(group.key.text().raw());
    let mut left = format!("  {:<8}  {key}", group.hive.to_string());
    let mut what = what;
    if textwrap::core::display_width(&left).saturating_add(what.len()) <= page::width() {
        left.push_str(what);
        what = "";
    }
    let used = textwrap::core::display_width(&left);
    let gap = page::width()
        .saturating_sub(used)
        .saturating_sub(sets.len());
    // Lines that no page bounds are not filled up.
    let gap = if gap > 200 { 2 } else { gap };
    let style = if is(Action::DeleteKey) { GONE } else { BOLD };
    match (sets.is_empty(), gap > 1) {
        (true, _) => text.line(format_args!("{style}{left}{style:#}")),
        (_, true) => text.line(format_args!(
            "{style}{left}{style:#}{:gap$}{DIM}{sets}{DIM:#}",
            ""
        )),
        (_, false) => {
            text.line(format_args!("{style}{left}{style:#}"));
            text.line(format_args!("            {DIM}in {sets}{DIM:#}"));
        }
    }
    if !what.is_empty() {
        text.line(format_args!("          {DIM}{what}{DIM:#}"));
    }
}

fn change_text(text: &mut Text, alike: &Alike<'_>, column: usize, verbose: bool) {
    let change = alike.change;
    let (sign, style) = match change.action {
        Action::Set if change.before.is_some() => ("~", WARN),
        Action::Set | Action::CreateKey => ("+", GOOD),
        Action::DeleteValue | Action::DeleteKey => ("-", GONE),
    };
    match (&change.value, &change.before) {
        (Some(name), _) => {
            let shown = match name.is_empty() {
                true => "(default)".to_owned(),
                false => escape(&name.to_text()),
            };
            let read = change_read(name, change.before.as_ref(), change.after.as_ref());
            let label = format!("  {sign} {shown:<column$}  ");
            value_line(text, style, sign, &label, &read);
            if verbose {
                whole(text, "from", change.before.as_ref());
                whole(text, "to", change.after.as_ref());
            }
        }
        (None, Some(State::Key(below))) => {
            let (subkeys, values) = (below.subkeys, below.values);
            let line = format!("  {sign} with {subkeys} subkeys and {values} values");
            text.line(styled(style, &line));
        }
        (None, _) => {}
    }
    if change.action != Action::CreateKey || change.lowers_security {
        reason(text, change);
    }
    for mark in alike.marks.iter().filter(|mark| !is_about_all(mark)) {
        wrapped(text, WARN, "      ! ", &mark_sentence(mark));
    }
}

/// A mark that is said once for the whole plan.
pub(super) fn is_about_all(mark: &Mark) -> bool {
    mark.why == Against::DomainPolicy
}

/// The sign in its colour, then what happens; the value's name stays with the sign.
fn value_line(text: &mut Text, style: Style, sign: &str, label: &str, read: &str) {
    let indent = " ".repeat(textwrap::core::display_width(label).min(WIDEST_NAME));
    let mut lines = page::lines(label, &indent, read).into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = first.get(3..).unwrap_or_default();
    text.line(format_args!("  {style}{sign}{style:#}{rest}"));
    lines.for_each(|line| text.line(line));
}

/// The whole value, where the line above shows only a part of it.
fn whole(text: &mut Text, word: &str, state: Option<&State>) {
    if let Some(State::Value(value)) = state {
        let line = format!("      {word:<4}  {}", whole_text(value));
        text.line(styled(DIM, &line));
    }
}

fn reason(text: &mut Text, change: &Change) {
    if change.lowers_security {
        let note = format!("LOWERS SECURITY. {}", change.note);
        wrapped(text, WARN, "      ", note.trim());
    } else if !change.note.is_empty() {
        wrapped(text, DIM, "      ", &change.note);
    }
}
