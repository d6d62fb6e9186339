// SPDX-License-Identifier: GPL-3.0-or-later
//! What is known of each setting: who decides it, which numbers there are, which profile is about it.
//! Facts only; knows no hive and no profile.

mod known;
mod look_alike;
mod meanings;
mod names;
mod pairs;
mod policies;
mod volatile;

pub(crate) use known::{
    DISABLED, KNOWN, Known, LISTENER, TERMINAL_SERVER, TS_POLICY, UNLIMITED_BY_POLICY,
};
pub(crate) use look_alike::{disguised, looks_the_same, why};
pub(crate) use meanings::meaning;
pub(crate) use names::{How, Near, Place, near_key, near_value};
pub(crate) use pairs::PAIRS;
pub(crate) use policies::{Takes, has_no_policy, may_be_text, policy};
pub(crate) use volatile::{VOLATILE, sentence, volatile};
