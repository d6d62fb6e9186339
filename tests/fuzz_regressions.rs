// SPDX-License-Identifier: GPL-3.0-or-later
//! What the fuzz targets do, on stable: every input that ever found something, and a fixed set of
//! mutations of the bundled hives.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[path = "../fuzz/trial.rs"]
mod trial;

use crate::registry_pol_file;
use crate::transaction_log::{NewLog, old_log};
use hivemend::edit::Editor;
use hivemend::regf::Name;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.is_file() && file.extension().is_none_or(|e| e != "md"))
        .collect()
}

fn regressions(target: &str, trial: fn(&[u8])) {
    for file in files(&format!("fuzz/regressions/{target}")) {
        trial(&fs::read(file).unwrap());
    }
}

/// Few bytes of a sound hive become others: a field, a size, an offset.
fn mutations(trial: fn(&[u8])) {
    mutate(&hives(), trial);
}

fn hives() -> Vec<Vec<u8>> {
    let files = files("testdata/hives");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A log of each format that brings a bundled hive to another state.
fn logs() -> Vec<Vec<u8>> {
    let before = fs::read(repository("testdata/hives/v1.5")).unwrap();
    let mut editor = Editor::open(before.clone(), 1).unwrap();
    for number in 0..60 {
        let name = Name::from(format!("a key that fills the hive {number}").as_str());
        editor.create_key(&[name]).unwrap();
    }
    let after = editor.seal(0).unwrap().image;
    let between = editor_state(&before);
    let new = NewLog::new(&before, 2).entry(&before, &between, 2);
    let new = new.entry(&between, &after, 3);
    vec![new.bytes, old_log(&before, &after, 2, 512, 1)]
}

fn editor_state(before: &[u8]) -> Vec<u8> {
    let mut editor = Editor::open(before.to_vec(), 1).unwrap();
    editor.create_key(&[Name::from("one")]).unwrap();
    editor.seal(0).unwrap().image
}

fn mutate(seeds: &[Vec<u8>], trial: fn(&[u8])) {
    assert!(!seeds.is_empty());
    let patch = (
        any::<prop::sample::Index>(),
        prop_oneof![
            any::<u32>(),
            prop::sample::select(vec![
                0,
                1,
                4,
                8,
                0x7FFF_FFFF,
                0x8000_0000,
                0xFFFF_FFFF,
                0xFFFF_FFF8
            ]),
            (0_u32..0x3000).prop_map(|offset| offset * 8),
        ],
        1_usize..5,
    );
    let plan = (
        any::<prop::sample::Index>(),
        prop::collection::vec(patch, 1..5),
        any::<[u8; 64]>(),
    );
    let config = Config {
        cases: 3000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&plan, |(seed, patches, script)| {
            let mut bytes = seed.get(seeds).clone();
            for (place, value, width) in patches {
                let at = place.index(bytes.len() - 4);
                bytes[at..at + width.min(4)].copy_from_slice(&value.to_le_bytes()[..width.min(4)]);
            }
            bytes.extend(script);
            trial(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn walk() {
    regressions("walk", trial::walk);
    mutations(trial::walk);
}

#[test]
fn check() {
    regressions("check", trial::check);
    mutations(trial::check);
}

#[test]
fn edit() {
    regressions("edit", trial::edit);
    mutations(trial::edit);
}

#[test]
fn recover() {
    regressions("recover", trial::recover);
    for log in logs() {
        trial::recover(&log);
    }
    mutate(&logs(), trial::recover);
}

#[test]
fn mend() {
    regressions("mend", trial::mending);
    mutations(trial::mending);
}

/// A group policy file with an entry of every kind.
fn policies() -> Vec<Vec<u8>> {
    let key = "SOFTWARE\\Policies\\Acme";
    let names = [
        "Plain",
        "**del.Gone",
        "**soft.Soft",
        "**delvals.",
        "**DeleteValues",
        "**DeleteKeys",
        "**SecureKey",
        "**Comment:x",
    ];
    let file = names
        .iter()
        .fold(registry_pol_file::header(), |file, name| {
            registry_pol_file::entry(file, key, name, 1, b"a\0;\0b\0\0\0")
        });
    vec![file]
}

#[test]
fn registry_pol() {
    regressions("registry_pol", trial::registry_pol);
    for file in policies() {
        trial::registry_pol(&file);
    }
    mutate(&policies(), trial::registry_pol);
}

/// Writes the logs that a fuzz run of `recover` starts from, where it is asked to.
#[test]
fn seeds() {
    let Some(folder) = std::env::var_os("HIVEMEND_FUZZ_SEEDS") else {
        return;
    };
    for (number, log) in logs().iter().enumerate() {
        fs::write(Path::new(&folder).join(format!("log{number}")), log).unwrap();
    }
}

#[test]
fn explain() {
    regressions("explain", trial::explain);
    let list = include_str!("../testdata/explain/texts.tsv");
    let texts = list.lines().filter_map(|line| line.splitn(4, '\t').nth(3));
    let texts: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).collect();
    let long: Vec<Vec<u8>> = texts.into_iter().filter(|text| text.len() > 8).collect();
    // A twentieth of the mutations: each is looked up twice, word by word.
    for text in long.iter().step_by(3) {
        for at in 0..text.len() {
            let mut mutated = text.clone();
            mutated[at] = mutated[at].wrapping_mul(31).wrapping_add(7);
            if at % 9 == 0 {
                trial::explain(&mutated);
            }
        }
        trial::explain(text);
    }
}

/// A file in each language that is imported.
fn foreign() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = files("testdata/import")
        .iter()
        .map(|file| fs::read(file).unwrap())
        .collect();
    let script = r#"
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\TermService'
if (-not (Test-Path $key)) { $null = New-Item -Path $key }
Set-ItemProperty -Path "$key" -Name Start -Type DWord -Value 0x3
New-ItemProperty $key Data -PropertyType Binary -Value ([byte[]](1,2)) -Force
Remove-ItemProperty -LiteralPath $key -Name 'a','b'; Remove-Item -Path $key -Recurse
"#;
    seeds.push(script.as_bytes().to_vec());
    seeds.extend(policies());
    seeds
}

#[test]
fn import() {
    regressions("import", trial::import);
    for file in foreign() {
        trial::import(&file);
    }
    // Short ones: each is read five times.
    let short: Vec<Vec<u8>> = foreign()
        .into_iter()
        .map(|file| file.into_iter().take(1500).collect())
        .collect();
    mutate(&short, trial::import);
}
