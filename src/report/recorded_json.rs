// SPDX-License-Identifier: GPL-3.0-or-later
//! Changes as a backup's manifest keeps them: long data by its length and digest.
//!
//! What was there before stands in the backup's hive, and what was written in the hive on the disk: a
//! second copy, as text, would make manifests that nobody can read back.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::plan_json::{ChangeDocument, PlanJsonError, change_document, change_from};
use crate::machine::{State, Value};
use crate::plan::Change;
use crate::profile::HiveName;
use crate::regf::{Name, NodePath};

/// Data longer than this is not repeated in a manifest, in bytes.
const LONGEST: usize = 1024;

/// Where a recorded value's data can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the backup.
    Before,
    /// In the hive as it was left.
    After,
}

/// A value that a manifest has by its digest only.
#[derive(Clone, Copy, Debug)]
pub struct Long<'a> {
    /// Where its data can be had.
    pub side: Side,
    /// The hive.
    pub hive: HiveName,
    /// The key.
    pub key: &'a NodePath,
    /// The value's name.
    pub value: &'a Name,
}

/// The changes of a manifest.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Those whose data is there or was found.
    pub changes: Vec<Change>,
    /// Those of which neither can be said: each with where it was looked for in vain. The data in them
    /// is not the data.
    pub unknown: Vec<(Change, Side)>,
}

/// The changes, as a manifest keeps them.
///
/// # Errors
///
/// None that changes can give.
pub fn recorded_json(changes: &[Change]) -> Result<Box<RawValue>, PlanJsonError> {
    Ok(to_raw_value(&RecordedChanges(changes))?)
}

/// The changes, written one by one.
struct RecordedChanges<'c>(&'c [Change]);

impl Serialize for RecordedChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(recorded_document))
    }
}

fn recorded_document(change: &Change) -> ChangeDocument {
    let (before, after) = (long(change.before.as_ref()), long(change.after.as_ref()));
    let mut document = match before.is_some() || after.is_some() {
        // The long data is not even made text of.
        true => change_document(&Change {
            before: change.before.clone().filter(|_| before.is_none()),
            after: change.after.clone().filter(|_| after.is_none()),
            ..change.clone()
        }),
        false => change_document(change),
    };
    if let Some(before) = before {
        document.before = before;
    }
    if let Some(after) = after {
        document.after = after;
    }
    document
}

/// Long data by length and digest; `None` for anything else.
fn long(state: Option<&State>) -> Option<Json> {
    match state {
        Some(State::Value(value)) if value.data.len() > LONGEST => Some(json!({
            "type": super::values::kind_text(value.kind),
            "length": value.data.len(),
            "sha256": hex::encode(Sha256::digest(&value.data)),
        })),
        _ => None,
    }
}

/// The changes that a manifest holds; `find` gives the data of a value where that is not in it.
///
/// # Errors
///
/// Where it holds none that can be read.
pub fn recorded_from_json(
    json: &str,
    mut find: impl FnMut(Long<'_>) -> Option<Value>,
) -> Result<Recorded, PlanJsonError> {
    let mut recorded = Recorded::default();
    let mut last = NodePath::root();
    let items: Vec<&RawValue> = serde_json::from_str(json)?;
    for (item, number) in items.into_iter().zip(1_usize..) {
        let mut document: ChangeDocument = serde_json::from_str(item.get())?;
        let digests = [
            take_digest(&mut document.before),
            take_digest(&mut document.after),
        ];
        let change = change_from(&document, &last);
        let mut change = change.map_err(|why| PlanJsonError::Change { number, why })?;
        last = change.key.clone();
        let mut missing = None;
        for (side, digest) in [Side::Before, Side::After].into_iter().zip(digests) {
            let Some(digest) = digest else {
                continue;
            };
            let found = change.value.as_ref().and_then(|value| {
                find(Long {
                    side,
                    hive: change.hive,
                    key: &change.key,
                    value,
                })
            });
            let state = match found.filter(|found| digest_of(found) == digest) {
                Some(found) => State::Value(found),
                None => {
                    missing = missing.or(Some(side));
                    continue;
                }
            };
            match side {
                Side::Before => change.before = Some(state),
                Side::After => change.after = Some(state),
            }
        }
        match missing {
            None => recorded.changes.push(change),
            Some(side) => recorded.unknown.push((change, side)),
        }
    }
    Ok(recorded)
}

/// A value's type and digest, where it is recorded by that; an empty value then takes its place.
fn take_digest(state: &mut Json) -> Option<(String, String)> {
    let text = |field| Some(state.get(field)?.as_str()?.to_owned());
    if state.get("data").is_some() || state.get("raw").is_some() {
        return None;
    }
    let (kind, digest) = (text("type")?, text("sha256")?);
    state.get("length")?.as_u64()?;
    *state = json!({ "type": kind, "data": null, "raw": "" });
    Some((kind, digest))
}

fn digest_of(value: &Value) -> (String, String) {
    let digest = hex::encode(Sha256::digest(&value.data));
    (super::values::kind_text(value.kind), digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    fn value(kind: u32, byte: u8, length: usize) -> Value {
        let data = vec![byte; length];
        Value { kind, data }
    }

    fn change(before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            profile: "p".to_owned(),
            hive: HiveName::System,
            control_set: None,
            key: NodePath::from("Key"),
            value: Some(Name::from("Value")),
            action: match after {
                Some(_) => Action::Set,
                None => Action::DeleteValue,
            },
            before: before.map(State::Value),
            after: after.map(State::Value),
            lowers_security: false,
            cause: None,
            note: "why".into(),
        }
    }

    #[test]
    fn long_data_is_found_again_by_its_digest() {
        let (long, other) = (value(3, 1, LONGEST + 1), value(3, 2, 5_000_000));
        let changes = [
            change(Some(long.clone()), Some(other.clone())),
            change(Some(value(3, 1, LONGEST)), None),
            change(None, Some(other.clone())),
        ];
        let json = recorded_json(&changes).unwrap();
        assert!(json.get().len() < 4 * LONGEST, "no long data in it");
        let both = |wanted: Long<'_>| match wanted.side {
            Side::Before => Some(long.clone()),
            Side::After => Some(other.clone()),
        };
        let found = recorded_from_json(json.get(), both).unwrap();
        assert_eq!(found.changes, changes);
        assert!(found.unknown.is_empty());

        // Somebody has written it since: neither is taken for the other, not even an empty one.
        let changed = |wanted: Long<'_>| match wanted.side {
            Side::Before => Some(long.clone()),
            Side::After => Some(value(3, 0, 0)),
        };
        let found = recorded_from_json(json.get(), changed).unwrap();
        assert_eq!(found.changes, changes[1..2]);
        let sides: Vec<Side> = found.unknown.iter().map(|(_, side)| *side).collect();
        assert_eq!(sides, [Side::After; 2]);
        let found = recorded_from_json(json.get(), |_| None).unwrap();
        let sides: Vec<Side> = found.unknown.iter().map(|(_, side)| *side).collect();
        assert_eq!(sides, [Side::Before, Side::After]);
        // The same bytes of another type are other data.
        let retyped = |_: Long<'_>| Some(value(1, 2, 5_000_000));
        assert_eq!(
            recorded_from_json(json.get(), retyped)
                .unwrap()
                .unknown
                .len(),
            2
        );
    }
}
