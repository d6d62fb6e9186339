// SPDX-License-Identifier: GPL-3.0-or-later
//! One thing that a file wants done.

use super::place::Place;
use crate::profile::{Data, KeyPath};

/// One operation on a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The key as it is written.
    pub key: String,
    /// The key that is meant.
    pub path: KeyPath,
    /// What is done.
    pub deed: Deed,
    /// Where it stands.
    pub at: Place,
    /// The comment right above it.
    pub remark: Option<String>,
}

/// What is done to a key or a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The key is made.
    CreateKey,
    /// The key is deleted with all that is in it.
    DeleteKey,
    /// A value gets a type and data; the unnamed one has an empty name.
    SetValue {
        /// Its name.
        name: String,
        /// Its type and data.
        data: Data,
    },
    /// A value is deleted.
    DeleteValue {
        /// Its name.
        name: String,
    },
    /// Every value of the key is deleted, and no subkey.
    DeleteAllValues,
}
