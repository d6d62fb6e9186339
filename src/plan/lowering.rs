// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether taking a change back lowers security.

use std::collections::HashMap;

use super::{Action, Change};
use crate::machine::State;
use crate::profile::{
    ControlSet, Data, HiveName, KeyPath, KeyRule, Profile, ValueRule, is_known_safer,
    is_known_to_raise, upcase,
};
use crate::regf::Name;

/// Stands for the name of every value; no value is called that.
const EVERY: [u16; 1] = [0];

/// What profiles say lowers security: who takes back what raised it does the same.
#[derive(Debug, Default)]
pub struct Lowering {
    /// By the value's name in upper case.
    values: HashMap<Vec<u16>, Vec<(KeyPath, ValueRule)>>,
    /// Keys whose absence lowers security.
    keys: Vec<KeyPath>,
    /// The keys in which profiles have a value, by its name in upper case: something is known of it.
    known: HashMap<Vec<u16>, Vec<KeyPath>>,
}

impl Lowering {
    /// Collects the entries of `profiles` that lower security. Conditions are not asked: what a value
    /// means does not depend on whether the profile would set it.
    pub fn of(profiles: &[Profile]) -> Self {
        let mut lowering = Self::default();
        for rule in profiles.iter().flat_map(|profile| &profile.keys) {
            lowering.add(rule);
        }
        lowering
    }

    fn add(&mut self, rule: &KeyRule) {
        if rule.absent && rule.lowers_security {
            self.keys.push(rule.path.clone());
        }
        for value in rule.values.iter().filter(|value| !value.every) {
            let known = self.known.entry(upcase(&value.name)).or_default();
            known.push(rule.path.clone());
        }
        for value in rule.values.iter().filter(|value| value.lowers_security) {
            let name = match value.every {
                true => EVERY.to_vec(),
                false => upcase(&value.name),
            };
            let same_name = self.values.entry(name).or_default();
            same_name.push((rule.path.clone(), value.clone()));
        }
    }

    /// Whether the machine is less secure after this change; `None` where nobody knows.
    pub fn by_making(&self, change: &Change) -> Option<bool> {
        let Some(name) = &change.value else {
            let is_new = change.action == Action::CreateKey;
            let is_known = self.keys.iter().any(|path| is_about(path, change));
            return (is_new || is_known).then_some(!is_new);
        };
        let (now, then) = (
            stored(change.before.as_ref())?,
            stored(change.after.as_ref())?,
        );
        let text = name.to_string();
        let known = (now.and_then(data), then.and_then(data));
        match &known {
            (Some(now), Some(then)) => {
                if let Some(is_safer) = is_known_safer(&text, now, then) {
                    return Some(is_safer);
                }
            }
            // What Windows does without it is the same or less.
            (Some(now), None) if is_known_to_raise(&text, now) => return Some(true),
            _ => {}
        }
        let upper = upcase(&text);
        let named = [self.values.get(&upper), self.values.get(&EVERY[..])];
        let mut rules = named.into_iter().flatten().flatten();
        if rules.any(|(path, rule)| is_about(path, change) && would_make(rule, now, then)) {
            return Some(true);
        }
        let mut known = self.known.get(&upper).into_iter().flatten();
        known.any(|path| is_about(path, change)).then_some(false)
    }

    /// Whether the machine is less secure after `made` was taken back, with `found` there now.
    pub(super) fn by_undoing(&self, made: &Change, found: Option<&State>) -> bool {
        let Some(name) = &made.value else {
            let is_deleted = made.action == Action::CreateKey;
            return is_deleted && self.keys.iter().any(|path| is_about(path, made));
        };
        let (Some(now), Some(then)) = (stored(found), stored(made.before.as_ref())) else {
            return false;
        };
        let known = now.and_then(data).zip(then.and_then(data));
        let known = known.and_then(|(now, then)| is_known_safer(&name.to_string(), &now, &then));
        if let Some(known) = known {
            return known;
        }
        // Without order between the two: what was said to lower security is not lowered by its end.
        let name: Vec<u16> = upcase(&name.to_string());
        let named = [self.values.get(&name), self.values.get(&EVERY[..])];
        let mut rules = named.into_iter().flatten().flatten();
        !made.lowers_security
            && rules.any(|(path, rule)| is_about(path, made) && would_make(rule, now, then))
    }
}

/// Type and data of a value; `Some(None)` for one that is not there, `None` for a key.
#[allow(clippy::option_option, reason = "absent is a state of a value")]
fn stored(state: Option<&State>) -> Option<Option<(u32, &[u8])>> {
    match state {
        None => Some(None),
        Some(State::Value(value)) => Some(Some((value.kind, value.data.as_slice()))),
        Some(State::Key(_)) => None,
    }
}

fn data((kind, bytes): (u32, &[u8])) -> Option<Data> {
    Data::from_stored(kind, bytes)
}

/// Whether the entry is one that would bring a value from `now` to `then`.
fn would_make(rule: &ValueRule, now: Option<(u32, &[u8])>, then: Option<(u32, &[u8])>) -> bool {
    rule.is_meant(now) && rule.want.is_met_by(then) && !rule.want.is_met_by(now)
}

/// Whether a profile's key means the key of the change.
fn is_about(path: &KeyPath, change: &Change) -> bool {
    let depth = path
        .segments
        .len()
        .saturating_add(usize::from(path.control_set.is_some()));
    if path.hive != change.hive || change.key.depth() != depth {
        return false;
    }
    let names = change.key.names();
    let Some(names) = below_control_set(path, change, &names) else {
        return false;
    };
    let same = |(segment, name): (&String, &&Name)| match path.wildcard(segment) {
        Some(wildcard) => wildcard.matches(&name.to_string()),
        None => Name::from(segment.as_str()).same_as(name),
    };
    path.segments.iter().zip(names).all(same)
}

/// The change's key without the control set, where it is one that the path means.
fn below_control_set<'c, 'n>(
    path: &KeyPath,
    change: &Change,
    names: &'c [&'n Name],
) -> Option<&'c [&'n Name]> {
    let Some(wanted) = path.control_set else {
        return Some(names);
    };
    let (set, below) = names.split_first()?;
    let set = set.to_string().to_ascii_uppercase();
    let number: u16 = set.strip_prefix("CONTROLSET")?.parse().ok()?;
    let is_meant = change.hive == HiveName::System
        && match wanted {
            ControlSet::Every => true,
            ControlSet::Number(one) => one == number,
        };
    is_meant.then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Value;
    use crate::profile::{builtin, load};
    use crate::regf::NodePath;

    const LISTENER: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";

    fn dword(number: u32) -> State {
        let data = number.to_le_bytes().to_vec();
        State::Value(Value { kind: 4, data })
    }

    /// Whether it lowers security to bring the value back from what it is `now` to what it was.
    fn lowers(key: &str, value: &str, before: Option<u32>, now: Option<u32>, did: bool) -> bool {
        let all: Vec<Profile> = builtin().iter().map(|one| load(one.id).unwrap()).collect();
        let hive = match key.starts_with("ControlSet") {
            true => HiveName::System,
            false => HiveName::Software,
        };
        let made = Change {
            profile: "p".to_owned(),
            hive,
            control_set: None,
            key: NodePath::from(key),
            value: Some(Name::from(value)),
            action: Action::Set,
            before: before.map(dword),
            after: now.map(dword),
            lowers_security: did,
            cause: None,
            note: "".into(),
        };
        Lowering::of(&all).by_undoing(&made, now.map(dword).as_ref())
    }

    #[test]
    fn what_raised_security_lowers_it_when_it_is_taken_back() {
        for (value, low, high) in [
            ("UserAuthentication", 0, 1),
            ("SecurityLayer", 1, 2),
            ("SecurityLayer", 0, 2),
            ("MinEncryptionLevel", 2, 3),
        ] {
            assert!(
                lowers(LISTENER, value, Some(low), Some(high), false),
                "{value}"
            );
            assert!(
                !lowers(LISTENER, value, Some(high), Some(low), true),
                "{value}"
            );
            assert!(
                !lowers(LISTENER, value, Some(high), Some(low), false),
                "{value}"
            );
        }
        let credentials = r"ControlSet002\Control\Lsa";
        assert!(lowers(
            credentials,
            "disableDomainCreds",
            Some(0),
            Some(1),
            false
        ));
        assert!(!lowers(
            credentials,
            "disableDomainCreds",
            Some(1),
            Some(0),
            true
        ));
        // Another key, another value, a control set that is none.
        assert!(!lowers(
            r"ControlSet002\Control",
            "disabledomaincreds",
            Some(0),
            Some(1),
            false
        ));
        assert!(!lowers(
            r"Control\Lsa",
            "disabledomaincreds",
            Some(0),
            Some(1),
            false
        ));
        assert!(!lowers(
            LISTENER,
            "PortNumber",
            Some(3390),
            Some(3389),
            false
        ));
    }

    #[test]
    fn a_policy_that_demanded_something_and_goes_lowers_security() {
        assert!(lowers(POLICY, "SecurityLayer", None, Some(2), false));
        // One that turned it off and goes does not; one that comes back does.
        assert!(!lowers(POLICY, "SecurityLayer", None, Some(0), true));
        assert!(lowers(POLICY, "SecurityLayer", Some(0), None, false));
    }
}
