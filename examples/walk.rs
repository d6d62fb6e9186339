// SPDX-License-Identifier: GPL-3.0-or-later
//! Prints the keys of a hive, each with its values: `cargo run --example walk -- HIVE [KEY...]`.
//!
//! `KEY` is one part of a path each: `walk SYSTEM Select`.

use std::error::Error;

use hivemend::regf::{Hive, KeyNode, Name};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: walk HIVE [KEY...]")?;
    let path: Vec<Name> = arguments.map(|name| Name::from(&*name)).collect();
    let bytes = std::fs::read(file)?;
    let hive = Hive::open(&bytes)?;
    let key = hive.find(&path)?.ok_or("no such key")?;
    print(&hive, &key, 0)
}

fn print(hive: &Hive<'_>, key: &KeyNode<'_>, indent: usize) -> Result<(), Box<dyn Error>> {
    println!("{:indent$}[{}]", "", key.name().to_name());
    for at in hive.values(key)? {
        let value = hive.value(at)?;
        let (name, kind) = (value.name().to_name(), value.kind());
        let data = hive.data(&value)?;
        println!("{:indent$}{name:?} type {kind}, {} bytes", "", data.len());
    }
    for at in hive.subkeys(key)? {
        print(hive, &hive.key(at)?, indent.saturating_add(2))?;
    }
    Ok(())
}
