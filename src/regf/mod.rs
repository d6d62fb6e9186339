// SPDX-License-Identifier: GPL-3.0-or-later
//! The hive format: bytes in, typed views out. No I/O, no serialization, never panics.
//!
//! Every structure of the specification (msuhanov/regf, cited as "Spec: regf, *Section*")
//! has one file here; [`Hive`] reads them as a tree and [`check`] judges a whole image.

#![deny(clippy::arithmetic_side_effects)]

mod base_block;
mod big_data;
mod bytes;
mod check;
mod error;
mod finder;
mod hive;
mod hive_bin;
mod key_node;
mod key_security;
mod key_value;
mod log_length;
mod name;
mod named;
mod node_path;
mod offset;
mod security_descriptor;
mod source;
#[doc(hidden)]
pub mod structures;
mod subkeys_list;
mod upcase;

pub use base_block::{BASE_BLOCK_SIZE, BaseBlock, checksum};
pub use big_data::{BigData, DATA_SEGMENT_SIZE, needs_big_data};
pub(crate) use bytes::u32_at;
pub use check::{
    FINDING_CODES, Finding, FindingCode, Overreach, Report, Severity, check, check_reach,
};
pub use error::{Fault, Record, RegfError};
pub use finder::{Finder, Looked};
pub use hive::{Hive, KEY_DEPTH_LIMIT};
pub use hive_bin::{HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT, HiveBin};
pub use key_node::{KeyNode, SpecialKey, key_flags};
pub use key_security::KeySecurity;
pub use key_value::{INLINE_DATA, INLINE_DATA_LIMIT, KeyValue, value_flags};
pub use log_length::longest_log;
pub use name::{Name, StoredName};
pub use named::{ListedValue, SubkeysByName, ValuesByName};
pub use node_path::{FoldedPath, NodePath};
pub use offset::{CellOffset, FileOffset};
pub use security_descriptor::{
    Ace, AceContent, Acl, DescriptorFlaw, SecurityDescriptor, Sid, ace_flags, ace_type,
    descriptor_control, key_access,
};
pub use source::HiveBytes;
pub(crate) use structures::field;
pub use subkeys_list::{ListKind, SubkeysList};
pub use upcase::upcase;
