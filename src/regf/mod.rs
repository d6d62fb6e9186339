// SPDX-License-Identifier: GPL-3.0-or-later
//! The hive format: bytes in, typed views out. No I/O, no serialization, never panics.
//!
//! Every structure of the specification (msuhanov/regf, cited as "Spec: regf, *Section*")
//! has one file here.

#![deny(clippy::arithmetic_side_effects)]

mod base_block;
mod bytes;
mod error;
mod offset;
mod source;

pub use base_block::{BASE_BLOCK_SIZE, BaseBlock, checksum};
pub use error::{Fault, Record, RegfError};
pub use offset::{CellOffset, FileOffset};
pub use source::HiveBytes;
