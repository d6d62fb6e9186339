// SPDX-License-Identifier: GPL-3.0-or-later
//! The inner loops, on the generated hive of 12 MB.
//!
//! `cargo bench --manifest-path benches/inner/Cargo.toml`. A package of its own: divan asks for more of
//! clap than hivemend does, and everything would be built twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../../testdata/empty_hive.rs"]
#[allow(dead_code, clippy::indexing_slicing)]
mod empty_hive;
#[path = "../../testdata/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;
#[path = "../../testdata/large_hive.rs"]
mod large_hive;
#[path = "../../testdata/transaction_log.rs"]
#[allow(clippy::indexing_slicing, clippy::as_conversions)]
mod transaction_log;

use std::sync::LazyLock;

use divan::{Bencher, black_box};
use hivemend::edit::Editor;
use hivemend::log::{LogFile, recover};
use hivemend::regf::{Hive, Name, check};
use large_hive::{Changed, SIZES};

const KEYS: u32 = SIZES[0].1;
static HIVE: LazyLock<Vec<u8>> = LazyLock::new(|| large_hive::build(KEYS).unwrap());
static DIRTY: LazyLock<Changed> = LazyLock::new(|| large_hive::changed(&HIVE, KEYS).unwrap());

fn main() {
    LazyLock::force(&HIVE);
    LazyLock::force(&DIRTY);
    divan::main();
}

fn path(text: &str) -> Vec<Name> {
    text.split('\\').map(Name::from).collect()
}

#[divan::bench]
fn open() {
    black_box(Hive::open(&*HIVE).unwrap().root().unwrap());
}

#[divan::bench]
fn find_a_key(bencher: Bencher<'_, '_>) {
    let path = path("ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp");
    let hive = Hive::open(&*HIVE).unwrap();
    bencher.bench_local(|| hive.find(black_box(&path)).unwrap().unwrap());
}

#[divan::bench(sample_count = 20)]
fn check_the_structure() {
    assert!(check(black_box(&HIVE)).is_sound());
}

#[divan::bench(sample_count = 20)]
fn replay_both_logs() {
    let logs = [
        ("SYSTEM.LOG1", &DIRTY.first),
        ("SYSTEM.LOG2", &DIRTY.second),
    ];
    let logs = logs.map(|(name, bytes)| LogFile {
        name: name.to_owned(),
        bytes,
    });
    black_box(recover(&DIRTY.primary, &logs).unwrap());
}

#[divan::bench(sample_count = 20)]
fn edit_100_values(bencher: Bencher<'_, '_>) {
    let keys: Vec<Vec<Name>> = (0..100)
        .map(|number| path(&format!("ControlSet001\\Services\\Made {number:03}")))
        .collect();
    let open = || Editor::open(HIVE.clone(), fixtures::TIME).unwrap();
    bencher.with_inputs(open).bench_local_values(|mut editor| {
        for key in &keys {
            editor.create_key(key).unwrap();
            editor
                .set_value(key, &Name::from("Start"), 4, &[2, 0, 0, 0])
                .unwrap();
        }
        editor
    });
}

#[divan::bench(sample_count = 20)]
fn seal(bencher: Bencher<'_, '_>) {
    let changed = || {
        let mut editor = Editor::open(HIVE.clone(), fixtures::TIME).unwrap();
        let key = path("ControlSet001\\Control");
        editor
            .set_value(&key, &Name::from("Bench"), 4, &[1, 0, 0, 0])
            .unwrap();
        editor
    };
    bencher
        .with_inputs(changed)
        .bench_local_values(|editor| editor.seal(0).unwrap());
}
