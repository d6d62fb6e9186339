// SPDX-License-Identifier: GPL-3.0-or-later
//! A profile to begin from.

/// Returns a commented profile that is valid as it stands, and shows every field.
pub fn skeleton() -> &'static str {
    include_str!("skeleton.yaml")
}
