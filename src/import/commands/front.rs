// SPDX-License-Identifier: GPL-3.0-or-later
//! What stands in front of a command in its line: programs that hand it on, conditions, other commands.

use super::lines::{Kind, Line, Shell};
use super::mark::MARK;

/// What is wrong, and what to do.
pub(super) type Fault = (String, &'static str);

/// What a line says in front of a command.
pub(super) struct Front {
    /// The part of the line that the command belongs to, in lower case, without what hands it on.
    rest: String,
    /// How it hangs on the part before.
    link: Link,
    /// The part before, in lower case.
    previous: String,
    /// Whether the command stands between quotes.
    is_in_text: bool,
    is_article: bool,
    is_code: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Start,
    /// `&`, `;`, `{` and the like: carried out whatever was before.
    Then,
    /// `&&`.
    IfGood,
    /// `||`.
    IfBad,
}

/// Commands of cmd.exe that fail only where there is something very wrong.
const HARMLESS: [&str; 14] = [
    "echo", "cd", "chdir", "pushd", "popd", "rem", "title", "cls", "set", "timeout", "setlocal",
    "color", "chcp", "ver",
];
/// Commands that print their arguments, or keep them as text for people.
const PRINTING: [&str; 10] = [
    "echo", "echo.", "echo:", "title", "rem", "throw", "msg", "logger", "log", "#",
];

impl Front {
    /// Reads what stands before a command.
    ///
    /// `is_closed` where a quote stands right behind its name.
    pub(super) fn of(line: &Line, before: &[char], is_closed: bool, shell: Shell) -> Self {
        let (parts, is_open) = match shell {
            Shell::Cmd => cmd_parts(before),
            Shell::PowerShell => powershell_parts(before),
        };
        let mut parts = parts.into_iter().rev();
        let (link, text) = parts.next().unwrap_or((Link::Start, String::new()));
        let previous = parts.next().map(|(_, text)| text).unwrap_or_default();
        Self {
            rest: handed_on(&bare(&text)),
            link,
            previous: bare(&previous),
            is_in_text: is_open && !(is_closed && names_program(before)),
            is_article: line.kind == Kind::Article,
            is_code: line.is_code,
        }
    }

    /// Whether words of prose may stand behind the command.
    pub(super) fn is_prose(&self) -> bool {
        self.is_article && !self.is_code && !self.rest.is_empty()
    }

    /// Whether the command is only printed.
    pub(super) fn is_printed(&self) -> bool {
        let head = head(&self.rest);
        let is_output = head.starts_with("write-") || head.starts_with("out-");
        (is_output || PRINTING.contains(&head)) && !self.is_prose()
    }

    /// Why the command is not carried out as it stands there.
    pub(super) fn hindered(&self) -> Option<Fault> {
        let rest = self.rest.as_str();
        let condition = match self.is_prose() {
            true => prose_condition(rest),
            false => condition(rest),
        };
        if let Some(word) = condition {
            let message =
                format!("`{word}` carries this command out only sometimes, or more than once");
            return Some((message, "write what is meant by itself"));
        }
        if self.link == Link::IfBad {
            let message = "`||` carries this command out only sometimes".to_owned();
            return Some((message, "write what is meant by itself"));
        }
        if self.link == Link::IfGood && !is_sure(&self.previous) {
            let message = format!(
                "this command is carried out only where `{}` succeeds",
                shown(head(&self.previous))
            );
            return Some((message, "write what is meant by itself"));
        }
        let is_strict = !self.is_article || self.is_code;
        if self.is_in_text && is_strict {
            let message = "this command stands in quotes, as a text".to_owned();
            return Some((message, "write it by itself"));
        }
        if rest.starts_with("psexec") && rest.contains("\\\\") {
            let message = "psexec carries this command out on another machine".to_owned();
            return Some((message, "write the command by itself"));
        }
        if is_strict && !rest.is_empty() {
            let message = format!("`{}` stands in front of this command", shown(rest));
            return Some((message, "write the command by itself"));
        }
        None
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    crate::text::escape(&short)
}

fn head(text: &str) -> &str {
    text.split([' ', '\t', '"', '\'', '('])
        .next()
        .unwrap_or_default()
}

/// Whether a command before `&&` leaves no doubt that the next one is carried out: other changes are,
/// and what asks whether a thing is there that is to be deleted.
fn is_sure(previous: &str) -> bool {
    let name = head(previous);
    let name = name.rsplit('\\').next().unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    name == "reg" || HARMLESS.contains(&name)
}

fn condition(rest: &str) -> Option<&'static str> {
    let rest = rest.trim_start_matches(['(', ')', ' ']);
    let words = [
        "if", "for", "else", "forfiles", "foreach", "while", "elseif", "until",
    ];
    if rest.ends_with(" else") || rest.ends_with(")else") {
        return Some("else");
    }
    words.into_iter().find(|word| head(rest) == *word)
}

/// The same in an article, where "if you ... run reg add" is a sentence.
fn prose_condition(rest: &str) -> Option<&'static str> {
    let signs = [
        ("if exist", "if"),
        ("if not", "if"),
        ("if errorlevel", "if"),
        ("if defined", "if"),
        ("if /i", "if"),
        ("if \"", "if"),
        ("if %", "if"),
        ("for %", "for"),
        ("for /", "for"),
    ];
    let found = signs.iter().find(|(sign, _)| rest.starts_with(sign));
    let word = found.map(|(_, word)| *word);
    word.or_else(|| rest.ends_with(") else").then_some("else"))
}

/// A part without prompts, numbers, redirections and quotes in which a program's path stands.
fn bare(text: &str) -> String {
    let mut text = text.trim().to_lowercase();
    if let Some(at) = prompt(&text) {
        text = text.get(at..).unwrap_or_default().trim().to_owned();
    }
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ')');
    let head = text.split_whitespace().next().unwrap_or_default();
    if !head.is_empty() && head.chars().all(is_number) {
        text = text.get(head.len()..).unwrap_or_default().to_owned();
    }
    let text = without_redirections(&text);
    let text = text.trim_start_matches(['@', '>', '*', '-', '+', '\u{2022}', '(', ' ', '\t', MARK]);
    without_path(text.trim()).trim().to_owned()
}

/// Where a prompt ends: `C:\>`, `PS C:\>`, `$ `.
fn prompt(text: &str) -> Option<usize> {
    if let Some(rest) = text.strip_prefix("$ ") {
        return Some(text.len().saturating_sub(rest.len()));
    }
    let end = text.find('>')?;
    let before = text.get(..end)?;
    let is_drive = |text: &str| text.as_bytes().get(1) == Some(&b':');
    let is_prompt = before.starts_with("ps ") || before == "ps" || is_drive(before);
    let is_prompt = is_prompt || before == "diskpart";
    is_prompt.then(|| end.saturating_add(1))
}

/// Without the folder of the program that follows, and the quote in front of it.
fn without_path(text: &str) -> &str {
    let start = match text.rfind(['"', '\'']) {
        Some(at)
            if text
                .get(at..)
                .is_some_and(|path| path.ends_with('\\') || path.len() == 1) =>
        {
            at
        }
        _ if text.ends_with('\\') => text.rfind([' ', '\t']).map_or(0, |at| at.saturating_add(1)),
        _ => return text,
    };
    text.get(..start).unwrap_or_default().trim_end()
}

fn without_redirections(text: &str) -> String {
    let words = text.split_whitespace();
    let is_led = |word: &&str| {
        let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
        !(word.starts_with('>') && word.len() > 1)
    };
    words.filter(is_led).collect::<Vec<&str>>().join(" ")
}

/// Without the commands that carry out what stands behind them, on this machine and in any case.
fn handed_on(text: &str) -> String {
    let without_title: String = match head(text).starts_with("start") {
        true => text.split('"').step_by(2).collect(),
        false => text.to_owned(),
    };
    let mut words: Vec<&str> = without_title.split_whitespace().collect();
    loop {
        let Some(first) = words.first().copied() else {
            return String::new();
        };
        let first = first.trim_start_matches('@');
        let taken = match first.strip_suffix(".exe").unwrap_or(first) {
            "call" | "sudo" | "&" | "." | "return" | "[void]" | "do" | "then" => 1,
            "start" => options(&words, &["/"]),
            "psexec" | "psexec64" if text.contains("\\\\") => return words.join(" "),
            "psexec" | "psexec64" | "gsudo" | "nsudo" | "elevate" => options(&words, &["-", "/"]),
            _ => return words.join(" "),
        };
        words.drain(..taken.min(words.len()));
    }
}

/// How many words a program and its options are.
fn options(words: &[&str], signs: &[&str]) -> usize {
    let is_option = |word: &&&str| signs.iter().any(|sign| word.starts_with(sign));
    let options = words.iter().skip(1).take_while(is_option).count();
    options.saturating_add(1)
}

type Parts = (Vec<(Link, String)>, bool);

/// The commands of a line of cmd.exe, the last one not complete.
fn cmd_parts(before: &[char]) -> Parts {
    let mut parts = vec![(Link::Start, String::new())];
    let mut is_open = false;
    let mut chars = before.iter().copied().peekable();
    while let Some(c) = chars.next() {
        if c == '"' {
            is_open = !is_open;
        }
        let last_is_arrow = || {
            let last = parts.last().and_then(|(_, text)| text.chars().last());
            last == Some('>')
        };
        let link = match c {
            '&' if !is_open && last_is_arrow() => None,
            '&' if !is_open && chars.peek() == Some(&'&') => Some(Link::IfGood),
            '|' if !is_open && chars.peek() == Some(&'|') => Some(Link::IfBad),
            '&' | '|' if !is_open => Some(Link::Then),
            MARK => Some(Link::Then),
            _ => None,
        };
        match link {
            Some(link) => {
                if matches!(link, Link::IfGood | Link::IfBad) {
                    chars.next();
                }
                if c == MARK {
                    is_open = false;
                }
                // A condition in front of several commands is one of them all.
                let kept = parts
                    .last()
                    .map(|(_, text)| text.trim_start_matches(['(', ' ']));
                let hangs = kept.is_some_and(|text| condition(&text.to_lowercase()).is_some());
                match (hangs && c != MARK, parts.last_mut()) {
                    (true, Some((_, text))) => text.push(' '),
                    _ => parts.push((link, String::new())),
                }
            }
            None => parts
                .iter_mut()
                .rev()
                .take(1)
                .for_each(|(_, text)| text.push(c)),
        }
    }
    (parts, is_open)
}

/// The statements of a line of PowerShell, the last one not complete.
fn powershell_parts(before: &[char]) -> Parts {
    let mut parts = vec![(Link::Start, String::new())];
    let mut quote = None;
    let mut last = ' ';
    for &c in before {
        match quote {
            Some(open) if c == open && !(open == '"' && last == '`') => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
        let link = match (quote, c) {
            (Some(_), _) => None,
            (None, '|') if last == '|' => Some(Link::IfBad),
            (None, ';' | '{' | '}' | '(' | '|' | '=' | '&' | MARK) => Some(Link::Then),
            _ => None,
        };
        match link {
            Some(link) => parts.push((link, String::new())),
            None => parts
                .iter_mut()
                .rev()
                .take(1)
                .for_each(|(_, text)| text.push(c)),
        }
        last = c;
    }
    (parts, quote.is_some())
}

/// Whether the quote that is open belongs to the name of the program: `"C:\Windows\System32\`.
fn names_program(before: &[char]) -> bool {
    let is_quote = |c: &char| matches!(c, '"' | '\'');
    let inside = before.iter().rev().take_while(|c| !is_quote(c));
    let inside: Vec<char> = inside.copied().collect();
    match inside.first() {
        None => true,
        Some(last) => *last == '\\' && !inside.contains(&'/'),
    }
}
