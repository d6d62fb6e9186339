// SPDX-License-Identifier: GPL-3.0-or-later
//! HTML as it is pasted: tags and entities away, lines where a reader sees them.

use super::mark::MARK;

/// A line that a reader sees.
pub(super) struct Seen {
    /// The line of the file that it begins in.
    pub(super) number: usize,
    pub(super) text: String,
    /// Whether it is preformatted.
    pub(super) is_code: bool,
}

/// Tags between which a line goes on.
const INLINE: [&str; 12] = [
    "a", "b", "em", "i", "kbd", "samp", "small", "span", "strong", "sub", "sup", "u",
];
/// Tags between which lines end.
const BLOCK: [&str; 38] = [
    "article", "body", "br", "caption", "dd", "del", "div", "dl", "dt", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "head", "header", "hr", "html", "img", "ins", "li", "link", "main", "meta",
    "nav", "ol", "p", "section", "table", "tbody", "td", "th", "thead", "title", "tr", "ul",
];

/// Whether a text is HTML, by the tags that it closes.
pub(super) fn is_html(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let tags = [
        "</p>", "</code>", "</pre>", "</div>", "</li>", "</html>", "</td>", "<br",
    ];
    tags.iter().any(|tag| lower.contains(tag))
}

/// The lines of HTML.
pub(super) fn lines(text: &str) -> Vec<Seen> {
    let mut page = Page::default();
    let mut rest = text;
    page.number = 1;
    page.begun = 1;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '<' => page.tag(rest),
            '&' => page.entity(rest),
            '\n' => {
                page.number = page.number.saturating_add(1);
                page.end();
                1
            }
            '\r' => 1,
            _ => {
                page.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    page.end();
    page.lines
}

#[derive(Default)]
struct Page {
    lines: Vec<Seen>,
    current: String,
    /// The line of the file.
    number: usize,
    /// The line of the file in which the current one began.
    begun: usize,
    is_code: bool,
    /// The element whose content nobody sees.
    hidden: Option<&'static str>,
}

impl Page {
    fn push(&mut self, c: char) {
        if self.hidden.is_some() {
            return;
        }
        if self.current.is_empty() {
            self.begun = self.number;
        }
        self.current.push(c);
    }

    fn end(&mut self) {
        if !self.current.is_empty() {
            let text = std::mem::take(&mut self.current);
            let (number, is_code) = (self.begun, self.is_code);
            self.lines.push(Seen {
                number,
                text,
                is_code,
            });
        }
    }

    /// Reads the tag at the start of `rest`; returns how long it is, in bytes.
    fn tag(&mut self, rest: &str) -> usize {
        const LONGEST: usize = 4096;
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").map(|end| end.saturating_add(7));
            return self.skip(rest, end.unwrap_or(rest.len()));
        }
        let inside = rest.get(1..).unwrap_or_default();
        let closes = inside.starts_with('/');
        let named = inside.strip_prefix('/').unwrap_or(inside);
        let name: String = named
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(16)
            .collect();
        let name = name.to_ascii_lowercase();
        let end = inside.bytes().take(LONGEST).position(|byte| byte == b'>');
        let Some(end) = end else {
            self.push('<');
            return 1;
        };
        let length = end.saturating_add(2);
        if let Some(hidden) = self.hidden {
            if closes && name == hidden {
                self.hidden = None;
            }
            return self.skip(rest, if closes { length } else { 1 });
        }
        match name.as_str() {
            "script" if !closes => self.hidden = Some("script"),
            "style" if !closes => self.hidden = Some("style"),
            "script" | "style" => {}
            "pre" => {
                self.end();
                self.is_code = !closes;
            }
            "code" if self.is_code => {}
            "code" => self.push(MARK),
            name if INLINE.contains(&name) => {}
            name if BLOCK.contains(&name) => self.end(),
            // A placeholder, or a sign.
            _ => {
                self.push('<');
                return 1;
            }
        }
        self.skip(rest, length)
    }

    /// Counts the lines of what is left out.
    fn skip(&mut self, rest: &str, length: usize) -> usize {
        let skipped = rest.get(..length).unwrap_or_default();
        let lines = skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.number = self.number.saturating_add(lines);
        length
    }

    /// Reads the entity at the start of `rest`; returns how long it is, in bytes.
    fn entity(&mut self, rest: &str) -> usize {
        const LONGEST: usize = 10;
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
        let name = end.and_then(|end| rest.get(1..end));
        match name.and_then(meaning) {
            Some(c) => {
                self.push(c);
                end.map_or(1, |end| end.saturating_add(1))
            }
            None => {
                self.push('&');
                1
            }
        }
    }
}

fn meaning(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ldquo" => '\u{201c}',
        "rdquo" => '\u{201d}',
        "lsquo" => '\u{2018}',
        "rsquo" => '\u{2019}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "bsol" => '\\',
        "percnt" => '%',
        _ => return None,
    })
}
