// SPDX-License-Identifier: GPL-3.0-or-later
//! What an edit of a damaged hive leaves alone: lists whose order is damaged, and every byte that a
//! damaged length or offset may reach.

use std::fs;

use crate::fields::{key_node_field as nk, key_security_field as sk, key_value_field as vk};
use hivemend::edit::{EditError, Editor, Refusal};
use hivemend::regf::{CellOffset, Hive, Name, SpecialKey, check, value_flags};

use crate::bench::Bench;
use crate::mutants::rich;
use crate::patient::Patient;
use crate::readers::found_by_halves;
use crate::workbench::{NOW, bundled, edited, path, read, seal};

const SERVICES: &str = r"ControlSet001\Services";

/// A hive with something of everything, and free cells of many sizes.
fn patient(minor: u32) -> Patient {
    Patient::new(rich(minor, &bundled(&format!("hives/v1.{minor}")), 60))
}

fn damaged(patient: &Patient) -> Editor {
    assert!(!check(&patient.image).is_sound());
    Editor::open_damaged(patient.image.clone(), NOW).unwrap()
}

/// Exchanges the first two keys of the list of `key`.
fn exchange_two(patient: &mut Patient, key: &str) {
    let list = patient.list(key);
    patient.exchange(list, 4, 12);
}

#[test]
fn a_list_whose_order_is_damaged_gets_no_new_key_and_loses_none() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let mut patient = Patient::new(fs::read(&file).unwrap());
    exchange_two(&mut patient, SERVICES);
    fs::write(&file, &patient.image).unwrap();
    let before = bench.snapshot();
    let value = "values: [ { name: a, dword: 1, why: w } ]";
    let makes = format!("  - key: HKLM\\SYSTEM\\{SERVICES}\\Made\n    {value}\n");
    let makes = bench.profile("makes", &makes);
    let ended = bench.run("apply", &["-p", &makes, "--yes", "--accept-damage"]);
    let ended = ended.expect(3);
    assert!(ended.stderr.contains("subkeys list"), "{ended:?}");
    assert!(ended.stderr.contains("subkeys-list-order"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);

    // A key of that list that is in its place can be changed all the same.
    let last = patient.subkeys(SERVICES).into_iter().next_back().unwrap();
    let hive = Hive::open(&patient.image).unwrap();
    let name = hive.key(last).unwrap().name().to_name();
    let sets = format!("  - key: HKLM\\SYSTEM\\{SERVICES}\\{name}\n    {value}\n");
    let sets = bench.profile("sets", &sets);
    bench
        .run("apply", &["-p", &sets, "--yes", "--accept-damage"])
        .expect(0);
    let after = fs::read(&file).unwrap();
    assert_eq!(found_by_halves(&after), found_by_halves(&patient.image));
}

/// Order, hash, hint, a name twice; in a leaf and between the leaves of an index root.
#[test]
fn no_finding_of_a_list_itself_leaves_it_open_to_edits() {
    type Case = (&'static str, u32, fn(&mut Patient));
    let cases: [Case; 4] = [
        ("subkeys-list-order", 5, |p| exchange_two(p, "Many")),
        ("subkeys-list-hash", 5, |p| p.add(p.list("Many"), 8, 1)),
        ("subkeys-list-hint", 3, |p| {
            p.put(p.list("Many"), 8, b"xxxx")
        }),
        ("subkey-duplicate", 5, |p| {
            let (one, other) = (p.subkeys("Many")[3], p.subkeys("Many")[4]);
            let name = p.payload(one)[76..80].to_vec();
            assert_eq!(p.payload(other)[76..79], name[..3]);
            let length = p.payload(one)[nk::NAME_LENGTH];
            let whole = p.payload(one)[76..76 + usize::from(length)].to_vec();
            p.put(other, nk::NAME, &whole);
            p.put(other, nk::NAME_LENGTH, &[length]);
            p.rehash("Many");
        }),
    ];
    for (code, minor, damage) in cases {
        let mut patient = patient(minor);
        damage(&mut patient);
        assert!(check(&patient.image).counts.contains_key(code), "{code}");
        let refused = |result: Result<(), EditError>| match result {
            Err(EditError::ListInDamage(finding)) => assert_eq!(finding.code, code),
            other => panic!("{code}: {other:?}"),
        };
        let new = damaged(&patient).create_key(&path("Many\\new"));
        refused(new.map(|_| ()));
        let old = damaged(&patient).delete_key(&path("Many\\Values"));
        refused(old.map(|_| ()));
        // Beside that list everything is as it was.
        let mut editor = damaged(&patient);
        editor.create_key(&path("Many\\Values\\new")).unwrap();
        let value = (path("Many\\Values"), Name::from("new"));
        editor.set_value(&value.0, &value.1, 3, &[1; 100]).unwrap();
        editor.create_key(&path("new")).unwrap();
        let sealed = editor.seal(0).unwrap();
        let (before, after) = (
            found_by_halves(&patient.image),
            found_by_halves(&sealed.image),
        );
        assert_eq!(after.len(), before.len() + 2, "{code}");
    }
}

#[test]
fn two_leaves_of_an_index_root_that_are_exchanged_are_left_alone() {
    let mut patient = Patient::new(edited(&bundled("hives/v1.5"), |editor| {
        for number in 0..1_100 {
            let key = path(&format!("Many\\{number:04}"));
            editor.create_key(&key).unwrap();
        }
    }));
    let root = patient.list("Many");
    let leaves = (patient.u32(root, 4), patient.u32(root, 8));
    patient.put_u32(root, 4, leaves.1);
    patient.put_u32(root, 8, leaves.0);
    let made = damaged(&patient).create_key(&path("Many\\0500a"));
    assert!(matches!(made, Err(EditError::ListInDamage(_))), "{made:?}");
}

/// Cuts the cell at `at` to `size` bytes, the rest is a free cell: gives where that is in the file.
fn cut(patient: &mut Patient, at: CellOffset, size: i32) -> std::ops::Range<usize> {
    let old = -patient.size(at);
    assert!(old >= size + 8, "{old} bytes cannot be cut to {size}");
    let rest = CellOffset(at.0 + u32::try_from(size).unwrap());
    patient.set_size(at, -size);
    patient.set_size(rest, old - size);
    let start = usize::try_from(rest.in_file().0).unwrap();
    start..start + usize::try_from(old - size).unwrap()
}

/// Everything that has a length of its own, in a cell that was cut: what was behind the cut is
/// never taken for something else, whatever is edited.
#[test]
fn what_was_cut_off_a_cell_is_not_given_away() {
    type Cut = (&'static str, u32, fn(&Patient) -> CellOffset, i32);
    let cuts: &[Cut] = &[
        ("data", 5, |p| p.data("Sizes", "4000"), 64),
        (
            "data in one cell",
            3,
            |p| p.data("Large", "large 17000"),
            64,
        ),
        ("a data segment", 5, |p| segment(p, "large 40000", 1), 64),
        (
            "a segments list",
            5,
            |p| CellOffset(p.u32(p.data("Large", "large 40000"), 4)),
            8,
        ),
        ("a value's name", 5, |p| p.value("Types", "resources"), 24),
        ("a values list", 5, |p| p.values_list("Types"), 16),
        ("a key's name", 5, |p| p.key("Latin-1\\under_score"), 80),
        ("a key", 5, |p| p.key("Wide\\Ключ"), 56),
        (
            "a class name",
            5,
            |p| CellOffset(p.u32(p.key("classy 2"), nk::CLASS_NAME)),
            16,
        ),
        ("a subkeys list", 5, |p| p.list("Many"), 96),
        ("a subkeys list with hints", 3, |p| p.list("Many"), 96),
    ];
    let mut edited = 0_usize;
    for &(what, minor, cell, size) in cuts {
        let mut patient = patient(minor);
        let at = cell(&patient);
        let rest = cut(&mut patient, at, size);
        let kept = patient.image[rest.clone()].to_vec();
        assert!(!check(&patient.image).is_sound(), "{what}");
        let mut done = 0;
        for size in [5, 20, 40, 100, 200, 500, 1_000, 2_000, 3_900, 16_000] {
            let mut editor = Editor::open_damaged(patient.image.clone(), NOW).unwrap();
            // Where the cells lie is the builder's affair: a key that is not itself in reach.
            let beside = ["Deep\\1\\2\\3", "Deep\\1", "Empty", "Wide"].map(path);
            let beside = beside.into_iter().find(|key| {
                let mut trial = Editor::open_damaged(patient.image.clone(), NOW).unwrap();
                let name = Name::from("v");
                trial.set_value(key, &name, 3, &vec![0xEE; size]).is_ok()
            });
            // What is read on behind a cut list of segments may lead anywhere, and over every key.
            let Some(beside) = beside else {
                continue;
            };
            for number in 0..8 {
                let name = Name::from(format!("v{number}").as_str());
                editor
                    .set_value(&beside, &name, 3, &vec![0xEE; size])
                    .unwrap();
            }
            let image = editor.seal(0).unwrap().image;
            assert_eq!(image[rest.clone()], kept, "{what}, {size}");
            assert!(found_by_halves(&image).is_superset(&found_by_halves(&patient.image)));
            done += 1;
        }
        edited += usize::from(done == 10);
    }
    assert!(edited + 2 >= cuts.len(), "{edited} of {}", cuts.len());
}

/// The segment with this number of a value of the key `Large`.
fn segment(patient: &Patient, value: &str, number: usize) -> CellOffset {
    let list = CellOffset(patient.u32(patient.data("Large", value), 4));
    CellOffset(patient.u32(list, 4 * number))
}

/// A length that leads over the cells of others: those are neither freed, nor moved, nor written.
#[test]
fn what_a_damaged_length_reaches_is_not_edited() {
    let mut patient = patient(5);
    let (value, data) = (patient.value("Sizes", "5"), patient.data("Sizes", "5"));
    let (other, behind) = (
        patient.value("Sizes", "4000"),
        patient.data("Sizes", "4000"),
    );
    assert!(
        data < behind && behind.0 - data.0 < 4_000,
        "they are neighbours"
    );
    let _ = other;
    patient.put_u32(value, vk::DATA_SIZE, 3_000);
    // The key that has it is damaged; so move the neighbour's owner out of it.
    let mut beside = patient.payload(patient.value("Sizes", "4000"));
    beside.truncate(24);
    let moved = patient.append(&beside);
    let list = patient.values_list("Sizes");
    let count = patient.u32(patient.key("Sizes"), nk::VALUE_COUNT);
    let last = usize::try_from(count - 1).unwrap();
    assert_eq!(patient.u32(list, 4 * last), other.0);
    patient.put_u32(patient.key("Sizes"), nk::VALUE_COUNT, count - 1);
    let one = patient.append(&moved.0.to_le_bytes());
    let bottom = patient.key("classy 3");
    patient.put_u32(bottom, nk::VALUES_LIST, one.0);
    patient.put_u32(bottom, nk::VALUE_COUNT, 1);
    patient.free(other);
    type Edit = fn(&mut Editor) -> Result<bool, EditError>;
    let edits: [Edit; 3] = [
        |editor| editor.delete_value(&path("classy 3"), &Name::from("4000")),
        |editor| editor.set_value(&path("classy 3"), &Name::from("4000"), 3, &[1; 4_000]),
        |editor| editor.delete_key(&path("classy 3")),
    ];
    for edit in edits {
        let mut editor = damaged(&patient);
        let from = match edit(&mut editor) {
            Err(EditError::InReach { from, .. }) => from,
            other => panic!("{other:?}"),
        };
        assert_eq!(from, value.in_file());
        assert!(matches!(editor.seal(0), Err(EditError::Broken)));
    }
    // Its type and its bytes elsewhere can be changed.
    let mut editor = damaged(&patient);
    let three = path("classy 3");
    editor
        .set_value(&three, &Name::from("x"), 3, &[1; 300])
        .unwrap();
    editor.seal(0).unwrap();
}

/// A reference out of the hive leads into a bin that would be added: none is.
#[test]
fn a_hive_does_not_grow_into_what_a_damaged_reference_reaches() {
    let mut patient = patient(5);
    let value = patient.value("Sizes", "4000");
    let end = patient.bins_size();
    patient.put_u32(value, vk::DATA_OFFSET, end + 32);
    let grow = |patient: &Patient| {
        let name = Name::from("large");
        damaged(patient).set_value(&path("Types"), &name, 3, &[1; 9_000])
    };
    let grown = grow(&patient);
    let from = value.in_file();
    assert!(
        matches!(grown, Err(EditError::NoGrowth { from: found }) if found == from),
        "{grown:?}"
    );
    // What fits into a free cell needs no growth.
    let small = damaged(&patient).set_value(&path("Types"), &Name::from("s"), 4, &[1; 4]);
    assert!(small.unwrap());
    // Nor may it where a length leads far beyond the end, however far.
    let mut far = self::patient(5);
    far.put_u32(value, vk::DATA_SIZE, 0x7FFF_0000);
    let grown = grow(&far);
    assert!(
        matches!(grown, Err(EditError::NoGrowth { from: found }) if found == from),
        "{grown:?}"
    );
    // Far enough away it can grow.
    patient.put_u32(value, vk::DATA_OFFSET, end + 0x10_0000);
    assert!(grow(&patient).unwrap());
}

#[test]
fn a_descriptor_that_leaves_its_cell_freezes_what_it_may_reach() {
    let mut patient = patient(5);
    let second = patient.second_security();
    assert_ne!(second, patient.security());
    let size = patient.u32(second, sk::DESCRIPTOR_SIZE);
    // Keys use it that are not in a ring any more that leads to it.
    patient.put_u32(patient.security(), sk::FLINK, patient.security().0);
    patient.put_u32(patient.security(), sk::BLINK, patient.security().0);
    patient.put_u32(second, sk::DESCRIPTOR_SIZE, size + 4_000);
    let from = usize::try_from(second.in_file().0).unwrap();
    let reach = from..from + 4_000;
    let mut editor = damaged(&patient);
    let made = editor.create_key(&path("new"));
    assert!(matches!(made, Err(EditError::InDamage { .. })), "{made:?}");
    for size in [8, 40, 100, 300] {
        let mut editor = damaged(&patient);
        let name = Name::from("v");
        if editor
            .set_value(&path("Types"), &name, 3, &vec![1; size])
            .is_ok()
        {
            let image = editor.seal(0).unwrap().image;
            assert_eq!(image[reach.clone()], patient.image[reach.clone()], "{size}");
        }
    }
}

/// In a list that is longer than its cell, a reader that reads on finds the keys and values of
/// others: to change them is to change them there too.
#[test]
fn what_a_list_reaches_behind_its_cell_is_not_edited() {
    let mut patient = patient(5);
    let stray = patient.value("Sizes", "4000");
    // The list's cell is followed by one with the offset of somebody's value.
    let list = patient.append(&[0; 4]);
    let behind = patient.append(&stray.0.to_le_bytes());
    let gap = (behind.0 - list.0 - 4) / 4;
    patient.put_u32(list, 0, patient.value("Types", "dword").0);
    let types = patient.key("Types");
    patient.put_u32(types, nk::VALUES_LIST, list.0);
    patient.put_u32(types, nk::VALUE_COUNT, gap + 2);
    let mut editor = damaged(&patient);
    let set = editor.set_value(&path("Sizes"), &Name::from("4000"), 3, &[1; 10]);
    assert!(matches!(set, Err(EditError::InReach { .. })), "{set:?}");
}

/// The byte was spare before version 1.6, and Windows left in it what the cell held.
#[test]
fn layers_are_believed_in_version_1_6_only() {
    for minor in 3..=6 {
        let mut patient = patient(minor);
        let key = patient.key("Types");
        patient.put(key, nk::LAYERED_BITS, &[3]);
        patient.put(key, nk::ACCESS_BITS, &[0xFF]);
        let value = patient.value("Sizes", "4000");
        patient.or_u16(value, vk::FLAGS, value_flags::TOMBSTONE);
        let report = check(&patient.image);
        assert!(report.is_sound());
        let is_found = |code| report.counts.contains_key(code);
        assert_eq!(is_found("key-layered"), minor == 6);
        assert_eq!(is_found("value-tombstone"), minor == 6);
        let mut editor = Editor::open(patient.image.clone(), NOW).unwrap();
        let set = editor.set_value(&path("Types"), &Name::from("x"), 4, &[1, 0, 0, 0]);
        match set {
            Ok(true) if minor < 6 => {}
            Err(EditError::Refused { refusal, .. }) if minor == 6 => {
                assert_eq!(refusal, Refusal::Special(SpecialKey::LayeredKey));
            }
            other => panic!("1.{minor}: {other:?}"),
        }
        // A tombstone has no data: the same data is a change. Elsewhere it is none.
        let (kind, data) = read(&patient.image, &path("Sizes"), "4000").unwrap();
        let mut editor = Editor::open(patient.image.clone(), NOW).unwrap();
        let name = Name::from("4000");
        let changed = editor
            .set_value(&path("Sizes"), &name, kind, &data)
            .unwrap();
        assert_eq!(changed, minor == 6, "1.{minor}");
        let after = Patient::new(seal(editor));
        let flags = after.u32(after.value("Sizes", "4000"), vk::FLAGS);
        let is_tombstone = flags & u32::from(value_flags::TOMBSTONE) != 0;
        assert_eq!(is_tombstone, minor < 6, "revived only where it was one");
    }
}
