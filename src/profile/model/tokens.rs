// SPDX-License-Identifier: GPL-3.0-or-later
//! One `Name=Text` token of a `|`-separated firewall rule: the others keep their bytes.

use std::fmt;

use super::data::{Data, REG_SZ, kind_text};
use super::shown::shown;
use super::upcase::{upcase, upcase_unit};
use super::verdict::Verdict;
use crate::text::escape;

const BAR: u16 = 0x7c;
const EQUALS: u16 = 0x3d;

/// A `Name=Text` token of a `|`-separated firewall rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What stands in front of the first `=`.
    pub name: String,
    /// What should stand behind it; `None` for a required parameter that has not been given.
    pub text: Option<String>,
    /// The parameter that the text is taken from.
    pub parameter: Option<String>,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.as_deref().unwrap_or("?");
        write!(f, "{}={}", escape(&self.name), escape(text))
    }
}

/// The data as the text of a token; `None` for what cannot be one.
pub(crate) fn token_text(data: &Data) -> Option<String> {
    match data {
        Data::Dword(number) => Some(number.to_string()),
        Data::Qword(number) => Some(number.to_string()),
        Data::Sz(text) => (!text.contains(['|', '\0'])).then(|| text.clone()),
        _ => None,
    }
}

/// What is to be done so that the rule has the wanted tokens.
pub(super) fn judge(found: Option<(u32, &[u8])>, wanted: &[Token]) -> Verdict {
    let Some((kind, bytes)) = found else {
        return Verdict::Missing;
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if kind != REG_SZ || !rest.is_empty() {
        let what = match kind == REG_SZ {
            true => "half a character at its end".to_owned(),
            false => format!("the type {}", kind_text(kind)),
        };
        return Verdict::Blocked(format!(
            "a rule is a REG_SZ, and this value has {what}: nothing is changed in it"
        ));
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    // What stands behind the end of the string is left alone.
    let end = units.iter().position(|&unit| unit == 0);
    let (rule, tail) = units
        .split_at_checked(end.unwrap_or(units.len()))
        .unwrap_or((&units, &[]));
    match edit(rule, wanted) {
        Err(reason) => Verdict::Blocked(reason),
        Ok(None) => Verdict::Met,
        Ok(Some(rule)) => {
            let units = rule.into_iter().chain(tail.iter().copied());
            let data = units.flat_map(u16::to_le_bytes).collect();
            Verdict::Write { kind, data }
        }
    }
}

/// What a firewall rule must be for an entry to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTest {
    /// What stands in front of the first `=`.
    pub name: String,
    /// One of these stands behind it; an empty text is met where there is no such token.
    pub texts: Vec<Token>,
}

/// Whether the value is a firewall rule that passes all the tests. A token that is there more than once
/// passes where one of its texts does.
pub(super) fn passes(found: Option<(u32, &[u8])>, tests: &[TokenTest]) -> bool {
    let Some((REG_SZ, bytes)) = found else {
        return false;
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|&unit| unit != 0)
        .collect();
    let pieces: Vec<&[u16]> = units.split(|&unit| unit == BAR).collect();
    if !pieces.first().is_some_and(|first| is_version(first)) {
        return false;
    }
    tests.iter().all(|test| {
        let folded = upcase(&test.name);
        let texts = pieces.iter().filter_map(|piece| {
            let length = piece.iter().position(|&unit| unit == EQUALS)?;
            let is_named = fold(piece.iter().take(length)) == folded;
            is_named.then(|| fold(piece.iter().skip(length.saturating_add(1))))
        });
        let texts: Vec<Vec<u16>> = texts.collect();
        let is_met = |wanted: &Token| match wanted.text.as_deref() {
            None => false,
            Some("") => texts.is_empty(),
            Some(text) => texts.contains(&upcase(text)),
        };
        test.texts.iter().any(is_met)
    })
}

/// The changed rule, or `None` where it has all tokens already.
fn edit(rule: &[u16], wanted: &[Token]) -> Result<Option<Vec<u16>>, String> {
    let mut pieces: Vec<Vec<u16>> = rule
        .split(|&unit| unit == BAR)
        .map(<[u16]>::to_vec)
        .collect();
    if !pieces.first().is_some_and(|first| is_version(first)) {
        let text = String::from_utf16_lossy(rule);
        return Err(format!(
            "`{}` is not a firewall rule: it does not begin with a version such as v2.10|",
            escape(&shown(&text))
        ));
    }
    let mut changed = false;
    for token in wanted {
        let Some(text) = &token.text else {
            return Err("the parameter that a token takes has no value".to_owned());
        };
        changed |= set(&mut pieces, &token.name, text)?;
    }
    Ok(changed.then(|| pieces.join(&BAR)))
}

/// Gives one token its text; says whether that changed anything.
fn set(pieces: &mut Vec<Vec<u16>>, name: &str, text: &str) -> Result<bool, String> {
    let folded = upcase(name);
    let mut named = pieces.iter_mut().filter(|piece| {
        let length = piece.iter().position(|&unit| unit == EQUALS);
        length.is_some_and(|length| fold(piece.iter().take(length)) == folded)
    });
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        let name = escape(name);
        return Err(format!(
            "the rule has the token {name} more than once: which of them is meant cannot be told"
        ));
    }
    let Some(piece) = first else {
        let token = name.encode_utf16().chain([EQUALS]);
        let token = token.chain(text.encode_utf16()).collect();
        if pieces.len() == 1 {
            pieces.push(Vec::new());
        }
        pieces.insert(1, token);
        return Ok(true);
    };
    let start = folded.len().saturating_add(1);
    if fold(piece.iter().skip(start)) == upcase(text) {
        return Ok(false);
    }
    piece.truncate(start);
    piece.extend(text.encode_utf16());
    Ok(true)
}

fn fold<'u>(units: impl Iterator<Item = &'u u16>) -> Vec<u16> {
    units.copied().map(upcase_unit).collect()
}

/// `v` and a number with dots: `v2.10`.
fn is_version(piece: &[u16]) -> bool {
    let text = String::from_utf16_lossy(piece);
    let Some(number) = text.strip_prefix(['v', 'V']) else {
        return false;
    };
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn judged(rule: &str, tokens: &[(&str, &str)]) -> Verdict {
        let tokens: Vec<Token> = tokens
            .iter()
            .map(|(name, text)| Token {
                name: (*name).to_owned(),
                text: Some((*text).to_owned()),
                parameter: None,
            })
            .collect();
        judge(Some((REG_SZ, &utf16(rule))), &tokens)
    }

    fn written(rule: &str) -> Verdict {
        Verdict::Write {
            kind: REG_SZ,
            data: utf16(rule),
        }
    }

    const ALLOW: [(&str, &str); 2] = [("Active", "TRUE"), ("Action", "Allow")];

    #[test]
    fn only_the_named_tokens_change() {
        let rule = "v2.33|Action=Block|Active=TRUE|Dir=In|App=C:\\a=b.exe|Profile=Domain|Profile=Private|\0";
        let right = rule.replace("Block", "Allow");
        assert_eq!(judged(rule, &ALLOW), written(&right));
        assert_eq!(judged(&right, &ALLOW), Verdict::Met);
        assert_eq!(
            judged(rule, &[("app", "x")]),
            written(&rule.replace("C:\\a=b.exe", "x"))
        );
    }

    #[test]
    fn case_does_not_matter_and_is_kept() {
        assert_eq!(
            judged("v2.10|action=ALLOW|ACTIVE=True|\0", &ALLOW),
            Verdict::Met
        );
        assert_eq!(
            judged("v2.10|action=ALLOW|ACTIVE=False|\0", &ALLOW),
            written("v2.10|action=ALLOW|ACTIVE=TRUE|\0")
        );
    }

    #[test]
    fn a_token_that_is_missing_stands_behind_the_version() {
        assert_eq!(
            judged("v2.10|Dir=In|\0", &[("Active", "TRUE")]),
            written("v2.10|Active=TRUE|Dir=In|\0")
        );
        assert_eq!(judged("v2", &[("A", "b")]), written("v2|A=b|"));
    }

    #[test]
    fn what_cannot_be_told_is_blocked() {
        for rule in ["v2|A=1|a=2|\0", "A=1|\0", "", "v|A=1|", "vx.1|A=1|"] {
            assert!(
                matches!(judged(rule, &[("A", "1")]), Verdict::Blocked(_)),
                "{rule}"
            );
        }
        assert!(matches!(judge(Some((2, &[])), &[]), Verdict::Blocked(_)));
        assert!(matches!(
            judge(Some((1, &[0x76])), &[]),
            Verdict::Blocked(_)
        ));
        assert_eq!(judge(None, &[]), Verdict::Missing);
    }

    #[test]
    fn no_byte_of_the_rest_changes() {
        let mut rule = utf16("v2.10|Active=FALSE|Name=");
        rule.extend([0x00, 0xd8]); // half a surrogate pair
        rule.extend(utf16("|\0behind\0"));
        let Verdict::Write { data, .. } = judge(
            Some((REG_SZ, &rule)),
            &[Token {
                name: "Active".to_owned(),
                text: Some("TRUE".to_owned()),
                parameter: None,
            }],
        ) else {
            panic!()
        };
        let start = utf16("v2.10|Active=TRUE").len();
        assert_eq!(data.get(start..), rule.get(start + 2..));
    }
}
