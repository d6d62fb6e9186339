// SPDX-License-Identifier: GPL-3.0-or-later
//! The crate regf: `regf-crate walk HIVE`, `regf-crate read HIVE KEY`.

use std::error::Error;

use regf::RegistryHive;
use regf::hive::RegistryKey;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let hive = RegistryHive::from_file(&arguments[2])?;
    let mut seen = (0_u64, 0_usize);
    match arguments[1].as_str() {
        "walk" => walk(&hive.root_key()?, &mut seen)?,
        _ => values(&hive.open_key(&arguments[3])?, &mut seen)?,
    }
    println!("{seen:?}");
    Ok(())
}

fn walk(key: &RegistryKey, seen: &mut (u64, usize)) -> Result<(), Box<dyn Error>> {
    seen.0 += 1;
    values(key, seen)?;
    for subkey in key.subkeys()? {
        walk(&subkey, seen)?;
    }
    Ok(())
}

fn values(key: &RegistryKey, seen: &mut (u64, usize)) -> Result<(), Box<dyn Error>> {
    for value in key.values()? {
        seen.1 += value.name().len() + value.raw_data()?.len();
    }
    Ok(())
}
