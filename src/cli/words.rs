// SPDX-License-Identifier: GPL-3.0-or-later
//! The words of the command line as the shell gave them, and what a shell makes of them that nobody
//! meant.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::args::{Command, ProfileCommand};
use crate::text::quoted;

/// The words that were typed; `/?` at the end asks for help, as everywhere on Windows.
pub(super) fn typed() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let asks = |word: &&mut OsString| cfg!(windows) && is_question(word);
    if let Some(last) = words.last_mut().filter(asks) {
        *last = "--help".into();
    }
    words
}

fn is_question(word: &OsStr) -> bool {
    word == "/?" || word == "-?"
}

/// The word in which a quotation mark stands behind a path: no path has one, and in `"F:\"` it is what
/// the two characters in front of `-p` mean.
pub(super) fn with_quote(words: &[OsString]) -> Option<String> {
    if !cfg!(windows) {
        return None;
    }
    let words = words.iter().skip(1).map(|word| word.to_string_lossy());
    let mut words = words.map(std::borrow::Cow::into_owned);
    words.find(|word| is_path_with_quote(word))
}

fn is_path_with_quote(word: &str) -> bool {
    let Some((before, _)) = word.split_once('"') else {
        return false;
    };
    let drive = matches!(before.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || before.contains('\\') || before == "." || before == ".."
}

/// What is said of such a word.
pub(super) fn about_quote(word: &str) -> String {
    let path = word.split_once('"').map_or(word, |(before, _)| before);
    format!(
        "There is a quotation mark in {}: in front of a closing quotation mark a backslash makes it part of \
         the word, and all that follows too. Write the path without the backslash at its end, or {path}\\ \
         without quotes",
        quoted(word)
    )
}

/// The first word behind the command that is there on the disk: the target, as far as can be told
/// from a line that cannot be read.
pub(super) fn place(words: &[OsString]) -> Option<&Path> {
    let behind = words.iter().skip(2).map(Path::new);
    let mut behind = behind.filter(|word| word.to_str().is_some_and(|text| !text.starts_with('-')));
    behind.find(|word| word.exists())
}

/// Puts the files in place of each pattern where a command takes several.
pub(super) fn expand(command: &mut Command) {
    let paths = |words: &mut Vec<PathBuf>| {
        *words = words.iter().flat_map(|word| expanded(word)).collect();
    };
    let profiles = |words: &mut Vec<String>| {
        let found = words.iter().flat_map(|word| expanded(Path::new(word)));
        *words = found
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
    };
    match command {
        Command::Plan(args) => profiles(&mut args.profiles),
        Command::Apply(args) => profiles(&mut args.profiles),
        Command::Fix(args) => profiles(&mut args.profiles),
        Command::Check(args) => paths(&mut args.places),
        Command::Disks(args) => paths(&mut args.roots),
        Command::Profile(args) => match &mut args.command {
            ProfileCommand::Check {
                profiles: words, ..
            } => profiles(words),
            ProfileCommand::Import(args) => paths(&mut args.files),
            _ => {}
        },
        _ => {}
    }
}

/// The files that a pattern such as `*.yaml` means, where the shell leaves that to the program, as those
/// of Windows do; the word itself where it is no pattern, or nothing is called so.
fn expanded(word: &Path) -> Vec<PathBuf> {
    let is_pattern = |text: &str| text.contains(['*', '?']) && !text.starts_with(r"\\?\");
    let pattern = word
        .to_str()
        .filter(|text| cfg!(windows) && is_pattern(text));
    let found = pattern.map(matching).unwrap_or_default();
    match found.is_empty() {
        true => vec![word.to_path_buf()],
        false => found,
    }
}

/// The files in one folder whose names match, sorted.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let path = Path::new(pattern);
    let (Some(name), Some(folder)) = (path.file_name().and_then(OsStr::to_str), path.parent())
    else {
        return Vec::new();
    };
    let list = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let Ok(entries) = std::fs::read_dir(list) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let is_match = |found: &OsString| found.to_str().is_some_and(|found| matches(name, found));
    let mut names: Vec<OsString> = names.filter(is_match).collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a file is called as the pattern says, in whatever case; `*` is any characters, `?` is one.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let mut ends = vec![true];
    ends.extend(pattern.iter().map(|_| false));
    let starred = |ends: &mut Vec<bool>| {
        for (at, c) in pattern.iter().enumerate() {
            let before = ends.get(at).copied().unwrap_or(false);
            if let Some(end) = ends.get_mut(at.saturating_add(1)) {
                *end |= before && *c == '*';
            }
        }
    };
    starred(&mut ends);
    for found in name.to_lowercase().chars() {
        // What of the pattern may have been read in front of this character, and behind it.
        let mut next = vec![false];
        for (at, c) in pattern.iter().enumerate() {
            let before = ends.get(at).copied().unwrap_or(false);
            let stays = ends.get(at.saturating_add(1)).copied().unwrap_or(false);
            next.push(match c {
                '*' => stays,
                '?' => before,
                c => before && *c == found,
            });
        }
        starred(&mut next);
        ends = next;
    }
    ends.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_windows_matches_them() {
        for (pattern, name, is_so) in [
            ("*.yaml", "a.YAML", true),
            ("*.yaml", "a.yaml.txt", false),
            ("*", "", true),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("**x", "abx", true),
            ("S*M", "SYSTEM", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), is_so, "{pattern} {name}");
        }
    }

    #[test]
    fn files_of_one_folder_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yaml", "c.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let pattern = folder.path().join("*.yaml").display().to_string();
        let found = matching(&pattern);
        assert_eq!(
            found,
            ["a.yaml", "b.yaml"].map(|name| folder.path().join(name))
        );
        let none = folder.path().join("*.reg").display().to_string();
        assert!(matching(&none).is_empty());
    }

    #[test]
    fn a_quotation_mark_behind_a_path_is_the_shells() {
        for word in [
            "F:\" -p x",
            "F:\"",
            r#"C:\os disk" --yes"#,
            r#"\\server\d$" -p"#,
            r#".\x""#,
        ] {
            assert!(is_path_with_quote(word), "{word}");
        }
        for word in [
            "F:\\",
            r#"he said "x""#,
            r#""C:\a b.exe" -k"#,
            "Fehler \"1068\"",
        ] {
            assert!(!is_path_with_quote(word), "{word}");
        }
        let said = about_quote("F:\" -p x");
        assert!(said.contains("F:\\ without quotes"), "{said}");
    }

    #[test]
    fn help_may_be_asked_for_as_on_windows() {
        assert!(is_question(OsStr::new("/?")));
        assert!(!is_question(OsStr::new("/??")));
    }
}
