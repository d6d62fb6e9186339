// SPDX-License-Identifier: GPL-3.0-or-later
//! Each rule of the structural check finds the fault that it is there for.
//!
//! Single faults are put into clean hives, at places that are found by structure, and each must be
//! found by the code of its own rule. With `HIVEMEND_FAULTS=DIR` every faulty hive is left in DIR,
//! for other judges. Then random damage: the check must end without a panic, and where it calls a
//! hive sound, both readers must be able to walk all of it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::fields::{
    base_block_field as base, key_node_field as nk, key_security_field as sk, key_value_field as vk,
};
use crate::mutants::{End, Tally, edit_and_judge};
use crate::mutator::Dice;
use crate::patient::Patient;
use crate::workbench::{BUNDLED, SYSTEM, bundled, edited, open, path, seal};
use hivemend::edit::Editor;
use hivemend::regf::{self, CellOffset, FINDING_CODES, Hive, KeyNode, Name, key_flags as flag};

/// A clean hive of version 1.5 that has something of everything below the key `F`.
static RICH: LazyLock<Vec<u8>> = LazyLock::new(rich);
/// A clean hive of version 1.3, whose lists have hints.
static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| bundled("hives/v1.3"));

fn rich() -> Vec<u8> {
    let mut editor = open(&bundled(SYSTEM));
    for key in [
        "Class", "Link", "Secured", "Sub\\aaa", "Sub\\bbb", "Sub\\ccc", "Ключ",
    ] {
        editor.create_key(&path(&format!("F\\{key}"))).unwrap();
    }
    for number in 0..1200 {
        let key = path(&format!("F\\Many\\k{number:04}"));
        editor.create_key(&key).unwrap();
    }
    let mut deep = path("F\\Deep");
    deep.resize(511, Name::from("d"));
    editor.create_key(&deep).unwrap();
    let mut set = |key: &str, name: &str, kind: u32, data: &[u8]| {
        let name = Name::from(name);
        editor.create_key(&path(key)).unwrap();
        editor.set_value(&path(key), &name, kind, data).unwrap();
    };
    set("F\\Values", "one", 4, &[1, 0, 0, 0]);
    set("F\\Values", "two", 3, &[2; 100]);
    set("F\\Values", "six", 3, &[6; 100]);
    set("F\\Ключ", "Значение", 3, &[3; 8]);
    set("F\\Big", "big", 3, &[9; 20_000]);
    let link: Vec<u8> = "\\Registry\\Machine\\X"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    set("F\\Link", "SymbolicLinkValue", 6, &link);
    let mut patient = Patient::new(seal(editor));
    add_class(&mut patient);
    add_security(&mut patient);
    let link = patient.key("F\\Link");
    patient.or_u16(link, nk::FLAGS, flag::SYM_LINK);
    patient.image
}

fn add_class(patient: &mut Patient) {
    let cell = patient.append(b"C\0l\0a\0s\0s\0");
    let key = patient.key("F\\Class");
    patient.put_u32(key, nk::CLASS_NAME, cell.0);
    patient.put_u16(key, nk::CLASS_NAME_LENGTH, 10);
    let parent = patient.key("F");
    patient.put_u32(parent, nk::LARGEST_SUBKEY_CLASS, 10);
}

/// A second record in the ring, which one key uses.
fn add_security(patient: &mut Patient) {
    let key = patient.key("F\\Secured");
    let first = patient.security();
    let record = patient.payload(first);
    let second = patient.append(&record);
    for (from, to) in [(first, second), (second, first)] {
        patient.put_u32(from, sk::FLINK, to.0);
        patient.put_u32(from, sk::BLINK, to.0);
    }
    patient.add(first, sk::REFERENCE_COUNT, u32::MAX);
    patient.put_u32(second, sk::REFERENCE_COUNT, 1);
    patient.put_u32(key, nk::SECURITY, second.0);
}

/// One fault: what is done to a clean hive, and the code that must be among the findings.
struct Fault {
    name: &'static str,
    code: &'static str,
    hive: &'static LazyLock<Vec<u8>>,
    inject: fn(&mut Patient),
}

/// Makes the table readable: `code: "what is wrong" => |hive| { how }`.
macro_rules! faults {
    ($($hive:ident { $($code:literal: $name:literal => $inject:expr,)* })*) => {
        &[$($(Fault {
            name: $name,
            code: $code,
            hive: &$hive,
            inject: $inject,
        },)*)*]
    };
}

const NONE: u32 = u32::MAX;

const BASE_BLOCK: &[Fault] = faults! { RICH {
    "base-block-truncated": "less than a base block" => |h| h.image.truncate(2000),
    "base-block-truncated": "less than its fields" => |h| h.image.truncate(100),
    "base-block-truncated": "an empty file" => |h| h.image.clear(),
    "base-block-signature": "another signature" => |h| h.header(0, 0x6765_7271),
    "base-block-version": "major version 2" => |h| h.header(20, 2),
    "base-block-version": "minor version 7" => |h| h.header(24, 7),
    "base-block-version": "minor version 2" => |h| h.header(24, 2),
    "base-block-file-type": "the type of a log" => |h| h.header(28, 6),
    "base-block-file-format": "format 0" => |h| h.header(32, 0),
    "base-block-bins-size": "no bins" => |h| h.header(base::BINS_SIZE, 0),
    "base-block-bins-size": "half a page" => |h| h.header(base::BINS_SIZE, h.bins_size() - 2048),
    "base-block-root": "no root" => |h| h.header(36, NONE),
    "base-block-root": "a root that is not aligned" => |h| h.header(36, 36),
    "base-block-root": "a root inside of a cell" => |h| h.header(36, 40),
    "base-block-root": "a subkey as root" => |h| h.header(36, h.key("F").0),
    "base-block-root": "a security record as root" => |h| h.header(36, h.security().0),
    "base-block-root": "a root that is free" => |h| h.free(h.key("")),
    "base-block-root": "a root that is no key node" => |h| h.put(h.key(""), 0, b"xx"),
    "base-block-checksum": "a changed checksum" => |h| h.image[508] ^= 1,
    "base-block-clustering-factor": "three sectors" => |h| h.header(44, 3),
    "base-block-transactions": "pending transactions" => |h| h.header(144, 1),
    "base-block-file-name": "a control character" => |h| h.header(48, 0x001B_001B),
    "sequence-numbers": "an incomplete write" => |h| h.header(base::PRIMARY_SEQUENCE, 1 << 20),
    "file-truncated": "the last page is missing" => |h| h.image.truncate(h.image.len() - 4096),
    "remnant-tail": "bytes behind the last bin" => |h| h.image.extend([0; 512]),
}};

const BINS_AND_CELLS: &[Fault] = faults! { RICH {
    "bin-signature": "another signature" => |h| h.image[4096] = b'x',
    "bin-signature": "a page of zeros" => |h| h.image[8192..12288].fill(0),
    "bin-offset": "another offset" => |h| h.image[4096 + 5] ^= 0x10,
    "bin-size": "no size" => |h| h.image[4096 + 8..4096 + 12].fill(0),
    "bin-size": "not whole pages" => |h| h.image[4096 + 8] = 8,
    "bin-size": "behind the end" => |h| h.image[4096 + 11] = 0x70,
    "cell-size": "no size" => |h| h.set_size(h.key("F"), 0),
    "cell-size": "not a multiple of 8" => |h| h.set_size(h.key("F"), h.size(h.key("F")) - 4),
    "cell-size": "leaves its bin" => |h| h.set_size(h.key("F"), -8192),
    "cell-size": "the least number" => |h| h.set_size(h.key("F"), i32::MIN),
    "cell-size": "a bin's header swallowed" => |h| h.set_size(h.key("F\\Sub"), i32::MAX & !7),
    "cell-out-of-range": "a values list" => |h| h.put_u32(h.key("F\\Values"), nk::VALUES_LIST, 1 << 30),
    "cell-out-of-range": "a subkeys list" => |h| h.put_u32(h.key("F\\Sub"), nk::SUBKEYS_LIST, 1 << 30),
    "cell-out-of-range": "data" => |h| h.put_u32(h.value("F\\Values", "two"), vk::DATA_OFFSET, 1 << 30),
    "cell-out-of-range": "a class name" => |h| h.put_u32(h.key("F\\Class"), nk::CLASS_NAME, 1 << 30),
    "cell-out-of-range": "a subkey" => |h| h.put_u32(h.list("F\\Sub"), 4, NONE),
    "cell-unaligned": "data" => |h| h.add(h.value("F\\Values", "two"), vk::DATA_OFFSET, 4),
    "cell-not-a-cell": "data in another cell" => |h| h.add(h.value("F\\Values", "two"), vk::DATA_OFFSET, 8),
    "cell-not-a-cell": "a subkey in another cell" => |h| h.add(h.list("F\\Sub"), 4, 8),
    "cell-not-a-cell": "a bin's header" => |h| h.put_u32(h.value("F\\Values", "two"), vk::DATA_OFFSET, 0),
    "cell-free": "data" => |h| h.free(h.data("F\\Values", "two")),
    "cell-free": "a values list" => |h| h.free(h.values_list("F\\Values")),
    "cell-free": "a subkeys list" => |h| h.free(h.list("F\\Sub")),
    "cell-free": "a subkey" => |h| h.free(h.key("F\\Sub\\bbb")),
    "cell-free": "a security record" => |h| h.free(h.security()),
    "cell-free": "a class name" => |h| h.free(CellOffset(h.u32(h.key("F\\Class"), nk::CLASS_NAME))),
    "cell-shared": "data of two values" => |h| {
        let data = h.data("F\\Values", "two");
        h.put_u32(h.value("F\\Values", "six"), vk::DATA_OFFSET, data.0);
    },
    "cell-shared": "a subkey that is listed twice" => |h| {
        let first = h.u32(h.list("F\\Sub"), 4);
        h.put_u32(h.list("F\\Sub"), 12, first);
    },
    "cell-shared": "a value that is listed twice" => |h| {
        let list = h.values_list("F\\Values");
        h.put_u32(list, 4, h.u32(list, 0));
    },
    "cell-shared": "a subkeys list of two keys" => |h| {
        let list = h.list("F\\Sub");
        let key = h.key("F\\Ключ");
        h.put_u32(key, nk::SUBKEY_COUNT, 3);
        h.put_u32(key, nk::SUBKEYS_LIST, list.0);
    },
    "cell-shared": "a leaf that is listed twice" => |h| {
        let root = h.list("F\\Many");
        h.put_u32(root, 8, h.u32(root, 4));
    },
    "cell-shared": "a data segment twice" => |h| {
        let list = h.segments_list();
        h.put_u32(list, 4, h.u32(list, 0));
    },
    "cell-leaked": "an allocated cell of nobody's" => |h| {
        h.append(b"nobody's");
    },
    "cell-leaked": "a key that is not listed" => |h| {
        h.put_u16(h.list("F\\Sub"), 2, 2);
        h.put_u32(h.key("F\\Sub"), nk::SUBKEY_COUNT, 2);
    },
}};

const KEYS: &[Fault] = faults! { RICH {
    "key-node": "another signature" => |h| h.put(h.key("F\\Sub\\bbb"), 0, b"vk"),
    "key-node": "a name that leaves its cell" => |h| h.put_u16(h.key("F\\Sub\\bbb"), nk::NAME_LENGTH, 900),
    "key-parent": "another parent" => |h| h.put_u32(h.key("F\\Sub\\bbb"), nk::PARENT, h.key("F").0),
    "key-cycle": "a key below itself" => |h| h.put_u32(h.list("F\\Sub"), 4, h.key("F").0),
    "key-cycle": "a key as its own subkey" => |h| h.put_u32(h.list("F\\Sub"), 4, h.key("F\\Sub").0),
    "key-depth": "subkeys of a key at the limit" => |h| {
        let deepest = format!("F\\Deep{}", "\\d".repeat(509));
        h.put_u32(h.key(&deepest), nk::SUBKEY_COUNT, 1);
    },
    "key-name-empty": "no name" => |h| {
        h.put_u16(h.key("F\\Sub\\aaa"), nk::NAME_LENGTH, 0);
        h.rehash("F\\Sub");
    },
    "key-name-empty": "a root without a name" => |h| h.put_u16(h.key(""), nk::NAME_LENGTH, 0),
    "key-name-odd": "half a character" => |h| {
        h.put_u16(h.key("F\\Ключ"), nk::NAME_LENGTH, 7);
        h.rehash("F");
    },
    "key-name-backslash": "a separator in a name" => |h| h.rename("F\\Sub\\bbb", b"b\\b"),
    "key-name-long": "256 characters" => |h| {
        let mut key = h.payload(h.key("F\\Sub\\ccc"));
        key.truncate(nk::NAME);
        key.extend([b'c'; 256]);
        key[nk::NAME_LENGTH..][..2].copy_from_slice(&256_u16.to_le_bytes());
        let old = h.key("F\\Sub\\ccc");
        let key = h.append(&key);
        h.put_u32(h.list("F\\Sub"), 20, key.0);
        h.put_u16(h.key("F\\Sub"), nk::LARGEST_SUBKEY_NAME, 512);
        h.free(old);
        h.rehash("F\\Sub");
    },
    "key-name-wide": "ASCII as UTF-16" => |h| h.rename("F\\Ключ", b"z\0z\0z\0z\0"),
    "key-name-nul": "a NUL in a name" => |h| h.rename("F\\Sub\\bbb", b"b\0b"),
    "key-mount-flags": "a root below the root" => |h| h.or_u16(h.key("F\\Sub"), nk::FLAGS, flag::HIVE_ENTRY),
    "key-mount-flags": "a mounted hive" => |h| h.or_u16(h.key("F\\Sub"), nk::FLAGS, flag::HIVE_EXIT),
    "key-volatile": "a volatile key" => |h| h.or_u16(h.key("F\\Sub"), nk::FLAGS, flag::VOLATILE),
    "key-predefined-handle": "a handle" => |h| h.or_u16(h.key("F\\Sub\\aaa"), nk::FLAGS, flag::PREDEF_HANDLE),
    "key-layered": "a layered key" => |h| {
        h.header(24, 6);
        h.put(h.key("F\\Sub"), nk::LAYERED_BITS, &[1]);
    },
    "root-flags": "a root like any key" => |h| h.put_u16(h.key(""), nk::FLAGS, flag::COMP_NAME),
    "class-name": "longer than its cell" => |h| h.put_u16(h.key("F\\Class"), nk::CLASS_NAME_LENGTH, 100),
    "class-name-missing": "no cell for it" => |h| h.put_u32(h.key("F\\Class"), nk::CLASS_NAME, NONE),
    "key-no-delete": "a root's flag below it" => |h| h.or_u16(h.key("F\\Sub"), nk::FLAGS, flag::NO_DELETE),
    "key-handle-values": "values behind a handle's flag" => |h| h.or_u16(h.key("F\\Values"), nk::FLAGS, flag::PREDEF_HANDLE),
    "class-name-unused": "a class name of no length" => |h| h.put_u16(h.key("F\\Class"), nk::CLASS_NAME_LENGTH, 0),
    "class-name-odd": "half a character" => |h| h.put_u16(h.key("F\\Class"), nk::CLASS_NAME_LENGTH, 9),
}};

const SUBKEYS: &[Fault] = faults! {
    RICH {
        "subkeys-list": "another signature" => |h| h.put(h.list("F\\Sub"), 0, b"lx"),
        "subkeys-list": "longer than its cell" => |h| h.put_u16(h.list("F\\Sub"), 2, 900),
        "subkeys-list-missing": "a count without a list" => |h| h.put_u32(h.key("F\\Sub"), nk::SUBKEYS_LIST, NONE),
        "subkeys-list-unused": "a list without a count" => |h| h.put_u32(h.key("F\\Sub"), nk::SUBKEY_COUNT, 0),
        "subkeys-list-empty": "a leaf without elements" => |h| h.put_u16(h.list("F\\Sub"), 2, 0),
        "subkeys-list-kind": "hashes in an old version" => |h| h.header(24, 4),
        "subkeys-list-order": "two keys exchanged" => |h| h.exchange(h.list("F\\Sub"), 4, 12),
        "subkeys-list-order": "two leaves exchanged" => |h| {
            let root = h.list("F\\Many");
            let (first, second) = (h.u32(root, 4), h.u32(root, 8));
            h.put_u32(root, 4, second);
            h.put_u32(root, 8, first);
        },
        "subkeys-list-hash": "another hash" => |h| h.add(h.list("F\\Sub"), 8, 1),
        "index-root-empty": "no leaves" => |h| h.put_u16(h.list("F\\Many"), 2, 0),
        "index-root-nested": "an index root below another" => |h| {
            let leaf = h.u32(h.list("F\\Many"), 4).to_le_bytes();
            let inner = h.append(&[b"ri\x01\0", &leaf[..]].concat());
            h.put_u32(h.list("F\\Many"), 4, inner.0);
        },
        "subkey-count": "one too many" => |h| h.add(h.key("F\\Sub"), nk::SUBKEY_COUNT, 1),
        "subkey-count": "one too few" => |h| h.add(h.key("F\\Many"), nk::SUBKEY_COUNT, NONE),
        "subkey-duplicate": "one name twice" => |h| h.rename("F\\Sub\\bbb", b"AAA"),
        "largest-subkey-name": "too small" => |h| h.put_u16(h.key("F\\Sub"), nk::LARGEST_SUBKEY_NAME, 4),
        "largest-subkey-class": "too small" => |h| h.put_u32(h.key("F"), nk::LARGEST_SUBKEY_CLASS, 8),
    }
    OLD {
        "subkeys-list-hint": "another hint" => |h| h.add(h.list(""), 8, 1),
    }
};

const VALUES: &[Fault] = faults! { RICH {
    "values-list": "longer than its cell" => |h| h.put_u32(h.key("F\\Values"), nk::VALUE_COUNT, 900),
    "values-list": "an absurd count" => |h| h.put_u32(h.key("F\\Values"), nk::VALUE_COUNT, NONE),
    "values-list-missing": "a count without a list" => |h| h.put_u32(h.key("F\\Values"), nk::VALUES_LIST, NONE),
    "values-list-unused": "a list without a count" => |h| h.put_u32(h.key("F\\Values"), nk::VALUE_COUNT, 0),
    "values-list-uncounted": "a count of nothing" => |h| h.put_u32(h.key("F\\Values"), nk::VALUE_COUNT, 0),
    "key-value": "another signature" => |h| h.put(h.value("F\\Values", "two"), 0, b"nk"),
    "key-value": "a name that leaves its cell" => |h| h.put_u16(h.value("F\\Values", "two"), vk::NAME_LENGTH, 900),
    "value-name-odd": "half a character" => |h| h.put_u16(h.value("F\\Ключ", "Значение"), vk::NAME_LENGTH, 15),
    "value-name-long": "16,384 characters" => |h| {
        let mut value = h.payload(h.value("F\\Values", "one"));
        value.truncate(vk::NAME);
        value.extend([b'n'; 16_384]);
        value[vk::NAME_LENGTH..][..2].copy_from_slice(&16_384_u16.to_le_bytes());
        let value = h.append(&value);
        h.put_u32(h.values_list("F\\Values"), 0, value.0);
    },
    "value-name-wide": "ASCII as UTF-16" => |h| h.put(h.value("F\\Ключ", "Значение"), vk::NAME, b"a\0b\0c\0d\0e\0f\0g\0h\0"),
    "value-name-nul": "a NUL in a name" => |h| h.put(h.value("F\\Values", "two"), vk::NAME, b"t\0o"),
    "value-duplicate": "one name twice" => |h| h.put(h.value("F\\Values", "two"), vk::NAME, b"SIX"),
    "value-tombstone": "a tombstone" => |h| {
        h.header(24, 6);
        h.or_u16(h.value("F\\Values", "one"), vk::FLAGS, 2);
    },
    "value-data": "larger than its cell" => |h| h.put_u32(h.value("F\\Values", "two"), vk::DATA_SIZE, 5000),
    "value-data-inline": "five inline bytes" => |h| h.put_u32(h.value("F\\Values", "one"), vk::DATA_SIZE, 0x8000_0005),
    "value-data-missing": "no cell for it" => |h| h.put_u32(h.value("F\\Values", "two"), vk::DATA_OFFSET, NONE),
    "big-data": "another signature" => |h| h.put(h.data("F\\Big", "big"), 0, b"xx"),
    "big-data": "one cell for all of it" => |h| {
        let flat = h.append(&[9; 20_000]);
        h.put_u32(h.value("F\\Big", "big"), vk::DATA_OFFSET, flat.0);
    },
    "big-data-count": "a segment too many" => |h| h.put_u16(h.data("F\\Big", "big"), 2, 3),
    "big-data-count": "a segment too few" => |h| h.put_u16(h.data("F\\Big", "big"), 2, 1),
    "big-data-list": "a list that is too short" => |h| {
        let short = h.append(&[0; 4]);
        h.put_u32(h.data("F\\Big", "big"), 4, short.0);
    },
    "big-data-segment": "a short last segment" => |h| {
        let short = h.append(&[9; 3656]);
        h.put_u32(h.segments_list(), 4, short.0);
    },
    "symbolic-link-value": "another name" => |h| h.put(h.value("F\\Link", "SymbolicLinkValue"), vk::NAME, b"X"),
    "symbolic-link-value": "another type" => |h| h.put_u32(h.value("F\\Link", "SymbolicLinkValue"), vk::DATA_TYPE, 1),
    "symbolic-link-value": "a path of no length" => |h| h.put_u32(h.value("F\\Link", "SymbolicLinkValue"), vk::DATA_SIZE, 0),
    "symbolic-link-value": "half a character" => |h| h.put_u32(h.value("F\\Link", "SymbolicLinkValue"), vk::DATA_SIZE, 37),
    "symbolic-link-value": "an inline path" => |h| h.put_u32(h.value("F\\Link", "SymbolicLinkValue"), vk::DATA_SIZE, 0x8000_0002),
    "symbolic-link-value": "a second value" => |h| {
        let values = [h.u32(h.values_list("F\\Link"), 0), h.u32(h.values_list("F\\Values"), 0)];
        let list = h.append(&values.map(u32::to_le_bytes).concat());
        let key = h.key("F\\Link");
        h.put_u32(key, nk::VALUE_COUNT, 2);
        h.put_u32(key, nk::VALUES_LIST, list.0);
    },
    "symbolic-link-missing": "a link without a value" => |h| h.or_u16(h.key("F\\Sub"), nk::FLAGS, flag::SYM_LINK),
    "largest-value-name": "too small" => |h| h.put_u32(h.key("F\\Values"), nk::LARGEST_VALUE_NAME, 4),
    "largest-value-data": "too small" => |h| h.put_u32(h.key("F\\Values"), nk::LARGEST_VALUE_DATA, 99),
}};

const SECURITY: &[Fault] = faults! { RICH {
    "key-security": "another signature" => |h| h.put(h.second_security(), 0, b"nk"),
    "key-security": "a descriptor that leaves its cell" => |h| h.put_u32(h.security(), sk::DESCRIPTOR_SIZE, 5000),
    "security-ring": "another blink" => |h| h.put_u32(h.security(), sk::BLINK, h.security().0),
    "security-ring": "a flink that does not come back" => |h| h.put_u32(h.second_security(), sk::FLINK, h.second_security().0),
    "security-not-in-ring": "no security" => |h| h.put_u32(h.key("F\\Sub"), nk::SECURITY, NONE),
    "security-not-in-ring": "a record beside the ring" => |h| {
        let record = h.payload(h.second_security());
        let third = h.append(&record);
        h.put_u32(third, sk::FLINK, third.0);
        h.put_u32(third, sk::BLINK, third.0);
        h.put_u32(h.key("F\\Secured"), nk::SECURITY, third.0);
    },
    "security-count-low": "one too few" => |h| h.add(h.security(), sk::REFERENCE_COUNT, NONE),
    "security-count-high": "one too many" => |h| h.add(h.security(), sk::REFERENCE_COUNT, 1),
    "security-unused": "a record without users" => |h| h.put_u32(h.key("F\\Secured"), nk::SECURITY, h.security().0),
    "descriptor-header": "no bytes" => |h| h.put_u32(h.security(), sk::DESCRIPTOR_SIZE, 4),
    "descriptor-header": "revision 2" => |h| h.put(h.security(), sk::DESCRIPTOR, &[2]),
    "descriptor-header": "not self-relative" => |h| h.put(h.security(), sk::DESCRIPTOR + 3, &[0]),
    "descriptor-sid": "an owner behind the end" => |h| h.put_u32(h.security(), sk::DESCRIPTOR + 4, 4000),
    "descriptor-sid": "a group in the header" => |h| h.put_u32(h.security(), sk::DESCRIPTOR + 8, 4),
    "descriptor-sid": "an owner with too many parts" => |h| {
        let owner = h.descriptor_part(4);
        h.put(h.security(), owner + 1, &[15]);
    },
    "descriptor-sid": "a group of revision 2" => |h| {
        let group = h.descriptor_part(8);
        h.put(h.security(), group, &[2]);
    },
    "descriptor-acl": "an ACL behind the end" => |h| h.put_u32(h.security(), sk::DESCRIPTOR + 16, 4000),
    "descriptor-acl": "an ACL that has two bytes" => |h| {
        let size = h.u32(h.security(), sk::DESCRIPTOR_SIZE);
        h.put_u32(h.security(), sk::DESCRIPTOR + 16, size - 2);
    },
    "descriptor-acl": "an ACL that leaves it" => |h| {
        let acl = h.descriptor_part(16);
        h.put_u16(h.security(), acl + 2, 4000);
    },
    "descriptor-acl": "revision 9" => |h| {
        let acl = h.descriptor_part(16);
        h.put(h.security(), acl, &[9]);
    },
    "descriptor-ace": "an ACE without a size" => |h| {
        let acl = h.descriptor_part(16);
        h.put_u16(h.security(), acl + 10, 0);
    },
    "descriptor-ace": "more ACEs than there are" => |h| {
        let acl = h.descriptor_part(16);
        h.put_u16(h.security(), acl + 4, 99);
    },
    "descriptor-ace": "a SID that leaves its ACE" => |h| {
        let acl = h.descriptor_part(16);
        h.put(h.security(), acl + 17, &[9]);
    },
}};

fn all() -> impl Iterator<Item = &'static Fault> {
    let tables = [BASE_BLOCK, BINS_AND_CELLS, KEYS, SUBKEYS, VALUES, SECURITY];
    tables.into_iter().flatten()
}

#[test]
fn clean_hives_are_without_findings() {
    for name in BUNDLED {
        assert_eq!(regf::check(&bundled(name)).findings, [], "{name}");
    }
    assert_eq!(regf::check(&RICH).findings, []);
    hivemend::verify::verify(&RICH, &[]).unwrap();
}

#[test]
fn each_fault_is_found_by_the_code_of_its_rule() {
    let keep = std::env::var_os("HIVEMEND_FAULTS").map(PathBuf::from);
    let mut missed = Vec::new();
    for fault in all() {
        let mut patient = Patient::new(fault.hive.to_vec());
        (fault.inject)(&mut patient);
        let Fault { name, code, .. } = fault;
        if let Some(folder) = &keep {
            let file = format!("{code}--{}", name.replace(' ', "-"));
            std::fs::write(folder.join(file), &patient.image).unwrap();
        }
        let report = regf::check(&patient.image);
        if !report.counts.contains_key(code) {
            missed.push(format!("{code}, {name}: {:?}", report.counts));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Whatever is damaged, and whatever is edited then: nobody sees less or other than planned.
#[test]
fn no_edit_beside_a_fault_takes_anything_away() {
    let mut tally = Tally::default();
    for (number, fault) in (0..).zip(all()) {
        let mut patient = Patient::new(fault.hive.to_vec());
        (fault.inject)(&mut patient);
        for turn in 0..3 {
            let seed = 1_000_000 + 3 * number + turn;
            let outcome = edit_and_judge(&patient.image, &mut Dice::new(seed));
            tally.take(fault.name, seed, outcome);
        }
    }
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.ends.contains_key(&End::Done), "{:?}", tally.ends);
}

/// Each of these faults is mended, and nothing is in the result that was not in the hive.
#[test]
fn each_fault_is_mended() {
    let mut wrong = Vec::new();
    for fault in all() {
        let sound = crate::breakage::contents(fault.hive);
        let mut patient = Patient::new(fault.hive.to_vec());
        (fault.inject)(&mut patient);
        let place = format!("{}, {}", fault.code, fault.name);
        let input = hivemend::mend::Input {
            image: &patient.image,
            ..hivemend::mend::Input::default()
        };
        let mended = match hivemend::mend::mend(&input) {
            Ok(hivemend::mend::Outcome::Mended(mended)) => mended,
            Ok(hivemend::mend::Outcome::Sound(_)) => continue,
            Err(hivemend::mend::MendError::Nothing) if fault.code == "base-block-truncated" => {
                continue;
            }
            Err(error) => {
                wrong.push(format!("{place}: {error}"));
                continue;
            }
        };
        if let Err(error) = hivemend::verify::verify(&mended.image, &[]) {
            wrong.push(format!("{place}: nt-hive: {error}"));
        }
        let now = crate::breakage::contents(&mended.image);
        let lost = sound
            .keys
            .keys()
            .filter(|key| !now.keys.contains_key(*key))
            .count();
        // A name that a fault changed stays as it is.
        let new = now
            .keys
            .keys()
            .filter(|key| !sound.keys.contains_key(*key))
            .count();
        if lost > new && mended.report.losses.is_empty() {
            wrong.push(format!(
                "{place}: {lost} keys are lost, and nothing says so"
            ));
        }
        if new > 2 {
            wrong.push(format!("{place}: {new} keys are new"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_code_has_a_fault_that_it_finds() {
    let tested: BTreeSet<&str> = all().map(|fault| fault.code).collect();
    let known: BTreeSet<&str> = FINDING_CODES.iter().map(|code| code.name).collect();
    assert_eq!(tested, known);
    assert!(all().count() >= 60);
}

#[test]
fn a_lost_root_does_not_hide_what_is_below_it() {
    let mut patient = Patient::new(RICH.to_vec());
    let keys = regf::check(&RICH).keys;
    patient.header(36, NONE);
    let report = regf::check(&patient.image);
    assert_eq!(
        (report.keys, report.errors),
        (keys, 1),
        "{:?}",
        report.counts
    );
    let mut patient = Patient::new(RICH.to_vec());
    patient.put(patient.key(""), 0, b"xx");
    let report = regf::check(&patient.image);
    assert_eq!(report.keys, keys - 1, "{:?}", report.counts);
}

#[test]
fn a_damaged_bin_costs_only_its_own_cells() {
    let mut patient = Patient::new(RICH.to_vec());
    patient.image[4096] = b'x';
    let report = regf::check(&patient.image);
    assert_eq!(report.counts.keys().collect::<Vec<_>>(), [&"bin-signature"]);
}

#[test]
fn a_flood_of_warnings_hides_no_error() {
    let image = edited(&bundled(SYSTEM), |editor: &mut Editor| {
        for number in 0..3000 {
            editor
                .create_key(&path(&format!("Flood\\{number}")))
                .unwrap();
        }
    });
    let mut patient = Patient::new(image);
    for at in patient.subkeys("Flood") {
        patient.put_u32(at, nk::VALUES_LIST, 32);
    }
    patient.add(patient.security(), sk::REFERENCE_COUNT, NONE);
    let report = regf::check(&patient.image);
    assert_eq!(report.counts["values-list-unused"], 3000);
    assert!(report.findings.len() < 3000);
    assert_eq!(report.first_error().unwrap().code, "security-count-low");
}

#[test]
fn random_damage_is_survived_and_sound_means_readable() {
    let mut random = Random(0x5EED);
    let mut sound = 0;
    let old: &Vec<u8> = &OLD;
    let system = bundled(SYSTEM);
    for round in 0..20_000_u32 {
        let clean = if round % 2 == 0 { old } else { &system };
        let mut image = clean.clone();
        for _ in 0..=random.below(4) {
            damage(&mut image, &mut random);
        }
        let sum = regf::checksum(&image).unwrap_or(0);
        if let Some(field) = image.get_mut(508..512) {
            field.copy_from_slice(&sum.to_le_bytes());
        }
        let report = regf::check(&image);
        if report.is_sound() {
            sound += 1;
            assert_eq!(walk(&image), (report.keys, report.values), "round {round}");
            let seen = catch_unwind(AssertUnwindSafe(|| hivemend::verify::verify(&image, &[])));
            let seen = seen.unwrap_or_else(|_| panic!("round {round}: nt-hive panics"));
            // nt-hive knows no other clustering factor than 1.
            let is_excused = report.counts.contains_key("base-block-clustering-factor");
            if let Err(error) = seen
                && !is_excused
            {
                panic!("round {round}: nt-hive: {error}: {:?}", report.findings);
            }
        }
    }
    assert!(
        sound > 1000,
        "damage that no reader minds is common: {sound}"
    );
}

/// Changes a byte, a word or a run of bytes; most of it where the structures are.
fn damage(image: &mut [u8], random: &mut Random) {
    let at = match random.below(8) {
        0 => random.below(512),
        _ => random.below(image.len()),
    };
    match random.below(4) {
        0 => image[at] ^= 1 << random.below(8),
        1 => image[at] = random.byte(),
        2 => {
            let words = [0, 1, u32::MAX, 0x8000_0000, 0x7FFF_FFFF, 32, 4096];
            let word = words[random.below(words.len())];
            let at = (at & !3).min(image.len() - 4);
            image[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        _ => {
            let end = (at + random.below(64)).min(image.len());
            image[at..end]
                .iter_mut()
                .for_each(|byte| *byte = random.byte());
        }
    }
}

/// Reads every key, name, value and data as a user of the library does, and counts them.
fn walk(image: &Vec<u8>) -> (u64, u64) {
    let hive = Hive::open(image).unwrap();
    let (mut keys, mut values) = (0, 0);
    let mut waiting = vec![hive.base().root];
    while let Some(at) = waiting.pop() {
        keys += 1;
        let key: KeyNode<'_> = hive.key(at).unwrap();
        hive.class_name(&key).unwrap();
        hive.security(key.security()).unwrap();
        for value in hive.values(&key).unwrap() {
            values += 1;
            hive.data(&hive.value(value).unwrap()).unwrap();
        }
        waiting.extend(hive.subkeys(&key).unwrap());
    }
    (keys, values)
}

/// The same numbers every time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
