// SPDX-License-Identifier: GPL-3.0-or-later
//! What is written in a scalar: text, a number, yes or no, bytes.
//!
//! YAML versions disagree on what `yes`, `08` or `0o17` are. Nothing here guesses: what can be
//! read in two ways is an error that says how to write it in one.

use super::yaml::Scalar;
use crate::profile::model::{parse_number, shown};

/// What is wrong with a scalar, and what to write instead.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Fault {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Reads text. Without quotes it must be nothing but text to every YAML parser.
pub(super) fn text(scalar: &Scalar) -> Result<String, Fault> {
    let Scalar { text, plain } = scalar;
    if !plain {
        return Ok(text.clone());
    }
    if text.is_empty() {
        let hint = "write \"\" if it is meant to be empty";
        return Err(Fault::new("there is no text here", hint));
    }
    let what = match () {
        () if is_null_word(text) => "nothing (null)",
        () if is_bool_word(text) => "yes or no",
        () if is_number_like(text) => "a number",
        () => return Ok(text.clone()),
    };
    let message = format!("`{}` without quotes is {what} in YAML", shown(text));
    Err(Fault::new(message, format!("write \"{}\"", shown(text))))
}

fn is_null_word(text: &str) -> bool {
    text == "~" || text.eq_ignore_ascii_case("null")
}

fn is_bool_word(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Says whether some version of YAML sees a number here.
fn is_number_like(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan") {
        return true;
    }
    let digits =
        |s: &str, radix: u32| !s.is_empty() && s.chars().all(|c| c == '_' || c.is_digit(radix));
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    let is_based = |&(prefix, radix): &(&str, u32)| {
        lower.strip_prefix(prefix).is_some_and(|s| digits(s, radix))
    };
    let is_float = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && lower.replace('_', "").parse::<f64>().is_ok();
    let mut parts = lower.split(':');
    let is_sexagesimal = lower.contains(':') && parts.all(|part| digits(part, 10));
    based.iter().any(is_based) || is_float || is_sexagesimal
}

/// Reads `true` or `false`.
pub(super) fn boolean(scalar: &Scalar) -> Result<bool, Fault> {
    match (scalar.text.as_str(), scalar.plain) {
        ("true", true) => return Ok(true),
        ("false", true) => return Ok(false),
        _ => {}
    }
    let likely = match scalar.text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" => "write true",
        "false" | "no" | "off" | "0" | "n" => "write false",
        _ => "write true or false",
    };
    let message = format!("`{}` is not true or false", shown(&scalar.text));
    Err(Fault::new(message, likely))
}

/// Reads a number of at most `max`: decimal, or hexadecimal behind `0x`.
pub(super) fn number(scalar: &Scalar, max: u64) -> Result<u64, Fault> {
    let text = scalar.text.as_str();
    if !scalar.plain {
        let message = format!("\"{}\" in quotes is text, not a number", shown(text));
        let hint = match parse_number(text) {
            Some(_) => format!("write {text} without the quotes"),
            None => "write a number without quotes, such as 1 or 0x1".to_owned(),
        };
        return Err(Fault::new(message, hint));
    }
    match parse_number(text) {
        Some(number) if number <= u128::from(max) => {
            u64::try_from(number).map_err(|_| not_a_number(text))
        }
        Some(_) => Err(too_large(text, max)),
        None => Err(not_a_number(text)),
    }
}

fn too_large(text: &str, max: u64) -> Fault {
    let message = format!("{} is too large", shown(text));
    let mut hint = format!("the largest is {max:#X} ({max})").replace("0X", "0x");
    if max < u64::MAX {
        hint.push_str("; qword holds more");
    }
    Fault::new(message, hint)
}

fn not_a_number(text: &str) -> Fault {
    let message = match text {
        "" => "there is no number here".to_owned(),
        _ => format!("`{}` is not a number here", shown(text)),
    };
    let hex = |s: &str| !s.is_empty() && s.len() <= 16 && s.bytes().all(|b| b.is_ascii_hexdigit());
    let decimal = |s: &str| hex(s) && s.bytes().all(|b| b.is_ascii_digit());
    let hint = if text.starts_with('-') {
        "there are no negative numbers in the registry: -1 is 0xFFFFFFFF as a dword".to_owned()
    } else if let Some(digits) = text.strip_prefix("0X").filter(|s| hex(s)) {
        format!("write 0x{digits}")
    } else if decimal(text) {
        let value = text.trim_start_matches('0');
        let value = if value.is_empty() { "0" } else { value };
        format!("write {value}, or 0x{text} if it is hexadecimal as in a .reg file")
    } else if hex(text) {
        format!("write 0x{text}")
    } else {
        "write it in decimal, or in hexadecimal behind 0x".to_owned()
    };
    Fault::new(message, hint)
}

/// Reads bytes as pairs of hexadecimal digits, with blanks and commas between them as one likes.
///
/// `hex:` or `hex(7):` in front and the line ends of a .reg file may stay.
pub(super) fn bytes(scalar: &Scalar) -> Result<Vec<u8>, Fault> {
    let text = scalar.text.as_str();
    if text.is_empty() && scalar.plain {
        return Err(Fault::new(
            "there are no bytes here",
            "write \"\" for no bytes",
        ));
    }
    let mut bytes = Vec::new();
    for part in without_reg_prefix(text).split([',', ' ', '\t', '\r', '\n', '\\']) {
        push_pairs(part, &mut bytes)?;
    }
    Ok(bytes)
}

/// Takes away `hex:` and `hex(b):`, which .reg files have in front of bytes.
fn without_reg_prefix(text: &str) -> &str {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("hex") else {
        return text;
    };
    let rest = match rest.strip_prefix('(') {
        Some(rest) => rest
            .trim_start_matches(|c: char| c.is_ascii_hexdigit())
            .strip_prefix(')'),
        None => Some(rest),
    };
    rest.and_then(|rest| rest.strip_prefix(':')).unwrap_or(text)
}

fn push_pairs(part: &str, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    if let Some(wrong) = part.chars().find(|c| !c.is_ascii_hexdigit()) {
        let message = format!("`{wrong}` is not a hexadecimal digit");
        let hint = "write pairs of hexadecimal digits: 01 02 ff, or 0102ff, or hex:01,02,ff";
        return Err(Fault::new(message, hint));
    }
    let mut digits = part.chars().filter_map(|c| c.to_digit(16));
    while let Some(high) = digits.next() {
        let Some(low) = digits.next() else {
            let message = format!("`{}` does not end with a whole byte", shown(part));
            let hint = "a byte is two hexadecimal digits: write 01, not 1";
            return Err(Fault::new(message, hint));
        };
        let byte = high.saturating_mul(16).saturating_add(low);
        bytes.extend(u8::try_from(byte));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            plain: true,
        }
    }

    fn quoted(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            plain: false,
        }
    }

    #[test]
    fn numbers_are_decimal_or_0x() {
        let dword = |text| number(&plain(text), u64::from(u32::MAX)).ok();
        assert_eq!(dword("0"), Some(0));
        assert_eq!(dword("3389"), Some(3389));
        assert_eq!(dword("0xd3D"), Some(3389));
        assert_eq!(dword("4294967295"), Some(u64::from(u32::MAX)));
        assert_eq!(dword("0x00000000000000001"), Some(1));
        for text in [
            "",
            "-1",
            "+1",
            "08",
            "010",
            "0o17",
            "0b1",
            "1_000",
            "1e3",
            "1.0",
            "0x",
            "0X1",
            "ffffffff",
            "4294967296",
            "0x100000000",
            "true",
            "~",
            "1:30",
            "１",
            "999999999999999999999999999999999999999999999999999",
        ] {
            assert_eq!(dword(text), None, "{text}");
        }
        assert!(number(&quoted("1"), 9).is_err());
        assert_eq!(
            number(&plain("0xFFFFFFFFFFFFFFFF"), u64::MAX).ok(),
            Some(u64::MAX)
        );
        assert!(number(&plain("0x1FFFFFFFFFFFFFFFF"), u64::MAX).is_err());
    }

    #[test]
    fn text_without_quotes_is_text_to_every_yaml() {
        for words in [
            "tcp",
            "Microsoft RDP 8.0",
            "1.2.3.4",
            "no limit",
            "%SystemRoot%",
            "infinity",
        ] {
            assert_eq!(text(&plain(words)).ok().as_deref(), Some(words));
        }
        for words in [
            "", "~", "NULL", "yes", "Off", "true", "0", "-1", "08", "0x1F", "0o7", "1_000", "1.5",
            ".5", "1e3", ".inf", "-.INF", ".NaN", "20:30",
        ] {
            assert!(text(&plain(words)).is_err(), "{words}");
            assert_eq!(text(&quoted(words)).ok().as_deref(), Some(words));
        }
    }

    #[test]
    fn bytes_are_read_as_people_paste_them() {
        for words in [
            "0102ff",
            "01 02 FF",
            "01,02,ff",
            "hex:01,02,ff",
            "hex(7):01,02,\\\n  ff",
        ] {
            assert_eq!(bytes(&plain(words)).ok(), Some(vec![1, 2, 255]), "{words}");
        }
        assert_eq!(bytes(&plain("10")).ok(), Some(vec![0x10]));
        assert_eq!(bytes(&plain("1e10")).ok(), Some(vec![0x1e, 0x10]));
        assert_eq!(bytes(&quoted("")).ok(), Some(vec![]));
        for words in ["", "1", "1,2", "0x01", "010", "zz", "hex(7:01", "０１"] {
            assert!(bytes(&plain(words)).is_err(), "{words}");
        }
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!(boolean(&plain("true")).ok(), Some(true));
        assert_eq!(boolean(&plain("false")).ok(), Some(false));
        for words in ["yes", "True", "on", "1", ""] {
            assert!(boolean(&plain(words)).is_err(), "{words}");
        }
        assert!(boolean(&quoted("true")).is_err());
    }
}
