// SPDX-License-Identifier: GPL-3.0-or-later
//! From a name or a file's bytes to a profile.

use std::io;
use std::path::{Path, PathBuf};

use super::error::Report;
use super::{Location, Profile, ProfileErrors, builtin, marks, schema, yaml};
use crate::files::{self, FileError, Kind};
use crate::text::{Foreign, escape};

/// The largest profile that is read, in bytes.
pub const MAX_PROFILE_BYTES: usize = 1024 * 1024;
/// The same, as what a file is read as.
const PROFILE: Kind = Kind {
    what: "a profile",
    limit: 1024 * 1024,
};

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
            Self::BuiltIn(_) => "built-in".to_owned(),
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
            return parse(known.text.as_bytes(), "built-in");
        }
    };
    let bytes = files::read(path, PROFILE).map_err(|error| unreadable(origin, &error))?;
    let parsed = parse(&bytes, origin);
    // An error shows what stands in a file: not in one that somebody else meant for something else.
    if parsed.is_err() && not_a_profile(&bytes).is_none() && !says_that_it_is_one(&bytes) {
        let message = "this is not a profile: it does not begin with `schema: hivemend.profile/1`";
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

const SPLIT: &str = "split it: several profiles can be applied together";

/// Whether what stands in a file says that it was written as a profile: `schema` is the first field,
/// or nothing but fields of a profile stands in front of it.
fn says_that_it_is_one(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    for line in super::error::lines(text) {
        let word = line.trim();
        if word.is_empty() || word.starts_with('#') || word == "---" {
            continue;
        }
        let line = line
            .strip_prefix('{')
            .unwrap_or(line)
            .trim_start_matches('"');
        if let Some(schema) = line.strip_prefix("schema") {
            let schema = schema.trim_start_matches(['"', ' ', ':', '\'']);
            return schema.starts_with("hivemend.profile/");
        }
        let is_field = |name: &&str| {
            let rest = line.strip_prefix(*name);
            rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        if !line.starts_with([' ', '-']) && !schema::PROFILE_FIELDS.iter().any(is_field) {
            return false;
        }
    }
    // Nothing but blanks is nobody's secret.
    text.trim().is_empty()
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

/// Returns the candidate that `name` is most likely a slip of, if one is near enough.
pub(super) fn nearest<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase().replace('_', "-");
    let name = name.strip_prefix("reg-").unwrap_or(&name);
    let distance = |candidate: &str| strsim::osa_distance(name, candidate);
    let near = |candidate: &&str| distance(candidate) <= candidate.len().div_ceil(4).min(3);
    let candidates = candidates.iter().copied().filter(near);
    candidates.min_by_key(|candidate| distance(candidate))
}

/// Reads a profile from its bytes; `origin` is where they come from, for messages.
///
/// # Errors
///
/// Everything that is wrong with it, each with its place and what to write instead.
pub fn parse(bytes: &[u8], origin: &str) -> Result<Profile, ProfileErrors> {
    if let Some((message, hint)) = not_a_profile(bytes) {
        return Err(ProfileErrors::whole(origin, message, hint));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(bytes, error.valid_up_to(), origin)),
    };
    let mut report = Report::new(origin, text);
    let profile = read(text, origin, &mut report);
    report.finish(profile)
}

fn read(text: &str, origin: &str, report: &mut Report<'_>) -> Option<Profile> {
    if let Some((at, c)) = control_character(text) {
        let message = format!(
            "there is a control character, `{}`, here",
            escape(&c.to_string())
        );
        report.error(at, message, "remove it: a profile is plain text");
        return None;
    }
    let marks = marks::scan(text, report)?;
    let root = yaml::read(text, &marks, report)?;
    let mut profile = schema::profile(&root, report)?;
    profile.origin = origin.to_owned();
    profile.text = text.to_owned();
    Some(profile)
}

/// Recognizes what is given for a profile by mistake.
fn not_a_profile(bytes: &[u8]) -> Option<(String, &'static str)> {
    if bytes.starts_with(b"regf") {
        let message = "this is a registry hive, not a profile".to_owned();
        return Some((message, "name the hive with --system or --software"));
    }
    if bytes.len() > MAX_PROFILE_BYTES {
        let Kind { what, limit } = PROFILE;
        return Some((FileError::TooLarge { what, limit }.to_string(), SPLIT));
    }
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let start = bytes.iter().filter(|&&byte| !matches!(byte, 0 | 0x80..));
    let start: Vec<u8> = start.take(64).copied().collect();
    let start = start.trim_ascii_start();
    if start.starts_with(b"Windows Registry Editor") || start.starts_with(b"REGEDIT4") {
        let hint = "write its keys and values as a profile: docs/profiles.md has an example";
        return Some(("this is a .reg file, not a profile".to_owned(), hint));
    }
    if utf16 {
        let hint = "save it as UTF-8";
        return Some(("this is UTF-16 text; a profile is UTF-8".to_owned(), hint));
    }
    None
}

fn not_utf8(bytes: &[u8], valid_up_to: usize, origin: &str) -> ProfileErrors {
    let valid = bytes.get(..valid_up_to).unwrap_or_default();
    let valid = String::from_utf8_lossy(valid);
    let whole = String::from_utf8_lossy(bytes);
    let mut report = Report::new(origin, &whole);
    let hint = "save the file as UTF-8";
    report.error(place_behind(&valid), "this is not UTF-8 text", hint);
    match report.finish::<()>(None) {
        Err(errors) => errors,
        Ok(()) => ProfileErrors::whole(origin, "this is not UTF-8 text", hint),
    }
}

/// Returns where the character behind `text` would stand.
fn place_behind(text: &str) -> Location {
    let lines = super::error::lines(text);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let column = lines.last().map_or(0, |line| line.chars().count());
    Location {
        line: count(lines.len()),
        column: count(column).saturating_add(1),
    }
}

/// Finds the first character that YAML does not allow in a file.
fn control_character(text: &str) -> Option<(Location, char)> {
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let (index, c) = text.char_indices().find(|&(_, c)| forbidden(c))?;
    Some((place_behind(text.get(..index)?), c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let ids = ["rdp-disconnects", "rdp-defaults"];
        assert_eq!(nearest("rdp-disconnect", &ids), Some("rdp-disconnects"));
        assert_eq!(nearest("RDP_Defaults", &ids), Some("rdp-defaults"));
        assert_eq!(nearest("boot", &ids), None);
        assert_eq!(nearest("REG_DWORD", &["qword", "dword"]), Some("dword"));
        assert_eq!(nearest(&"x".repeat(1 << 20), &ids), None);
    }

    #[test]
    fn a_path_is_told_from_an_id() {
        for path in ["./x", r"C:\x", "x.yaml", "x.YML", "profiles/x"] {
            assert!(is_path(path), "{path}");
        }
        assert!(!is_path("rdp-defaults"));
    }
}
