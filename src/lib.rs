// SPDX-License-Identifier: GPL-3.0-or-later
//! hivemend repairs the registry hives of a Windows machine that is not running.
//!
//! The rooms, and which other rooms each may use (`tests/architecture.rs` enforces it):
//!
//! | room | what it is | may use |
//! |---|---|---|
//! | [`text`] | text that others wrote, shown so that it forges nothing | nothing |
//! | [`files`] | small files that somebody names, read if they are plain files | nothing |
//! | [`hive_name`] | the hives that are worked on, by name | nothing |
//! | [`regf`] | the hive format: bytes in, typed views out, and the structural check | nothing |
//! | [`log`] | transaction logs: primary and logs in, recovered image and report out; pure | `regf` |
//! | [`edit`] | the only room that changes hive bytes, in memory | `regf` |
//! | [`mend`] | damaged bytes and donors in, a sound image and what was lost out; pure | `regf` |
//! | [`settings`] | what is known of each setting: who decides it, its numbers; facts only | nothing |
//! | [`profile`] | baselines in YAML; knows no hive | `files`, `settings`, `hive_name` |
//! | [`policy`] | the local group policy's file: bytes in, what it will write out; pure | nothing |
//! | [`import`] | what others wrote about a registry, read as operations and a draft of a profile; pure | `profile`, `policy` |
//! | [`machine`] | the hives of one machine: control sets, which Windows, values; pure | `profile`, `regf` |
//! | [`plan`] | baselines and hives in, the changes that are needed out; pure | `machine`, `profile`, `regf` |
//! | [`effect`] | what wins over what, now and after a plan; pure | `plan`, `machine`, `settings`, `policy`, `profile`, `regf` |
//! | [`diagnose`] | what keeps a machine from being reached, and the profile that helps; pure | `effect`, and what it may use |
//! | [`disk`] | looking at a target; reads only | `regf` (headers), `hive_name` |
//! | [`store`] | the only room that writes to disk; does not know what a key is | `disk` |
//! | [`verify`] | the second opinion, by nt-hive | `regf` |
//! | [`explain`] | from a code, an event or words to causes and profiles; knows no hive | nothing |
//! | [`report`] | all text and JSON | the others' result types |
//! | [`cli`] | arguments, exit codes, one file per command | everything |
//!
//! Besides, every room may use `text`. Data flows one way: target, hives, plan, new image, second opinion, disk. No room calls back.

#![warn(missing_docs)]

pub mod cli;
pub mod diagnose;
pub mod disk;
pub mod edit;
pub mod effect;
pub mod explain;
pub mod files;
pub mod hive_name;
pub mod import;
pub mod log;
pub mod machine;
pub mod mend;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod regf;
pub mod report;
pub mod settings;
pub mod store;
pub mod text;
pub mod verify;
