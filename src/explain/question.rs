// SPDX-License-Identifier: GPL-3.0-or-later
//! What the user typed or pasted: numbers with what is said of them, names, words.

use super::Kind;
use super::words::words;

/// Characters that are looked at.
const MOST: usize = 16 * 1024;
/// A question of so few words is about its number, whatever stands around it.
const SHORT: usize = 6;

/// A question, taken apart.
pub(super) struct Question {
    /// The text without the quotation marks and blanks around it.
    pub(super) text: String,
    /// Every word of it.
    pub(super) words: Vec<String>,
    /// The only kind that was asked for.
    pub(super) only: Option<Kind>,
    /// Every number of which it is said, or clear, that it is a code.
    pub(super) numbers: Vec<Number>,
}

/// A number in a question.
pub(super) struct Number {
    pub(super) code: u32,
    pub(super) is_hex: bool,
    /// What the words before it say that it is.
    pub(super) kind: Option<Kind>,
    /// Whether nothing else is in the question.
    pub(super) is_alone: bool,
}

impl Question {
    pub(super) fn new(text: &str, extended: bool) -> Self {
        let text: String = text.chars().take(MOST).collect();
        let all = words(&text);
        let only = all.first().and_then(|first| only_kind(first, all.len()));
        let only = if extended { Some(Kind::Extended) } else { only };
        let mut numbers = numbers(&all);
        if extended {
            numbers
                .iter_mut()
                .for_each(|n| n.kind = Some(Kind::Extended));
        }
        let text = unquoted(&text);
        let text = match only.filter(|_| !extended) {
            Some(_) => text
                .split_once(char::is_whitespace)
                .map_or(text, |(_, rest)| unquoted(rest)),
            None => text,
        };
        let words = match only.filter(|_| !extended) {
            Some(_) => all.into_iter().skip(1).collect(),
            None => all,
        };
        Self {
            text: text.to_owned(),
            words,
            only,
            numbers,
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
        _ => None,
    }
}

fn unquoted(text: &str) -> &str {
    let quote = |c: char| c.is_whitespace() || "\"'`´‘’‚‛“”„‟«»‹›".contains(c);
    text.trim_matches(quote)
}

fn numbers(words: &[String]) -> Vec<Number> {
    let is_short = words.len() <= SHORT;
    let is_alone = words.iter().filter(|word| !is_about_numbers(word)).count() == 1;
    let found = words.iter().enumerate().filter_map(|(at, word)| {
        let (code, is_hex) = number(word)?;
        let before = words.get(at.saturating_sub(3)..at).unwrap_or_default();
        // "Error code: 0x204 Extended error code: 0x0": what is said of the number before is over.
        let said = before.iter().rposition(|word| number(word).is_some());
        let before = before.get(said.map_or(0, |at| at.saturating_add(1))..);
        let before = before.unwrap_or_default();
        let is_said = before.last().is_some_and(|word| is_about_numbers(word));
        (is_alone || is_said || is_short).then(|| Number {
            code,
            is_hex,
            kind: before.iter().find_map(|word| kind_of(word)),
            is_alone,
        })
    });
    found.collect()
}

/// A decimal number, or a hexadecimal one with `0x` in front.
fn number(word: &str) -> Option<(u32, bool)> {
    if let Some(digits) = word.strip_prefix("0x") {
        return Some((u32::from_str_radix(digits, 16).ok()?, true));
    }
    let is_decimal = word.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal
        .then(|| word.parse().ok())
        .flatten()
        .map(|code| (code, false))
}

/// Words that stand before a code and do not say anything else.
fn is_about_numbers(word: &str) -> bool {
    matches!(
        word,
        "code" | "codes" | "error" | "id" | "number" | "eventid" | "reason" | "rdp" | "client"
    ) || kind_of(word).is_some()
}

fn kind_of(word: &str) -> Option<Kind> {
    match word {
        "extended" => Some(Kind::Extended),
        "event" | "events" | "eventid" => Some(Kind::Event),
        "stop" | "bugcheck" | "bsod" => Some(Kind::Stop),
        "disconnect" | "reason" => Some(Kind::Disconnect),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Said = (u32, Option<Kind>);

    fn found(text: &str) -> Vec<Said> {
        let numbers = Question::new(text, false).numbers;
        numbers
            .iter()
            .map(|number| (number.code, number.kind))
            .collect()
    }

    #[test]
    fn numbers_are_what_is_said_of_them() {
        let table: [(&str, &[Said]); 9] = [
            ("516", &[(516, None)]),
            (" \"0X204\" ", &[(516, None)]),
            ("event id 36870", &[(36870, Some(Kind::Event))]),
            ("1057 RemoteConnectionManager", &[(1057, None)]),
            ("STOP: 0x0000007B", &[(123, Some(Kind::Stop))]),
            ("Extended error code: 0x7", &[(7, Some(Kind::Extended))]),
            ("99999999999", &[]),
            ("0x", &[]),
            (
                "It does not work since Tuesday at all. Error code: 0x904 Extended error code: 0x7",
                &[(2308, None), (7, Some(Kind::Extended))],
            ),
        ];
        for (text, want) in table {
            assert_eq!(found(text), want, "{text}");
        }
        let port = "there is nothing that listens on port 3389 of this machine";
        assert_eq!(found(port), []);
    }

    #[test]
    fn a_kind_in_front_is_taken_off() {
        let question = Question::new("service \u{201c}TermService\u{201d}", false);
        assert_eq!(
            (question.text.as_str(), question.only),
            ("TermService", Some(Kind::Service))
        );
        let message = "Service cannot be started because it is disabled or has no devices";
        assert_eq!(Question::new(message, false).only, None);
    }
}
