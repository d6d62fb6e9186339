// SPDX-License-Identifier: GPL-3.0-or-later
//! Any bytes as a hive and as edits of it: each edit is made or refused, and the result is sound.
#![no_main]

use std::panic::set_hook;
use std::process::abort;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)] // What the trial of logs needs.
#[path = "../../testdata/transaction_log.rs"]
mod transaction_log;
#[path = "../trial.rs"]
#[allow(dead_code)] // Each target does one of the trials.
mod trial;

/// The second reader may panic over a damaged hive: that is contained, and no finding. cargo-fuzz'
/// own hook would end the run before that.
fn spare_the_witness() {
    set_hook(Box::new(|panic| {
        let is_witness = panic
            .location()
            .is_some_and(|at| at.file().contains("/nt-hive-"));
        if !is_witness {
            eprintln!("{panic}");
            abort();
        }
    }));
}

fuzz_target!(init: spare_the_witness(), |bytes: &[u8]| trial::edit(bytes));
