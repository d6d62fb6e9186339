// SPDX-License-Identifier: GPL-3.0-or-later
//! Values of the listener that do not go together.

/// Two numbers that Windows does not take together, and why.
#[derive(Debug)]
pub(crate) struct Pair {
    /// One value and its number.
    pub(crate) one: (&'static str, u32),
    /// The other one.
    pub(crate) other: (&'static str, u32),
    /// Why not.
    pub(crate) why: &'static str,
}

/// All of them.
pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        one: ("SecurityLayer", 2),
        other: ("MinEncryptionLevel", 1),
        why: "TLS (SecurityLayer 2) needs MinEncryptionLevel 2 at least",
    },
    Pair {
        one: ("SecurityLayer", 0),
        other: ("UserAuthentication", 1),
        why: "Network Level Authentication (UserAuthentication 1) needs SecurityLayer 1 at least",
    },
];
