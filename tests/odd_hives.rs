// SPDX-License-Identifier: GPL-3.0-or-later
//! Hives that are sound but odd, and hostile ones: edits and readers cope with them.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::fields::key_node_field;
use crate::workbench::{NOW, accepted, data, edited, empty, key, open, path, read, seal};
use hivemend::edit::{EditError, Editor, Refusal};
use hivemend::regf::{
    self, CellOffset, FileOffset, Hive, HiveBytes, Name, RegfError, SpecialKey, key_flags,
};

const OTHER_TIME: u64 = 0x01DA_0000_0000_0000;

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Where a field of the cell at `at` stands in the file.
fn place(at: CellOffset, field: usize) -> usize {
    usize::try_from(at.in_file().0).unwrap() + 4 + field
}

fn reseal(image: &mut [u8]) {
    let sum = regf::checksum(image).unwrap();
    put(image, 508, &sum.to_le_bytes());
}

fn codes(image: &[u8]) -> Vec<&'static str> {
    regf::check(image).counts.into_keys().collect()
}

/// A bin with exactly these cells' bytes in it (each begins with its size field), the rest free.
fn append_bin(image: &mut Vec<u8>, cells: &[u8]) {
    let start = u32::try_from(image.len() - 4096).unwrap();
    let size = (cells.len() + 32 + 8).next_multiple_of(4096);
    let from = image.len();
    image.resize(from + size, 0);
    put(image, from, b"hbin");
    put(image, from + 4, &start.to_le_bytes());
    put(image, from + 8, &u32::try_from(size).unwrap().to_le_bytes());
    put(image, from + 32, cells);
    let rest = u32::try_from(size - 32 - cells.len()).unwrap();
    put(image, from + 32 + cells.len(), &rest.to_le_bytes());
    let bins = u32::try_from(image.len() - 4096).unwrap();
    put(image, 40, &bins.to_le_bytes());
    reseal(image);
}

/// An allocated cell with this payload, size field and padding included.
fn cell(payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() + 4).next_multiple_of(8);
    let mut cell = (-i32::try_from(size).unwrap()).to_le_bytes().to_vec();
    cell.extend_from_slice(payload);
    cell.resize(size, 0);
    cell
}

#[test]
fn the_unnamed_value_has_no_flags() {
    // So it is in all 97,000 of the corpus, from NT 4 to Windows 10.
    let image = edited(&empty(5), |editor| {
        editor
            .set_value(&[], &Name::default(), 4, &[1, 0, 0, 0])
            .unwrap();
        editor
            .set_value(&[], &Name::from("x"), 4, &[1, 0, 0, 0])
            .unwrap();
    });
    let hive = Hive::open(&image).unwrap();
    let values = hive.values(&hive.root().unwrap()).unwrap();
    let flags: Vec<u16> = values
        .into_iter()
        .map(|at| hive.value(at).unwrap().flags())
        .collect();
    assert_eq!(flags, [0, 1]);
    accepted(&image);
}

#[test]
fn every_data_segment_has_the_cell_of_a_full_one() {
    // Also the last: Microsoft's checker refuses a shorter one ("Check Value List" 0x180).
    for size in [16_345, 20_000, 32_688, 32_689] {
        let image = edited(&empty(5), |editor| {
            editor
                .set_value(&[], &Name::from("x"), 3, &data(size, 7))
                .unwrap();
        });
        let segments = segment_sizes(&image);
        assert_eq!(
            segments,
            vec![16_352; size.div_ceil(16_344)],
            "{size} bytes"
        );
    }
}

/// Bytes of the data segments' cells of the root's first value.
fn segment_sizes(image: &Vec<u8>) -> Vec<u32> {
    segments(image)
        .into_iter()
        .map(|at| size_of(image, at).unsigned_abs())
        .collect()
}

fn segments(image: &Vec<u8>) -> Vec<CellOffset> {
    let hive = Hive::open(image).unwrap();
    let at = hive.values(&hive.root().unwrap()).unwrap()[0];
    let record = hive.value(at).unwrap().data_offset();
    let bytes = hive.cell(record, regf::Record::BigData).unwrap();
    let record = regf::BigData::parse(record, &bytes).unwrap();
    let list = hive
        .cell(record.segments_list, regf::Record::SegmentsList)
        .unwrap();
    let list = list.chunks_exact(4).take(usize::from(record.segment_count));
    list.map(|at| CellOffset(u32::from_le_bytes(at.try_into().unwrap())))
        .collect()
}

fn size_of(image: &[u8], at: CellOffset) -> i32 {
    let start = place(at, 0) - 4;
    i32::from_le_bytes(image[start..start + 4].try_into().unwrap())
}

#[test]
fn a_short_data_segment_is_an_error() {
    let mut image = edited(&empty(5), |editor| {
        editor
            .set_value(&[], &Name::from("x"), 3, &data(20_000, 7))
            .unwrap();
    });
    let last = segments(&image)[1];
    let at = place(last, 0) - 4;
    put(&mut image, at, &(-16_344_i32).to_le_bytes());
    put(&mut image, at + 16_344, &8_i32.to_le_bytes());
    assert_eq!(codes(&image), ["big-data-segment"]);
    assert!(matches!(
        Editor::open(image, NOW),
        Err(EditError::Unsound(_))
    ));
}

#[test]
fn a_copied_key_keeps_its_times_and_flags() {
    let mut editor = Editor::open(empty(5), OTHER_TIME).unwrap();
    editor.create_key(&path("a\\b\\c")).unwrap();
    editor
        .set_value(&path("a\\b"), &Name::from("v"), 3, &data(20_000, 1))
        .unwrap();
    let mut source = seal(editor);
    let hive = Hive::open(&source).unwrap();
    let at = key(&hive, &path("a\\b")).at();
    put(
        &mut source,
        place(at, key_node_field::VIRTUALIZATION_AND_USER_FLAGS),
        &[0x12],
    );

    let hive = Hive::open(&source).unwrap();
    let image = edited(&empty(5), |editor| {
        editor
            .copy_key(&hive, &key(&hive, &path("a")), &path("A"))
            .unwrap();
    });
    let copy = Hive::open(&image).unwrap();
    for name in ["a", "a\\b", "a\\b\\c"] {
        assert_eq!(key(&copy, &path(name)).last_written(), OTHER_TIME, "{name}");
    }
    assert_eq!(copy.root().unwrap().last_written(), NOW);
    assert_eq!(
        key(&copy, &path("a\\b")).virtualization_and_user_flags(),
        0x12
    );
    assert_eq!(read(&image, &path("a\\b"), "v"), Some((3, data(20_000, 1))));
    accepted(&image);
}

#[test]
fn a_key_is_not_copied_over_another_nor_too_deep() {
    let source = edited(&empty(5), |editor| {
        editor.create_key(&path("a\\b\\c")).unwrap();
    });
    let hive = Hive::open(&source).unwrap();
    let from = key(&hive, &path("a"));
    let mut editor = open(&source);
    let result = editor.copy_key(&hive, &from, &path("A"));
    assert!(
        matches!(result, Err(EditError::BadName { .. })),
        "{result:?}"
    );

    let deep = vec![Name::from("d"); 510];
    editor.create_key(&deep).unwrap();
    let mut below = deep;
    below.push(Name::from("copy"));
    let result = editor.copy_key(&hive, &from, &below);
    assert!(
        matches!(result, Err(EditError::BadName { .. })),
        "{result:?}"
    );
    seal(editor);
}

#[test]
fn keys_are_nested_511_deep_and_not_deeper() {
    let deep = vec![Name::from("d"); 511];
    let image = edited(&empty(5), |editor| {
        assert_eq!(editor.create_key(&deep).unwrap(), 511);
        editor
            .set_value(&deep, &Name::from("x"), 4, &[1, 0, 0, 0])
            .unwrap();
        let mut deeper = deep.clone();
        deeper.push(Name::from("d"));
        assert!(matches!(
            editor.create_key(&deeper),
            Err(EditError::BadName { .. })
        ));
    });
    assert_eq!(read(&image, &deep, "x"), Some((4, vec![1, 0, 0, 0])));
    let image = edited(&image, |editor| {
        assert!(editor.delete_key(&path("d")).unwrap());
    });
    assert_eq!(regf::check(&image).keys, 1);
}

#[test]
fn names_have_their_longest_length() {
    for unit in ["n", "名"] {
        let longest = Name::from(unit.repeat(255).as_str());
        let too_long = Name::from(unit.repeat(256).as_str());
        let value = Name::from(unit.repeat(16_383).as_str());
        let image = edited(&empty(5), |editor| {
            assert!(editor.create_key(&[too_long]).is_err());
            assert_eq!(
                editor.create_key(std::slice::from_ref(&longest)).unwrap(),
                1
            );
            editor
                .set_value(std::slice::from_ref(&longest), &value, 1, b"x\0")
                .unwrap();
            assert!(
                editor
                    .set_value(&[], &Name::from(unit.repeat(16_384).as_str()), 1, &[])
                    .is_err()
            );
        });
        let hive = Hive::open(&image).unwrap();
        let node = key(&hive, std::slice::from_ref(&longest));
        assert_eq!(hive.root().unwrap().largest_subkey_name(), 510);
        assert_eq!(node.largest_value_name(), 32_766);
        assert!(hive.find_value(&node, &value).unwrap().is_some());
    }
}

#[test]
fn special_keys_are_not_deleted_nor_what_holds_them() {
    let specials = [
        (key_flags::SYM_LINK, SpecialKey::SymbolicLink, false),
        (key_flags::PREDEF_HANDLE, SpecialKey::PredefinedHandle, true),
    ];
    for (flag, special, guards_what_is_above) in specials {
        let mut image = edited(&empty(5), |editor| {
            editor.create_key(&path("above\\special")).unwrap();
        });
        let hive = Hive::open(&image).unwrap();
        let node = key(&hive, &path("above\\special"));
        let (at, flags) = (node.at(), node.flags() | flag);
        put(
            &mut image,
            place(at, key_node_field::FLAGS),
            &flags.to_le_bytes(),
        );
        let mut editor = open(&image);
        let refused = |result| match result {
            Err(EditError::Refused { refusal, .. }) => refusal == Refusal::Special(special),
            _ => false,
        };
        assert!(
            refused(editor.delete_key(&path("above\\special"))),
            "{special:?}"
        );
        assert!(refused(
            editor.create_key(&path("above\\special\\x")).map(|_| true)
        ));
        assert!(!editor.is_changed());
        let above = editor.delete_key(&path("above"));
        assert_eq!(refused(above), guards_what_is_above, "{special:?}");
    }
}

#[test]
fn a_stale_values_list_is_left_alone() {
    // As in the hives of NT 4: no values, but an offset that leads to a cell freed long ago.
    let mut image = edited(&empty(3), |editor| {
        editor.create_key(&path("stale")).unwrap();
        editor.create_key(&path("stale too")).unwrap();
        editor
            .set_value(&path("stale"), &Name::from("x"), 3, &data(100, 0))
            .unwrap();
        editor
            .delete_value(&path("stale"), &Name::from("x"))
            .unwrap();
    });
    for name in ["stale", "stale too"] {
        let hive = Hive::open(&image).unwrap();
        let at = key(&hive, &path(name)).at();
        let free = u32::try_from(image.len()).unwrap() - 4096 - 64;
        put(
            &mut image,
            place(at, key_node_field::VALUES_LIST),
            &free.to_le_bytes(),
        );
    }
    let with_value = edited(&image, |editor| {
        editor
            .set_value(&path("stale"), &Name::from("y"), 3, &data(100, 1))
            .unwrap();
        assert!(editor.delete_key(&path("stale too")).unwrap());
    });
    assert_eq!(
        read(&with_value, &path("stale"), "y"),
        Some((3, data(100, 1)))
    );
    let without = edited(&with_value, |editor| {
        assert!(editor.delete_key(&path("stale")).unwrap());
    });
    assert_eq!(regf::check(&without).keys, 1);
    accepted(&without);
}

#[test]
fn free_cells_side_by_side_are_no_obstacle() {
    // Another program may leave free neighbours that Windows would have joined.
    let mut image = empty(5);
    let mut cells = cell(b"");
    cells.clear();
    for _ in 0..100 {
        cells.extend_from_slice(&16_i32.to_le_bytes());
        cells.extend_from_slice(&[0xAA; 12]);
    }
    append_bin(&mut image, &cells);
    assert!(regf::check(&image).is_sound());
    let image = edited(&image, |editor| {
        for number in 0..60 {
            let name = Name::from(format!("value {number}").as_str());
            editor
                .set_value(&[], &name, 3, &data(9 + number, 2))
                .unwrap();
        }
        for number in (0..60).step_by(2) {
            let name = Name::from(format!("value {number}").as_str());
            editor.delete_value(&[], &name).unwrap();
        }
    });
    assert_eq!(read(&image, &[], "value 31"), Some((3, data(40, 2))));
    accepted(&image);
}

#[test]
fn what_lies_behind_the_last_bin_is_overwritten_where_the_hive_grows() {
    let mut image = empty(5);
    let bins = image.len();
    image.resize(bins + 10_000, 0xEE);
    let grown = edited(&image, |editor| {
        editor
            .set_value(&[], &Name::from("x"), 3, &data(5000, 3))
            .unwrap();
    });
    assert_eq!(grown.len(), image.len());
    assert_eq!(read(&grown, &[], "x"), Some((3, data(5000, 3))));
    assert!(grown[bins + 8192..].iter().all(|&byte| byte == 0xEE));
    let longer = edited(&grown, |editor| {
        editor
            .set_value(&[], &Name::from("y"), 3, &data(5000, 4))
            .unwrap();
    });
    assert_eq!(longer.len(), bins + 2 * 8192);
    accepted(&longer);
}

#[test]
fn a_bin_may_be_larger_than_a_page() {
    let mut image = empty(5);
    append_bin(&mut image, &cell(&[0; 9000])); // leaked on purpose: it stays where it is
    let before = codes(&image);
    assert_eq!(before, ["cell-leaked"]);
    let image = edited(&image, |editor| {
        editor
            .set_value(&[], &Name::from("x"), 3, &data(3000, 3))
            .unwrap();
    });
    assert_eq!(codes(&image), before);
    assert_eq!(
        image.len(),
        4096 + 4096 + 12_288,
        "the free end of the large bin is used"
    );
}

#[test]
fn class_names_go_with_their_keys() {
    let mut image = edited(&empty(5), |editor| {
        editor.create_key(&path("classy")).unwrap();
    });
    let class = u32::try_from(image.len()).unwrap() - 4096 + 32;
    append_bin(&mut image, &cell(&data(20, 5)));
    let hive = Hive::open(&image).unwrap();
    let (at, root) = (key(&hive, &path("classy")).at(), hive.root().unwrap().at());
    put(
        &mut image,
        place(at, key_node_field::CLASS_NAME),
        &class.to_le_bytes(),
    );
    put(
        &mut image,
        place(at, key_node_field::CLASS_NAME_LENGTH),
        &20_u16.to_le_bytes(),
    );
    put(
        &mut image,
        place(root, key_node_field::LARGEST_SUBKEY_CLASS),
        &20_u32.to_le_bytes(),
    );
    assert_eq!(codes(&image), Vec::<&str>::new());

    let hive = Hive::open(&image).unwrap();
    let copied = edited(&empty(5), |editor| {
        editor
            .copy_key(&hive, &key(&hive, &path("classy")), &path("classy"))
            .unwrap();
    });
    let copy = Hive::open(&copied).unwrap();
    assert_eq!(
        *copy.class_name(&key(&copy, &path("classy"))).unwrap(),
        *data(20, 5)
    );
    assert_eq!(codes(&copied), Vec::<&str>::new());

    let deleted = edited(&image, |editor| {
        assert!(editor.delete_key(&path("classy")).unwrap());
    });
    assert_eq!(codes(&deleted), Vec::<&str>::new());
}

#[test]
fn a_security_record_goes_with_its_last_key() {
    let mut source = edited(&empty(5), |editor| {
        editor.create_key(&path("a\\b")).unwrap();
    });
    let hive = Hive::open(&source).unwrap();
    let record = hive.root().unwrap().security();
    // Another descriptor: the group's last part differs.
    let size = hive.security(record).unwrap().descriptor().len();
    source[place(record, 20) + size - 4] = 19;
    let hive = Hive::open(&source).unwrap();
    let image = edited(&empty(5), |editor| {
        editor
            .copy_key(&hive, &key(&hive, &path("a")), &path("a"))
            .unwrap();
        editor.create_key(&path("a\\b\\c")).unwrap();
    });
    let copy = Hive::open(&image).unwrap();
    let own = key(&copy, &path("a")).security();
    assert_ne!(own, copy.root().unwrap().security());
    assert_eq!(copy.security(own).unwrap().reference_count(), 2);
    // A key that is made below has a group of its own again.
    let below = key(&copy, &path("a\\b\\c")).security();
    assert_eq!(below, copy.root().unwrap().security());
    let image = edited(&image, |editor| {
        editor.delete_key(&path("a\\b")).unwrap();
    });
    assert_eq!(
        Hive::open(&image)
            .unwrap()
            .security(own)
            .unwrap()
            .reference_count(),
        1
    );
    let image = edited(&image, |editor| {
        editor.delete_key(&path("a")).unwrap();
    });
    let hive = Hive::open(&image).unwrap();
    let root = hive.root().unwrap().security();
    let record = hive.security(root).unwrap();
    assert_eq!(
        (record.flink(), record.blink(), record.reference_count()),
        (root, root, 1)
    );
    assert!(hive.security(own).is_err());
    accepted(&image);
}

#[test]
fn leaves_of_an_index_root_may_be_uneven() {
    // Leaves of one key, of two, of three ... and of three kinds.
    let count = 40_u32;
    let mut image = edited(&empty(5), |editor| {
        for number in 0..count {
            let name = format!("{:04}", number * 10);
            editor.create_key(&path(&format!("many\\{name}"))).unwrap();
        }
    });
    let hive = Hive::open(&image).unwrap();
    let node = key(&hive, &path("many"));
    let (at, keys) = (node.at(), hive.subkeys(&node).unwrap());
    let old_list = place(node.subkeys_list(), 0) - 4;
    let old_size = size_of(&image, node.subkeys_list()).unsigned_abs();
    let mut left: &[CellOffset] = &keys;
    let mut leaves = Vec::new();
    for size in 1.. {
        let (leaf, rest) = left.split_at(size.min(left.len()));
        leaves.push(leaf_bytes(&hive, leaf, size % 2 == 0));
        left = rest;
        if left.is_empty() {
            break;
        }
    }
    let first = u32::try_from(image.len()).unwrap() - 4096 + 32;
    let (mut cells, mut offsets) = (Vec::new(), Vec::new());
    for leaf in &leaves {
        offsets.push(first + u32::try_from(cells.len()).unwrap());
        cells.extend(cell(leaf));
    }
    let root = first + u32::try_from(cells.len()).unwrap();
    let mut bytes = b"ri".to_vec();
    bytes.extend(u16::try_from(offsets.len()).unwrap().to_le_bytes());
    bytes.extend(offsets.iter().flat_map(|at| at.to_le_bytes()));
    cells.extend(cell(&bytes));
    put(
        &mut image,
        place(at, key_node_field::SUBKEYS_LIST),
        &root.to_le_bytes(),
    );
    put(&mut image, old_list, &old_size.to_le_bytes());
    append_bin(&mut image, &cells);
    assert_eq!(codes(&image), Vec::<&str>::new());

    let more = edited(&image, |editor| {
        for number in (0..count * 10).filter(|number| number % 10 != 0) {
            let name = format!("{number:04}");
            assert_eq!(
                editor.create_key(&path(&format!("many\\{name}"))).unwrap(),
                1
            );
        }
    });
    assert_eq!(regf::check(&more).keys, 2 + 400);
    accepted(&more);
    let fewer = edited(&more, |editor| {
        for number in (0..400).rev().filter(|number| number % 7 != 0) {
            assert!(
                editor
                    .delete_key(&path(&format!("many\\{number:04}")))
                    .unwrap()
            );
        }
    });
    assert_eq!(regf::check(&fewer).keys, 2 + 58);
    accepted(&fewer);
    let none = edited(&fewer, |editor| {
        for number in (0..400).filter(|number| number % 7 == 0) {
            assert!(
                editor
                    .delete_key(&path(&format!("many\\{number:04}")))
                    .unwrap()
            );
        }
    });
    let hive = Hive::open(&none).unwrap();
    assert!(key(&hive, &path("many")).subkeys_list().is_none());
    assert_eq!(codes(&none), Vec::<&str>::new());
}

fn leaf_bytes(hive: &Hive<'_>, keys: &[CellOffset], hashed: bool) -> Vec<u8> {
    let mut bytes = if hashed {
        b"lh".to_vec()
    } else {
        b"li".to_vec()
    };
    bytes.extend(u16::try_from(keys.len()).unwrap().to_le_bytes());
    for at in keys {
        bytes.extend(at.0.to_le_bytes());
        if hashed {
            bytes.extend(hive.key(*at).unwrap().name().hash().to_le_bytes());
        }
    }
    bytes
}

/// Counts what is read; gives up where it is too much, so that a bug is no endless test.
struct Counted {
    bytes: Vec<u8>,
    reads: Cell<u64>,
}

impl HiveBytes for Counted {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        self.reads.set(self.reads.get() + 1);
        assert!(
            self.reads.get() < 1_000_000,
            "the reader goes round and round"
        );
        self.bytes.read(at, length)
    }
}

#[test]
fn a_list_that_names_one_leaf_again_and_again_is_given_up() {
    // 5,000 times the same leaf with 5,000 times the same key: 25 million keys to look at.
    let mut image = edited(&empty(5), |editor| {
        editor.create_key(&path("only")).unwrap();
    });
    let hive = Hive::open(&image).unwrap();
    let (root, only) = (hive.root().unwrap().at(), key(&hive, &path("only")).at());
    let leaf = u32::try_from(image.len()).unwrap() - 4096 + 32;
    let list = |signature: &[u8; 2], element: u32| {
        let mut bytes = signature.to_vec();
        bytes.extend(5000_u16.to_le_bytes());
        bytes.extend(std::iter::repeat_n(element.to_le_bytes(), 5000).flatten());
        cell(&bytes)
    };
    let mut cells = list(b"li", only.0);
    let index_root = leaf + u32::try_from(cells.len()).unwrap();
    cells.extend(list(b"ri", leaf));
    append_bin(&mut image, &cells);
    put(
        &mut image,
        place(root, key_node_field::SUBKEYS_LIST),
        &index_root.to_le_bytes(),
    );
    let bytes = Counted {
        bytes: image,
        reads: Cell::new(0),
    };
    let hive = Hive::open(&bytes).unwrap();
    assert!(hive.find(&path("another")).is_err());
    assert!(hive.subkeys(&hive.root().unwrap()).is_err());
    assert!(!regf::check(&bytes.bytes).is_sound());
}

#[test]
fn many_values_whose_names_hash_alike_are_checked_in_time() {
    // 200,000 pairs with one hash each: 37 * 'A' + 'F' is 37 * 'B' + '!'.
    let pairs = 200_000_u32;
    let mut image = empty(5);
    let first = u32::try_from(image.len()).unwrap() - 4096 + 32;
    let (mut cells, mut list) = (Vec::new(), Vec::new());
    for number in 0..pairs * 2 {
        let end = if number % 2 == 0 { "AF" } else { "B!" };
        let name = format!("{:06}{end}", number / 2);
        list.extend((first + u32::try_from(cells.len()).unwrap()).to_le_bytes());
        let mut value = b"vk\x08\0\0\0\0\x80\0\0\0\0\x04\0\0\0\x01\0\0\0".to_vec();
        value.extend(name.as_bytes());
        cells.extend(cell(&value));
    }
    let at = first + u32::try_from(cells.len()).unwrap();
    cells.extend(cell(&list));
    append_bin(&mut image, &cells);
    let root = Hive::open(&image).unwrap().root().unwrap().at();
    put(
        &mut image,
        place(root, key_node_field::VALUE_COUNT),
        &(pairs * 2).to_le_bytes(),
    );
    put(
        &mut image,
        place(root, key_node_field::VALUES_LIST),
        &at.to_le_bytes(),
    );
    put(
        &mut image,
        place(root, key_node_field::LARGEST_VALUE_NAME),
        &16_u32.to_le_bytes(),
    );
    let start = Instant::now();
    let report = regf::check(&image);
    assert_eq!(
        (report.values, report.findings),
        (u64::from(pairs) * 2, Vec::new())
    );
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}
