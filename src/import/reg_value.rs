// SPDX-License-Identifier: GPL-3.0-or-later
//! What stands behind `=` in a `.reg` file.

/// What a line gives to its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RegValue {
    /// `-`: the value is deleted.
    Delete,
    /// A quoted text, its escapes taken away.
    Text(String),
    /// `dword:`.
    Dword(u32),
    /// `hex:` or `hex(n):`, type and bytes.
    Hex(u32, Vec<u8>),
}

/// What is wrong, and what to do.
pub(super) type Fault = (String, &'static str);

const LINE: &str = "write \"name\"=\"text\", \"name\"=dword:..., \"name\"=hex(n):... or \"name\"=-";

/// A text in quotes at the start of `line`: the text, and what stands behind it; `None` where no
/// quote closes it.
///
/// # Errors
///
/// Where a backslash escapes neither a quote nor a backslash.
pub(super) fn quoted(line: &str) -> Result<Option<(String, &str)>, Fault> {
    let Some(inside) = line.strip_prefix('"') else {
        return Err(("there is no quote here".to_owned(), LINE));
    };
    let mut text = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = inside.get(at.saturating_add(1)..).unwrap_or_default();
                return Ok(Some((text, rest)));
            }
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, other)) => {
                    let other = crate::text::escape(&other.to_string());
                    let message = format!("`\\{other}` is no escape of a .reg file");
                    return Err((message, "write a backslash twice: `\\\\`"));
                }
                None => return Ok(None),
            },
            _ => text.push(c),
        }
    }
    Ok(None)
}

/// Reads what stands behind `=`, its continued lines joined. A comment may stand behind it.
///
/// # Errors
///
/// Where it is nothing that a `.reg` file can say.
pub(super) fn value(text: &str) -> Result<RegValue, Fault> {
    let text = text.trim();
    if text.starts_with('"') {
        let Some((value, rest)) = quoted(text)? else {
            return Err(("this text has no end".to_owned(), "close it with a quote"));
        };
        return nothing_behind(rest).map(|()| RegValue::Text(value));
    }
    let text = text.split(';').next().unwrap_or_default().trim();
    if text == "-" {
        return Ok(RegValue::Delete);
    }
    let Some((kind, data)) = text.split_once(':') else {
        return Err(("this is no value of a .reg file".to_owned(), LINE));
    };
    let kind = kind.trim().to_ascii_lowercase();
    match kind.as_str() {
        "dword" => dword(data.trim()),
        "hex" => bytes(data).map(|bytes| RegValue::Hex(3, bytes)),
        _ => {
            let number = kind.strip_prefix("hex(").and_then(|n| n.strip_suffix(')'));
            let number = number.and_then(|n| u32::from_str_radix(n.trim(), 16).ok());
            let Some(number) = number else {
                let kind = crate::text::escape(&kind);
                return Err((format!("`{kind}` is no type of a .reg file"), LINE));
            };
            bytes(data).map(|bytes| RegValue::Hex(number, bytes))
        }
    }
}

/// Makes sure that nothing but a comment stands behind a value.
pub(super) fn nothing_behind(rest: &str) -> Result<(), Fault> {
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with(';') {
        return Ok(());
    }
    let hint = "a quote in a text is written \\\", and a comment begins with ;";
    Err(("something stands behind the text".to_owned(), hint))
}

fn dword(digits: &str) -> Result<RegValue, Fault> {
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u32::from_str_radix(digits, 16) {
        Ok(number) if is_hex => Ok(RegValue::Dword(number)),
        _ => {
            let hint = "write up to eight hexadecimal digits and nothing in front: dword:00000d3d";
            Err(("this is no number of a dword".to_owned(), hint))
        }
    }
}

fn bytes(data: &str) -> Result<Vec<u8>, Fault> {
    let data = data.trim().trim_end_matches(',');
    if data.is_empty() {
        return Ok(Vec::new());
    }
    let byte = |text: &str| {
        let text = text.trim();
        let is_hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(text, 16).ok().filter(|_| is_hex)
    };
    let read: Option<Vec<u8>> = data.split(',').map(byte).collect();
    read.ok_or_else(|| {
        let hint = "write two hexadecimal digits for each byte, with commas between them";
        ("these are no bytes".to_owned(), hint)
    })
}
