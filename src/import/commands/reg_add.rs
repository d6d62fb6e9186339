// SPDX-License-Identifier: GPL-3.0-or-later
//! REG ADD and REG DELETE.

use super::lines::Shell;
use super::options::{Fault, RegOptions, options};
use super::word::{Quotes, Word};
use crate::import::collector::Collector;
use crate::import::mistake::MistakeKind;
use crate::import::number::{Number, number};
use crate::import::operation::Deed;
use crate::import::place::Place;
use crate::profile::Data;
use crate::text::escape;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Delete,
}

/// A command with what is known of where it stands.
pub(super) struct RegCommand<'w> {
    pub(super) verb: Verb,
    pub(super) words: &'w [Word],
    pub(super) shell: Shell,
    pub(super) is_prose: bool,
    /// Whether it stands in a batch file, where a `%` alone is lost.
    pub(super) is_batch: bool,
    pub(super) at: Place,
}

/// Adds what a command does.
pub(super) fn reg(command: &RegCommand<'_>, found: &mut Collector<'_>) {
    let Some((key, rest)) = command.words.split_first() else {
        return;
    };
    let read = options(rest, command.is_prose).and_then(|options| {
        let deed = deed(command, &options, found)?;
        Ok((options, deed))
    });
    let (options, deed) = match read {
        Ok(read) => read,
        Err((message, hint)) => return found.refuse(command.at, message, hint),
    };
    if options.is_32_bit {
        let message = "/reg:32 is about the view of 32-bit programs";
        let hint = "write the key as it is stored, with WOW6432Node, and leave /reg:32 out";
        return found.refuse(command.at, message, hint);
    }
    let named = [
        Some(key),
        options.name.as_ref(),
        options.data.as_ref(),
        options.kind.as_ref(),
    ];
    quotes(command, named.into_iter().flatten(), found);
    match without_variable(&key.text, command.shell) {
        Ok(key) => found.add(&key, deed, command.at),
        Err((message, hint)) => found.refuse(command.at, message, hint),
    }
}

/// Names quotes that cmd.exe does not take for quotes.
fn quotes<'w>(
    command: &RegCommand<'_>,
    words: impl Iterator<Item = &'w Word>,
    found: &mut Collector<'_>,
) {
    if command.shell == Shell::PowerShell {
        return;
    }
    for word in words {
        match word.quotes {
            Quotes::Right => {}
            Quotes::Single => {
                let written = format!("'{}'", word.text);
                found.mistake(MistakeKind::SingleQuotes, &written, command.at);
            }
            Quotes::Typographic => {
                found.mistake(MistakeKind::TypographicQuotes, &word.text, command.at);
            }
        }
    }
}

/// A name in which a batch file's doubled `%` is one.
fn without_variable(text: &str, shell: Shell) -> Result<String, Fault> {
    if shell == Shell::PowerShell {
        return Ok(text.to_owned());
    }
    if text.replace("%%", "").contains('%') {
        let message = format!("`{}` holds a variable of cmd.exe", escape(text));
        return Err((message, "write what it stands for; a `%` itself is `%%`"));
    }
    Ok(text.replace("%%", "%"))
}

fn deed(
    command: &RegCommand<'_>,
    options: &RegOptions,
    found: &mut Collector<'_>,
) -> Result<Deed, Fault> {
    let name = match (&options.name, options.is_unnamed) {
        (Some(name), false) => Some(value_name(command, name, found)?),
        (None, true) => Some(String::new()),
        (None, false) => None,
        (Some(_), true) => return Err(("/v and /ve stand together".to_owned(), "keep one")),
    };
    match (command.verb, name) {
        (Verb::Delete, Some(_)) if options.is_all => {
            Err(("/va stands beside another value".to_owned(), "keep one"))
        }
        (Verb::Delete, Some(name)) => Ok(Deed::DeleteValue { name }),
        (Verb::Delete, None) if options.is_all => Ok(Deed::DeleteAllValues),
        (Verb::Delete, None) => Ok(Deed::DeleteKey),
        (Verb::Add, None) if options.data.is_none() && options.kind.is_none() => {
            Ok(Deed::CreateKey)
        }
        (Verb::Add, None) => Err((
            "there is data, and no name of a value".to_owned(),
            "add /v and the name, or /ve",
        )),
        (Verb::Add, Some(name)) => {
            let data = data(command, options, &name, found)?;
            Ok(Deed::SetValue { name, data })
        }
    }
}

fn value_name(
    command: &RegCommand<'_>,
    word: &Word,
    found: &mut Collector<'_>,
) -> Result<String, Fault> {
    let name = without_variable(&word.text, command.shell)?;
    let trimmed = name.trim();
    if trimmed.len() < name.len() && !trimmed.is_empty() && !found.is_by_program() {
        let written = format!("`{name}`");
        found.mistake(MistakeKind::BlankAtName, &written, command.at);
        return Ok(trimmed.to_owned());
    }
    Ok(name)
}

fn data(
    command: &RegCommand<'_>,
    options: &RegOptions,
    name: &str,
    found: &mut Collector<'_>,
) -> Result<Data, Fault> {
    let text = options.data.as_ref().map(|word| word.text.as_str());
    let text = text
        .map(|text| expanded(command, options, text))
        .transpose()?;
    let kind = options
        .kind
        .as_ref()
        .map(|kind| kind.text.to_ascii_uppercase());
    let Some(kind) = kind else {
        let text = text.unwrap_or_default();
        let digits = number(&text);
        if found.is_number_as_text(name)
            && let (Number::Is(value), written) | (Number::WithoutPrefix(value), written) =
                (digits, format!("/d {text}"))
        {
            found.mistake(MistakeKind::NumberAsText, &written, command.at);
            return dword(value);
        }
        return Ok(Data::Sz(text));
    };
    let given = || {
        let hint = "add it: /d and the data";
        text.clone()
            .ok_or_else(|| (format!("{kind} without /d"), hint))
    };
    match kind.as_str() {
        "REG_SZ" => Ok(Data::Sz(text.unwrap_or_default())),
        "REG_EXPAND_SZ" => Ok(Data::ExpandSz(text.unwrap_or_default())),
        "REG_MULTI_SZ" => {
            let separator = options.separator.as_ref();
            let separator = separator.map_or("\\0", |word| word.text.as_str());
            multi(&text.unwrap_or_default(), separator)
        }
        "REG_DWORD" | "REG_DWORD_LITTLE_ENDIAN" => {
            dword(integer(command, &given()?, u64::from(u32::MAX), found)?)
        }
        "REG_DWORD_BIG_ENDIAN" => {
            match dword(integer(command, &given()?, u64::from(u32::MAX), found)?)? {
                Data::Dword(number) => Ok(Data::DwordBigEndian(number)),
                other => Ok(other),
            }
        }
        "REG_QWORD" => integer(command, &given()?, u64::MAX, found).map(Data::Qword),
        "REG_BINARY" => bytes(&text.unwrap_or_default()).map(Data::Binary),
        "REG_NONE" if text.as_deref().unwrap_or_default().is_empty() => Ok(Data::None(Vec::new())),
        _ => {
            let message = format!("`{}` is no type that is read here", escape(&kind));
            let hint =
                "write REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ, REG_DWORD, REG_QWORD or REG_BINARY";
            Err((message, hint))
        }
    }
}

/// Variables that are the same thing on every machine, so that their names can be stored.
const EVERYWHERE: [&str; 18] = [
    "systemroot",
    "windir",
    "systemdrive",
    "programfiles",
    "programfiles(x86)",
    "programw6432",
    "programdata",
    "commonprogramfiles",
    "commonprogramfiles(x86)",
    "allusersprofile",
    "public",
    "userprofile",
    "appdata",
    "localappdata",
    "temp",
    "tmp",
    "comspec",
    "path",
];

/// Data as it arrives: a batch file doubles `%`. A variable is stored by its name where that is what an
/// expandable text is for.
fn expanded(command: &RegCommand<'_>, options: &RegOptions, text: &str) -> Result<String, Fault> {
    if command.shell == Shell::PowerShell {
        return Ok(text.to_owned());
    }
    let kind = options.kind.as_ref().map_or("", |kind| kind.text.as_str());
    let is_expand = kind.eq_ignore_ascii_case("REG_EXPAND_SZ");
    let single = text.replace("%%", "");
    let mut pieces = single.split('%').skip(1).step_by(2);
    let has_pairs = single.matches('%').count() > 1;
    let names_argument = single
        .split('%')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '~' || c == '*'));
    let is_known = |name: &str| EVERYWHERE.contains(&name.to_ascii_lowercase().as_str());
    let is_plain = match has_pairs {
        true => is_expand && pieces.all(is_known) && single.matches('%').count().is_multiple_of(2),
        false => !single.contains('%') || !command.is_batch,
    };
    if !is_plain || (names_argument && command.is_batch) {
        let message = format!("`{}` holds a variable of cmd.exe", escape(text));
        return Err((message, "write what it stands for; a `%` itself is `%%`"));
    }
    Ok(text.replace("%%", "%"))
}

fn dword(value: u64) -> Result<Data, Fault> {
    match u32::try_from(value) {
        Ok(value) => Ok(Data::Dword(value)),
        Err(_) => Err((format!("{value} is more than a REG_DWORD holds"), "")),
    }
}

fn integer(
    command: &RegCommand<'_>,
    text: &str,
    most: u64,
    found: &mut Collector<'_>,
) -> Result<u64, Fault> {
    let value = match number(text.trim()) {
        Number::Is(value) => value,
        Number::WithoutPrefix(value) => {
            let written = format!("/d {text}");
            found.mistake(MistakeKind::HexWithoutPrefix, &written, command.at);
            value
        }
        Number::No => {
            let message = format!("`{}` is no number", escape(text));
            return Err((
                message,
                "write decimal digits, or hexadecimal ones behind 0x",
            ));
        }
    };
    match value <= most {
        true => Ok(value),
        false => Err((format!("{value} is more than the type holds"), "")),
    }
}

fn multi(text: &str, separator: &str) -> Result<Data, Fault> {
    if separator.is_empty() {
        return Err(("/s is empty".to_owned(), "write one character"));
    }
    if text.is_empty() {
        return Ok(Data::MultiSz(Vec::new()));
    }
    let text = text.strip_suffix(separator).unwrap_or(text);
    let members: Vec<String> = text.split(separator).map(str::to_owned).collect();
    if members.iter().any(String::is_empty) {
        let message = "a member of the list is empty, which ends it".to_owned();
        return Err((message, "leave it out"));
    }
    Ok(Data::MultiSz(members))
}

fn bytes(text: &str) -> Result<Vec<u8>, Fault> {
    hex::decode(text).map_err(|_| {
        let message = format!("`{}` is no row of bytes", escape(text));
        (
            message,
            "write two hexadecimal digits for each byte, without blanks",
        )
    })
}
