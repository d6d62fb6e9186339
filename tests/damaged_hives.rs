// SPDX-License-Identifier: GPL-3.0-or-later
//! Thousands of damaged hives of each version, edited with damage accepted: what three readers could
//! read before they read after, and other than before only what was planned.
//!
//! A fixed sample; HIVEMEND_EXHAUSTIVE=1: 10,000 of them, and hives of the corpus too.

use std::fs;

use crate::bench::Bench;
use crate::mutants::{Tally, cut, rich, try_one};
use crate::mutator::{Dice, mutate};
use crate::readers::{Planned, READERS, differences, found_by_halves};
use crate::workbench::{bundled, corpus};

fn is_exhaustive() -> bool {
    std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some_and(|set| set == "1")
}

/// The bundled hives, and one with something of everything in each version.
fn sources() -> Vec<(String, Vec<u8>)> {
    let mut sources = Vec::new();
    for minor in [3, 4, 5, 6] {
        let small = bundled(&format!("hives/v1.{minor}"));
        sources.push((format!("1.{minor}, rich"), rich(minor, &small, 60)));
        if minor != 4 {
            sources.push((format!("1.{minor}, many"), rich(minor, &small, 1_100)));
        }
        sources.push((format!("1.{minor}, small"), small));
    }
    sources
}

#[test]
fn no_edit_of_a_damaged_hive_ends_with_less_or_other_than_planned() {
    let mut sources = sources();
    if is_exhaustive()
        && let Some(corpus) = corpus()
    {
        for name in [
            "odd/System_Delta",
            "odd/BigDataHive",
            "odd/ManySubkeysHive",
            "odd/PairHive",
        ] {
            let image = std::fs::read(corpus.join("hives").join(name)).unwrap();
            sources.push((name.to_owned(), image));
        }
    }
    let count: u64 = if is_exhaustive() { 10_000 } else { 1_200 };
    let mut tally = Tally::default();
    for number in 0..count {
        let which = usize::try_from(number).unwrap() % sources.len();
        let (name, sound) = &sources[which];
        tally.take(name, number, try_one(sound, number));
    }
    eprintln!("{count} damaged hives: {:?}", tally.ends);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
}

/// The key that the profile below changes.
const LISTENER: &str = r"\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
const CRASH: &str = r"\ControlSet001\Control\CrashControl";

/// The same by the program itself, on a disk: done and as planned, or refused and not a byte
/// touched. Some of the hives are dirty besides, or their base block is damaged.
#[cfg(unix)]
#[test]
fn the_program_leaves_damaged_hives_as_planned_or_as_they_were() {
    let sound = bundled(crate::workbench::SYSTEM);
    let keys = format!(
        "  - key: HKLM\\SYSTEM{LISTENER}\n    values: [ {{ name: PortNumber, dword: 3390, why: w }} ]\n\
         \x20 - key: HKLM\\SYSTEM{LISTENER}\\Made\n    values: [ {{ name: a, dword: 1, why: w }} ]\n\
         \x20 - key: HKLM\\SYSTEM{CRASH}\n    values: [ {{ name: DumpFile, absent: true, why: w }} ]\n"
    );
    let mut planned = Planned::default();
    let made = format!("{LISTENER}\\Made");
    let values = [
        (
            LISTENER,
            "PortNumber",
            Some((4, 3390_u32.to_le_bytes().to_vec())),
        ),
        (&made, "a", Some((4, vec![1, 0, 0, 0]))),
        (CRASH, "DumpFile", None),
    ];
    for (key, name, value) in values {
        let place = (key.to_owned(), name.to_owned());
        planned.values.insert(place, value);
    }
    planned.created.insert(made);
    let count = if is_exhaustive() { 1_000 } else { 60 };
    let (mut done, mut refused) = (0, 0);
    for number in 0..count {
        let bench = Bench::in_memory();
        let file = bench.hive("SYSTEM");
        let profile = bench.profile("changes", &keys);
        let mut dice = Dice::new(2_000_000 + number);
        let mut image = sound.clone();
        mutate(&mut image, &mut dice);
        match dice.below(6) {
            0 => image[4] = image[4].wrapping_add(1),
            1 => image[dice.below(512)] ^= 1 << dice.below(8),
            _ => {}
        }
        if dice.below(2) == 0 {
            let sum = hivemend::regf::checksum(&image).unwrap();
            image[508..512].copy_from_slice(&sum.to_le_bytes());
        }
        fs::write(&file, &image).unwrap();
        let before = bench.snapshot();
        let accept = ["--accept-damage", "--accept-unrecovered"];
        let ended = bench.run("apply", &[&["-p", &profile, "--yes"], &accept[..]].concat());
        if ended.code != 0 {
            assert!(matches!(ended.code, 3 | 4), "{number}: {ended:?}");
            assert!(!ended.stderr.contains("panicked"), "{number}: {ended:?}");
            assert_eq!(bench.snapshot(), before, "{number}: {ended:?}");
            refused += 1;
            continue;
        }
        done += 1;
        hivemend::log::mark_clean(&mut image);
        let after = fs::read(&file).unwrap();
        for (name, read) in READERS {
            let found = differences(&read(&image), &read(&after), &planned, |_| false);
            let found: Vec<String> = found.iter().take(5).map(|what| cut(what)).collect();
            assert!(found.is_empty(), "{number}, {name}: {found:#?}\n{ended:?}");
        }
        let found = found_by_halves(&after);
        for key in found_by_halves(&image) {
            assert!(
                found.contains(&key),
                "{number}: {key} is not found any more"
            );
        }
        bench.run("restore", &["--yes"]).expect(0);
        assert_eq!(bench.snapshot()[&file].0, before[&file].0);
    }
    eprintln!("{count} damaged disks: {done} done, {refused} refused");
    assert!(
        done > count / 5 && refused > count / 5,
        "{done} done, {refused} refused"
    );
}
