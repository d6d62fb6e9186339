// SPDX-License-Identifier: GPL-3.0-or-later
//! Random sequences of edits against a simple model: after each edit the structural check is clean,
//! nt-hive reads what we read, and the tree is the model's.
//!
//! Runs on an empty hive of each format version and, where `HIVEMEND_CORPUS` is set, on real ones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::empty_hive;
use hivemend::edit::Editor;
use hivemend::regf::{self, Hive, Name};
use hivemend::verify::verify;
use proptest::prelude::*;

const NOW: u64 = 0x01DC_5A00_0000_0000;

#[derive(Clone, Debug, PartialEq, Default)]
struct ModelKey {
    name: String,
    /// In order of creation, as the registry keeps them.
    values: Vec<(String, u32, Vec<u8>)>,
    subkeys: BTreeMap<Vec<u16>, ModelKey>,
}

#[derive(Clone, Debug)]
enum Edit {
    Set(Vec<String>, String, u32, Data),
    Unset(Vec<String>, String),
    Create(Vec<String>),
    Delete(Vec<String>),
    /// Many subkeys at once, so that lists split.
    Fill(Vec<String>, u16),
}

/// Data of this many bytes, each telling its place.
#[derive(Clone, Debug)]
struct Data(usize, u8);

impl Data {
    fn bytes(&self) -> Vec<u8> {
        (0..self.0)
            .map(|at| (at / 251 + at) as u8 ^ self.1)
            .collect()
    }
}

fn folded(name: &str) -> Vec<u16> {
    name.encode_utf16().map(regf::upcase).collect()
}

fn names(path: &[String]) -> Vec<Name> {
    path.iter().map(|name| Name::from(name.as_str())).collect()
}

impl ModelKey {
    fn read(hive: &Hive<'_>, at: regf::CellOffset) -> Self {
        let key = hive.key(at).unwrap();
        let mut model = Self {
            name: key.name().to_name().to_string(),
            ..Self::default()
        };
        for value in hive.values(&key).unwrap() {
            let value = hive.value(value).unwrap();
            let data = hive.data(&value).unwrap().into_owned();
            let name = value.name().to_name().to_string();
            model.values.push((name, value.kind(), data));
        }
        for subkey in hive.subkeys(&key).unwrap() {
            let subkey = Self::read(hive, subkey);
            model.subkeys.insert(folded(&subkey.name), subkey);
        }
        model
    }

    fn find(&mut self, path: &[String]) -> Option<&mut Self> {
        let mut key = self;
        for name in path {
            key = key.subkeys.get_mut(&folded(name))?;
        }
        Some(key)
    }

    fn create(&mut self, path: &[String]) -> usize {
        let mut made = 0;
        let mut key = self;
        for name in path {
            key = key.subkeys.entry(folded(name)).or_insert_with(|| {
                made += 1;
                let name = name.clone();
                Self {
                    name,
                    ..Self::default()
                }
            });
        }
        made
    }

    fn set(&mut self, name: &str, kind: u32, data: Vec<u8>) -> bool {
        let mut values = self.values.iter_mut();
        match values.find(|(found, ..)| folded(found) == folded(name)) {
            Some((_, old_kind, old)) if *old_kind == kind && *old == data => return false,
            Some((_, old_kind, old)) => (*old_kind, *old) = (kind, data),
            None => self.values.push((name.to_owned(), kind, data)),
        }
        true
    }
}

/// Makes the edit in the hive and in the model; both must say the same about it.
fn make(edit: &Edit, editor: &mut Editor, model: &mut ModelKey) {
    match edit {
        Edit::Set(path, name, kind, data) => {
            let result = editor.set_value(
                &names(path),
                &Name::from(name.as_str()),
                *kind,
                &data.bytes(),
            );
            match model.find(path) {
                Some(key) => assert_eq!(result.unwrap(), key.set(name, *kind, data.bytes())),
                None => assert!(result.is_err()),
            }
        }
        Edit::Unset(path, name) => {
            let gone = editor
                .delete_value(&names(path), &Name::from(name.as_str()))
                .unwrap();
            let expected = model.find(path).is_some_and(|key| {
                let before = key.values.len();
                key.values
                    .retain(|(found, ..)| folded(found) != folded(name));
                key.values.len() < before
            });
            assert_eq!(gone, expected);
        }
        Edit::Create(path) => {
            assert_eq!(editor.create_key(&names(path)).unwrap(), model.create(path));
        }
        Edit::Delete(path) => {
            let gone = editor.delete_key(&names(path)).unwrap();
            let (name, above) = path.split_last().unwrap();
            let parent = model.find(above);
            let expected = parent.is_some_and(|key| key.subkeys.remove(&folded(name)).is_some());
            assert_eq!(gone, expected);
        }
        Edit::Fill(path, count) => {
            for number in 0..*count {
                let mut path = path.clone();
                path.push(format!("{:04}", number.wrapping_mul(7919) % 10_000));
                assert_eq!(
                    editor.create_key(&names(&path)).unwrap(),
                    model.create(&path)
                );
            }
        }
    }
}

/// Makes each edit in an editor of its own, and judges each result.
fn run(image: Vec<u8>, edits: &[Edit]) {
    let hive = Hive::open(&image).unwrap();
    let mut model = ModelKey::read(&hive, hive.base().root);
    let mut image = image;
    for edit in edits {
        let before = image.clone();
        let mut editor = Editor::open(image, NOW).unwrap();
        let earlier = editor.report_before().clone();
        let untouched = model.clone();
        make(edit, &mut editor, &mut model);
        let sealed = editor.seal(0).unwrap();
        image = sealed.image;
        assert!(sealed.report.first_new_since(&earlier).is_none());
        verify(&image, &[]).unwrap();
        let hive = Hive::open(&image).unwrap();
        assert_eq!(
            ModelKey::read(&hive, hive.base().root),
            model,
            "after {edit:?}"
        );
        if untouched == model {
            assert!(before == image, "{edit:?} changed nothing but the bytes");
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    let few = prop::sample::select(vec![
        "a",
        "B",
        "c_",
        "c:",
        "Épée",
        "épÉE",
        "ключ",
        "ß",
        "名前",
        "Ａ",
        "x y",
        "\u{1F600}",
    ]);
    prop_oneof![4 => few.prop_map(str::to_owned), 1 => "[a-zA-Z0-9]{1,40}"]
}

fn value_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => name(), 1 => Just(String::new()), 1 => "[a-zé]{60,120}"]
}

fn path() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 1..4)
}

fn data() -> impl Strategy<Value = Data> {
    let edges = vec![
        0, 1, 3, 4, 5, 8, 12, 13, 4000, 4064, 4065, 16337, 16340, 16343, 16344, 16345, 32688,
        32689, 50000, 70000,
    ];
    let size =
        prop_oneof![3 => prop::sample::select(edges), 2 => 0_usize..64, 1 => 0_usize..40_000];
    (size, any::<u8>()).prop_map(|(size, salt)| Data(size, salt))
}

fn edit() -> impl Strategy<Value = Edit> {
    let kind = prop_oneof![3 => 0_u32..12, 1 => any::<u32>()];
    prop_oneof![
        8 => (path(), value_name(), kind, data()).prop_map(|(p, n, k, d)| Edit::Set(p, n, k, d)),
        3 => (path(), value_name()).prop_map(|(p, n)| Edit::Unset(p, n)),
        5 => path().prop_map(Edit::Create),
        3 => path().prop_map(Edit::Delete),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 1..24)
}

fn empty(minor: u32) -> Vec<u8> {
    let (root, file_name, time) = ("model", "model", NOW);
    empty_hive::EmptyHive {
        minor,
        root,
        file_name,
        time,
    }
    .build()
}

/// A hive of this version with something of everything in it.
fn furnished(minor: u32) -> Vec<u8> {
    let mut editor = Editor::open(empty(minor), NOW).unwrap();
    for parent in ["a", "B", "ключ"] {
        for child in ["a", "c_", "Épée", "名前"] {
            let path = names(&[parent.to_owned(), child.to_owned()]);
            editor.create_key(&path).unwrap();
            for size in [0, 4, 40, 16_344, 16_345, 40_000] {
                let name = Name::from(format!("v{size}").as_str());
                editor
                    .set_value(&path, &name, 3, &Data(size, 1).bytes())
                    .unwrap();
            }
        }
    }
    editor.seal(0).unwrap().image
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn empty_hive_1_3(edits in edits()) { run(empty(3), &edits); }

    #[test]
    fn empty_hive_1_5(edits in edits()) { run(empty(5), &edits); }

    #[test]
    fn furnished_hive_1_3(edits in edits()) { run(furnished(3), &edits); }

    #[test]
    fn furnished_hive_1_4(edits in edits()) { run(furnished(4), &edits); }

    #[test]
    fn furnished_hive_1_5(edits in edits()) { run(furnished(5), &edits); }

    #[test]
    fn furnished_hive_1_6(edits in edits()) { run(furnished(6), &edits); }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn full_lists_split_and_shrink(minor in 3_u32..7, count in 400_u16..2600, edits in edits()) {
        let mut all = vec![Edit::Create(vec!["a".into()]), Edit::Fill(vec!["a".into()], count)];
        all.extend(edits);
        all.push(Edit::Delete(vec!["a".into()]));
        run(empty(minor), &all);
    }
}

/// A small real hive of each kind, edited below its root like the made ones.
#[test]
fn corpus_hives() {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from) else {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS is not set, no real hives to edit\n",
        );
        return;
    };
    let hives = [
        ("disks/nt4-sp3/WINNT/system32/config/software", 12),
        ("hives/odd/ManySubkeysHive", 24),
        ("hives/odd/BigDataHive", 120),
        ("hives/odd/UnicodeHive", 120),
        ("hives/odd/OffHive", 120),
        ("hives/odd/System_Delta", 24),
    ];
    for (path, cases) in hives {
        let image = std::fs::read(corpus.join(path)).unwrap();
        let config = ProptestConfig {
            cases,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        runner
            .run(&edits(), |edits| {
                run(image.clone(), &edits);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
