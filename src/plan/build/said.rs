// SPDX-License-Identifier: GPL-3.0-or-later
//! What rules have said of a value or a key.

use crate::profile::{HiveName, Verdict, Want};
use crate::regf::FoldedPath;

/// A value, or a key as a whole, as the registry compares them.
pub(super) type Subject = (HiveName, FoldedPath, Option<Vec<u16>>);

/// What a rule has said about a value or a key.
pub(super) struct Said<'p> {
    pub(super) profile: &'p str,
    /// None where a key should be absent, or the value is worked out; several where each is about
    /// another part of the value.
    pub(super) wants: Vec<&'p Want>,
    /// The change that came of it.
    pub(super) change: Option<usize>,
}

/// What has been said about a value before.
pub(super) enum Recalled<'p> {
    Nothing,
    TheSame,
    /// Something that does not go together with it, by this profile.
    Another(&'p str),
    /// Something about other parts of it, which made this change; what is to be done beyond that.
    Part(usize, Verdict),
}
