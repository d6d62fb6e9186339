// SPDX-License-Identifier: GPL-3.0-or-later
//! How well the words and names of a question fit each entry.

use std::collections::HashSet;

use super::fold::fold;
use super::question::Question;
use super::words::{Compared, Vocabulary, is_number, is_telling, real, words};
use super::{Entry, Kind};

/// No name has as many bytes; comparing an endless text with each of them takes time.
const LONGEST_NAME: usize = 400;
/// What one key word of a rule, and each further one, is worth.
const RULE: f64 = 80.0;
const RULE_WORD: f64 = 3.0;
/// No sentence is worth more, so that a code of a said kind comes before it ...
const MESSAGE: f64 = 93.0;
/// ... but for sentences that are those of a code.
const CODED: f64 = 97.0;

/// Key words of a sentence in one language, and the entry that it is.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// All of these must be in the text; squeezed.
    pub(super) all: Vec<String>,
    /// The entry's place.
    pub(super) entry: usize,
}

/// The entries' texts as words, made once.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// In the order of the entries.
    known: Vec<Known>,
    vocabulary: Vocabulary,
}

#[derive(Clone, Debug)]
struct Known {
    origin: Vec<Vec<String>>,
    names: Vec<Text>,
    phrases: Vec<Text>,
    meaning: Text,
}

/// A text's words, and how many of them say something.
#[derive(Clone, Debug)]
struct Text {
    words: Vec<String>,
    telling: usize,
}

impl From<Vec<String>> for Text {
    fn from(words: Vec<String>) -> Self {
        let telling = words.iter().filter(|word| is_telling(word)).count();
        Self { words, telling }
    }
}

fn folded(text: &str) -> Vec<String> {
    words(&fold(text))
}

/// As a question's words are: numbers are codes, and no words.
fn phrase(text: &str) -> Vec<String> {
    let words = folded(text).into_iter();
    words.filter(|word| !is_number(word)).collect()
}

impl Known {
    fn new(entry: &Entry) -> Self {
        Self {
            origin: entry.origin.iter().map(|text| folded(text)).collect(),
            names: entry.names.iter().map(|text| folded(text).into()).collect(),
            phrases: entry
                .phrases
                .iter()
                .map(|text| phrase(text).into())
                .collect(),
            meaning: folded(&entry.meaning).into(),
        }
    }
}

impl Index {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let known: Vec<Known> = entries.iter().map(Known::new).collect();
        let texts = known.iter().flat_map(|known| {
            let texts = known.names.iter().chain(&known.phrases);
            let texts = texts.chain([&known.meaning]).map(|text| &text.words);
            texts.chain(&known.origin).map(Vec::as_slice)
        });
        let vocabulary = Vocabulary::new(texts);
        Self { known, vocabulary }
    }

    /// Every one of `entries`, those that the index was made of, and of `own` with how well it
    /// answers, 0 to 100, in the order of the data.
    pub(super) fn scores<'a>(
        &self,
        question: &Question,
        (entries, rules): (&'a [Entry], &[Rule]),
        own: &'a [Entry],
    ) -> Vec<(f64, &'a Entry)> {
        let asked = self.vocabulary.corrected(&question.words);
        let asked = self.vocabulary.compared(&asked);
        let parts = parts(&question.text);
        let rules = by_rules(question, entries, rules);
        let own_words: Vec<Known> = own.iter().map(Known::new).collect();
        let all = self.known.iter().zip(entries);
        let all = all.chain(own_words.iter().zip(own));
        let scores = all.map(|(known, entry)| {
            let is_meant = question.only.is_none_or(|only| only == entry.kind);
            let by_rule = rules
                .iter()
                .filter(|(other, _)| std::ptr::eq(*other, entry));
            let by_rule = by_rule.map(|(_, score)| *score).fold(0.0, f64::max);
            let score = self
                .score(known, entry, (question, &parts), &asked)
                .max(by_rule);
            (if is_meant { score } else { 0.0 }, entry)
        });
        scores.collect()
    }

    fn score(
        &self,
        known: &Known,
        entry: &Entry,
        (question, parts): (&Question, &HashSet<&str>),
        asked: &Compared<'_>,
    ) -> f64 {
        let likeness = |text: &Text| self.vocabulary.likeness(asked, &text.words, text.telling);
        let most = if entry.code.is_some() { CODED } else { MESSAGE };
        let phrases = known.phrases.iter();
        let by_text = phrases.map(|text| likeness(text).min(most));
        let names = known.names.iter();
        let by_words = names.map(|name| {
            // A name within a sentence says less about the sentence than its words do.
            let share = real(name.words.len()) / real(asked.words.len().max(1));
            likeness(name) * (0.5 + 0.5 * share.min(1.0))
        });
        let by_name = [
            name_score(entry, question, parts),
            self.meaning_score(known, asked),
        ];
        by_text.chain(by_words).chain(by_name).fold(0.0, f64::max)
    }

    /// What only the explanation has in common with the question counts less than a known text.
    fn meaning_score(&self, known: &Known, asked: &Compared<'_>) -> f64 {
        if let [only] = asked.words {
            let texts = known
                .names
                .iter()
                .chain(&known.phrases)
                .chain([&known.meaning]);
            let holds = texts.filter(|text| text.words.contains(only)).count();
            return if holds > 0 && is_telling(only) {
                46.0
            } else {
                0.0
            };
        }
        let Text { words, telling } = &known.meaning;
        0.6 * self.vocabulary.likeness(asked, words, *telling)
    }
}

/// The entries whose key words in some language are all in the text.
fn by_rules<'a>(
    question: &Question,
    entries: &'a [Entry],
    rules: &[Rule],
) -> Vec<(&'a Entry, f64)> {
    let holds = |part: &String| question.squeezed.contains(part.as_str());
    let rules = rules.iter().filter(|rule| rule.all.iter().all(holds));
    let found = rules.filter_map(|rule| {
        let entry = entries.get(rule.entry)?;
        let most = if entry.code.is_some() { CODED } else { MESSAGE };
        let length: usize = rule.all.iter().map(|part| part.chars().count()).sum();
        let score = RULE + RULE_WORD * real(rule.all.len()) + 0.05 * real(length.min(60));
        Some((entry, score.min(most)))
    });
    found.collect()
}

/// The pieces of a text that can be names.
fn parts(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .collect()
}

/// A name alone, at the end of a path, or somewhere in a sentence where it can be nothing else.
fn name_score(entry: &Entry, question: &Question, parts: &HashSet<&str>) -> f64 {
    let text = question.text.as_str();
    let is = |name: &String, text: &str| {
        text.len() <= LONGEST_NAME && name.to_lowercase() == text.to_lowercase()
    };
    if entry.names.iter().any(|name| is(name, text)) {
        return 100.0;
    }
    let last = text.rsplit('\\').next().filter(|_| text.contains('\\'));
    if last.is_some_and(|last| entry.names.iter().any(|name| is(name, last))) {
        return 95.0;
    }
    let is_ours = matches!(entry.kind, Kind::Profile | Kind::Finding | Kind::Mark);
    let in_sentence = |name: &&String| {
        let inner = name.chars().skip(1);
        let is_no_word = name.chars().count() > 5 && inner.clone().any(char::is_uppercase);
        let is_mixed = inner.clone().any(char::is_lowercase);
        let is_ours = is_ours && (name.contains('-') || name.chars().all(char::is_uppercase));
        (is_no_word && is_mixed || is_ours) && parts.contains(name.as_str())
    };
    match entry.names.iter().find(in_sentence) {
        Some(_) => 65.0,
        None => 0.0,
    }
}
