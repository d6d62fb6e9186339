// SPDX-License-Identifier: GPL-3.0-or-later
//! From a question to the entries that answer it, the best first.

use super::question::{Number, Question};
use super::words::{Vocabulary, real, words};
use super::{Entry, Kind, Library};

/// An entry that fits less is no answer.
const LEAST: f64 = 40.0;
/// An entry that fits so much less than the best one is left out.
const NEAR_BEST: f64 = 0.6;
/// How many entries an answer has at most.
const MOST: usize = 5;
/// How many suggestions are made.
const SUGGESTIONS: usize = 4;

/// What answers a question; never empty.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The entries, the best first.
    pub entries: Vec<&'a Entry>,
}

/// Nothing answers a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// What could have been meant, as it would be typed; may be empty.
    pub suggestions: Vec<String>,
}

impl Library {
    /// Looks up a code, an event, a name or the words of a message.
    ///
    /// `extended` says that a number is an extended disconnect code.
    ///
    /// # Errors
    ///
    /// [`NotKnown`] with what is nearest.
    pub fn look_up(&self, text: &str, extended: bool) -> Result<Answer<'_>, NotKnown> {
        let question = Question::new(text, extended);
        let index = Index::new(self.entries());
        let asked = index.vocabulary.corrected(&question.words);
        let scores = index.known.iter().map(|known| {
            let kind = known.entry.kind;
            let is_meant = question.only.is_none_or(|only| only == kind);
            let score = if is_meant {
                index.score(known, &question, &asked)
            } else {
                0.0
            };
            (score, known.entry)
        });
        let mut scores: Vec<(f64, &Entry)> = scores.collect();
        // Equals stay in the order of the data.
        scores.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let best = scores.first().map_or(0.0, |(score, _)| *score);
        if best < LEAST {
            let suggestions = self.suggestions(&question, &scores);
            return Err(NotKnown { suggestions });
        }
        let least = LEAST.max(best * NEAR_BEST);
        let near = scores.into_iter().take_while(|(score, _)| *score >= least);
        let entries = near.take(MOST).map(|(_, entry)| entry).collect();
        Ok(Answer { entries })
    }

    /// Names and numbers spelled alike, then texts that have a little in common.
    fn suggestions(&self, question: &Question, scores: &[(f64, &Entry)]) -> Vec<String> {
        // The distance to an endless text takes endless time.
        let text: String = question.text.to_lowercase().chars().take(100).collect();
        let mut near = Vec::new();
        for entry in self.entries() {
            let is_meant = question.only.is_none_or(|only| only == entry.kind);
            let numbers = question.numbers.first().and(entry.code);
            let number = numbers.map(|code| code.to_string());
            let asked = question
                .numbers
                .first()
                .map(|number| number.code.to_string());
            let alike = number.zip(asked).map(|(one, other)| alike(&one, &other));
            let names = entry.names.iter().map(|name| alike_name(name, &text));
            let best = names.chain(alike).fold(0.0, f64::max);
            if is_meant && best >= 0.6 {
                near.push((best, entry));
            }
        }
        near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let near = near.into_iter().map(|(_, entry)| entry);
        let likely = scores.iter().filter(|(score, _)| *score >= LEAST / 2.0);
        let mut suggestions: Vec<String> = Vec::new();
        for entry in near.chain(likely.map(|(_, entry)| *entry)) {
            let suggestion = entry.question();
            if suggestions.len() < SUGGESTIONS && !suggestions.contains(&suggestion) {
                suggestions.push(suggestion);
            }
        }
        suggestions
    }
}

fn alike(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(one, other)
}

fn alike_name(name: &str, text: &str) -> f64 {
    alike(&name.to_lowercase(), text)
}

/// The entries with their texts as words.
struct Index<'a> {
    known: Vec<Known<'a>>,
    vocabulary: Vocabulary,
}

struct Known<'a> {
    entry: &'a Entry,
    origin: Vec<Vec<String>>,
    names: Vec<Vec<String>>,
    phrases: Vec<Vec<String>>,
    meaning: Vec<String>,
}

impl<'a> Index<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let known = entries.iter().map(|entry| Known {
            entry,
            origin: entry.origin.iter().map(|text| words(text)).collect(),
            names: entry.names.iter().map(|text| words(text)).collect(),
            phrases: entry.phrases.iter().map(|text| words(text)).collect(),
            meaning: words(&entry.meaning),
        });
        let known: Vec<Known<'a>> = known.collect();
        let texts = known.iter().flat_map(|known| {
            let texts = known
                .names
                .iter()
                .chain(&known.phrases)
                .chain(&known.origin);
            texts.chain([&known.meaning]).map(Vec::as_slice)
        });
        let vocabulary = Vocabulary::new(texts);
        Self { known, vocabulary }
    }

    /// How well an entry answers: 0 to 100.
    fn score(&self, known: &Known<'_>, question: &Question, asked: &[String]) -> f64 {
        let numbers = question.numbers.iter();
        let by_number = numbers.map(|number| number_score(known, number, asked));
        let phrases = known.phrases.iter();
        let by_text = phrases.map(|text| self.vocabulary.likeness(asked, text));
        let names = known.names.iter();
        let by_words = names.map(|name| {
            // A name within a sentence says less about the sentence than its words do.
            let share = real(name.len()) / real(asked.len().max(1));
            self.vocabulary.likeness(asked, name) * (0.5 + 0.5 * share.min(1.0))
        });
        let by_name = [
            name_score(known.entry, question),
            self.meaning_score(known, asked),
        ];
        let by_words = by_text.chain(by_words);
        by_number.chain(by_words).chain(by_name).fold(0.0, f64::max)
    }

    /// What only the explanation has in common with the question counts less than a known text.
    fn meaning_score(&self, known: &Known<'_>, asked: &[String]) -> f64 {
        if let [only] = asked {
            let texts = known
                .names
                .iter()
                .chain(&known.phrases)
                .chain([&known.meaning]);
            let holds = texts.filter(|text| text.contains(only)).count();
            let is_word = only.len() > 2 && only.chars().any(char::is_alphabetic);
            return if holds > 0 && is_word { 45.0 } else { 0.0 };
        }
        0.6 * self.vocabulary.likeness(asked, &known.meaning)
    }
}

fn number_score(known: &Known<'_>, number: &Number, asked: &[String]) -> f64 {
    let kind = known.entry.kind;
    let is_other = number.kind.is_some_and(|said| said != kind);
    // Stop errors are written in hex, events and service errors never are.
    let is_written_so = match kind {
        Kind::Stop => number.is_hex || number.kind.is_some(),
        Kind::Event | Kind::ServiceError => !number.is_hex,
        _ => true,
    };
    if known.entry.code != Some(number.code) || is_other || !is_written_so {
        return 0.0;
    }
    let is_origin = known.origin.iter().any(|origin| {
        let named = origin.iter().filter(|word| asked.contains(word)).count();
        named > 0 && named.saturating_mul(2) >= origin.len()
    });
    if is_origin || number.is_alone && number.kind.is_some() {
        return 100.0;
    }
    match (number.is_alone, kind) {
        _ if number.code == 0 && !number.is_alone => 10.0,
        (false, _) => 60.0,
        // "error 1058" is what the services console says; nothing else is called so alone.
        (true, Kind::ServiceError) if asked.first().is_some_and(|word| word == "error") => 97.0,
        (true, Kind::Disconnect) => 95.0,
        (true, Kind::Event | Kind::Stop) => 90.0,
        (true, _) => 85.0,
    }
}

/// A name alone, at the end of a path, or somewhere in a sentence where it can be nothing else.
fn name_score(entry: &Entry, question: &Question) -> f64 {
    let text = question.text.as_str();
    let is = |name: &String, text: &str| name.to_lowercase() == text.to_lowercase();
    if entry.names.iter().any(|name| is(name, text)) {
        return 100.0;
    }
    let last = text.rsplit('\\').next().filter(|_| text.contains('\\'));
    if last.is_some_and(|last| entry.names.iter().any(|name| is(name, last))) {
        return 95.0;
    }
    let in_sentence = |name: &&String| {
        let inner = name.chars().skip(1);
        let is_no_word = name.chars().count() > 5 && inner.clone().any(char::is_uppercase);
        let parts = text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        is_no_word
            && inner.clone().any(char::is_lowercase)
            && parts.clone().any(|part| part == *name)
    };
    match entry.names.iter().find(in_sentence) {
        Some(_) => 65.0,
        None => 0.0,
    }
}
