// SPDX-License-Identifier: GPL-3.0-or-later
//! How wide a page is, and how sentences are laid out on it: no word, path or command is broken.

use std::sync::atomic::{AtomicUsize, Ordering};

use anstyle::Style;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::text::{Text, escape};

/// The narrowest page that text is laid out for, in columns.
const NARROWEST: usize = 60;
/// The widest: longer lines are hard to read.
const WIDEST: usize = 120;
/// Where nobody says how wide.
const USUAL: usize = 100;

static WIDTH: AtomicUsize = AtomicUsize::new(USUAL);

/// Lays out what follows for a terminal of so many columns, as far as that reads well.
pub fn set_width(columns: usize) {
    WIDTH.store(columns.clamp(NARROWEST, WIDEST), Ordering::Relaxed);
}

/// Leaves every sentence in one line, for a summary that is cut between lines.
pub fn in_whole_lines() {
    WIDTH.store(1 << 20, Ordering::Relaxed);
}

/// The width that text is laid out for, in columns.
pub fn width() -> usize {
    WIDTH.load(Ordering::Relaxed)
}

/// Names of keys with a blank in them: a path with one stays in one piece.
const WITH_BLANKS: &[&str] = &[
    "Windows NT",
    "Terminal Server",
    "Terminal Services",
    "Session Manager",
    "Licensing Core",
    "Windows Defender",
    "Winlogon Notify",
];

/// `body` behind `label`, at the width of a page; lines after the first are set in as far.
pub(super) fn wrapped(text: &mut Text, style: Style, label: &str, body: &str) {
    let indent = " ".repeat(textwrap::core::display_width(label));
    for line in lines(label, &indent, body) {
        text.line(format_args!("{style}{line}{style:#}"));
    }
}

/// `body` in lines of a page's width, the first behind `label`, the others behind `indent`; escaped.
pub(super) fn lines(label: &str, indent: &str, body: &str) -> Vec<String> {
    let mut body = escape(body);
    for name in WITH_BLANKS {
        if body.contains(name) {
            body = body.replace(name, &name.replace(' ', UNBROKEN));
        }
    }
    let body = with_whole_commands(&body);
    let options = Options::new(width())
        .initial_indent(label)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(&body, options).into_iter();
    lines.map(|line| line.replace(UNBROKEN, " ")).collect()
}

/// The text with the blanks in its commands unbroken: `hivemend`, the command, the target, and options
/// with what belongs to them.
fn with_whole_commands(body: &str) -> String {
    let mut whole = String::with_capacity(body.len());
    let mut before = Before::Text;
    for (at, word) in body.split(' ').enumerate() {
        let is_part = match before {
            Before::Text => false,
            Before::Quote(_) => true,
            Before::Name => word.starts_with(|c: char| c.is_ascii_lowercase()),
            Before::Option => true,
            Before::Other => is_argument(word),
        };
        if at > 0 {
            whole.push_str(if is_part { UNBROKEN } else { " " });
        }
        whole.push_str(word);
        let ends = word.ends_with(['.', ',', ';', ':', ')']);
        let quote = match before {
            Before::Quote(quote) => Some(quote),
            _ => word
                .chars()
                .next()
                .filter(|c| is_part && matches!(c, '\'' | '"')),
        };
        let is_opened = !matches!(before, Before::Quote(_));
        let stays_open = |quote: char| {
            let bare = word.trim_end_matches(['.', ',', ';', ':', ')']);
            !bare.ends_with(quote) || (is_opened && bare.len() == 1)
        };
        let open = quote.filter(|quote| stays_open(*quote));
        before = match (is_part, open) {
            (true, Some(quote)) => Before::Quote(quote),
            (true, None) if ends => Before::Text,
            (true, None) if word.starts_with('-') => Before::Option,
            (true, None) => Before::Other,
            (false, _) if word.trim_start_matches('(') == "hivemend" => Before::Name,
            (false, _) => Before::Text,
        };
    }
    whole
}

/// What stands in front of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Text,
    /// `hivemend`.
    Name,
    /// An option, which what follows may belong to.
    Option,
    /// Another part of a command.
    Other,
    /// A part that begins with this quotation mark and has not ended.
    Quote(char),
}

/// Whether a word behind a command is one of its arguments: an option, a path, what is in quotes.
fn is_argument(word: &str) -> bool {
    let is_placeholder = word.starts_with("TARGET");
    let has_drive = word.chars().nth(1) == Some(':');
    is_placeholder || has_drive || word.starts_with(['-', '/', '\\', '\'', '"', '.'])
}

/// Stands for a blank at which no line ends. Escaped text has none of its own.
const UNBROKEN: &str = "\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_a_sentence_stays_in_one_piece() {
        let command = "hivemend restore /mnt/disk --backup-dir /mnt/backups --values";
        let body = format!(
            "{}take it back with: {command}. And so on",
            "word ".repeat(12)
        );
        let all = lines("", "  ", &body);
        assert!(all.iter().any(|line| line.contains(command)), "{all:?}");
        let plain = "hivemend repairs what hivemend check finds, and hivemend does so again";
        assert_eq!(lines("", "", plain), [plain]);
        let quoted = with_whole_commands("by: hivemend show /d 'a b c' ' x', and so on");
        assert_eq!(
            quoted.replace('\u{a0}', "_"),
            "by: hivemend_show_/d_'a_b_c'_'_x', and so on"
        );
        let told = with_whole_commands("hivemend mend and more");
        assert_eq!(told, "hivemend\u{a0}mend and more");
    }

    #[test]
    fn neither_words_nor_paths_nor_hyphens_are_broken() {
        let body = "see SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services and the profile \
                    rdp-security-harden, or firewall-allow-rdp-through-everything-that-is-in-front-of-it";
        let all = lines("! ", "  ", body);
        let words: Vec<&str> = all.iter().flat_map(|line| line.split(' ')).collect();
        assert!(words.contains(&"rdp-security-harden,"), "{all:?}");
        let path = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services";
        assert!(all.iter().any(|line| line.contains(path)), "{all:?}");
        assert!(all.iter().all(|line| line.len() <= USUAL), "{all:?}");
    }
}
