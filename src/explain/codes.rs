// SPDX-License-Identifier: GPL-3.0-or-later
//! Every number of a text that can be a code, with what is said of it.

use super::said::{Said, said};

/// A text with more codes than this is no message.
const MOST: usize = 32;
/// A text of so few words is about its number, whatever stands around it.
const SHORT: usize = 6;

/// How a number was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// Digits.
    Decimal,
    /// Digits behind a minus sign: the number is what they are in 32 bits.
    Negative,
    /// With `0x`, or eight digits that can be nothing else.
    Hex,
}

/// A number of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// As it stands there, folded.
    pub(super) text: String,
    /// Its value; none where it has more than 32 bits.
    pub(super) code: Option<u32>,
    pub(super) notation: Notation,
    /// What the words before it say.
    pub(super) said: Option<Said>,
    /// Whether the text is little more than the number.
    pub(super) is_alone: bool,
    /// Whether nothing says that it is a code, so that it is one only as an event of a source that
    /// the text names.
    pub(super) is_loose: bool,
    /// The numbers in brackets behind a stop code.
    pub(super) parameters: Vec<u64>,
}

/// The codes of a folded text, in its order, each once.
pub(super) fn codes(folded: &str) -> Vec<Written> {
    let words = folded.split_whitespace().count();
    let mut found: Vec<Written> = Vec::new();
    let (mut at, mut behind) = (0, 0);
    while let Some(token) = next(folded, at) {
        at = token.end;
        let before = folded.get(behind..token.start).unwrap_or_default();
        let said = said(before);
        let Some((code, notation, end)) = number(folded, &token, said) else {
            continue;
        };
        at = end;
        if let Some(stop) = found
            .last_mut()
            .filter(|last| in_its_brackets(last, before))
        {
            stop.parameters
                .extend(wide(folded.get(token.start..end).unwrap_or_default()));
            behind = end;
            continue;
        }
        let said = said.or_else(|| marked(folded, token.start, end).then_some(Said::Error));
        behind = end;
        let is_hex = notation == Notation::Hex;
        let is_code = match said {
            Some(Said::Other) => is_hex && words <= SHORT,
            Some(_) => true,
            None => is_hex || words <= SHORT,
        };
        let is_loose = !is_code && said.is_none();
        let counts = counts_something(folded.get(end..).unwrap_or_default());
        if !is_code && !is_loose || is_plain_zero(code, &found) || counts && !is_hex {
            continue;
        }
        let written = Written {
            text: folded.get(token.start..end).unwrap_or_default().to_owned(),
            code,
            notation,
            said: said.filter(|said| *said != Said::Other),
            is_alone: words <= 2,
            is_loose,
            parameters: Vec::new(),
        };
        if !found.contains(&written) {
            found.push(written);
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// "Extended error code: 0x0" beside another one says nothing.
fn is_plain_zero(code: Option<u32>, found: &[Written]) -> bool {
    code == Some(0) && !found.is_empty()
}

/// A run of ASCII letters, digits and underscores that begins with a digit.
struct Token {
    start: usize,
    end: usize,
}

fn next(text: &str, from: usize) -> Option<Token> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let mut start = from;
    loop {
        let skipped = bytes.get(start..)?.iter().position(is_part)?;
        start = start.saturating_add(skipped);
        let length = bytes.get(start..)?.iter().position(|byte| !is_part(byte));
        let end = length.map_or(bytes.len(), |length| start.saturating_add(length));
        let word = text.get(start..end)?;
        if word.bytes().any(|byte| byte.is_ascii_digit()) || word == "0x" {
            return Some(Token { start, end });
        }
        start = end;
    }
}

/// The value of a token, how it was written, and where it ends with the groups that belong to it.
fn number(text: &str, token: &Token, said: Option<Said>) -> Option<(Option<u32>, Notation, usize)> {
    let word = text.get(token.start..token.end)?;
    let behind = |end: usize| text.get(end..).unwrap_or_default();
    let before = text.get(..token.start).unwrap_or_default();
    if is_part_of_more(before, behind(token.end)) {
        return None;
    }
    if let Some(digits) = word.strip_prefix("0x") {
        let digits = digits.replace('_', "");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let half = (digits.len() == 4).then(|| second_half(text, token.end));
        if let Some((low, end)) = half.flatten() {
            return Some((hex(&format!("{digits}{low}")), Notation::Hex, end));
        }
        return Some((hex(&digits), Notation::Hex, token.end));
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) && !is_bare_hex(word, said) {
        let (digits, end) = grouped(text, token, said.is_some());
        let negative = before
            .strip_suffix('-')
            .filter(|before| !before.ends_with(|c: char| c.is_alphanumeric()));
        let value: Option<i64> = digits.parse().ok();
        return Some(match (value, negative) {
            (Some(value), Some(_)) => {
                let code = i32::try_from(value.saturating_neg()).ok();
                (code.map(i32::cast_unsigned), Notation::Negative, end)
            }
            (value, _) => {
                let code = value.and_then(|value| u32::try_from(value).ok());
                (code, Notation::Decimal, end)
            }
        });
    }
    let digits = word.strip_suffix('h').unwrap_or(word);
    let is_stop = said == Some(Said::Stop);
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_hex = is_hex && (is_bare_hex(digits, said) || is_stop && digits.len() <= 8);
    is_hex.then(|| (hex(digits), Notation::Hex, token.end))
}

/// Eight hex digits that begin as an error does: nobody writes a decimal number like that.
fn is_bare_hex(word: &str, said: Option<Said>) -> bool {
    let is_hex = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let begins = ["80", "c0", "d0"]
        .iter()
        .any(|begin| word.starts_with(begin));
    is_hex && begins && (said.is_some() || word.bytes().any(|byte| !byte.is_ascii_digit()))
}

fn hex(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}

/// A parameter of a stop error has 64 bits.
fn wide(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text).replace('_', "");
    u64::from_str_radix(&digits, 16).ok()
}

/// `0x8007'0005`: four more hex digits behind a sign that groups.
fn second_half(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let sign = rest.chars().next()?;
    if !matches!(sign, '\'' | '-' | ' ' | ',' | '.') {
        return None;
    }
    let start = at.saturating_add(sign.len_utf8());
    let end = start.saturating_add(4);
    let low = text.get(start..end)?;
    let next = text.get(end..)?.chars().next();
    let is_whole = !next.is_some_and(|c| c.is_ascii_alphanumeric());
    (is_whole && low.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((low, end))
}

/// The digits of a decimal number with the groups of three behind it, and where it ends.
fn grouped(text: &str, token: &Token, is_said: bool) -> (String, usize) {
    let word = text.get(token.start..token.end).unwrap_or_default();
    let (mut digits, mut end, mut groups) = (word.to_owned(), token.end, 0_usize);
    if word.len() > 3 || !is_said {
        return (digits, end);
    }
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let Some(sign) = rest
            .chars()
            .next()
            .filter(|c| matches!(c, ',' | '.' | ' ' | '\''))
        else {
            break;
        };
        let start = end.saturating_add(sign.len_utf8());
        let stop = start.saturating_add(3);
        let Some(group) = text
            .get(start..stop)
            .filter(|g| g.bytes().all(|b| b.is_ascii_digit()))
        else {
            break;
        };
        let goes_on = text
            .get(stop..)
            .unwrap_or_default()
            .starts_with(|c: char| c.is_ascii_alphanumeric());
        if goes_on {
            return (word.to_owned(), token.end);
        }
        digits.push_str(group);
        end = stop;
        groups = groups.saturating_add(1);
    }
    // One group behind a blank is another number.
    let is_one = groups == 1 && text.get(token.end..).unwrap_or_default().starts_with(' ');
    match is_one {
        true => (word.to_owned(), token.end),
        false => (digits, end),
    }
}

/// Whether what is behind the number is a unit.
fn counts_something(behind: &str) -> bool {
    const UNITS: [&str; 22] = [
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "user",
        "session",
        "time",
        "byte",
        "mb",
        "gb",
        "ms",
        "sekunden",
        "minuten",
        "tag",
        "minutos",
        "минут",
        "секунд",
        "分",
        "秒",
    ];
    let behind = behind.strip_prefix(' ').unwrap_or(behind);
    let end = behind
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(behind.len());
    let word = behind.get(..end).unwrap_or_default();
    UNITS.iter().any(|unit| {
        // Words that are not separated by blanks go on.
        let rest = word.strip_prefix(unit);
        rest.is_some_and(|rest| rest.is_empty() || rest == "s" || !unit.is_ascii())
    })
}

/// Whether it is part of a date, a time, an address, a version, a path, a GUID or a percentage.
fn is_part_of_more(before: &str, behind: &str) -> bool {
    let joins = |c: char| matches!(c, '.' | '/' | ':' | '-' | '\\');
    let mut back = before.chars().rev();
    let glued = match (back.next(), back.next()) {
        (Some('-'), Some(c)) => c.is_alphanumeric(),
        (Some('.' | '/' | '\\'), Some(c)) => c.is_ascii_alphanumeric(),
        (Some(':'), Some(c)) => c.is_ascii_digit(),
        (Some('{' | '$' | '@'), _) => true,
        _ => false,
    };
    let mut forth = behind.chars();
    let goes_on = match (forth.next(), forth.next(), forth.next()) {
        (Some('%'), ..) => true,
        // A group of thousands goes on too, and is looked at by itself.
        (Some('.'), Some(c), Some(d)) if c.is_ascii_digit() => {
            !d.is_ascii_digit()
                || behind
                    .get(1..4)
                    .is_none_or(|g| !g.bytes().all(|b| b.is_ascii_digit()))
        }
        (Some(sign), Some(c), _) if joins(sign) && sign != '.' => match sign {
            '-' => c.is_ascii_alphanumeric() && !before.ends_with("0x"),
            _ => c.is_ascii_digit(),
        },
        _ => false,
    };
    glued || goes_on
}

/// "1068: The dependency ...", "(1058)": written as codes are.
fn marked(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default().trim_end_matches(' ');
    let behind = text.get(end..).unwrap_or_default();
    let begins = before.is_empty() || before.ends_with('\n');
    let is_bracketed = before.ends_with(['(', '[']) && behind.starts_with([')', ']', ',']);
    is_bracketed || begins && behind.starts_with(':')
}

/// Whether a number stands in the brackets behind a stop code, or is named its parameter.
fn in_its_brackets(last: &Written, between: &str) -> bool {
    let is_stop = last.said == Some(Said::Stop);
    let is_open = between.trim_start().starts_with('(') || !last.parameters.is_empty();
    let is_only = between.chars().all(|c| matches!(c, '(' | ',' | ' ' | '\n'));
    is_stop && (is_open && is_only && !between.contains(')') || between.contains("bugcheck_p"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::fold::fold;

    type Want = (Option<u32>, Notation, Option<Said>);

    fn found(text: &str) -> Vec<Want> {
        let codes = codes(&fold(text)).into_iter().filter(|code| !code.is_loose);
        codes
            .map(|code| (code.code, code.notation, code.said))
            .collect()
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        use Notation::{Decimal, Hex, Negative};
        let error = Some(Said::Error);
        let long = "9".repeat(40);
        let table: Vec<(&str, Vec<Want>)> = vec![
            ("516", vec![(Some(516), Decimal, None)]),
            (" \"0X204\" ", vec![(Some(516), Hex, None)]),
            ("0x", vec![]),
            (&long, vec![(None, Decimal, None)]),
            (
                "Fehler 1079: Das angegebene Konto stimmt nicht mit dem Konto überein",
                vec![(Some(1079), Decimal, error)],
            ),
            ("Erreur 1058", vec![(Some(1058), Decimal, error)]),
            (
                "Код ошибки: 0x904. Расширенный код ошибки: 0x7",
                vec![
                    (Some(0x904), Hex, error),
                    (Some(7), Hex, Some(Said::Extended)),
                ],
            ),
            (
                "错误代码：0x708 扩展错误代码：0x0",
                vec![(Some(0x708), Hex, error)],
            ),
            ("服务无法启动 错误1053", vec![(Some(1053), Decimal, error)]),
            (
                "エラーコード:０ｘc0000225",
                vec![(Some(0xC000_0225), Hex, error)],
            ),
            (
                "error -2147024891",
                vec![(Some(0x8007_0005), Negative, error)],
            ),
            (
                "error code 2,147,942,405",
                vec![(Some(0x8007_0005), Decimal, error)],
            ),
            ("error 0x8007'0005", vec![(Some(0x8007_0005), Hex, error)]),
            ("error 0x8007 0005", vec![(Some(0x8007_0005), Hex, error)]),
            (
                "ERROR 800703f1 (The configuration registry database is corrupt. )",
                vec![(Some(0x8007_03F1), Hex, error)],
            ),
            (
                "Error code: 80090010",
                vec![(Some(0x8009_0010), Hex, error)],
            ),
            (
                "[SC] StartService FAILED 1053:",
                vec![(Some(1053), Decimal, Some(Said::System))],
            ),
            (
                "1068: Dependency service or group failed to start, they say.",
                vec![(Some(1068), Decimal, error)],
            ),
            (
                "disabled or because it has no enabled devices associated with it.\n(1058)",
                vec![(Some(1058), Decimal, error)],
            ),
            (
                "BUGCHECK_CODE:  7f\nBUGCHECK_P1: 8",
                vec![(Some(0x7F), Hex, Some(Said::Stop))],
            ),
            (
                "it broke 12/30/2019 at 09:18:47 on 10.0.4.12 with Windows 10 build 19045 on port 3389 and KB5055523",
                vec![],
            ),
            (
                "S-1-5-21-1463948966 {26EE0668-A00A-4407-9371-BEB064C98683} at 48% of the whole thing",
                vec![],
            ),
            (
                "there is nothing that listens on port 3389 of this machine",
                vec![],
            ),
            (
                "the code is 0x800004005, whatever that may be to you",
                vec![(None, Hex, error)],
            ),
        ];
        for (text, want) in table {
            assert_eq!(found(text), want, "{text}");
        }
    }

    #[test]
    fn what_stands_in_brackets_behind_a_stop_code_is_its_parameters() {
        let text = "*** STOP: 0x0000007B (0xFFFFF880009A97E8,0xFFFFFFFFC0000034,0x0,0x0)";
        let codes = codes(&fold(text));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert_eq!(codes[0].code, Some(0x7B));
        assert_eq!(
            codes[0].parameters,
            [0xFFFF_F880_009A_97E8, 0xFFFF_FFFF_C000_0034, 0, 0]
        );
    }
}
