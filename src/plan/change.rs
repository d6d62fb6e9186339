// SPDX-License-Identifier: GPL-3.0-or-later
//! One change of a plan.

use std::sync::Arc;

use crate::machine::State;
use crate::profile::{Cause, HiveName};
use crate::regf::{Name, NodePath};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The id of the profile that wants it.
    pub profile: String,
    /// The hive it is made in.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// The value's name; `None` where the key itself is created or deleted.
    pub value: Option<Name>,
    /// What is done.
    pub action: Action,
    /// What was found; `None` for absent.
    pub before: Option<State>,
    /// What will be there; `None` for absent.
    pub after: Option<State>,
    /// Whether the machine is less secure afterwards.
    pub lowers_security: bool,
    /// What it means that this is not as wanted, where the profile says so.
    pub cause: Option<Cause>,
    /// Why.
    pub note: Arc<str>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gives a value a type and data.
    Set,
    /// Removes a value.
    DeleteValue,
    /// Makes a key.
    CreateKey,
    /// Removes a key with all below it.
    DeleteKey,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Set,
        Self::DeleteValue,
        Self::CreateKey,
        Self::DeleteKey,
    ];

    /// Its name in plans and manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::DeleteValue => "delete-value",
            Self::CreateKey => "create-key",
            Self::DeleteKey => "delete-key",
        }
    }
}
