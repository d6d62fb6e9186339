// SPDX-License-Identifier: GPL-3.0-or-later
//! nt-hive: `nt-hive walk HIVE`, `nt-hive read HIVE KEY`.

use std::error::Error;

use nt_hive::{Hive, KeyNode, KeyValueData};

type Key<'h> = KeyNode<'h, &'h [u8]>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let bytes = std::fs::read(&arguments[2])?;
    let hive = Hive::new(bytes.as_slice())?;
    let root = hive.root_key_node()?;
    let mut seen = Seen::default();
    match arguments[1].as_str() {
        "walk" => walk(&root, &mut seen)?,
        _ => {
            let key = root.subpath(&arguments[3]).ok_or("no such key")??;
            values(&key, &mut seen)?;
        }
    }
    println!("{seen:?}");
    Ok(())
}

#[derive(Debug, Default)]
struct Seen {
    keys: u64,
    values: u64,
    bytes: usize,
}

fn walk(key: &Key, seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    seen.keys += 1;
    seen.bytes += key.name()?.len();
    values(key, seen)?;
    for subkey in key.subkeys().transpose()?.into_iter().flatten() {
        walk(&subkey?, seen)?;
    }
    Ok(())
}

fn values(key: &Key, seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    for value in key.values().transpose()?.into_iter().flatten() {
        let value = value?;
        seen.values += 1;
        seen.bytes += value.name()?.len();
        // A walk knows where the data is and how much; it does not look at it.
        seen.bytes += match value.data()? {
            KeyValueData::Small(bytes) => bytes.len(),
            KeyValueData::Big(_) => usize::try_from(value.data_size())?,
        };
    }
    Ok(())
}
