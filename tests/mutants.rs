// SPDX-License-Identifier: GPL-3.0-or-later
//! Thousands of damaged hives of each version, edited with damage accepted: what three readers could
//! read before they read after, and other than before only what was planned.
//!
//! A fixed sample; HIVEMEND_EXHAUSTIVE=1: 10,000 of them, and hives of the corpus too.

use crate::mutants::{Tally, rich, try_one};
use crate::workbench::{bundled, corpus};

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
    let is_exhaustive = std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some_and(|set| set == "1");
    let mut sources = sources();
    if is_exhaustive && let Some(corpus) = corpus() {
        for name in ["odd/System_Delta", "odd/BigDataHive", "odd/ManySubkeysHive", "odd/PairHive"] {
            let image = std::fs::read(corpus.join("hives").join(name)).unwrap();
            sources.push((name.to_owned(), image));
        }
    }
    let count: u64 = if is_exhaustive { 10_000 } else { 1_200 };
    let mut tally = Tally::default();
    for number in 0..count {
        let which = usize::try_from(number).unwrap() % sources.len();
        let (name, sound) = &sources[which];
        tally.take(name, number, try_one(sound, number));
    }
    eprintln!("{count} damaged hives: {:?}", tally.ends);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
}
