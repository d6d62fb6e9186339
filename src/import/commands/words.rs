// SPDX-License-Identifier: GPL-3.0-or-later
//! A command of cmd.exe as words, taken apart as cmd.exe and the C runtime do.

use super::mark::MARK;
use super::word::{Quotes, Stop, Word, Words};

/// The longest text in single quotes; beyond, a `'` is an apostrophe.
const MAX_SINGLE: usize = 1024;

/// Takes a command apart, from `start` on. Where it `is_exact`, no quotes are mistaken for others: a
/// program wrote it.
pub(super) fn words(chars: &[char], start: usize, is_exact: bool) -> Words {
    let mut reader = Reader {
        chars,
        at: start,
        is_exact,
        words: Vec::new(),
    };
    let stop = reader.read();
    Words {
        words: reader.words,
        end: reader.at,
        stop,
    }
}

struct Reader<'c> {
    chars: &'c [char],
    at: usize,
    is_exact: bool,
    words: Vec<Word>,
}

/// What ends a word.
enum End {
    Word,
    Command(Stop),
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn ahead(&self) -> Option<char> {
        self.chars.get(self.at.saturating_add(1)).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn read(&mut self) -> Stop {
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.step();
            }
            let Some(c) = self.peek() else {
                return Stop::End;
            };
            if let Some(stop) = self.stops(c) {
                return stop;
            }
            if let Some(word) = self.single(c) {
                self.words.push(word);
                continue;
            }
            if let End::Command(stop) = self.word() {
                return stop;
            }
        }
    }

    /// Whether the command ends here.
    fn stops(&self, c: char) -> Option<Stop> {
        match c {
            MARK | '&' | '|' | '>' | ')' => Some(Stop::End),
            '<' if self.ahead().is_some_and(char::is_alphabetic) => Some(Stop::Placeholder),
            '<' => Some(Stop::End),
            _ => None,
        }
    }

    /// A word in single or typographic quotes.
    fn single(&mut self, c: char) -> Option<Word> {
        if self.is_exact {
            return None;
        }
        let (closing, quotes): (&[char], Quotes) = match c {
            '\'' => (&['\''], Quotes::Single),
            '\u{2018}' | '\u{2019}' => (&['\u{2018}', '\u{2019}'], Quotes::Typographic),
            '\u{201c}' | '\u{201d}' => (&['\u{201c}', '\u{201d}', '"'], Quotes::Typographic),
            _ => return None,
        };
        let inside = self.chars.get(self.at.saturating_add(1)..)?;
        let is_end = |at: usize| {
            let next = inside.get(at.saturating_add(1));
            next.is_none_or(|c| c.is_whitespace() || [MARK, '&', '|', ')'].contains(c))
        };
        let mut ends = inside.iter().take(MAX_SINGLE).enumerate();
        let (length, _) = ends.find(|(at, c)| closing.contains(c) && is_end(*at))?;
        let text = inside.get(..length)?.iter().collect();
        self.at = self.at.saturating_add(length).saturating_add(2);
        Some(Word { text, quotes })
    }

    fn word(&mut self) -> End {
        let mut text = String::new();
        let mut quotes = Quotes::Right;
        let (mut is_open, mut was_quoted) = (false, false);
        let end = loop {
            let Some(c) = self.peek() else {
                break match is_open {
                    true => End::Command(Stop::OpenQuote),
                    false => End::Word,
                };
            };
            match c {
                '\\' => {
                    self.backslashes(&mut text);
                    continue;
                }
                '"' if is_open && self.ahead() == Some('"') => {
                    text.push('"');
                    self.step();
                }
                '"' => {
                    is_open = !is_open;
                    was_quoted = true;
                }
                // Opened by a straight quote, and closed by what a text program made of one.
                '\u{201d}' if is_open && self.is_end() => {
                    is_open = false;
                    quotes = Quotes::Typographic;
                }
                MARK if is_open => break End::Command(Stop::OpenQuote),
                _ if is_open => text.push(c),
                _ if c.is_whitespace() => break End::Word,
                ')' if text.contains('(') => text.push(c),
                '^' => {
                    self.step();
                    text.extend(self.peek());
                }
                _ => match self.stops(c) {
                    Some(stop) => break End::Command(stop),
                    None => text.push(c),
                },
            }
            self.step();
        };
        // The number of a stream that is led elsewhere: `2>nul`.
        let is_stream = !was_quoted
            && text.len() == 1
            && text.bytes().all(|b| b.is_ascii_digit())
            && self.peek() == Some('>');
        if !is_stream {
            self.words.push(Word { text, quotes });
        }
        end
    }

    /// Whether a typographic quote ends a text that a straight one began: there is no straight one for it,
    /// or an option stands behind it.
    fn is_end(&self) -> bool {
        let rest = self
            .chars
            .get(self.at.saturating_add(1)..)
            .unwrap_or_default();
        if self.is_exact || !rest.first().is_none_or(|c| c.is_whitespace()) {
            return false;
        }
        let mut straight = 0_usize;
        let mut before = ' ';
        for &c in rest {
            if matches!(c, MARK) {
                break;
            }
            if c == '"' && before != '\\' {
                straight = straight.saturating_add(1);
            }
            before = c;
        }
        let next: String = rest
            .iter()
            .skip_while(|c| c.is_whitespace())
            .take(4)
            .collect();
        let next = next.to_ascii_lowercase();
        let option = ["/v", "/t", "/d", "/f", "/s"].iter().any(|option| {
            next.strip_prefix(option)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', 'e', 'a']))
        });
        straight.is_multiple_of(2) || option
    }

    /// Backslashes stand for themselves, but those in front of a quote escape each other and it.
    fn backslashes(&mut self, text: &mut String) {
        let mut count = 0_usize;
        while self.peek() == Some('\\') {
            count = count.saturating_add(1);
            self.step();
        }
        if self.peek() != Some('"') {
            text.extend(std::iter::repeat_n('\\', count));
            return;
        }
        text.extend(std::iter::repeat_n('\\', count.div_euclid(2)));
        if !count.is_multiple_of(2) {
            text.push('"');
            self.step();
        }
    }
}
