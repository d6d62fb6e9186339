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
mod limits;
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

// The library's surface.
pub use base_block::BaseBlock;
pub use check::{FINDING_CODES, Finding, FindingCode, Report, Severity, check};
pub use error::{Fault, Record, RegfError};
pub use finder::{Finder, Looked};
pub use hive::Hive;
pub use key_node::{KeyNode, SpecialKey, key_flags};
pub use key_security::KeySecurity;
pub use key_value::{KeyValue, value_flags};
pub use limits::KEY_DEPTH_LIMIT;
pub use name::{Name, StoredName};
pub use node_path::NodePath;
pub use offset::{CellOffset, FileOffset};
pub use security_descriptor::{
    Ace, AceContent, Acl, DescriptorFlaw, SecurityDescriptor, Sid, ace_flags, ace_type,
    descriptor_control, key_access,
};
pub use source::HiveBytes;

// For the tests, which are a crate of their own and look at the bytes themselves; nothing is promised.
#[doc(hidden)]
pub use base_block::checksum;
#[doc(hidden)]
pub use big_data::{BigData, needs_big_data};
#[doc(hidden)]
pub use hive_bin::HiveBin;
#[doc(hidden)]
pub use log_length::longest_log;
#[doc(hidden)]
pub use subkeys_list::{ListKind, SubkeysList};
#[doc(hidden)]
pub use upcase::upcase;

// For the other rooms.
pub(crate) use bytes::u32_at;
pub(crate) use check::{Overreach, check_reach};
pub(crate) use hive_bin::{HIVE_BIN_HEADER_SIZE, HIVE_BIN_UNIT};
pub(crate) use key_value::{INLINE_DATA, INLINE_DATA_LIMIT};
pub(crate) use limits::{
    DATA_SEGMENT_SIZE, KEY_NAME_LIMIT, TRANSACTIONS_PENDING, VALUE_NAME_LIMIT,
};
pub(crate) use named::{ListedValue, ValuesByName};
pub(crate) use node_path::FoldedPath;
pub(crate) use offset::BASE_BLOCK_SIZE;
pub(crate) use structures::field;
