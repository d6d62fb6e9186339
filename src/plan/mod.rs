// SPDX-License-Identifier: GPL-3.0-or-later
//! What would have to change: baselines compared with a hive set. Pure: reads, never writes.

#![deny(clippy::arithmetic_side_effects)]

mod allowed;
mod build;
mod capture;
mod change;
mod conditions;
mod confirm;
mod error;
mod last_known_good;
mod lowering;
mod model;
mod places;
mod scene;
mod touched;
mod undo;

pub use allowed::expect_allowed;
pub(crate) use build::build_entry;
pub use build::{Options, build};
pub use capture::{CapturedKey, CapturedValue, capture};
pub use change::{Action, Change};
pub use conditions::needs_machine;
pub use confirm::confirm;
pub use error::{Outdated, PlanError};
pub use lowering::Lowering;
pub use model::{Metadata, Plan, PlannedHive, PlannedProfile, Skipped};
pub(crate) use scene::Scene;
pub use touched::{TouchedKey, touched_keys};
pub use undo::{Undo, UndoObstacle, undo};
