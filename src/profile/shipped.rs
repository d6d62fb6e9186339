// SPDX-License-Identifier: GPL-3.0-or-later
//! The profiles that are part of the program.

/// A profile that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// The name it is called by.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The YAML text, to be shown or to begin an own profile from.
    pub text: &'static str,
}

/// Returns the profiles that are part of the program.
///
/// Id and title stand here too, so that a list of them needs no parsing; a test compares them.
pub fn builtin() -> &'static [BuiltIn] {
    &[
        BuiltIn {
            id: "rdp-disconnects",
            title: "Remote Desktop connects, then drops",
            text: include_str!("../../profiles/rdp-disconnects.yaml"),
        },
        BuiltIn {
            id: "rdp-defaults",
            title: "The Remote Desktop listener as Windows sets it up",
            text: include_str!("../../profiles/rdp-defaults.yaml"),
        },
    ]
}
