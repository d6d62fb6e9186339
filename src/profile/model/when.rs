// SPDX-License-Identifier: GPL-3.0-or-later
//! Conditions: what must be so on a machine for a rule to hold.

use std::cmp::Ordering;
use std::fmt;

use super::choice::Choice;
use super::key_path::KeyPath;
use super::shown::joined;
use super::upcase::upcase;
use crate::text::escape;

/// One thing that must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// A key is there, or is not.
    Key {
        /// The key.
        path: KeyPath,
        /// Whether it must be there.
        exists: bool,
    },
    /// A value is there, or is not.
    Value {
        /// The key.
        path: KeyPath,
        /// The value's name.
        name: String,
        /// Whether it must be there.
        exists: bool,
    },
    /// A value is one of these, or none of them. A value that is not there is none of them.
    Is {
        /// The key.
        path: KeyPath,
        /// The value's name.
        name: String,
        /// What is asked for.
        choices: Vec<Choice>,
        /// Whether it must be one of them.
        is: bool,
    },
    /// Windows is of a version in this range.
    Windows(Versions),
    /// The machine is a member of a domain, or is not.
    DomainMember(bool),
    /// The machine is a domain controller, or is not.
    DomainController(bool),
    /// Windows is a server, or is not.
    Server(bool),
}

/// A version of Windows. Without a build it is not known, or does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowsVersion {
    /// 6 in 6.1.7601.
    pub major: u32,
    /// 1 in 6.1.7601.
    pub minor: u32,
    /// 7601 in 6.1.7601.
    pub build: Option<u32>,
}

/// Versions of Windows from one on, below another one, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first one.
    pub from: Option<WindowsVersion>,
    /// The first one beyond.
    pub below: Option<WindowsVersion>,
}

impl WindowsVersion {
    /// Says whether this version is `other` or newer; `None` where that hangs on a build that is
    /// not known.
    fn is_at_least(self, other: Self) -> Option<bool> {
        match (self.major, self.minor).cmp(&(other.major, other.minor)) {
            Ordering::Less => Some(false),
            Ordering::Greater => Some(true),
            Ordering::Equal => match (self.build, other.build.unwrap_or(0)) {
                (_, 0) => Some(true),
                (Some(build), wanted) => Some(build >= wanted),
                (None, _) => None,
            },
        }
    }

    fn key(self) -> (u32, u32, u32) {
        (self.major, self.minor, self.build.unwrap_or(0))
    }
}

impl Versions {
    /// Says whether the version is in the range; `None` where that hangs on a build that is not
    /// known.
    pub fn contain(&self, version: WindowsVersion) -> Option<bool> {
        let from = match self.from {
            Some(from) => version.is_at_least(from),
            None => Some(true),
        };
        let below = match self.below {
            Some(below) => version.is_at_least(below).map(|beyond| !beyond),
            None => Some(true),
        };
        match (from, below) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Whether no version is in both.
    fn exclude(&self, other: &Self) -> bool {
        let apart = |one: &Self, two: &Self| match (one.below, two.from) {
            (Some(below), Some(from)) => from.key() >= below.key(),
            _ => false,
        };
        apart(self, other) || apart(other, self)
    }

    /// Whether no version is in it at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.exclude(self)
    }
}

impl When {
    /// The key that is looked at, where one is.
    pub fn path(&self) -> Option<&KeyPath> {
        match self {
            Self::Key { path, .. } | Self::Value { path, .. } | Self::Is { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Whether both can never be so at once.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Windows(one), Self::Windows(two)) => one.exclude(two),
            (Self::DomainMember(one), Self::DomainMember(two))
            | (Self::DomainController(one), Self::DomainController(two))
            | (Self::Server(one), Self::Server(two)) => one != two,
            // A domain controller is a server, and a member of its domain.
            (Self::DomainController(true), Self::Server(false) | Self::DomainMember(false))
            | (Self::Server(false) | Self::DomainMember(false), Self::DomainController(true)) => {
                true
            }
            _ => self.is_on_same_key(other) && self.excludes_on_key(other),
        }
    }

    fn is_on_same_key(&self, other: &Self) -> bool {
        match (self.path(), other.path()) {
            (Some(one), Some(two)) => one.control_set == two.control_set && one.is_same_key(two),
            _ => false,
        }
    }

    /// The same for two conditions on one key.
    fn excludes_on_key(&self, other: &Self) -> bool {
        if let (Self::Key { exists: one, .. }, Self::Key { exists: two, .. }) = (self, other) {
            return one != two;
        }
        // Nothing is in a key that is not there.
        if let (Self::Key { exists: false, .. }, inside)
        | (inside, Self::Key { exists: false, .. }) = (self, other)
        {
            return inside.needs_value();
        }
        if self.value_name() != other.value_name() {
            return false;
        }
        match (self, other) {
            (Self::Value { exists: one, .. }, Self::Value { exists: two, .. }) => one != two,
            (Self::Value { exists: false, .. }, Self::Is { is: true, .. })
            | (Self::Is { is: true, .. }, Self::Value { exists: false, .. }) => true,
            (
                Self::Is {
                    choices: one, is, ..
                },
                Self::Is {
                    choices: two,
                    is: other_is,
                    ..
                },
            ) => match (is, other_is) {
                (true, true) => !one.iter().any(|one| two.iter().any(|two| one.meets(two))),
                (true, false) => all_covered(one, two),
                (false, true) => all_covered(two, one),
                (false, false) => false,
            },
            _ => false,
        }
    }

    fn needs_value(&self) -> bool {
        matches!(
            self,
            Self::Value { exists: true, .. } | Self::Is { is: true, .. }
        )
    }

    fn value_name(&self) -> Option<Vec<u16>> {
        match self {
            Self::Value { name, .. } | Self::Is { name, .. } => Some(upcase(name)),
            _ => None,
        }
    }
}

/// Whether each of `some` is one of `others` too.
fn all_covered(some: &[Choice], others: &[Choice]) -> bool {
    let is_one = |choice: &Choice| others.iter().any(|other| other.covers(choice));
    some.iter().all(is_one)
}

/// Whether some of these conditions can never be so together with some of those.
pub(super) fn exclude(some: &[&When], others: &[&When]) -> bool {
    let mut some = some.iter();
    some.any(|one| others.iter().any(|other| one.excludes(other)))
}

impl fmt::Display for WindowsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.build {
            Some(build) => write!(f, ".{build}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = self.from {
            write!(f, ">={from}")?;
        }
        if let Some(below) = self.below {
            let blank = if self.from.is_some() { " " } else { "" };
            write!(f, "{blank}<{below}")?;
        }
        Ok(())
    }
}

/// In words, safe for a terminal.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |path: &KeyPath, name: &str| {
            let path = escape(&path.to_string());
            match name {
                "" => format!("the unnamed value of {path}"),
                name => format!("{path}, value `{}`", escape(name)),
            }
        };
        let there = |exists: bool| match exists {
            true => "exists",
            false => "does not exist",
        };
        let no = |is: bool| if is { "" } else { "not " };
        match self {
            Self::Key { path, exists } => {
                write!(f, "{} {}", escape(&path.to_string()), there(*exists))
            }
            Self::Value { path, name, exists } => {
                write!(f, "{} {}", value(path, name), there(*exists))
            }
            Self::Is {
                path,
                name,
                choices,
                is,
            } => {
                let one_of = if choices.len() > 1 { "one of " } else { "" };
                let choices = joined(choices);
                write!(f, "{} is {}{one_of}{choices}", value(path, name), no(*is))
            }
            Self::Windows(versions) => write!(f, "Windows {versions}"),
            Self::DomainMember(is) => write!(f, "the machine is {}a member of a domain", no(*is)),
            Self::DomainController(is) => {
                write!(f, "the machine is {}a domain controller", no(*is))
            }
            Self::Server(is) => write!(f, "Windows is {}a server", no(*is)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32, build: Option<u32>) -> WindowsVersion {
        WindowsVersion {
            major,
            minor,
            build,
        }
    }

    fn windows(from: Option<WindowsVersion>, below: Option<WindowsVersion>) -> When {
        When::Windows(Versions { from, below })
    }

    #[test]
    fn a_build_that_is_not_known_leaves_the_answer_open() {
        let creators = Versions {
            from: Some(version(10, 0, Some(15063))),
            below: None,
        };
        assert_eq!(creators.contain(version(10, 0, Some(14393))), Some(false));
        assert_eq!(creators.contain(version(10, 0, Some(15063))), Some(true));
        assert_eq!(creators.contain(version(10, 0, None)), None);
        assert_eq!(creators.contain(version(6, 3, None)), Some(false));
        let seven = Versions {
            from: Some(version(6, 1, None)),
            below: Some(version(6, 2, None)),
        };
        assert_eq!(seven.contain(version(6, 1, None)), Some(true));
        assert_eq!(seven.contain(version(6, 2, Some(9200))), Some(false));
    }

    #[test]
    fn only_what_is_certain_excludes() {
        let key = |exists| When::Key {
            path: r"HKLM\SOFTWARE\A".parse().unwrap(),
            exists,
        };
        let is = |number, is| When::Is {
            path: r"HKLM\SOFTWARE\a".parse().unwrap(),
            name: "V".to_owned(),
            choices: vec![Choice::Data(super::super::data::Data::Dword(number))],
            is,
        };
        let old = windows(None, Some(version(6, 2, None)));
        let new = windows(Some(version(6, 2, None)), None);
        let seven = windows(Some(version(6, 1, None)), None);
        for (one, two, excludes) in [
            (&old, &new, true),
            (&old, &seven, false),
            (&key(true), &key(false), true),
            (&key(true), &key(true), false),
            (&is(1, true), &is(2, true), true),
            (&is(1, true), &is(1, false), true),
            (&is(1, false), &is(2, false), false),
            (&is(1, true), &key(false), true),
            (&is(1, false), &key(false), false),
            (&When::Server(true), &When::Server(false), true),
            (
                &When::DomainController(true),
                &When::DomainMember(false),
                true,
            ),
            (
                &When::DomainMember(true),
                &When::DomainController(false),
                false,
            ),
        ] {
            assert_eq!(one.excludes(two), excludes, "{one} / {two}");
            assert_eq!(two.excludes(one), excludes, "{two} / {one}");
        }
    }
}
