// SPDX-License-Identifier: GPL-3.0-or-later
//! The local group policy's file: bytes as the specification lays them out become what Windows
//! would do, and odd bytes are refused with their place.

use hivemend::policy::{PolicyAction, PolicyEffect, PolicyFault, RegistryPol};

use crate::registry_pol_file::{entry, header};

const RDP: &str = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";

/// Key, value name, type, data.
type Row<'a> = (&'a str, &'a str, u32, &'a [u8]);

fn file(entries: &[Row<'_>]) -> RegistryPol {
    let bytes = entries
        .iter()
        .fold(header(), |file, (key, name, kind, data)| {
            entry(file, key, name, *kind, data)
        });
    RegistryPol::parse(&bytes).unwrap()
}

fn dword(number: u32) -> PolicyEffect {
    let data = number.to_le_bytes().to_vec();
    PolicyEffect::Set { kind: 4, data }
}

fn refused(bytes: &[u8]) -> (u64, usize, PolicyFault) {
    let error = RegistryPol::parse(bytes).unwrap_err();
    (error.at, error.entries, error.fault)
}

/// Written out byte by byte, so that the builder is not judged by itself.
#[test]
fn bytes_of_the_specification() {
    let bytes =
        b"PReg\x01\0\0\0[\0S\0\\\0P\0\0\0;\0v\0\0\0;\0\x04\0\0\0;\0\x04\0\0\0;\0\x3B\0\0\0]\0";
    let policy = RegistryPol::parse(bytes).unwrap();
    let [only] = policy.entries() else {
        panic!("{policy:?}")
    };
    assert_eq!((only.at, only.key.as_str()), (8, "S\\P"));
    let want = PolicyAction::Set {
        name: "v".to_owned(),
        kind: 4,
        data: vec![0x3B, 0, 0, 0],
    };
    assert_eq!(only.action, want);
    assert_eq!(entry(header(), "S\\P", "v", 4, &[0x3B, 0, 0, 0]), bytes);
    assert_eq!(policy.what_becomes_of("s\\p", "V"), Some(dword(0x3B)));
}

#[test]
fn every_control_code_has_its_action() {
    let list = "One; Two;;".encode_utf16().chain([0]);
    let list: Vec<u8> = list.flat_map(u16::to_le_bytes).collect();
    let blank = [b' ', 0, 0, 0];
    let policy = file(&[
        ("A", "**del.Gone", 1, &blank),
        ("A", "**DelVals.", 1, &blank),
        ("A", "**delvals", 1, &[]),
        ("A", "**DELETEVALUES", 1, &list),
        ("A", "**DeleteKeys", 1, &list),
        ("A", "**DeleteKeys Old", 1, &[]),
        ("A", "**SecureKey", 4, &[1, 0, 0, 0]),
        ("A", "**SecureKey=1", 0, &[]),
        ("A", "**SecureKey", 4, &[0, 0, 0, 0]),
        ("A", "**soft.Kind", 4, &[7, 0, 0, 0]),
        ("A", "**Comment:GPO Name: Local", 1, &blank),
        ("A", "**DelValsOfMine", 1, &blank),
        ("A", "", 0, &[]),
        ("A", "", 1, &blank),
        ("A", "*star", 1, &blank),
    ]);
    let actions: Vec<&PolicyAction> = policy.entries().iter().map(|e| &e.action).collect();
    let text = |name: &str| name.to_owned();
    assert_eq!(actions[0], &PolicyAction::Delete { name: text("Gone") });
    assert_eq!(actions[1], &PolicyAction::DeleteAllValues);
    assert_eq!(actions[2], &PolicyAction::DeleteAllValues);
    let names = |action: &PolicyAction| match action {
        PolicyAction::DeleteValues(list) | PolicyAction::DeleteKeys(list) => {
            list.names().map(text).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(actions[3], PolicyAction::DeleteValues(_)));
    assert_eq!(names(actions[3]), ["One", "Two"]);
    assert!(matches!(actions[4], PolicyAction::DeleteKeys(_)));
    assert_eq!(names(actions[4]), ["One", "Two"]);
    assert_eq!(names(actions[5]), ["Old"]);
    for (at, secure) in [(6, true), (7, true), (8, false)] {
        assert_eq!(actions[at], &PolicyAction::SecureKey { secure });
    }
    assert!(
        matches!(actions[9], PolicyAction::SetIfAbsent { name, kind: 4, .. } if name == "Kind")
    );
    assert!(matches!(actions[10], PolicyAction::Ignored { .. }));
    assert!(matches!(actions[11], PolicyAction::Ignored { code } if code == "**DelValsOfMine"));
    assert_eq!(actions[12], &PolicyAction::CreateKey);
    assert!(matches!(actions[13], PolicyAction::Set { name, kind: 1, .. } if name.is_empty()));
    assert!(matches!(actions[14], PolicyAction::Set { name, .. } if name == "*star"));
}

#[test]
fn the_value_is_found_whatever_its_case_and_only_it() {
    let policy = file(&[(RDP, "fDenyTSConnections", 4, &[1, 0, 0, 0])]);
    let upper = RDP.to_uppercase();
    for key in [RDP, upper.as_str(), &format!("\\{RDP}\\")] {
        let effect = policy.what_becomes_of(key, "FDENYTSCONNECTIONS");
        assert_eq!(effect, Some(dword(1)), "{key}");
    }
    let parent = r"SOFTWARE\Policies\Microsoft\Windows NT";
    let below = format!(r"{RDP}\Client");
    for (key, value) in [
        (RDP, "fDeny"),
        (RDP, ""),
        (parent, "fDenyTSConnections"),
        (below.as_str(), "fDenyTSConnections"),
    ] {
        assert_eq!(policy.what_becomes_of(key, value), None, "{key} {value}");
    }
    let other = file(&[("SOFTWARE\\Été", "Straße", 4, &[1, 0, 0, 0])]);
    assert_eq!(
        other.what_becomes_of("software\\ÉTÉ", "straße"),
        Some(dword(1))
    );
}

#[test]
fn the_last_entry_about_the_value_decides() {
    let one = [1, 0, 0, 0];
    let two = [2, 0, 0, 0];
    let policies = r"SOFTWARE\Policies\Microsoft";
    let below = "Windows NT\0".encode_utf16().flat_map(u16::to_le_bytes);
    let below: Vec<u8> = below.collect();
    let delete_key = (policies, "**DeleteKeys", 1, below.as_slice());
    let soft = PolicyEffect::SetIfAbsent {
        kind: 4,
        data: one.to_vec(),
    };
    let table: [(&[Row<'_>], Option<PolicyEffect>); 13] = [
        (&[], None),
        (&[(RDP, "", 0, &[])], None),
        (&[(RDP, "A", 4, &one), (RDP, "a", 4, &two)], Some(dword(2))),
        (
            &[(RDP, "A", 4, &one), (RDP, "**del.A", 1, &[])],
            Some(PolicyEffect::Delete),
        ),
        (
            &[(RDP, "**del.A", 1, &[]), (RDP, "A", 4, &one)],
            Some(dword(1)),
        ),
        (
            &[(RDP, "**delvals.", 1, &[]), (RDP, "A", 4, &one)],
            Some(dword(1)),
        ),
        (
            &[(RDP, "**delvals.", 1, &[]), (RDP, "B", 4, &one)],
            Some(PolicyEffect::DeleteAllValues),
        ),
        (
            &[(RDP, "A", 4, &one), delete_key],
            Some(PolicyEffect::DeleteKey),
        ),
        (&[delete_key, (RDP, "A", 4, &two)], Some(dword(2))),
        (&[(RDP, "**soft.A", 4, &one)], Some(soft.clone())),
        (
            &[(RDP, "**soft.A", 4, &one), (RDP, "**soft.A", 4, &two)],
            Some(soft),
        ),
        (
            &[(RDP, "A", 4, &one), (RDP, "**soft.A", 4, &two)],
            Some(dword(1)),
        ),
        (
            &[(RDP, "**del.A", 1, &[]), (RDP, "**soft.A", 4, &two)],
            Some(dword(2)),
        ),
    ];
    for (entries, want) in table {
        let found = file(entries).what_becomes_of(RDP, "A");
        assert_eq!(found, want, "{entries:?}");
    }
    let elsewhere = file(&[delete_key]);
    let sibling = r"SOFTWARE\Policies\Microsoft\Windows NT2";
    assert_eq!(elsewhere.what_becomes_of(sibling, "A"), None);
    assert_eq!(elsewhere.what_becomes_of(policies, "A"), None);
}

#[test]
fn nothing_and_padding_are_no_errors() {
    for bytes in [Vec::new(), header(), [header(), vec![0; 5]].concat()] {
        assert_eq!(RegistryPol::parse(&bytes).unwrap().entries(), []);
    }
    let key_only = [header(), b"[\0S\0\0\0]\0".to_vec()].concat();
    let policy = RegistryPol::parse(&key_only).unwrap();
    assert_eq!(policy.entries()[0].action, PolicyAction::CreateKey);
    let fields_left_out = b"[\0S\0\0\0;\0;\0\0\0\0\0;\0\0\0\0\0;\0]\0".to_vec();
    let policy = RegistryPol::parse(&[header(), fields_left_out].concat()).unwrap();
    assert_eq!(policy.entries()[0].action, PolicyAction::CreateKey);
}

#[test]
fn odd_bytes_are_refused_with_their_place() {
    assert_eq!(
        refused(b"regf"),
        (0, 0, PolicyFault::Signature(b"regf".to_vec()))
    );
    assert_eq!(
        refused(b"PR"),
        (0, 0, PolicyFault::Signature(b"PR".to_vec()))
    );
    assert_eq!(
        refused(b"PReg\x01"),
        (4, 0, PolicyFault::Truncated("the version"))
    );
    assert_eq!(refused(b"PReg\x02\0\0\0"), (8, 0, PolicyFault::Version(2)));
    let sound = entry(header(), "S", "v", 4, &[1, 0, 0, 0]);
    let (at, entries, fault) = refused(&[sound.clone(), b"x\0".to_vec()].concat());
    assert_eq!((usize::try_from(at).unwrap(), entries), (sound.len(), 1));
    assert!(matches!(fault, PolicyFault::Separator { found: 0x78, .. }));
    let mut long = sound.clone();
    let size = sound.len() - 12;
    long[size..size + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let message = RegistryPol::parse(&long).unwrap_err().to_string();
    assert!(message.contains("4294967295 bytes of data"), "{message}");
}

/// Every cut of a sound file ends in an error or in whole entries, never in a panic.
#[test]
fn every_cut_is_survived() {
    let sound = entry(header(), RDP, "MinEncryptionLevel", 4, &[3, 0, 0, 0]);
    let sound = entry(sound, RDP, "**del.SecurityLayer", 1, &[b' ', 0, 0, 0]);
    let whole = RegistryPol::parse(&sound).unwrap().entries().len();
    assert_eq!(whole, 2);
    let mut parsed = 0;
    for end in 0..sound.len() {
        match RegistryPol::parse(&sound[..end]) {
            Ok(policy) => {
                assert!(policy.entries().len() < whole);
                parsed += 1;
            }
            Err(error) => assert!(error.at <= u64::try_from(end).unwrap()),
        }
    }
    assert_eq!(parsed, 3, "nothing, the header, the first entry");
}
