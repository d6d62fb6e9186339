// SPDX-License-Identifier: GPL-3.0-or-later
//! From a question to the entries that answer it, the best first.

use std::borrow::Cow;

use super::codes::{Notation, Written};
use super::nearest::{Nearest, nearest};
use super::question::Question;
use super::readings::{CodeRead, Found, read};
use super::said::Said;
use super::{Entry, Kind, Library, names};

/// An entry that fits less is no answer: its words are there by chance.
const LEAST: u32 = 56;
/// The same, where the text says a code that nobody knows: the words around it are of that code.
const LEAST_BESIDE_UNKNOWN: u32 = 75;
/// An entry that fits so much less than the best one is left out, in hundredths.
const NEAR_BEST: u32 = 60;
/// How many entries an answer has at most.
const MOST: usize = 5;

/// What answers a question; never empty.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The codes in the text, and what each can be.
    pub codes: Vec<CodeRead>,
    /// The entries, the best first.
    pub entries: Vec<Found<'a>>,
}

/// Nothing answers a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// The codes in the text; what is known of them, if anything.
    pub codes: Vec<CodeRead>,
    /// What is nearest, and why it is not it; may be empty.
    pub nearest: Vec<Nearest>,
}

impl Library {
    /// Looks up a code, an event, a name or the words of a message, among the entries and `own`,
    /// which the caller knows besides. `extended` says that a number is an extended disconnect
    /// code.
    ///
    /// # Errors
    ///
    /// [`NotKnown`] with what is nearest.
    pub fn look_up<'a>(
        &'a self,
        text: &str,
        extended: bool,
        own: &'a [Entry],
    ) -> Result<Answer<'a>, NotKnown> {
        let mut question = Question::new(text, extended);
        question.codes.extend(constants(&question.text));
        question.codes.extend(stop_words(&question.words));
        let mut scores = self.scores(&question, own);
        // Equals stay in the order of the data.
        scores.sort_by(|(one, _), (other, _)| other.total_cmp(one));

        let (mut codes, mut entries) = (Vec::new(), Vec::new());
        for written in &question.codes {
            let (read, found) = read(written, self, &question.words);
            let found = found.into_iter();
            entries.extend(
                found.filter(|found| question.only.is_none_or(|only| only == found.entry.kind)),
            );
            codes.push(read);
        }
        let is_said =
            |written: &Written| !written.is_loose && (written.said.is_some() || written.is_alone);
        let unknown = question.codes.iter().zip(&codes);
        let unknown = unknown.filter(|(written, _)| is_said(written));
        let is_unknown = { unknown }.any(|(_, read)| read.readings.is_empty());
        let least = if is_unknown {
            LEAST_BESIDE_UNKNOWN
        } else {
            LEAST
        };
        let readings: Vec<(Kind, u32)> = question
            .codes
            .iter()
            .zip(&codes)
            .filter(|(written, _)| is_said(written))
            .flat_map(|(_, read)| {
                read.readings
                    .iter()
                    .map(|reading| (reading.kind, reading.code))
            })
            .collect();
        // Where the text has a number of this kind, the words of another number are not meant.
        let is_another = |entry: &Entry| {
            entry.code.is_some_and(|code| {
                readings.iter().any(|(kind, _)| *kind == entry.kind)
                    && !readings.contains(&(entry.kind, code))
            })
        };
        let by_text = scores.iter().filter_map(|(score, entry)| {
            let score = whole(*score);
            (score >= least && !is_another(entry)).then_some(Found {
                entry: Cow::Borrowed(*entry),
                score,
            })
        });
        entries.extend(by_text);
        let entries = ranked(entries);
        if entries.is_empty() {
            let nearest = nearest(&question, self, own, &scores);
            return Err(NotKnown { codes, nearest });
        }
        Ok(Answer { codes, entries })
    }
}

/// The best first, each once, without those that fit much less.
fn ranked(mut entries: Vec<Found<'_>>) -> Vec<Found<'_>> {
    entries.sort_by_key(|found| std::cmp::Reverse(found.score));
    let best = entries.first().map_or(0, |found| found.score);
    let mut ranked: Vec<Found<'_>> = Vec::new();
    for found in entries {
        let is_same = |other: &&Found<'_>| {
            let (one, other) = (&found.entry, &other.entry);
            one.kind == other.kind
                && one.code == other.code
                && one.names == other.names
                && one.origin == other.origin
        };
        let is_near = found.score.saturating_mul(100) >= best.saturating_mul(NEAR_BEST);
        if is_near && ranked.len() < MOST && !ranked.iter().any(|other| is_same(&other)) {
            ranked.push(found);
        }
    }
    ranked
}

/// The names of constants in the text, as the codes that they are.
fn constants(text: &str) -> Vec<Written> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_name = |part: &&str| part.len() > 5 && part.contains('_');
    let names = parts.filter(is_name).take(MOST);
    let found = names.filter_map(|name| {
        let (kind, code) = names::numbered(name)?;
        let said = match kind {
            Kind::Stop => Said::Stop,
            Kind::SystemError => Said::System,
            _ => Said::Status,
        };
        Some(constant(name, code, said))
    });
    found.collect()
}

fn constant(name: &str, code: u32, said: Said) -> Written {
    Written {
        text: name.to_lowercase(),
        code: Some(code),
        notation: Notation::Hex,
        said: Some(said),
        is_alone: false,
        is_loose: false,
        parameters: Vec::new(),
    }
}

/// "Stop code: CRITICAL PROCESS DIED": the name without its underscores, as the screen shows it.
fn stop_words(words: &[String]) -> Option<Written> {
    const BEFORE: [&str; 8] = [
        "stop",
        "stopcode",
        "stopp",
        "bugcheck",
        "darret",
        "detencao",
        "detencion",
        "stopコート",
    ];
    let at = words
        .iter()
        .position(|word| BEFORE.contains(&word.as_str()))?;
    let behind: Vec<&str> = words.iter().skip(at).skip(1).map(String::as_str).collect();
    let behind = behind.strip_prefix(&["code"]).unwrap_or(&behind);
    let lengths = (2..=behind.len().min(8)).rev();
    lengths.into_iter().find_map(|length| {
        let name = behind.get(..length)?.join("_");
        let code = names::numbered(&name).filter(|(kind, _)| *kind == Kind::Stop);
        code.map(|(_, code)| constant(&name, code, Said::Stop))
    })
}

/// A score without its fraction.
fn whole(score: f64) -> u32 {
    let score = score.clamp(0.0, 100.0);
    (0..=100)
        .rev()
        .find(|whole| f64::from(*whole) <= score)
        .unwrap_or_default()
}
