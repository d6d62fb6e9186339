// SPDX-License-Identifier: GPL-3.0-or-later
//! What people see of the bundled disk, whole, as it was when somebody looked at it last. Where a change is
//! meant, `INSTA_UPDATE=always cargo test --test behaviour seen::` writes it anew: read the difference.

#![cfg(not(windows))]

use std::process::Command;

/// The output of hivemend in the repository's folder on a page of so many columns.
fn seen(columns: u32, arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    // The file system under the repository is not the same everywhere.
    let lines = text.lines().filter(|line| !line.starts_with("metadata: "));
    let lines: Vec<&str> = lines.map(str::trim_end).collect();
    for line in &lines {
        let width = line.chars().count();
        let is_command = line.trim_start().starts_with("hivemend ");
        let fits = u32::try_from(width).unwrap() <= columns;
        assert!(
            fits || is_command || !line.trim().contains(' '),
            "{width} columns: {line}"
        );
    }
    lines.join("\n")
}

const DISK: &str = "testdata/osdisk";

#[test]
fn a_plan() {
    for columns in [60, 80, 120] {
        let text = seen(columns, &["plan", DISK, "-p", "rdp-disconnects"]);
        assert!(text.lines().count() <= 60, "{text}");
        insta::assert_snapshot!(format!("plan-{columns}"), text);
    }
}

#[test]
fn a_plan_as_a_patch() {
    let text = seen(
        120,
        &["plan", DISK, "-p", "rdp-disconnects", "--format", "diff"],
    );
    insta::assert_snapshot!("plan-diff", text);
}

#[test]
fn a_diagnosis() {
    for columns in [80, 120] {
        insta::assert_snapshot!(
            format!("diagnose-{columns}"),
            seen(columns, &["diagnose", DISK])
        );
    }
}
