// SPDX-License-Identifier: GPL-3.0-or-later
//! What this program calls things itself, for `explain`: profiles, findings of `check`, exit codes,
//! and the values and services that its profiles are about.
//!
//! Each is made from the one place that has it: the profiles, `docs/findings.md`, the table of exit
//! codes, what is known of settings. Only what the question names is looked at.

use std::collections::BTreeSet;

use super::exit::Exit;
use super::failure::Failure;
use crate::explain::{Answer, Entry, Kind, ProfileHint};
use crate::profile::{self, Profile, ValueRule};
use crate::settings::{self, KNOWN, Known, VOLATILE, policy};

const FINDINGS: &str = include_str!("../../docs/findings.md");

/// Words of a question that are looked at.
const WORDS: usize = 200;
/// Words of a text that are looked for in all profiles.
const SETTINGS: usize = 12;
/// Words of a question that may all be names.
const FEW: usize = 6;
/// Shorter names are words of any sentence.
const SHORTEST: usize = 4;
/// Profiles that a setting names at most.
const PROFILES: usize = 6;

/// An entry for each own word in the text.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    let words = text.split(|c: char| !c.is_alphanumeric() && !"-_".contains(c));
    let words: BTreeSet<&str> = words
        .filter(|word| word.len() >= SHORTEST)
        .take(WORDS)
        .collect();
    let mut looked_up = 0_usize;
    for word in &words {
        if let Some(builtin) = profile::builtin()
            .iter()
            .find(|one| one.id.eq_ignore_ascii_case(word))
        {
            entries.push(profile_entry(&profile::load(builtin.id)?));
        }
        entries.extend(finding_entry(word));
        // In a sentence, a setting is a word that is spelled like one.
        let mut inner = word.chars().skip(1);
        let is_mixed = inner.any(char::is_uppercase) && word.contains(char::is_lowercase);
        if (words.len() <= FEW || is_mixed) && looked_up < SETTINGS {
            looked_up = looked_up.saturating_add(1);
            entries.extend(setting_entries(word)?);
        }
    }
    entries.extend(exit_entry(text));
    entries.extend(volatile_entry(text));
    Ok(entries)
}

/// A key that is on no disk, by the end of its path.
fn volatile_entry(text: &str) -> Option<Entry> {
    let text = text.trim().to_lowercase();
    let is_called = |called: &str| {
        let above = text.strip_suffix(&called.to_lowercase());
        above.is_some_and(|above| above.is_empty() || above.ends_with('\\'))
    };
    let mut known = VOLATILE.iter();
    let known = known.find(|known| !known.called.is_empty() && is_called(known.called))?;
    let meaning = sentence(&settings::sentence(known));
    let names = vec![known.called.to_owned(), text.clone()];
    let source = "The keys that hivemend knows to be on no disk";
    let mut entry = Entry::bare(Kind::Value, names, meaning, source);
    entry.key = Some(format!("HKLM\\SYSTEM\\CurrentControlSet\\{}", known.key));
    Some(entry)
}

/// The answer with what is known of each setting in it.
pub(super) fn detailed(mut answer: Answer<'_>) -> Result<Answer<'_>, Failure> {
    for found in &mut answer.entries {
        if !matches!(found.entry.kind, Kind::Value | Kind::Policy | Kind::Service) {
            continue;
        }
        let mut details = Vec::new();
        for name in &found.entry.names {
            details.extend(facts(name));
            details.extend(writers(name, found.entry.kind == Kind::Service)?);
        }
        details.dedup();
        found.entry.to_mut().details.extend(details);
    }
    Ok(answer)
}

fn hint(profile: &Profile) -> ProfileHint {
    ProfileHint {
        id: profile.id.clone(),
        what: profile.title.clone(),
        relaxes: profile.lowers_security(),
    }
}

fn profile_entry(profile: &Profile) -> Entry {
    let mut entry = Entry::bare(
        Kind::Profile,
        vec![profile.id.clone()],
        format!("{}.", profile.title.trim_end_matches('.')),
        &profile.source,
    );
    entry.profiles = vec![hint(profile)];
    entry.causes.clone_from(&profile.symptoms);
    entry.not_registry.clone_from(&profile.advice);
    let values = profile.keys.iter().flat_map(|key| &key.values);
    let names: BTreeSet<&str> = values
        .map(|value| value.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    if !names.is_empty() {
        entry
            .details
            .push(format!("It is about: {}", names.join(", ")));
    }
    for parameter in &profile.parameters {
        let default = parameter.default.as_ref();
        let default = default.map_or("it must be given".to_owned(), |value| {
            format!("{value} by default")
        });
        entry.details.push(format!(
            "--set {}=...: {} ({default})",
            parameter.name,
            parameter.accepted()
        ));
    }
    if let Some(undo) = &profile.undo {
        entry.details.push(format!(
            "{undo} takes it back, and so does hivemend restore"
        ));
    }
    entry.details.push(format!(
        "hivemend profile show {} prints it with its reasons",
        profile.id
    ));
    entry
}

/// What `docs/findings.md` says of a code.
fn finding_entry(word: &str) -> Option<Entry> {
    let mut sections = FINDINGS.split("\n### ").skip(1);
    let section = sections.find(|section| {
        let code = section
            .split('\n')
            .next()
            .unwrap_or_default()
            .trim_matches('`');
        code.eq_ignore_ascii_case(word)
    })?;
    let mut lines = section.lines().map(|line| line.replace('`', ""));
    let code = lines.next()?;
    let lines: Vec<String> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let line = |start: &str| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix(start))
            .map(str::to_owned)
    };
    let mut entry = Entry::bare(
        Kind::Finding,
        vec![code],
        line("Severity: ").map_or(String::new(), |text| {
            format!("A finding of hivemend check; {text}")
        }),
        "docs/findings.md",
    );
    entry
        .details
        .extend(line("- Windows: ").map(|text| format!("Windows {text}")));
    entry.offline.extend(line("- Do: "));
    Some(entry)
}

/// "exit code 3".
fn exit_entry(text: &str) -> Option<Entry> {
    let text = text.trim().to_lowercase();
    let number: u8 = text
        .strip_prefix("exit code ")
        .or_else(|| text.strip_prefix("exit "))?
        .trim()
        .parse()
        .ok()?;
    let (_, code, meaning) = Exit::TABLE.iter().find(|(_, code, _)| *code == number)?;
    let names = vec![format!("exit code {code}"), text.clone()];
    Some(Entry::bare(
        Kind::ExitCode,
        names,
        format!("hivemend ended with {code}: {meaning}."),
        "docs/exit-codes.md",
    ))
}

/// A value or a service that profiles are about.
fn setting_entries(word: &str) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for is_service in [false, true] {
        let mut rules = writing(word, is_service)?;
        rules.sort_by_key(|rule| !rule.is_named);
        let Some(first) = rules.first() else { continue };
        let kind = if is_service {
            Kind::Service
        } else {
            Kind::Value
        };
        let meaning = match is_service {
            true => "A service or driver that profiles are about.".to_owned(),
            false => sentence(&first.why),
        };
        let mut entry = Entry::bare(kind, vec![first.name.clone()], meaning, &first.source);
        entry.key = Some(first.key.clone());
        let mut hints: Vec<ProfileHint> = Vec::new();
        for rule in rules {
            if !hints.iter().any(|hint| hint.id == rule.profile.id) && hints.len() < PROFILES {
                hints.push(rule.profile);
            }
        }
        entry.profiles = hints;
        entries.push(entry);
    }
    Ok(entries)
}

fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// What a profile wants of a value.
struct Wanted {
    name: String,
    key: String,
    why: String,
    wants: String,
    source: String,
    profile: ProfileHint,
    /// Whether the reason speaks of the value.
    is_named: bool,
}

/// What each built-in profile wants of a value, or of a service's values.
fn writing(word: &str, is_service: bool) -> Result<Vec<Wanted>, Failure> {
    let mut found = Vec::new();
    let lower = word.to_lowercase();
    for builtin in profile::builtin() {
        // Reading a profile takes longer than looking for a word in it.
        if !builtin.text.to_lowercase().contains(&lower) {
            continue;
        }
        let profile = profile::load(builtin.id)?;
        for key in profile
            .keys
            .iter()
            .filter(|key| key.path.to_string().is_ascii() || !is_service)
        {
            let path = key.path.to_string();
            let service = path.rsplit_once("\\Services\\").map(|(_, rest)| rest);
            let service = service.map(|rest| rest.split('\\').next().unwrap_or_default());
            for value in &key.values {
                let name = if is_service {
                    service.unwrap_or_default()
                } else {
                    value.name.as_str()
                };
                if name.eq_ignore_ascii_case(word) {
                    found.push(Wanted {
                        name: name.to_owned(),
                        key: path.clone(),
                        why: value.why.to_string(),
                        wants: wants(value),
                        source: profile.source.clone(),
                        profile: hint(&profile),
                        is_named: value.why.contains(name) || value.cause.is_some(),
                    });
                }
            }
        }
    }
    Ok(found)
}

fn wants(value: &ValueRule) -> String {
    format!("{} {}", value.name, value.want)
}

/// What each profile makes of a setting, in a line.
fn writers(name: &str, is_service: bool) -> Result<Vec<String>, Failure> {
    let wanted = writing(name, is_service)?;
    let mut lines: Vec<String> = Vec::new();
    for wanted in wanted {
        let line = format!("{}: {}", wanted.profile.id, wanted.wants);
        if !lines.contains(&line) && lines.len() < PROFILES {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Who wins over a setting, and what a policy of its name can be.
fn facts(name: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let known = KNOWN
        .iter()
        .filter(|known| known.name.eq_ignore_ascii_case(name));
    for known in known.take(1) {
        facts.extend(winner(known));
        if let Some(flag) = known.inherit {
            facts.push(format!(
                "{flag} 1 beside it leaves the decision to the user's account"
            ));
        }
        if let Some(lift) = known.lift {
            facts.push(format!("{lift} removes the policy that wins"));
        }
    }
    facts.extend(policy(name).map(|policy| format!("As a policy: {}", policy.takes.hint())));
    facts
}

fn winner(known: &Known) -> Option<String> {
    let policy = known.policy_keys.first()?;
    let name = known.policy_name;
    Some(format!(
        "The policy {name} in SOFTWARE\\{policy} wins over it, where it is there"
    ))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::explain::Library;
    use crate::regf::FINDING_CODES;

    fn first(library: &Library, asked: &str) -> Option<Entry> {
        let own = entries(asked).unwrap();
        let answer = library.look_up(asked, false, &own).ok()?;
        let answer = detailed(answer).unwrap();
        let first: Cow<'_, Entry> = answer.entries.into_iter().next()?.entry;
        Some(first.into_owned())
    }

    /// Every word of its own and the heading that it is answered with, as they were when this list
    /// was made: a change is meant, or it is an error.
    #[test]
    fn the_vocabulary_is_as_it_was() {
        let library = Library::built_in().unwrap();
        let list = include_str!("../../testdata/explain/own-words.tsv");
        let lines = list.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('\t')).collect();
        for (word, title) in &words {
            let found = first(&library, word).map(|entry| entry.to_string());
            assert_eq!(found.as_deref(), Some(*title), "{word}");
        }
        let listed = |word: &str| words.iter().any(|(listed, _)| *listed == word);
        for builtin in profile::builtin() {
            assert!(listed(builtin.id), "{}", builtin.id);
        }
        for code in FINDING_CODES {
            assert!(listed(code.name), "{}", code.name);
        }
        let marks = library
            .entries()
            .iter()
            .filter(|entry| entry.kind == Kind::Mark);
        for mark in marks.flat_map(|entry| &entry.names) {
            assert!(listed(mark), "{mark}");
        }
        for known in KNOWN {
            assert!(listed(known.name), "{}", known.name);
        }
    }

    #[test]
    fn every_own_word_is_explained() {
        let library = Library::built_in().unwrap();
        for builtin in profile::builtin() {
            let entry = first(&library, builtin.id).unwrap_or_else(|| panic!("{}", builtin.id));
            assert_eq!((entry.kind, entry.name()), (Kind::Profile, builtin.id));
            assert!(
                !entry.details.is_empty() && !entry.sources.is_empty(),
                "{entry:?}"
            );
        }
        for code in FINDING_CODES {
            let entry = first(&library, code.name).unwrap_or_else(|| panic!("{}", code.name));
            assert_eq!((entry.kind, entry.name()), (Kind::Finding, code.name));
            assert!(
                !entry.offline.is_empty() && entry.meaning.len() > 30,
                "{entry:?}"
            );
        }
        for (_, code, _) in Exit::TABLE {
            let entry = first(&library, &format!("exit code {code}")).unwrap();
            assert_eq!(entry.kind, Kind::ExitCode);
        }
    }

    #[test]
    fn every_value_and_service_of_a_profile_is_explained() {
        let mut missing = BTreeSet::new();
        let library = Library::built_in().unwrap();
        let mut asked = BTreeSet::new();
        for builtin in profile::builtin() {
            let profile = profile::load(builtin.id).unwrap();
            for value in profile.keys.iter().flat_map(|key| &key.values) {
                // The names of debris are not those of settings: blanks and quotes around them.
                let is_name = value.name.chars().all(|c| c.is_ascii_alphanumeric());
                if is_name && value.name.len() >= SHORTEST {
                    asked.insert(value.name.clone());
                }
            }
        }
        for known in KNOWN {
            asked.insert(known.name.to_owned());
        }
        for name in asked {
            let own = entries(&name).unwrap();
            let answer = library.look_up(&name, false, &own);
            let found = answer.is_ok_and(|answer| {
                let names = &answer.entries[0].entry.names;
                names.iter().any(|other| other.eq_ignore_ascii_case(&name))
            });
            if !found {
                missing.insert(name);
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
