// SPDX-License-Identifier: GPL-3.0-or-later
//! Values as Windows will find them, and what is found wrong with them.

use std::rc::Rc;

use super::ask::Found;
use super::{Area, Evidence};
use crate::effect::{AskedKey, Reader, When};
use crate::machine::{State, Value, dword, path_in, text};
use crate::profile::{self, Cause, HiveName, Impact, WindowsVersion};
use crate::regf::{Name, NodePath};

/// Whether a file that the registry names is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    There,
    /// It is not.
    Missing,
    /// That cannot be told; why.
    Unknown(String),
}

/// Looks up a file by the text that the registry has for it.
pub type Files<'f> = dyn Fn(&str) -> Presence + 'f;

/// One control set, looked at.
pub(super) struct Look<'l, 'r, 'h> {
    pub(super) reader: &'l Reader<'r, 'h>,
    /// The control set's name.
    pub(super) set: &'l str,
    /// What Windows it is, where that is known.
    pub(super) version: Option<WindowsVersion>,
    pub(super) files: &'l Files<'l>,
    /// What is wrong.
    pub(super) found: Vec<Found>,
    /// What could not be judged.
    pub(super) open: Vec<(Area, String)>,
}

/// A place in a hive.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) hive: HiveName,
    /// Whether the key is below the control set.
    pub(super) in_set: bool,
    pub(super) key: &'a str,
}

/// A key below the control set.
pub(super) fn in_set(key: &str) -> At<'_> {
    At {
        hive: HiveName::System,
        in_set: true,
        key,
    }
}

/// A key of SYSTEM beside the control sets.
pub(super) fn in_system(key: &str) -> At<'_> {
    At {
        hive: HiveName::System,
        in_set: false,
        key,
    }
}

/// A key of SOFTWARE.
pub(super) fn in_software(key: &str) -> At<'_> {
    At {
        hive: HiveName::Software,
        in_set: false,
        key,
    }
}

impl Look<'_, '_, '_> {
    /// Whether this Windows is known to be at least this version.
    pub(super) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let version = self.version;
        version.is_some_and(|version| (version.major, version.minor) >= (major, minor))
    }

    pub(super) fn path(&self, at: At<'_>) -> NodePath {
        path_in(at.in_set.then_some(self.set), at.key)
    }

    fn key(&self, at: At<'_>) -> Rc<AskedKey> {
        self.reader.key(at.hive, &self.path(at))
    }

    /// Whether the key is there; not where that cannot be read.
    pub(super) fn has(&self, at: At<'_>) -> bool {
        self.reader.has_key(at.hive, &self.path(at)) == Some(true)
    }

    /// Whether the key is known not to be there.
    pub(super) fn lacks(&self, at: At<'_>) -> bool {
        self.reader.has(at.hive) && self.reader.has_key(at.hive, &self.path(at)) == Some(false)
    }

    pub(super) fn value(&self, at: At<'_>, name: &str) -> Option<Value> {
        self.reader.value(&self.key(at), name, When::AtStart)
    }

    pub(super) fn number(&self, at: At<'_>, name: &str) -> Option<u32> {
        self.value(at, name).as_ref().and_then(dword)
    }

    pub(super) fn text(&self, at: At<'_>, name: &str) -> Option<String> {
        self.value(at, name).as_ref().and_then(text)
    }

    /// The elements of a list, or of a text between commas.
    pub(super) fn list(&self, at: At<'_>, name: &str) -> Option<Vec<String>> {
        self.value(at, name).map(|value| elements(&value))
    }

    pub(super) fn subkeys(&self, at: At<'_>) -> Vec<String> {
        let names = self.reader.subkeys(at.hive, &self.path(at));
        names.iter().map(Name::to_text).collect()
    }

    /// Notes that something is wrong with a value, or with a key as a whole.
    pub(super) fn wrong(
        &mut self,
        (area, impact): (Area, Impact),
        cause: impl Into<String>,
        at: At<'_>,
        name: Option<&str>,
    ) -> Fault<'_> {
        let found = name.and_then(|name| self.value(at, name));
        let found = found.map(State::Value);
        let evidence = Evidence {
            hive: at.hive,
            control_set: at.in_set.then(|| self.set.to_owned()),
            key: self.path(at),
            value: name.map(Name::from),
            wanted: found.clone(),
            found,
            note: None,
        };
        self.found.push(Found {
            area,
            cause: Cause {
                impact,
                text: cause.into().into(),
            },
            profile: String::new(),
            with: Vec::new(),
            advice: None,
            evidence,
        });
        Fault(self.found.last_mut())
    }

    pub(super) fn open(&mut self, area: Area, why: impl Into<String>) {
        let why = why.into();
        let is_said = |(other, said): &(Area, String)| *other == area && *said == why;
        if !self.open.iter().any(is_said) {
            self.open.push((area, why));
        }
    }
}

/// What was just found wrong, to say more of it.
pub(super) struct Fault<'f>(Option<&'f mut Found>);

impl Fault<'_> {
    /// What to do about it where no profile does.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        if let Some(found) = &mut self.0 {
            found.advice = Some(advice.into());
        }
        self
    }

    /// The profile that mends it.
    pub(super) fn mended_by(mut self, profile: &str) -> Self {
        let is_known = profile::builtin().iter().any(|known| known.id == profile);
        if let Some(found) = self.0.as_mut().filter(|_| is_known) {
            profile.clone_into(&mut found.profile);
        }
        self
    }

    /// What else is to be known of the value.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        if let Some(found) = &mut self.0 {
            found.evidence.note = Some(note.into());
        }
        self
    }

    /// What the value should be.
    pub(super) fn should_be(mut self, value: Option<Value>) -> Self {
        if let Some(found) = &mut self.0 {
            found.evidence.wanted = value.map(State::Value);
        }
        self
    }
}

/// A REG_DWORD.
pub(super) fn dword_of(number: u32) -> Value {
    Value {
        kind: 4,
        data: number.to_le_bytes().to_vec(),
    }
}

/// The texts of a REG_MULTI_SZ, or of a text with commas between them.
pub(super) fn elements(value: &Value) -> Vec<String> {
    let units = value.data.as_chunks::<2>().0.iter();
    let units: Vec<u16> = units.map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16_lossy(&units);
    let separators: &[char] = match value.kind {
        7 => &['\0'],
        _ => &[',', '\0'],
    };
    let parts = text.split(separators).map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
