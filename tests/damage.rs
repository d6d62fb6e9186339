// SPDX-License-Identifier: GPL-3.0-or-later
//! Hives that are damaged, or older than their logs: refused, unless somebody says in words that
//! going on is right; and even then what is damaged is left alone and never gets worse.

use std::fs;
use std::path::Path;

use hivemend::edit::Editor;
use hivemend::regf::{CellOffset, Hive, Name, check};

use crate::bench::{Bench, Ended, hivemend};
use crate::transaction_log::{NewLog, dirty};

/// Far from everything that a profile is about.
const ELSEWHERE: (&str, &str) = (r"ControlSet001\Control\CrashControl", "DumpFile");
/// Changed by the profile.
const LISTENER: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];

fn path(key: &str) -> Vec<Name> {
    key.split('\\').map(Name::from).collect()
}

/// Where the payload of a cell begins in the file.
fn payload(at: CellOffset) -> usize {
    usize::try_from(at.in_file().0).unwrap() + 4
}

/// Where the value's record begins in the file.
fn value_record(image: &Vec<u8>, (key, value): (&str, &str)) -> usize {
    let hive = Hive::open(image).unwrap();
    let key = hive.find(&path(key)).unwrap().unwrap();
    let value = hive.find_value(&key, &Name::from(value)).unwrap();
    payload(value.unwrap().at())
}

/// Lets the value's data lie outside of the hive.
fn lose_data(image: &mut Vec<u8>, of: (&str, &str)) {
    let record = value_record(image, of);
    image[record + 8..record + 12].copy_from_slice(&0x6000_0000_u32.to_le_bytes());
}

fn damage(file: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut image = fs::read(file).unwrap();
    assert!(check(&image).is_sound());
    damage(&mut image);
    assert!(!check(&image).is_sound());
    fs::write(file, image).unwrap();
}

fn apply(bench: &Bench, more: &[&str]) -> Ended {
    bench.run("apply", &[&APPLY, more].concat())
}

/// Refused as `word` says, with every flag there is, and nothing touched.
fn refused_in_any_case(bench: &Bench, word: &str) {
    let before = bench.snapshot();
    let flags = [
        "--accept-damage",
        "--accept-unrecovered",
        "--accept-hibernated",
        "--accept-newer-logs",
    ];
    let ended = apply(bench, &flags).expect(3);
    assert!(ended.stderr.contains(word), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn damage_elsewhere_is_refused_until_it_is_accepted_and_then_stays_as_it_is() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    damage(&file, |image| lose_data(image, ELSEWHERE));
    let original = fs::read(&file).unwrap();
    let before = bench.snapshot();

    let ended = apply(&bench, &[]).expect(3);
    assert!(ended.stderr.contains("cell-out-of-range"), "{ended:?}");
    assert!(ended.stderr.contains("--accept-damage"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);

    let ended = apply(&bench, &["--accept-damage"]).expect(0);
    assert!(ended.stderr.contains("damaged, and stays so"), "{ended:?}");
    let edited = fs::read(&file).unwrap();
    let (was, is) = (check(&original), check(&edited));
    assert_eq!(was.findings, is.findings);
    let record = value_record(&edited, ELSEWHERE);
    assert_eq!(edited[record..record + 20], original[record..record + 20]);
    bench
        .run("plan", &["-p", "rdp-disconnects", "--exit-code"])
        .expect(0);

    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(fs::read(&file).unwrap(), original);
}

#[test]
fn what_is_damaged_itself_is_never_edited() {
    let bench = Bench::sample();
    // It says that it is below another key, which no reader needs to know.
    damage(&bench.hive("SYSTEM"), |image| {
        let hive = Hive::open(image).unwrap();
        let key = hive.find(&path(LISTENER)).unwrap().unwrap();
        let (parent, root) = (payload(key.at()) + 16, hive.root().unwrap().at());
        image[parent..parent + 4].copy_from_slice(&root.0.to_le_bytes());
    });
    refused_in_any_case(&bench, r"\RDP-Tcp cannot be edited safely");
}

/// What two owners share, an edit of one would take from the other.
#[test]
fn a_hive_where_it_is_open_what_is_in_use_is_never_edited() {
    let bench = Bench::sample();
    damage(&bench.hive("SYSTEM"), |image| {
        let of = |value| (r"ControlSet001\Control", value);
        let one = value_record(image, of("SystemStartOptions"));
        let other = value_record(image, of("SystemBootDevice"));
        let data: [u8; 4] = image[one + 8..one + 12].try_into().unwrap();
        image[other + 8..other + 12].copy_from_slice(&data);
    });
    refused_in_any_case(&bench, "cell-shared");
}

/// A count that is too low: the record would be freed while keys still use it.
#[test]
fn keys_are_not_made_or_deleted_where_their_security_is_damaged() {
    let bench = Bench::sample();
    let count = |image: &mut Vec<u8>| {
        let hive = Hive::open(image).unwrap();
        let security = hive.root().unwrap().security();
        let at = payload(security);
        image[at + 12..at + 16].copy_from_slice(&1_u32.to_le_bytes());
    };
    damage(&bench.hive("SYSTEM"), count);
    let key = "  - key: HKLM\\SYSTEM\\ControlSet001\\Control\\Made\n    values: [ { name: a, dword: 1, why: w } ]\n";
    let profile = bench.profile("makes", key);
    let make = ["-p", &profile, "--yes", "--accept-damage"];
    let ended = bench.run("apply", &make).expect(3);
    assert!(ended.stderr.contains("security-count-low"), "{ended:?}");
    apply(&bench, &["--accept-damage"]).expect(0);
}

/// A hive whose logs make it a damaged one is not sealed as whole, whatever is accepted.
#[test]
fn a_recovered_hive_that_is_damaged_is_never_sealed() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let before = fs::read(&file).unwrap();
    let mut after = before.clone();
    lose_data(&mut after, ELSEWHERE);
    let log = NewLog::new(&before, 40).entry(&before, &after, 40);
    fs::write(file.with_extension("LOG1"), log.bytes).unwrap();
    fs::write(&file, dirty(&before, 2, 1)).unwrap();
    refused_in_any_case(&bench, "never passed off as whole");
    let place = bench.disk().display().to_string();
    let untouched = bench.snapshot();
    hivemend(&["recover", &place, "--yes", "--accept-damage"]).expect(3);
    assert_eq!(bench.snapshot(), untouched);
}

/// A hive that was put here from a backup, beside the logs of a later one.
#[test]
fn a_clean_hive_older_than_its_logs_is_refused_until_that_is_accepted() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let original = fs::read(&file).unwrap();
    let mut later = original.clone();
    let time = u64::from_le_bytes(later[12..20].try_into().unwrap());
    later[12..20].copy_from_slice(&(time + 1).to_le_bytes());
    let log = NewLog::new(&later, 40).entry(&original, &original, 40);
    fs::write(file.with_extension("LOG2"), log.bytes).unwrap();
    let before = bench.snapshot();

    let plan = ["-p", "rdp-disconnects", "--format", "json"];
    let plan = bench.run("plan", &plan).expect(0).json();
    let warning = plan["warnings"][0].as_str().unwrap();
    assert!(warning.contains("older than SYSTEM.LOG2"), "{warning}");
    let ended = apply(&bench, &[]).expect(3);
    assert!(ended.stderr.contains("SYSTEM.LOG2"), "{ended:?}");
    assert!(ended.stderr.contains("--accept-newer-logs"), "{ended:?}");
    assert_eq!(bench.snapshot(), before);
    apply(&bench, &["--accept-newer-logs"]).expect(0);
    bench.run("restore", &["--yes"]).expect(0);
    assert_eq!(fs::read(&file).unwrap(), original);

    // The same log, begun when the hive was last written, is what every Windows leaves.
    let log = NewLog::new(&original, 40).entry(&original, &original, 40);
    fs::write(file.with_extension("LOG2"), log.bytes).unwrap();
    apply(&bench, &[]).expect(0);
}

/// The editor by itself: whatever is edited beside the damage, no finding is new.
#[test]
fn the_editor_spares_what_is_damaged() {
    let bench = Bench::sample();
    let mut image = fs::read(bench.hive("SYSTEM")).unwrap();
    lose_data(&mut image, ELSEWHERE);
    assert!(Editor::open(image.clone(), 1).is_err());
    let mut editor = Editor::open_damaged(image.clone(), 1).unwrap();
    let (damaged, value) = (path(ELSEWHERE.0), Name::from(ELSEWHERE.1));
    assert!(editor.set_value(&damaged, &value, 1, b"").is_err());
    assert!(editor.delete_value(&damaged, &value).is_err());
    assert!(editor.delete_key(&damaged).is_err());
    assert!(editor.delete_key(&path("ControlSet001")).is_err());
    let beside = path(r"ControlSet002\Control\Beside");
    editor.create_key(&beside).unwrap();
    editor
        .set_value(&beside, &Name::from("v"), 3, &[7; 20_000])
        .unwrap();
    editor.delete_key(&path(r"ControlSet002\Services")).unwrap();
    let sealed = editor.seal(0).unwrap();
    assert_eq!(sealed.report.errors, check(&image).errors);
    assert_eq!(sealed.report.first_new_since(&check(&image)), None);
}
