// SPDX-License-Identifier: GPL-3.0-or-later
//! Values and keys in JSON, and back without losing a byte.

use serde_json::{Value as Json, json};

use super::values::{kind_text, strings_of, text_of, units_of};
use crate::machine::{KeySummary, State, Value};
use crate::profile::kind_name;

/// The `type` of a key, beside the REG_ types of values.
const KEY: &str = "key";

/// What is there, as JSON; `null` for absent.
pub(super) fn state_json(state: Option<&State>) -> Json {
    match state {
        None => Json::Null,
        Some(State::Value(value)) => value_json(value),
        Some(State::Key(key)) => json!({
            "type": KEY,
            "data": {
                "subkeys": key.subkeys,
                "values": key.values,
                "sha256": hex::encode(key.digest),
            },
        }),
    }
}

/// A value's type and data. `raw` holds the stored bytes where `data` does not say them exactly.
pub(super) fn value_json(value: &Value) -> Json {
    let data = readable(value.kind, &value.data);
    let mut object = json!({ "type": kind_text(value.kind), "data": data });
    let is_exact = bytes_from(value.kind, &data).is_some_and(|bytes| bytes == value.data);
    if !is_exact && let Some(object) = object.as_object_mut() {
        object.insert("raw".to_owned(), Json::String(hex::encode(&value.data)));
    }
    object
}

/// The best reading of the data that its type allows.
fn readable(kind: u32, bytes: &[u8]) -> Json {
    let reading = match kind {
        1 | 2 => text_of(bytes).or_else(|| lossy(bytes)).map(Json::String),
        6 => lossy(bytes).map(Json::String),
        4 => bytes
            .try_into()
            .ok()
            .map(|bytes| json!(u32::from_le_bytes(bytes))),
        5 => bytes
            .try_into()
            .ok()
            .map(|bytes| json!(u32::from_be_bytes(bytes))),
        7 => strings_of(bytes).map(|strings| json!(strings)),
        11 => bytes
            .try_into()
            .ok()
            .map(|bytes| json!(u64::from_le_bytes(bytes))),
        _ => Some(Json::String(hex::encode(bytes))),
    };
    reading.unwrap_or(Json::Null)
}

fn lossy(bytes: &[u8]) -> Option<String> {
    let units = units_of(bytes)?;
    Some(
        String::from_utf16_lossy(&units)
            .trim_end_matches('\0')
            .to_owned(),
    )
}

/// What is there, from JSON.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn state_from(json: &Json) -> Result<Option<State>, String> {
    if json.is_null() {
        return Ok(None);
    }
    let kind = json.get("type").and_then(Json::as_str);
    let kind = kind.ok_or("has no \"type\"")?;
    if kind == KEY {
        return key_from(json.get("data")).map(|key| Some(State::Key(key)));
    }
    let kind = kind_from(kind).ok_or_else(|| format!("{kind:?} is no REG_ type"))?;
    let data = match json.get("raw") {
        Some(raw) => raw.as_str().and_then(|raw| hex::decode(raw).ok()),
        None => bytes_from(kind, json.get("data").unwrap_or(&Json::Null)),
    };
    let data = data.ok_or_else(|| format!("data does not fit its type {}", kind_text(kind)))?;
    Ok(Some(State::Value(Value { kind, data })))
}

fn key_from(data: Option<&Json>) -> Result<KeySummary, String> {
    let number = |field| data.and_then(|data| data.get(field)).and_then(Json::as_u64);
    let digest = data
        .and_then(|data| data.get("sha256"))
        .and_then(Json::as_str);
    let digest = digest.and_then(|digest| hex::decode(digest).ok());
    let digest = digest.and_then(|digest| digest.try_into().ok());
    match (number("subkeys"), number("values"), digest) {
        (Some(subkeys), Some(values), Some(digest)) => Ok(KeySummary {
            subkeys,
            values,
            digest,
        }),
        _ => Err("a key needs \"subkeys\", \"values\" and \"sha256\"".to_owned()),
    }
}

fn kind_from(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    (0..=11).find(|&kind| kind_name(kind) == Some(text))
}

/// The stored bytes that `data` stands for.
fn bytes_from(kind: u32, data: &Json) -> Option<Vec<u8>> {
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    match kind {
        1 | 2 => Some(utf16(&format!("{}\0", data.as_str()?))),
        6 => Some(utf16(data.as_str()?)),
        4 => Some(u32::try_from(data.as_u64()?).ok()?.to_le_bytes().to_vec()),
        5 => Some(u32::try_from(data.as_u64()?).ok()?.to_be_bytes().to_vec()),
        7 => {
            let strings: Option<Vec<&str>> = data.as_array()?.iter().map(Json::as_str).collect();
            let terminated = strings?.into_iter().map(|string| format!("{string}\0"));
            Some(utf16(&format!("{}\0", terminated.collect::<String>())))
        }
        11 => Some(data.as_u64()?.to_le_bytes().to_vec()),
        _ => hex::decode(data.as_str()?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_reads_as_its_type() {
        let text = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        for (kind, data, expected) in [
            (
                4,
                vec![2, 0, 0, 0],
                json!({ "type": "REG_DWORD", "data": 2 }),
            ),
            (1, text("a\0"), json!({ "type": "REG_SZ", "data": "a" })),
            (
                7,
                text("a\0b\0\0"),
                json!({ "type": "REG_MULTI_SZ", "data": ["a", "b"] }),
            ),
            (
                3,
                vec![1, 0xff],
                json!({ "type": "REG_BINARY", "data": "01ff" }),
            ),
            (
                4,
                vec![1],
                json!({ "type": "REG_DWORD", "data": null, "raw": "01" }),
            ),
            (
                1,
                text("0"),
                json!({ "type": "REG_SZ", "data": "0", "raw": "3000" }),
            ),
            (99, vec![1], json!({ "type": "0x00000063", "data": "01" })),
        ] {
            assert_eq!(value_json(&Value { kind, data }), expected);
        }
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(kind in 0_u32..14, data in prop::collection::vec(any::<u8>(), 0..24)) {
            let state = Some(State::Value(Value { kind, data }));
            prop_assert_eq!(state_from(&state_json(state.as_ref())).unwrap(), state);
        }
    }
}
