// SPDX-License-Identifier: GPL-3.0-or-later
//! Large hives for measurements: `cargo run --release --example bench-inputs FOLDER`.
//!
//! Everything is made from numbers, so that each run on each machine gives the same bytes.

use std::fs;
use std::path::Path;

#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared with the tests; a wrong fixture must stop the generator"
)]
#[path = "../testdata/empty_hive.rs"]
mod empty_hive;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../testdata/fixtures.rs"]
mod fixtures;
#[path = "../testdata/large_hive.rs"]
mod large_hive;
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "shared with the tests"
)]
#[path = "../testdata/transaction_log.rs"]
mod transaction_log;

use large_hive::{Changed, SIZES};

fn main() -> Result<(), String> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let folder = Path::new(&folder);
    for (name, keys) in SIZES {
        let clean = large_hive::build(*keys)?;
        write_disk(&folder.join(name), &[("SYSTEM", &clean)])?;
        let Changed {
            primary,
            first,
            second,
        } = large_hive::changed(&clean, *keys)?;
        let logs: [(&str, &[u8]); 3] = [
            ("SYSTEM", &primary),
            ("SYSTEM.LOG1", &first),
            ("SYSTEM.LOG2", &second),
        ];
        write_disk(&folder.join(format!("{name}-dirty")), &logs)?;
    }
    Ok(())
}

/// A disk's root with these files in its config folder.
fn write_disk(root: &Path, files: &[(&str, &[u8])]) -> Result<(), String> {
    let config = root.join("Windows/System32/config");
    fs::create_dir_all(&config).map_err(|error| format!("{}: {error}", config.display()))?;
    for (name, bytes) in files {
        let path = config.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{:>10}  {}", bytes.len(), path.display());
    }
    Ok(())
}
