// SPDX-License-Identifier: GPL-3.0-or-later
//! Why there is no plan.

use thiserror::Error;

use crate::machine::{MachineError, State};
use crate::profile::HiveName;
use crate::regf::Name;
use crate::text::Foreign;

/// What the plan saw is not what is there now.
#[derive(Debug, Error)]
#[error("{hive}: {key}{} has changed since the plan was made", of_value(.value.as_ref()))]
pub struct Outdated {
    /// The hive.
    pub hive: HiveName,
    /// The key's path.
    pub key: Foreign,
    /// The value, unless it is about the key.
    pub value: Option<Name>,
    /// What the plan saw; `None` for nothing.
    pub planned: Option<State>,
    /// What is there.
    pub found: Option<State>,
}

fn of_value(name: Option<&Name>) -> String {
    name.map_or(String::new(), |name| format!(" value {name}"))
}

/// Why no plan can be made or kept. Nothing was written.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The hives cannot be asked for what the plan needs.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// None of the hives that the profiles are about is there.
    #[error("the profiles are about {0}, and no such hive is there")]
    NothingToCompare(String),
    /// What the plan saw is not what is there now.
    #[error(transparent)]
    Outdated(Box<Outdated>),
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
}
