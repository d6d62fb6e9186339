// SPDX-License-Identifier: GPL-3.0-or-later
//! Mending: hundreds of broken hives come back sound, with all that their bytes still hold and nothing
//! that was never in them; and what the command does with them.
//!
//! A fixed sample of the faults; HIVEMEND_EXHAUSTIVE=1: all of them, on hives of the corpus too.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use hivemend::edit::Editor;
use hivemend::mend::{Donor, Input, Mended, Outcome, mend};
use hivemend::regf::{CellOffset, Hive, Name, check};
use hivemend::verify::verify;

use crate::bench::Bench;
use crate::breakage::{Break, Contents, KINDS, Oracle, Verdict, breaks, compare, contents, torn};
use crate::mutants::rich;
use crate::workbench::{BUNDLED, NOW, SOFTWARE, bundled, corpus, path};

fn is_exhaustive() -> bool {
    std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some_and(|set| set == "1")
}

/// A SYSTEM hive with two control sets, a few thousand keys and something of everything.
fn made_system() -> Vec<u8> {
    rich(5, &crate::large_hive::build(1_200).unwrap(), 300)
}

/// A SOFTWARE hive whose largest key needs an index root.
fn made_software() -> Vec<u8> {
    rich(5, &bundled(SOFTWARE), 1_400)
}

fn mended(image: &[u8]) -> Option<Mended> {
    let input = Input {
        image,
        ..Input::default()
    };
    match mend(&input).unwrap() {
        Outcome::Mended(mended) => Some(*mended),
        Outcome::Sound(_) => None,
    }
}

/// Kinds of damage that leave another page's content.
const FOREIGN: &[&str] = &["4 KiB of foreign bytes", "a page doubled over another"];

fn note_to(wrong: &mut Vec<String>, what: &str, found: &[String]) {
    if !found.is_empty() {
        let first: Vec<&String> = found.iter().take(3).collect();
        wrong.push(format!("{} {what}: {first:?}", found.len()));
    }
}

/// What is wrong with the way `broken` was mended.
fn complaints(broken: &Break, oracle: &Oracle, sound: &Contents) -> (Vec<String>, Verdict) {
    let mut wrong = Vec::new();
    let result = mended(&broken.image);
    let image = result
        .as_ref()
        .map_or(&broken.image, |mended| &mended.image);
    if let Some(error) = check(image).first_error() {
        wrong.push(format!("not sound: {error}"));
    }
    if let Err(error) = verify(image, &[]) {
        wrong.push(format!("nt-hive: {error}"));
    }
    if mended(image).is_some() {
        wrong.push("mended twice is not mended once".to_owned());
    }
    let gone = oracle.gone(&broken.gone);
    let verdict = compare(sound, &contents(image), &gone);
    let mut note = |what: &str, found: &[String]| note_to(&mut wrong, what, found);
    note(
        "keys lost though they are there",
        &verdict.needlessly_lost_keys,
    );
    note(
        "values lost though they are there",
        &verdict.needlessly_lost_values,
    );
    note("values changed", &verdict.changed_values);
    note("descriptors changed", &verdict.changed_security);
    // One turned bit of a value's name or its length nobody can see.
    let is_turned = broken.kind.contains("flipped");
    if !is_turned {
        note("keys invented", &verdict.invented_keys);
        note("values invented", &verdict.invented_values);
        note("nodes changed", &verdict.changed_nodes);
    } else if verdict.invented_keys.len() + verdict.invented_values.len()
        > gone.keys.len() + gone.values.len()
    {
        note("keys invented", &verdict.invented_keys);
        note("values invented", &verdict.invented_values);
    }
    if let (Some(result), false) = (&result, verdict.needlessly_lost_keys.is_empty()) {
        let (moves, places) = (&result.report.moves, &result.report.broken);
        let named: Vec<(usize, u32)> = (4096..broken.image.len())
            .step_by(4096)
            .filter(|at| broken.image[*at..].starts_with(b"hbin"))
            .map(|at| {
                (
                    at - 4096,
                    u32::from_le_bytes(broken.image[at + 4..at + 8].try_into().unwrap()),
                )
            })
            .filter(|(at, named)| u32::try_from(*at) != Ok(*named))
            .collect();
        wrong.push(format!(
            "moved {moves:x?}, broken {places:x?}, headers elsewhere {named:x?}"
        ));
    }
    // Where a page lies that is another's, what is kept of it is said to be suspect.
    let is_within_data = check(&broken.image).is_sound();
    if FOREIGN.contains(&broken.kind) {
        let upper = |text: &str| Name::from(text).folded();
        let suspects = result.iter().flat_map(|mended| &mended.report.suspects);
        let suspects: HashSet<_> = suspects
            .map(|(key, name)| (upper(key.raw()), upper(name.raw())))
            .collect();
        // Where the structure is whole nobody can see what lies in the middle of long data.
        let silent = verdict.marred_values.iter().filter(|_| !is_within_data);
        let silent = silent.filter(|(key, name)| !suspects.contains(&(upper(key), upper(name))));
        let silent: Vec<String> = silent.map(|(key, name)| format!("{key} {name}")).collect();
        note_to(
            &mut wrong,
            "values other than they were, and not said to be suspect",
            &silent,
        );
    }
    let lost = verdict.lost_keys + verdict.lost_values;
    let report = result.as_ref().map(|mended| &mended.report);
    if lost > 0 && !is_turned && report.is_none_or(|report| report.is_lossless()) {
        wrong.push(format!(
            "{lost} keys and values are lost, and the report says nothing"
        ));
    }
    (wrong, verdict)
}

/// Faults beside the fixed numbers that once cost what was there, or gave what was not: pages exchanged
/// with the inside of data, pages doubled where cells begin at the same places, a root and the key below
/// it lost together, names of zeros, another hive's lists, a file cut within a page.
const FOUND_LATER: &[(&str, &str, &[u64])] = &[
    ("1.3", "two pages exchanged", &[7, 23, 24, 46]),
    ("1.3", "a page doubled over another", &[309, 349]),
    ("1.4", "16 clusters of zeros", &[8, 307]),
    ("1.4", "file cut", &[1]),
    ("1.4", "a page doubled over another", &[333]),
    ("1.4", "4 KiB of foreign bytes", &[343]),
    ("1.6", "two pages exchanged", &[4, 6, 19, 21, 58]),
    ("1.6", "512 B of zeros", &[1]),
    ("1.6", "32 sectors of zeros", &[6, 302, 325]),
    ("1.6", "16 clusters of zeros", &[3, 7, 345]),
    ("1.6", "4 KiB of foreign bytes", &[311, 341]),
    ("SOFTWARE", "two pages exchanged", &[3, 10, 22, 28, 30, 33]),
    ("SOFTWARE", "32 sectors of zeros", &[305, 328]),
    ("SOFTWARE", "a page doubled over another", &[323]),
];

/// All faults, or each `step`th of a kind, on one hive.
fn try_all(name: &str, sound: &[u8], step: usize) -> Vec<String> {
    let oracle = Oracle::new(sound);
    let original = contents(sound);
    let mut wrong = Vec::new();
    for (kind, count) in KINDS {
        let mut sums = [0; 5];
        for number in (0..*count).step_by(step) {
            let broken = breaks(sound, kind, number);
            let (complaints, verdict) = complaints(&broken, &oracle, &original);
            let place = format!("{name}, {kind} {number}");
            wrong.extend(
                complaints
                    .into_iter()
                    .map(|what| format!("{place}: {what}")),
            );
            let of = [
                1,
                verdict.lost_keys,
                verdict.lost_values,
                verdict.gone_keys,
                verdict.gone_values,
            ];
            sums.iter_mut().zip(of).for_each(|(sum, more)| *sum += more);
        }
        let [faults, keys, values, gone_keys, gone_values] = sums;
        eprintln!("{name} | {kind} | {faults} | {keys} / {values} | {gone_keys} / {gone_values}");
    }
    wrong
}

#[test]
fn broken_hives_come_back_with_all_that_their_bytes_hold() {
    let step = if is_exhaustive() { 1 } else { 9 };
    let mut wrong = try_all("made SYSTEM", &made_system(), step);
    wrong.extend(try_all("made SOFTWARE", &made_software(), step));
    if is_exhaustive()
        && let Some(corpus) = corpus()
    {
        for name in [
            "win10-2004/Windows/System32/config/SYSTEM",
            "win7-sp1/Windows/System32/config/SOFTWARE",
        ] {
            let sound = fs::read(corpus.join("disks").join(name)).unwrap();
            wrong.extend(try_all(name, &sound, 1));
        }
    }
    assert!(wrong.is_empty(), "{:#?}", wrong);
}

#[test]
fn older_versions_come_back_too() {
    let step = if is_exhaustive() { 1 } else { 19 };
    let mut wrong = Vec::new();
    for minor in [3, 4, 6] {
        let sound = rich(minor, &bundled(&format!("hives/v1.{minor}")), 700);
        wrong.extend(try_all(&format!("version 1.{minor}"), &sound, step));
    }
    assert!(wrong.is_empty(), "{:#?}", wrong);
}

#[test]
fn faults_of_other_numbers_come_back_too() {
    let mut wrong = Vec::new();
    let mut known: Option<(&str, Vec<u8>, Oracle, Contents)> = None;
    for (name, kind, numbers) in FOUND_LATER {
        if known.as_ref().is_none_or(|(known, ..)| known != name) {
            let sound = match name.strip_prefix("1.") {
                Some(minor) => {
                    let minor = minor.parse().unwrap();
                    rich(minor, &bundled(&format!("hives/v1.{minor}")), 700)
                }
                None => made_software(),
            };
            let (oracle, original) = (Oracle::new(&sound), contents(&sound));
            known = Some((name, sound, oracle, original));
        }
        let (_, sound, oracle, original) = known.as_ref().unwrap();
        for number in *numbers {
            let (complaints, _) = complaints(&breaks(sound, kind, *number), oracle, original);
            let named = complaints.into_iter();
            wrong.extend(named.map(|what| format!("{name}, {kind} {number}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_sound_hive_is_left_alone() {
    for name in BUNDLED {
        assert!(mended(&bundled(name)).is_none(), "{name}");
    }
    assert!(mended(&made_system()).is_none());
}

#[test]
fn pages_of_an_older_state_bring_nothing_that_is_not_there() {
    let older = made_system();
    let mut editor = Editor::open(older.clone(), NOW).unwrap();
    for number in 0..200_u32 {
        let name = format!(r"\ControlSet001\Services\Newer\Key {number}");
        editor.create_key(&path(&name)).unwrap();
        let value = Name::from("Start");
        editor
            .set_value(&path(&name), &value, 4, &number.to_le_bytes())
            .unwrap();
    }
    let newer = editor.seal(0).unwrap().image;
    let known = (contents(&newer), contents(&older));
    for number in 0..12 {
        let broken = torn(&newer, &older, number);
        let result = mended(&broken.image);
        let image = result
            .as_ref()
            .map_or(&broken.image, |mended| &mended.image);
        assert_eq!(check(image).first_error(), None, "{number}");
        verify(image, &[]).unwrap();
        for path in contents(image).keys.keys() {
            let is_known = known.0.keys.contains_key(path) || known.1.keys.contains_key(path);
            assert!(is_known, "{number}: {}", String::from_utf16_lossy(path));
        }
    }
}

#[test]
fn a_donor_fills_what_is_lost_and_nothing_else() {
    let sound = made_system();
    let broken = breaks(&sound, "4 KiB of zeros", 3);
    let alone = mended(&broken.image).unwrap();
    let (lost, _) = alone.report.lost(hivemend::mend::LostKind::Value);
    let hive = Hive::open(&sound).unwrap();
    let donors = [Donor {
        hive,
        is_named: true,
    }];
    let input = Input {
        image: &broken.image,
        donors: &donors,
        ..Input::default()
    };
    let Outcome::Mended(filled) = mend(&input).unwrap() else {
        panic!("a broken hive is not sound");
    };
    assert_eq!(check(&filled.image).first_error(), None);
    let (original, now) = (contents(&sound), contents(&filled.image));
    let without = contents(&alone.image);
    assert!(now.keys.len() >= without.keys.len());
    for (path, key) in &now.keys {
        let known = &original.keys[path];
        for (name, value) in &key.values {
            assert_eq!(known.values.get(name), Some(value));
        }
    }
    let missing = original.keys.len() - now.keys.len();
    assert!(
        missing < original.keys.len() - without.keys.len() || lost > 0 || missing == 0,
        "{missing} keys are missing still"
    );
    assert!(!filled.report.filled.is_empty());
}

/// The sample disk with a SYSTEM hive that has lost a sector.
fn damaged_bench() -> (Bench, PathBuf) {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let mut image = fs::read(&file).unwrap();
    image[0x5000..0x5200].fill(0);
    fs::write(&file, image).unwrap();
    (bench, file)
}

#[test]
fn mended_with_consent_and_put_back_to_the_first_state() {
    let (bench, file) = damaged_bench();
    let before = bench.snapshot();
    let shown = bench.run("mend", &["--dry-run"]).expect(0);
    assert!(shown.stdout.contains("can be mended"), "{shown:?}");
    assert_eq!(bench.snapshot(), before);
    let refused = bench.run("mend", &["--yes"]).expect(3);
    assert!(refused.stderr.contains("--accept-loss"), "{refused:?}");
    assert_eq!(bench.snapshot(), before);
    let done = bench
        .run(
            "mend",
            &["--yes", "--accept-loss=essential", "--format", "json"],
        )
        .expect(0)
        .json();
    assert_eq!(done["schema"], "hivemend.mend/1");
    assert_eq!(done["outcome"]["status"], "applied");
    assert_eq!(check(&fs::read(&file).unwrap()).first_error(), None);
    let again = bench.run("mend", &["--yes"]).expect(0);
    assert!(again.stdout.contains("sound"), "{again:?}");
    // The main job on what was mended, and both steps back.
    let profile = bench.profile(
        "changes",
        "  - key: HKLM\\SYSTEM\\Mended\n    values: [ { name: v, dword: 1, why: w } ]\n",
    );
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
    bench.run("restore", &["--yes"]).expect(0);
    let backups = bench.run("backups", &["--format", "json"]).expect(0).json();
    let oldest = backups["backups"].as_array().unwrap();
    let oldest = oldest
        .iter()
        .min_by_key(|backup| backup["id"].as_str().unwrap().to_owned());
    let oldest = oldest.unwrap()["id"].as_str().unwrap().to_owned();
    bench.run("restore", &[&oldest, "--yes"]).expect(0);
    assert_eq!(bench.snapshot()[&file].0, before[&file].0);
}

#[test]
fn written_elsewhere_the_target_stays_as_it_is() {
    let (bench, _) = damaged_bench();
    let before = bench.snapshot();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("SYSTEM");
    let out_text = out.to_str().unwrap();
    bench
        .run("mend", &["-o", out_text, "--accept-loss=essential"])
        .expect(0);
    assert_eq!(bench.snapshot(), before);
    assert_eq!(check(&fs::read(&out).unwrap()).first_error(), None);
    bench
        .run("mend", &["-o", out_text, "--accept-loss=essential"])
        .expect(3);
}

#[test]
fn a_base_block_of_zeros_is_no_obstacle() {
    let bench = Bench::sample();
    let file = bench.hive("SYSTEM");
    let sound = fs::read(&file).unwrap();
    for length in [4, 512, 4096] {
        let mut image = sound.clone();
        image[..length].fill(0);
        fs::write(&file, &image).unwrap();
        bench.run("mend", &["--yes"]).expect(0);
        let now = contents(&fs::read(&file).unwrap());
        assert_eq!(now.keys, contents(&sound).keys);
    }
}

#[test]
fn donors_are_listed_with_what_they_are_worth() {
    let (bench, file) = damaged_bench();
    let back = bench.config().join("RegBack");
    fs::create_dir(&back).unwrap();
    fs::write(back.join("SYSTEM"), bundled(crate::workbench::SYSTEM)).unwrap();
    fs::write(back.join("SOFTWARE"), b"").unwrap();
    let listed = bench.run("donors", &["--format", "json"]).expect(0).json();
    let donors = listed["donors"].as_array().unwrap();
    assert_eq!(donors.len(), 2, "{listed:#}");
    assert_eq!(donors[0]["state"], "sound");
    assert_eq!(donors[0]["lacks"], 0);
    assert!(donors[0]["has_more"].as_u64().unwrap() > 0);
    assert_eq!(donors[1]["state"], "empty");
    let text = bench.run("donors", &[]).expect(0);
    assert!(text.stdout.contains("EnablePeriodicBackup"), "{text:?}");
    let donor = back.join("SYSTEM");
    let done = bench.run(
        "mend",
        &["--yes", "--accept-loss", "--donor", donor.to_str().unwrap()],
    );
    done.expect(0);
    let now = contents(&fs::read(&file).unwrap());
    let sound = contents(&bundled(crate::workbench::SYSTEM));
    let lost = sound.keys.keys().filter(|key| !now.keys.contains_key(*key));
    assert_eq!(lost.count(), 0);
}

#[test]
fn check_all_looks_at_the_hives_beside_too() {
    let bench = Bench::sample();
    fs::copy(bench.hive("SOFTWARE"), bench.config().join("SAM")).unwrap();
    fs::write(bench.config().join("DEFAULT"), b"regf").unwrap();
    let few = bench.run("check", &["--format", "json"]).expect(0).json();
    assert_eq!(few["hives"].as_array().unwrap().len(), 2);
    let all = bench
        .run("check", &["--all", "--format", "json"])
        .expect(3)
        .json();
    assert_eq!(all["hives"].as_array().unwrap().len(), 4);
}

/// A page of another hive that happens to have a cell where this one's data was: the references fit, and
/// only the cells that nobody knows tell that the page is not this hive's.
#[test]
fn data_in_a_page_of_another_hive_is_suspect() {
    let sound = made_system();
    let hive = Hive::open(&sound).unwrap();
    let page = |at: usize| at / 4096;
    let mut waiting = vec![hive.root().unwrap()];
    let mut tried = 0;
    while let Some(key) = waiting.pop() {
        let below = hive.subkeys(&key).unwrap().into_iter();
        waiting.extend(below.map(|at| hive.key(at).unwrap()));
        for cell in hive.values(&key).unwrap() {
            let value = hive.value(cell).unwrap();
            let length = usize::try_from(value.data_size()).unwrap();
            if value.is_inline() || !(8..512).contains(&length) {
                continue;
            }
            let place = |at: CellOffset| usize::try_from(at.in_file().0).unwrap();
            let (record, data) = (place(cell), place(value.data_offset()));
            let end = data + (4 + length).next_multiple_of(8);
            let start = page(data) * 4096;
            let nodes = [page(place(key.at())), page(record)];
            let is_apart = !nodes.contains(&page(data)) && page(end) == page(data);
            if !is_apart || data < start + 48 || end + 16 > start + 4096 {
                continue;
            }
            let mut image = sound.clone();
            let put = |image: &mut Vec<u8>, at: usize, bytes: &[u8]| {
                image[at..at + bytes.len()].copy_from_slice(bytes);
            };
            image[start..start + 4096].fill(b'X');
            put(&mut image, start, b"hbin");
            put(&mut image, start + 4, &0x7F_F000_u32.to_le_bytes());
            put(&mut image, start + 8, &4096_u32.to_le_bytes());
            for (from, to) in [(start + 32, data), (data, end), (end, start + 4096)] {
                let size = i32::try_from(to - from).unwrap();
                put(&mut image, from, &(-size).to_le_bytes());
            }
            let mended = mended(&image).unwrap();
            let name = value.name().to_name();
            let is_kept = mended.image.windows(8).any(|bytes| bytes == b"XXXXXXXX");
            let mut suspects = mended.report.suspects.iter();
            let is_named = suspects.any(|(_, suspect)| Name::from(suspect.raw()).same_as(&name));
            assert!(is_named || !is_kept, "{name}: {:?}", mended.report.suspects);
            tried += usize::from(is_kept);
            if tried == 3 {
                return;
            }
        }
    }
    panic!("{tried} values were kept with the data of another hive");
}
