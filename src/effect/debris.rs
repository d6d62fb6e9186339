// SPDX-License-Identifier: GPL-3.0-or-later
//! What procedures leave behind when they are typed as printed: names with quotes or blanks around them or
//! with characters that only look like others, and numbers stored as text.
//!
//! A published procedure puts value names in single quotes, which cmd.exe makes part of the name,
//! and one name has a blank in front. Another passes a number without a type, which makes it text.
//! Such values do nothing, and look as if the repair had been made.

use super::reader::Reader;
use crate::machine::{ControlSetInfo, Value, path_in};
use crate::profile::{self, HiveName};
use crate::regf::{Name, NodePath};
use crate::settings::{
    KNOWN, LISTENER, Place, TERMINAL_SERVER, TS_POLICY, Takes, disguised, looks_the_same,
    may_be_text, near_value, policy, why,
};
use crate::text::Foreign;

/// A value or key that does not do what its writer meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debris {
    /// The hive.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// The value with its name; `None` where the key itself is the debris.
    pub value: Option<(Name, Value)>,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The built-in profile that removes it, or gives it its type.
    pub profile: Option<&'static str>,
}

/// What is wrong with a value or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its name begins or ends with a quote or a blank; without them it is this.
    Name(Foreign),
    /// Its name is nearly this one, and what tells them apart is hardly seen.
    LooksLike {
        /// The name that was meant.
        meant: &'static str,
        /// What it has instead: `U+200B, which is not seen`.
        has: String,
    },
    /// It is no REG_DWORD, and Windows reads one there.
    Type,
}

/// The profile that removes values with such names.
const REMOVES_NAMES: &str = "rdp-debris";

/// All debris under the keys of Terminal Services, in every control set and in the policies.
pub(super) fn find(reader: &Reader<'_, '_>, sets: &[ControlSetInfo]) -> Vec<Debris> {
    let mut found = Vec::new();
    for set in sets {
        for key in [TERMINAL_SERVER, LISTENER] {
            let path = path_in(Some(&set.name), key);
            let set = Some(set.name.clone());
            look_at(reader, HiveName::System, set, path, key, &mut found);
        }
    }
    for set in sets {
        look_beside(reader, HiveName::System, Some(&set.name), &mut found);
    }
    look_beside(reader, HiveName::Software, None, &mut found);
    let path = NodePath::from(TS_POLICY);
    look_at(
        reader,
        HiveName::Software,
        None,
        path,
        TS_POLICY,
        &mut found,
    );
    name_profiles(&mut found);
    found
}

/// Names the profile that removes such names, where it knows the name.
fn name_profiles(found: &mut [Debris]) {
    let is_name = |debris: &Debris| matches!(debris.flaw, Flaw::Name(_));
    if !found.iter().any(is_name) {
        return;
    }
    let Ok(profile) = profile::load(REMOVES_NAMES) else {
        return;
    };
    for debris in found.iter_mut().filter(|debris| is_name(debris)) {
        let Some((name, _)) = &debris.value else {
            continue;
        };
        let below = match debris.control_set {
            Some(_) => debris.key.without_first().unwrap_or_default(),
            None => debris.key.clone(),
        };
        let key = below.text();
        let mut rules = profile.keys.iter().filter(|rule| {
            let segments = rule.path.segments.join("\\");
            rule.path.hive == debris.hive && segments.eq_ignore_ascii_case(key.raw())
        });
        let is_known = rules.any(|rule| {
            let mut values = rule.values.iter();
            values.any(|value| Name::from(value.name.as_str()).same_as(name))
        });
        debris.profile = is_known.then_some(REMOVES_NAMES);
    }
}

/// Keys that are read, each with the key above it; the first two are below a control set.
const READ: [(HiveName, &str, &str); 3] = [
    (HiveName::System, "Control", "Terminal Server"),
    (
        HiveName::System,
        "Control\\Terminal Server\\WinStations",
        "RDP-Tcp",
    ),
    (
        HiveName::Software,
        "Policies\\Microsoft\\Windows NT",
        "Terminal Services",
    ),
];

/// Looks for keys beside those that are read whose names are hardly told from theirs.
fn look_beside(
    reader: &Reader<'_, '_>,
    hive: HiveName,
    set: Option<&String>,
    found: &mut Vec<Debris>,
) {
    for (_, above, known) in READ.iter().filter(|(place, ..)| *place == hive) {
        let above = path_in(set.map(String::as_str), above);
        for name in reader.subkeys(hive, &above) {
            let Some(has) = hardly_told(&name.to_text(), known) else {
                continue;
            };
            found.push(Debris {
                hive,
                control_set: set.cloned(),
                key: above.join(name),
                value: None,
                flaw: Flaw::LooksLike { meant: known, has },
                profile: None,
            });
        }
    }
}

/// What a name has that hardly tells it from a known one, if it is another and looks the same.
fn hardly_told(name: &str, known: &str) -> Option<String> {
    let is_other = Name::from(name).folded() != Name::from(known).folded();
    if !is_other || !looks_the_same(name, known) {
        return None;
    }
    Some(disguised(name).map_or_else(|| "other blanks".to_owned(), why))
}

/// The known value that a name in this key looks like, and what tells them apart.
fn looks_like(hive: HiveName, key: &str, name: &str) -> Option<Flaw> {
    // Nearly every name is plain, and no known one has a blank in it.
    if disguised(name).is_none() && !name.contains(' ') {
        return None;
    }
    let place = match hive {
        HiveName::System => Place::ControlSet,
        HiveName::Software => Place::Software,
    };
    let names: Vec<String> = key.split('\\').map(str::to_owned).collect();
    let meant = near_value(place, &names, name)?.name;
    let has = hardly_told(name, meant)?;
    Some(Flaw::LooksLike { meant, has })
}

fn look_at(
    reader: &Reader<'_, '_>,
    hive: HiveName,
    control_set: Option<String>,
    path: NodePath,
    key: &str,
    found: &mut Vec<Debris>,
) {
    for (name, value) in reader.listed(hive, &path) {
        let text = name.to_text();
        let (flaw, profile) = if let Some(meant) = meant_by(&text) {
            (Flaw::Name(Foreign::from(meant)), None)
        } else if let Some(flaw) = looks_like(hive, key, &text) {
            (flaw, None)
        } else if let Some(mend) = wrong_type(key, &text, &value) {
            (Flaw::Type, mend)
        } else {
            continue;
        };
        found.push(Debris {
            hive,
            control_set: control_set.clone(),
            key: path.clone(),
            value: Some((name, value)),
            flaw,
            profile,
        });
    }
}

/// The name without quotes and blanks around it, where it has some.
pub(crate) fn meant_by(name: &str) -> Option<&str> {
    let is_debris = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '\'' | '"' | '`' | '\u{b4}' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}'
            )
    };
    let meant = name.trim_matches(is_debris);
    (meant.len() != name.len()).then_some(meant)
}

/// Whether a number is stored as something else; then the profile that mends it, if there is one.
fn wrong_type(key: &str, name: &str, value: &Value) -> Option<Option<&'static str>> {
    if value.kind == 4 {
        return None;
    }
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    if key != TS_POLICY {
        let mut known = KNOWN.iter().filter(|known| known.key == key);
        let known = known.find(|known| known.is_number && same(known.name))?;
        return Some(known.mend);
    }
    if value.kind == 1 && may_be_text(name) {
        return None;
    }
    let mut policies = KNOWN
        .iter()
        .filter(|known| known.policy_keys.contains(&TS_POLICY));
    let known = policies.find(|known| known.is_number && same(known.policy_name));
    if let Some(known) = known {
        return Some(known.lift);
    }
    let policy = policy(name).filter(|policy| policy.takes != Takes::Text);
    policy.map(|policy| policy.lift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_blanks_around_a_name_are_no_part_of_it() {
        for debris in [
            "'PortNumber'",
            " PortNumber",
            "PortNumber\u{a0}",
            "\"PortNumber",
            "\u{201c}PortNumber\u{201d}",
        ] {
            assert_eq!(meant_by(debris), Some("PortNumber"), "{debris}");
        }
        assert_eq!(meant_by("X509 Certificate ID"), None);
        assert_eq!(meant_by("it's"), None);
        assert_eq!(meant_by(""), None);
        assert_eq!(meant_by("'"), Some(""));
    }
}
