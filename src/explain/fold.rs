// SPDX-License-Identifier: GPL-3.0-or-later
//! Texts in the one form in which they are compared: compatibility forms, case and accents do not
//! count, nor what cannot be seen.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::is_invisible;

/// Characters of a text that are looked at; a screenshot's text has a few thousand.
pub(super) const MOST: usize = 16 * 1024;

/// `text` folded: full-width digits are digits, `É` is `e`, a control character is a blank.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(MOST));
    for c in text.chars().take(MOST).nfkd() {
        match c {
            '\n' => folded.push('\n'),
            _ if c.is_control() => folded.push(' '),
            _ if is_combining_mark(c) || is_invisible(c) => {}
            '\u{2018}' | '\u{2019}' | '\u{2032}' | '\u{b4}' | '`' => folded.push('\''),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\u{df}' => folded.push_str("ss"),
            // The Russian letter that is written with and without its dots.
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

/// `folded` without blanks and signs: scripts without blanks between words, and texts that were
/// broken in another place, are found in it all the same.
pub(super) fn squeeze(folded: &str) -> String {
    folded.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_text_are_one() {
        for (text, want) in [
            ("ÉCHEC", "echec"),
            ("e\u{301}chec", "echec"),
            ("０ｘ８００７", "0x8007"),
            ("Größe", "grosse"),
            ("l’erreur\u{200b} nº", "l'erreur no"),
            ("ошибё", "ошибе"),
            ("a\tb\u{1b}c", "a b c"),
            ("ライセンス", "ライセンス"),
        ] {
            assert_eq!(fold(text), want, "{text}");
        }
        assert_eq!(
            squeeze(&fold("リモート デスクトップ。")),
            fold("リモートテスクトッフ")
        );
    }
}
