// SPDX-License-Identifier: GPL-3.0-or-later
//! Any bytes as a damaged hive: what is mended is sound, and mended once.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)] // What the trial of logs needs.
#[path = "../../testdata/transaction_log.rs"]
mod transaction_log;
#[path = "../trial.rs"]
#[allow(dead_code)] // Each target does one of the trials.
mod trial;

fuzz_target!(|bytes: &[u8]| trial::mending(bytes));
