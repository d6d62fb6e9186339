// SPDX-License-Identifier: GPL-3.0-or-later
//! The editor's own last looks, which nothing but an injected fault can trigger, and what only
//! single cells show.

use super::{EditError, Editor, Refusal, editor::State};
use crate::regf::structures::{KeyNodeHeader, KeyValueHeader, Offset};
use crate::regf::{CellOffset, FileOffset, Name, field, key_flags, u32_at, value_flags};

const NOW: u64 = 0x01DC_5A00_0000_0000;

fn image(minor: u32) -> Vec<u8> {
    match minor {
        6 => include_bytes!("../../testdata/hives/v1.6").to_vec(),
        _ => include_bytes!("../../testdata/hives/v1.5").to_vec(),
    }
}

fn open() -> Editor {
    Editor::open(image(5), NOW).unwrap()
}

fn path(text: &str) -> Vec<Name> {
    let names = text.split('\\').filter(|name| !name.is_empty());
    names.map(Name::from).collect()
}

fn at(editor: &Editor, key: &str) -> CellOffset {
    let hive = editor.hive().unwrap();
    hive.find(&path(key)).unwrap().unwrap().at()
}

fn value_at(editor: &Editor, key: &str, value: &str) -> CellOffset {
    let hive = editor.hive().unwrap();
    let key = hive.find(&path(key)).unwrap().unwrap();
    let value = hive.find_value(&key, &Name::from(value)).unwrap();
    value.unwrap().at()
}

/// Makes the list of the key `Types` one that is missing: an error that does no harm elsewhere.
fn with_damage() -> Editor {
    let mut image = image(5);
    let editor = Editor::open(image.clone(), NOW).unwrap();
    let list = FileOffset(at(&editor, "Types").in_file().0 + 4);
    let list = usize::try_from(list.0).unwrap() + field!(KeyNodeHeader.values_list).offset();
    image[list..list + 4].fill(0xFF);
    Editor::open_damaged(image, NOW).unwrap()
}

/// An edit that did damage would be a bug of ours: it is never sealed.
#[test]
fn seal_finds_the_damage_that_an_edit_did() {
    type Harm = fn(&mut Editor) -> Result<(), EditError>;
    let harms: [(&str, Harm); 5] = [
        ("key-parent", |editor| {
            let (key, other) = (at(editor, "Sizes"), at(editor, "Deep"));
            editor.image.set(key, field!(KeyNodeHeader.parent), other)
        }),
        ("subkey-count", |editor| {
            let key = at(editor, "Latin-1");
            editor.image.set(key, field!(KeyNodeHeader.subkey_count), 1)
        }),
        // A warning is none of what Windows leaves either.
        ("cell-leaked", |editor| editor.allocate(100).map(|_| ())),
        ("largest-value-data", |editor| {
            let key = at(editor, "Sizes");
            editor
                .image
                .set(key, field!(KeyNodeHeader.largest_value_data), 1)
        }),
        ("security-count-high", |editor| {
            let security = editor.hive()?.root()?.security();
            editor.add_security_user(security)
        }),
    ];
    for editor in [open, with_damage] {
        for (code, harm) in harms {
            let mut editor = editor();
            harm(&mut editor).unwrap();
            editor.renew();
            match editor.seal(0) {
                Err(EditError::Damaged(finding)) => assert_eq!(finding.code, code),
                other => panic!("{code}: {:?}", other.map(|sealed| sealed.report)),
            }
        }
    }
}

/// Damage that was accepted is no reason not to seal; damage that was not is.
#[test]
fn seal_knows_what_was_damaged_before() {
    let mut editor = with_damage();
    editor
        .set_value(&path("Deep"), &Name::from("v"), 4, &[1; 4])
        .unwrap();
    let sealed = editor.seal(0).unwrap();
    assert_eq!(sealed.report.errors, 1);

    let mut editor = open();
    editor.damage = with_damage().damage;
    let key = at(&editor, "Types");
    editor
        .image
        .set(key, field!(KeyNodeHeader.values_list), Offset::NONE)
        .unwrap();
    editor.renew();
    assert!(matches!(editor.seal(0), Err(EditError::Damaged(_))));
}

/// Were a damaged list edited all the same, a key could be there and yet not be found.
#[test]
fn seal_refuses_to_lose_a_key_that_windows_finds() {
    let mut image = image(5);
    let editor = Editor::open(image.clone(), NOW).unwrap();
    let list = editor.hive().unwrap().root().unwrap().subkeys_list();
    // Deep, Latin-1, Sizes, Types, Wide: the second and the fourth change places.
    let list = usize::try_from(list.in_file().0).unwrap() + 8;
    let (first, rest) = image[list + 8..].split_at_mut(16);
    first[..8].swap_with_slice(&mut rest[..8]);
    let mut editor = Editor::open_damaged(image, NOW).unwrap();
    assert_eq!(
        editor
            .create_key(&path("zz"))
            .map_err(|error| { matches!(error, EditError::ListInDamage(_)) }),
        Err(true)
    );
    editor.state = State::Unchanged;
    editor.damage.lists.clear();
    // Sizes was in the middle, where the search begins, and is there no more.
    let root = editor.hive().unwrap().root().unwrap();
    let (root, security) = (root.at(), root.security());
    editor.add_security_user(security).unwrap();
    editor
        .add_subkey(root, &Name::from("zz"), security)
        .unwrap();
    match editor.seal(0) {
        Err(EditError::KeyLost(_)) => {}
        other => panic!("{:?}", other.map(|sealed| sealed.report)),
    }
}

#[test]
fn a_key_that_must_not_be_deleted_is_not_and_neither_is_one_above_it() {
    let mut editor = open();
    let key = at(&editor, "Deep\\1\\2\\3");
    let flags = key_flags::NO_DELETE | key_flags::COMP_NAME;
    editor
        .image
        .set(key, field!(KeyNodeHeader.flags), flags)
        .unwrap();
    for above in ["Deep\\1\\2\\3", "Deep\\1\\2", "Deep"] {
        match editor.delete_key(&path(above)) {
            Err(EditError::Refused { key, refusal }) => {
                assert_eq!((key, refusal), (Name::from("3"), Refusal::NoDelete));
            }
            other => panic!("{above}: {other:?}"),
        }
    }
    // What is below it may go, and its values may change.
    assert!(editor.delete_key(&path("Deep\\1\\2\\3\\4")).unwrap());
    let name = Name::from("v");
    assert!(
        editor
            .set_value(&path("Deep\\1\\2\\3"), &name, 4, &[1; 4])
            .unwrap()
    );
    // Below the root the flag is damage of its own, and none that an edit may make.
    assert!(matches!(editor.seal(0), Err(EditError::Damaged(_))));
}

/// A tombstone hides a value of another layer: whoever sets one makes it a value again.
#[test]
fn a_tombstone_that_is_set_is_a_value_again() {
    for data in [&[1, 2, 3, 4][..], &[5; 5], &[6; 100]] {
        let mut editor = Editor::open(image(6), NOW).unwrap();
        let value = value_at(&editor, "Types", "dword");
        let flags = value_flags::COMP_NAME | value_flags::TOMBSTONE;
        editor
            .image
            .set(value, field!(KeyValueHeader.flags), flags)
            .unwrap();
        let name = Name::from("dword");
        assert!(editor.set_value(&path("Types"), &name, 4, data).unwrap());
        // The second time there is nothing to do.
        assert!(!editor.set_value(&path("Types"), &name, 4, data).unwrap());
        let hive = editor.hive().unwrap();
        let value = hive.value(value).unwrap();
        assert!(!value.is_tombstone());
        assert_eq!(value.flags(), value_flags::COMP_NAME);
        assert_eq!(*hive.data(&value).unwrap(), *data);
    }
    // Also where it holds the very data that is set.
    let mut editor = Editor::open(image(6), NOW).unwrap();
    let value = value_at(&editor, "Types", "dword");
    editor
        .image
        .set(value, field!(KeyValueHeader.flags), 3)
        .unwrap();
    let data = [4, 3, 2, 1];
    let name = Name::from("dword");
    assert!(editor.set_value(&path("Types"), &name, 4, &data).unwrap());
    assert!(!editor.hive().unwrap().value(value).unwrap().is_tombstone());
}

/// A cell of eight bytes is the smallest there is: so much left over is a cell of its own.
#[test]
fn a_rest_of_eight_bytes_is_a_free_cell() {
    for (spare, is_split) in [(0, false), (8, true), (16, true)] {
        let mut editor = open();
        let cell = editor.allocate(60).unwrap();
        let fence = editor.allocate(60).unwrap();
        assert_eq!(cell.0 + 64, fence.0, "they are neighbours");
        editor.free_cell(cell).unwrap();
        let total = usize::try_from(64 - spare).unwrap();
        // The best fit is the cell that was just freed, unless a smaller one is there.
        let smaller: Vec<u32> = editor.free.by_size.iter().map(|(size, _)| *size).collect();
        assert!(
            !smaller.iter().any(|size| (64 - spare..64).contains(size)),
            "{smaller:?}"
        );
        let again = editor.allocate(total - 4).unwrap();
        assert_eq!(again, cell);
        let size = editor.image.cell_size(cell).unwrap();
        let rest = CellOffset(cell.0 + 64 - spare);
        if is_split {
            assert_eq!(size, -i32::try_from(64 - spare).unwrap());
            assert_eq!(
                editor.image.cell_size(rest).unwrap(),
                i32::try_from(spare).unwrap()
            );
            assert_eq!(editor.free.by_offset.get(&rest.0), Some(&spare));
        } else {
            assert_eq!(size, -64);
        }
    }
}

/// A value without data may say so without the bit for inline data; what its offset field holds
/// then leads nowhere, and the cell there is somebody else's.
#[test]
fn the_offset_of_no_data_is_not_followed() {
    type Edit = fn(&mut Editor) -> Result<bool, EditError>;
    let edits: [Edit; 4] = [
        |editor| editor.delete_value(&path("Types"), &Name::from("sz")),
        |editor| editor.set_value(&path("Types"), &Name::from("sz"), 1, &[7; 4]),
        |editor| editor.set_value(&path("Types"), &Name::from("sz"), 1, &[7; 40]),
        |editor| editor.delete_key(&path("Types")),
    ];
    for edit in edits {
        let mut editor = open();
        let value = value_at(&editor, "Types", "sz");
        let other = value_at(&editor, "Sizes", "4000");
        let (own, other) = {
            let hive = editor.hive().unwrap();
            let data = |at| hive.value(at).unwrap().data_offset();
            (data(value), data(other))
        };
        editor.free_cell(own).unwrap();
        editor
            .image
            .set(value, field!(KeyValueHeader.data_size), 0)
            .unwrap();
        editor
            .image
            .set(
                value,
                field!(KeyValueHeader.data_offset),
                other.0.to_le_bytes(),
            )
            .unwrap();
        let image = {
            editor.renew();
            editor.seal(0).unwrap().image
        };
        let mut editor = Editor::open(image, NOW).unwrap();
        let size = editor.image.cell_size(other).unwrap();
        assert!(edit(&mut editor).unwrap());
        assert_eq!(editor.image.cell_size(other).unwrap(), size, "still in use");
        let bytes = editor.image.payload(other).unwrap();
        assert_ne!(u32_at(bytes, 0), Some(0x0707_0707));
        assert!(editor.seal(0).unwrap().report.is_sound());
    }
}
