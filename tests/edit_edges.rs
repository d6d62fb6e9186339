// SPDX-License-Identifier: GPL-3.0-or-later
//! What edits leave behind in single fields and cells. Mutation testing found these looked at by no test.

use hivemend::edit::{EditError, Editor, Refusal};
use hivemend::regf::{CellOffset, Hive, Name, SpecialKey, check, key_flags};

use crate::fields::{key_node_field as nk, key_security_field as sk};
use crate::mutants::rich;
use crate::patient::Patient;
use crate::readers::found_by_halves;
use crate::workbench::{NOW, bundled, data, edited, empty, key, lists, open, path, read, seal};

const LATER: u64 = NOW + 77;

fn later(image: &[u8]) -> Editor {
    Editor::open(image.to_vec(), LATER).unwrap()
}

fn name(text: &str) -> Name {
    Name::from(text)
}

fn last_written(image: &Vec<u8>, at: &str) -> u64 {
    key(&Hive::open(image).unwrap(), &path(at)).last_written()
}

// ---- keys

#[test]
fn what_goes_is_noted_where_it_was() {
    let image = edited(&empty(5), |editor| {
        editor.create_key(&path("a\\b")).unwrap();
        editor
            .set_value(&path("a\\b"), &name("v"), 4, &[1; 4])
            .unwrap();
    });
    let mut editor = later(&image);
    assert!(editor.delete_value(&path("a\\b"), &name("v")).unwrap());
    let without_value = seal(editor);
    assert_eq!(last_written(&without_value, "a\\b"), LATER);
    assert_eq!(last_written(&without_value, "a"), NOW);
    let mut editor = later(&image);
    assert!(editor.delete_key(&path("a\\b")).unwrap());
    assert_eq!(last_written(&seal(editor), "a"), LATER);
}

/// Four bytes of data stand in the value itself: no cell comes or goes, and yet the hive is another.
#[test]
fn a_number_for_a_number_is_a_change() {
    let image = edited(&empty(5), |editor| {
        editor.set_value(&[], &name("v"), 4, &[1; 4]).unwrap();
    });
    let mut editor = later(&image);
    assert!(editor.set_value(&[], &name("v"), 4, &[2; 4]).unwrap());
    assert!(editor.is_changed());
    let sealed = seal(editor);
    let sequence = |image: &Vec<u8>| Hive::open(image).unwrap().base().primary_sequence;
    assert_eq!(sequence(&sealed), sequence(&image) + 1);
}

#[test]
fn a_key_that_was_deleted_and_made_again_has_nothing_below_it() {
    let image = edited(&empty(5), |editor| {
        editor.create_key(&path("a\\b\\c")).unwrap();
        assert!(editor.delete_key(&path("a\\b")).unwrap());
        assert!(!editor.delete_key(&path("a\\b\\c")).unwrap());
        assert_eq!(editor.create_key(&path("a\\b\\c")).unwrap(), 2);
        assert!(editor.delete_key(&path("a\\b\\c")).unwrap());
        assert_eq!(editor.create_key(&path("a\\b\\c")).unwrap(), 1);
    });
    assert_eq!(last_written(&image, "a\\b\\c"), NOW);
}

/// What Windows virtualizes below a key it virtualizes below a new subkey, if the key says so.
#[test]
fn a_new_key_has_the_virtualization_flags_that_its_parent_hands_on() {
    for (flags, inherited) in [(0x0E, 0x0E), (0xFE, 0x0E), (0x08, 0x08), (0x06, 0), (0, 0)] {
        let mut patient = Patient::new(edited(&empty(5), |editor| {
            editor.create_key(&path("a")).unwrap();
        }));
        let field = nk::VIRTUALIZATION_AND_USER_FLAGS;
        patient.put(patient.key("a"), field, &[flags]);
        let image = edited(&patient.image, |editor| {
            editor.create_key(&path("a\\b")).unwrap();
        });
        let hive = Hive::open(&image).unwrap();
        let made = key(&hive, &path("a\\b"));
        assert_eq!(
            made.virtualization_and_user_flags(),
            inherited,
            "{flags:#x}"
        );
    }
}

/// A root that stands for another key is edited no more than any such key.
#[test]
fn a_root_that_is_a_link_is_not_edited() {
    let mut patient = Patient::new(empty(5));
    let root = patient.key("");
    patient.or_u16(root, nk::FLAGS, key_flags::SYM_LINK);
    assert!(check(&patient.image).is_sound());
    let mut editor = open(&patient.image);
    match editor.set_value(&[], &name("v"), 4, &[1; 4]) {
        Err(EditError::Refused { refusal, .. }) => {
            assert_eq!(refusal, Refusal::Special(SpecialKey::SymbolicLink));
        }
        other => panic!("{other:?}"),
    }
    assert!(!editor.is_changed());
}

/// Refused before the first key is made: the editor is as good as before.
#[test]
fn one_key_that_cannot_inherit_leaves_the_editor_whole() {
    let mut patient = Patient::new(rich(5, &bundled("hives/v1.5"), 3));
    let record = patient.second_security();
    let key = patient.key("classy 0");
    assert_eq!(patient.u32(key, nk::SECURITY), record.0);
    // One entry, handed on, of which two would come, and so often that they do not fit.
    let entry = [
        0, 2, 20, 0, 0, 0, 0, 0x80, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    ];
    let count = 2_000_usize;
    let size = 8 + count * entry.len();
    let mut descriptor = vec![1, 0, 0x04, 0x80];
    let owner = 20 + size;
    for offset in [owner, owner, 0, 20] {
        descriptor.extend_from_slice(&u32::try_from(offset).unwrap().to_le_bytes());
    }
    descriptor.extend_from_slice(&[2, 0]);
    for number in [size, count] {
        descriptor.extend_from_slice(&u16::try_from(number).unwrap().to_le_bytes());
    }
    descriptor.extend_from_slice(&[0, 0]);
    descriptor.extend(entry.repeat(count));
    descriptor.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
    let (flink, blink) = (
        patient.u32(record, sk::FLINK),
        patient.u32(record, sk::BLINK),
    );
    let users = patient.u32(record, sk::REFERENCE_COUNT);
    let mut cell = b"sk\0\0".to_vec();
    for field in [
        flink,
        blink,
        users,
        u32::try_from(descriptor.len()).unwrap(),
    ] {
        cell.extend_from_slice(&field.to_le_bytes());
    }
    cell.extend(descriptor);
    let new = patient.append(&cell);
    for number in 0..4 {
        let key = patient.key(&format!("classy {number}"));
        patient.put_u32(key, nk::SECURITY, new.0);
    }
    patient.put_u32(CellOffset(flink), sk::BLINK, new.0);
    patient.put_u32(CellOffset(blink), sk::FLINK, new.0);
    patient.free(record);
    let before = check(&patient.image);
    assert!(before.is_sound(), "{:?}", before.first_error());
    let mut editor = open(&patient.image);
    let refused = editor.create_key(&path("classy 0\\new"));
    assert!(
        matches!(refused, Err(EditError::Descriptor { .. })),
        "{refused:?}"
    );
    assert!(!editor.is_changed());
    editor.create_key(&path("new")).unwrap();
    editor.seal(0).unwrap();
}

// ---- copies

#[test]
fn a_copy_has_the_flags_of_the_key_but_those_of_its_name() {
    let mut patient = Patient::new(edited(&empty(5), |editor| {
        let link = path("from\\link");
        editor.create_key(&link).unwrap();
        let leads_to: Vec<u8> = "\\Registry\\Machine"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let own = name("SymbolicLinkValue");
        editor.set_value(&link, &own, 6, &leads_to).unwrap();
    }));
    let link = patient.key("from\\link");
    patient.or_u16(link, nk::FLAGS, key_flags::SYM_LINK);
    let hive = Hive::open(&patient.image).unwrap();
    // The name's units are all below 256 in the one hive, and in the other they are not.
    for to in ["to", "\u{3b1}"] {
        let image = edited(&empty(5), |editor| {
            editor
                .copy_key(&hive, &key(&hive, &path("from")), &path(to))
                .unwrap();
        });
        let copy = Hive::open(&image).unwrap();
        let link = key(&copy, &path(&format!("{to}\\link")));
        assert_eq!(link.flags(), key_flags::SYM_LINK | key_flags::COMP_NAME);
        let compressed = u16::from(to.is_ascii()) * key_flags::COMP_NAME;
        assert_eq!(key(&copy, &path(to)).flags(), compressed);
    }
}

#[test]
fn a_copy_is_refused_where_a_new_key_is() {
    let source = edited(&empty(5), |editor| {
        editor.create_key(&path("a\\b")).unwrap();
    });
    let hive = Hive::open(&source).unwrap();
    let from = key(&hive, &path("a"));
    let mut editor = open(&source);
    let long = "x".repeat(256);
    for bad in ["", "x\\y", long.as_str()] {
        let refused = editor.copy_key(&hive, &from, &[name(bad)]);
        assert!(
            matches!(refused, Err(EditError::BadName { .. })),
            "{bad}: {refused:?}"
        );
    }
    assert!(!editor.is_changed());

    // As deep as keys can be, and not deeper.
    let leaf = key(&hive, &path("a\\b"));
    let mut deep = vec![name("d"); 510];
    editor.create_key(&deep).unwrap();
    deep.push(name("copy"));
    let refused = editor.copy_key(&hive, &from, &deep);
    assert!(matches!(refused, Err(EditError::BadName { .. })));
    editor.copy_key(&hive, &leaf, &deep).unwrap();
    seal(editor);

    // And below what is damaged.
    let mut patient = Patient::new(bundled("hives/v1.5"));
    let types = patient.key("Types");
    patient.put_u32(types, nk::VALUES_LIST, u32::MAX);
    let mut editor = Editor::open_damaged(patient.image, NOW).unwrap();
    let refused = editor.copy_key(&hive, &from, &path("Types\\copy"));
    assert!(
        matches!(refused, Err(EditError::InDamage { .. })),
        "{refused:?}"
    );
    editor.copy_key(&hive, &from, &path("copy")).unwrap();
    editor.seal(0).unwrap();
}

// ---- values

/// Edits of one key's values, the same in every run.
fn edits(count: u32) -> impl Iterator<Item = (bool, Name, Vec<u8>)> {
    let mut state = 0x2545_F491_u32;
    let mut roll = move |sides: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % sides
    };
    (0..count).map(move |number| {
        let deletes = roll(4) < 1;
        let own = name(&format!("value {}", roll(500)));
        let size = usize::try_from(roll(40)).unwrap();
        (deletes, own, data(size, number.to_le_bytes()[0]))
    })
}

fn make(editor: &mut Editor, (deletes, name, data): &(bool, Name, Vec<u8>)) -> bool {
    let many = path("Many");
    match deletes {
        true => editor.delete_value(&many, name).unwrap(),
        false => editor.set_value(&many, name, 3, data).unwrap(),
    }
}

/// The list of a key with many values is kept while they are edited: what is written at the end is
/// what would be there had each edit been one by itself.
#[test]
fn many_edits_of_one_keys_values_leave_the_bytes_of_single_ones() {
    let start = edited(&empty(5), |editor| {
        editor.create_key(&path("Many")).unwrap();
        for number in 0..130 {
            let own = name(&format!("value {number}"));
            editor
                .set_value(&path("Many"), &own, 3, &data(30, 1))
                .unwrap();
        }
    });
    let mut together = open(&start);
    let mut one_by_one = start.clone();
    for edit in edits(700) {
        let mut editor = open(&one_by_one);
        let changed = make(&mut editor, &edit);
        one_by_one = editor.seal(0).unwrap().image;
        assert_eq!(make(&mut together, &edit), changed, "{edit:?}");
        // In between the hive can be read as it is.
        let current = together.current().unwrap();
        let many = key(&current, &path("Many"));
        let found = current.find_value(&many, &edit.1).unwrap();
        assert_eq!(found.is_none(), edit.0);
        if let Some(value) = found {
            assert_eq!(*current.data(&value).unwrap(), *edit.2);
        }
    }
    let mut hurried = open(&start);
    for edit in edits(700) {
        make(&mut hurried, &edit);
    }
    for editor in [together, hurried] {
        let image = seal(editor);
        assert_eq!(image.len(), one_by_one.len());
        let differs = (512..image.len()).find(|&at| image[at] != one_by_one[at]);
        assert_eq!(differs, None);
    }
}

#[test]
fn a_key_goes_with_values_that_are_being_edited() {
    let image = edited(&empty(5), |editor| {
        editor.create_key(&path("a")).unwrap();
        for number in 0..130 {
            let own = name(&format!("value {number}"));
            editor.set_value(&path("a"), &own, 3, &data(30, 1)).unwrap();
        }
        for number in (0..130).step_by(7) {
            let own = name(&format!("value {number}"));
            assert!(editor.delete_value(&path("a"), &own).unwrap());
        }
        assert!(editor.delete_key(&path("a")).unwrap());
    });
    assert_eq!(
        Hive::open(&image).unwrap().root().unwrap().subkey_count(),
        0
    );
}

fn data_offset(image: &Vec<u8>, own: &str) -> CellOffset {
    let hive = Hive::open(image).unwrap();
    let root = hive.root().unwrap();
    let value = hive.find_value(&root, &name(own)).unwrap().unwrap();
    value.data_offset()
}

/// Data that fills its cell to the last byte is written over, wherever else there would be room.
#[test]
fn a_cell_that_is_just_large_enough_is_used_again() {
    let image = edited(&empty(5), |editor| {
        // First their list, so that nothing stands between their data.
        for bytes in [1, 20] {
            for own in ["a", "b", "c", "d"] {
                editor
                    .set_value(&[], &name(own), 3, &data(bytes, 1))
                    .unwrap();
            }
        }
        // Its cell is free now, and as good.
        editor.set_value(&[], &name("b"), 3, &[1]).unwrap();
    });
    let neighbours = ["a", "c", "d"].map(|own| data_offset(&image, own).0);
    assert_eq!(neighbours[0] + 48, neighbours[1], "the gap is as large");
    for size in [20, 17, 5] {
        let again = edited(&image, |editor| {
            editor
                .set_value(&[], &name("d"), 3, &data(size, 2))
                .unwrap();
        });
        assert_eq!(data_offset(&again, "d"), data_offset(&image, "d"), "{size}");
        assert_eq!(read(&again, &[], "d"), Some((3, data(size, 2))));
    }
}

/// The record, the list and the segments of a value.
fn segments(image: &Vec<u8>, own: &str) -> Vec<CellOffset> {
    let record = data_offset(image, own);
    let patient = Patient::new(image.clone());
    let list = CellOffset(patient.u32(record, 4));
    let count = usize::from(patient.payload(record)[2]);
    let cells = (0..count).map(|index| CellOffset(patient.u32(list, 4 * index)));
    [record, list].into_iter().chain(cells).collect()
}

#[test]
fn as_many_segments_are_written_over() {
    let image = edited(&empty(5), |editor| {
        for own in ["a", "b", "c"] {
            editor
                .set_value(&[], &name(own), 3, &data(40_000, 1))
                .unwrap();
        }
        editor.delete_value(&[], &name("a")).unwrap();
    });
    let before = segments(&image, "c");
    assert_eq!(before.len(), 5);
    for size in [40_000, 33_000, 49_032] {
        let again = edited(&image, |editor| {
            editor
                .set_value(&[], &name("c"), 3, &data(size, 2))
                .unwrap();
        });
        assert_eq!(segments(&again, "c"), before, "{size}");
        assert_eq!(read(&again, &[], "c"), Some((3, data(size, 2))));
    }
    for size in [20_000, 49_033, 90_000] {
        let again = edited(&image, |editor| {
            editor
                .set_value(&[], &name("c"), 3, &data(size, 2))
                .unwrap();
        });
        assert_eq!(read(&again, &[], "c"), Some((3, data(size, 2))));
    }
}

// ---- lists

/// Damage elsewhere: the lists that are edited are searched from their beginning, as nothing says that
/// all of them are in order.
#[test]
fn beside_damage_a_new_key_goes_where_it_belongs() {
    let mut patient = Patient::new(edited(&bundled("hives/v1.5"), |editor| {
        for number in 0..2_200 {
            editor
                .create_key(&path(&format!("Many\\{number:04}")))
                .unwrap();
        }
    }));
    let (_, leaves) = lists(&patient.image, &path("Many"));
    assert!(leaves.len() >= 3, "{leaves:?}");
    let types = patient.key("Types");
    patient.put_u32(types, nk::VALUES_LIST, u32::MAX);
    let before = found_by_halves(&patient.image).len();
    let mut editor = Editor::open_damaged(patient.image, NOW).unwrap();
    let new = ["/", "0000a", "0700a", "1100a", "1650a", "2199a", "zz"];
    for own in new {
        assert_eq!(
            editor.create_key(&path(&format!("Many\\{own}"))).unwrap(),
            1
        );
    }
    // And there is nothing new about it: both are found, and one can go again.
    assert_eq!(editor.create_key(&path("Many\\1100A")).unwrap(), 0);
    assert!(editor.delete_key(&path("Many\\1100a")).unwrap());
    assert!(editor.delete_key(&path("Many\\0000")).unwrap());
    let sealed = editor.seal(0).unwrap();
    assert_eq!(sealed.report.errors, 1);
    assert_eq!(found_by_halves(&sealed.image).len(), before + new.len() - 2);
}

/// What a leaf that was split does not need any more is free, wherever the new key belongs.
#[test]
fn a_leaf_that_was_split_gives_its_room_back() {
    let full = edited(&empty(5), |editor| {
        for number in 0..1_012 {
            editor
                .create_key(&path(&format!("all\\{number:04}")))
                .unwrap();
        }
    });
    for own in ["9999", "0100a", "0700a", " "] {
        let image = edited(&full, |editor| {
            editor.create_key(&[name("all"), name(own)]).unwrap();
        });
        let (_, leaves) = lists(&image, &path("all"));
        assert_eq!(leaves.len(), 2);
        let patient = Patient::new(image.clone());
        let root = patient.list("all");
        for at in [4, 8] {
            let leaf = CellOffset(patient.u32(root, at));
            let count = u16::from_le_bytes(patient.payload(leaf)[2..4].try_into().unwrap());
            let need = (4 + 4 + i32::from(count) * 8 + 7) / 8 * 8;
            assert!(-patient.size(leaf) <= need + 8, "{count}");
        }
        // The lists go with their key: nothing of them is left in use.
        let gone = edited(&image, |editor| {
            assert!(editor.delete_key(&path("all")).unwrap());
        });
        assert_eq!(check(&gone).findings, []);
    }
}

/// A search by halves would miss a key that stands in the wrong place; here it is the one that is meant.
#[test]
fn a_key_out_of_its_place_in_a_damaged_list_is_found() {
    let mut patient = Patient::new(rich(5, &bundled("hives/v1.5"), 60));
    let last = patient.subkeys("Many").len() - 1;
    let list = patient.list("Many");
    patient.exchange(list, 4, 4 + 8 * last);
    let out_of_place = patient.subkeys("Many")[0];
    let hive = Hive::open(&patient.image).unwrap();
    let own = hive.key(out_of_place).unwrap().name().to_name();
    let many = [name("Many"), own];
    let mut editor = Editor::open_damaged(patient.image.clone(), NOW).unwrap();
    editor.set_value(&many, &name("v"), 4, &[1; 4]).unwrap();
    assert_eq!(editor.create_key(&many).unwrap(), 0);
    let image = editor.seal(0).unwrap().image;
    let hive = Hive::open(&image).unwrap();
    let found = hive.find_value(&hive.key(out_of_place).unwrap(), &name("v"));
    assert!(found.unwrap().is_some());
}

// ---- security

/// A hive whose records count more users than there are: who uses which is counted anew, and kept.
#[test]
fn users_of_a_record_that_counts_more_come_and_go_in_one_run() {
    let mut patient = Patient::new(rich(5, &bundled("hives/v1.5"), 10));
    let record = patient.second_security();
    patient.add(record, sk::REFERENCE_COUNT, 9);
    assert!(
        check(&patient.image)
            .counts
            .contains_key("security-count-high")
    );
    let donor = Hive::open(&patient.image).unwrap();
    let from = key(&donor, &path("classy 0"));
    let all = ["classy 0", "classy 1", "classy 2", "classy 3"];
    // All users but one go, another comes and goes: the record must stay for the one that is left.
    let mut editor = open(&patient.image);
    for gone in &all[1..] {
        assert!(editor.delete_key(&path(gone)).unwrap());
    }
    for _ in 0..2 {
        editor.copy_key(&donor, &from, &path("again")).unwrap();
        assert!(editor.delete_key(&path("again")).unwrap());
    }
    let image = editor.seal(0).unwrap().image;
    let hive = Hive::open(&image).unwrap();
    assert_eq!(key(&hive, &path("classy 0")).security(), record);
    assert!(check(&image).is_sound());
}

/// As well where there is a record besides that nobody uses at all.
#[test]
fn the_last_user_goes_beside_a_record_without_users() {
    let mut patient = Patient::new(rich(5, &bundled("hives/v1.5"), 10));
    let record = patient.second_security();
    patient.add(record, sk::REFERENCE_COUNT, 9);
    // A third record, with the first one's descriptor but for a reserved byte.
    let first = patient.security();
    let mut third = patient.payload(record);
    third[sk::DESCRIPTOR + 1] = 1;
    let third = patient.append(&third);
    patient.put_u32(third, sk::BLINK, record.0);
    patient.put_u32(third, sk::FLINK, first.0);
    patient.put_u32(record, sk::FLINK, third.0);
    patient.put_u32(first, sk::BLINK, third.0);
    let report = check(&patient.image);
    assert!(report.is_sound(), "{:?}", report.first_error());
    for code in ["security-count-high", "security-unused"] {
        assert_eq!(report.counts.get(code), Some(&1), "{code}");
    }
    let mut editor = open(&patient.image);
    for number in 0..4 {
        let own = format!("classy {number}");
        assert!(editor.delete_key(&path(&own)).unwrap());
    }
    let image = editor.seal(0).unwrap().image;
    let counts = check(&image).counts;
    assert_eq!(counts.get("security-unused"), Some(&1));
    assert_eq!(counts.get("security-count-high"), None);
}

/// And a record that is made in such a hive is counted from its first user on.
#[test]
fn a_new_record_beside_one_that_counts_more_is_counted() {
    let source = rich(5, &bundled("hives/v1.5"), 3);
    let donor = Hive::open(&source).unwrap();
    let from = key(&donor, &path("classy 0"));
    let mut patient = Patient::new(bundled("hives/v1.5"));
    let root = patient.security();
    patient.add(root, sk::REFERENCE_COUNT, 9);
    let mut editor = open(&patient.image);
    for own in ["one", "two", "three"] {
        editor.copy_key(&donor, &from, &path(own)).unwrap();
    }
    assert!(editor.delete_key(&path("two")).unwrap());
    let image = editor.seal(0).unwrap().image;
    let hive = Hive::open(&image).unwrap();
    let record = key(&hive, &path("one")).security();
    assert_eq!(hive.security(record).unwrap().reference_count(), 2);
    let report = check(&image);
    assert_eq!(report.counts.keys().collect::<Vec<_>>().len(), 1);
    assert!(report.counts.contains_key("security-count-high"));
}

/// Whose keys cannot all be read is not counted: the hive is opened all the same.
#[test]
fn a_damaged_hive_with_a_record_that_counts_more_is_opened() {
    let mut patient = Patient::new(bundled("hives/v1.5"));
    let root = patient.security();
    patient.add(root, sk::REFERENCE_COUNT, 9);
    let list = patient.list("Deep");
    patient.put(list, 0, b"xx");
    let report = check(&patient.image);
    assert!(!report.is_sound());
    let mut editor = Editor::open_damaged(patient.image, NOW).unwrap();
    editor
        .set_value(&path("Sizes"), &name("v"), 4, &[1; 4])
        .unwrap();
    editor.seal(0).unwrap();
}

// ---- cells

/// A free cell behind which another one stands, and where.
fn free_cells_that_touch(image: &[u8]) -> Option<CellOffset> {
    let field = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
    let mut bin = 4096;
    while bin < image.len() {
        let end = bin + usize::try_from(field(bin + 8)).unwrap();
        let (mut at, mut was_free) = (bin + 32, false);
        while at < end {
            let size = field(at).cast_signed();
            if was_free && size > 0 {
                return Some(CellOffset(u32::try_from(at - 4096).unwrap()));
            }
            was_free = size > 0;
            at += usize::try_from(size.unsigned_abs()).unwrap();
        }
        bin = end;
    }
    None
}

/// Whichever of two neighbours is freed first, one free cell is left.
#[test]
fn whatever_goes_first_no_two_free_cells_touch() {
    const COUNT: usize = 60;
    let start = edited(&empty(5), |editor| {
        for number in 0..COUNT {
            let own = name(&format!("value {number}"));
            editor
                .set_value(&[], &own, 3, &data(8 + number, 1))
                .unwrap();
        }
    });
    let forward: Vec<usize> = (0..COUNT - 1).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let mixed: Vec<usize> = forward.iter().map(|at| at * 17 % (COUNT - 1)).collect();
    for order in [forward, backward, mixed] {
        let mut editor = open(&start);
        for number in order {
            let own = name(&format!("value {number}"));
            assert!(editor.delete_value(&[], &own).unwrap());
        }
        let image = seal(editor);
        assert_eq!(free_cells_that_touch(&image), None);
        // And what is free is known to be: the room is enough for one value instead of all.
        let again = edited(&image, |editor| {
            editor
                .set_value(&[], &name("large"), 3, &data(3_000, 2))
                .unwrap();
        });
        assert_eq!(again.len(), image.len());
        assert_eq!(free_cells_that_touch(&again), None);
    }
}
