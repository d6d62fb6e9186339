// SPDX-License-Identifier: GPL-3.0-or-later
//! The data file: its rows, and how they become entries.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::fold::{fold, squeeze};
use super::question::Question;
use super::texts::{Index, Rule};
use super::{Entry, Kind, ProfileHint};

const BUILT_IN: &str = include_str!("../../data/explain.json");
const SCHEMA: &str = "hivemend.explain-data/2";

/// Everything that can be asked for.
#[derive(Clone, Debug)]
pub struct Library {
    entries: Vec<Entry>,
    profiles: Vec<ProfileHint>,
    rules: Vec<Rule>,
    index: OnceLock<Index>,
}

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// It is no JSON of this form.
    #[error("the explanations cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the explanations are of schema {0:?}, expected {SCHEMA}")]
    Schema(String),
    /// A row names something that is not there.
    #[error("the explanations name the {what} {id:?}, which is not among them")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The licence; JSON has no comments.
    #[serde(rename = "spdx")]
    _licence: String,
    schema: String,
    sources: Vec<SourceRow>,
    profiles: Vec<ProfileHint>,
    topics: Vec<TopicRow>,
    entries: Vec<EntryRow>,
    languages: Vec<RuleRow>,
}

/// Key words of the sentences that say what an entry is about, in one language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRow {
    /// What it is: the name of a message, or a kind and a number.
    is: String,
    /// The language, for whoever reads the data.
    #[serde(rename = "lang")]
    _language: String,
    /// Parts of words that all must be there.
    all: Vec<String>,
}

/// A number, or one in hex as it is usually written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "NumberRow")]
struct Number(u32);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberRow {
    Decimal(u32),
    Hex(String),
}

impl TryFrom<NumberRow> for Number {
    type Error = String;

    fn try_from(row: NumberRow) -> Result<Self, String> {
        match row {
            NumberRow::Decimal(number) => Ok(Self(number)),
            NumberRow::Hex(text) => {
                let digits = text.strip_prefix("0x").unwrap_or_default();
                let number = u32::from_str_radix(digits, 16);
                number
                    .map(Self)
                    .map_err(|_| format!("{text:?} is no number"))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRow {
    id: String,
    title: String,
}

/// What many entries have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicRow {
    id: String,
    #[serde(default)]
    causes: Vec<String>,
    #[serde(default)]
    profiles: Vec<String>,
    #[serde(default)]
    offline: Vec<String>,
    #[serde(default)]
    not_registry: Vec<String>,
    #[serde(default)]
    diagnose: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRow {
    kind: Kind,
    code: Option<Number>,
    #[serde(default)]
    origin: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    key: Option<String>,
    #[serde(default)]
    phrases: Vec<String>,
    meaning: String,
    disagree: Option<String>,
    topic: Option<String>,
    /// They come before the topic's.
    #[serde(default)]
    causes: Vec<String>,
    /// Where there are any, they stand in place of the topic's.
    #[serde(default)]
    profiles: Vec<String>,
    /// They come before the topic's.
    #[serde(default)]
    offline: Vec<String>,
    /// Where there are any, they stand in place of the topic's.
    #[serde(default)]
    not_registry: Vec<String>,
    #[serde(default)]
    diagnose: bool,
    sources: Vec<String>,
}

impl Library {
    /// The explanations that are part of the program.
    ///
    /// # Errors
    ///
    /// Where they cannot be read, which a test rules out.
    pub fn built_in() -> Result<Self, DataError> {
        Self::parse(BUILT_IN)
    }

    /// Reads explanations from JSON.
    ///
    /// # Errors
    ///
    /// [`DataError`] for another form, and for a topic, source or profile that is not there.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let mut file: File = serde_json::from_str(text)?;
        if file.schema != SCHEMA {
            return Err(DataError::Schema(file.schema));
        }
        let rows = std::mem::take(&mut file.entries).into_iter();
        let entries: Vec<Entry> = rows.map(|row| file.entry(row)).collect::<Result<_, _>>()?;
        let called = called(&entries);
        let rules = std::mem::take(&mut file.languages).into_iter();
        let rules = rules
            .map(|row| rule(row, &called))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            entries,
            profiles: file.profiles,
            rules,
            index: OnceLock::new(),
        })
    }

    /// Every entry, in the data's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every entry, and each of `own`, with how well it answers, 0 to 100, in the order of the data.
    pub(super) fn scores<'a>(
        &'a self,
        question: &Question,
        own: &'a [Entry],
    ) -> Vec<(f64, &'a Entry)> {
        // The entries' texts are taken apart when they are first needed.
        let index = self.index.get_or_init(|| Index::new(&self.entries));
        index.scores(question, (&self.entries, &self.rules), own)
    }

    /// Every profile that an entry may name.
    pub fn profiles(&self) -> &[ProfileHint] {
        &self.profiles
    }
}

/// What rules call each entry, and its place.
fn called(entries: &[Entry]) -> HashMap<String, usize> {
    let mut called = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let name = match entry.code {
            Some(code) if entry.kind != Kind::Event => format!("{} {code}", entry.kind.id()),
            _ => entry.name().to_owned(),
        };
        called.entry(name).or_insert(place);
    }
    called
}

fn rule(row: RuleRow, called: &HashMap<String, usize>) -> Result<Rule, DataError> {
    let what = "entry";
    let entry = called.get(row.is.as_str()).copied();
    let entry = entry.ok_or(DataError::Unknown { what, id: row.is })?;
    let all = row.all.iter().map(|part| squeeze(&fold(part))).collect();
    Ok(Rule { all, entry })
}

impl File {
    fn entry(&self, row: EntryRow) -> Result<Entry, DataError> {
        let topic = row.topic.map(|id| self.topic(id)).transpose()?;
        let mut causes = row.causes;
        let (mut offline, mut diagnose) = (row.offline, row.diagnose);
        let (mut profiles, mut not_registry) = (row.profiles, row.not_registry);
        if let Some(topic) = topic {
            causes.extend_from_slice(&topic.causes);
            offline.extend_from_slice(&topic.offline);
            diagnose |= topic.diagnose;
            if profiles.is_empty() {
                profiles.clone_from(&topic.profiles);
            }
            if not_registry.is_empty() {
                not_registry.clone_from(&topic.not_registry);
            }
        }
        let profiles = profiles.into_iter().map(|id| self.profile(id));
        let sources = row.sources.into_iter().map(|id| self.source(id));
        Ok(Entry {
            kind: row.kind,
            code: row.code.map(|Number(code)| code),
            origin: row.origin,
            names: row.names,
            key: row.key,
            phrases: row.phrases,
            meaning: row.meaning,
            disagreement: row.disagree,
            causes,
            profiles: profiles.collect::<Result<_, _>>()?,
            offline,
            not_registry,
            diagnose,
            details: Vec::new(),
            sources: sources.collect::<Result<_, _>>()?,
        })
    }

    fn topic(&self, id: String) -> Result<&TopicRow, DataError> {
        let found = self.topics.iter().find(|topic| topic.id == id);
        found.ok_or(DataError::Unknown { what: "topic", id })
    }

    fn profile(&self, id: String) -> Result<ProfileHint, DataError> {
        let found = self.profiles.iter().find(|profile| profile.id == id);
        let what = "profile";
        found.cloned().ok_or(DataError::Unknown { what, id })
    }

    fn source(&self, id: String) -> Result<String, DataError> {
        let found = self.sources.iter().find(|source| source.id == id);
        let title = found.map(|source| source.title.clone());
        title.ok_or(DataError::Unknown { what: "source", id })
    }
}
