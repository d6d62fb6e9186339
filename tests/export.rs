// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan in another tool's language, read back, is the same plan: of every built-in profile, on every
//! disk that there is, and of any names and data.

#![cfg(not(windows))]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hivemend::import::{DraftWant, Options as Reading, draft, read};
use hivemend::machine::{Condition, HiveInput, Selection, State, Value};
use hivemend::plan::{Action, Change, Options, Plan, build};
use hivemend::profile::{Data, HiveName, Profile, builtin, load_all, parse};
use hivemend::regf::{Hive, Name, NodePath};
use hivemend::report::{
    ExportFormat, ExportPlace, ProfileHead, export, export_file, imported_yaml,
};
use proptest::prelude::*;

use crate::bench::Bench;

/// The hives of a disk.
struct Disk(Vec<(HiveName, Vec<u8>)>);

impl Disk {
    fn read(root: &Path) -> Option<Self> {
        let config = [
            "Windows/System32/config",
            "WINDOWS/system32/config",
            "WINNT/system32/config",
        ];
        let config = config
            .iter()
            .map(|folder| root.join(folder))
            .find(|folder| folder.is_dir())?;
        let mut hives = Vec::new();
        for name in HiveName::ALL {
            let file = ["", "lower"].iter().map(|case| match *case {
                "" => config.join(name.to_string()),
                _ => config.join(name.to_string().to_lowercase()),
            });
            let file: PathBuf = file.into_iter().find(|file| file.is_file())?;
            hives.push((name, fs::read(file).ok()?));
        }
        let disk = Self(hives);
        disk.inputs().is_some().then_some(disk)
    }

    fn inputs(&self) -> Option<Vec<HiveInput<'_>>> {
        let inputs = self.0.iter().map(|(name, image)| {
            let hive = Hive::open(image).ok()?;
            Some(HiveInput::new(
                *name,
                name.to_string().into(),
                hive,
                Condition::Clean,
            ))
        });
        inputs.collect()
    }

    fn plan(&self, profiles: &[Profile]) -> Option<Plan> {
        let target = "test".to_owned().into();
        let selection = Selection::Each;
        build(profiles, &self.inputs()?, &Options { target, selection }).ok()
    }
}

fn disks() -> Vec<(String, Disk)> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/osdisk");
    let mut disks = vec![("osdisk".to_owned(), Disk::read(&sample).unwrap())];
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS") else {
        let said = "SKIPPED: HIVEMEND_CORPUS is not set, plans of the sample disk only\n";
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::stderr().write_all(said.as_bytes());
        return disks;
    };
    let entries = fs::read_dir(PathBuf::from(corpus).join("disks")).unwrap();
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        disks.extend(Disk::read(&entry.path()).map(|disk| (name, disk)));
    }
    disks
}

/// The profile that an exported file makes.
fn read_back(bytes: &[u8]) -> Profile {
    let import = read(bytes, "exported", &Reading::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(import.mistakes.is_empty(), "{:?}", import.mistakes);
    let draft = draft(&[import]).unwrap_or_else(|errors| panic!("{errors}"));
    let head = ProfileHead {
        id: "back".to_owned(),
        title: "Back".to_owned(),
        source: "exported".to_owned(),
        undo: "undo".to_owned(),
    };
    let text = imported_yaml(&head, &draft);
    parse(text.as_bytes(), "back").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// What a plan does, without who wants it and why.
fn deeds(plan: &Plan) -> BTreeSet<String> {
    let deed = |change: &Change| {
        let Change {
            hive,
            key,
            value,
            action,
            before,
            after,
            lowers_security,
            ..
        } = change;
        let name = value.as_ref().map(Name::folded);
        format!(
            "{hive} {} {name:?} {action:?} {before:?} {after:?} {lowers_security}",
            key.text()
        )
    };
    plan.changes.iter().map(deed).collect()
}

#[test]
fn plans_of_all_profiles_come_back_the_same() {
    let (mut same, mut unsayable) = (0, BTreeSet::new());
    for (name, disk) in disks() {
        for known in builtin() {
            let profiles = load_all(&[known.id.to_owned()]).unwrap();
            let Some(plan) = disk.plan(&profiles).filter(|plan| plan.blocked.is_empty()) else {
                continue;
            };
            if plan.changes.is_empty() {
                continue;
            }
            for format in ExportFormat::ALL {
                let text = match export(&plan, format, ExportPlace::Offline) {
                    Ok(text) => text,
                    Err(error) => {
                        assert_ne!(format, ExportFormat::Reg, "{name} {}: {error}", known.id);
                        unsayable.insert(format!("{} {}: {error}", format.as_str(), known.id));
                        continue;
                    }
                };
                let profile = read_back(&export_file(&text, format));
                let back = disk.plan(&[profile]).unwrap();
                let at = format!("{name} {} {}", known.id, format.as_str());
                assert_eq!(deeds(&back), deeds(&plan), "{at}\n{text}");
                same += 1;
            }
        }
    }
    assert!(same > 100, "{same}");
    assert!(unsayable.len() < 20, "{unsayable:#?}");
}

#[test]
fn for_the_running_machine_there_is_one_control_set() {
    let (_, disk) = disks().swap_remove(0);
    let plan = disk
        .plan(&load_all(&["rdp-disconnects".to_owned()]).unwrap())
        .unwrap();
    let mut current = plan.clone();
    current
        .changes
        .retain(|change| change.control_set.as_deref() != Some("ControlSet002"));
    assert!(current.changes.len() < plan.changes.len());
    for format in ExportFormat::ALL {
        let text = export(&plan, format, ExportPlace::Online).unwrap();
        assert!(
            !text.contains("BROKEN") && !text.contains("ControlSet00"),
            "{text}"
        );
        assert!(text.contains("Restart the machine afterwards"), "{text}");
        let profile = read_back(&export_file(&text, format));
        let back = disk.plan(&[profile]).unwrap();
        let here = deeds(&current);
        assert!(deeds(&back).is_superset(&here), "{text}");
    }
}

/// Names and texts of what is hard to write.
fn odd() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "B", " ", "\\0", "\"", "'", "''", "%", "%x%", "^", "&", "|", "<", ">", "[", "]", "(",
        ")", "{", "}", ";", ",", "#", "@", "$x", "`", "\u{2018}", "\u{201d}", "ä", "𝄞", "-", "/f",
        "=", ":", "*x", "?", "[[", "\u{202e}", "\u{feff}", "reg add", "~",
    ]);
    prop::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat())
}

fn odd_data() -> impl Strategy<Value = Data> {
    prop_oneof![
        odd().prop_map(Data::Sz),
        (odd(), odd()).prop_map(|(a, b)| Data::ExpandSz(format!("{a}\\{b}\\"))),
        any::<u32>().prop_map(Data::Dword),
        any::<u64>().prop_map(Data::Qword),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Data::Binary),
        prop::collection::vec(odd(), 0..4).prop_map(Data::MultiSz),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Data::None),
        "[\\r\\n\\t a-z\"\\\\]{0,8}".prop_map(Data::Sz),
        any::<u32>().prop_map(Data::DwordBigEndian),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Data::Other {
            kind: 0xFFFF_0010,
            bytes
        }),
    ]
}

fn plan_of(key: &str, name: &str, data: &Data) -> Plan {
    let change = Change {
        profile: "x".to_owned(),
        hive: HiveName::Software,
        control_set: None,
        key: [Name::from("Acme"), Name::from(key)]
            .into_iter()
            .collect::<NodePath>(),
        value: Some(Name::from(name)),
        action: Action::Set,
        before: None,
        after: Some(State::Value(Value {
            kind: data.kind(),
            data: data.bytes(),
        })),
        lowers_security: false,
        cause: None,
        note: Arc::from("why & %how% > \u{2028}"),
    };
    Plan {
        target: "x".into(),
        hives: Vec::new(),
        profiles: Vec::new(),
        changes: vec![change],
        matches: 0,
        skipped: Vec::new(),
        blocked: Vec::new(),
        unjudged: 0,
        warnings: Vec::new(),
        metadata: None,
    }
}

/// Whether there is something in a change that the language cannot say. Anything else must be said.
fn may_refuse(format: ExportFormat, key: &str, name: &str, data: &Data) -> bool {
    let texts = match data {
        Data::Sz(text) | Data::ExpandSz(text) => vec![text.as_str()],
        Data::MultiSz(members) => members.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let mut texts = texts.into_iter().chain([key, name]);
    let is_odd = matches!(data, Data::DwordBigEndian(_) | Data::Other { .. });
    match format {
        ExportFormat::Reg => false,
        ExportFormat::Dsc => true,
        ExportFormat::PowerShell => is_odd || texts.any(|text| text.contains(char::is_control)),
        ExportFormat::Cmd => {
            let is_list = matches!(data, Data::MultiSz(_) | Data::None(_));
            is_odd
                || is_list
                || texts.any(|text| text.contains(char::is_control) || text.contains('"'))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written is read back as it was, or refused when it is written.
    #[test]
    fn any_value_comes_back_or_is_refused(key in odd(), name in odd(), data in odd_data()) {
        prop_assume!(!key.contains(['\\', '\0']));
        let plan = plan_of(&key, &name, &data);
        for format in ExportFormat::ALL {
            let text = match export(&plan, format, ExportPlace::Offline) {
                Ok(text) => text,
                Err(error) => {
                    prop_assert_ne!(format, ExportFormat::Reg);
                    prop_assert!(may_refuse(format, &key, &name, &data), "{}", error);
                    continue;
                }
            };
            let file = export_file(&text, format);
            let import = match read(&file, "x", &Reading::default()) {
                Ok(import) => import,
                Err(errors) => {
                    let said = errors.to_string();
                    // A key that a profile takes for many is one that it cannot say.
                    prop_assert!(said.contains("for every key at its place"), "{}\n{}", said, text);
                    continue;
                }
            };
            prop_assert!(import.mistakes.is_empty(), "{:?}\n{}", import.mistakes, text);
            let draft = draft(&[import]).unwrap();
            let [read_key] = draft.keys.as_slice() else { panic!("{draft:?}") };
            prop_assert_eq!(read_key.path.to_string(), format!("HKLM\\SOFTWARE\\Acme\\{key}"), "{}", text);
            prop_assert_eq!(&read_key.values[0].name, &name, "{}", text);
            prop_assert_eq!(&read_key.values[0].want, &DraftWant::Data(data.clone()), "{}", text);
        }
    }
}

#[test]
fn the_command_prints_it_or_writes_a_file_of_its_own() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    for (format, sign) in [
        ("reg", "Windows Registry Editor Version 5.00\n"),
        ("cmd", "REG ADD \"HKLM\\BROKENSYSTEM\\ControlSet001\\"),
        (
            "powershell",
            "Set-ItemProperty -LiteralPath 'Registry::HKEY_LOCAL_MACHINE\\BROKENSYSTEM",
        ),
        ("dsc", "type: Microsoft.Windows/Registry\n"),
    ] {
        let args = ["-p", "rdp-disconnects", "--format", format];
        let printed = bench.run("plan", &args).expect(0).stdout;
        assert!(printed.contains(sign), "{printed}");
        assert!(printed.contains("LOWERS SECURITY"), "{printed}");
        let file = bench.beside(&format!("out.{format}"));
        let named = [&args[..], &["-o", file.to_str().unwrap()]].concat();
        bench.run("plan", &named).expect(0);
        bench.run("plan", &named).expect(3);
        let mut typed = vec!["-p", file.to_str().unwrap(), "--exit-code"];
        bench.run("plan", &typed).expect(1);
        typed.truncate(2);
        let online = [&args[..], &["--online"]].concat();
        let online = bench.run("plan", &online).expect(0).stdout;
        assert!(
            online.contains("CurrentControlSet") && !online.contains("BROKEN"),
            "{online}"
        );
    }
    bench
        .run("plan", &["-p", "rdp-disconnects", "--online"])
        .expect(2);
    assert_eq!(bench.snapshot(), before);
}
