// SPDX-License-Identifier: GPL-3.0-or-later
//! What the user typed or pasted: codes with what is said of them, names, words.

use super::Kind;
use super::codes::{Written, codes};
use super::fold::{MOST, fold, squeeze};
use super::said::Said;
use super::words::{is_number, words};

/// A question of so few words may begin with the kind that it asks for.
const SHORT: usize = 6;

/// A question, taken apart.
pub(super) struct Question {
    /// The text without the quotation marks and blanks around it.
    pub(super) text: String,
    /// The same folded, and without blanks and signs.
    pub(super) squeezed: String,
    /// Every word of it that is no number.
    pub(super) words: Vec<String>,
    /// The only kind that was asked for.
    pub(super) only: Option<Kind>,
    /// Every number that can be a code.
    pub(super) codes: Vec<Written>,
}

impl Question {
    pub(super) fn new(text: &str, extended: bool) -> Self {
        let text: String = text.chars().take(MOST).collect();
        let folded = fold(&text);
        let all = words(&folded);
        // "key-node" is one word.
        let begins = folded.split_whitespace().next();
        let first = all.first().filter(|first| begins == Some(first.as_str()));
        let only = first.and_then(|first| only_kind(first, all.len()));
        let only = if extended { Some(Kind::Extended) } else { only };
        let mut codes = codes(&folded);
        if extended {
            codes
                .iter_mut()
                .for_each(|code| code.said = Some(Said::Extended));
        }
        let text = unquoted(&text);
        let (text, skipped) = match only.filter(|_| !extended) {
            Some(_) => {
                let rest = text.split_once(char::is_whitespace);
                (rest.map_or(text, |(_, rest)| unquoted(rest)), 1)
            }
            None => (text, 0),
        };
        let words = all
            .into_iter()
            .skip(skipped)
            .filter(|word| !is_number(word));
        Self {
            text: text.to_owned(),
            squeezed: squeeze(&folded),
            words: words.collect(),
            only,
            codes,
        }
    }
}

/// What the first word of a question says that the rest is.
fn only_kind(word: &str, count: usize) -> Option<Kind> {
    // A message may begin with any of these words.
    match word {
        _ if !(2..=SHORT).contains(&count) => None,
        "service" => Some(Kind::Service),
        "value" | "key" => Some(Kind::Value),
        "policy" => Some(Kind::Policy),
        "message" => Some(Kind::Message),
        "profile" => Some(Kind::Profile),
        "finding" => Some(Kind::Finding),
        "mark" => Some(Kind::Mark),
        _ => None,
    }
}

fn unquoted(text: &str) -> &str {
    let quote = |c: char| c.is_whitespace() || "\"'`´‘’‚‛“”„‟«»‹›".contains(c);
    text.trim_matches(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_in_front_is_taken_off() {
        let question = Question::new("service \u{201c}TermService\u{201d}", false);
        assert_eq!(
            (question.text.as_str(), question.only),
            ("TermService", Some(Kind::Service))
        );
        assert_eq!(Question::new("key-node", false).only, None);
        let message = "Service cannot be started because it is disabled or has no devices";
        assert_eq!(Question::new(message, false).only, None);
    }
}
