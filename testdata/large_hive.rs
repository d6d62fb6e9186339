// SPDX-License-Identifier: GPL-3.0-or-later
//! A SYSTEM hive as large as wanted: the sample disk's, and beside its control sets keys and
//! values as an installation of some years has them. For measurements; nothing of it is committed.

use hivemend::edit::Editor;
use hivemend::regf::Name;

use crate::fixtures::{FIXTURES, TIME};
use crate::transaction_log::{NewLog, dirty};

/// The inputs of the measurements: a disk's name, and how many keys its SYSTEM hive gets.
///
/// 12 MB is the SYSTEM hive of a Windows 10, 84 MB a large SOFTWARE hive.
pub(crate) const SIZES: &[(&str, u32)] = &[("12mb", 20_000), ("84mb", 143_000)];

/// Keys below each key of the second level.
const LEAVES: u32 = 24;
/// Keys of the second level below each key of the first.
const BRANCHES: u32 = 40;
/// Sequence number of the first log entry.
const FIRST_ENTRY: u32 = 40;
/// Log entries, half of them in each log.
const ENTRIES: u32 = 8;
/// Bytes of logs, about: what Windows lets pile up before it writes the hive itself.
const LOGS: u32 = 3 << 20;
/// Bytes that a change dirties: a page.
const PAGE: u32 = 4096;

/// A hive whose last changes are in its logs only.
pub(crate) struct Changed {
    /// The hive's file.
    pub(crate) primary: Vec<u8>,
    /// What SYSTEM.LOG1 holds.
    pub(crate) first: Vec<u8>,
    /// What SYSTEM.LOG2 holds.
    pub(crate) second: Vec<u8>,
}

/// The sample disk's SYSTEM hive with about `keys` keys more.
///
/// # Errors
///
/// The edit that cannot be made.
pub(crate) fn build(keys: u32) -> Result<Vec<u8>, String> {
    let sample = FIXTURES.first().ok_or("no sample hive")?.build()?;
    let mut editor = Editor::open(sample, TIME).map_err(|error| error.to_string())?;
    for number in 0..keys {
        let path = key_path(number);
        editor
            .create_key(&path)
            .map_err(|error| error.to_string())?;
        for index in 0..value_count(number) {
            let (name, kind, data) = value(number, index);
            editor
                .set_value(&path, &name, kind, &data)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(editor.seal(0).map_err(|error| error.to_string())?.image)
}

/// `clean` after some hundred changes that only its logs hold.
///
/// # Errors
///
/// The edit that cannot be made.
pub(crate) fn changed(clean: &[u8], keys: u32) -> Result<Changed, String> {
    let text = |error: hivemend::edit::EditError| error.to_string();
    let mut logs = [
        NewLog::new(clean, FIRST_ENTRY),
        NewLog::new(clean, FIRST_ENTRY.saturating_add(ENTRIES / 2)),
    ];
    let mut before = clean.to_vec();
    let mut place = 0_u32;
    for entry in 0..ENTRIES {
        let mut editor = Editor::open(before.clone(), TIME).map_err(text)?;
        for _ in 0..LOGS / PAGE / ENTRIES {
            // A step without a common divisor visits distant keys one after the other.
            place = place.wrapping_add(7919) % keys;
            let name = Name::from("Start");
            let data = entry.to_le_bytes();
            editor
                .set_value(&key_path(place), &name, 4, &data)
                .map_err(text)?;
        }
        let after = editor.seal(0).map_err(text)?.image;
        let sequence = FIRST_ENTRY.saturating_add(entry);
        if let Some(log) = logs.get_mut(usize::from(entry >= ENTRIES / 2)) {
            *log = log.clone().entry(&before, &after, sequence);
        }
        before = after;
    }
    let [first, second] = logs.map(|log| log.bytes);
    Ok(Changed {
        primary: dirty(clean, FIRST_ENTRY, FIRST_ENTRY - 1),
        first,
        second,
    })
}

/// `Enum\Bus 004\{...}\Device 0123`, and every seventh a key deeper.
fn key_path(number: u32) -> Vec<Name> {
    let (branch, leaf) = (number / LEAVES, number % LEAVES);
    let mut path = vec![
        Name::from("ControlSet001"),
        Name::from("Enum"),
        format!("Bus {:03}", branch / BRANCHES).as_str().into(),
        guid(branch).as_str().into(),
        format!("Device {:05}", number.wrapping_mul(40503) % 65536)
            .as_str()
            .into(),
    ];
    if leaf.is_multiple_of(7) {
        path.push(Name::from("Device Parameters"));
    }
    path
}

/// A number spread over a GUID's digits.
fn guid(number: u32) -> String {
    let a = number.wrapping_mul(0x9E37_79B9);
    let b = a.rotate_left(15) ^ 0x5bd1_e995;
    format!(
        "{{{a:08x}-{:04x}-{:04x}-{b:08x}}}",
        number & 0xFFFF,
        b >> 16
    )
}

/// Three to five values a key.
fn value_count(number: u32) -> u32 {
    3_u32
        .saturating_add(number.wrapping_mul(0x85EB_CA6B) >> 30)
        .min(5)
}

/// The value `index` of the key `number`: its name, type and data.
fn value(number: u32, index: u32) -> (Name, u32, Vec<u8>) {
    let mixed = number.wrapping_mul(31).wrapping_add(index);
    let mixed = mixed.wrapping_mul(0x9E37_79B9);
    match index {
        0 => (Name::from("Start"), 4, mixed.to_le_bytes().to_vec()),
        1 => {
            let text = format!(r"\SystemRoot\System32\drivers\{mixed:08x}.sys");
            (Name::from("ImagePath"), 2, utf16(&text))
        }
        2 => {
            let text = format!("Description of device {number}");
            (Name::from("DeviceDesc"), 1, utf16(&text))
        }
        3 => {
            let size = 16_u32.saturating_add(mixed >> 24);
            let name = format!("Data {:02}", mixed % 100);
            (name.as_str().into(), 3, crate::fixtures::pattern(size))
        }
        _ => {
            let data = mixed.to_le_bytes().to_vec();
            (Name::from("Configuration Flags"), 4, data)
        }
    }
}

/// UTF-16LE with a NUL behind it.
fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}
