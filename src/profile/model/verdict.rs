// SPDX-License-Identifier: GPL-3.0-or-later
//! What comes of holding a value against what is wanted.

/// What is to be done with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is as wanted.
    Met,
    /// It is to be written with this type and data.
    Write {
        /// The REG_ type number.
        kind: u32,
        /// The data as stored.
        data: Vec<u8>,
    },
    /// It is to be deleted.
    Delete,
    /// It is not there, and what is wanted is about a part of it only.
    Missing,
    /// It cannot be told or made; why.
    Blocked(String),
}
