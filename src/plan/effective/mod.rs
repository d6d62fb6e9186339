// SPDX-License-Identifier: GPL-3.0-or-later
//! What wins over what: the value that counts for each setting of Terminal Services, where it
//! comes from, and which changes are masked by another place or undone at the next start.
//!
//! A policy wins over the listener and the Terminal Server key; the flags `fInherit...` leave a
//! limit of the listener to the user's account; the local group policy's file writes the policy
//! key again when Windows starts, and a domain's policy may.

mod debris;
pub(crate) mod known;
pub(crate) mod reader;

pub use debris::{Debris, Flaw};

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use self::known::{KNOWN, Known, MAY_BE_TEXT, TS_POLICY, UNLIMITED_BY_POLICY};
use self::reader::{AskedKey, Reader, When, dword, path, text};
use super::control_sets::booting;
use super::{Action, Change, ControlSetInfo, HiveInput, State, Value, folded_name};

use crate::policy::{PolicyEffect, RegistryPol};
use crate::profile::{HiveName, Profile};
use crate::regf::{FoldedPath, Name, NodePath};

/// What is known of policies besides the hives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// The local group policy's file, where there is one that can be read.
    pub local: Option<&'p RegistryPol>,
    /// Whether the machine belongs to a domain, whose policy may write the same keys.
    pub domain_member: bool,
}

/// What wins over what, with and without a plan's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The settings that any place says something about.
    pub settings: Vec<Setting>,
    /// What stands against single changes.
    pub marks: Vec<Mark>,
    /// Values that do not do what their writer meant.
    pub debris: Vec<Debris>,
    /// What could not be taken into account.
    pub notes: Vec<String>,
}

/// A setting of one control set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The control set.
    pub control_set: String,
    /// The key's path below the root of SYSTEM.
    pub key: NodePath,
    /// The value's name.
    pub name: &'static str,
    /// What the value itself is now; it may not count.
    pub stored: Option<Value>,
    /// What counts now.
    pub now: InForce,
    /// What counts once the changes are made.
    pub planned: InForce,
    /// What counts after the next start, as far as the local group policy decides.
    pub at_start: InForce,
}

/// What counts for a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Who decides.
    pub source: Source,
    /// The value that decides; `None` where it is not the registry of the machine.
    pub value: Option<Value>,
}

impl InForce {
    /// The number, where it is one; a policy's "no limit" as the listener says it.
    pub(crate) fn number(&self) -> Option<u32> {
        dword(self.value.as_ref()?)
    }
}

/// Who decides a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A policy in SOFTWARE.
    Policy {
        /// Its key, below the root of SOFTWARE.
        key: &'static str,
        /// The value's name.
        name: &'static str,
    },
    /// The user's account, because a flag beside the value says so.
    UserAccount {
        /// The flag's name.
        flag: &'static str,
    },
    /// The value itself.
    Own,
    /// Nothing: the value is absent, and Windows takes its default.
    Default,
}

/// Why a change has no effect, or not for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The place of the change in the plan, from 0.
    pub change: usize,
    /// What stands against it.
    pub why: Against,
    /// The built-in profile that helps.
    pub profile: Option<&'static str>,
}

/// What stands against a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// A policy wins over the value.
    Policy {
        /// Its key, below the root of SOFTWARE.
        key: &'static str,
        /// The value's name.
        name: &'static str,
        /// The value that counts.
        value: Value,
    },
    /// The user's account decides.
    UserAccount {
        /// The flag beside the value.
        flag: &'static str,
    },
    /// The local group policy's file makes it something else when Windows starts.
    LocalPolicy {
        /// The policy's value in question.
        name: String,
        /// What it will be; `None` where it is deleted.
        value: Option<Value>,
    },
    /// The machine is in a domain, whose policy may write the key.
    DomainPolicy,
}

/// The start type of a service that does not start.
pub(crate) const DISABLED: u32 = 4;

const STOPS_POLICY: Option<&str> = Some("group-policy-park");

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
        let name = folded_name(&Name::from(setting.name));
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
        key: path(Some(set), known.key),
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

/// What counts for a setting: policy, then the user's account, then the value itself.
pub(crate) fn in_force(reader: &Reader<'_, '_>, set: &str, known: &Known, when: When) -> InForce {
    Places::of(reader, set, known).in_force(reader, known, when)
}

/// The policy over a setting, if it is set and of a type that Windows reads.
pub(crate) fn by_policy(reader: &Reader<'_, '_>, known: &Known, when: When) -> Option<InForce> {
    deciding_policy(reader, &policies(reader, known), known, when)
}

/// A policy's key, by its path and to be asked.
type Policy = (&'static str, Rc<AskedKey>);

/// The keys that decide a setting.
struct Places {
    policies: Vec<Policy>,
    own: Rc<AskedKey>,
}

impl Places {
    fn of(reader: &Reader<'_, '_>, set: &str, known: &Known) -> Self {
        Self {
            policies: policies(reader, known),
            own: reader.known_key(HiveName::System, Some(set), known.key),
        }
    }

    fn in_force(&self, reader: &Reader<'_, '_>, known: &Known, when: When) -> InForce {
        if let Some(found) = deciding_policy(reader, &self.policies, known, when) {
            return found;
        }
        let own = |name| reader.value(&self.own, name, when);
        let value = own(known.name);
        if let Some(flag) = known.inherit {
            let inherits = own(flag)
                .as_ref()
                .and_then(dword)
                .is_some_and(|flag| flag != 0);
            if inherits {
                let source = Source::UserAccount { flag };
                return InForce {
                    source,
                    value: None,
                };
            }
        }
        // A number stored as text is none to Windows.
        let value = value.filter(|value| !known.is_number || dword(value).is_some());
        let source = if value.is_some() {
            Source::Own
        } else {
            Source::Default
        };
        InForce { source, value }
    }
}

fn policies(reader: &Reader<'_, '_>, known: &Known) -> Vec<Policy> {
    let keys = known.policy_keys.iter();
    keys.map(|&key| (key, reader.known_key(HiveName::Software, None, key)))
        .collect()
}

fn deciding_policy(
    reader: &Reader<'_, '_>,
    policies: &[Policy],
    known: &Known,
    when: When,
) -> Option<InForce> {
    let name = known.policy_name;
    policies.iter().find_map(|(key, policy)| {
        let found = reader.value(policy, name, when)?;
        let value = as_listener_says(known, found)?;
        Some(InForce {
            source: Source::Policy { key, name },
            value: Some(value),
        })
    })
}

/// A policy's value in the listener's terms; `None` where Windows would not read it.
fn as_listener_says(known: &Known, found: Value) -> Option<Value> {
    if !known.is_number {
        return text(&found).map(|_| found);
    }
    let as_text = || {
        let may = MAY_BE_TEXT.contains(&known.policy_name);
        text(&found).filter(|_| may)?.trim().parse().ok()
    };
    let mut number: u32 = dword(&found).or_else(as_text)?;
    if known.name == "MaxInstanceCount" && number == UNLIMITED_BY_POLICY {
        number = u32::MAX;
    }
    let data = number.to_le_bytes().to_vec();
    Some(Value { kind: 4, data })
}

struct Context<'c, 'r, 'h> {
    reader: &'c Reader<'r, 'h>,
    settings: HashMap<(FoldedPath, Vec<u16>), &'c Setting>,
    domain_member: bool,
}

impl Context<'_, '_, '_> {
    fn marks(&self, at: usize, change: &Change) -> Vec<Mark> {
        let against = match change.hive {
            HiveName::System => self.against_setting(change),
            HiveName::Software => self.against_policy(change),
        };
        let marks = against.into_iter().map(|(why, profile)| Mark {
            change: at,
            why,
            profile,
        });
        marks.collect()
    }

    /// What stands against a change of a setting: who wins over it then, or after a start.
    fn against_setting(&self, change: &Change) -> Vec<(Against, Option<&'static str>)> {
        let Some(name) = &change.value else {
            return Vec::new();
        };
        let place = (change.key.folded(), folded_name(name));
        let Some(setting) = self.settings.get(&place) else {
            return Vec::new();
        };
        let lift = lift_of(setting);
        match (setting.planned.source, setting.at_start.source) {
            (Source::Policy { key, name }, later) => {
                let value = setting.planned.value.clone();
                let value = value.unwrap_or(Value {
                    kind: 0,
                    data: Vec::new(),
                });
                // Clearing the policy does not help where the file brings it back.
                let policy = self.reader.known_key(HiveName::Software, None, key);
                let comes_back = self.reader.becomes(&policy, name);
                let mut against = vec![(Against::Policy { key, name, value }, lift)];
                if comes_back.is_some() && matches!(later, Source::Policy { .. }) {
                    against.push((self.local(setting), STOPS_POLICY));
                }
                against
            }
            (_, Source::Policy { .. }) => vec![(self.local(setting), STOPS_POLICY)],
            (Source::UserAccount { flag }, _) => vec![(Against::UserAccount { flag }, None)],
            (Source::Own | Source::Default, _) => Vec::new(),
        }
    }

    fn local(&self, setting: &Setting) -> Against {
        let name = match setting.at_start.source {
            Source::Policy { name, .. } => name,
            _ => setting.name,
        };
        Against::LocalPolicy {
            name: name.to_owned(),
            value: setting.at_start.value.clone(),
        }
    }

    /// What undoes a change of a policy: the local group policy's file, or a domain's policy.
    fn against_policy(&self, change: &Change) -> Vec<(Against, Option<&'static str>)> {
        let first = change.key.first();
        let is_policy = first.is_some_and(|name| name.same_as(&Name::from("Policies")));
        if !is_policy || change.action == Action::CreateKey {
            return Vec::new();
        }
        let mut against = Vec::new();
        if let Some(undone) = self.undone_by_file(change) {
            against.push((undone, STOPS_POLICY));
        }
        if self.domain_member {
            against.push((Against::DomainPolicy, STOPS_POLICY));
        }
        against
    }

    fn undone_by_file(&self, change: &Change) -> Option<Against> {
        let Some(name) = &change.value else {
            return self.key_comes_back(change);
        };
        let name = name.to_text();
        let key = self.reader.key(HiveName::Software, &change.key);
        let effect = self.reader.becomes(&key, &name)?;
        let planned = match &change.after {
            Some(State::Value(value)) => Some(value.clone()),
            _ => None,
        };
        let value = match effect {
            PolicyEffect::Set { kind, data } => Some(Value { kind, data }),
            PolicyEffect::SetIfAbsent { kind, data } => {
                planned.clone().or(Some(Value { kind, data }))
            }
            _ => None,
        };
        (value != planned).then_some(Against::LocalPolicy { name, value })
    }

    /// Whether the file sets a value in a key that is deleted.
    fn key_comes_back(&self, change: &Change) -> Option<Against> {
        if !change.key.same_as(&path(None, TS_POLICY)) {
            return None;
        }
        let key = self.reader.key(HiveName::Software, &change.key);
        let mut names = KNOWN.iter().map(|known| known.policy_name);
        names.find_map(|name| {
            let effect = self.reader.becomes(&key, name)?;
            match effect {
                PolicyEffect::Set { kind, data } | PolicyEffect::SetIfAbsent { kind, data } => {
                    let (name, value) = (name.to_owned(), Some(Value { kind, data }));
                    Some(Against::LocalPolicy { name, value })
                }
                _ => None,
            }
        })
    }
}

/// Whether profiles or changes are about keys where one place wins over another.
pub fn concerns(profiles: &[Profile], changes: &[Change]) -> bool {
    let known = KNOWN.iter().map(|known| known.key).chain([TS_POLICY]);
    let known: HashSet<FoldedPath> = known.map(|key| path(None, key).folded()).collect();
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

/// The profile that removes the policy over a setting.
fn lift_of(setting: &Setting) -> Option<&'static str> {
    let below = setting.key.without_first()?;
    known_of(&below, setting.name).and_then(|known| known.lift)
}

/// The known settings by their keys below the control set.
static BY_KEY: LazyLock<HashMap<FoldedPath, Vec<&'static Known>>> = LazyLock::new(|| {
    let mut by_key: HashMap<FoldedPath, Vec<&'static Known>> = HashMap::new();
    for known in KNOWN {
        let key = path(None, known.key).folded();
        by_key.entry(key).or_default().push(known);
    }
    by_key
});

/// The known setting in the key at `below` a control set.
pub(crate) fn known_of(below: &NodePath, name: &str) -> Option<&'static Known> {
    let mut known = BY_KEY.get(&below.folded())?.iter().copied();
    known.find(|known| known.name.eq_ignore_ascii_case(name))
}

impl Source {
    /// Its name in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy { .. } => "policy",
            Self::UserAccount { .. } => "user-account",
            Self::Own => "own",
            Self::Default => "default",
        }
    }
}

impl Against {
    /// Its name in plans.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "masked-by-policy",
            Self::UserAccount { .. } => "left-to-user-account",
            Self::LocalPolicy { .. } => "undone-by-registry-pol",
            Self::DomainPolicy => "domain-policy",
        }
    }
}
