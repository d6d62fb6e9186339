// SPDX-License-Identifier: GPL-3.0-or-later
//! An edit changes what it must and not a byte more.
//!
//! Each byte range that differs after an edit is named after the structure it belongs to, printed,
//! and must be the doing of an edit that was asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::anatomy::{Anatomy, Part};
use crate::drift;
use crate::workbench::{
    BUNDLED, NOW, SOFTWARE, SYSTEM, accepted_beside, bundled, corpus, open, path, seal,
    win10_system,
};
use hivemend::edit::{EditError, Editor};
use hivemend::plan::{Action, Change};
use hivemend::profile::HiveName;
use hivemend::regf::{CellOffset, Hive, Name, NodePath};

const LISTENER: &str = "ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp";

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => found.push(path),
        }
    }
}

fn sealed_untouched(image: &[u8]) -> Option<Vec<u8>> {
    match Editor::open(image.to_vec(), NOW) {
        Ok(editor) => Some(editor.seal(7).unwrap().image),
        Err(EditError::Unsound(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn nothing_changes_where_nothing_is_edited() {
    for file in BUNDLED {
        let image = bundled(file);
        assert!(sealed_untouched(&image) == Some(image), "{file}");
    }
    let Some(corpus) = corpus() else { return };
    let mut files = Vec::new();
    files_below(&corpus.join("disks"), &mut files);
    files_below(&corpus.join("hives"), &mut files);
    let mut sound = 0;
    for file in files {
        let image = std::fs::read(&file).unwrap();
        if let Some(sealed) = sealed_untouched(&image) {
            sound += 1;
            assert!(sealed == image, "{}", file.display());
        }
    }
    println!("{sound} sound hives of the corpus came back as they were");
    assert!(sound >= 30, "only {sound} hives of the corpus are sound");
}

/// Edits that ask for what is there already are no edits.
#[test]
fn nothing_changes_where_the_value_is_there_already() {
    let image = bundled(SYSTEM);
    let mut editor = open(&image);
    let listener = path(LISTENER);
    let set = editor.set_value(&listener, &Name::from("SECURITYLAYER"), 4, &[2, 0, 0, 0]);
    assert!(!set.unwrap());
    assert_eq!(
        editor.create_key(&path("controlset001\\CONTROL")).unwrap(),
        0
    );
    assert!(
        !editor
            .delete_value(&listener, &Name::from("no such"))
            .unwrap()
    );
    assert!(!editor.delete_key(&path("ControlSet003")).unwrap());
    assert!(!editor.is_changed());
    assert!(editor.seal(99).unwrap().image == image);
}

#[test]
fn a_dword_for_a_dword_changes_four_bytes_and_the_bookkeeping() {
    let mut hives = vec![bundled(SYSTEM)];
    hives.extend(win10_system());
    for image in hives {
        let mut editor = open(&image);
        let data = 0xA5A5_A5A5_u32.to_le_bytes();
        let listener = path(LISTENER);
        let name = Name::from("MinEncryptionLevel");
        assert!(editor.set_value(&listener, &name, 4, &data).unwrap());
        let edited = seal(editor);
        assert_eq!(edited.len(), image.len());

        let allowed = [
            "the primary sequence number",
            "the secondary sequence number",
            "the checksum",
            &format!("last written of key {LISTENER}"),
            &format!("data field of value MinEncryptionLevel of key {LISTENER}"),
        ];
        let anatomy = Anatomy::of(&edited);
        let mut bytes: BTreeMap<String, usize> = BTreeMap::new();
        for at in (0..image.len()).filter(|&at| image.get(at) != edited.get(at)) {
            let part = anatomy.part_at(at).to_string();
            assert!(allowed.contains(&part.as_str()), "{at:#x}: {part}");
            *bytes.entry(part).or_default() += 1;
        }
        println!("{bytes:#?}");
        assert_eq!(bytes.get(allowed[4]), Some(&4));
        assert!(bytes.get(allowed[3]).is_some_and(|&count| count <= 8));
    }
}

/// Makes the profile's changes, prints and explains each range that differs, and makes them again.
fn apply_and_explain(name: HiveName, image: &Vec<u8>) -> Vec<u8> {
    // Without its conditions, for hives alone do not tell their Windows, and NT 4 needs new keys.
    let (_folder, profile) = drift::unguarded("rdp-disconnects");
    let plan = drift::plan(&profile, &[(name, image)]);
    assert!(!plan.changes.is_empty());
    let mut editor = open(image);
    drift::apply(&plan.changes, name, &mut editor);
    let edited = seal(editor);

    let (before, after) = (Anatomy::of(image), Anatomy::of(&edited));
    let mut unexplained = Vec::new();
    for (start, end) in changed_ranges(image, &edited, &after) {
        let part = after.part_at(start);
        let reason = match part {
            Part::Free => explain_remnant(start, end, &edited, &after, &plan.changes),
            _ => explain(part, before.part_at(start), &plan.changes),
        };
        let why = reason.as_deref().unwrap_or("NOT EXPLAINED");
        println!(
            "{start:#010x}..{end:#010x} {:>5} B  {part}: {why}",
            end - start
        );
        if reason.is_none() {
            unexplained.push((start, end, part.to_string()));
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#x?}");
    growth_is_needed(image, &edited, &after);

    let again = drift::plan(&profile, &[(name, &edited)]);
    assert_eq!(again.changes, [], "the second plan finds drift");
    let mut editor = open(&edited);
    drift::apply(&plan.changes, name, &mut editor);
    assert!(!editor.is_changed());
    assert!(seal(editor) == edited, "applying twice changed something");
    edited
}

/// Runs of bytes that differ, each within one part of the structure; new bytes of a longer file too.
fn changed_ranges(old: &[u8], new: &[u8], anatomy: &Anatomy) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for at in (0..new.len()).filter(|&at| old.get(at) != new.get(at)) {
        let start = anatomy.start_of_part_at(at);
        match ranges.last_mut() {
            Some((_, end)) if *end == at && start < at => *end = at + 1,
            _ => ranges.push((at, at + 1)),
        }
    }
    ranges
}

/// How many values the key did not have before.
fn gained_values(key: &str, changes: &[Change]) -> usize {
    let gains = |change: &&Change| {
        let is_new = change.value.is_some() && change.before.is_none();
        is_new && change.key.text().raw().eq_ignore_ascii_case(key)
    };
    changes.iter().filter(gains).count()
}

/// In a free cell: a values list that grew more than once leaves the offsets of values where it
/// stood in between.
fn explain_remnant(
    start: usize,
    end: usize,
    image: &[u8],
    anatomy: &Anatomy,
    changes: &[Change],
) -> Option<String> {
    let is_offset_of_value = |at: usize| {
        let word = image.get(at..at + 4)?.try_into().ok()?;
        let place = CellOffset(u32::from_le_bytes(word)).in_file().0;
        match anatomy.part_at(usize::try_from(place).ok()?) {
            Part::Value { key, .. } => Some(gained_values(key, changes) > 1),
            _ => None,
        }
    };
    let first = start - start % 4;
    let mut words = (first..end).step_by(4);
    let all = words.all(|at| is_offset_of_value(at) == Some(true));
    all.then(|| "a values list stood here while it grew".to_owned())
}

/// Why this part may differ, if one of `changes` is the reason.
fn explain(part: &Part, before: &Part, changes: &[Change]) -> Option<String> {
    let same = |one: &NodePath, text: &str| one.text().raw().eq_ignore_ascii_case(text);
    let touched = |key: &str| changes.iter().any(|change| same(&change.key, key));
    let created = |key: &str| {
        let mut changes = changes.iter();
        changes.any(|change| change.action == Action::CreateKey && same(&change.key, key))
    };
    let gained_subkey = |key: &str| {
        let made = |change: &Change| {
            let above = change.key.above().cloned().unwrap_or_default();
            change.action == Action::CreateKey && same(&above, key)
        };
        changes.iter().any(made)
    };
    let value = |key: &str, name: &str, is_new: bool| {
        changes.iter().any(|change| {
            let value = change.value.as_ref().map(ToString::to_string);
            let fits = value.is_some_and(|value| value.eq_ignore_ascii_case(name));
            fits && same(&change.key, key) && change.before.is_none() == is_new
        })
    };
    let gained_value = |key: &str| gained_values(key, changes) > 0;
    // A list that had to grow moved away, and its old place may serve again at once.
    let moved_away = match before {
        Part::List { key } => gained_value(key),
        Part::Subkeys { key } => gained_subkey(key),
        _ => false,
    };
    let was_free = matches!(before, Part::FreeSize | Part::Free | Part::Behind);
    let was_unused = was_free || moved_away;
    let yes = |reason: &str| Some(reason.to_owned());
    match part {
        Part::Base("the primary sequence number" | "the secondary sequence number") => {
            yes("one more")
        }
        Part::Base("the checksum") => yes("follows the rest"),
        // That it had to is for growth_is_needed to say.
        Part::Base("the hive bins data size") => yes("the hive grew"),
        Part::Bin | Part::FreeSize if *before == Part::Behind => yes("the hive grew"),
        Part::FreeSize if was_free => yes("what is left of a free cell"),
        Part::FreeSize if moved_away => yes("a list moved away"),
        Part::Key { key, .. } if created(key) && was_unused => yes("a new key"),
        Part::Key { key, field } => match *field {
            "last written" if touched(key) || gained_subkey(key) => {
                yes("its values or keys changed")
            }
            "value count" | "values list" if gained_value(key) => yes("a new value"),
            "largest value name" | "largest value data" if gained_value(key) => {
                yes("a new value is larger")
            }
            "subkey count" | "subkeys list" | "largest subkey name" if gained_subkey(key) => {
                yes("a new subkey")
            }
            _ => None,
        },
        Part::Value { key, name, field } => {
            if value(key, name, true) && was_unused {
                return yes("a new value");
            }
            let is_data = matches!(*field, "data field" | "data size" | "type");
            (is_data && value(key, name, false)).then(|| "its new data".to_owned())
        }
        Part::List { key } if gained_value(key) => yes("a new value"),
        Part::Subkeys { key } if gained_subkey(key) => yes("a new subkey"),
        Part::Data { key, name } if value(key, name, true) || value(key, name, false) => {
            yes("its new data")
        }
        Part::Security {
            field: "reference count",
        } => {
            let makes = |change: &Change| change.action == Action::CreateKey;
            changes
                .iter()
                .any(makes)
                .then(|| "a new key uses it".to_owned())
        }
        _ => None,
    }
}

/// Where the hive grew, no free cell was large enough for the cell that stands first in the new bin.
fn growth_is_needed(image: &Vec<u8>, edited: &Vec<u8>, after: &Anatomy) {
    let end = |image| {
        let size = Hive::open(image).unwrap().base().bins_size;
        4096 + usize::try_from(size).unwrap()
    };
    let (old_end, new_end) = (end(image), end(edited));
    println!("bins end at {old_end:#x}, then at {new_end:#x}");
    let Some(first) = after.used_cells.get(&(old_end + 32)) else {
        assert_eq!(old_end, new_end, "a bin was added and not used");
        return;
    };
    let mut fitting = after.free_cells.range(..old_end);
    let fitting = fitting.find(|(_, size)| *size >= first);
    assert_eq!(fitting, None, "the hive grew for {first} bytes");
}

#[test]
fn each_changed_byte_of_the_bundled_disk_is_explained() {
    for (name, file) in [(HiveName::System, SYSTEM), (HiveName::Software, SOFTWARE)] {
        let image = bundled(file);
        let edited = apply_and_explain(name, &image);
        accepted_beside(&edited, &image);
    }
}

#[test]
fn each_changed_byte_of_a_windows_10_system_is_explained() {
    let Some(image) = win10_system() else { return };
    let edited = apply_and_explain(HiveName::System, &image);
    assert_eq!(edited.len(), image.len());
    accepted_beside(&edited, &image);
}

#[test]
fn each_changed_byte_of_other_windows_versions_is_explained() {
    let Some(corpus) = corpus() else { return };
    let hives = [
        (HiveName::System, "win7-sp1/Windows/System32/config/SYSTEM"),
        (HiveName::System, "xp-sp3/WINDOWS/system32/config/system"),
        (HiveName::System, "nt4-sp3/WINNT/system32/config/system"),
        (HiveName::Software, "nt4-sp3/WINNT/system32/config/software"),
    ];
    for (name, file) in hives {
        println!("{file}");
        let image = std::fs::read(corpus.join("disks").join(file)).unwrap();
        apply_and_explain(name, &image);
    }
}

/// The parts cover the file without a gap, and every reader's walk agrees about what is in it.
#[test]
fn the_anatomy_names_every_byte() {
    let image = bundled(SYSTEM);
    let anatomy = Anatomy::of(&image);
    let hive = Hive::open(&image).unwrap();
    assert_eq!(anatomy.part_at(0), &Part::Base("the base block"));
    let root = usize::try_from(hive.base().root.in_file().0).unwrap();
    let part = anatomy.part_at(root + 4).to_string();
    assert_eq!(part, "key node of the root");
    for at in (0..image.len()).step_by(4) {
        assert!(!matches!(anatomy.part_at(at), Part::Unknown), "{at:#x}");
    }
}
