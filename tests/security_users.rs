// SPDX-License-Identifier: GPL-3.0-or-later
//! Key security records that count users which are none: Windows leaves such when it has repaired a
//! hive. The last user that there is can go, and a new one can come.

use crate::fields::{key_node_field as nk, key_security_field as sk};
use hivemend::edit::Editor;
use hivemend::regf::{CellOffset, Hive, Name, check};

use crate::mutants::rich;
use crate::patient::Patient;
use crate::workbench::{NOW, bundled, path};

fn patient() -> Patient {
    Patient::new(rich(5, &bundled("hives/v1.5"), 60))
}

/// The keys that use this record, the deepest first.
fn users(image: &Vec<u8>, record: CellOffset) -> Vec<Vec<Name>> {
    let hive = Hive::open(image).unwrap();
    let mut found = Vec::new();
    let mut waiting = vec![(hive.root().unwrap().at(), Vec::new())];
    while let Some((at, path)) = waiting.pop() {
        let key = hive.key(at).unwrap();
        if key.security() == record {
            found.push(path.clone());
        }
        for subkey in hive.subkeys(&key).unwrap() {
            let mut below: Vec<Name> = path.clone();
            below.push(hive.key(subkey).unwrap().name().to_name());
            waiting.push((subkey, below));
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(path.len()));
    found
}

fn counts(image: &[u8]) -> [u64; 3] {
    let report = check(image);
    assert!(report.is_sound());
    ["security-count-high", "security-unused", "cell-leaked"]
        .map(|code| report.counts.get(code).copied().unwrap_or(0))
}

#[test]
fn the_last_user_of_a_record_that_counts_more_can_be_deleted() {
    for excess in [0, 1, 1_000] {
        let mut patient = patient();
        let record = patient.second_security();
        assert_ne!(record, patient.security());
        patient.add(record, sk::REFERENCE_COUNT, excess);
        let [high, unused, leaked] = counts(&patient.image);
        assert_eq!((high, unused), (u64::from(excess > 0), 0));
        let keys = users(&patient.image, record);
        assert!(!keys.is_empty());
        let mut editor = Editor::open(patient.image.clone(), NOW).unwrap();
        for (number, key) in keys.iter().enumerate() {
            assert!(editor.delete_key(key).unwrap(), "{excess}: {key:?}");
            if number + 2 == keys.len() {
                // One user is left, and the record stays as it was counted.
                let mut other = Editor::open(patient.image.clone(), NOW).unwrap();
                for key in &keys[..=number] {
                    other.delete_key(key).unwrap();
                }
                let image = other.seal(0).unwrap().image;
                assert_eq!(counts(&image), [high, 0, leaked]);
            }
        }
        let image = editor.seal(0).unwrap().image;
        assert_eq!(counts(&image), [0, 0, leaked], "the record is gone");
        assert_ne!(Patient::new(image).second_security(), record);
    }
}

#[test]
fn a_record_that_no_key_uses_can_be_used_again() {
    let donor = patient();
    let record = donor.second_security();
    let keys = users(&donor.image, record);
    let mut patient = patient();
    let first = patient.security();
    for key in &keys {
        let hive = Hive::open(&patient.image).unwrap();
        let at = hive.find(key).unwrap().unwrap().at();
        patient.put_u32(at, nk::SECURITY, first.0);
        patient.add(first, sk::REFERENCE_COUNT, 1);
    }
    let [high, unused, leaked] = counts(&patient.image);
    assert_eq!((high, unused), (0, 1));
    let source = Hive::open(&donor.image).unwrap();
    let from = source.find(&keys[0]).unwrap().unwrap();
    let mut editor = Editor::open(patient.image.clone(), NOW).unwrap();
    editor.copy_key(&source, &from, &path("again")).unwrap();
    let image = editor.seal(0).unwrap().image;
    assert_eq!(counts(&image), [0, 0, leaked]);
    let hive = Hive::open(&image).unwrap();
    let again = hive.find(&path("again")).unwrap().unwrap();
    assert_eq!(again.security(), record);
}

/// And by the program, which once called it a bug of its own.
#[test]
fn the_program_deletes_the_last_user() {
    use crate::bench::Bench;
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let image = std::fs::read(&file).unwrap();
    let key = r"ControlSet001\Services\OwnRights";
    // A key with rights of its own, as those of a service that was removed.
    let mut editor = Editor::open(image, NOW).unwrap();
    let donor = patient();
    let record = donor.second_security();
    let keys = users(&donor.image, record);
    let source = Hive::open(&donor.image).unwrap();
    let from = source.find(&keys[0]).unwrap().unwrap();
    editor.copy_key(&source, &from, &path(key)).unwrap();
    let mut own = Patient::new(editor.seal(0).unwrap().image);
    let record = own.u32(own.key(key), nk::SECURITY);
    own.add(CellOffset(record), sk::REFERENCE_COUNT, 7);
    assert_eq!(counts(&own.image)[0], 1);
    std::fs::write(&file, &own.image).unwrap();
    let rule = format!("  - key: HKLM\\SYSTEM\\{key}\n    absent: true\n    why: w\n");
    let profile = bench.profile("gone", &rule);
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
    assert_eq!(counts(&std::fs::read(&file).unwrap())[0], 0);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(std::fs::read(&file).unwrap(), own.image);
}
