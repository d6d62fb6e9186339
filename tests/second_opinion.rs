// SPDX-License-Identifier: GPL-3.0-or-later
//! The second reader finds what was planned, wherever it asks and in whatever order, and says so
//! where something else is there.

use crate::patient::Patient;
use crate::workbench::{SYSTEM, bundled, open, path, seal};
use hivemend::regf::{Name, NodePath};
use hivemend::verify::{Expectation, ExpectedState, VerifyError, verify};

fn expect(key: &str, state: ExpectedState) -> Expectation {
    let key = NodePath::from(key);
    Expectation { key, state }
}

fn number(name: &str, number: u32) -> ExpectedState {
    let (name, data) = (Name::from(name), number.to_le_bytes().to_vec());
    ExpectedState::Value {
        name,
        kind: 4,
        data,
    }
}

fn absent(name: &str) -> ExpectedState {
    let name = Name::from(name);
    ExpectedState::ValueAbsent { name }
}

/// Forty keys with forty subkeys each, whose value tells their place.
fn image() -> Vec<u8> {
    let mut editor = open(&bundled(SYSTEM));
    for at in 0..1600_u32 {
        let key = path(&format!("Top\\Ä{}\\Sub {}", at / 40, at % 40));
        editor.create_key(&key).unwrap();
        let data = at.to_le_bytes();
        editor
            .set_value(&key, &Name::from("Place"), 4, &data)
            .unwrap();
    }
    seal(editor)
}

#[test]
fn what_is_there_is_found_in_any_order_and_spelling() {
    let image = image();
    let mut all = Vec::new();
    for step in [1, 7, 41, 1559] {
        for number_of in 0..1600_u32 {
            let at = number_of * step % 1600;
            let key = format!("TOP\\ä{}\\SUB {}", at / 40, at % 40);
            all.push(expect(&key, number("PLACE", at)));
            if at % 13 == 0 {
                all.push(expect(&key, absent("Other")));
                all.push(expect(&format!("{key}\\None"), ExpectedState::KeyAbsent));
                all.push(expect("Top\\None\\Sub 1", ExpectedState::KeyAbsent));
                all.push(expect("None", absent("Place")));
                all.push(expect("Top", ExpectedState::KeyExists));
                all.push(expect("", ExpectedState::KeyExists));
            }
        }
    }
    verify(&image, &all).unwrap();
}

#[test]
fn what_is_not_there_is_missed_wherever_it_is_asked_for() {
    let image = image();
    let right = expect("Top\\Ä3\\Sub 5", number("Place", 125));
    let wrong = [
        expect("Top\\Ä3\\Sub 5", number("Place", 126)),
        expect("Top\\Ä3\\Sub 5", absent("place")),
        expect("Top\\Ä3\\Sub 5", ExpectedState::KeyAbsent),
        expect("Top\\Ä3\\Sub 40", ExpectedState::KeyExists),
        expect("Top\\Ä4\\Sub 5", number("Place", 125)),
        expect("Top\\Sub 5", ExpectedState::KeyExists),
        expect("Top\\Ä40\\Sub 5", number("Place", 125)),
    ];
    for wrong in wrong {
        let all = [right.clone(), wrong.clone(), right.clone()];
        match verify(&image, &all) {
            Err(VerifyError::NotAsPlanned { .. }) => {}
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
}

/// No image comes this far that the structural check does not call sound; but a hive that was
/// accepted as damaged does.
#[test]
fn a_panic_of_the_second_reader_is_a_refusal() {
    let mut patient = Patient::new(bundled(SYSTEM));
    let list = patient.values_list("Select").in_file();
    let size = usize::try_from(list.0).unwrap();
    patient.image[size..size + 4].fill(0);
    let refused = verify(&patient.image, &[]).unwrap_err();
    match cfg!(debug_assertions) {
        true => assert!(matches!(refused, VerifyError::WitnessPanicked), "{refused}"),
        // Without the compiler's checks of overflow it does not notice, and finds no room.
        false => assert!(matches!(refused, VerifyError::Witness(_)), "{refused}"),
    }
}
