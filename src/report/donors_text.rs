// SPDX-License-Identifier: GPL-3.0-or-later
//! Older copies of a hive, and what they are worth.

use serde_json::{Value as Json, json};

use super::style::{GOOD, WARN};
use crate::text::{Foreign, Text, escape};

/// A file that may be an older copy of a hive.
#[derive(Clone, Debug)]
pub struct DonorRow {
    /// The hive that it may be a copy of: `SYSTEM`.
    pub hive: String,
    /// Its file.
    pub path: Foreign,
    /// What it is worth.
    pub state: DonorState,
}

/// What such a file is worth.
#[derive(Clone, Debug)]
pub enum DonorState {
    /// It has no bytes, as Windows leaves `RegBack` since version 1803.
    Empty,
    /// It is no sound hive; why.
    Unusable(String),
    /// It can be given with `--donor`.
    Sound {
        /// When its file was last written, in UTC.
        written: String,
        /// Keys in it.
        keys: u64,
        /// Values in it.
        values: u64,
        /// Keys of the present hive that it has not, as far as that can be read.
        lacks: u64,
        /// Keys that it has and the present hive has not.
        has_more: u64,
    },
}

/// The copies as text.
pub fn donors_text(rows: &[DonorRow]) -> Text {
    let mut text = Text::new();
    if rows.is_empty() {
        text.line("no older copy of a hive was found on this disk");
    }
    for row in rows {
        text.line(format_args!("{}  {}", escape(&row.hive), row.path));
        match &row.state {
            DonorState::Empty => text.line(
                "  empty: Windows fills RegBack only before version 1803, or with \
                 EnablePeriodicBackup",
            ),
            DonorState::Unusable(why) => {
                text.line(format_args!("  {WARN}not usable:{WARN:#} {}", escape(why)));
            }
            DonorState::Sound {
                written,
                keys,
                values,
                lacks,
                has_more,
            } => {
                text.line(format_args!(
                    "  {GOOD}sound{GOOD:#}, written {}: {keys} keys, {values} values",
                    escape(written)
                ));
                text.line(format_args!(
                    "  lacks {lacks} keys of the present hive, has {has_more} that it has not"
                ));
            }
        }
    }
    text
}

/// The copies as JSON (`hivemend.donors/1`).
pub fn donors_json(target: &str, rows: &[DonorRow]) -> Json {
    let donors = rows.iter().map(|row| {
        let state = match &row.state {
            DonorState::Empty => json!({ "state": "empty" }),
            DonorState::Unusable(why) => json!({ "state": "unusable", "why": why }),
            DonorState::Sound {
                written,
                keys,
                values,
                lacks,
                has_more,
            } => json!({
                "state": "sound",
                "written": written,
                "keys": keys,
                "values": values,
                "lacks": lacks,
                "has_more": has_more,
            }),
        };
        let mut donor = json!({ "hive": row.hive, "path": row.path });
        if let (Some(donor), Json::Object(state)) = (donor.as_object_mut(), state) {
            donor.extend(state);
        }
        donor
    });
    json!({
        "schema": "hivemend.donors/1",
        "target": target,
        "donors": donors.collect::<Vec<Json>>(),
    })
}
