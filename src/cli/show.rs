// SPDX-License-Identifier: GPL-3.0-or-later
//! `show`: a key or a value as it is, or a key with all that is below it.

use super::args::ShowArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::target::{Found, Wanted, input};
use super::{export, interrupted, not_there, typed_names};
use crate::disk::shown;
use crate::machine::{
    Condition, ControlSetInfo, HiveInput, MachineError, Selection, Unwalked, Walk, key_content,
};
use crate::profile::{ControlSet, KeyPath};
use crate::regf::{Finder, KeyNode, Name, NodePath, RegfError};
use crate::report::{
    KeyListing, KeyTree, Unread, key_json, key_text, keys_reg, tree_end, tree_json,
};
use crate::text::unescape;

/// Keys that are printed at most.
const MOST_KEYS: usize = 10_000;
/// Values that are printed at most.
const MOST_VALUES: usize = 200_000;
/// Bytes of data that are printed at most.
const MOST_BYTES: usize = 32 << 20;

pub(super) fn run(args: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    let (found, rest) = Found::from_words(&args.place, &args.files)?;
    let rest: Vec<&str> = rest
        .iter()
        .map(|word| typed_names::text(word))
        .collect::<Result<_, _>>()?;
    let (key, value) = match *rest.as_slice() {
        [key] => (key, None),
        [key, value] => (key, Some(value)),
        _ => {
            let message = "no key was named, or too many words were";
            return Err(Failure::usage(message)
                .advising("Write: hivemend show TARGET 'SYSTEM\\ControlSet001\\Control' [VALUE]"));
        }
    };
    if args.recursive && value.is_some() {
        let message = "--recursive is about a key, and a value was named";
        return Err(Failure::usage(message).advising("Name a key only."));
    }
    let key = typed_names::key(key)?;
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
    let path = path(&key, &input)?;
    if output.is_reg() && value.is_none() {
        return print_reg(&input, &path, found.name.raw(), output);
    }
    if args.recursive {
        return print_tree(&input, &path, found.name.raw(), output);
    }
    let listing = list(&input, path, value)?;
    match output.is_json() {
        _ if output.is_reg() => {
            let text = keys_reg(&[listing], found.name.raw())?;
            return export::write_reg(&text, None, output);
        }
        true => output.json(&key_json(&listing, found.name.raw())),
        false => output.print(&key_text(&listing)),
    }
    Ok(Exit::Done)
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

/// What is wrong in the hive that is looked at.
fn damaged(input: &HiveInput<'_>) -> impl Fn(RegfError) -> Failure {
    let hive = input.name;
    move |source| Failure::from(MachineError::Regf { hive, source })
}

fn find<'a>(input: &HiveInput<'a>, key: &NodePath) -> Result<KeyNode<'a>, Failure> {
    let node = Finder::new(input.hive).find(key).map_err(damaged(input))?;
    match node.key {
        Some(node) => Ok(node),
        None => Err(not_there::key(input, key).map_err(damaged(input))?),
    }
}

fn list(input: &HiveInput<'_>, key: NodePath, value: Option<&str>) -> Result<KeyListing, Failure> {
    let regf = damaged(input);
    let hive = &input.hive;
    let node = find(input, &key)?;
    let mut values = key_content(hive, &node).map_err(&regf)?;
    let mut subkeys = None;
    match value {
        Some(typed) => {
            let is_there = |wanted: &Name| values.iter().any(|(name, _)| name.same_as(wanted));
            let spellings = [Name::from(typed), Name::from(unescape(typed).as_str())];
            let Some(wanted) = spellings.iter().find(|name| is_there(name)) else {
                let names = values.into_iter().map(|(name, _)| name).collect();
                let typed = Name::from(typed);
                let missing = not_there::value(input, &key, &node, names, &typed);
                return Err(missing.map_err(regf)?);
            };
            values.retain(|(name, _)| name.same_as(wanted));
        }
        None => {
            let mut names = Vec::new();
            for subkey in hive.subkeys(&node).map_err(&regf)? {
                names.push(hive.key(subkey).map_err(&regf)?.name().to_name());
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

fn print_tree(
    input: &HiveInput<'_>,
    path: &NodePath,
    target: &str,
    output: &Output,
) -> Result<Exit, Failure> {
    let node = find(input, path)?;
    let mut tree = KeyTree {
        hive: input.name,
        key: path.clone(),
        stopped: None,
        unread: Vec::new(),
    };
    if output.is_json() {
        let mut keys = Vec::new();
        walk(input, &node, &mut tree, &mut |listing| keys.push(listing));
        output.json(&tree_json(&tree, &keys, target));
    } else {
        output.print_pieces(|out| {
            walk(input, &node, &mut tree, &mut |listing| {
                out(&key_text(&listing))
            });
            out(&tree_end(&tree));
        });
    }
    if tree.unread.is_empty() {
        return Ok(Exit::Done);
    }
    let message = "not everything could be read: hivemend check names the damage";
    output.warn(message);
    Ok(Exit::Failed)
}

/// A key with all below it as `.reg`; not a part of it, which somebody would take for the whole.
fn print_reg(
    input: &HiveInput<'_>,
    path: &NodePath,
    target: &str,
    output: &Output,
) -> Result<Exit, Failure> {
    let node = find(input, path)?;
    let mut tree = KeyTree {
        hive: input.name,
        key: path.clone(),
        stopped: None,
        unread: Vec::new(),
    };
    let mut keys = Vec::new();
    walk(input, &node, &mut tree, &mut |listing| keys.push(listing));
    if !tree.unread.is_empty() {
        let message = "not everything below this key could be read, so no .reg file was made of it";
        return Err(Failure::failed(message).advising("'hivemend check TARGET' names the damage."));
    }
    if tree.stopped.is_some() {
        let message = "there is too much below this key for one .reg file";
        return Err(Failure::refused(message).advising("Name a key further down."));
    }
    export::write_reg(&keys_reg(&keys, target)?, None, output)
}

/// Gives each key of the tree to `out`, and notes in `tree` what was left out.
fn walk(
    input: &HiveInput<'_>,
    from: &KeyNode<'_>,
    tree: &mut KeyTree,
    out: &mut dyn FnMut(KeyListing),
) {
    let (mut keys, mut values, mut bytes) = (0_usize, 0_usize, 0_usize);
    let mut walk = Walk::from(&input.hive, tree.key.clone(), from);
    while let Some(met) = walk.next() {
        if let Some(trouble) = met.trouble {
            tree.unread.push(unread(&met.path, &trouble));
        }
        let Some(node) = met.key else { continue };
        if keys >= MOST_KEYS || values >= MOST_VALUES || bytes >= MOST_BYTES {
            tree.stopped = Some(met.path);
            return;
        }
        let mut listing = KeyListing {
            hive: input.name,
            key: met.path,
            last_written: node.last_written(),
            values: Vec::new(),
            subkeys: None,
        };
        let listed = walk.values(&node).and_then(|all| {
            for at in all {
                let (name, value) = walk.value(at)?;
                let value = walk.data(&value)?;
                bytes = bytes.saturating_add(value.data.len());
                listing.values.push((name, value));
            }
            Ok(())
        });
        if let Err(trouble) = listed {
            tree.unread.push(unread(&listing.key, &trouble));
        }
        keys = keys.saturating_add(1);
        values = values.saturating_add(listing.values.len());
        out(listing);
    }
}

fn unread(path: &NodePath, trouble: &Unwalked) -> Unread {
    Unread {
        key: path.clone(),
        why: trouble.to_string(),
    }
}
