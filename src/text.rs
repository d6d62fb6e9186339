// SPDX-License-Identifier: GPL-3.0-or-later
//! Text that others wrote, shown so that it can neither move a cursor nor forge a line.
//!
//! A name in a hive, a log's name, a path, a record or a profile may hold anything: line breaks,
//! escape sequences, characters that reorder a line or are not seen. `Foreign` and `Shown` hold
//! such text and print it escaped; `Text` is what gets printed, and ends its lines itself.
//!
//! Who uses the library meets [`Foreign`] in what the other modules give; the rest is the program's.

#[cfg(feature = "cli")]
mod json;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use json::write_json;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::ops::Deref;
use std::path::Path;

/// Text that others wrote. It prints escaped, in one line; what it is exactly, for comparing and for
/// JSON, is asked for by name.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(transparent))]
pub struct Foreign(String);

impl Foreign {
    /// Exactly this text, to compare it or to store it.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// A path, with U+FFFD in place of what is no Unicode.
    pub fn path(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> From<T> for Foreign {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0))
    }
}

impl fmt::Debug for Foreign {
    /// In quotation marks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.0))
    }
}

/// Text that others wrote, on its way into a message.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Shown<'a>(Cow<'a, str>);

/// A path for a message.
#[doc(hidden)]
pub fn shown(path: &Path) -> Shown<'_> {
    Shown(path.to_string_lossy())
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0))
    }
}

/// Returns `text` with everything escaped that could move a cursor, reorder or end a line, or is not
/// seen.
pub fn escape(text: &str) -> String {
    escaped(text).into_owned()
}

/// The same in quotation marks, those in it escaped too.
#[doc(hidden)]
pub fn quoted(text: &str) -> String {
    escape(&format!("{text:?}"))
}

fn escaped(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut escaped, c));
    Cow::Owned(escaped)
}

/// Adds a character, escaped where it would deceive.
#[doc(hidden)]
pub fn push_escaped(to: &mut String, c: char) {
    if is_deceptive(c) {
        // Writing to a String cannot fail.
        let _ = write!(to, "\\u{{{:x}}}", u32::from(c));
    } else {
        to.push(c);
    }
}

/// The text that [`escape`] has made this of: people type what they were shown.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\u{") {
        plain.push_str(before);
        match escaped_character(behind) {
            Some((c, behind)) => {
                plain.push(c);
                rest = behind;
            }
            None => {
                plain.push_str("\\u{");
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The character that stands escaped in front of a text, and what is behind it.
fn escaped_character(text: &str) -> Option<(char, &str)> {
    let (digits, behind) = text.split_once('}')?;
    let is_code = digits.len() <= 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_code)?;
    let c = char::from_u32(code).filter(|c| is_deceptive(*c))?;
    Some((c, behind))
}

/// Whether text could deceive with this character in it: it is not seen, or looks like a blank.
#[doc(hidden)]
pub fn is_deceptive(c: char) -> bool {
    is_invisible(c) || (c != ' ' && c.is_whitespace()) || c == '\u{2800}'
}

/// Whether this is a control, format or line-breaking character, or has no width.
///
/// Unicode's general categories Cc, Cf, Zl and Zp; what else it calls default ignorable, among it
/// variation selectors, fillers and tags; and noncharacters.
#[doc(hidden)]
pub fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    let is_listed = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || is_listed || code & 0xFFFE == 0xFFFE
}

/// Lines for people, with ANSI styles. What is written into a line cannot end it, whatever it holds,
/// and nothing in it is left as it is that could move a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct Text(String);

impl Text {
    /// No line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a whole line.
    pub fn line(&mut self, line: impl fmt::Display) {
        self.part(line);
        self.end();
    }

    /// Adds to the line that is being written.
    pub fn part(&mut self, part: impl fmt::Display) {
        // Writing to a String cannot fail.
        let _ = write!(Line(&mut self.0), "{part}");
    }

    /// Ends the line that is being written.
    pub fn end(&mut self) {
        self.0.push('\n');
    }

    /// Adds other lines.
    pub fn append(&mut self, text: &Self) {
        self.0.push_str(&text.0);
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A line that is being written. ANSI styles go through, and nothing else that does not print.
struct Line<'t>(&'t mut String);

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let length = match style(rest) {
                Some(length) => {
                    self.0.push_str(rest.get(..length).unwrap_or_default());
                    length
                }
                None => {
                    push_escaped(self.0, c);
                    c.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(())
    }
}

/// The bytes of the style (`ESC [ ... m`) that `text` begins with.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let rest = numbers.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    let rest = rest.strip_prefix('m')?;
    text.len().checked_sub(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_escaped_and_letters_are_not() {
        let harmless = "Größe, Москва, 東京都, é, e\u{301}, עברית, العربية, 🙂 \\ \" '";
        assert_eq!(escape(harmless), harmless);
        for c in [
            '\0',
            '\t',
            '\n',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{202f}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffe}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let code = u32::from(c);
            assert_eq!(escape(&format!("a{c}b")), format!("a\\u{{{code:x}}}b"));
            assert_eq!(Foreign::from(c).to_string(), format!("\\u{{{code:x}}}"));
        }
    }

    /// Std knows what prints and what does not, but for what has no width.
    #[test]
    fn nothing_is_let_through_that_std_knows_to_be_a_control_or_a_blank() {
        for c in (0..=0x0010_FFFF).filter_map(char::from_u32) {
            let is_odd = c.is_control() || (c.is_whitespace() && c != ' ');
            assert!(!is_odd || is_deceptive(c), "{:x}", u32::from(c));
            assert!(!(c.is_alphanumeric() && is_deceptive(c)) || FILLERS.contains(&c));
        }
    }

    /// Letters to Unicode that are not seen.
    const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

    #[test]
    fn a_line_is_ended_by_nobody_else() {
        let mut text = Text::new();
        text.line(format_args!(
            "\u{1b}[1;31m{}\u{1b}[0m",
            "a\nerror: b\u{1b}[2J\u{1b}[1"
        ));
        text.part("c\r");
        text.end();
        let first = "\u{1b}[1;31ma\\u{a}error: b\\u{1b}[2J\\u{1b}[1\u{1b}[0m\n";
        assert_eq!(&*text, format!("{first}c\\u{{d}}\n"));
    }

    #[test]
    fn what_was_escaped_can_be_typed() {
        for text in [
            "a\u{200b}b",
            "\n",
            "a\u{e0041}",
            "C:\\users",
            "\u{a0}x\u{a0}",
        ] {
            assert_eq!(unescape(&escape(text)), text);
        }
        for text in [
            "\\u{41}",
            "\\u{200b",
            "\\u{zz}",
            "\\u{}",
            "\\u{110000}",
            "\\u{+20}",
        ] {
            assert_eq!(unescape(text), text, "that is not what escaping makes");
        }
    }

    #[test]
    fn backslashes_in_paths_stay_and_escapes_do_not() {
        let path = Path::new("F:\\Win\u{1b}[2J\u{202e}x");
        assert_eq!(shown(path).to_string(), "F:\\Win\\u{1b}[2J\\u{202e}x");
        assert_eq!(quoted("a\"b\u{fe0f}"), "\"a\\\"b\\u{fe0f}\"");
    }
}
