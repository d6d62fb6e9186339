// SPDX-License-Identifier: GPL-3.0-or-later
//! Twice the work costs about twice as much, whatever it is more of: counted in instructions, so that
//! no clock and no other load decides. `benches/cost` measures the same in seconds, much larger.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::instructions::{count, skip_without_counts};
use crate::registry_pol_file::{entry, header};
use crate::workbench::{SOFTWARE, SYSTEM, bundled, edited};
use hivemend::regf::{Hive, Name, NodePath};

/// The smaller of both sizes. The start of the process is in both counts, so that a growth with the
/// square of the size would show as a little less than fourfold.
const SIZE: u32 = 600;
/// The most that twice the size may cost: a logarithm and a table that grows by doubling are in it.
const MOST: f64 = 2.6;

/// What there is more of: the disk, and the words of the command.
type Work = fn(&Path, u32) -> Vec<String>;

#[test]
fn twice_the_work_costs_about_twice_as_much() {
    if skip_without_counts() {
        return;
    }
    let cases: [(&str, Work); 10] = [
        ("values that change in one key", existing_values),
        ("values that are made in a new key", new_values),
        ("values that are deleted", deleted_values),
        ("keys that are made", created_keys),
        ("keys of 400 levels", deep_keys),
        ("control sets, for diagnose", control_sets),
        ("names in one **DeleteKeys", deleted_by_policy),
        ("profiles that include the same others", includes),
        ("choices of one condition", choices),
        ("backups of other disks in one folder", backups),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, work) in cases {
        let counts = [1, 2].map(|factor| {
            let place = folder.path().join(format!("{name} {factor}"));
            fs::create_dir_all(place.join("Windows/System32/config")).unwrap();
            let words = work(&place, factor);
            count(&words, folder.path())
        });
        let [once, twice] = counts.map(|count| f64::from(u32::try_from(count / 1000).unwrap()));
        println!("{name}: {once:.0} thousand instructions, {twice:.0} for twice as much");
        assert!(twice <= once * MOST, "{name}: {once:.0} and {twice:.0}");
    }
}

fn disk(place: &Path, system: &[u8]) {
    let config = place.join("Windows/System32/config");
    fs::write(config.join("SYSTEM"), system).unwrap();
    fs::write(config.join("SOFTWARE"), bundled(SOFTWARE)).unwrap();
}

fn plan(place: &Path, keys: &str) -> Vec<String> {
    let profile = place.join("profile.yaml");
    let head = "schema: hivemend.profile/1\nid: many\ntitle: Many\nsource: a test\n\
                symptoms: [ none ]\nkeys:\n";
    fs::write(&profile, format!("{head}{keys}")).unwrap();
    let words = [
        "plan",
        &place.display().to_string(),
        "-p",
        &profile.display().to_string(),
    ];
    words.map(str::to_owned).to_vec()
}

fn values(key: &str, number: u32, what: &str) -> String {
    let mut text = format!("  - key: {key}\n    values:\n");
    for number in 0..number {
        writeln!(text, "      - {{ name: v{number}, {what}, why: w }}").unwrap();
    }
    text
}

const MANY: &str = r"HKLM\SYSTEM\Setup\Many";

fn with_values(place: &Path, number: u32) {
    let image = edited(&bundled(SYSTEM), |editor| {
        let key = NodePath::from(r"Setup\Many");
        editor.create_key(&key).unwrap();
        for number in 0..number {
            let name = Name::from(format!("v{number}").as_str());
            editor
                .set_value(&key, &name, 4, &number.to_le_bytes())
                .unwrap();
        }
    });
    disk(place, &image);
}

fn existing_values(place: &Path, factor: u32) -> Vec<String> {
    with_values(place, SIZE * factor);
    plan(place, &values(MANY, SIZE * factor, "dword: 0xFFFFFFFF"))
}

fn new_values(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    plan(place, &values(MANY, SIZE * factor, "dword: 1"))
}

fn deleted_values(place: &Path, factor: u32) -> Vec<String> {
    with_values(place, SIZE * factor);
    plan(place, &values(MANY, SIZE * factor, "absent: true"))
}

fn created_keys(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let keys =
        (0..SIZE * factor).map(|number| values(&format!(r"{MANY}\k{number}"), 1, "dword: 1"));
    plan(place, &keys.collect::<String>())
}

fn deep_keys(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let way = vec!["a"; 400].join("\\");
    let keys = (0..20 * factor).map(|number| {
        let key = format!(r"HKLM\SOFTWARE\{way}\b{number}");
        values(&key, 1, "dword: 1")
    });
    plan(place, &keys.collect::<String>())
}

fn control_sets(place: &Path, factor: u32) -> Vec<String> {
    let sample = bundled(SYSTEM);
    let hive = Hive::open(&sample).unwrap();
    let first = hive.find(&[Name::from("ControlSet001")]).unwrap().unwrap();
    let image = edited(&sample, |editor| {
        for number in 3..3 + 25 * factor {
            let path = NodePath::from(format!("ControlSet{number:03}").as_str());
            editor.copy_key(&hive, &first, &path).unwrap();
        }
    });
    disk(place, &image);
    vec!["diagnose".to_owned(), place.display().to_string()]
}

fn deleted_by_policy(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let names: Vec<String> = (0..SIZE * 4 * factor)
        .map(|number| format!("n{number:06}"))
        .collect();
    let list = names.join(";") + "\0";
    let data: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let key = "SOFTWARE\\Policies\\Microsoft";
    let policy = entry(header(), key, "**DeleteKeys", 1, &data);
    let folder = place.join("Windows/System32/GroupPolicy/Machine");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("Registry.pol"), policy).unwrap();
    vec!["diagnose".to_owned(), place.display().to_string()]
}

/// One condition with thousands of choices.
fn choices(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let choices: Vec<String> = (0..SIZE * 4 * factor)
        .map(|number| format!("{{dword: {number}}}"))
        .collect();
    let when = format!(
        "    when:\n      - key: {MANY}\n        value: v\n        is: [ {} ]\n",
        choices.join(", ")
    );
    let key = values(MANY, 1, "dword: 1");
    plan(
        place,
        &key.replacen("    values:", &(when + "    values:"), 1),
    )
}

/// Newer backups of other disks, in the folder that this disk's backup is in.
fn backups(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let [target, folder] = [place, &place.join("backups")].map(|place| place.display().to_string());
    let words = |command: &str, more: &[&str]| {
        let place = [command, &target, "--backup-dir", &folder, "--yes"];
        let words = place.iter().chain(more);
        words.map(|&word| word.to_owned()).collect::<Vec<String>>()
    };
    let mut apply = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    let applied = apply
        .args(words("apply", &["-p", "rdp-disconnects"]))
        .output();
    assert!(applied.unwrap().status.success());
    let made = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let id = made.file_name().into_string().unwrap();
    let manifest = fs::read_to_string(made.path().join("manifest.json")).unwrap();
    let digest = |file: &str| {
        let (_, record) = manifest.split_once(&format!(r#""file":"{file}""#)).unwrap();
        let (_, after) = record.split_once(r#""after":"#).unwrap();
        let (_, digest) = after.split_once(r#""sha256":""#).unwrap();
        digest[..64].to_owned()
    };
    let foreign = manifest.replace(&digest("SYSTEM"), &"5".repeat(64));
    for number in 0..60 * factor {
        let other = format!("2099-01-01T00-{:02}-{:02}Z", number / 60, number % 60);
        let sequence = format!(r#""sequence":{}"#, number + 2);
        let foreign = foreign
            .replace(&id, &other)
            .replace(r#""sequence":1"#, &sequence);
        let place = Path::new(&folder).join(&other);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("manifest.json"), foreign).unwrap();
        for hive in ["SYSTEM", "SOFTWARE"] {
            fs::copy(made.path().join(hive), place.join(hive)).unwrap();
        }
    }
    words("restore", &[])
}

/// Profiles that each include the same twenty others, which are read once.
fn includes(place: &Path, factor: u32) -> Vec<String> {
    disk(place, &bundled(SYSTEM));
    let head = |id: String| {
        format!(
            "schema: hivemend.profile/1\nid: {id}\ntitle: One of many\nsource: a test\n\
             symptoms: [ none ]\n"
        )
    };
    let number = 20 * factor;
    const OTHERS: u32 = 20;
    let rule = |id: &str| format!("keys:\n{}", values(&format!(r"{MANY}\{id}"), 1, "dword: 1"));
    let others: String = (0..OTHERS)
        .map(|one| format!("  - ./other-{one}.yaml\n"))
        .collect();
    let mut words = vec!["plan".to_owned(), place.display().to_string()];
    for one in 0..OTHERS {
        let other = head(format!("other-{one}")) + &rule(&format!("o{one}"));
        fs::write(place.join(format!("other-{one}.yaml")), other).unwrap();
    }
    for one in 0..number {
        let by = head(format!("by-{one}")) + "include:\n" + &others + &rule(&format!("b{one}"));
        let file = place.join(format!("by-{one}.yaml"));
        fs::write(&file, by).unwrap();
        words.extend(["-p".to_owned(), file.display().to_string()]);
    }
    words
}
