// SPDX-License-Identifier: GPL-3.0-or-later
//! Single bits and bytes of lists of rights, each of which decides by itself.

use super::*;

const SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
/// Of somebody with five parts, which differ in a byte of the last one.
const fn somebody(last: [u8; 4]) -> [u8; 28] {
    let [a, b, c, d] = last;
    [
        1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, a, b, c, d,
    ]
}

fn ace(kind: u8, mask: u32, sid: &[u8]) -> Vec<u8> {
    let size = u8::try_from(8 + sid.len()).unwrap();
    let mut ace = vec![kind, 0, size, 0];
    ace.extend(mask.to_le_bytes());
    ace.extend(sid);
    ace
}

/// A descriptor with these entries, whose control says that there is a list, or does not.
fn descriptor(control: u16, aces: &[&[u8]]) -> Vec<u8> {
    let body = aces.concat();
    let mut bytes = vec![1, 0];
    bytes.extend((0x8000 | control).to_le_bytes());
    for offset in [20_u32, 20, 0, 32] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend(SYSTEM);
    bytes.extend([2, 0]);
    bytes.extend(u16::try_from(8 + body.len()).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(aces.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(body);
    bytes
}

fn of(aces: &[&[u8]]) -> Vec<u8> {
    descriptor(DACL_PRESENT, aces)
}

/// Without the flag, or without a place, there is no list, and everybody may do everything.
#[test]
fn a_list_counts_only_where_the_control_and_the_offset_say_so() {
    let allows: &[u8] = &ace(ALLOWED, 1, SYSTEM);
    let listed = of(&[allows]);
    let unflagged = descriptor(0, &[allows]);
    let mut unplaced = listed.clone();
    unplaced[16..20].fill(0);
    for nothing in [&unflagged, &unplaced] {
        assert!(descriptor_widens(nothing, &listed));
        assert!(!descriptor_widens(&listed, nothing));
    }
    assert!(!descriptor_widens(&unflagged, &unplaced));
}

/// Each right by itself is one, whoever has others.
#[test]
fn every_single_right_counts() {
    let nobody = of(&[]);
    for bit in 0..28 {
        let one = of(&[&ace(ALLOWED, 1 << bit, SYSTEM)]);
        assert!(descriptor_widens(&one, &nobody), "{bit}");
        let others = of(&[&ace(ALLOWED, 0x0fff_ffff & !(1 << bit), SYSTEM)]);
        assert!(descriptor_widens(&one, &others), "{bit}");
        assert!(!descriptor_widens(
            &one,
            &of(&[&ace(ALLOWED, u32::MAX, SYSTEM)])
        ));
    }
    for (bit, rights) in GENERIC {
        let generic = of(&[&ace(ALLOWED, bit, SYSTEM)]);
        let same = of(&[&ace(ALLOWED, rights, SYSTEM)]);
        assert!(!descriptor_widens(&generic, &same), "{bit:#x}");
        assert!(!descriptor_widens(&same, &generic), "{bit:#x}");
        // One right that stands beside is none of it.
        for less in (0..28)
            .map(|at| rights & !(1 << at))
            .filter(|less| *less != rights)
        {
            let less = of(&[&ace(ALLOWED, less, SYSTEM)]);
            assert!(descriptor_widens(&generic, &less), "{bit:#x}");
        }
    }
}

/// Somebody else by the last byte of the identifier.
#[test]
fn whose_a_right_is_is_told_to_the_last_byte() {
    let one = of(&[&ace(ALLOWED, 1, &somebody([0, 0, 0, 0]))]);
    for last in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]] {
        let other = of(&[&ace(ALLOWED, 1, &somebody(last))]);
        assert!(descriptor_widens(&one, &other), "{last:?}");
    }
}

/// What nobody here knows must be the same, in whatever order it stands; the size of an entry is at
/// least that of its header and a mask.
#[test]
fn entries_of_other_kinds_are_held_against_each_other() {
    let allows: &[u8] = &ace(ALLOWED, 1, SYSTEM);
    let (one, other): (&[u8], &[u8]) = (&[9, 0, 8, 0, 1, 0, 0, 0], &[9, 0, 8, 0, 2, 0, 0, 0]);
    let both = of(&[allows, one, other]);
    assert!(!descriptor_widens(&both, &of(&[allows, other, one])));
    assert!(!descriptor_widens(&both, &of(&[other, allows, one])));
    for fewer in [of(&[allows]), of(&[allows, one]), of(&[allows, other])] {
        assert!(descriptor_widens(&both, &fewer));
        assert!(descriptor_widens(&fewer, &both));
    }
    let short: &[u8] = &[9, 0, 7, 0, 1, 0, 0];
    assert!(descriptor_widens(
        &of(&[allows, short]),
        &of(&[short, allows])
    ));
}

#[test]
fn what_is_audited_is_no_right_in_a_text_either() {
    let plain = "O:BAG:SYD:AI(A;ID;FA;;;SY)";
    let audited = "O:BAG:SYD:AI(A;ID;FA;;;SY)S:(AU;SA;FA;;;WD)";
    assert!(!text_widens(plain, audited));
    assert!(!text_widens(audited, plain));
}

fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

/// Each of the nine bits of a mode is a right of one of three.
#[test]
fn a_list_is_held_against_each_bit_of_the_mode() {
    for mode in 0..0o1000_u32 {
        let right = |shift: u32| u16::try_from(mode >> shift & 7).unwrap();
        let of = |owner, group, other| {
            list(&[
                (1, owner, NOBODY),
                (GROUP_OBJECT, group, NOBODY),
                (OTHER, other, NOBODY),
            ])
        };
        let (owner, group, other) = (right(6), right(3), right(0));
        assert!(!posix_widens(&of(owner, group, other), None, mode));
        for bit in [1, 2, 4] {
            for more in [
                (owner | bit, group, other),
                (owner, group | bit, other),
                (owner, group, other | bit),
            ] {
                let is_more = more != (owner, group, other);
                let more = of(more.0, more.1, more.2);
                assert_eq!(posix_widens(&more, None, mode), is_more, "{mode:o}");
            }
        }
    }
}

#[test]
fn who_is_named_newly_or_not_any_more() {
    let plain = [
        (1, 6, NOBODY),
        (GROUP_OBJECT, 0, NOBODY),
        (OTHER, 0, NOBODY),
    ];
    let with = |who: &[(u16, u16, u32)]| list(&[&plain[..], who].concat());
    let none = with(&[]);
    assert!(!posix_widens(&none, Some(&none), 0));
    for rights in [1, 2, 4, 6] {
        let named = with(&[(USER, rights, 1000)]);
        assert!(posix_widens(&named, Some(&none), 0), "{rights}");
        // Nobody has anything that a user could get by not being named.
        assert!(!posix_widens(&none, Some(&named), 0), "{rights}");
        let readable = list(&[
            (1, 6, NOBODY),
            (OTHER, 4, NOBODY),
            (GROUP_OBJECT, 0, NOBODY),
        ]);
        let barred = [&readable[..], &with(&[(USER, rights, 1000)])[28..]].concat();
        let is_freed = rights & 4 == 0;
        assert_eq!(posix_widens(&readable, Some(&barred), 0), is_freed);
    }
}

/// What cannot be read could say anything.
#[test]
fn a_list_of_another_version_or_length_is_not_understood() {
    let good = list(&[
        (1, 6, NOBODY),
        (GROUP_OBJECT, 0, NOBODY),
        (OTHER, 0, NOBODY),
    ]);
    assert!(!posix_widens(&good, None, 0o600));
    let mut other_version = good.clone();
    other_version[0] = 3;
    let mut longer = good.clone();
    longer.extend([0; 4]);
    for bad in [other_version, longer, good[..good.len() - 1].to_vec()] {
        assert!(posix_widens(&bad, None, 0o600));
        assert!(posix_widens(&good, Some(&bad), 0o600));
    }
}
