// SPDX-License-Identifier: GPL-3.0-or-later
//! Thousands of subkeys under one key: the hive grows by what they need, lists split, room is reused.

use crate::workbench::{
    SYSTEM, accepted_beside, bundled, edited, empty, key, lists, path, read, win10_system,
};
use hivemend::regf::{self, Hive, ListKind, Name};

const PARENT: &str = "ControlSet001\\Control\\Class";
const COUNT: u32 = 3000;

/// In no order: 7919 and 3001 are prime.
fn subkey(number: u32) -> Vec<Name> {
    let mut path = path(PARENT);
    path.push(Name::from(
        format!("Instance {:05}", number * 7919 % 3001).as_str(),
    ));
    path
}

/// Bytes of a cell with this payload.
fn cell(payload: usize) -> usize {
    (payload + 4).next_multiple_of(8)
}

/// What the keys need: a node each (76 bytes and a name of 14 characters) and their place in a list.
fn need() -> usize {
    let elements = usize::try_from(COUNT).unwrap() * 8;
    usize::try_from(COUNT).unwrap() * cell(76 + 14) + elements
}

#[test]
fn three_thousand_subkeys_come_half_go_and_come_again() {
    for original in [Some(bundled(SYSTEM)), win10_system()]
        .into_iter()
        .flatten()
    {
        let made = edited(&original, |editor| {
            editor.create_key(&path(PARENT)).unwrap();
            for number in 0..COUNT {
                assert_eq!(editor.create_key(&subkey(number)).unwrap(), 1);
            }
            editor
                .set_value(&subkey(7), &Name::from("x"), 4, &[7, 0, 0, 0])
                .unwrap();
        });
        let growth = made.len() - original.len();
        println!("grew by {growth} bytes, the new cells need {}", need());
        assert!(growth * 10 <= need() * 13, "{growth} bytes for {}", need());
        sorted_and_split(&made, COUNT);
        accepted_beside(&made, &original);

        let halved = edited(&made, |editor| {
            for number in (0..COUNT).step_by(2) {
                assert!(editor.delete_key(&subkey(number)).unwrap());
            }
        });
        assert_eq!(halved.len(), made.len());
        sorted_and_split(&halved, COUNT / 2);
        assert_eq!(read(&halved, &subkey(7), "x"), Some((4, vec![7, 0, 0, 0])));
        accepted_beside(&halved, &original);

        let again = edited(&halved, |editor| {
            for number in (0..COUNT).step_by(2) {
                assert_eq!(editor.create_key(&subkey(number)).unwrap(), 1);
            }
        });
        assert_eq!(
            again.len(),
            made.len(),
            "the room of deleted keys is used again"
        );
        sorted_and_split(&again, COUNT);
        accepted_beside(&again, &original);
    }
}

/// All subkeys are there, in order, in leaves that hold neither nothing nor too much.
fn sorted_and_split(image: &Vec<u8>, more: u32) {
    let hive = Hive::open(image).unwrap();
    let parent = key(&hive, &path(PARENT));
    let subkeys = hive.subkeys(&parent).unwrap();
    assert_eq!(u32::try_from(subkeys.len()), Ok(parent.subkey_count()));
    assert!(parent.subkey_count() >= more);
    let names: Vec<Name> = subkeys
        .into_iter()
        .map(|at| hive.key(at).unwrap().name().to_name())
        .collect();
    assert!(names.is_sorted_by(|a, b| a.order(b).is_lt()));
    let (top, leaves) = lists(image, &path(PARENT));
    assert_eq!(top, ListKind::IndexRoot);
    for (kind, size) in leaves {
        assert_eq!(kind, ListKind::HashLeaf);
        assert!((1..=1012).contains(&size), "a leaf of {size}");
    }
}

#[test]
fn lists_change_their_kind_where_windows_changes_it() {
    use ListKind::{FastLeaf, HashLeaf, IndexLeaf, IndexRoot};
    // Minor version, keys, the list's kind, its leaves with their sizes.
    type Case<'a> = (u32, u32, ListKind, &'a [(ListKind, usize)]);
    let cases: [Case<'_>; 10] = [
        (3, 507, FastLeaf, &[(FastLeaf, 507)]),
        (3, 508, IndexLeaf, &[(IndexLeaf, 508)]),
        (3, 1012, IndexLeaf, &[(IndexLeaf, 1012)]),
        (3, 1013, IndexRoot, &[(IndexLeaf, 506), (IndexLeaf, 507)]),
        (4, 508, IndexLeaf, &[(IndexLeaf, 508)]),
        (5, 508, HashLeaf, &[(HashLeaf, 508)]),
        (5, 1012, HashLeaf, &[(HashLeaf, 1012)]),
        (5, 1013, IndexRoot, &[(HashLeaf, 506), (HashLeaf, 507)]),
        (6, 1013, IndexRoot, &[(HashLeaf, 506), (HashLeaf, 507)]),
        (
            3,
            1519,
            IndexRoot,
            &[(IndexLeaf, 506), (IndexLeaf, 506), (IndexLeaf, 507)],
        ),
    ];
    for (minor, count, top, leaves) in cases {
        let image = edited(&empty(minor), |editor| {
            for number in 0..count {
                editor.create_key(&path(&format!("{number:05}"))).unwrap();
            }
        });
        let (found_top, found) = lists(&image, &[]);
        assert_eq!(
            (found_top, found.as_slice()),
            (top, leaves),
            "1.{minor}, {count} keys"
        );
    }
}

#[test]
fn an_old_hive_takes_three_thousand_subkeys() {
    let original = empty(3);
    let image = edited(&original, |editor| {
        editor.create_key(&path(PARENT)).unwrap();
        for number in 0..COUNT {
            editor.create_key(&subkey(number)).unwrap();
        }
    });
    let (top, leaves) = lists(&image, &path(PARENT));
    assert_eq!(top, ListKind::IndexRoot);
    assert!(leaves.iter().all(|(kind, _)| *kind == ListKind::IndexLeaf));
    let growth = image.len() - original.len();
    assert!(growth * 10 <= need() * 13, "{growth} bytes for {}", need());
    accepted_beside(&image, &original);

    let emptied = edited(&image, |editor| {
        for number in 0..COUNT {
            assert!(editor.delete_key(&subkey(number)).unwrap());
        }
    });
    let hive = Hive::open(&emptied).unwrap();
    let parent = key(&hive, &path(PARENT));
    assert!(parent.subkeys_list().is_none());
    assert_eq!(parent.subkey_count(), 0);
    assert_eq!(regf::check(&emptied).findings, []);
    accepted_beside(&emptied, &original);
}

/// What was freed is one whole again: the largest value fits where the keys were.
#[test]
fn freed_cells_join() {
    let image = edited(&empty(5), |editor| {
        for number in 0..COUNT {
            editor.create_key(&subkey(number)).unwrap();
        }
        // One bin of its own, larger than a page.
        editor
            .set_value(&[], &Name::from("x"), 3, &[1; 16_000])
            .unwrap();
        editor.delete_value(&[], &Name::from("x")).unwrap();
        for number in (0..COUNT).rev() {
            editor.delete_key(&subkey(number)).unwrap();
        }
    });
    let again = edited(&image, |editor| {
        editor
            .set_value(&[], &Name::from("x"), 3, &[2; 16_000])
            .unwrap();
        for page in 0..50 {
            let name = Name::from(format!("page {page}").as_str());
            editor.set_value(&[], &name, 3, &[3; 3900]).unwrap();
        }
    });
    assert_eq!(again.len(), image.len());
}
