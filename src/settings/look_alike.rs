// SPDX-License-Identifier: GPL-3.0-or-later
//! Names as they are seen: two that look the same are the same here.

use unicode_normalization::UnicodeNormalization;

use crate::text::{is_deceptive, is_invisible};

/// The name as it looks, in upper case: without what is not seen, full-width letters as others, letters of
/// other alphabets as the ASCII ones that they look like, and each blank of whatever kind as one.
pub(crate) fn seen(name: &str) -> String {
    if is_plain(name) {
        return name.to_ascii_uppercase();
    }
    let mut seen = String::with_capacity(name.len());
    for c in name.nfkc().filter(|c| !is_invisible(*c)) {
        match c.is_whitespace() || is_deceptive(c) {
            true => seen.push(' '),
            false => seen.extend(ascii(c).unwrap_or(c).to_uppercase()),
        }
    }
    seen
}

/// Whether two names look the same but for blanks.
pub(crate) fn looks_the_same(one: &str, other: &str) -> bool {
    if is_plain(one) && is_plain(other) {
        let one = one.bytes().filter(|b| *b != b' ');
        let other = other.bytes().filter(|b| *b != b' ');
        return one
            .map(|b| b.to_ascii_uppercase())
            .eq(other.map(|b| b.to_ascii_uppercase()));
    }
    without_blanks(one) == without_blanks(other)
}

/// The same as [`seen`] without any blanks.
fn without_blanks(name: &str) -> String {
    seen(name).chars().filter(|c| *c != ' ').collect()
}

/// Printable ASCII, which is what it looks like. Nearly every name is, and many are asked.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// The first character that is not what it looks like: it is not seen, looks like a blank, or like an ASCII
/// letter.
pub(crate) fn disguised(name: &str) -> Option<char> {
    if is_plain(name) {
        return None;
    }
    name.chars().find(|c| is_disguised(*c))
}

fn is_disguised(c: char) -> bool {
    is_deceptive(c) || ascii(c).is_some() || is_wide(c)
}

/// Letters, digits and signs in the width of East Asian ones.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}')
}

/// Why a character is not what it looks like.
pub(crate) fn why(c: char) -> String {
    let code = format!("U+{:04X}", u32::from(c));
    match (is_invisible(c), ascii(c)) {
        (true, _) => format!("{code}, which is not seen"),
        (_, Some(letter)) => format!("{code}, which only looks like {letter}"),
        _ if is_wide(c) => format!("{code}, a full-width character"),
        _ => format!("{code}, which only looks like a blank"),
    }
}

/// The ASCII letter that looks like a letter of another alphabet. From Unicode's list of confusables
/// (UTS 39): the letters of living alphabets that no font tells apart.
fn ascii(c: char) -> Option<char> {
    let (_, letter) = LETTERS.iter().find(|(others, _)| others.contains(c))?;
    Some(*letter)
}

/// Cyrillic, Greek, Armenian and Latin ones.
const LETTERS: &[(&str, char)] = &[
    ("\u{410}\u{391}", 'A'),
    ("\u{412}\u{392}", 'B'),
    ("\u{421}\u{3f9}", 'C'),
    ("\u{415}\u{395}", 'E'),
    ("\u{50c}", 'G'),
    ("\u{41d}\u{397}", 'H'),
    ("\u{406}\u{399}\u{4c0}", 'I'),
    ("\u{408}\u{37f}", 'J'),
    ("\u{41a}\u{39a}", 'K'),
    ("\u{41c}\u{39c}", 'M'),
    ("\u{39d}", 'N'),
    ("\u{41e}\u{39f}\u{555}", 'O'),
    ("\u{420}\u{3a1}", 'P'),
    ("\u{51a}", 'Q'),
    ("\u{405}\u{54f}", 'S'),
    ("\u{422}\u{3a4}", 'T'),
    ("\u{54d}", 'U'),
    ("\u{51c}", 'W'),
    ("\u{425}\u{3a7}", 'X'),
    ("\u{4ae}\u{3a5}", 'Y'),
    ("\u{396}", 'Z'),
    ("\u{430}\u{251}\u{3b1}", 'a'),
    ("\u{441}\u{3f2}", 'c'),
    ("\u{501}", 'd'),
    ("\u{435}", 'e'),
    ("\u{261}\u{581}", 'g'),
    ("\u{4bb}\u{570}", 'h'),
    ("\u{456}\u{131}\u{3b9}", 'i'),
    ("\u{458}\u{3f3}", 'j'),
    ("\u{4cf}", 'l'),
    ("\u{578}", 'n'),
    ("\u{43e}\u{3bf}\u{585}", 'o'),
    ("\u{440}\u{3c1}", 'p'),
    ("\u{51b}", 'q'),
    ("\u{455}", 's'),
    ("\u{57d}\u{3c5}", 'u'),
    ("\u{3bd}\u{475}", 'v'),
    ("\u{51d}", 'w'),
    ("\u{445}", 'x'),
    ("\u{443}\u{4af}", 'y'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for name in [
            "Port\u{200b}Number",
            "P\u{43e}rtNumber",
            "\u{420}ortNumb\u{435}r",
            "\u{ff30}ortNumber",
            "portnumber\u{feff}",
        ] {
            assert_eq!(seen(name), "PORTNUMBER", "{name:?}");
            assert!(disguised(name).is_some(), "{name:?}");
        }
        assert_eq!(seen("a\u{a0}b"), "A B");
        assert_eq!(without_blanks(" a \u{2003} b"), "AB");
        for plain in ["PortNumber", "Größe", "é", "東京", "it's"] {
            assert_eq!(disguised(plain), None, "{plain}");
        }
    }

    #[test]
    fn names_look_the_same_however_they_are_compared() {
        for (one, other, same) in [
            ("TerminalServer", "Terminal Server", true),
            ("terminal  server", "Terminal Server", true),
            ("Terminal\u{a0}Server", "Terminal Server", true),
            ("T\u{435}rminal Server", "Terminal Server", true),
            ("Terminal Servers", "Terminal Server", false),
            ("", " ", true),
        ] {
            assert_eq!(looks_the_same(one, other), same, "{one:?} {other:?}");
            assert_eq!(
                without_blanks(one) == without_blanks(other),
                same,
                "{one:?}"
            );
        }
    }

    #[test]
    fn each_letter_is_listed_once() {
        let all: String = LETTERS.iter().map(|(others, _)| *others).collect();
        let mut seen: Vec<char> = all.chars().collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all.chars().count());
        assert!(!all.is_ascii() && LETTERS.iter().all(|(_, letter)| letter.is_ascii()));
    }
}
