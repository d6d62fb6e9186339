// SPDX-License-Identifier: GPL-3.0-or-later
//! Why nothing could be mended.

use thiserror::Error;

/// Why nothing could be mended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MendError {
    /// There is nothing in it that could be a hive.
    #[error("there is no bin and no key in it: nothing of the hive is left")]
    Nothing,
    /// No key can be the root.
    #[error("no key in it can be the root")]
    NoRoot,
    /// What was saved does not fit into a hive.
    #[error("what was saved is more than a hive can hold")]
    TooLarge,
    /// What was made is not sound: a fault of this program.
    #[error("the mended hive is not sound: {0}")]
    NotSound(String),
}
