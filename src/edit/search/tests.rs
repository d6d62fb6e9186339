// SPDX-License-Identifier: GPL-3.0-or-later
//! Which keys a search by halves finds: in lists that are in order all, else those it comes past.

use super::*;
use crate::edit::Editor;

/// Where a key node has the offset of its subkeys list.
const SUBKEYS_LIST: usize = 28;

/// A hive with a key `Many` that has so many subkeys that an index root leads to three leaves.
fn image() -> Vec<u8> {
    let small = include_bytes!("../../../testdata/hives/v1.5").to_vec();
    let mut editor = Editor::open(small, 1).unwrap();
    for number in 0..2_200 {
        let own = Name::from(format!("{number:04}").as_str());
        editor.create_key(&[Name::from("Many"), own]).unwrap();
    }
    editor.seal(0).unwrap().image
}

fn keys(image: &Vec<u8>) -> Vec<CellOffset> {
    let hive = Hive::open(image).unwrap();
    let many = hive.find(&[Name::from("Many")]).unwrap().unwrap();
    hive.subkeys(&many).unwrap()
}

/// Where the elements of the index root begin in the file, and how many keys each leaf has.
fn root(image: &Vec<u8>) -> (usize, Vec<usize>) {
    let hive = Hive::open(image).unwrap();
    let many = hive.find(&[Name::from("Many")]).unwrap().unwrap();
    let list = many.subkeys_list().in_file().0;
    let sizes = leaves(&hive, &many).iter().map(Vec::len).collect();
    (usize::try_from(list).unwrap() + 8, sizes)
}

fn found_of(image: &Vec<u8>, keys: &[CellOffset]) -> Vec<bool> {
    let found = found(&Hive::open(image).unwrap());
    keys.iter().map(|key| found.contains(key)).collect()
}

#[test]
fn in_lists_in_order_every_key_is_found() {
    let image = image();
    let hive = Hive::open(&image).unwrap();
    let (_, sizes) = root(&image);
    assert!(sizes.len() >= 3, "{sizes:?}");
    let mut all = 0;
    let mut waiting = vec![hive.root().unwrap()];
    while let Some(key) = waiting.pop() {
        for subkey in hive.subkeys(&key).unwrap() {
            all += 1;
            waiting.push(hive.key(subkey).unwrap());
        }
    }
    assert!(all > 2_200);
    assert_eq!(found(&hive).len(), all);
}

#[test]
fn of_leaves_that_changed_places_only_the_middle_one_is_searched() {
    let mut image = image();
    let (at, sizes) = root(&image);
    let keys = keys(&image);
    let last = at + 4 * (sizes.len() - 1);
    let (one, other) = image.split_at_mut(last);
    one[at..at + 4].swap_with_slice(&mut other[..4]);
    let found = found_of(&image, &keys);
    // The keys are still those of the order before.
    let middle = sizes.len() / 2;
    let before: usize = sizes[..middle].iter().sum();
    for (number, is_found) in found.into_iter().enumerate() {
        let is_in_middle = (before..before + sizes[middle]).contains(&number);
        if sizes.len() == 3 {
            assert_eq!(is_found, is_in_middle, "{number}");
        } else if is_in_middle {
            assert!(is_found, "{number}");
        }
    }
}

/// A list that cannot be read loses the keys it leads to, and no others.
#[test]
fn what_cannot_be_read_is_not_found() {
    let mut image = image();
    let hive = Hive::open(&image).unwrap();
    let deep = hive.find(&[Name::from("Deep")]).unwrap().unwrap();
    let below = hive.subkeys(&deep).unwrap();
    let list = usize::try_from(deep.at().in_file().0).unwrap() + 4 + SUBKEYS_LIST;
    assert_eq!(found_of(&image, &below), vec![true; below.len()]);
    let before = found(&Hive::open(&image).unwrap()).len();
    image[list..list + 4].copy_from_slice(&8_u32.to_le_bytes());
    let after = found(&Hive::open(&image).unwrap());
    assert!(after.len() < before);
    assert!(below.iter().all(|key| !after.contains(key)));
    assert!(keys(&image).iter().all(|key| after.contains(key)));
}
