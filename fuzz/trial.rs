// SPDX-License-Identifier: GPL-3.0-or-later
//! What each fuzz target does with its bytes; the regression test does the same on stable.

use std::sync::OnceLock;

use hivemend::edit::{EditError, Editor};
use hivemend::explain::Library;
use hivemend::import::{self, Options};
use hivemend::log::LogFile;
use hivemend::mend::{self, Input, Outcome};
use hivemend::policy::{PolicyAction, RegistryPol};
use hivemend::profile;
use hivemend::regf::{self, Hive, KEY_DEPTH_LIMIT, Name};
use hivemend::report::{ProfileHead, imported_yaml};
use hivemend::verify::{VerifyError, verify, verify_damaged};

use crate::transaction_log;

/// More keys than any input of a fuzzer can hold: a walk that gets there goes in circles.
const KEYS: usize = 1 << 16;

/// Opens the bytes as a hive and reads all that can be reached.
pub(crate) fn walk(bytes: &[u8]) {
    let image = bytes.to_vec();
    let Ok(hive) = Hive::open(&image) else { return };
    let _ = hive.find(&[Name::from("ControlSet001"), Name::from("Control")]);
    let Ok(root) = hive.root() else { return };
    let mut waiting = vec![(root.at(), 0)];
    let mut left = KEYS;
    while let Some((at, depth)) = waiting.pop() {
        let Ok(key) = hive.key(at) else { continue };
        let _ = hive
            .security(key.security())
            .map(|security| security.descriptor().len());
        let _ = hive.class_name(&key);
        for value in hive.values(&key).unwrap_or_default() {
            if let Ok(value) = hive.value(value) {
                let _ = hive.data(&value).map(|data| data.len());
                let _ = hive.find_value(&key, &value.name().to_name());
            }
        }
        for subkey in hive.subkeys(&key).unwrap_or_default() {
            left = left.saturating_sub(1);
            if depth < KEY_DEPTH_LIMIT && left > 0 {
                waiting.push((subkey, depth + 1));
            }
        }
    }
}

/// Checks the bytes as a hive; what passes, two readers must be able to walk.
pub(crate) fn check(bytes: &[u8]) {
    let mut image = bytes.to_vec();
    seal(&mut image);
    let report = regf::check(&image);
    if !report.is_sound() {
        return;
    }
    let hive = Hive::open(&image).expect("a sound hive opens");
    let mut waiting = vec![hive.root().expect("a sound hive has a root").at()];
    while let Some(at) = waiting.pop() {
        let key = hive.key(at).expect("a sound hive has its keys");
        for value in hive.values(&key).expect("and their values") {
            let value = hive.value(value).expect("each of them");
            hive.data(&value).expect("with data");
        }
        waiting.extend(hive.subkeys(&key).expect("and their subkeys"));
    }
}

/// Edits the bytes as a hive: the last 64 say how. A sound result is all that may come of it.
pub(crate) fn edit(bytes: &[u8]) {
    let Some((image, script)) = bytes.split_last_chunk::<64>() else {
        return;
    };
    let mut image = image.to_vec();
    seal(&mut image);
    let editor = Editor::open(image.clone(), 1);
    let is_sound = editor.is_ok();
    let Ok(mut editor) = editor.or_else(|_| Editor::open_damaged(image.clone(), 1)) else {
        return;
    };
    // Only where the second reader saw the same before can it judge what the edits did.
    let is_judged = verify(&image, &[]).is_ok();
    let names = [
        "a",
        "b",
        "Épée",
        "名",
        "",
        "a long name that needs a cell of its own",
    ];
    let name = |byte: u8| Name::from(names[usize::from(byte) % names.len()]);
    let sizes = [0, 4, 5, 100, 4000, 16344, 16345, 40000];
    for step in script.chunks_exact(4) {
        let [what, one, two, size] = *step else {
            continue;
        };
        let path = [name(one % 4), name(two % 4)];
        let path = &path[..1 + usize::from(what >> 7)];
        let _ = match what % 4 {
            0 => editor.create_key(path).map(|_| ()),
            1 => editor.delete_key(path).map(|_| ()),
            2 => {
                let data = vec![size; sizes[usize::from(size) % sizes.len()]];
                editor
                    .set_value(path, &name(two), u32::from(one % 12), &data)
                    .map(|_| ())
            }
            _ => editor.delete_value(path, &name(two)).map(|_| ()),
        };
    }
    let sealed = match editor.seal(0) {
        Ok(sealed) => sealed,
        Err(EditError::Damaged(finding)) if is_sound => panic!("an edit did damage: {finding}"),
        Err(_) => return,
    };
    assert_eq!(sealed.report.is_sound(), is_sound);
    if !is_sound {
        let worse = verify_damaged(&image, &sealed.image, &[]);
        assert!(!matches!(worse, Err(VerifyError::WitnessPanicked)) || !is_judged);
    } else if is_judged {
        verify(&sealed.image, &[]).expect("the second reader still reads the same");
    }
}

/// Takes the bytes as a log of a dirty hive: whatever comes back can be read to its end.
pub(crate) fn recover(bytes: &[u8]) {
    let primary = transaction_log::dirty(include_bytes!("../testdata/hives/v1.5"), 2, 1);
    let mut log = bytes.to_vec();
    if log.len() >= 512 {
        transaction_log::seal_base_block(&mut log);
    }
    for at in (512..log.len()).step_by(512) {
        seal_entry_at(&mut log, at);
    }
    let log = LogFile {
        name: "LOG1".to_owned(),
        bytes: &log,
    };
    let Ok(recovered) = hivemend::log::recover(&primary, &[log]) else {
        return;
    };
    let image = recovered.to_vec().expect("what was recovered can be read");
    assert!(
        image.len() <= primary.len() + bytes.len(),
        "memory is bounded by the input"
    );
    let hive = Hive::open(&recovered).expect("a recovered hive opens");
    assert!(hive.base().is_clean());
    walk(&image);
    let _ = regf::check(&image);
}

/// Takes the bytes as a group policy file: it is read or refused at a place in it, what is kept is
/// bounded by it, and every entry can be asked for.
pub(crate) fn registry_pol(bytes: &[u8]) {
    let policy = match RegistryPol::parse(bytes) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(usize::try_from(error.at).is_ok_and(|at| at <= bytes.len()));
            return;
        }
    };
    // The smallest entry is a bracket, a terminator and a bracket.
    assert!(policy.entries().len() <= bytes.len() / 6);
    for entry in policy.entries().iter().take(64) {
        let (name, must) = match &entry.action {
            PolicyAction::Set { name, .. }
            | PolicyAction::SetIfAbsent { name, .. }
            | PolicyAction::Delete { name } => (name.as_str(), true),
            PolicyAction::DeleteValues(list) => (list.names().next().unwrap_or(""), false),
            PolicyAction::DeleteAllValues => ("any", true),
            _ => ("", false),
        };
        let effect = policy.what_becomes_of(&entry.key, name);
        assert!(!must || effect.is_some(), "{entry:?}");
    }
}

/// Gives the entry that may begin at `at` its hashes, where its size leaves room for them.
fn seal_entry_at(log: &mut [u8], at: usize) {
    let rest = &mut log[at..];
    if rest.len() < 512 || &rest[..4] != b"HvLE" {
        return;
    }
    let size = usize::try_from(transaction_log::u32_of(rest, 4)).unwrap_or(0);
    if size >= 40 && size % 8 == 0 && size <= rest.len() {
        transaction_log::seal_entry(&mut rest[..size]);
    }
}

/// Mends the bytes as a damaged hive: what comes of it is sound, another reader can read it, and mending it
/// again changes nothing.
pub(crate) fn mending(bytes: &[u8]) {
    let input = Input {
        image: bytes,
        ..Input::default()
    };
    let Ok(Outcome::Mended(mended)) = mend::mend(&input) else {
        return;
    };
    let after = regf::check(&mended.image);
    assert!(after.first_error().is_none(), "{:?}", after.first_error());
    verify(&mended.image, &[]).expect("another reader can read what was mended");
    let again = Input {
        image: &mended.image,
        ..Input::default()
    };
    let again = mend::mend(&again);
    assert!(
        matches!(again, Ok(Outcome::Sound(_))),
        "mended twice is not mended once"
    );
}

/// A fuzzer does not find checksums: gives the base block the right one, and equal numbers.
fn seal(image: &mut [u8]) {
    if image.len() < 512 {
        return;
    }
    image.copy_within(4..8, 8);
    let sum = regf::checksum(image).unwrap_or(0);
    image[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// Any bytes as what somebody pasted: it is answered or not known, and says which codes it read.
pub(crate) fn explain(bytes: &[u8]) {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| Library::built_in().expect("the data is sound"));
    let text = String::from_utf8_lossy(bytes);
    for extended in [false, true] {
        match library.look_up(&text, extended, &[]) {
            Ok(answer) => {
                assert!(!answer.entries.is_empty());
                let mut scores = answer.entries.iter().map(|found| found.score);
                assert!(scores.all(|score| score <= 100));
            }
            Err(not_known) => assert!(not_known.nearest.len() <= 3),
        }
    }
}

/// Takes the bytes as a file in each language that is imported: it is read or refused, what is kept is
/// bounded by it, and what is made of it is a profile, or one that is refused with a place.
pub(crate) fn import(bytes: &[u8]) {
    for front in [
        "",
        "REGEDIT4\n",
        "reg add HKLM\\SYSTEM ",
        "# microsoft.windows/registry\nresources:\n",
        "PReg\u{1}\0\0\0",
    ] {
        let file = [front.as_bytes(), bytes].concat();
        let Ok(import) = import::read(&file, "trial", &Options::default()) else {
            continue;
        };
        assert!(import.operations.len() <= file.len());
        assert!(import.mistakes.len() <= file.len());
        let Ok(draft) = import::draft(&[import]) else {
            continue;
        };
        let head = ProfileHead {
            id: "trial".to_owned(),
            title: "Trial".to_owned(),
            source: "trial".to_owned(),
            undo: "undo".to_owned(),
        };
        let text = imported_yaml(&head, &draft);
        if let Err(errors) = profile::parse(text.as_bytes(), "trial") {
            assert!(!errors.errors().is_empty());
        }
    }
}
