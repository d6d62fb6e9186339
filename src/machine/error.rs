// SPDX-License-Identifier: GPL-3.0-or-later
//! Why the hives of a machine cannot be asked.

use thiserror::Error;

use crate::profile::HiveName;
use crate::regf::{RegfError, SpecialKey};
use crate::text::Foreign;

/// Why the hives of a machine cannot be asked for something.
#[derive(Debug, Error)]
pub enum MachineError {
    /// A structure that is needed is damaged.
    #[error("{hive}: {source}")]
    Regf {
        /// The hive.
        hive: HiveName,
        /// What is damaged.
        source: RegfError,
    },
    /// A key must not be edited, nor anything below it.
    #[error("{hive}: key {key} {special}")]
    Special {
        /// The hive.
        hive: HiveName,
        /// The key's path.
        key: Foreign,
        /// What it is.
        special: SpecialKey,
    },
    /// SYSTEM has no control set.
    #[error(
        "SYSTEM has no control set (no key ControlSetNNN): it is not a SYSTEM hive, or it is damaged"
    )]
    NoControlSet,
    /// The control set in use cannot be told.
    #[error(
        "SYSTEM does not say which control set is current ({why}): name control sets by number"
    )]
    NoCurrent {
        /// What is wrong with `Select`.
        why: &'static str,
    },
    /// A control set was asked for that does not exist.
    #[error("ControlSet{number:03} does not exist; SYSTEM has {known}")]
    NoSuchControlSet {
        /// The one asked for.
        number: u16,
        /// Those that exist.
        known: String,
    },
    /// A hive is needed that is not there.
    #[error("the plan changes {0}, which is not there")]
    HiveMissing(HiveName),
}

impl MachineError {
    /// Puts the hive's name to an error of its structures.
    pub(crate) fn in_hive(hive: HiveName) -> impl Fn(RegfError) -> Self {
        move |source| Self::Regf { hive, source }
    }
}
