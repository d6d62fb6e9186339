// SPDX-License-Identifier: GPL-3.0-or-later
//! Which mutation is on: the one whose number HIVEMEND_SWITCH has. With HIVEMEND_SWITCH_RECORD
//! each switch that is reached is written once into that file.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

struct State {
    on: u32,
    record: Option<String>,
}

static STATE: OnceLock<State> = OnceLock::new();
static SEEN: [AtomicBool; 65536] = [const { AtomicBool::new(false) }; 65536];

/// Whether the mutation with this number is on.
#[allow(missing_docs, clippy::all)]
pub fn on(number: u32) -> bool {
    let state = STATE.get_or_init(|| State {
        on: std::env::var("HIVEMEND_SWITCH").ok().and_then(|on| on.parse().ok()).unwrap_or(0),
        record: std::env::var("HIVEMEND_SWITCH_RECORD").ok(),
    });
    if let Some(path) = &state.record {
        let seen = SEEN.get(usize::try_from(number).unwrap_or(0));
        if seen.is_some_and(|seen| !seen.swap(true, Ordering::Relaxed)) {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(format!("{number}\n").as_bytes()));
        }
    }
    state.on == number
}
