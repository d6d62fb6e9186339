// SPDX-License-Identifier: GPL-3.0-or-later
//! What hivemend does, one file for each promise or part of one.
//!
//! One program, because forty of them take minutes to build. One file alone: `cargo test store::`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

// What several of them use.
#[cfg(unix)]
#[path = "common/aftermath.rs"]
mod aftermath;
#[path = "common/anatomy.rs"]
mod anatomy;
#[path = "common/bench.rs"]
mod bench;
#[path = "common/breakage.rs"]
mod breakage;
#[path = "common/drift.rs"]
mod drift;
#[path = "../testdata/empty_hive.rs"]
mod empty_hive;
#[path = "common/fields.rs"]
mod fields;
#[path = "common/file_graph.rs"]
mod file_graph;
#[path = "../testdata/fixtures.rs"]
mod fixtures;
#[path = "common/jury.rs"]
mod jury;
#[allow(
    dead_code,
    reason = "the sizes that are measured are too large for a test"
)]
#[path = "../testdata/large_hive.rs"]
mod large_hive;
#[path = "common/machine.rs"]
mod machine;
#[path = "common/mutants.rs"]
mod mutants;
#[path = "common/mutator.rs"]
mod mutator;
#[cfg(target_os = "linux")]
#[path = "common/ntfs_volume.rs"]
mod ntfs_volume;
#[path = "common/patient.rs"]
mod patient;
#[path = "common/readers.rs"]
mod readers;
#[path = "../testdata/registry_pol.rs"]
mod registry_pol_file;
#[path = "common/rust_paths.rs"]
mod rust_paths;
#[path = "../testdata/transaction_log.rs"]
mod transaction_log;
#[path = "common/workbench.rs"]
mod workbench;

mod architecture;
mod bad_sector;
mod catalogue;
mod check;
mod cost;
mod damage;
mod damaged_edits;
mod damaged_hives;
mod diagnose;
mod diagnose_areas;
mod documents;
mod doors;
mod edit_edges;
mod effective;
mod errors;
mod explain;
mod explain_texts;
mod export;
mod faults;
mod fix;
mod fuzz_regressions;
mod growth;
mod guards;
mod hostile_records;
mod hostile_sizes;
mod import;
mod import_commands;
mod inheritance;
mod instructions;
mod isolation;
mod json_documents;
mod judges;
mod killed;
mod language;
mod library;
mod long_logs;
mod loose_mount;
mod main_job;
mod marks;
mod mend;
mod minimal_touch;
mod model;
mod named_files;
mod names;
mod names_that_are_no_text;
mod near_names;
mod never;
mod next_steps;
mod ntfs;
mod ntfs_power_cut;
mod odd_hives;
mod plan_contract;
mod policy;
mod printed;
mod prior_failures;
mod profile;
mod prune;
mod records;
mod recover;
mod recovery;
mod rough_edges;
mod schema;
mod second_opinion;
mod security_users;
mod seen;
mod set;
mod shell;
mod show_find;
mod store;
mod testdata;
mod undo;
mod widths;
mod windows_program;
mod written;
