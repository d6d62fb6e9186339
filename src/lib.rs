// SPDX-License-Identifier: GPL-3.0-or-later
//! Reads, checks, recovers and edits the registry hives (regf) of a Windows that is not running.
//!
//! A hive is bytes: a `Vec<u8>`, or whatever else is [`HiveBytes`](regf::HiveBytes). Nothing here opens a
//! file, nothing here panics over what is in one, and there is no unsafe code.
//!
//! | module | what it does |
//! |---|---|
//! | [`regf`] | keys, values, security; and the structural check |
//! | [`log`] | a dirty hive and its transaction logs in, the hive as Windows would see it out |
//! | [`edit`] | makes, sets and deletes keys and values, and seals a hive that was checked again |
//! | [`verify`] | the second opinion on an edited hive, by nt-hive |
//! | [`text`] | names that others wrote, shown so that they forge nothing |
//!
//! The feature `cli`, which is on by default, is the program and all that it takes. The library is had
//! without: `hivemend = { version = "0.1", default-features = false }`.
//!
//! # Open a hive and walk its keys
//!
//! ```
//! use hivemend::regf::{Hive, KeyNode, Name, RegfError};
//!
//! fn print(hive: &Hive<'_>, key: &KeyNode<'_>, depth: usize) -> Result<(), RegfError> {
//!     println!("{:indent$}{}", "", key.name().to_name(), indent = 2 * depth);
//!     for at in hive.values(key)? {
//!         let value = hive.value(at)?;
//!         let data = hive.data(&value)?;
//!         let name = value.name().to_name();
//!         println!("{:indent$}= {name}: {} bytes", "", data.len(), indent = 2 * depth);
//!     }
//!     for at in hive.subkeys(key)? {
//!         print(hive, &hive.key(at)?, depth + 1)?;
//!     }
//!     Ok(())
//! }
//!
//! let bytes = std::fs::read("testdata/osdisk/Windows/System32/config/SYSTEM")?;
//! let hive = Hive::open(&bytes)?;
//! print(&hive, &hive.root()?, 0)?;
//!
//! // One key and one value, by their names in whatever spelling:
//! let path = ["controlset001", "control", "computername", "computername"].map(Name::from);
//! let key = hive.find(&path)?.ok_or("no such key")?;
//! let value = hive.find_value(&key, &Name::from("COMPUTERNAME"))?.ok_or("no such value")?;
//! assert_eq!(value.name().to_name().to_string(), "ComputerName");
//! assert_eq!(&hive.data(&value)?[..4], b"S\0A\0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Recover a dirty hive from its logs
//!
//! ```
//! use hivemend::log::{LogFile, recover};
//! use hivemend::regf::{Hive, Name};
//!
//! # // A machine that lost power while it wrote: what it had to write is in the log only.
//! # let clean = std::fs::read("testdata/osdisk/Windows/System32/config/SYSTEM")?;
//! # let (system, log1) = {
//! #     use hivemend::{edit::Editor, regf::checksum};
//! #     let mut editor = Editor::open(clean.clone(), 0x01DA_3C45_7689_C000)?;
//! #     editor.set_value("Select", &Name::from("Current"), 4, &2_u32.to_le_bytes())?;
//! #     let after = editor.seal(1)?.image;
//! #     let with = |bytes: &[u8], fields: &[(usize, u32)]| {
//! #         let mut bytes = bytes.to_vec();
//! #         let put = |bytes: &mut Vec<u8>, at, n: u32| bytes[at..at + 4].copy_from_slice(&n.to_le_bytes());
//! #         fields.iter().for_each(|(at, n)| put(&mut bytes, *at, *n));
//! #         let sum = checksum(&bytes).unwrap();
//! #         put(&mut bytes, 508, sum);
//! #         bytes
//! #     };
//! #     let mut log = with(&after[..512], &[(28, 1)]);
//! #     log.extend(b"DIRT");
//! #     log.resize(log.len() + (after.len() - 4096) / 4096, 0xFF);
//! #     log.resize(log.len().next_multiple_of(512), 0);
//! #     log.extend(&after[4096..]);
//! #     (with(&clean, &[(4, 2), (8, 1)]), log)
//! # };
//! // `system` and `log1` are the bytes of SYSTEM and SYSTEM.LOG1.
//! let logs = [LogFile { name: "SYSTEM.LOG1".to_owned(), bytes: &log1 }];
//! let recovered = recover(&system, &logs)?;
//! println!("{}", recovered.report());
//! assert!(!recovered.was_clean());
//!
//! // It can be read as it is, without a copy of the whole:
//! let hive = Hive::open(&recovered)?;
//! let select = hive.find(&[Name::from("Select")])?.ok_or("no such key")?;
//! let current = hive.find_value(&select, &Name::from("Current"))?.ok_or("no such value")?;
//! assert_eq!(*hive.data(&current)?, 2_u32.to_le_bytes());
//!
//! // Or written to a file of its own:
//! let image: Vec<u8> = recovered.to_vec()?;
//! assert!(hivemend::regf::check(&image).is_sound());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Set a value and seal the hive
//!
//! ```
//! use hivemend::edit::Editor;
//! use hivemend::regf::Name;
//! use hivemend::verify::{ExpectedState, Expectation, verify};
//!
//! const REG_DWORD: u32 = 4;
//!
//! let bytes = std::fs::read("testdata/osdisk/Windows/System32/config/SYSTEM")?;
//! let now = 0x01DC_5A00_0000_0000; // FILETIME: keys that change will say that they did then
//! let mut editor = Editor::open(bytes, now)?;
//! let key = r"ControlSet001\Services\Example";
//! editor.create_key(key)?;
//! editor.set_value(key, &Name::from("Start"), REG_DWORD, &4_u32.to_le_bytes())?;
//!
//! // Beyond the last number that a transaction log of this hive has (`Report::last_sequence`), so that
//! // no log ever applies to it again; 0 where it has no logs.
//! let sealed = editor.seal(0)?;
//! assert!(sealed.report.is_sound());
//!
//! // Another reader must find the same in it before it takes the place of the old one.
//! let expected = Expectation {
//!     key: key.into(),
//!     state: ExpectedState::Value {
//!         name: Name::from("Start"),
//!         kind: REG_DWORD,
//!         data: 4_u32.to_le_bytes().to_vec(),
//!     },
//! };
//! verify(&sealed.image, &[expected])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The folder `examples` has the same three as programs.

// The rooms, and which other rooms each may use (tests/architecture.rs enforces it):
//
// | room | what it is | may use |
// |---|---|---|
// | text | text that others wrote, shown so that it forges nothing | nothing |
// | files | small files that somebody names, read if they are plain files | nothing |
// | hive_name | the hives that are worked on, by name | nothing |
// | regf | the hive format: bytes in, typed views out, and the structural check | nothing |
// | log | transaction logs: primary and logs in, recovered image and report out; pure | regf |
// | edit | the only room that changes hive bytes, in memory | regf |
// | mend | damaged bytes and donors in, a sound image and what was lost out; pure | regf |
// | settings | what is known of each setting: who decides it, its numbers; facts only | nothing |
// | profile | baselines in YAML; knows no hive | files, settings, hive_name |
// | policy | the local group policy's file: bytes in, what it will write out; pure | nothing |
// | import | what others wrote about a registry, read as operations and a draft of a profile; pure | profile, policy |
// | machine | the hives of one machine: control sets, which Windows, values; pure | profile, regf |
// | plan | baselines and hives in, the changes that are needed out; pure | machine, profile, regf |
// | effect | what wins over what, now and after a plan; pure | plan, machine, settings, policy, profile, regf |
// | diagnose | what keeps a machine from being reached, and the profile that helps; pure | effect, and what it may use |
// | disk | looking at a target; reads only | regf (headers), hive_name |
// | store | the only room that writes to disk; does not know what a key is | disk |
// | verify | the second opinion, by nt-hive | regf |
// | explain | from a code, an event or words to causes and profiles; knows no hive | nothing |
// | report | all text and JSON | the others' result types |
// | cli | arguments, exit codes, one file per command | everything |
//
// Besides, every room may use text. Data flows one way: target, hives, plan, new image, second opinion,
// disk. No room calls back.

#![warn(missing_docs)]

pub mod edit;
pub mod log;
pub mod regf;
pub mod text;
pub mod verify;

// The rooms of the program. They are public, and hidden, for two other crates only: the program itself
// (src/main.rs), and the tests, which judge each room by itself. No version promises anything of them.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod diagnose;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod disk;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod effect;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod explain;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod files;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod hive_name;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod import;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod machine;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod mend;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod plan;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod policy;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod profile;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod report;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod settings;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod store;
