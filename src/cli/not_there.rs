// SPDX-License-Identifier: GPL-3.0-or-later
//! A key or value that was named and is not there: how far its path leads, and what is spelled nearly
//! like it.

use super::failure::Failure;
use crate::machine::HiveInput;
use crate::profile::HiveName;
use crate::regf::{Finder, Hive, KeyNode, Name, NodePath, RegfError};
use crate::report::CommandLine;
use crate::settings::{Place, sentence, volatile};
use crate::text::{Foreign, escape};

/// Names that are compared at most: a hostile key has a million.
const COMPARED: usize = 20_000;
/// Characters of a name that are compared at most.
const LONGEST: usize = 64;
/// Names that are less alike are other names.
const ALIKE: f64 = 0.7;

/// The key at `wanted` is not there.
pub(super) fn key(input: &HiveInput<'_>, wanted: &NodePath) -> Result<Failure, RegfError> {
    let (hive, finder) = (&input.hive, Finder::new(input.hive));
    let mut above = hive.root()?;
    let mut path = NodePath::root();
    for step in wanted.steps() {
        let Some(key) = finder.find(step)?.key else {
            break;
        };
        above = key;
        path = step.clone();
    }
    let missing = wanted.names().into_iter().nth(path.depth());
    let said = format!("{} has no key {}", input.name, wanted.text());
    if let Some(kept) = while_running(input.name, wanted) {
        return Ok(Failure::usage(format!("{said}: {kept}")));
    }
    let Some(missing) = missing else {
        return Ok(Failure::usage(said));
    };
    let place = place(input, &path);
    let is_last = path.depth().saturating_add(1) == wanted.depth();
    if is_last && hive.find_value(&above, missing)?.is_some() {
        let message =
            format!("{said}: {missing} is a value in it; name it behind the key: {place}");
        return Ok(Failure::usage(message));
    }
    let near = nearest(missing, subkeys(hive, &above)?);
    let Some(near) = near else {
        let message = format!("{said}: the path leads to {place}, which has no {missing}");
        let above = self::place(input, &path);
        let list = command(&[above.raw()]);
        return Ok(Failure::usage(message).advising(format!("What is there: {list}")));
    };
    let message = format!("{said}: {place} has no {missing}; did you mean {near}?");
    let rest = wanted
        .names()
        .into_iter()
        .skip(path.depth().saturating_add(1));
    let meant = rest.fold(path.join(near), |path, name| path.join(name.clone()));
    let meant = self::place(input, &meant);
    Ok(Failure::usage(message).advising(format!("Look there: {}", command(&[meant.raw()]))))
}

/// The key at `path` has no value called `wanted`.
pub(super) fn value(
    input: &HiveInput<'_>,
    path: &NodePath,
    key: &KeyNode<'_>,
    names: Vec<Name>,
    wanted: &Name,
) -> Result<Failure, RegfError> {
    let said = format!("{} key {} has no value {wanted:?}", input.name, path.text());
    if input.hive.find_subkey(key, wanted)?.is_some() {
        let key = place(input, &path.join(wanted.clone()));
        return Ok(Failure::usage(format!("{said}: it is a key, {key}")));
    }
    let key = place(input, path);
    Ok(match nearest(wanted, names) {
        Some(near) => {
            let look = command(&[key.raw(), &near.to_text()]);
            let message = format!("{said}; did you mean {near:?}?");
            Failure::usage(message).advising(format!("Look there: {look}"))
        }
        None => {
            let list = command(&[key.raw()]);
            Failure::usage(said).advising(format!("What is there: {list}"))
        }
    })
}

/// The command that shows this, to be copied; what is not seen is escaped in it, as `show` takes it.
fn command(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    CommandLine::anywhere().of("show", &words)
}

/// What is said of a key that is on no disk.
fn while_running(hive: HiveName, key: &NodePath) -> Option<String> {
    let names: Vec<String> = key.names().into_iter().map(Name::to_text).collect();
    let (place, names) = Place::of(hive == HiveName::Software, &names);
    let known = volatile(names).filter(|_| place == Place::ControlSet)?;
    Some(sentence(known))
}

fn place(input: &HiveInput<'_>, path: &NodePath) -> Foreign {
    match path.is_root() {
        true => input.name.to_string().into(),
        false => format!("{}\\{}", input.name, path.text().raw()).into(),
    }
}

fn subkeys(hive: &Hive<'_>, key: &KeyNode<'_>) -> Result<Vec<Name>, RegfError> {
    let subkeys = hive.subkeys(key)?.into_iter().take(COMPARED);
    subkeys
        .map(|at| Ok(hive.key(at)?.name().to_name()))
        .collect()
}

/// The name that `wanted` is most likely a slip of.
fn nearest(wanted: &Name, names: Vec<Name>) -> Option<Name> {
    let spelled = |name: &Name| {
        let short = name.units().len() <= LONGEST;
        short.then(|| String::from_utf16_lossy(&name.folded()))
    };
    let typed = spelled(wanted)?;
    let names = names.into_iter().take(COMPARED);
    let scored = names.filter_map(|name| {
        let alike = strsim::normalized_damerau_levenshtein(&typed, &spelled(&name)?);
        (alike >= ALIKE).then_some((alike, name))
    });
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_is_there() {
        let names = || {
            ["Terminal Server", "TimeZoneInformation", "x"]
                .map(Name::from)
                .to_vec()
        };
        let near = |wanted: &str| nearest(&Name::from(wanted), names());
        assert_eq!(near("TERMINALSERVER"), Some(Name::from("Terminal Server")));
        assert_eq!(near("Terminal Sever"), Some(Name::from("Terminal Server")));
        assert_eq!(near("Lsa"), None);
        assert_eq!(near(&"x".repeat(1 << 20)), None);
    }
}
