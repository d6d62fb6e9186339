// SPDX-License-Identifier: GPL-3.0-or-later
//! What the store does: prepare and publish, restore, settle an interrupted run, list, prune.

mod backups;
mod pending;
mod prepare;
mod prune;
mod publish;
mod restore;

pub use backups::Backup;
pub use pending::{HiveStands, Pending, PendingHive, Settled};
pub use prepare::{NewHive, Prepared, Request};
pub use prune::{Keep, LeftAlone, PruneOutcome, PrunePlan};
pub use publish::{Outcome, Published};
pub use restore::{RestoreAction, RestoreItem, RestoreOutcome, RestorePlan};
