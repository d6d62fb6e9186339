// SPDX-License-Identifier: GPL-3.0-or-later
//! From a file's bytes to a profile.

use super::error::{ProfileErrors, Report, lines};
use super::{marks, profile, yaml};
use crate::files::{FileError, Kind};
use crate::profile::model::{Location, Profile};
use crate::text::escape;

/// What a file is read as, and the largest that is.
pub(crate) const PROFILE: Kind = Kind {
    what: "a profile",
    limit: 1024 * 1024,
};
/// What to do with a profile that is too large.
pub(crate) const SPLIT: &str = "split it: several profiles can be applied together";

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
    let mut profile = profile::profile(&root, report)?;
    profile.origin = origin.to_owned();
    profile.text = text.to_owned();
    Some(profile)
}

/// Recognizes what is given for a profile by mistake.
pub(crate) fn not_a_profile(bytes: &[u8]) -> Option<(String, &'static str)> {
    if bytes.starts_with(b"regf") {
        let message = "this is a registry hive, not a profile".to_owned();
        return Some((message, "name the hive with --system or --software"));
    }
    let Kind { what, limit } = PROFILE;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
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
    let lines = lines(text);
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

/// Whether what stands in a file says that it was written as a profile: `schema` is the first field,
/// or nothing but fields of a profile stands in front of it.
pub(crate) fn says_that_it_is_one(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    for line in lines(text) {
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
        if !line.starts_with([' ', '-']) && !profile::PROFILE_FIELDS.iter().any(is_field) {
            return false;
        }
    }
    // Nothing but blanks is nobody's secret.
    text.trim().is_empty()
}
