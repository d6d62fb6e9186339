// SPDX-License-Identifier: GPL-3.0-or-later
//! Why there is no plan.

use thiserror::Error;

use crate::profile::HiveName;
use crate::regf::{RegfError, SpecialKey};
use crate::text::Foreign;

/// Why no plan can be made or kept. Nothing was written.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A structure that the plan needs is damaged.
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
    /// None of the hives that the profiles are about is there.
    #[error("the profiles are about {0}, and no such hive is there")]
    NothingToCompare(String),
    /// What the plan saw is not what is there now.
    #[error(
        "{hive}: {key}{value} has changed since the plan was made: it was {planned}, it is {found}"
    )]
    Outdated {
        /// The hive.
        hive: HiveName,
        /// The key's path.
        key: Foreign,
        /// The value, or nothing.
        value: String,
        /// What the plan saw.
        planned: String,
        /// What is there.
        found: String,
    },
    /// A change that is never made.
    #[error("{hive} {key}{value} is left alone: {why}")]
    Forbidden {
        /// The hive.
        hive: HiveName,
        /// The key's path.
        key: Foreign,
        /// The value, or nothing.
        value: String,
        /// The rule that forbids it.
        why: String,
    },
    /// A key with `*` or `{GUID}` in it means more keys than anyone looks at.
    #[error("more than {limit} keys match the profile's keys")]
    TooManyKeys {
        /// The most that are looked at.
        limit: usize,
    },
    /// The plan would hold more data than anyone means to write.
    #[error("the profiles write more than {limit} MiB here: nobody means that")]
    TooMuch {
        /// The most that is planned, in MiB.
        limit: usize,
    },
    /// The plan is about a hive that is not there.
    #[error("the plan changes {0}, which is not there")]
    HiveMissing(HiveName),
}

impl PlanError {
    /// Puts the hive's name to an error of its structures.
    pub(super) fn in_hive(hive: HiveName) -> impl Fn(RegfError) -> Self {
        move |source| Self::Regf { hive, source }
    }
}
