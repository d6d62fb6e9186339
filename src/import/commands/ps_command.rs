// SPDX-License-Identifier: GPL-3.0-or-later
//! `Set-ItemProperty` and its kin.

use super::blocks::Guard;
use super::ps_value::{PsArgument, PsValue};
use crate::import::collector::Collector;
use crate::import::key::begins_as_key;
use crate::import::mistake::MistakeKind;
use crate::import::number::{Number, number};
use crate::import::operation::Deed;
use crate::import::place::Place;
use crate::profile::Data;
use crate::text::escape;

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cmdlet {
    SetProperty,
    NewProperty,
    RemoveProperty,
    NewItem,
    SetItem,
    RemoveItem,
}

impl Cmdlet {
    /// The command of this name, in lower case; `true` for one that only means it with a key behind it.
    pub(super) fn of(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "set-itemproperty" => (Self::SetProperty, false),
            "new-itemproperty" => (Self::NewProperty, false),
            "remove-itemproperty" => (Self::RemoveProperty, false),
            "new-item" => (Self::NewItem, true),
            "remove-item" => (Self::RemoveItem, true),
            "sp" => (Self::SetProperty, true),
            "rp" => (Self::RemoveProperty, true),
            "ni" | "md" | "mkdir" => (Self::NewItem, true),
            "set-item" | "si" => (Self::SetItem, true),
            "ri" | "del" | "erase" | "rd" | "rm" | "rmdir" => (Self::RemoveItem, true),
            _ => return None,
        })
    }
}

/// What is wrong, and what to do.
type Fault = (String, &'static str);

/// The parameters that are read, and how many letters of each say which one it is.
const PARAMETERS: [(&str, usize); 6] = [
    ("path", 3),
    ("literalpath", 1),
    ("name", 1),
    ("value", 3),
    ("type", 1),
    ("propertytype", 2),
];
/// Parameters without an argument.
const SWITCHES: [&str; 7] = [
    "force", "recurse", "passthru", "verbose", "confirm", "debug", "whatif",
];
/// Parameters whose argument says nothing of the registry.
const ASIDE: [&str; 8] = [
    "erroraction",
    "ea",
    "warningaction",
    "wa",
    "errorvariable",
    "ev",
    "outvariable",
    "itemtype",
];

#[derive(Default)]
struct Given {
    path: Option<PsValue>,
    is_literal: bool,
    name: Option<PsValue>,
    value: Option<PsValue>,
    kind: Option<String>,
}

/// Whether the arguments name a key.
pub(super) fn names_key(arguments: &[PsArgument]) -> bool {
    let mut texts = arguments
        .iter()
        .filter_map(|argument| argument.value.as_ref());
    texts.any(|value| value.text().is_some_and(|text| begins_as_key(&text)))
}

/// Adds what a command does.
pub(super) fn run(
    cmdlet: Cmdlet,
    arguments: &[PsArgument],
    guard: Guard,
    at: Place,
    found: &mut Collector<'_>,
) {
    let result = given(cmdlet, arguments).and_then(|given| {
        let removes = matches!(cmdlet, Cmdlet::RemoveItem | Cmdlet::RemoveProperty);
        let is_same = match guard {
            Guard::IfMissing => cmdlet == Cmdlet::NewItem,
            // What is not there need not be removed.
            Guard::IfPresent => removes,
            _ => false,
        };
        if let Some(fault) = guard.fault().filter(|_| !is_same) {
            return Err(fault);
        }
        carry_out(cmdlet, &given, at, found)
    });
    if let Err((message, hint)) = result {
        found.refuse(at, message, hint);
    }
}

fn given(cmdlet: Cmdlet, arguments: &[PsArgument]) -> Result<Given, Fault> {
    let mut given = Given::default();
    let mut arguments = arguments.iter().peekable();
    let mut places = match cmdlet {
        Cmdlet::SetProperty => ["path", "name", "value"].as_slice(),
        Cmdlet::NewProperty | Cmdlet::RemoveProperty => &["path", "name"],
        Cmdlet::SetItem => &["path", "value"],
        Cmdlet::NewItem | Cmdlet::RemoveItem => &["path"],
    }
    .iter();
    while let Some(argument) = arguments.next() {
        let (name, value) = match &argument.name {
            None => {
                let place = places.find(|place| !given.has(place));
                let Some(place) = place else {
                    let message = "there is an argument too many".to_owned();
                    return Err((message, "put text with blanks in quotes"));
                };
                (*place, argument.value.clone())
            }
            Some(name) => match parameter(name)? {
                Kind::Switch => continue,
                kind => {
                    let own = argument.value.clone();
                    let own = own.or_else(|| {
                        let next = arguments.next_if(|next| next.name.is_none())?;
                        next.value.clone()
                    });
                    match kind {
                        Kind::Read(name) => (name, own),
                        _ => continue,
                    }
                }
            },
        };
        let Some(value) = value else {
            return Err((format!("nothing stands behind -{name}"), "add it"));
        };
        given.set(name, value)?;
    }
    Ok(given)
}

enum Kind {
    Read(&'static str),
    Switch,
    Aside,
}

fn parameter(name: &str) -> Result<Kind, Fault> {
    if name == "whatif" {
        let message = "-WhatIf only shows what would be done".to_owned();
        return Err((message, "leave it out where it is meant"));
    }
    let is = |known: &str, least: usize| name.len() >= least && known.starts_with(name);
    if let Some((known, _)) = PARAMETERS.iter().find(|(known, least)| is(known, *least)) {
        return Ok(Kind::Read(known));
    }
    if name == "psp" || name == "pspath" {
        return Ok(Kind::Read("literalpath"));
    }
    if SWITCHES.iter().any(|known| is(known, 2)) {
        return Ok(Kind::Switch);
    }
    if ASIDE.iter().any(|known| is(known, 2)) {
        return Ok(Kind::Aside);
    }
    let message = format!("-{} is a parameter that is not read here", escape(name));
    Err((message, "leave it out"))
}

impl Given {
    fn has(&self, name: &str) -> bool {
        match name {
            "path" => self.path.is_some(),
            "name" => self.name.is_some(),
            _ => self.value.is_some(),
        }
    }

    fn set(&mut self, name: &str, value: PsValue) -> Result<(), Fault> {
        match name {
            "path" => self.path = Some(value),
            "literalpath" => {
                self.path = Some(value);
                self.is_literal = true;
            }
            "name" => self.name = Some(value),
            "value" => self.value = Some(value),
            _ => {
                let text = value.text();
                self.kind = Some(text.ok_or_else(|| ("-Type is no word".to_owned(), ""))?);
            }
        }
        Ok(())
    }

    fn key(&self) -> Result<String, Fault> {
        let path = self.path.as_ref().and_then(PsValue::text);
        let Some(path) = path else {
            let message = "the command names no key, or takes it from a pipe".to_owned();
            return Err((message, "write -Path and one key"));
        };
        if !self.is_literal && path.contains(['*', '?']) {
            let message = format!("`{}` stands for more than one key", escape(&path));
            return Err((message, "write the names out"));
        }
        match path.contains('\\') {
            true => Ok(path),
            false => Ok(path.replace('/', "\\")),
        }
    }
}

fn carry_out(
    cmdlet: Cmdlet,
    given: &Given,
    at: Place,
    found: &mut Collector<'_>,
) -> Result<(), Fault> {
    let key = given.key()?;
    match cmdlet {
        Cmdlet::RemoveItem => found.add(&key, Deed::DeleteKey, at),
        Cmdlet::NewItem => {
            let key = match given.name.as_ref().and_then(PsValue::text) {
                Some(name) => format!("{}\\{name}", key.trim_end_matches('\\')),
                None => key,
            };
            match &given.value {
                None => found.add(&key, Deed::CreateKey, at),
                Some(value) => {
                    let data = Data::Sz(value.text().unwrap_or_default());
                    let name = String::new();
                    found.add(&key, Deed::SetValue { name, data }, at);
                }
            }
        }
        Cmdlet::SetItem => {
            let name = String::new();
            let data = data(given, &name, at, found)?;
            found.add(&key, Deed::SetValue { name, data }, at);
        }
        Cmdlet::RemoveProperty => {
            let names = given.name.as_ref().map(PsValue::items).unwrap_or_default();
            if names.is_empty() {
                return Err(("the command names no value".to_owned(), "write -Name"));
            }
            for name in names {
                let name = value_name(name, at, found)?;
                if name.contains(['*', '?']) {
                    let message = format!("`{}` stands for more than one value", escape(&name));
                    return Err((message, "write the names out"));
                }
                found.add(&key, Deed::DeleteValue { name }, at);
            }
        }
        Cmdlet::SetProperty | Cmdlet::NewProperty => {
            let Some(name) = &given.name else {
                return Err(("the command names no value".to_owned(), "write -Name"));
            };
            let name = value_name(name, at, found)?;
            let data = data(given, &name, at, found)?;
            found.add(&key, Deed::SetValue { name, data }, at);
        }
    }
    Ok(())
}

fn value_name(value: &PsValue, at: Place, found: &mut Collector<'_>) -> Result<String, Fault> {
    let Some(name) = value.text() else {
        return Err(("several values are named at once".to_owned(), "name one"));
    };
    if name.eq_ignore_ascii_case("(default)") {
        return Ok(String::new());
    }
    let trimmed = name.trim();
    if trimmed.len() < name.len() && !trimmed.is_empty() && !found.is_by_program() {
        found.mistake(MistakeKind::BlankAtName, &format!("`{name}`"), at);
        return Ok(trimmed.to_owned());
    }
    Ok(name)
}

fn data(given: &Given, name: &str, at: Place, found: &mut Collector<'_>) -> Result<Data, Fault> {
    let Some(value) = &given.value else {
        return Err(("the command gives no data".to_owned(), "write -Value"));
    };
    let kind = given.kind.as_deref().map(str::to_ascii_lowercase);
    let kind = match kind.as_deref() {
        Some(kind) => kind.to_owned(),
        None => without_type(value, name, at, found),
    };
    let text = || {
        let text = value.text();
        text.ok_or_else(|| ("the data is a list".to_owned(), "write -Type MultiString"))
    };
    match kind.as_str() {
        "string" => text().map(Data::Sz),
        "expandstring" => text().map(Data::ExpandSz),
        "dword" => {
            let number = integer(value, at, found)?;
            // Windows PowerShell writes 0xFFFFFFFF for -1.
            let number =
                u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned));
            let number = number.map_err(|_| ("the number is no DWord".to_owned(), ""))?;
            Ok(Data::Dword(number))
        }
        "qword" => {
            let number = integer(value, at, found)?;
            let number =
                u64::try_from(number).or_else(|_| i64::try_from(number).map(i64::cast_unsigned));
            let number = number.map_err(|_| ("the number is no QWord".to_owned(), ""))?;
            Ok(Data::Qword(number))
        }
        "binary" => bytes(value).map(Data::Binary),
        "none" => bytes(value).map(Data::None),
        "multistring" => multi(value),
        other => {
            let message = format!("`{}` is no type of a registry value", escape(other));
            let hint = "write String, ExpandString, Binary, DWord, MultiString or QWord";
            Err((message, hint))
        }
    }
}

/// The type that PowerShell gives to a value without one.
fn without_type(value: &PsValue, name: &str, at: Place, found: &mut Collector<'_>) -> String {
    let kind = match value {
        PsValue::Number(number) if i32::try_from(*number).is_ok() => "dword",
        PsValue::Number(_) => "qword",
        PsValue::List { is_bytes: true, .. } => "binary",
        PsValue::List { .. } => "multistring",
        PsValue::Text { text, .. } => {
            if !found.is_number_as_text(name) || number(text) == Number::No {
                return "string".to_owned();
            }
            found.mistake(MistakeKind::NumberAsText, &format!("-Value {text}"), at);
            "dword"
        }
    };
    kind.to_owned()
}

fn integer(value: &PsValue, at: Place, found: &mut Collector<'_>) -> Result<i128, Fault> {
    let text = match value {
        PsValue::Number(number) => return Ok(*number),
        PsValue::Text { text, .. } => text,
        PsValue::List { .. } => return Err(("the number is a list".to_owned(), "")),
    };
    match number(text.trim()) {
        Number::Is(number) => Ok(i128::from(number)),
        Number::WithoutPrefix(number) => {
            let known = MistakeKind::HexWithoutPrefix;
            let is_named = found.mistakes.last().is_some_and(|last| last.at == at);
            if !is_named {
                found.mistake(known, &format!("-Value {text}"), at);
            }
            Ok(i128::from(number))
        }
        Number::No => {
            let message = format!("`{}` is no number", escape(text));
            Err((
                message,
                "write decimal digits, or hexadecimal ones behind 0x",
            ))
        }
    }
}

fn bytes(value: &PsValue) -> Result<Vec<u8>, Fault> {
    let byte = |item: &PsValue| match item {
        PsValue::Number(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = value.items().iter().map(byte).collect();
    bytes.ok_or_else(|| {
        (
            "these are no bytes".to_owned(),
            "write ([byte[]](0x01,0x02))",
        )
    })
}

fn multi(value: &PsValue) -> Result<Data, Fault> {
    let members: Option<Vec<String>> = value.items().iter().map(PsValue::text).collect();
    let members = members.ok_or_else(|| ("a member is a list".to_owned(), ""))?;
    if members.iter().any(String::is_empty) {
        let message = "a member of the list is empty, which ends it".to_owned();
        return Err((message, "leave it out"));
    }
    Ok(Data::MultiSz(members))
}
