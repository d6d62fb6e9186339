// SPDX-License-Identifier: GPL-3.0-or-later
//! The names of keys and values that profiles and settings know, and what is nearly one of them.

use std::sync::LazyLock;

use super::look_alike::{disguised, looks_the_same, seen};

/// Where a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below a control set.
    ControlSet,
    /// In SYSTEM, beside the control sets.
    System,
    /// In SOFTWARE.
    Software,
}

impl Place {
    /// Where the key with these names below the root of a hive is, and its names from there on.
    pub(crate) fn of(is_software: bool, names: &[String]) -> (Self, &[String]) {
        match names.split_first() {
            _ if is_software => (Self::Software, names),
            Some((first, rest)) if is_control_set(first) => (Self::ControlSet, rest),
            _ => (Self::System, names),
        }
    }
}

fn is_control_set(name: &str) -> bool {
    let number = name
        .get(..10)
        .filter(|prefix| prefix.eq_ignore_ascii_case("ControlSet"))
        .and_then(|prefix| name.get(prefix.len()..));
    number.is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A name that is nearly one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Near {
    /// The known one.
    pub(crate) name: &'static str,
    /// What tells them apart.
    pub(crate) how: How,
}

/// What tells two names apart that are nearly the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// They look the same: this is the first character that is not what it seems.
    Disguise(char),
    /// Blanks.
    Blanks,
    /// A letter or two.
    Slip,
}

/// A key and the values in it.
struct KnownKey {
    place: Place,
    names: Vec<&'static str>,
    values: Vec<&'static str>,
}

static KEYS: LazyLock<Vec<KnownKey>> = LazyLock::new(|| read(include_str!("names.txt")));

fn read(text: &'static str) -> Vec<KnownKey> {
    let mut keys: Vec<KnownKey> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(value) = line.strip_prefix('\t') {
            if let Some(key) = keys.last_mut() {
                key.values.push(value);
            }
            continue;
        }
        let Some((place, key)) = line.split_once(' ') else {
            continue;
        };
        keys.push(KnownKey {
            place: match place {
                "ControlSet" => Place::ControlSet,
                "SYSTEM" => Place::System,
                _ => Place::Software,
            },
            names: key.split('\\').collect(),
            values: Vec::new(),
        });
    }
    keys
}

impl KnownKey {
    /// Whether it is, or is below, the key with these names.
    fn begins_with(&self, place: Place, names: &[String]) -> bool {
        let mut ours = self.names.iter();
        self.place == place
            && names
                .iter()
                .all(|name| ours.next().is_some_and(|our| is_same(our, name)))
    }
}

/// Whether a part of a known key is, or stands for, this name.
fn is_same(known: &str, name: &str) -> bool {
    matches!(known, "*" | "{GUID}") || known.to_uppercase() == name.to_uppercase()
}

/// The first of the names on the way to a key that is nearly a known one, by its place among them.
pub(crate) fn near_key(place: Place, names: &[String]) -> Option<(usize, Near)> {
    for (at, name) in names.iter().enumerate() {
        let above = names.get(..at)?;
        let level = KEYS.iter().filter(|key| key.begins_with(place, above));
        let level: Vec<&'static str> = level
            .filter_map(|key| key.names.get(at).copied())
            .filter(|known| !matches!(*known, "*" | "{GUID}"))
            .collect();
        if level.iter().any(|known| is_same(known, name)) {
            continue;
        }
        let level = level.into_iter();
        return near(name, level.clone(), level).map(|near| (at, near));
    }
    None
}

/// The known value that `name` is nearly: of the same key, or of any where they look the same.
pub(crate) fn near_value(place: Place, key: &[String], name: &str) -> Option<Near> {
    let ours = KEYS
        .iter()
        .filter(|known| known.names.len() == key.len() && known.begins_with(place, key))
        .flat_map(|known| known.values.iter().copied());
    let all = KEYS.iter().flat_map(|known| known.values.iter().copied());
    near(name, ours, all)
}

/// The name that is nearly `name`: among `like` they may differ in a letter, among `alike` not to the eye.
fn near(
    name: &str,
    like: impl Iterator<Item = &'static str>,
    alike: impl Iterator<Item = &'static str> + Clone,
) -> Option<Near> {
    if name.len() > LONGEST || name.is_empty() {
        return None;
    }
    let upper = name.to_uppercase();
    if alike.clone().any(|known| known.to_uppercase() == upper) {
        return None;
    }
    let disguise = disguised(name);
    if let Some(c) = disguise {
        let same = |known: &&str| looks_the_same(known, name);
        let how = How::Disguise(c);
        return alike.clone().find(same).map(|name| Near { name, how });
    }
    let like: Vec<&'static str> = like.collect();
    let blanks = like.iter().find(|known| looks_the_same(known, name));
    if let Some(name) = blanks {
        let how = How::Blanks;
        return Some(Near { name, how });
    }
    // Who means another GUID or number has made no slip: real disks have them side by side.
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let is_numbered = name.starts_with('{');
    let ours = digits(name);
    let like = like
        .into_iter()
        .filter(|known| !is_numbered && digits(known) == ours);
    let looks = seen(name);
    let distance = |known: &str| strsim::osa_distance(&looks, &seen(known));
    let slips = like.map(|known| (distance(known), known));
    let slips = slips.filter(|(distance, known)| *distance <= bearable(known));
    let (_, name) = slips.min()?;
    let how = How::Slip;
    Some(Near { name, how })
}

/// Longer names are not compared.
const LONGEST: usize = 256;

/// How many letters of a name may be wrong for it to be meant.
fn bearable(known: &str) -> usize {
    match known.len() {
        // Of short names, services' above all, too many are one letter apart.
        0..9 => 0,
        9..14 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::profile::{self, HiveName, KeyPath};
    use crate::settings::known::{KNOWN, TS_POLICY};
    use crate::settings::policies::POLICIES;

    fn names(key: &str) -> Vec<String> {
        key.split('\\').map(str::to_owned).collect()
    }

    fn value(name: &str) -> Option<Near> {
        let listener = names("Control\\Terminal Server\\WinStations\\RDP-Tcp");
        near_value(Place::ControlSet, &listener, name)
    }

    /// On six real disks these were all that was taken for a slip; each is a name of its own.
    #[test]
    fn names_of_real_disks_are_no_slips_of_known_ones() {
        for key in [
            r"Control\Class\{4D36E96C-E325-11CE-BFC1-08002BE10318}",
            r"Control\Class\{4d36e978-e325-11ce-bfc1-08002be10318}",
            r"Services\discache",
        ] {
            assert_eq!(near_key(Place::ControlSet, &names(key)), None, "{key}");
        }
        let rules = names(r"Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules");
        for rule in ["FPS-ICMP6-ERQ-In", "RemoteDesktop-In-TCP_1"] {
            assert_eq!(near_value(Place::ControlSet, &rules, rule), None, "{rule}");
        }
        assert!(near_value(Place::ControlSet, &rules, "RemoteDesktop-In-TPC").is_some());
    }

    #[test]
    fn near_misses_are_told_from_names() {
        let near = |name, how| Some(Near { name, how });
        assert_eq!(value("portnumber"), None);
        assert_eq!(value("Acme"), None);
        assert_eq!(value("PortNumbr"), near("PortNumber", How::Slip));
        assert_eq!(value("Port Number"), near("PortNumber", How::Blanks));
        let disguise = |c| near("PortNumber", How::Disguise(c));
        assert_eq!(value("PortNumber\u{200b}"), disguise('\u{200b}'));
        assert_eq!(value("P\u{43e}rtNumber"), disguise('\u{43e}'));
        assert_eq!(value("\u{ff30}ortNumber"), disguise('\u{ff30}'));
        let key = |text: &str| near_key(Place::ControlSet, &names(text));
        assert_eq!(key("Control\\Terminal Server\\Acme"), None);
        let server = |how| {
            Some((
                1,
                Near {
                    name: "Terminal Server",
                    how,
                },
            ))
        };
        assert_eq!(key("Control\\TerminalServer"), server(How::Blanks));
        assert_eq!(key("Control\\Terminal  Server\\x"), server(How::Blanks));
        assert_eq!(
            key("Control\\Terminal\u{a0}Server"),
            server(How::Disguise('\u{a0}'))
        );
        assert_eq!(key("Control\\Terminal Sever"), server(How::Slip));
    }

    /// What names.txt has to be.
    fn listed() -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |key: String, value: &str| {
            let values = keys.entry(key.to_uppercase()).or_default();
            if !value.is_empty() && value != "*" {
                values.insert(value.to_uppercase());
            }
        };
        let spelled = |path: &KeyPath| {
            let place = match (path.hive, path.control_set) {
                (HiveName::Software, _) => "SOFTWARE",
                (HiveName::System, None) => "SYSTEM",
                (HiveName::System, Some(_)) => "ControlSet",
            };
            format!("{place} {}", path.segments.join("\\"))
        };
        let builtin = profile::builtin().iter();
        for known in builtin.filter(|known| known.id != "rdp-debris") {
            for key in &profile::load(known.id).unwrap().keys {
                add(spelled(&key.path), "");
                for value in &key.values {
                    add(spelled(&key.path), &value.name);
                }
            }
        }
        for known in KNOWN {
            let key = format!("ControlSet {}", known.key);
            add(key.clone(), known.name);
            add(key, known.inherit.unwrap_or_default());
            for policy in known.policy_keys {
                add(format!("SOFTWARE {policy}"), known.policy_name);
            }
        }
        for policy in POLICIES {
            add(format!("SOFTWARE {TS_POLICY}"), policy.name);
        }
        keys
    }

    #[test]
    fn the_list_is_what_profiles_and_settings_know() {
        let mut have: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for key in KEYS.iter() {
            let place = match key.place {
                Place::ControlSet => "ControlSet",
                Place::System => "SYSTEM",
                Place::Software => "SOFTWARE",
            };
            let path = format!("{place} {}", key.names.join("\\")).to_uppercase();
            let values = key.values.iter().map(|value| value.to_uppercase());
            have.insert(path, values.collect());
        }
        let want = listed();
        for (key, values) in &want {
            assert_eq!(have.get(key), Some(values), "{key}");
        }
        assert_eq!(have.len(), want.len());
    }

    #[test]
    fn no_known_name_is_nearly_another_one() {
        for known in KEYS.iter() {
            let key: Vec<String> = known.names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(near_key(known.place, &key), None, "{key:?}");
            for value in &known.values {
                assert_eq!(near_value(known.place, &key, value), None, "{value}");
            }
        }
    }
}
