// SPDX-License-Identifier: GPL-3.0-or-later
//! Why a command did not do what it was asked, for scripts.

use serde_json::{Value as Json, json};

/// The sentence and what can be done, with the exit code.
pub fn error_json(exit_code: u8, sentence: &str, advice: &str) -> Json {
    json!({
        "schema": "hivemend.error/1",
        "exit_code": exit_code,
        "error": sentence,
        "advice": advice,
    })
}
