// SPDX-License-Identifier: GPL-3.0-or-later
//! Writes the sample hives anew: `cargo run --example generate-testdata`.

use std::path::Path;

#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a wrong fixture must stop the generator"
)]
mod empty_hive;
mod fixtures;

fn main() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    for fixture in fixtures::FIXTURES {
        let bytes = fixture.build()?;
        let path = folder.join(fixture.path);
        std::fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{:>7}  {}", bytes.len(), fixture.path);
    }
    Ok(())
}
