// SPDX-License-Identifier: GPL-3.0-or-later
//! Recovers a dirty hive: `cargo run --example recover -- HIVE OUT LOG...`.
//!
//! The logs are those beside the hive: SYSTEM.LOG1, SYSTEM.LOG2. `OUT` must not exist.

use std::error::Error;
use std::path::Path;

use hivemend::log::{LogFile, recover};
use hivemend::regf::check;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [hive, out, logs @ ..] = arguments.as_slice() else {
        return Err("usage: recover HIVE OUT LOG...".into());
    };
    let primary = std::fs::read(hive)?;
    let mut bytes = Vec::new();
    for log in logs {
        bytes.push((Path::new(log), std::fs::read(log)?));
    }
    let logs = bytes.iter().map(|(path, bytes)| LogFile {
        // Which of the logs it is matters, not where it stands.
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into(),
        bytes,
    });
    let logs: Vec<LogFile<'_>> = logs.collect();
    let recovered = recover(&primary, &logs)?;
    println!("{}", recovered.report());
    let image = recovered.to_vec()?;
    if let Some(finding) = check(&image).first_error() {
        println!("recovered, and still damaged: {finding}");
    }
    let mut file = std::fs::File::create_new(out)?;
    std::io::Write::write_all(&mut file, &image)?;
    Ok(())
}
