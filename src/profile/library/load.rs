// SPDX-License-Identifier: GPL-3.0-or-later
//! From a name or a file's bytes to a profile.

use std::io;
use std::path::{Path, PathBuf};

use super::shipped::builtin;
use crate::files::{self, FileError};
use crate::profile::model::{BUILT_IN, Profile, SCHEMA};
use crate::profile::reading::{
    PROFILE, ProfileErrors, SPLIT, nearest, not_a_profile, parse, says_that_it_is_one,
};
use crate::text::Foreign;

/// Loads a profile by its name.
///
/// What holds a path separator or ends in `.yaml` or `.yml` is a file; else it is the id of a
/// built-in profile; else it is a file again if there is one.
///
/// # Errors
///
/// If there is no such profile or it cannot be read, and all that is wrong with what it says.
pub fn load(spec: &str) -> Result<Profile, ProfileErrors> {
    read_place(&Place::of(spec)?, spec)
}

/// What tells one profile from another: an id, or a file with all links resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    BuiltIn(String),
    File(PathBuf),
}

impl Place {
    /// What a name stands for.
    pub(super) fn of(spec: &str) -> Result<Self, ProfileErrors> {
        if !is_path(spec) {
            if builtin().iter().any(|known| known.id == spec) {
                return Ok(Self::BuiltIn(spec.to_owned()));
            }
            if !Path::new(spec).exists() {
                return Err(unknown(spec));
            }
        }
        let place = files::resolve(Path::new(spec));
        place
            .map(Self::File)
            .map_err(|error| unreadable(spec, &error))
    }

    /// The name of a profile that is here, for messages.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::BuiltIn(_) => BUILT_IN.to_owned(),
            Self::File(path) => Foreign::path(path).raw().to_owned(),
        }
    }
}

/// Reads the profile at `place`, which messages call `origin`.
pub(super) fn read_place(place: &Place, origin: &str) -> Result<Profile, ProfileErrors> {
    let path = match place {
        Place::File(path) => path,
        Place::BuiltIn(id) => {
            let known = builtin().iter().find(|known| known.id == id);
            let known = known.ok_or_else(|| unknown(id))?;
            return parse(known.text.as_bytes(), BUILT_IN);
        }
    };
    let bytes = files::read(path, PROFILE).map_err(|error| unreadable(origin, &error))?;
    let parsed = parse(&bytes, origin);
    // An error shows what stands in a file: not in one that somebody else meant for something else.
    if parsed.is_err() && not_a_profile(&bytes).is_none() && !says_that_it_is_one(&bytes) {
        let message = format!("this is not a profile: it does not begin with `schema: {SCHEMA}`");
        let hint = "write that in its first line; docs/profiles.md has an example";
        return Err(ProfileErrors::whole(origin, message, hint));
    }
    parsed
}

fn unreadable(origin: &str, error: &FileError) -> ProfileErrors {
    let (message, hint) = match error {
        FileError::TooLarge { .. } => (error.to_string(), SPLIT),
        FileError::NotAFile("folder") => (not_read(error), "name a YAML file in it"),
        FileError::Io(source) if source.kind() == io::ErrorKind::NotFound => {
            let hint = "check the path; built-in profiles are named without one";
            (not_read(error), hint)
        }
        _ => (not_read(error), ""),
    };
    ProfileErrors::whole(origin, message, hint)
}

fn not_read(error: &FileError) -> String {
    format!("cannot be read: {error}")
}

pub(super) fn is_path(spec: &str) -> bool {
    let extension = Path::new(spec).extension().unwrap_or_default();
    let is_yaml = ["yaml", "yml"]
        .iter()
        .any(|yaml| extension.eq_ignore_ascii_case(yaml));
    is_yaml || spec.contains(['/', '\\'])
}

fn unknown(spec: &str) -> ProfileErrors {
    let ids: Vec<&str> = builtin().iter().map(|known| known.id).collect();
    let known = "`hivemend profile list` names the built-in ones; a file is named by its path";
    let hint = match nearest(spec, &ids) {
        Some(near) => format!("did you mean {near}? {known}"),
        None => known.to_owned(),
    };
    ProfileErrors::whole(spec, "there is no profile of this name", hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_an_id() {
        for path in ["./x", r"C:\x", "x.yaml", "x.YML", "profiles/x"] {
            assert!(is_path(path), "{path}");
        }
        assert!(!is_path("rdp-defaults"));
    }
}
