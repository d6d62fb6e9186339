// SPDX-License-Identifier: GPL-3.0-or-later
//! `show`: a key or a value as it is.

use std::ffi::OsStr;
use std::path::Path;

use super::args::ShowArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::target::{Found, Wanted, input};
use crate::disk::shown;
use crate::machine::{Condition, ControlSetInfo, HiveInput, MachineError, Selection, key_content};
use crate::profile::{ControlSet, HiveName, KeyPath};
use crate::regf::{Finder, Name, NodePath, RegfError};
use crate::report::{KeyListing, key_json, key_text};

pub(super) fn run(args: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    let (found, rest) = Found::from_words(&args.place, &args.files)?;
    let rest: Vec<&str> = rest
        .iter()
        .map(|word| text(word))
        .collect::<Result<_, _>>()?;
    let (key, value) = match *rest.as_slice() {
        [key] => (key, None),
        [key, value] => (key, Some(Name::from(value))),
        _ => {
            let message = "no key was named, or too many words were";
            return Err(Failure::usage(message)
                .advising("Write: hivemend show TARGET 'SYSTEM\\ControlSet001\\Control' [VALUE]"));
        }
    };
    let key = parse_key(key)?;
    interrupted::warn(&found.target, None, output)?;
    let hives = found.open(&Wanted::only(vec![key.hive]), output)?;
    let Some(open) = hives.iter().find(|open| open.name == key.hive) else {
        let config = shown(&found.target.config);
        return Err(Failure::refused(format!(
            "{config}: there is no {} hive here",
            key.hive
        )));
    };
    let view = open.source.view(args.unrecovered.accept_unrecovered)?;
    let input = input(open.name, &open.source.path, view.bytes(), &view.condition)?;
    match &view.condition {
        Condition::Clean => {}
        Condition::Recovered(recovery) => output.note(&recovery.text),
        Condition::Unrecovered => output.warn("the hive is dirty and was not recovered"),
    }
    let listing = list(&input, path(&key, &input)?, value)?;
    match output.is_json() {
        true => output.json(&key_json(&listing, found.name.raw())),
        false => output.print(&key_text(&listing)),
    }
    Ok(Exit::Done)
}

/// A key's path or a value's name, which are text; only what a target is called need not be.
fn text(word: &OsStr) -> Result<&str, Failure> {
    word.to_str().ok_or_else(|| {
        let word = shown(Path::new(word));
        Failure::usage(format!(
            "{word}: the name of a key or value is Unicode text"
        ))
    })
}

/// As in profiles, and with the hive's name alone in front: `SYSTEM\Select`.
fn parse_key(text: &str) -> Result<KeyPath, Failure> {
    let first = text.split('\\').next().unwrap_or("");
    let mut hives = HiveName::ALL.iter();
    let is_bare = hives.any(|hive| first.eq_ignore_ascii_case(hive.as_str()));
    let whole = if is_bare {
        format!("HKLM\\{text}")
    } else {
        text.to_owned()
    };
    whole
        .parse()
        .map_err(|error: crate::profile::KeyPathError| {
            Failure::usage(format!("{}; {}", error.message, error.hint))
        })
}

/// The real path: `CurrentControlSet` is the one that `Select` calls current.
fn path(key: &KeyPath, input: &HiveInput<'_>) -> Result<NodePath, Failure> {
    let segments = key
        .segments
        .iter()
        .map(|segment| Name::from(segment.as_str()));
    let set = match key.control_set {
        None => return Ok(segments.collect()),
        Some(ControlSet::Every) => Selection::Current.choose(&input.control_sets()?)?,
        Some(ControlSet::Number(number)) => {
            Selection::Numbers(vec![number]).choose(&input.control_sets()?)?
        }
    };
    let set = set
        .iter()
        .map(|set: &ControlSetInfo| Name::from(set.name.as_str()));
    Ok(set.chain(segments).collect())
}

fn list(input: &HiveInput<'_>, key: NodePath, value: Option<Name>) -> Result<KeyListing, Failure> {
    let regf = |source: RegfError| {
        let hive: HiveName = input.name;
        Failure::from(MachineError::Regf { hive, source })
    };
    let hive = &input.hive;
    let node = Finder::new(*hive).find(&key).map_err(regf)?.key;
    let Some(node) = node else {
        let message = format!("{} has no key {}", input.name, key.text());
        return Err(Failure::failed(message));
    };
    let mut values = key_content(hive, &node).map_err(regf)?;
    let mut subkeys = None;
    match value {
        Some(wanted) => {
            values.retain(|(name, _)| name.same_as(&wanted));
            if values.is_empty() {
                let key = key.text();
                let message = format!("{} key {key} has no value {wanted:?}", input.name);
                return Err(Failure::failed(message));
            }
        }
        None => {
            let mut names = Vec::new();
            for subkey in hive.subkeys(&node).map_err(regf)? {
                names.push(hive.key(subkey).map_err(regf)?.name().to_name());
            }
            subkeys = Some(names);
        }
    }
    Ok(KeyListing {
        hive: input.name,
        key,
        last_written: node.last_written(),
        values,
        subkeys,
    })
}
