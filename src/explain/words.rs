// SPDX-License-Identifier: GPL-3.0-or-later
//! Texts as words that can be compared, and how much two of them have in common.

use std::collections::{HashMap, HashSet};

/// Longer words are no words of an error message.
const LONGEST: usize = 64;
/// Words of a text that are looked at; the longest message has some seventy.
const MOST: usize = 400;
/// Words of a text that may be misspelt.
const TYPED: usize = 60;

/// Words that are in every other message and say nothing of which it is.
const GENERIC: [&str; 76] = [
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "by",
    "can",
    "cannot",
    "cant",
    "code",
    "computer",
    "connect",
    "connection",
    "could",
    "desktop",
    "did",
    "do",
    "does",
    "error",
    "event",
    "failed",
    "for",
    "from",
    "get",
    "has",
    "have",
    "how",
    "i",
    "id",
    "if",
    "in",
    "is",
    "it",
    "its",
    "message",
    "my",
    "no",
    "not",
    "of",
    "on",
    "one",
    "or",
    "problem",
    "rdp",
    "remote",
    "server",
    "service",
    "services",
    "since",
    "stop",
    "system",
    "than",
    "that",
    "the",
    "there",
    "this",
    "to",
    "try",
    "user",
    "value",
    "was",
    "we",
    "were",
    "what",
    "when",
    "which",
    "why",
    "windows",
    "with",
    "work",
    "you",
    "your",
];

/// The words of a folded text, without quotation marks, apostrophes and punctuation.
pub(super) fn words(folded: &str) -> Vec<String> {
    let text: String = folded.chars().filter(|c| *c != '\'').collect();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && word.chars().count() <= LONGEST);
    words.take(MOST).map(plain).collect()
}

/// Whether a word is a number: those of a text are looked at as codes.
pub(super) fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// In the American spelling that Windows has.
fn plain(word: &str) -> String {
    match word {
        "licence" => "license".to_owned(),
        "licences" => "licenses".to_owned(),
        _ => word.to_owned(),
    }
}

/// How rare each word is among the known texts.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    weights: HashMap<String, f64>,
    /// What a word weighs that no known text has.
    rarest: f64,
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
        let weights = weights.map(|(word, count)| {
            let share = if is_generic(&word) { 0.2 } else { 1.0 };
            (word, share * weight(count))
        });
        let weights = weights.collect();
        let rarest = weight(1);
        Self { weights, rarest }
    }

    fn weight(&self, word: &str) -> f64 {
        self.weights.get(word).copied().unwrap_or(self.rarest)
    }

    /// `words` with those that are misspelt by a letter or two set right.
    pub(super) fn corrected(&self, words: &[String]) -> Vec<String> {
        // Nobody types a long text, and what is pasted is spelled as Windows does.
        if words.len() > TYPED {
            return words.to_vec();
        }
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

    /// A text that is compared with others.
    pub(super) fn compared<'t>(&self, words: &'t [String]) -> Compared<'t> {
        let set: HashSet<&str> = words.iter().map(String::as_str).collect();
        Compared {
            words,
            telling: words.iter().filter(|word| is_telling(word)).count(),
            weight: set.iter().map(|word| self.weight(word)).sum(),
            set,
        }
    }

    /// How well a text that was asked for fits a known one, `telling` of whose words are: 0 to 100.
    pub(super) fn likeness(&self, asked: &Compared<'_>, known: &[String], telling: usize) -> f64 {
        let (asked, of_asked) = (asked, asked.words);
        if asked.telling == 0 || telling == 0 {
            // A sentence of nothing but such words is one all the same.
            let is_it = known.len() >= 5 && contains(of_asked, known);
            return if is_it { 78.0 } else { 0.0 };
        }
        if of_asked == known {
            return 92.0 + real(known.len().min(6));
        }
        if let [only] = known {
            let is_number = only.len() > 5 && only.bytes().any(|byte| byte.is_ascii_digit());
            if is_number && asked.set.contains(only.as_str()) {
                return 80.0;
            }
        }
        if known.len() > 1 && asked.has_all(known) && contains(of_asked, known) {
            // A few words of a long text may be there for another reason.
            let share = real(known.len()) / real(of_asked.len());
            let little = if telling < 2 {
                12.0 * (1.0 - share)
            } else {
                0.0
            };
            return (76.0 + 2.0 * real(known.len()) - little).min(98.0);
        }
        if of_asked.len() > 1 && contains(known, of_asked) {
            let few = if asked.telling < 2 { 16.0 } else { 0.0 };
            return 62.0 - few + 30.0 * real(of_asked.len()) / real(known.len());
        }
        let mut common: Vec<&str> = known.iter().map(String::as_str).collect();
        common.retain(|word| asked.set.contains(word));
        common.sort_unstable();
        common.dedup();
        if common.iter().filter(|word| is_telling(word)).count() < 2 {
            return 0.0;
        }
        let of_known: HashSet<&str> = known.iter().map(String::as_str).collect();
        let of_known: f64 = of_known.iter().map(|word| self.weight(word)).sum();
        let common: f64 = common.iter().map(|word| self.weight(word)).sum();
        let (cover, focus) = (common / of_known, common / asked.weight);
        45.0 * cover + 45.0 * focus
    }
}

/// The words of a question, counted once for all texts that they are compared with.
#[derive(Debug)]
pub(super) struct Compared<'t> {
    pub(super) words: &'t [String],
    set: HashSet<&'t str>,
    /// How many say something.
    telling: usize,
    /// What all of them weigh, each once.
    weight: f64,
}

impl Compared<'_> {
    fn has_all(&self, words: &[String]) -> bool {
        words.iter().all(|word| self.set.contains(word.as_str()))
    }
}

/// Whether a word says something of what a text is about.
pub(super) fn is_telling(word: &str) -> bool {
    word.chars().nth(2).is_some() && word.chars().any(char::is_alphabetic) && !is_generic(word)
}

fn is_generic(word: &str) -> bool {
    GENERIC.binary_search(&word).is_ok()
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
    use crate::explain::fold::fold;

    #[test]
    fn quotes_case_and_breaks_do_not_count() {
        let want = ["cant", "connect", "to", "the", "license", "server"];
        for text in [
            "can't connect\r\nto the licence server",
            "\u{201e}CAN\u{2019}T connect to the License\tserver.\u{201c}",
            "\u{ab} Can`t, connect (to the licence) server! \u{bb}",
        ] {
            assert_eq!(words(&fold(text)), want, "{text}");
        }
        assert!(GENERIC.is_sorted());
    }

    #[test]
    fn endless_words_and_texts_are_cut() {
        assert_eq!(words(&"a".repeat(100_000)), Vec::<String>::new());
        assert_eq!(words(&"a ".repeat(100_000)).len(), MOST);
    }

    #[test]
    fn a_letter_or_two_may_be_wrong() {
        let known = words("network level authentication required");
        let vocabulary = Vocabulary::new([known.as_slice()].into_iter());
        let asked = words("netwrok level autentication nope");
        let want = words("network level authentication nope");
        assert_eq!(vocabulary.corrected(&asked), want);
    }
}
