// SPDX-License-Identifier: GPL-3.0-or-later
//! What is nearest to a question that nothing answers, and why it is no answer.

use super::question::Question;
use super::{Entry, Kind, Library};

/// How many are named.
const MOST: usize = 3;
/// The distance to an endless text takes endless time.
const COMPARED: usize = 100;
/// Names that are less alike are other names.
const ALIKE: f64 = 0.6;

/// Something that is near, and is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// What to type to be told of it.
    pub question: String,
    /// What it is.
    pub title: String,
    /// Why it does not answer what was asked.
    pub why_not: String,
}

/// Names and numbers spelled alike, then texts that have a little in common.
pub(super) fn nearest(
    question: &Question,
    library: &Library,
    own: &[Entry],
    scores: &[(f64, &Entry)],
) -> Vec<Nearest> {
    let text: String = question
        .text
        .to_lowercase()
        .chars()
        .take(COMPARED)
        .collect();
    let code = question.codes.first().and_then(|code| code.code);
    let mut near: Vec<(f64, String, &Entry)> = Vec::new();
    for entry in library.entries().iter().chain(own) {
        if question.only.is_some_and(|only| only != entry.kind) {
            continue;
        }
        let by_number = code.zip(entry.code).map(|(code, other)| {
            let is_hex = code > 0xFFFF || entry.kind == Kind::Stop;
            let spelled = |code: u32| {
                if is_hex {
                    format!("{code:x}")
                } else {
                    code.to_string()
                }
            };
            let why = format!("{} is another number", written(code, is_hex));
            (alike(&spelled(other), &spelled(code)), why)
        });
        let names = entry.names.iter().filter(|_| code.is_none());
        let by_name = names.map(|name| {
            (
                alike(&name.to_lowercase(), &text),
                "it is spelled in another way".to_owned(),
            )
        });
        let best = by_number.into_iter().chain(by_name);
        let best = best.max_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((score, why)) = best.filter(|(score, _)| *score >= ALIKE) {
            near.push((score, why, entry));
        }
    }
    near.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    let near = near.into_iter().map(|(_, why, entry)| (entry, why));
    let likely = scores.iter().filter(|(score, _)| *score >= 12.0);
    let likely = likely.map(|(_, entry)| {
        (
            *entry,
            "it has only a few words in common with the text".to_owned(),
        )
    });
    let mut all: Vec<Nearest> = Vec::new();
    for (entry, why_not) in near.chain(likely) {
        let question = entry.question();
        if all.len() < MOST && !all.iter().any(|other| other.question == question) {
            let title = entry.to_string();
            all.push(Nearest {
                question,
                title,
                why_not,
            });
        }
    }
    all
}

fn written(code: u32, is_hex: bool) -> String {
    if is_hex {
        format!("{code:#X}").replace("0X", "0x")
    } else {
        code.to_string()
    }
}

fn alike(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(one, other)
}
