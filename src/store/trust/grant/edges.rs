// SPDX-License-Identifier: GPL-3.0-or-later
//! What of a record comes back, field by field.

use super::*;
use crate::disk::Folder;
use crate::store::terms::{Stamp, hex};

fn time(seconds: i64) -> Stamp {
    Stamp { seconds, nanos: 0 }
}

fn metadata(xattrs: &[(&str, &[u8])]) -> FileMetadata {
    let named = |(name, value): &(&str, &[u8])| ((*name).to_owned(), hex(value));
    FileMetadata {
        modified: time(1),
        accessed: time(2),
        created: None,
        read_only: false,
        mode: 0o600,
        owner: 7,
        group: 8,
        xattrs: xattrs.iter().map(named).collect(),
    }
}

fn granted(wanted: &FileMetadata, present: Present) -> Result<FileMetadata, StoreFault> {
    let folder = Folder::named(std::env::temp_dir().as_path()).unwrap();
    grant(wanted, &present, &folder.at("SYSTEM"))
}

fn of_itself(wanted: &FileMetadata, present: &FileMetadata) -> FileMetadata {
    granted(wanted, Present::Itself(present.clone())).unwrap()
}

fn of_sibling(wanted: &FileMetadata, present: &FileMetadata) -> FileMetadata {
    granted(wanted, Present::Sibling(present.clone())).unwrap()
}

#[test]
fn times_come_from_the_record_and_the_time_of_creation_only_where_there_is_one() {
    let mut wanted = metadata(&[]);
    (wanted.modified, wanted.accessed) = (time(11), time(12));
    let found = of_itself(&wanted, &metadata(&[]));
    assert_eq!((found.modified, found.accessed), (time(11), time(12)));
    for (then, now, expected) in [
        (None, None, None),
        (Some(3), None, None),
        (None, Some(4), Some(4)),
        (Some(3), Some(4), Some(3)),
    ] {
        let mut present = metadata(&[]);
        wanted.created = then.map(time);
        present.created = now.map(time);
        let found = of_itself(&wanted, &present);
        assert_eq!(found.created, expected.map(time), "{then:?} {now:?}");
    }
}

/// The file stays read-only if it is, and becomes so again; what a sibling is says nothing.
#[test]
fn read_only_is_narrower() {
    for (then, now) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut wanted, mut present) = (metadata(&[]), metadata(&[]));
        (wanted.read_only, present.read_only) = (then, now);
        assert_eq!(of_itself(&wanted, &present).read_only, then | now);
        assert_eq!(of_sibling(&wanted, &present).read_only, then);
    }
}

/// Attributes that say nothing about rights come from the file itself, or, where it is gone, from the
/// record alone; the flags of NTFS from the record where the file has such.
#[test]
fn attributes_come_from_whom_they_belong_to() {
    let flags = "system.ntfs_attrib_be";
    let (then, now) = (
        metadata(&[("user.note", b"then"), (flags, &[1])]),
        metadata(&[("user.note", b"now"), (flags, &[2])]),
    );
    let bare = metadata(&[]);
    let note = |found: &FileMetadata| found.xattrs.get("user.note").cloned();
    let found = of_itself(&then, &now);
    assert_eq!(note(&found), Some(hex(b"now")));
    assert_eq!(found.xattrs.get(flags), Some(&hex(&[1])));
    assert_eq!(of_itself(&then, &bare).xattrs.len(), 0);
    assert_eq!(of_itself(&bare, &now).xattrs, now.xattrs);
    assert_eq!(of_sibling(&then, &now).xattrs, then.xattrs);
    assert_eq!(of_sibling(&then, &bare).xattrs, then.xattrs);
    assert_eq!(of_sibling(&bare, &now).xattrs.len(), 0);
}

fn posix(group: u16) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights) in [(1_u16, 6_u16), (4, group), (0x20, 0)] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(u32::MAX.to_le_bytes());
    }
    bytes
}

/// A list that is narrower is put back; one that only the file has is taken away, as it would give
/// somebody what the record does not know of.
#[test]
fn a_list_of_posix_is_the_records() {
    let (narrow, wide) = (posix(0), posix(4));
    let with = |list: &[u8]| metadata(&[(POSIX, list)]);
    let bare = metadata(&[]);
    for (wanted, present, expected) in [
        (with(&narrow), with(&wide), with(&narrow)),
        (with(&wide), with(&wide), with(&wide)),
        (with(&narrow), bare.clone(), with(&narrow)),
        (bare.clone(), with(&wide), bare.clone()),
    ] {
        assert_eq!(of_itself(&wanted, &present).xattrs, expected.xattrs);
        assert_eq!(of_sibling(&wanted, &present).xattrs, expected.xattrs);
    }
    let refused = granted(&with(&wide), Present::Itself(with(&narrow)));
    assert!(matches!(refused, Err(StoreFault::AsksTooMuch { .. })));
}

/// A self-relative descriptor of the system's own with a list of entries that each allow one right.
fn descriptor(rights: &[u32]) -> Vec<u8> {
    let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let mut bytes = vec![1, 0, 4, 0x80];
    for offset in [20_u32, 20, 0, 32] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend(sid);
    let count = u16::try_from(rights.len()).unwrap();
    bytes.extend([2, 0]);
    bytes.extend((8 + 20 * count).to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend([0, 0]);
    for right in rights {
        bytes.extend([0, 0, 20, 0]);
        bytes.extend(right.to_le_bytes());
        bytes.extend(sid);
    }
    bytes
}

#[test]
fn a_descriptor_of_ntfs_is_the_records_where_it_is_narrower() {
    let (narrow, wide) = (descriptor(&[1]), descriptor(&[1, 2]));
    for name in DESCRIPTORS {
        let with = |bytes: &[u8]| metadata(&[(name, bytes)]);
        let found = of_itself(&with(&narrow), &with(&wide));
        assert_eq!(found.xattrs, with(&narrow).xattrs, "{name}");
        let found = of_sibling(&with(&narrow), &with(&wide));
        assert_eq!(found.xattrs, with(&narrow).xattrs, "{name}");
        for present in [with(&narrow), metadata(&[])] {
            let refused = granted(&with(&wide), Present::Itself(present));
            assert!(matches!(refused, Err(StoreFault::AsksTooMuch { .. })));
        }
        // And where the record knows of none, that of the file stays.
        let found = of_itself(&metadata(&[]), &with(&wide));
        assert_eq!(found.xattrs, with(&wide).xattrs, "{name}");
        assert_eq!(
            of_sibling(&metadata(&[]), &with(&wide)).xattrs,
            with(&wide).xattrs
        );
    }
}

/// Windows hands descriptors on as text.
#[test]
fn a_descriptor_in_words_is_judged_where_there_is_one() {
    let narrow = hex(b"O:BAG:SYD:AI(A;ID;FR;;;SY)");
    let wide = hex(b"O:BAG:SYD:AI(A;ID;FR;;;SY)(A;ID;FA;;;WD)");
    let present = metadata(&[]);
    let widens =
        |wanted: &str, now: Option<&String>| super::widens(TEXT_DESCRIPTOR, wanted, now, &present);
    assert!(!widens(&narrow, Some(&wide)));
    assert!(widens(&wide, Some(&narrow)));
    assert!(widens(&narrow, None));
    // What is no hexadecimal text is none that hivemend wrote.
    assert!(widens("no number", Some(&wide)));
    assert!(super::widens("user.note", "xyz", None, &present));
    assert!(!super::widens("user.note", "00", None, &present));
    for name in [TEXT_DESCRIPTOR, POSIX, DESCRIPTORS[0], DESCRIPTORS[1]] {
        assert!(is_about_rights(name), "{name}");
    }
    assert!(!is_about_rights("user.note") && !is_about_rights(FLAGS[0]));
}
