// SPDX-License-Identifier: GPL-3.0-or-later
//! Sets a REG_DWORD in a clean hive: `cargo run --example set_value -- HIVE OUT KEY NAME NUMBER`.
//!
//! The key is made where it is missing. `OUT` must not exist; the hive itself stays as it is.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use hivemend::edit::Editor;
use hivemend::regf::{Hive, Name};
use hivemend::verify::{Expectation, ExpectedState, verify};

const REG_DWORD: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [hive, out, key, name, number] = arguments.as_slice() else {
        return Err("usage: set_value HIVE OUT KEY NAME NUMBER".into());
    };
    let bytes = std::fs::read(hive)?;
    if !Hive::open(&bytes)?.base().is_clean() {
        return Err("the hive is dirty: recover it first".into());
    }
    let (name, data) = (Name::from(&**name), number.parse::<u32>()?.to_le_bytes());
    let mut editor = Editor::open(bytes, filetime()?)?;
    editor.create_key(&**key)?;
    editor.set_value(&**key, &name, REG_DWORD, &data)?;
    // The logs beside the hive are not looked at here: they must not be put beside the new one.
    let sealed = editor.seal(0)?;
    let (kind, data) = (REG_DWORD, data.to_vec());
    let state = ExpectedState::Value { name, kind, data };
    let key = (&**key).into();
    verify(&sealed.image, &[Expectation { key, state }])?;
    let mut file = std::fs::File::create_new(out)?;
    std::io::Write::write_all(&mut file, &sealed.image)?;
    Ok(())
}

/// Now, in units of 100 nanoseconds since 1601.
fn filetime() -> Result<u64, Box<dyn Error>> {
    const TO_1970: u64 = 116_444_736_000_000_000;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() / 100;
    Ok(TO_1970.saturating_add(u64::try_from(since)?))
}
