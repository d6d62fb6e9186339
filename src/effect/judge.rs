// SPDX-License-Identifier: GPL-3.0-or-later
//! Everything that counts in hives, with and without changes.

use std::collections::HashSet;
use std::sync::Arc;

use super::in_force::Places;
use super::marks::Context;
use super::reader::{Reader, When};
use super::{Effect, Policies, Setting, Source, debris};
use crate::machine::{ControlSetInfo, HiveInput, booting, dword, path_in};
use crate::plan::Change;
use crate::profile::{HiveName, Profile};
use crate::regf::{FoldedPath, Name, NodePath};
use crate::settings::{DISABLED, KNOWN, Known, TS_POLICY};

/// Works out what counts in `hives`, before and after `changes`.
///
/// Never fails: what cannot be read is said in the notes.
pub fn effect(hives: &[HiveInput<'_>], changes: &[Change], policies: Policies<'_>) -> Effect {
    let reader = effect_reader(hives, changes, policies);
    let sets = sets_of(hives);
    let mut settings = Vec::new();
    for set in sets.iter() {
        let known = KNOWN.iter();
        settings.extend(known.filter_map(|known| setting(&reader, &set.name, known)));
    }
    let by_place = settings.iter().map(|setting| {
        let name = Name::from(setting.name).folded();
        ((setting.key.folded(), name), setting)
    });
    let context = Context {
        reader: &reader,
        settings: by_place.collect(),
        domain_member: policies.domain_member && is_policy_processed(&reader, &sets),
    };
    let marks = changes.iter().enumerate();
    let marks = marks
        .flat_map(|(at, change)| context.marks(at, change))
        .collect();
    let debris = debris::find(&reader, &sets);
    let mut notes = reader.problems.take();
    let unread = notes.len();
    if !reader.has(HiveName::Software) && reader.has(HiveName::System) {
        let note = "there is no SOFTWARE hive here: whether a policy wins over these settings \
                    cannot be told";
        notes.push(note.to_owned());
    }
    Effect {
        settings,
        marks,
        debris,
        notes,
        unread,
    }
}

/// What values are, with the local group policy where Windows will process it.
pub(crate) fn effect_reader<'r, 'h>(
    hives: &'r [HiveInput<'h>],
    changes: &[Change],
    policies: Policies<'r>,
) -> Reader<'r, 'h> {
    let mut reader = Reader::new(hives, changes, None);
    let is_processed = is_policy_processed(&reader, &sets_of(hives));
    reader.local_policy = policies.local.filter(|_| is_processed);
    reader
}

/// The control sets of the SYSTEM hive, if it is there.
pub(crate) fn sets_of(hives: &[HiveInput<'_>]) -> Arc<[ControlSetInfo]> {
    let system = hives.iter().find(|input| input.name == HiveName::System);
    let sets = system.and_then(|input| input.control_sets().ok());
    sets.unwrap_or_default()
}

/// Whether the Group Policy client runs at the next start once the changes are made.
fn is_policy_processed(reader: &Reader<'_, '_>, sets: &[ControlSetInfo]) -> bool {
    let runs = |set: &ControlSetInfo| {
        let service = reader.known_key(HiveName::System, Some(&set.name), "Services\\gpsvc");
        let start = reader.value(&service, "Start", When::Planned);
        start.as_ref().and_then(dword) != Some(DISABLED)
    };
    match booting(sets) {
        Some(set) => runs(set),
        None => sets.is_empty() || sets.iter().any(runs),
    }
}

/// The setting, where any place says something about it at any time.
fn setting(reader: &Reader<'_, '_>, set: &str, known: &Known) -> Option<Setting> {
    let places = Places::of(reader, set, known);
    let at = |when| places.in_force(reader, known, when);
    let setting = Setting {
        control_set: set.to_owned(),
        key: path_in(Some(set), known.key),
        name: known.name,
        stored: reader.value(&places.own, known.name, When::Now),
        now: at(When::Now),
        planned: at(When::Planned),
        at_start: at(When::AtStart),
    };
    let states = [&setting.now, &setting.planned, &setting.at_start];
    let is_said = states.iter().any(|state| state.source != Source::Default);
    (is_said || setting.stored.is_some()).then_some(setting)
}

/// Whether profiles or changes are about keys where one place wins over another.
pub fn concerns(profiles: &[Profile], changes: &[Change]) -> bool {
    let known = KNOWN.iter().map(|known| known.key).chain([TS_POLICY]);
    let known: HashSet<FoldedPath> = known.map(|key| NodePath::from(key).folded()).collect();
    let rules = profiles.iter().flat_map(|profile| &profile.keys);
    let mut rules = rules.map(|rule| -> NodePath {
        let segments = rule.path.segments.iter();
        segments
            .map(|segment| Name::from(segment.as_str()))
            .collect()
    });
    // Thousands of changes may be about one key.
    let mut asked = HashSet::new();
    rules.any(|key| known.contains(&key.folded()))
        || changes.iter().any(|change| {
            asked.insert(change.key.folded())
                && match change.control_set {
                    Some(_) => change.key.without_first(),
                    None => Some(change.key.clone()),
                }
                .is_some_and(|below| known.contains(&below.folded()))
        })
}
