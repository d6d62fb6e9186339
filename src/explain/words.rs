// SPDX-License-Identifier: GPL-3.0-or-later
//! Texts as words that can be compared, and how much two of them have in common.

use std::collections::{HashMap, HashSet};

/// Longer words are no words of an error message.
const LONGEST: usize = 64;
/// Words of a text that are looked at; the longest message has some seventy.
const MOST: usize = 400;

/// The words of a text: lower case, without quotation marks, apostrophes and punctuation.
pub(super) fn words(text: &str) -> Vec<String> {
    let apostrophe = |c: &char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{b4}' | '`');
    let text: String = text.chars().filter(|c| !apostrophe(c)).collect();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && word.chars().count() <= LONGEST);
    words.take(MOST).map(plain).collect()
}

/// Lower case, in the American spelling that Windows has.
fn plain(word: &str) -> String {
    let word = word.to_lowercase();
    match word.as_str() {
        "licence" => "license".to_owned(),
        "licences" => "licenses".to_owned(),
        _ => word,
    }
}

/// How rare each word is among the known texts.
pub(super) struct Vocabulary {
    weights: HashMap<String, f64>,
}

impl Vocabulary {
    /// From the known texts, each as its words.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a [String]> + Clone) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for text in texts.clone() {
            for word in text.iter().collect::<HashSet<_>>() {
                let count = counts.entry(word.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        let all = real(texts.count());
        let weight = |count: usize| (1.0 + all / real(count)).ln();
        let weights = counts.into_iter();
        let weights = weights.map(|(word, count)| (word, weight(count))).collect();
        Self { weights }
    }

    fn weight(&self, word: &str) -> f64 {
        self.weights.get(word).copied().unwrap_or(1.0)
    }

    /// `words` with those that are misspelt by a letter or two set right.
    pub(super) fn corrected(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.nearest(word)).collect()
    }

    fn nearest(&self, word: &str) -> String {
        let length = word.chars().count();
        let allowed = match length {
            _ if self.weights.contains_key(word) => return word.to_owned(),
            // A number with another digit is another number.
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => return word.to_owned(),
            0..5 => return word.to_owned(),
            5..9 => 1,
            _ => 2,
        };
        let near = self.weights.keys().filter_map(|known| {
            let difference = known.chars().count().abs_diff(length);
            let distance =
                (difference <= allowed).then(|| strsim::damerau_levenshtein(known, word))?;
            (distance <= allowed).then_some((distance, known))
        });
        near.min()
            .map_or_else(|| word.to_owned(), |(_, known)| known.clone())
    }

    /// How well a text that was asked for fits a known one: 0 to 100.
    pub(super) fn likeness(&self, asked: &[String], known: &[String]) -> f64 {
        if asked.is_empty() || known.is_empty() {
            return 0.0;
        }
        if known.len() > 1 && contains(asked, known) {
            return (76.0 + 2.0 * real(known.len())).min(98.0);
        }
        if asked.len() > 1 && contains(known, asked) {
            return 62.0 + 30.0 * real(asked.len()) / real(known.len());
        }
        let known: HashSet<&String> = known.iter().collect();
        let asked: HashSet<&String> = asked.iter().collect();
        let sum = |words: &HashSet<&String>| -> f64 { words.iter().map(|w| self.weight(w)).sum() };
        let common: f64 = asked.intersection(&known).map(|w| self.weight(w)).sum();
        let (cover, focus) = (common / sum(&known), common / sum(&asked));
        40.0 * cover + 40.0 * focus
    }
}

/// Whether `part` stands in `whole`, word by word.
fn contains(whole: &[String], part: &[String]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

pub(super) fn real(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_case_and_breaks_do_not_count() {
        let want = ["cant", "connect", "to", "the", "license", "server"];
        for text in [
            "can't connect\r\nto the licence server",
            "\u{201e}CAN\u{2019}T connect to the License\tserver.\u{201c}",
            "\u{ab} Can`t, connect (to the licence) server! \u{bb}",
        ] {
            assert_eq!(words(text), want, "{text}");
        }
    }

    #[test]
    fn endless_words_and_texts_are_cut() {
        assert_eq!(words(&"a".repeat(100_000)), Vec::<String>::new());
        assert_eq!(words(&"a ".repeat(100_000)).len(), MOST);
    }

    #[test]
    fn a_letter_or_two_may_be_wrong() {
        let known = words("Network Level Authentication required");
        let vocabulary = Vocabulary::new([known.as_slice()].into_iter());
        let asked = words("netwrok level autentication nope");
        let want = words("network level authentication nope");
        assert_eq!(vocabulary.corrected(&asked), want);
    }
}
