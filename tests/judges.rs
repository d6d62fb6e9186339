// SPDX-License-Identifier: GPL-3.0-or-later
//! The judges themselves: a judge that cannot complain proves nothing about our hives.

use crate::jury::{self, ReadBack};
use std::path::{Path, PathBuf};

/// A key `Branch` with a value of each kind, and 40 subkeys; written by the `regf` crate.
fn small_hive() -> Vec<u8> {
    let mut hive = regf::writer::HiveBuilder::new_with_name("ROOT").unwrap();
    let branch = "Branch";
    hive.create_key(branch).unwrap();
    for number in 0..40 {
        hive.create_key(&format!("Branch\\Leaf{number:02}"))
            .unwrap();
    }
    hive.add_value_dword(branch, Some("Dword"), 0x0102_0304)
        .unwrap();
    hive.add_value_qword(branch, Some("Qword"), 0x0102_0304_0506_0708)
        .unwrap();
    hive.add_value_string(branch, Some("Text"), r#"a "b" \c é"#)
        .unwrap();
    hive.add_value_string(branch, None, "default").unwrap();
    hive.add_value_binary(branch, Some("Three"), &[1, 2, 3])
        .unwrap();
    hive.add_value_binary(branch, Some("Big"), &big()).unwrap();
    hive.to_bytes().unwrap()
}

fn big() -> Vec<u8> {
    (0..40_000_u32)
        .flat_map(|n| n.to_le_bytes())
        .take(40_000)
        .collect()
}

struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn hive(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("HIVE");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
        .unwrap()
}

/// The signature of the key node called `name`: 76 bytes before its name.
fn key_signature(bytes: &[u8], name: &[u8]) -> usize {
    let at = position(bytes, name) - 76;
    assert_eq!(&bytes[at..at + 2], b"nk");
    at
}

fn seal(bytes: &mut [u8]) {
    let sum = hivemend::regf::checksum(bytes).unwrap();
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
}

fn installed(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("-V")
        .output()
        .is_ok();
    if !found {
        let said = format!("SKIPPED: {program} is not installed\n");
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    }
    found
}

#[test]
fn a_sound_hive_is_accepted() {
    let scratch = Scratch::new();
    let hive = scratch.hive(&small_hive());
    assert_eq!(jury::judges_accept(&hive), Ok(()));
}

#[test]
fn every_judge_sees_a_broken_key_node() {
    let scratch = Scratch::new();
    let mut bytes = small_hive();
    let at = key_signature(&bytes, b"Leaf17");
    bytes[at..at + 2].copy_from_slice(b"zz");
    let hive = scratch.hive(&bytes);
    assert_ne!(jury::regf_crate(&hive), Vec::<String>::new());
    assert_ne!(jury::nt_hive_crate(&hive), Vec::<String>::new());
    if installed("hivexml") {
        assert_ne!(jury::hivexml(&hive), Vec::<String>::new());
    }
    if installed("regfexport") {
        assert_ne!(jury::regfexport(&hive), Vec::<String>::new());
    }
    assert!(jury::judges_accept(&hive).is_err());
}

#[test]
fn a_torn_write_is_seen() {
    let scratch = Scratch::new();
    let mut bytes = small_hive();
    bytes[4] = bytes[4].wrapping_add(1);
    seal(&mut bytes);
    let found = jury::nt_hive_crate(&scratch.hive(&bytes));
    assert!(found[0].contains("sequence"), "{found:?}");
}

#[test]
fn a_cut_hive_is_seen() {
    let scratch = Scratch::new();
    let mut bytes = small_hive();
    bytes.truncate(bytes.len() - 4096);
    let found = jury::judges_accept(&scratch.hive(&bytes)).unwrap_err();
    assert!(
        found.iter().any(|text| text.starts_with("regf:")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|text| text.starts_with("nt-hive:")),
        "{found:?}"
    );
}

#[test]
fn a_wrong_subkey_order_is_seen() {
    let scratch = Scratch::new();
    let mut bytes = small_hive();
    let field = key_signature(&bytes, b"Branch") + 28;
    let list: [u8; 4] = bytes[field..field + 4].try_into().unwrap();
    let list = 4096 + 4 + usize::try_from(u32::from_le_bytes(list)).unwrap();
    assert_eq!(&bytes[list..list + 2], b"lh");
    let (first, second) = (list + 4, list + 12);
    for byte in 0..8 {
        bytes.swap(first + byte, second + byte);
    }
    assert_ne!(
        jury::regf_crate(&scratch.hive(&bytes)),
        Vec::<String>::new()
    );
}

#[test]
fn a_circle_of_keys_ends() {
    let scratch = Scratch::new();
    let mut bytes = small_hive();
    // The list of `Branch` becomes the list of `Leaf00` too, so that `Leaf00` is below itself.
    let (branch, leaf) = (
        key_signature(&bytes, b"Branch"),
        key_signature(&bytes, b"Leaf00"),
    );
    let (count, list) = (20..24, 28..32);
    for field in [count, list] {
        let from = branch + field.start..branch + field.end;
        bytes.copy_within(from, leaf + field.start);
    }
    let hive = scratch.hive(&bytes);
    let found = jury::nt_hive_crate(&hive);
    assert!(
        found.iter().any(|text| text.contains("without end")),
        "{found:?}"
    );
    assert_ne!(jury::regf_crate(&hive), Vec::<String>::new());
}

#[test]
fn a_complaint_of_the_original_is_overlooked_and_a_new_one_is_not() {
    let scratch = Scratch::new();
    let other = Scratch::new();
    let mut bytes = small_hive();
    let at = key_signature(&bytes, b"Leaf17");
    bytes[at..at + 2].copy_from_slice(b"zz");
    let original = scratch.hive(&bytes);
    let same = other.hive(&bytes);
    assert_eq!(jury::judges_accept_beside(&same, &original), Ok(()));
    let at = key_signature(&bytes, b"Leaf03");
    bytes[at..at + 2].copy_from_slice(b"zz");
    let worse = other.hive(&bytes);
    assert!(jury::judges_accept_beside(&worse, &original).is_err());
}

#[test]
fn every_kind_of_value_reads_back() {
    let scratch = Scratch::new();
    let hive = scratch.hive(&small_hive());
    let read = |value: &str, expected: Option<(u32, &[u8])>| {
        jury::assert_reads_back(&hive, "Branch", value, expected);
    };
    let text = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    };
    read("Dword", Some((4, &[4, 3, 2, 1])));
    read("dWORD", Some((4, &[4, 3, 2, 1])));
    read("Qword", Some((11, &[8, 7, 6, 5, 4, 3, 2, 1])));
    read("Text", Some((1, &text(r#"a "b" \c é"#))));
    read("", Some((1, &text("default"))));
    read("Three", Some((3, &[1, 2, 3])));
    read("Big", Some((3, &big())));
    read("Absent", None);
    jury::assert_reads_back(&hive, "Branch\\Nowhere", "Dword", None);
}

#[test]
fn reading_back_tells_a_wrong_type_and_wrong_data() {
    let scratch = Scratch::new();
    let hive = scratch.hive(&small_hive());
    let readers = [
        jury::read_back_hivexsh(&hive, "Branch", "Dword").unwrap(),
        jury::read_back_python_registry(&hive, "Branch", "Dword").unwrap(),
    ];
    for seen in readers.into_iter().flatten() {
        assert!(seen.shows(4, &[4, 3, 2, 1]), "{seen:?}");
        assert!(!seen.shows(4, &[4, 3, 2, 0]), "{seen:?}");
        assert!(!seen.shows(3, &[4, 3, 2, 1]), "{seen:?}");
    }
    let missing = [
        jury::read_back_hivexsh(&hive, "Nowhere", "Dword").unwrap(),
        jury::read_back_python_registry(&hive, "Nowhere", "Dword").unwrap(),
    ];
    for seen in missing.into_iter().flatten() {
        assert_eq!(seen, ReadBack::NoKey);
    }
}

#[test]
fn a_real_hive_is_accepted_and_its_damage_is_not() {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS") else {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS does not name the corpus\n",
        );
        return;
    };
    let corpus = Path::new(&corpus);
    let system = corpus.join("disks/win10-2004/Windows/System32/config/SYSTEM");
    assert_eq!(jury::judges_accept(&system), Ok(()));
    jury::assert_reads_back(&system, "Select", "Current", Some((4, &[1, 0, 0, 0])));
    for damaged in [
        "BadListHive",
        "TruncatedNameHive",
        "GarbageHive",
        "WrongOrderHive",
    ] {
        let hive = corpus.join("hives/damaged").join(damaged);
        assert!(jury::judges_accept(&hive).is_err(), "{damaged}");
    }
}
