// SPDX-License-Identifier: GPL-3.0-or-later
//! A value or key that is not as it should be.

use crate::machine::State;
use crate::profile::HiveName;
use crate::regf::{Name, NodePath};

/// A value or key that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The hive.
    pub hive: HiveName,
    /// The control set, where the key is in one.
    pub control_set: Option<String>,
    /// The key's path below the hive's root.
    pub key: NodePath,
    /// The value's name; `None` for the key itself.
    pub value: Option<Name>,
    /// What is there; `None` for absent.
    pub found: Option<State>,
    /// What should be there; `None` for absent.
    pub wanted: Option<State>,
    /// What else is to be known of it.
    pub note: Option<String>,
}
