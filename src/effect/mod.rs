// SPDX-License-Identifier: GPL-3.0-or-later
//! What wins over what: the value that counts for each setting of Terminal Services, where it
//! comes from, and which changes are masked by another place or undone at the next start.
//!
//! A policy wins over the listener and the Terminal Server key; the flags `fInherit...` leave a
//! limit of the listener to the user's account; the local group policy's file writes the policy
//! key again when Windows starts, and a domain's policy may.

mod debris;
mod in_force;
mod judge;
mod marks;
mod model;
mod reader;

pub use debris::{Debris, Flaw};
pub(crate) use in_force::{by_policy, in_force, known_of};
pub use judge::{concerns, effect};
pub(crate) use judge::{effect_reader, sets_of};
pub use model::{Against, Effect, InForce, Mark, Policies, Setting, Source};
pub(crate) use reader::{AskedKey, Reader, When};
