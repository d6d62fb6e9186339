// SPDX-License-Identifier: GPL-3.0-or-later
//! One entry: a key, a value in it, and whether it is to be there.

use super::tree::{Node, Shape};
use crate::import::collector::Collector;
use crate::import::mounts::hive_of_file;
use crate::import::number::{Number, number};
use crate::import::operation::Deed;
use crate::import::place::Place;
use crate::profile::Data;

const PROPERTIES: [&str; 6] = [
    "keyPath",
    "valueName",
    "valueData",
    "_exist",
    "registryFilePath",
    "_metadata",
];

/// Why a field is not read.
type Fault = (Place, String, &'static str);

/// Reads an entry; `file` is the hive's file that the whole list is about.
pub(super) fn entry(node: &Node, file: Option<&Node>, found: &mut Collector<'_>) {
    match read(node, file) {
        Ok((key, deed)) => found.add(&key, deed, node.at),
        Err((at, message, hint)) => found.refuse(at, message, hint),
    }
}

fn read(node: &Node, file: Option<&Node>) -> Result<(String, Deed), Fault> {
    for (name, field) in node.fields() {
        if !PROPERTIES.contains(&name.as_str()) {
            let message = format!("`{name}` is no property of a registry entry");
            return Err((field.at, message, "check the spelling"));
        }
    }
    let Some(key) = node.field("keyPath") else {
        return Err((node.at, "the entry has no keyPath".to_owned(), ""));
    };
    let key_text = field_text(key)?;
    let key = match node.field("registryFilePath").or(file) {
        None => key_text,
        Some(file) => in_file(&key_text, file)?,
    };
    let exist = match node.field("_exist") {
        None => true,
        Some(field) => match field.text() {
            Some("true") => true,
            Some("false") => false,
            _ => return Err((field.at, "`_exist` is true or false".to_owned(), "")),
        },
    };
    let name = node.field("valueName").map(field_text).transpose()?;
    let deed = match (name, exist, node.field("valueData")) {
        (None, true, None) => Deed::CreateKey,
        (None, true, Some(data)) => {
            let message = "there is data, and no name of a value".to_owned();
            return Err((data.at, message, "add valueName"));
        }
        (None, false, _) => Deed::DeleteKey,
        (Some(name), false, _) => Deed::DeleteValue { name },
        (Some(name), true, Some(data)) => Deed::SetValue {
            name,
            data: value_data(data)?,
        },
        (Some(_), true, None) => {
            let message = "a value is named, and not what it should be".to_owned();
            return Err((node.at, message, "add valueData, or `_exist: false`"));
        }
    };
    Ok((key, deed))
}

/// The key in the hive that a file holds: what stands behind `HKLM` is from the root of the hive.
fn in_file(key: &str, file: &Node) -> Result<String, Fault> {
    let path = field_text(file)?;
    let Some(hive) = hive_of_file(&path) else {
        let message = "`registryFilePath` names a hive that no profile is about".to_owned();
        return Err((file.at, message, "profiles are about SYSTEM and SOFTWARE"));
    };
    let below = key.split_once('\\').map_or("", |(_, below)| below);
    Ok(format!("HKLM\\{hive}\\{below}"))
}

/// A text; DSC takes what begins with `[` for an expression, and `[[` for a bracket.
pub(super) fn field_text(node: &Node) -> Result<String, Fault> {
    let Some(text) = node.text() else {
        return Err((node.at, "this is no text".to_owned(), ""));
    };
    if text.contains('\0') {
        return Err((
            node.at,
            "this text has a NUL in it".to_owned(),
            "take it out",
        ));
    }
    match text.strip_prefix('[') {
        None => Ok(text.to_owned()),
        Some(rest) if rest.starts_with('[') => Ok(rest.to_owned()),
        Some(_) => {
            let message = "this is an expression, which dsc works out when it runs".to_owned();
            Err((node.at, message, "write what comes of it"))
        }
    }
}

/// Text that YAML does not take for a number or a word of its own.
fn string(node: &Node) -> Result<String, Fault> {
    let text = field_text(node)?;
    let is_plain = matches!(node.shape, Shape::Scalar { plain: true, .. });
    let words = ["", "~", "null", "true", "false"];
    let is_other = number(&text) != Number::No && text.bytes().any(|b| b.is_ascii_digit());
    let is_other = is_other && !matches!(number(&text), Number::WithoutPrefix(_));
    if is_plain && (is_other || words.contains(&text.to_ascii_lowercase().as_str())) {
        let message = format!("`{text}` is no text here");
        return Err((node.at, message, "put it in quotes"));
    }
    Ok(text)
}

fn integer(node: &Node, most: u64) -> Result<u64, Fault> {
    let plain = matches!(node.shape, Shape::Scalar { plain: true, .. });
    match number(node.text().unwrap_or_default()) {
        Number::Is(number) if plain && number <= most => Ok(number),
        _ => {
            let message = format!("this is no number from 0 to {most}");
            Err((node.at, message, "write it without quotes"))
        }
    }
}

fn value_data(node: &Node) -> Result<Data, Fault> {
    if node.text() == Some("None") {
        return Ok(Data::None(Vec::new()));
    }
    let [(kind, data)] = node.fields() else {
        let message = "`valueData` is not one type with its data".to_owned();
        return Err((
            node.at,
            message,
            "write for instance `valueData: {DWord: 0}`",
        ));
    };
    let list = || {
        let items = data.items();
        items.ok_or_else(|| (data.at, format!("`{kind}` is no list"), ""))
    };
    match kind.as_str() {
        "String" => string(data).map(Data::Sz),
        "ExpandString" => string(data).map(Data::ExpandSz),
        "DWord" => {
            let number = integer(data, u64::from(u32::MAX))?;
            Ok(Data::Dword(u32::try_from(number).unwrap_or(u32::MAX)))
        }
        "QWord" => integer(data, u64::MAX).map(Data::Qword),
        "Binary" => {
            let byte = |item| {
                let number = integer(item, u64::from(u8::MAX))?;
                Ok(u8::try_from(number).unwrap_or(u8::MAX))
            };
            let bytes: Result<Vec<u8>, Fault> = list()?.iter().map(byte).collect();
            bytes.map(Data::Binary)
        }
        "MultiString" => {
            let members: Result<Vec<String>, Fault> = list()?.iter().map(string).collect();
            let members = members?;
            if members.iter().any(String::is_empty) {
                let message = "a member of the list is empty, which ends it".to_owned();
                return Err((data.at, message, "leave it out"));
            }
            Ok(Data::MultiSz(members))
        }
        _ => {
            let message = format!("`{kind}` is no type of a registry value");
            let hint = "write String, ExpandString, Binary, DWord, MultiString or QWord";
            Err((node.at, message, hint))
        }
    }
}
