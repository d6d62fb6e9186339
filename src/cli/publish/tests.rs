// SPDX-License-Identifier: GPL-3.0-or-later
//! What the second reader is told to look for, and what a donor must hold.

use clap::Parser;

use super::super::args::Cli;
use super::*;
use crate::machine::Value;
use crate::regf::Name;

fn image() -> Vec<u8> {
    include_bytes!("../../../testdata/hives/v1.5").to_vec()
}

fn path(text: &str) -> NodePath {
    NodePath::from(text)
}

fn change(key: &str, value: Option<&str>, action: Action, after: Option<State>) -> Change {
    Change {
        profile: "test".to_owned(),
        hive: HiveName::System,
        control_set: None,
        key: path(key),
        value: value.map(Name::from),
        action,
        before: None,
        after,
        lowers_security: false,
        cause: None,
        note: "".into(),
    }
}

fn state(data: &[u8]) -> Option<State> {
    let (kind, data) = (3, data.to_vec());
    Some(State::Value(Value { kind, data }))
}

/// One of each kind.
fn changes() -> [Change; 4] {
    let key = State::Key(KeySummary::empty());
    [
        change("Types", Some("sz"), Action::Set, state(b"new")),
        change("Types", Some("dword"), Action::DeleteValue, None),
        change("Types\\New", None, Action::CreateKey, Some(key)),
        change("Deep\\1", None, Action::DeleteKey, None),
    ]
}

fn edit_as_apply_does(changes: &[&Change], accept_damage: bool) -> Edited {
    let loaded = Loaded {
        path: "SYSTEM".into(),
        content: image(),
        disk_sha256: [0; 32],
        condition: Condition::Clean,
        last_sequence: 0,
        accept_damage,
    };
    let output = Output::new(&Cli::parse_from(["hivemend", "--quiet", "profile", "list"]));
    let name = "SYSTEM".into();
    let edited = edited(name, loaded, changes, None, SystemTime::now(), &output);
    edited.unwrap_or_else(|failure| panic!("{}", failure.sentence()))
}

/// An image in which one change is missing is not published, however sound it is.
#[test]
fn the_second_reader_is_told_of_every_change() {
    let all = changes();
    for missing in 0..all.len() {
        let wanted: Vec<&Change> = all.iter().collect();
        let mut edited = edit_as_apply_does(&wanted, false);
        let mut others = wanted.clone();
        others.remove(missing);
        edited.new.content = edit_as_apply_does(&others, false).new.content;
        let Err(failure) = edited.judged() else {
            panic!("without change {missing} it was taken");
        };
        assert!(failure.sentence().contains("not hold what was planned"));
    }
    let wanted: Vec<&Change> = all.iter().collect();
    assert!(edit_as_apply_does(&wanted, false).judged().is_ok());
    assert!(edit_as_apply_does(&wanted, true).judged().is_ok());
}

/// The last word on a value counts, and none on what is deleted with its key.
#[test]
fn what_is_expected_is_what_the_changes_end_with() {
    let again = [
        change("Types", Some("sz"), Action::Set, state(b"one")),
        change("Types", Some("sz"), Action::Set, state(b"two")),
        change("Deep\\1", Some("v"), Action::Set, state(b"gone")),
        change("Deep", None, Action::DeleteKey, None),
    ];
    let found = expectations(&again.iter().collect::<Vec<_>>());
    let two = ExpectedState::Value {
        name: Name::from("sz"),
        kind: 3,
        data: b"two".to_vec(),
    };
    let states: Vec<&ExpectedState> = found.iter().map(|expected| &expected.state).collect();
    assert_eq!(states, [&ExpectedState::KeyAbsent, &two]);
}

/// A deleted key comes back from the backup only as what it was when it was deleted.
#[test]
fn a_donor_that_holds_something_else_gives_nothing() {
    let donor_image = image();
    let donor = Hive::open(&donor_image).unwrap();
    let from = donor.find(&[Name::from("Deep")]).unwrap().unwrap();
    let was = summarize(&donor, &from).unwrap();
    let gone = change("Deep", None, Action::DeleteKey, None);
    let without = edit_as_apply_does(&[&gone], false).new.content;
    let give = |wanted: KeySummary, donor: Option<&Hive<'_>>| {
        let mut editor = Editor::open(without.clone(), 1).unwrap();
        let back = change("Deep", None, Action::CreateKey, Some(State::Key(wanted)));
        make(&back, &mut editor, donor).map(|()| editor.is_changed())
    };
    assert!(give(was.clone(), Some(&donor)).is_ok_and(|changed| changed));
    assert!(give(was.clone(), None).is_err());
    let mut digest = was.digest;
    digest[31] ^= 1;
    let others = [
        KeySummary {
            digest,
            ..was.clone()
        },
        KeySummary {
            subkeys: was.subkeys + 1,
            ..was.clone()
        },
        KeySummary {
            values: was.values + 1,
            ..was
        },
    ];
    for other in others {
        assert!(give(other, Some(&donor)).is_err());
    }
}
