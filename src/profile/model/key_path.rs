// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys as engineers and articles spell them.

use std::fmt;
use std::str::FromStr;

use super::other_roots;
use super::shown::{SHOWN, cut};
use super::upcase::upcase;
pub use crate::hive_name::HiveName;
use crate::text::escape;

/// The longest name of a key, in UTF-16 code units.
pub(super) const MAX_SEGMENT_UNITS: usize = 255;
/// The longest name of a value, in UTF-16 code units.
pub(crate) const MAX_NAME_UNITS: usize = 16_383;
/// The deepest a key can be, in levels below the hive's root; the format's limit, which a test
/// compares with this one.
const MAX_LEVELS: usize = 511;

/// The control sets that a key in SYSTEM speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlSet {
    /// `CurrentControlSet`, which does not exist offline: each control set that is there.
    Every,
    /// `ControlSetNNN`: that one.
    Number(u16),
}

impl ControlSet {
    /// Says whether some control set is meant by both.
    fn overlaps(self, other: Self) -> bool {
        self == other || self == Self::Every || other == Self::Every
    }
}

impl fmt::Display for ControlSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("CurrentControlSet"),
            Self::Number(number) => write!(f, "ControlSet{number:03}"),
        }
    }
}

/// A key: its hive, its control set, and the names on the way to it.
///
/// Equality is by spelling; [`is_same_key`](Self::is_same_key) compares as Windows does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath {
    /// The hive it is in.
    pub hive: HiveName,
    /// The control set; `None` for SOFTWARE and for what is beside the control sets in SYSTEM,
    /// such as `Select`, `Setup` and `MountedDevices`.
    pub control_set: Option<ControlSet>,
    /// The names behind the control set, or behind the hive's root if there is none. In a profile
    /// some may be `*` or `{GUID}`, see [`wildcard`].
    pub segments: Vec<String>,
    /// Whether `*` and `{GUID}` are names here, and stand for nothing else.
    pub is_literal: bool,
}

/// A part of a profile's key that stands for every key at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcard {
    /// `*`: every key.
    Any,
    /// `{GUID}`: every key whose name is a GUID in braces.
    Guid,
}

/// What the name stands for, if not for itself.
pub fn wildcard(name: &str) -> Option<Wildcard> {
    match name {
        "*" => Some(Wildcard::Any),
        "{GUID}" => Some(Wildcard::Guid),
        _ => None,
    }
}

impl Wildcard {
    /// Whether it stands for a key of this name.
    pub fn matches(self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Guid => is_guid(name),
        }
    }
}

/// A GUID in braces, in whatever case.
fn is_guid(name: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let bare = name
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(bare) = bare else {
        return false;
    };
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = bare.split('-').collect();
    parts.len() == GROUPS.len()
        && parts
            .iter()
            .zip(GROUPS)
            .all(|(part, length)| part.len() == length && is_hex(part))
}

/// Why a text is not a key, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {hint}", message = escape(.message), hint = escape(.hint))]
pub struct KeyPathError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl KeyPathError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for KeyPath {
    /// As regedit spells it; not escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HKLM\\{}", self.hive)?;
        if let Some(control_set) = self.control_set {
            write!(f, "\\{control_set}")?;
        }
        self.segments
            .iter()
            .try_for_each(|name| write!(f, "\\{name}"))
    }
}

impl KeyPath {
    /// The key of a hive that these names lead to from its root.
    ///
    /// # Errors
    ///
    /// Where the first name of a key in SYSTEM is nearly that of a control set. `CurrentControlSet`
    /// is one of these: it does not exist in a hive that is not running.
    pub fn in_hive(hive: HiveName, names: &[String]) -> Result<Self, KeyPathError> {
        let spelled: Vec<&str> = names.iter().map(String::as_str).collect();
        let (control_set, rest) = match hive {
            HiveName::System => control_set(&spelled)?,
            HiveName::Software => (None, spelled.as_slice()),
        };
        if control_set == Some(ControlSet::Every) {
            let message = "`CurrentControlSet` does not exist in a hive that is not running";
            return Err(KeyPathError::new(
                message,
                "name a control set by its number",
            ));
        }
        Ok(Self {
            hive,
            control_set,
            segments: rest.iter().map(|&name| name.to_owned()).collect(),
            is_literal: true,
        })
    }

    /// Whether this is the key that says which control set boots.
    pub(crate) fn is_select(&self) -> bool {
        let names = self.segments.as_slice();
        self.hive == HiveName::System
            && self.control_set.is_none()
            && matches!(names, [name] if upcase(name.trim()) == upcase("Select"))
    }

    /// How many of its parts stand for every key at their place.
    pub fn wildcards(&self) -> usize {
        let names = self.segments.iter();
        names.filter(|name| self.wildcard(name).is_some()).count()
    }

    /// What one of its parts stands for, if not for itself.
    pub fn wildcard(&self, name: &str) -> Option<Wildcard> {
        wildcard(name).filter(|_| !self.is_literal)
    }

    /// Says whether both name the same key in some control set, in any case.
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.hive == other.hive
            && control_sets_overlap(self.control_set, other.control_set)
            && upcase(&self.segments.join("\\")) == upcase(&other.segments.join("\\"))
    }
}

/// Says whether some control set, or the part of the hive beside them, is meant by both.
pub(super) fn control_sets_overlap(one: Option<ControlSet>, other: Option<ControlSet>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.overlaps(other),
        (None, None) => true,
        _ => false,
    }
}

/// Reads a key as it is pasted from an article, regedit, PowerShell or a `.reg` file.
///
/// The hive's root and a control set by itself are keys too; a profile refuses them itself.
impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let names = split(text)?;
        let (hive, names) = hive(text, &names)?;
        if names.len() > MAX_LEVELS {
            let message = format!("the key is more than {MAX_LEVELS} levels below its hive");
            return Err(KeyPathError::new(message, "no registry has such a key"));
        }
        let (control_set, names) = match hive {
            HiveName::System => control_set(names)?,
            HiveName::Software => (None, names),
        };
        Ok(Self {
            hive,
            control_set,
            segments: names.iter().map(|&name| name.to_owned()).collect(),
            is_literal: false,
        })
    }
}

/// Returns the text for a message; what is too long for one is cut.
fn short(text: &str) -> String {
    const LONGEST: usize = 300;
    cut(text, LONGEST)
}

/// Splits at the backslashes and checks each name by itself.
fn split(text: &str) -> Result<Vec<&str>, KeyPathError> {
    if !text.contains('\\') && text.contains('/') {
        let hint = format!("write `{}`", short(&text.replace('/', "\\")));
        return Err(KeyPathError::new("a key is written with backslashes", hint));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare {
        let bare = short(bare);
        let hint = format!("write `{bare}`; `[-...]` of a .reg file is `absent: true` here");
        return Err(KeyPathError::new("a key is written without brackets", hint));
    }
    let names: Vec<&str> = text.split('\\').collect();
    if names.iter().any(|name| name.is_empty()) {
        let kept: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let hint = format!("write `{}`", short(&kept.join("\\")));
        return Err(KeyPathError::new(
            "the key has an empty name: a backslash too many",
            hint,
        ));
    }
    for name in &names {
        if name.contains('\0') {
            let hint = "a NUL cannot be in the name of a key";
            return Err(KeyPathError::new("the key has a NUL in it", hint));
        }
        let units = name.encode_utf16().count();
        if units > MAX_SEGMENT_UNITS {
            let message = format!("a name in the key is {units} UTF-16 units long");
            let hint = format!("the registry allows {MAX_SEGMENT_UNITS} in the name of a key");
            return Err(KeyPathError::new(message, hint));
        }
    }
    Ok(names)
}

/// Finds the hive in front of the names.
fn hive<'a, 'n>(
    text: &str,
    names: &'a [&'n str],
) -> Result<(HiveName, &'a [&'n str]), KeyPathError> {
    let (names, rooted) = without_root(names);
    let Some((first, rest)) = names.split_first() else {
        let hint = "add the hive: `HKLM\\SYSTEM\\...` or `HKLM\\SOFTWARE\\...`";
        return Err(KeyPathError::new("the key names no hive", hint));
    };
    let hive = match first.to_ascii_uppercase().as_str() {
        "BROKENSYSTEM" => HiveName::System,
        "BROKENSOFTWARE" => HiveName::Software,
        "SYSTEM" if rooted => HiveName::System,
        "SOFTWARE" if rooted => HiveName::Software,
        "SYSTEM" | "SOFTWARE" => {
            let hint = format!("write `HKLM\\{}`", short(text));
            return Err(KeyPathError::new("the key does not begin with HKLM", hint));
        }
        other => return Err(unknown_hive(text, other, rooted)),
    };
    Ok((hive, rest))
}

/// `HKLM` as regedit, PowerShell and articles spell it.
pub(super) const MACHINE: [&str; 5] = [
    "HKLM",
    "HKEY_LOCAL_MACHINE",
    "HKLM:",
    "Registry::HKLM",
    "Registry::HKEY_LOCAL_MACHINE",
];

/// Takes `HKLM` away, in each of its spellings, and says whether it was there.
fn without_root<'a, 'n>(names: &'a [&'n str]) -> (&'a [&'n str], bool) {
    let is = |name: &str, spellings: &[&str]| {
        spellings
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let names = match names.split_first() {
        // The address bar of regedit.
        Some((first, rest)) if is(first, &["Computer"]) => rest,
        _ => names,
    };
    match names.split_first() {
        Some((first, rest)) if is(first, &MACHINE) => (rest, true),
        _ => (names, false),
    }
}

fn unknown_hive(text: &str, name: &str, rooted: bool) -> KeyPathError {
    let hint = "begin with `HKLM\\SYSTEM\\CurrentControlSet\\` or `HKLM\\SOFTWARE\\`";
    let elsewhere = other_roots::hint(name, rooted);
    if rooted || elsewhere.is_some() || name.starts_with("HKEY_") {
        let shown: String = name.chars().take(SHOWN).collect();
        let message = format!("`{shown}` is not a hive that hivemend edits (SYSTEM, SOFTWARE)");
        return KeyPathError::new(message, elsewhere.unwrap_or(hint));
    }
    let control_set = name.starts_with("CURRENTCONTROLSET") || name.starts_with("CONTROLSET");
    let hint = match control_set {
        true => format!("write `HKLM\\SYSTEM\\{}`", short(text)),
        false => hint.to_owned(),
    };
    KeyPathError::new("the key does not begin with a hive", hint)
}

/// Finds the control set in front of the names of a key in SYSTEM.
fn control_set<'a, 'n>(
    names: &'a [&'n str],
) -> Result<(Option<ControlSet>, &'a [&'n str]), KeyPathError> {
    let Some((first, rest)) = names.split_first() else {
        return Ok((None, names));
    };
    let upper = first.to_ascii_uppercase();
    if upper == "CURRENTCONTROLSET" {
        return Ok((Some(ControlSet::Every), rest));
    }
    let hint =
        "write `CurrentControlSet` for each control set there is, or `ControlSet001` for one";
    let wrong = || KeyPathError::new(format!("`{}` is not a control set", short(first)), hint);
    let number = match upper.strip_prefix("CONTROLSET") {
        Some(number) => number,
        None if upper.starts_with("CURRENTCONTROLSET") => return Err(wrong()),
        None => return Ok((None, names)),
    };
    let is_number = number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    match number.parse() {
        Ok(number) if is_number && number > 0 => Ok((Some(ControlSet::Number(number)), rest)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> KeyPath {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_of_an_article_is_the_same_key() {
        let want = key(r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa");
        assert_eq!(want.control_set, Some(ControlSet::Every));
        assert_eq!(want.segments, ["Control", "Lsa"]);
        for text in [
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"hklm\system\CURRENTCONTROLSET\control\LSA",
            r"HKLM:\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Computer\HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"BROKENSYSTEM\ControlSet001\Control\Lsa",
            r"HKLM\BrokenSystem\controlset042\Control\Lsa",
        ] {
            assert!(want.is_same_key(&key(text)), "{text}");
        }
    }

    #[test]
    fn a_numbered_control_set_is_that_one() {
        let one = key(r"BROKENSYSTEM\ControlSet001\Control\Lsa");
        let two = key(r"HKLM\SYSTEM\ControlSet002\Control\Lsa");
        assert_eq!(one.control_set, Some(ControlSet::Number(1)));
        assert!(!one.is_same_key(&two));
        assert_eq!(one.to_string(), r"HKLM\SYSTEM\ControlSet001\Control\Lsa");
    }

    #[test]
    fn what_is_beside_the_control_sets_has_none() {
        let select = key(r"HKLM\SYSTEM\Select");
        assert_eq!((select.control_set, select.segments.len()), (None, 1));
        let policy = key(r"BROKENSOFTWARE\CurrentControlSet\x");
        assert_eq!(policy.hive, HiveName::Software);
        assert_eq!((policy.control_set, policy.segments.len()), (None, 2));
    }

    #[test]
    fn slashes_inside_a_name_are_part_of_it() {
        let path = key(
            r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Ciphers\AES 128/128",
        );
        assert_eq!(path.segments.last().unwrap(), "AES 128/128");
    }

    #[test]
    fn limits_are_those_of_the_registry() {
        let path = |units: usize| format!(r"HKLM\SOFTWARE\{}", "ä".repeat(units));
        assert!(path(255).parse::<KeyPath>().is_ok());
        assert!(path(256).parse::<KeyPath>().is_err());
        let astral = format!(r"HKLM\SOFTWARE\{}", "𝄞".repeat(128));
        assert!(
            astral.parse::<KeyPath>().is_err(),
            "128 pairs are 256 units"
        );
        let deep = format!(r"HKLM\SOFTWARE{}", r"\a".repeat(600));
        assert!(deep.parse::<KeyPath>().is_err());
        assert!("HKLM\\SOFTWARE\\a\0b".parse::<KeyPath>().is_err());
    }

    #[test]
    fn upper_case_is_taken_unit_by_unit() {
        assert_eq!(upcase("aäÿ"), upcase("AÄŸ"));
        // Two units in upper case: stays as it is, as in Windows.
        assert_eq!(upcase("ß"), "ß".encode_utf16().collect::<Vec<_>>());
        assert_ne!(upcase("ß"), upcase("SS"));
        // Beyond the basic plane Windows knows no case.
        assert_ne!(upcase("𐐨"), upcase("𐐀"));
    }
}
