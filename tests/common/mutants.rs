// SPDX-License-Identifier: GPL-3.0-or-later
//! One damaged hive, edited as `apply --accept-damage` does it, and what readers say of it.

use std::collections::BTreeMap;

use crate::fields::key_node_field;
use hivemend::edit::{EditError, Editor};
use hivemend::regf::{Hive, Name, NodePath};
use hivemend::verify::{Expectation, ExpectedState, verify_damaged};

use crate::empty_hive::EmptyHive;
use crate::mutator::{Dice, mutate};
use crate::readers::{Planned, READERS, Seen, Tree, differences, found_by_halves};

/// FILETIME of every edit.
const NOW: u64 = 0x01DC_5A00_0000_0000;

/// How an edit of a damaged hive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// The hive could not be opened, or no edit is safe in it.
    NotOpened,
    /// An edit was refused.
    NotEdited,
    /// The edited image was not sealed.
    NotSealed,
    /// The second reader did not agree.
    NotAgreed,
    /// Nothing of what was asked for had to change.
    Unchanged,
    /// It would have been written; the hive was sound by our check.
    DoneSound,
    /// It would have been written.
    Done,
}

/// A sound hive of version 1.`minor` with something of everything that can be damaged: class
/// names, two security records, lists of several kinds, big data, free cells.
pub(crate) fn rich(minor: u32, small: &[u8], subkeys: usize) -> Vec<u8> {
    let donor = donor(minor);
    let donor = Hive::open(&donor).unwrap();
    let mut editor = Editor::open(small.to_vec(), NOW - 9).unwrap();
    for number in 0..subkeys {
        let name = format!("key {}", number * 7919 % 10_007);
        let many = [Name::from("Many"), Name::from(name.as_str())];
        editor.create_key(&many).unwrap();
        if number % 5 == 0 {
            let data: Vec<u8> = (0..number % 90)
                .map(|at| u8::try_from(at).unwrap())
                .collect();
            let value = Name::from("value");
            editor.set_value(&many, &value, 3, &data).unwrap();
        }
    }
    for number in 0..20_u32 {
        let path = [Name::from("Many"), Name::from("Values")];
        editor.create_key(&path).unwrap();
        let name = Name::from(format!("a value {number}").as_str());
        let size = usize::try_from(number * number * 3).unwrap();
        editor.set_value(&path, &name, 3, &vec![7; size]).unwrap();
    }
    for size in [17_000, 40_000] {
        let name = Name::from(format!("large {size}").as_str());
        let path = [Name::from("Large")];
        editor.create_key(&path).unwrap();
        editor.set_value(&path, &name, 3, &vec![9; size]).unwrap();
    }
    let from = donor.find(&[Name::from("Class")]).unwrap().unwrap();
    for number in 0..4_u32 {
        let name = Name::from(format!("classy {number}").as_str());
        editor.copy_key(&donor, &from, &[name]).unwrap();
    }
    for number in [3, 4, 5, 9, 11] {
        let name = Name::from(format!("a value {number}").as_str());
        let path = [Name::from("Many"), Name::from("Values")];
        editor.delete_value(&path, &name).unwrap();
    }
    editor.seal(0).unwrap().image
}

/// A hive with a key that has a class name and a security descriptor of its own.
fn donor(minor: u32) -> Vec<u8> {
    let empty = EmptyHive {
        minor,
        root: "DONOR",
        file_name: "donor",
        time: NOW - 10,
    };
    let mut image = empty.build();
    // Somebody else may read.
    let read = [0x21, 2, 0, 0];
    let place = image.windows(4).position(|bytes| bytes == read).unwrap();
    image[place] = 0x22;
    let mut editor = Editor::open(image, NOW - 10).unwrap();
    let key = [Name::from("Class")];
    editor.create_key(&key).unwrap();
    editor
        .set_value(&key, &Name::from("v"), 3, &[b'c'; 24])
        .unwrap();
    let mut image = editor.seal(0).unwrap().image;
    let hive = Hive::open(&image).unwrap();
    let key = hive.find(&key).unwrap().unwrap();
    let value = hive.find_value(&key, &Name::from("v")).unwrap().unwrap();
    let data = value.data_offset();
    let place = |at: hivemend::regf::CellOffset| usize::try_from(at.in_file().0).unwrap() + 4;
    let (key, value) = (place(key.at()), place(value.at()));
    // The value's data becomes the key's class name.
    let class = key + key_node_field::CLASS_NAME;
    image[class..class + 4].copy_from_slice(&data.0.to_le_bytes());
    let length = key + key_node_field::CLASS_NAME_LENGTH;
    image[length..length + 2].copy_from_slice(&24_u16.to_le_bytes());
    image[value + 4..value + 12].copy_from_slice(&[0, 0, 0, 0x80, 0, 0, 0, 0]);
    image
}

/// Damages `sound` by the dice of this number, edits it, and has every reader compare.
///
/// # Errors
///
/// What a reader sees less or other than planned.
pub(crate) fn try_one(sound: &[u8], number: u64) -> Result<(End, Option<EditError>), Vec<String>> {
    let mut dice = Dice::new(number);
    let mut image = sound.to_vec();
    mutate(&mut image, &mut dice);
    edit_and_judge(&image, &mut dice)
}

/// As [`try_one`], for a hive that is damaged already.
pub(crate) fn edit_and_judge(
    image: &Vec<u8>,
    dice: &mut Dice,
) -> Result<(End, Option<EditError>), Vec<String>> {
    let Ok(mut editor) = Editor::open_damaged(image.clone(), NOW) else {
        return Ok((End::NotOpened, None));
    };
    let is_sound = editor.report_before().is_sound();
    let before = READERS.map(|(_, read)| read(image));
    let mut planned = Planned::default();
    for _ in 0..=dice.below(3) {
        let edit = Edit::any(&before[0], dice);
        if planned.deletes(edit.key()) {
            continue;
        }
        if let Err(error) = edit.make(&mut editor, &before[0], &mut planned) {
            return Ok((End::NotEdited, Some(error)));
        }
    }
    if !editor.is_changed() {
        return Ok((End::Unchanged, None));
    }
    let sealed = match editor.seal(0) {
        Ok(sealed) => sealed,
        Err(error) => return Ok((End::NotSealed, Some(error))),
    };
    if verify_damaged(image, &sealed.image, &expected(&planned)).is_err() {
        return Ok((End::NotAgreed, None));
    }
    let mut found = Vec::new();
    for ((name, read), before) in READERS.iter().zip(&before) {
        let after = read(&sealed.image);
        // nt-hive takes large data for segments, also where there were none yet.
        let is_blind = |seen: &Seen| *name == "nt-hive" && image[24] < 4 && seen.1.len() > 16_344;
        let differences = differences(before, &after, &planned, is_blind);
        found.extend(
            differences
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    let after = found_by_halves(&sealed.image);
    for path in found_by_halves(image) {
        if !after.contains(&path) && !planned.deletes(&path) {
            found.push(format!("not found by halves any more: {path}"));
        }
    }
    for path in planned.created.difference(&after) {
        found.push(format!("new, and not found by halves: {path}"));
    }
    let done = if is_sound { End::DoneSound } else { End::Done };
    match found.is_empty() {
        true => Ok((done, None)),
        false => Err(found),
    }
}

/// What the second reader is told to look for.
fn expected(planned: &Planned) -> Vec<Expectation> {
    let values = planned.values.iter().map(|((key, name), value)| {
        let name = Name::from(name.as_str());
        let state = match value {
            Some((kind, data)) => ExpectedState::Value {
                name,
                kind: *kind,
                data: data.clone(),
            },
            None => ExpectedState::ValueAbsent { name },
        };
        (key, state)
    });
    let deleted = planned
        .deleted
        .iter()
        .map(|key| (key, ExpectedState::KeyAbsent));
    let created = planned
        .created
        .iter()
        .map(|key| (key, ExpectedState::KeyExists));
    let all = values.chain(deleted).chain(created);
    all.map(|(key, state)| Expectation {
        key: NodePath::from(key.as_str()),
        state,
    })
    .collect()
}

fn names(path: &str) -> Vec<Name> {
    let names = path.split('\\').filter(|name| !name.is_empty());
    names.map(Name::from).collect()
}

enum Edit {
    Set(String, String, u32, Vec<u8>),
    DeleteValue(String, String),
    Create(String),
    Delete(String),
}

impl Edit {
    fn any(tree: &Tree, dice: &mut Dice) -> Self {
        let keys: Vec<&String> = tree.keys().collect();
        if keys.is_empty() {
            return Self::Create("\\new".to_owned());
        }
        let key = (*dice.of(&keys)).clone();
        let values: Vec<&String> = tree[&key].values.keys().collect();
        let sizes = [0, 4, 5, 20, 60, 200, 1000, 4000, 16_344, 16_345, 33_000];
        let data = vec![u8::try_from(dice.below(256)).unwrap(); *dice.of(&sizes)];
        let kind = u32::try_from(dice.below(12)).unwrap();
        match dice.below(10) {
            0..=2 if !values.is_empty() => Self::Set(key, (*dice.of(&values)).clone(), kind, data),
            0..=4 => Self::Set(key, format!("new {}", dice.below(3)), kind, data),
            5 | 6 if !values.is_empty() => Self::DeleteValue(key, (*dice.of(&values)).clone()),
            7 if !key.is_empty() => Self::Delete(key),
            _ => Self::Create(format!("{key}\\key 5{}", dice.below(1000))),
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Set(key, ..) | Self::DeleteValue(key, _) => key,
            Self::Create(key) | Self::Delete(key) => key,
        }
    }

    fn make(
        self,
        editor: &mut Editor,
        before: &Tree,
        planned: &mut Planned,
    ) -> Result<(), EditError> {
        match self {
            Self::Set(key, name, kind, data) => {
                editor.set_value(&names(&key), &Name::from(name.as_str()), kind, &data)?;
                planned.values.insert((key, name), Some((kind, data)));
            }
            Self::DeleteValue(key, name) => {
                editor.delete_value(&names(&key), &Name::from(name.as_str()))?;
                planned.values.insert((key, name), None);
            }
            Self::Create(key) => {
                let made = editor.create_key(&names(&key))?;
                if made > 0 && !before.contains_key(&key) {
                    planned.created.insert(key);
                }
            }
            Self::Delete(key) => {
                editor.delete_key(&names(&key))?;
                planned.values.retain(|(at, _), _| !is_in(at, &key));
                planned.created.retain(|at| !is_in(at, &key));
                planned.deleted.insert(key);
            }
        }
        Ok(())
    }
}

fn is_in(key: &str, above: &str) -> bool {
    let rest = key.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// The beginning of a long text.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// What became of many, and what was refused why.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ends: BTreeMap<End, usize>,
    pub(crate) failures: Vec<String>,
}

impl Tally {
    pub(crate) fn take(
        &mut self,
        name: &str,
        number: u64,
        outcome: Result<(End, Option<EditError>), Vec<String>>,
    ) {
        match outcome {
            Ok((end, error)) => {
                *self.ends.entry(end).or_default() += 1;
                if let Some(EditError::Damaged(finding)) = error {
                    // Caught, but only at the last moment.
                    eprintln!("{name} {number}: caught by the check: {finding}");
                }
            }
            Err(found) => {
                let found: Vec<String> = found.iter().take(5).map(|what| cut(what)).collect();
                self.failures.push(format!("{name} {number}: {found:#?}"));
            }
        }
    }
}
